"""What the swept parameters do to the metric: one by one, and two at a time."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from exp.plotting import heat_map as table
from exp.plotting import layout, parameters
from exp.plotting.levels import Levels
from exp.plotting.style import Theme
from exp.report.captions import problems
from exp.report.maps import Maps
from exp.report.scored import Scored
from exp.util.text_tables import count

Values = NDArray[np.float64]

PANELS = 12
"""Parameters that the metric is drawn against."""
FILLED = 1 / 3
"""Cells of a heat map that have a run, at least: a random search is no table."""
ABOUT_MEANS = "; diamond: mean over the seeds of that value; bar: its 95 % interval"
CELLS = 30
"""Values along each side of a heat map."""


def against_parameters(scored: Scored, maps: Maps, theme: Theme) -> Figure | None:
    """The metric against everything that varies; against seeds only where nothing else does."""
    keys = scored.keys or scored.seeds
    if not keys:
        return None
    effects = [effect(scored, key) for key in keys[:PANELS]]
    metric = scored.metric
    heading = f"{metric.title.capitalize()} of {count(len(scored.rows), 'run')}"
    if len(keys) > PANELS:
        heading += f", against {PANELS} of {len(keys)} parameters"
    left_out = int(np.isnan(scored.scores).sum())
    note = f"{count(left_out, 'run')} without a value: {problems(scored.rows)}" if left_out else ""
    figure = parameters.draw(effects, scored.scores, metric, theme, note.removesuffix(": "))
    means = any(np.isfinite(each.mean).any() for each in effects)
    layout.heading(figure, heading, remark="point: a run" + ABOUT_MEANS * means)
    return figure


def effect(scored: Scored, key: str) -> parameters.Effect:
    """The mean for each value of a key; none where each run has a value of its own."""
    levels = scored.levels(key)
    values_of = len(levels.labels)
    found = np.full((3, values_of), np.nan)
    if values_of < len(scored.scores):
        for code in range(values_of):
            if spread := scored.over_seeds(np.flatnonzero(levels.codes == code).tolist()):
                ends = (spread.low, spread.high)
                found[:, code] = spread.mean, *(math.nan if end is None else end for end in ends)
    return parameters.Effect(levels=levels, mean=found[0], low=found[1], high=found[2])


def heat_map(scored: Scored, maps: Maps, theme: Theme) -> Figure | None:
    """The mean metric for each pair of values of the two parameters that matter most."""
    if len(scored.keys) < 2:
        return None
    by_effect = sorted(scored.keys, key=lambda key: -reach(scored, key))
    chosen = [key for key in scored.keys if key in by_effect[:2]]
    up, across = (scored.levels(key) for key in chosen)
    shape = len(up.labels), len(across.labels)
    finite, counts = np.zeros(shape, int), np.zeros(shape, int)
    there = np.isfinite(scored.scores)
    np.add.at(counts, (up.codes, across.codes), 1)
    if (counts > 0).mean() < FILLED:
        return None
    np.add.at(finite, (up.codes[there], across.codes[there]), 1)
    mean: Values = np.full(shape, np.nan)
    for cell in zip(*np.nonzero(finite), strict=True):
        here = (up.codes == cell[0]) & (across.codes == cell[1])
        mean[cell] = scored.mean(np.flatnonzero(here).tolist())
    # Rounded: the order of a sum must not show in the last digit that is written.
    mean = np.round(mean, 12)
    rest = [scored.names[key] for key in (*scored.keys, *scored.seeds) if key not in chosen]
    remark = f"mean over {', '.join(rest)}" if rest else "one run in each cell"
    if len(sizes := set(finite.ravel().tolist())) == 1 and rest:
        remark += f", {count(sizes.pop(), 'run')} in each cell"
    notes = ["frame: the best mean"] if np.isfinite(mean).any() else []
    if not np.isfinite(mean).all():
        notes.append("hatched: no run with a value")
    if len(scored.keys) > 2:
        notes.append(f"the two of {len(scored.keys)} parameters whose values differ most")
    if bad := problems(scored.rows):
        notes.append(f"not in the means: {bad}")
    rows, columns = (best_of(mean, axis, scored.sign) for axis in (1, 0))
    for levels, kept in ((up, rows), (across, columns)):
        if len(kept) < len(levels.labels):
            notes.append(f"the best {len(kept)} of {len(levels.labels)} values of {levels.name}")
    mean, counts = (
        mean[np.ix_(rows, columns)],
        np.where(finite, finite, counts)[np.ix_(rows, columns)],
    )
    best = None
    if np.isfinite(mean).any():
        place = int(np.nanargmax(mean * scored.sign))
        best = (place // mean.shape[1], place % mean.shape[1])
    across, up = some(across, columns), some(up, rows)
    figure = table.draw(
        across, up, mean, counts, scored.metric, theme, best=best, note="; ".join(notes)
    )
    heading = f"Mean {scored.metric.title}: {up.name} and {across.name}"
    layout.heading(figure, heading, remark=remark, above=0.15)
    return figure


def reach(scored: Scored, key: str) -> float:
    """How far the means of a key's values lie apart."""
    means = effect(scored, key).mean
    means = means[np.isfinite(means)]
    return float(means.max() - means.min()) if len(means) else 0.0


def best_of(mean: Values, axis: int, sign: float) -> list[int]:
    """The places of at most `CELLS` rows (axis 1: the others are averaged) or columns."""
    there = np.isfinite(mean)
    score = np.where(there, mean, 0.0).sum(axis=axis) / np.maximum(there.sum(axis=axis), 1)
    score = np.where(there.any(axis=axis), -sign * score, np.inf)
    return sorted(np.argsort(score, kind="stable")[:CELLS].tolist())


def some(levels: Levels, kept: list[int]) -> Levels:
    """A parameter with some of its values; without the runs."""
    labels = tuple(levels.labels[place] for place in kept)
    return Levels(name=levels.name, labels=labels, numbers=None, codes=np.zeros(0, np.intp))
