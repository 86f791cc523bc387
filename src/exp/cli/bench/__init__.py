"""`exp bench`: optimizers compared on many data sets, over many seeds."""
