"""Published tables, and what comes out here: `exp reproduce`."""
