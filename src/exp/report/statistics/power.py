"""How many pairs a test needs."""

from __future__ import annotations

from bisect import bisect_left

import scipy

from exp.report.statistics.means import ALPHA, standard_error

POWER = 0.8
FEW = 5
"""With fewer pairs than that, a real difference is seldom shown."""
MOST = 1000
"""Seeds; where more would be needed, no number is given."""


def needed(effect: float, alpha: float = ALPHA, *, overlap: float = 0.0) -> int | None:
    """The number of pairs with which a two-sided paired t-test shows an effect with a power of
    80 %, at least `FEW`; None where that is more than `MOST`.

    Args:
        effect: Cohen's d_z.
        overlap: as of `standard_error`: with it, no number of splits may be enough.
    """

    def power(n: int) -> float:
        # By the noncentral t distribution, without the far tail on the wrong side.
        bound = scipy.special.stdtrit(n - 1, 1 - alpha / 2)
        centre = abs(effect) / standard_error(1.0, n, overlap)
        if centre > max(bound + 5, 1.5 * bound):  # nctdtr is inexact there; it is above 0.9
            return 1.0
        return float(1 - scipy.special.nctdtr(n - 1, centre, bound))

    found = bisect_left(range(FEW, MOST + 1), POWER, key=power) + FEW
    return found if found <= MOST else None
