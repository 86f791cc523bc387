"""Tests of two samples whose numbers belong together in pairs.

`scipy.stats` is loaded when it is first used: it takes most of a second to import.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy

from exp.report.statistics.means import Mean

TESTS = {"t": "paired t-test", "wilcoxon": "Wilcoxon signed-rank test"}
_SAME = 1e-12
"""Relative to the scores: a smaller difference comes from rounding."""


@dataclass(frozen=True)
class Paired:
    """A paired test.

    Attributes:
        difference: of the pairs, `one - other`; None where there are no pairs.
        effect: Cohen's d_z, the mean difference divided by the standard deviation of the
            differences; None where they do not vary.
        p: two-sided, of the hypothesis that there is no difference; None for fewer than two pairs.
        smallest: the smallest p that this number of pairs can give.
    """

    difference: Mean | None
    effect: float | None = None
    p: float | None = None
    smallest: float | None = None

    @property
    def n(self) -> int:
        return self.difference.n if self.difference is not None else 0


def paired(one: Sequence[float], other: Sequence[float], test: str = "t") -> Paired:
    """Compares two samples whose numbers belong together in pairs.

    Differences that do not vary have no t statistic. If all are 0, p is 1, else p is that of
    flipping their signs, 2^(1 - n).

    Args:
        one, other: `[n]` each, finite.
        test: one of `TESTS`.

    Raises:
        ValueError: the samples differ in length.
    """
    pairs = np.array(list(zip(one, other, strict=True)), np.float64).reshape(-1, 2)
    if not len(pairs):
        return Paired(None)
    scale = np.abs(pairs).max()
    differences = pairs[:, 0] - pairs[:, 1]
    differences[np.abs(differences) <= _SAME * scale] = 0.0
    if np.ptp(differences) <= _SAME * scale:
        differences[:] = differences[0]
    found = Mean.of(differences.tolist())
    if found.n < 2:
        return Paired(found)
    flipped = 2.0 ** (1 - found.n)
    effect = found.mean / found.sd if found.sd else None
    if test == "wilcoxon":
        # Rounded: equal differences share a rank.
        nonzero = np.round(differences[differences != 0] / (scale * _SAME))
        p = float(scipy.stats.wilcoxon(nonzero).pvalue) if len(nonzero) else 1.0
        return Paired(found, effect, p, flipped)
    if effect is None:
        return Paired(found, None, flipped if found.mean else 1.0, flipped)
    return Paired(found, effect, float(scipy.stats.ttest_1samp(differences, 0.0).pvalue), 0.0)


def mcnemar(one: int, other: int) -> float:
    """The two-sided p of McNemar's exact test that two classifiers are right equally often.

    Args:
        one, other: rows that only the one predicts correctly, and that only the other does.
    """
    return float(scipy.stats.binomtest(one, one + other).pvalue) if one + other else 1.0
