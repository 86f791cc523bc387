"""Corrections of p values for their number."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np


def holm(ps: Sequence[float], family: int | None = None) -> list[float]:
    """p values corrected for their number by Holm's method, in the order given; scipy has none.

    Args:
        family: the number of hypotheses in all, where these are not all of them; the others count
            as less significant, which is the cautious side.
    """
    order = np.argsort(ps, kind="stable")
    factors = (len(ps) if family is None else family) - np.arange(len(ps))
    adjusted = np.empty(len(ps))
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(factors * np.asarray(ps)[order]))
    found: list[float] = adjusted.tolist()
    return found


def pairs(groups: int) -> int:
    """The number of pairs of this number of groups."""
    return math.comb(groups, 2)
