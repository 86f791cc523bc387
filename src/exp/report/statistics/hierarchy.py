"""The mean difference of two methods over data sets, as a model with random effects estimates it.

On data set i the observed difference d_i is normal around a true one with the standard error s_i,
and the true ones are normal around their mean with the standard deviation tau: what two methods
differ by depends on the data. tau is estimated as Paule and Mandel do, which needs no iteration
over likelihoods and is recommended beside REML by Veroniki et al.; the interval is Hartung and
Knapp's with Student's t, never narrower than the normal model has it.

- R. C. Paule, J. Mandel, "Consensus values and weighting factors", Journal of Research of the
  National Bureau of Standards 87, 1982.
- A. A. Veroniki et al., "Methods to estimate the between-study variance and its uncertainty in
  meta-analysis", Research Synthesis Methods 7, 2016.
- G. Knapp, J. Hartung, "Improved tests for a random effects meta-regression with a single
  covariate", Statistics in Medicine 22, 2003; C. Röver, G. Knapp, T. Friede, BMC Medical Research
  Methodology 15:99, 2015, on the lower bound of 1.
- J. P. T. Higgins, S. G. Thompson, D. J. Spiegelhalter, "A re-evaluation of random-effects
  meta-analysis", Journal of the Royal Statistical Society A 172, 2009: the prediction interval.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

Values = NDArray[np.float64]

PRIOR = 2.0
"""Degrees of freedom of the common variance, see `moderated`."""


@dataclass(frozen=True)
class RandomEffects:
    """
    Attributes:
        n: data sets.
        mean: the estimated mean of the true differences over all data sets of this sort.
        error: its standard error; None for a single data set without one.
        tau: the standard deviation of the true differences between data sets.
        q: Cochran's sum of squares; with `n - 1` or less, the data sets agree within their errors.
    """

    n: int
    mean: float
    error: float | None
    tau: float
    q: float

    def interval(self, level: float = 0.95) -> tuple[float, float] | None:
        """The interval of the mean difference; None for fewer than two data sets."""
        if self.n < 2 or self.error is None:
            return None
        half = float(scipy.stats.t.ppf((1 + level) / 2, self.n - 1)) * self.error
        return self.mean - half, self.mean + half

    def prediction(self, level: float = 0.95) -> tuple[float, float] | None:
        """Where the true difference on one more data set lies; None for fewer than three."""
        if self.n < 3 or self.error is None:
            return None
        half = float(scipy.stats.t.ppf((1 + level) / 2, self.n - 2))
        half *= math.hypot(self.error, self.tau)
        return self.mean - half, self.mean + half

    @property
    def p(self) -> float | None:
        """Two-sided, of the hypothesis that the mean difference is 0."""
        if self.n < 2 or self.error is None:
            return None
        if self.error == 0:
            return float(self.mean == 0)
        return 2 * float(scipy.stats.t.sf(abs(self.mean) / self.error, self.n - 1))

    def within(self, margin: float) -> float | None:
        """The p of two one-sided tests that the mean difference lies within a margin."""
        if self.n < 2 or self.error is None:
            return None
        room = margin - abs(self.mean)
        if self.error == 0:
            return float(room <= 0)
        return float(scipy.stats.t.sf(room / self.error, self.n - 1))


def random_effects(differences: ArrayLike, errors: ArrayLike) -> RandomEffects:
    """The mean difference over data sets.

    Args:
        differences: `[n]`, one for each data set.
        errors: `[n]`, their standard errors. Where one is 0 and tau is 0 too, that data set
            decides alone: pass errors through `moderated` first. All 0: unknown, so that tau has
            the spread over seeds too, and the mean is the plain one.

    Raises:
        ValueError: there is no data set, or the lengths differ.
    """
    d = np.asarray(differences, np.float64)
    variances = np.asarray(errors, np.float64) ** 2
    if not len(d) or d.shape != variances.shape:
        raise ValueError("expected one difference and one standard error for each data set")
    n = len(d)
    if n == 1:
        error = float(variances[0]) ** 0.5
        return RandomEffects(1, float(d[0]), error or None, 0.0, 0.0)
    if np.ptp(d) == 0 and not variances.any():
        return RandomEffects(n, float(d[0]), 0.0, 0.0, 0.0)
    tau2 = between(d, variances)
    mean, weights = weighted(d, variances + tau2)
    total = float(weights.sum())
    spread = float(weights @ (d - mean) ** 2) / (n - 1)
    error = 0.0 if math.isinf(total) else math.sqrt(max(1.0, spread) / total)
    return RandomEffects(n, mean, error, math.sqrt(tau2), cochran(d, variances))


def weighted(d: Values, variances: Values) -> tuple[float, Values]:
    """The mean with weights `1 / variance`, and these; only exact values count if there are any."""
    exact = variances == 0
    if exact.any():
        return float(d[exact].mean()), np.where(exact, math.inf, 0.0)
    weights = 1.0 / variances
    return float(weights @ d / weights.sum()), weights


def cochran(d: Values, variances: Values) -> float:
    """The weighted sum of squares around the weighted mean."""
    mean, weights = weighted(d, variances)
    apart = d != mean
    return float(weights[apart] @ (d[apart] - mean) ** 2)


def between(d: Values, variances: Values) -> float:
    """Paule and Mandel's variance between data sets: with it, Cochran's sum is `n - 1`."""
    wanted = len(d) - 1.0
    if cochran(d, variances) <= wanted:
        return 0.0
    # With it, no weight is more than 1 over it: the sum cannot be above n - 1.
    most = float(((d - d.mean()) ** 2).sum() / wanted)
    low = most * 1e-15
    if cochran(d, variances + low) <= wanted:
        return low
    found = scipy.optimize.brentq(
        lambda tau2: cochran(d, variances + tau2) - wanted,
        low,
        most * (1 + 1e-9),
        xtol=most * 1e-15,
    )
    return float(found)


def moderated(variances: Sequence[float | None], df: Sequence[float]) -> Values:
    """Variances of few seeds each, drawn towards their mean.

    A data set on which a difference happens to vary little over a few seeds would have nearly all
    the weight. As Smyth (2004, "Linear models and empirical Bayes methods", Statistical
    Applications in Genetics and Molecular Biology 3) has it, with `PRIOR` degrees of freedom for
    the mean of all: `(df s^2 + PRIOR mean) / (df + PRIOR)`; many seeds are believed.

    Args:
        variances: of the difference between seeds, one for each data set; None: unknown.
        df: their degrees of freedom; 0 where unknown.

    Returns:
        Variances, 0 where all are unknown.
    """
    known = np.array([0.0 if each is None else each for each in variances])
    weights = np.array([0.0 if v is None else each for v, each in zip(variances, df, strict=True)])
    if not weights.any():
        return np.zeros(len(known))
    common = float(weights @ known / weights.sum())
    found: Values = (weights * known + PRIOR * common) / (weights + PRIOR)
    return found
