"""`python -m exp.plotting`: draws the pictures that arrive on standard input."""

from exp.plotting.worker import serve

serve()
