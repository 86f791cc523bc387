"""Finished runs, written into the trackers that people use: TensorBoard, MLflow, Weights & Biases.

Everything is read from the run's directory once all of it is there, in the main process and one run
after the other. So a run of a stack, one that was resumed and one done again are logged alike, no
two processes write one database, and no tracker can slow a training or break it.
"""
