"""Rows and labels: data sets, splits, tables from files, how text and gaps become numbers."""

from exp.data.dataset import Data, Split
from exp.data.feature_map import FeatureMap
from exp.data.prepared import Prepared

__all__ = ["Data", "FeatureMap", "Prepared", "Split"]
