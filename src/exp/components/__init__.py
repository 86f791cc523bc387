"""The packaged components of every kind: data sets, splits, models, losses, optimizers and more."""
