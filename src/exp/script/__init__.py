"""`exp code`: the plain PyTorch script of a config, which runs without exp."""
