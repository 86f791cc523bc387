"""What came out of runs: rows, groups, statistics, tables."""
