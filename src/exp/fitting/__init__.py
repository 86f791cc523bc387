"""`exp fit`: from one table to an ensemble of small networks with an honest estimate.

from exp.fitting import FitSettings, fit
directory = fit(FitSettings(path="people.csv", target="ill"))
"""

from exp.fitting.fit_table import fit
from exp.fitting.settings import FitSettings, Progress

__all__ = ["FitSettings", "Progress", "fit"]
