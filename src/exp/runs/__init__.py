"""Run directories: writing, reading, checkpoints, trained models, trackers."""
