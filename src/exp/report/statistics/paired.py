"""Tests of two samples whose numbers belong together in pairs.

`scipy.stats` is loaded when it is first used: it takes most of a second to import.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy

from exp.report.statistics.means import ANY, Bounds, Mean, standard_error

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
        p: two-sided, of the hypothesis that there is no difference; None where it is not known.
        smallest: the smallest p that this number of pairs can give.
        overlap: test rows for each training row, where the pairs are splits of one table.
    """

    difference: Mean | None
    effect: float | None = None
    p: float | None = None
    smallest: float | None = None
    overlap: float = 0.0

    @property
    def n(self) -> int:
        return self.difference.n if self.difference is not None else 0

    @property
    def error(self) -> float | None:
        """The standard error of the mean difference; None for fewer than two pairs."""
        if self.difference is None or self.difference.sd is None:
            return None
        return standard_error(self.difference.sd, self.n, self.overlap)

    def within(self, margin: float) -> float | None:
        """The p value of two one-sided t-tests that the mean difference lies within a margin
        (Schuirmann, Journal of Pharmacokinetics and Biopharmaceutics 15, 1987).

        Returns:
            None for fewer than two pairs. Where the differences do not vary no t-test can be made:
            then it is that of flipping signs, or 1 outside the margin.
        """
        if self.difference is None or self.error is None:
            return None
        room = margin - abs(self.difference.mean)
        if self.error == 0.0:
            return (self.smallest if self.overlap == 0.0 else None) if room > 0 else 1.0
        return float(scipy.stats.t.sf(room / self.error, self.n - 1))


def paired(
    one: Sequence[float],
    other: Sequence[float],
    test: str = "t",
    *,
    overlap: float = 0.0,
    bounds: Bounds = ANY,
) -> Paired:
    """Compares two samples whose numbers belong together in pairs.

    Of splits of one table (`overlap` > 0) the t-test is the corrected resampled one, see
    `standard_error`. Differences that do not vary have no t statistic. If all are 0, p is 1, else p
    is that of flipping their signs, 2^(1 - n), for independent pairs, and unknown for others.

    Args:
        one, other: `[n]` each, finite.
        test: one of `TESTS`; the signed-rank test knows no correction: p is None with an overlap.
        overlap: test rows for each training row; 0 for independent pairs.
        bounds: between which each number lies.

    Raises:
        ValueError: the samples differ in length.
    """
    pairs = np.array(list(zip(one, other, strict=True)), np.float64).reshape(-1, 2)
    if not len(pairs):
        return Paired(None, overlap=overlap)
    scale = np.abs(pairs).max()
    differences = pairs[:, 0] - pairs[:, 1]
    differences[np.abs(differences) <= _SAME * scale] = 0.0
    if np.ptp(differences) <= _SAME * scale:
        differences[:] = differences[0]
    reach = bounds[1] - bounds[0]
    found = Mean.of(differences.tolist(), overlap=overlap, bounds=(-reach, reach))
    if found.n < 2:
        return Paired(found, overlap=overlap)
    flipped = 2.0 ** (1 - found.n)
    effect = found.mean / found.sd if found.sd else None
    if test == "wilcoxon":
        if overlap:
            return Paired(found, effect, overlap=overlap)
        # Rounded: equal differences share a rank.
        nonzero = np.round(differences[differences != 0] / (scale * _SAME))
        p = float(scipy.stats.wilcoxon(nonzero).pvalue) if len(nonzero) else 1.0
        return Paired(found, effect, p, flipped)
    if found.sd == 0.0 or found.sd is None:
        unlikely = None if overlap else flipped
        return Paired(found, None, unlikely if found.mean else 1.0, flipped, overlap)
    if not overlap:
        p = float(scipy.stats.ttest_1samp(differences, 0.0).pvalue)
        return Paired(found, effect, p, 0.0)
    t = abs(found.mean) / standard_error(found.sd, found.n, overlap)
    return Paired(found, effect, float(2 * scipy.stats.t.sf(t, found.n - 1)), 0.0, overlap)


def mcnemar(one: int, other: int) -> float:
    """The two-sided p of McNemar's exact test that two classifiers are right equally often.

    Args:
        one, other: rows that only the one predicts correctly, and that only the other does.
    """
    return float(scipy.stats.binomtest(one, one + other).pvalue) if one + other else 1.0
