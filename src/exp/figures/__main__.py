"""`python -m exp.figures`: draws the pictures that arrive on standard input."""

from exp.figures.worker import serve

serve()
