"""The learning curves of a sweep: of which groups, and what is said of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from exp.plotting import bands
from exp.plotting.board import Board, Look
from exp.plotting.metric import Metric
from exp.report.captions import counted, troubles
from exp.report.histories import History, history, summed, together
from exp.report.maps import Maps
from exp.report.results import metrics_of
from exp.report.scored import SHARES, Group, Scored
from exp.util.metric_names import headline

LINES = 6
"""Groups: of more, colours could not be told apart."""
LOG_FROM = 20.0
"""A loss that changes by this factor is shown on a logarithmic scale."""
SEEDS = 100
"""Runs of a group that its curve is made of."""


def curves(scored: Scored, maps: Maps, look: Look) -> Board | None:
    """Loss and metric over the epochs, of the best groups."""
    split, _, last = scored.metric.name.rpartition("/")
    split = split if split in ("train", "validation", "test") else "test"
    usual = headline(metrics_of(scored.rows))
    wanted = [Metric(f"{split}/loss", False), Metric(f"{split}/{usual}", usual in SHARES)]
    if last not in ("loss", usual):
        wanted.append(scored.metric)
    found = {}
    for group in scored.ranked[:LINES]:
        names = [metric.name for metric in wanted]
        rows = [scored.rows[place] for place in group.members[:SEEDS]]
        read = [history(row.path, names, lasting=row.status == "done") for row in rows]
        if there := [each for each in read if each is not None]:
            found[group] = there
    log = {metric.name for metric in wanted if spread_out(metric, found.values())}
    groups, known = [], set[str]()
    for group, histories in found.items():
        drawn = {
            m.name: curve(histories, m.name, single=len(scored.groups) == 1, log=m.name in log)
            for m in wanted
        }
        known |= {name for name, each in drawn.items() if len(each.epochs)}
        about = about_group(scored, group)
        groups.append(bands.Group(name=group.name or "all runs", about=about, curves=drawn))
    metrics = [metric for metric in wanted if metric.name in known]
    if not metrics:
        return None
    total = len(scored.groups)
    if total == 1:
        heading = f"Learning curves of {counted(len(scored.rows), 'run')}"
    elif len(groups) < total:
        heading = f"Learning curves: the best {len(groups)} of {total:,} groups"
    else:
        heading = f"Learning curves of {total} groups"
    many = any(len(group.members) > 2 for group in scored.ranked[:LINES])
    remark = "line: mean over the seeds; band: 95 % interval of that mean" if many else "each run"
    if many and total == 1:
        remark += "; thin: single runs"
    elif not many and any(len(group.members) > 1 for group in scored.ranked[:LINES]):
        remark = "line: mean over the seeds; too few of them for an interval"
    return bands.sheet(
        groups, metrics, look, heading=heading, remark=remark, log=log,
        note=f"in the key: mean {scored.metric.title} in the end"
        + ("; a run that stopped early keeps its last value" if stopped_early(scored) else ""),
    )  # fmt: skip


def spread_out(metric: Metric, found: Iterable[Sequence[History]]) -> bool:
    """Whether a metric changes by powers, so that a logarithmic scale shows it better."""
    columns = [each.columns.get(metric.name) for histories in found for each in histories]
    values = np.concatenate([np.zeros(0), *(each for each in columns if each is not None)])
    values = values[np.isfinite(values)]
    if metric.share or not len(values) or values.min() <= 0:
        return False
    return bool(values.max() > LOG_FROM * values.min())


def curve(histories: Sequence[History], name: str, *, single: bool, log: bool) -> bands.Curve:
    """The mean of some runs and its interval.

    Args:
        single: each run is drawn as well.
        log: of logarithms, so that no interval reaches below 0: the mean is the geometric one.
    """
    epochs, values = together(histories, name)
    if log:
        with np.errstate(divide="ignore", invalid="ignore"):
            values = np.log10(values)
    mean, low, high = summed(values) if len(values) else (np.zeros(0),) * 3
    alone = values if single and len(values) > 1 else np.zeros((0, len(epochs)))
    return bands.Curve(epochs=epochs, mean=mean, low=low, high=high, runs=alone)


def about_group(scored: Scored, group: Group) -> str:
    rows = [scored.rows[place] for place in group.members]
    many = len(rows) > SEEDS
    parts = [f"{SEEDS} of {len(rows):,} runs" if many else counted(len(rows), "run")]
    if np.isfinite(group.mean):
        parts.insert(0, scored.metric.text(group.mean))
    if bad := troubles(rows):
        parts.append(bad)
    return ", ".join(parts)


def stopped_early(scored: Scored) -> bool:
    return len({row.metrics.get("epochs") for row in scored.rows if row.status == "done"}) > 1
