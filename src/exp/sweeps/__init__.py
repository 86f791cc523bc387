"""One run or many from a command line: which, in what stacks, in which processes; search."""
