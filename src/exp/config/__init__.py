"""From a command line to one checked config: Hydra, overrides, user modules, and what is trusted."""
