"""Runs: their directories, where they come from, and how one is executed."""
