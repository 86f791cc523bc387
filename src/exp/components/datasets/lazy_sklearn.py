"""Functions of `sklearn.datasets` by name, imported when one is used."""

from __future__ import annotations

from typing import Any


def from_sklearn(name: str) -> Any:
    """A function of `sklearn.datasets`, imported only when a data set needs it: that takes most of
    a second."""
    from sklearn import datasets

    return getattr(datasets, name)
