"""Rows and labels: data sets, splits, tables from files, and how text and gaps become numbers."""

from exp.data.dataset import Data, Prepared, Split
from exp.data.feature_map import FeatureMap

__all__ = ["Data", "FeatureMap", "Prepared", "Split"]
