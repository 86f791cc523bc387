"""What every floor above uses and no floor owns: errors, files, the terminal, names of scores."""
