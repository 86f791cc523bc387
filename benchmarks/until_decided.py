"""How often `sweep.until=decided` decides wrongly, and how many seeds it needs.

    python benchmarks/until_decided.py [SWEEPS]

Sweeps whose scores are drawn, not trained, go through the rule that the sweeper uses
(`exp.report.statistics.anytime`), look by look. Scores of a seed share what is hard about it, and
two groups differ with a standard deviation of 1.

1. Null sweeps, up to 200 seeds: all groups are equal, or neighbours are as far apart as the margin
   (0.4). Wrong is a group that is called worse although it is not, or equivalent although it is
   not. Scores are normal, shares of 200 test rows, or those of groups of which one run in ten gets
   stuck. Rows are drawn anew for each seed, or are splits of one table, whose differences have the
   correlation of Nadeau and Bengio: test rows / all rows. Ends with 1 where more than 6 % of the
   sweeps are wrong.
2. Seeds: the median, against a fixed number of seeds for a paired t-test. That number has to be
   chosen without knowing the true difference: for the smallest one that matters, the margin, with a
   power of 80 %, corrected for all pairs. All groups but the first are worse by so many margins.
   Up to three times as many seeds are allowed, with which the rule has at least that power. Ends
   with 1 where the runs are more than half of those of the fixed design, from twice the margin on.
"""

from __future__ import annotations

import math
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from exp.report.statistics.anytime import Race, Scores, next_look
from exp.report.statistics.corrections import pairs
from exp.report.statistics.means import ALPHA
from exp.report.statistics.power import needed
from exp.report.statistics.verdicts import BEST

MOST = 200
LIMIT = 0.06
WIDE = 0.4
"""A margin in standard deviations that 200 seeds are enough for."""


def normal(rng: Generator, means: Sequence[float], ratio: float, most: int = MOST) -> Scores:
    """Scores `[groups, seeds]`: differences have variance 1 and the correlation of splits of one
    table, of which `ratio` test rows come on a training row."""
    shared = ratio / (1 + ratio)
    luck = rng.standard_normal((len(means), 1)) * math.sqrt(shared / 2)
    rest = rng.standard_normal((len(means), most)) * math.sqrt((1 - shared) / 2)
    return rng.standard_normal(most) + np.array(means)[:, None] + luck + rest


def accuracies(rng: Generator, means: Sequence[float], ratio: float) -> Scores:
    """Shares of 200 test rows around 0.9, in units of the standard deviation of a difference."""
    hard = rng.beta(180, 20, size=MOST)
    unit = math.sqrt(2 * 0.9 * 0.1 / 200)
    chances = np.clip(hard + np.array(means)[:, None] * unit, 0, 1)
    return rng.binomial(200, chances) / 200 / unit


def stuck(rng: Generator, means: Sequence[float], ratio: float) -> Scores:
    """One run in ten is 3 standard deviations worse."""
    bad = rng.random((len(means), MOST)) < 0.1
    return normal(rng, means, ratio) - 3 * bad


@dataclass(frozen=True)
class Ended:
    """A sweep.

    Attributes:
        wrong: whether it says something that is not so.
        seeds: of the group that got most.
        runs: of all groups together.
        verdicts: how many of each, but the best.
    """

    wrong: bool
    seeds: int
    runs: int
    verdicts: Counter[str]


def sweep(scores: Scores, means: Sequence[float], margin: float | None, ratio: float) -> Ended:
    """Has the rule decide, as the sweeper does."""
    race = Race([()] * len(means), [ratio] * len(means), margin)
    seen, seeds, most = np.full_like(scores, math.nan), 0, scores.shape[1]
    while race.going and seeds < most:
        before, seeds = seeds, next_look(seeds, most)
        for group in race.going:
            seen[group, before:seeds] = scores[group, before:seeds]
        race.look(seen[:, :seeds])
    found = race.result(seen[:, :seeds], "")
    wrong = False
    for mean, standing in zip(means, found, strict=True):
        if standing.against is not None:
            difference = means[standing.against] - mean
            wrong |= standing.verdict == "worse" and difference <= 0
            wrong |= standing.verdict == "equivalent" and abs(difference) >= (margin or 0)
    runs = int(np.isfinite(seen).sum())
    words = Counter(each.verdict for each in found if each.verdict != BEST)
    return Ended(wrong, seeds, runs, words)


def nulls(count: int) -> bool:
    """Wrong decisions, of sweeps that have nothing to find."""
    print(f"{count} sweeps each, at 5 %\n")
    print("rows         scores      groups  apart    wrong  median seeds")
    good = True
    cases = [
        ("drawn anew", 0.0, normal), ("drawn anew", 0.0, accuracies), ("drawn anew", 0.0, stuck),
        ("splits 80/20", 0.25, normal), ("splits 50/50", 1.0, normal), ("10 folds", 1 / 9, normal),
        ("splits 80/20", 0.25, stuck),
    ]  # fmt: skip
    for name, ratio, draw in cases:
        many = draw is normal and name in ("drawn anew", "splits 80/20")
        for groups in (2, 5) if many else (2,):
            for apart in (0.0, WIDE) if draw is normal else (0.0,):
                rng = np.random.default_rng(0)
                means = [-apart * (g % 2) for g in range(groups)]
                ended = [sweep(draw(rng, means, ratio), means, WIDE, ratio) for _ in range(count)]
                share = np.mean([each.wrong for each in ended])
                good &= bool(share <= LIMIT)
                seeds = np.median([each.seeds for each in ended])
                words = "margin" if apart else "equal"
                print(f"{name:<13}{draw.__name__:<12}", end="")
                print(f"{groups:>6}  {words:<7}{share:>7.1%}{seeds:>14.0f}", flush=True)
    return good


def needs(count: int) -> bool:
    """Median numbers of seeds and runs, and what share they are of a fixed design."""
    print("\nmargin  groups  true / margin  median seeds  fixed  seeds  runs  verdicts")
    good = True
    for margin in (0.2, 0.3, 0.5):
        for groups in (2, 5):
            wanted = needed(margin, ALPHA / pairs(groups))
            assert wanted is not None
            for times in (0.0, 1.0, 1.5, 2.0, 3.0, 4.0):
                rng = np.random.default_rng(1)
                means = [0.0] + [-times * margin] * (groups - 1)
                ended = [
                    sweep(normal(rng, means, 0.0, 3 * wanted), means, margin, 0.0)
                    for _ in range(count)
                ]
                words: Counter[str] = sum((each.verdicts for each in ended), Counter())
                seeds = float(np.median([each.seeds for each in ended])) / wanted
                runs = float(np.median([each.runs for each in ended])) / wanted / groups
                good &= times < 2 or runs <= 0.5
                said = [f"{n / words.total():.0%} {word}" for word, n in sorted(words.items())]
                print(
                    f"{margin:>6}{groups:>8}{times:>15}{seeds * wanted:>14.0f}{wanted:>7}"
                    f"{seeds:>7.2f}{runs:>6.2f}  {', '.join(said)}",
                    flush=True,
                )
    return good


if __name__ == "__main__":
    begun = time.monotonic()
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    outcomes = [nulls(number), needs(number // 5)]
    print(f"\n{time.monotonic() - begun:.0f} s")
    sys.exit(0 if all(outcomes) else 1)
