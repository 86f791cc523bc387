"""The one place from which data sets of scikit-learn are imported: that takes a second."""

from __future__ import annotations

from typing import Any


def sklearn_datasets() -> Any:
    """The module `sklearn.datasets`."""
    from sklearn import datasets

    return datasets
