"""The verdicts of a sweep with `sweep.until=decided`: as text, and as sweep.json has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from exp.report.statistics.anytime import Scores, Standing
from exp.report.statistics.verdicts import BEST, EQUIVALENT, WORSE, spread
from exp.util.text_tables import aligned, number


def stored(standing: Standing) -> dict[str, Any]:
    """A verdict as sweep.json has it; the difference is positive where the other group is better.

    The interval is that of the verdict: for `equivalent` the one of two one-sided tests.
    """
    found = standing.found
    if found is None or not np.isfinite(found.difference):
        return {"verdict": standing.verdict, "reason": standing.reason}
    half = width(standing)
    finite = bool(np.isfinite(half))
    return {
        "verdict": standing.verdict,
        "against": standing.against,
        "common_seeds": found.n,
        "difference": found.difference,
        "low": found.difference - half if finite else None,
        "high": found.difference + half if finite else None,
        "reason": standing.reason,
    }


def width(standing: Standing) -> float:
    """Half of the interval that the verdict rests on."""
    assert standing.found is not None
    return standing.found.inner if standing.verdict == EQUIVALENT else standing.found.half


def verdict(standing: Standing) -> str:
    """A verdict in words: `worse by 0.045 (0.021 to 0.069)`."""
    seen, text = stored(standing), standing.verdict
    if "difference" in seen:
        value, low, high = seen["difference"], seen["low"], seen["high"]
        found = f"{value:.3g}" if low is None else spread(value, low, high)
        text += f" by {found}" if text == WORSE else f": {found}"
        return f"{text}; {standing.reason}" if standing.reason else text
    return f"{text}: {standing.reason}" if standing.reason else text


def table(
    keys: Sequence[str],
    values: Sequence[Sequence[str]],
    cells: Sequence[Any],
    scores: Scores,
    standings: Sequence[Standing],
    sign: float,
) -> list[str]:
    """A line for each group: those of one cell together, the best first.

    Args:
        keys: what tells groups apart.
        values: `[groups][keys]`.
        cells: of each group: groups are compared within their cell only.
        scores: `[groups, seeds]`, nan where there is none.
        standings: of each group.
        sign: 1.0 where higher scores are better, else -1.0.
    """
    places = {cell: place for place, cell in enumerate(dict.fromkeys(cells))}
    means = [float(np.nanmean(row)) if np.isfinite(row).any() else np.nan for row in scores]

    def order(group: int) -> tuple[int, bool, bool, float]:
        mean = means[group]
        best = standings[group].verdict == BEST
        return places[cells[group]], not best, bool(np.isnan(mean)), -sign * mean

    lines = [
        [
            *values[group],
            number(means[group] if np.isfinite(means[group]) else None),
            str(int(np.isfinite(scores[group]).sum())),
            verdict(standings[group]),
        ]
        for group in sorted(range(len(values)), key=order)
    ]
    head = [*keys, "mean", "seeds", "verdict"]
    return aligned([head, *lines], [len(keys), len(keys) + 1])
