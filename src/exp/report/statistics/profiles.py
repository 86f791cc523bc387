"""Time to target, and performance profiles.

- E. D. Dolan, J. J. Moré, "Benchmarking optimization software with performance profiles",
  Mathematical Programming 91, 2002.
- G. E. Dahl et al., "Benchmarking neural network training algorithms" (AlgoPerf),
  arXiv:2306.07179, 2023: profiles over time to target, and their score.
- R. Agarwal et al., NeurIPS 2021 (rliable): profiles over scores.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Values = NDArray[np.float64]

MOST_RATIO = 4.0
"""Where AlgoPerf's score ends: four times the time of the fastest."""


@dataclass(frozen=True, eq=False)
class Profile:
    """A step curve: the share of values that are at most x.

    Attributes:
        x: `[steps]`, increasing, finite.
        share: `[steps]`, from x on; the last is less than 1 where some values are infinite.
    """

    x: Values
    share: Values


def first_reached(steps: Values, reached: NDArray[np.bool_]) -> float:
    """The first step at which a target is reached; infinity where it never is.

    Args:
        steps: `[evaluations]`, increasing: epochs, or seconds.
        reached: `[evaluations]`.
    """
    return float(steps[int(reached.argmax())]) if reached.any() else math.inf


def share_reached(times: ArrayLike) -> float:
    """The share of runs that reached the target; NaN for no runs."""
    found = np.asarray(times, np.float64)
    return float(np.isfinite(found).mean()) if len(found) else math.nan


def median(times: ArrayLike) -> float:
    """The median over all runs, where one that never reached the target counts as infinite; NaN
    for no runs."""
    found = np.asarray(times, np.float64)
    return float(np.median(found)) if len(found) else math.nan


def ratios(times: Values) -> Values:
    """The time of each method divided by that of the fastest on the same data set.

    Args:
        times: `[data sets, methods]`, at least 0; infinite where the target was not reached.

    Returns:
        `[data sets, methods]`, at least 1; all infinite on a data set that none solved. Where the
        fastest needs no time at all, the others' ratio is infinite.
    """
    best = times.min(axis=1, keepdims=True)
    solved = np.isfinite(times)
    found = np.full(times.shape, math.inf)
    with np.errstate(over="ignore"):
        np.divide(times, best, out=found, where=solved & (best > 0))
    found[solved & (times == best)] = 1.0
    return found


def profile(values: ArrayLike, weights: ArrayLike | None = None) -> Profile:
    """The share of values that are at most x, for every x at which it rises.

    Of `ratios` this is Dolan and Moré's profile, of distances to the best score a profile of
    scores, of times to a target the share of runs that have reached it.

    Args:
        values: `[n]`; infinite ones never count.
        weights: `[n]`; None: all alike.
    """
    found = np.asarray(values, np.float64).ravel()
    heavy = np.ones(len(found)) if weights is None else np.asarray(weights, np.float64).ravel()
    x, places = np.unique(found, return_inverse=True)
    share = np.cumsum(np.bincount(places, heavy, len(x)))
    total = share[-1] if len(share) else 1.0
    finite = np.isfinite(x)
    return Profile(x[finite], share[finite] / total)


def profile_score(ratios: ArrayLike, most: float = MOST_RATIO) -> float:
    """AlgoPerf's score: the mean height of the profile between the ratios 1 and `most`.

    Args:
        ratios: `[data sets]` of one method.

    Returns:
        1 where it is the fastest on every data set, 0 where it never comes within `most` times.
    """
    left = np.clip(most - np.asarray(ratios, np.float64), 0.0, most - 1)
    return float(left.mean() / (most - 1))
