"""From a command line to one checked config: Hydra, overrides, modules of users, trust."""
