"""`exp show`: a finished run, or the rows of a data set before any training."""
