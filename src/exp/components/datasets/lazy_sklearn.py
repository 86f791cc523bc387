"""Functions of `sklearn.datasets` by name, imported when one is used."""

from __future__ import annotations

from typing import Any


def from_sklearn(name: str) -> Any:
    """A function of `sklearn.datasets`. The import takes almost a second, so it happens only when
    needed."""
    from sklearn import datasets

    return getattr(datasets, name)
