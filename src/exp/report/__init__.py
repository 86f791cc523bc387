"""What came out of runs: results, statistics, comparisons, pictures of sweeps, pages."""
