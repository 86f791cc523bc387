"""Runs that are there already: going on with one, doing one again, comparing two."""
