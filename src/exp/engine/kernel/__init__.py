"""The kernel: epochs of many small networks in C, each network computed by itself."""
