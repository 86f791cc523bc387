"""Components to begin with: `exp new`."""
