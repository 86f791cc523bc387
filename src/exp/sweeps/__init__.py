"""Sweeps: which runs there are, what each is, and how they train as stacks in worker processes."""
