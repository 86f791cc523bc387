"""The interquartile mean over data sets and seeds, with a stratified bootstrap interval.

R. Agarwal et al., "Deep reinforcement learning at the edge of the statistical precipice", NeurIPS
2021 (the package rliable): the mean of the middle half of all runs is less shaken by single runs
than the mean and uses more of them than the median; seeds are drawn anew within each data set.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

Values = NDArray[np.float64]

SAMPLES = 2000
"""Bootstrap samples: the ends of an interval are then steady to about a tenth of its width."""
_TOGETHER = 1 << 22
"""Numbers that are drawn at once: 32 MB."""


@dataclass(frozen=True)
class Estimate:
    """A number and the ends of its interval; None where nothing can be drawn anew."""

    value: float
    low: float | None
    high: float | None


def interquartile_mean(values: Values, axis: int | None = None) -> Values:
    """The mean without the lowest and the highest quarter, rounded down, as scipy and rliable."""
    found: Values = scipy.stats.trim_mean(values, 0.25, axis=axis)
    return found


def stratified(
    strata: Sequence[Values],
    *,
    samples: int = SAMPLES,
    level: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """The interquartile mean of all values, and its percentile bootstrap interval.

    Each data set counts the same: where they have different numbers of values, those of the smaller
    ones are repeated.

    Args:
        strata: the values of each data set, `[seeds]` each.
        samples: bootstrap samples.
        level: of the interval.
        seed: of the random numbers; the same seed gives the same interval.

    Raises:
        ValueError: there are no values.
    """
    strata = [np.sort(np.asarray(each, np.float64)) for each in strata if len(each)]
    if not strata:
        raise ValueError("expected at least one value")
    most = max(map(len, strata))
    # Evenly: no value stands there more than once more often than another.
    repeated = [np.arange(most) * len(each) // most for each in strata]
    whole = [each[places] for each, places in zip(strata, repeated, strict=True)]
    value = float(interquartile_mean(np.concatenate(whole)))
    if most < 2:
        return Estimate(value, None, None)
    rng = np.random.default_rng(seed)
    found = list[Values]()
    step = max(1, _TOGETHER // (most * len(strata)))
    for begin in range(0, samples, step):
        count = min(step, samples - begin)
        drawn = [
            each[rng.integers(len(each), size=(count, len(each)))][:, places]
            for each, places in zip(strata, repeated, strict=True)
        ]
        found.append(interquartile_mean(np.concatenate(drawn, axis=1), axis=1))
    ends = np.quantile(np.concatenate(found), [(1 - level) / 2, (1 + level) / 2])
    return Estimate(value, float(ends[0]), float(ends[1]))
