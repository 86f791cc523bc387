"""Rows that were measured: scikit-learn's small classics."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from exp.components.datasets.lazy_sklearn import from_sklearn
from exp.data.cache import repeatable
from exp.data.dataset import Data
from exp.registry.registry import register


@register.dataset("iris")
@repeatable
def iris(seed: int) -> Data:
    """Measurements of 150 iris flowers of 3 species (Fisher 1936, as in scikit-learn).

    Args:
        seed: not used.

    Returns:
        X [150, 4] in cm, 3 classes of 50 rows.
    """
    bunch = loaded("load_iris")
    features = [name.removesuffix(" (cm)") for name in bunch.feature_names]
    return bundled(bunch, features, units=["cm"] * len(features))


@register.dataset("wine")
@repeatable
def wine(seed: int) -> Data:
    """Chemical analyses of 178 wines of 3 growers (UCI, as in scikit-learn).

    The features differ in scale by a factor of a thousand: use `split.standardize=true`.

    Args:
        seed: not used.

    Returns:
        X [178, 13], 3 classes of 59, 71 and 48 rows.
    """
    return bundled(loaded("load_wine"))


@register.dataset("breast_cancer")
@repeatable
def breast_cancer(seed: int) -> Data:
    """Shapes of cell nuclei in 569 tumours, malignant or benign (UCI, as in scikit-learn).

    The features differ in scale by a factor of a thousand: use `split.standardize=true`.

    Args:
        seed: not used.

    Returns:
        X [569, 30], 2 classes of 212 and 357 rows.
    """
    return bundled(loaded("load_breast_cancer"))


@register.dataset("digits")
@repeatable
def digits(seed: int) -> Data:
    """1,797 handwritten digits of 8 x 8 pixels (UCI, as in scikit-learn).

    Args:
        seed: not used.

    Returns:
        X [1797, 64] of grey values from 0 to 16, row by row from the top left; 10 classes.
    """
    return bundled(loaded("load_digits"))


@lru_cache
def loaded(name: str) -> Any:
    """A scikit-learn `Bunch`, read only once: reading the digits takes 20 ms, almost as long as a
    run without figures."""
    return from_sklearn(name)()


def bundled(
    bunch: Any, features: Sequence[str] | None = None, units: Sequence[str | None] | None = None
) -> Data:
    """Converts a scikit-learn `Bunch` to `Data`."""
    return Data.checked(
        bunch.data,
        bunch.target,
        classes=[str(name) for name in bunch.target_names],
        positive=1 if len(bunch.target_names) == 2 else None,  # as scikit-learn's scores have it
        features=features or [str(name) for name in bunch.feature_names],
        units=units,
    )
