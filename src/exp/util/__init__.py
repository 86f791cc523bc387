"""What no floor owns: errors, files, the terminal, names of scores, text from strangers."""
