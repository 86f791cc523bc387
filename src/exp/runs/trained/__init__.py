"""Trained models at work: their answers for new rows, and files for other programs."""
