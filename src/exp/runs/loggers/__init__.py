"""Runs in the trackers that people use: TensorBoard, MLflow, Weights & Biases.

A process beside the one that trains (`tracker_process`) is the only one that speaks to trackers. It
gets epochs as messages and reads everything else from the directory of a run that has ended. So a
run of a stack, one that was resumed and one done again are logged alike, no two processes write to
one database, and no tracker can slow a training or break it.
"""
