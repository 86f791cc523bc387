"""What a comparison says, in one word and in a line."""

from __future__ import annotations

import math
from dataclasses import dataclass

from exp.report.statistics.means import ALPHA
from exp.report.statistics.paired import Paired
from exp.report.statistics.power import FEW, needed

BEST, BETTER, WORSE, EQUIVALENT, UNDECIDED = "best", "better", "worse", "equivalent", "undecided"
WORDS = (BEST, BETTER, WORSE, EQUIVALENT, UNDECIDED)
NOT_COMPARED = "not compared"


@dataclass(frozen=True)
class Verdict:
    """
    Attributes:
        word: one of `WORDS`; "" where nothing was compared.
        text: the word, the difference with its interval, the p value, what would tell more.
        needed: units, such as seeds, with which a difference as large as this one would be shown
            with a power of 80 %; None where it is decided, or where no number would do.
    """

    word: str
    text: str
    needed: int | None = None


def verdict(
    test: Paired,
    p: float | None,
    p_within: float | None,
    *,
    margin: float | None,
    family: int,
    ranks: bool = False,
    unit: str = "seed",
    rounds: int = 1,
) -> Verdict:
    """The verdict of the best group against another one.

    Args:
        test: the difference is positive where the best group is better.
        p, p_within: of no difference, and of a difference beyond the margin, both corrected.
        margin: differences up to it do not matter; None: every difference does.
        family: the number of tests that p is corrected for.
        ranks: whether the test is one of ranks, for which few pairs can never be enough, and which
            has no correction for splits of one table.
        unit: of what there are pairs.
        rounds: more of them come in rounds of so many.
    """
    if test.difference is None:
        return Verdict(UNDECIDED, f"{UNDECIDED}: no {unit} in common")
    difference = test.difference
    if difference.low is None or difference.high is None:
        return Verdict(UNDECIDED, f"{UNDECIDED}: 1 {unit} in common")
    if ranks and test.overlap:
        return Verdict(
            "", f"{NOT_COMPARED}: no test of ranks for {unit}s of one table; use --test t"
        )
    if margin is not None and p_within is not None and p_within <= ALPHA:
        found = f"{spread(difference.mean, difference.low, difference.high)}, {p_text(p_within)}"
        return Verdict(EQUIVALENT, f"{EQUIVALENT}: {found}")
    if p is not None and p <= ALPHA:
        word = WORSE if difference.mean > 0 else BETTER
        ends = sorted((abs(difference.low), abs(difference.high)))
        if difference.low < 0 < difference.high:  # the corrected test of ranks may differ from it
            ends = [-ends[0], ends[1]]
        found = spread(abs(difference.mean), ends[0], ends[1])
        return Verdict(word, f"{word} by {found}, {p_text(p)}")
    enough = wanted(test, margin=margin, family=family, ranks=ranks, rounds=rounds)
    found = spread(difference.mean, difference.low, difference.high)
    chance = f", {p_text(p)}" if p is not None else ""
    if enough is not None:
        hint = f"; about {enough} {unit}s would tell" if enough > test.n else ""
    else:
        hint = f"; more {unit}s of this table cannot tell" if test.overlap and test.effect else ""
    return Verdict(UNDECIDED, f"{UNDECIDED}: {found}{chance}{hint}", enough)


def wanted(
    test: Paired, *, margin: float | None, family: int, ranks: bool, rounds: int
) -> int | None:
    """The number of pairs that would show this difference, or that it lies within the margin."""
    if test.effect is None or test.difference is None or not test.difference.sd:
        return None
    alpha = ALPHA / max(family, 1)
    found = [needed(test.effect, alpha, overlap=test.overlap)]
    if margin is not None and (room := margin - abs(test.difference.mean)) > 0:
        # One-sided, in both directions.
        found.append(needed(room / test.difference.sd, 2 * alpha, overlap=test.overlap))
    known = [each for each in found if each is not None]
    least = FEW
    while ranks and max(family, 1) * 2.0 ** (1 - least) > ALPHA:
        least += 1
    return math.ceil(max(min(known), least) / rounds) * rounds if known else None


def p_text(p: float) -> str:
    """A p value in two digits, and no more than three decimals."""
    if p < 0.001:
        return "p<0.001"
    return f"p={p:.2f}" if p >= 0.095 else f"p={p:.3f}"


def spread(value: float, low: float, high: float) -> str:
    """A value and its interval, with two digits of half its width: `0.078 (0.057 to 0.099)`."""
    half = (high - low) / 2
    if half <= 0:
        return f"{value:.3g}"
    decimals = 0
    while decimals < 12 and half * 10**decimals < 9.95:
        decimals += 1
    # Adding 0 makes -0.0 to 0.0.
    numbers = [f"{round(each, decimals) + 0.0:.{decimals}f}" for each in (value, low, high)]
    return f"{numbers[0]} ({numbers[1]} to {numbers[2]})"
