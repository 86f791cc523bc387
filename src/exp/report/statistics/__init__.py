"""Means, intervals, tests and sample sizes, of plain arrays; docs/results.md has the formulas."""
