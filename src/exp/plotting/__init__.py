"""Figures: plain arrays in, files out.

This package imports NumPy only. matplotlib is imported by `exp.plotting.draw` and what it draws
with, so that a main process which gives its pictures to a `FigureWorker` never pays for it.
"""

from exp.plotting.picture import Picture
from exp.plotting.plane import Plane
from exp.plotting.worker import FigureError, FigureWorker

__all__ = ["FigureError", "FigureWorker", "Picture", "Plane"]
