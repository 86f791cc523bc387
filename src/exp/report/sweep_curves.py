"""The learning curves of a sweep: which groups they show, and their text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from matplotlib.figure import Figure

from exp.plotting import group_curves, layout
from exp.plotting.metric import Metric
from exp.plotting.style import Theme
from exp.report.captions import problems
from exp.report.histories import History, history, mean_and_interval, on_common_epochs
from exp.report.maps import Maps
from exp.report.results import metrics_of
from exp.report.scored import Group, Scored
from exp.util.metric_names import SHARES, bounds, headline
from exp.util.text_tables import count

LINES = 6
"""Groups: of more, colours could not be distinguished."""
LOG_FROM = 20.0
"""A loss that changes by this factor has a logarithmic scale."""
SEEDS = 100
"""Runs of a group that its curve is made of."""


def curves(scored: Scored, maps: Maps, theme: Theme) -> Figure | None:
    """Loss and metric over the epochs, of the best groups."""
    split, _, last = scored.metric.name.rpartition("/")
    split = split if split in ("train", "validation", "test") else "test"
    usual = headline(metrics_of(scored.rows))
    wanted = [Metric(f"{split}/loss", False), Metric(f"{split}/{usual}", usual in SHARES)]
    if last not in ("loss", usual):
        wanted.append(scored.metric)
    names = [metric.name for metric in wanted]
    found: dict[Group, list[History]] = {}
    for group in scored.ranked[:LINES]:
        rows = [scored.rows[place] for place in group.members[:SEEDS]]
        read = [history(row.path, names, finished=row.status == "done") for row in rows]
        if known := [each for each in read if each is not None]:
            found[group] = known
    log = {metric.name for metric in wanted if spread_out(metric, found.values())}
    single = len(scored.groups) == 1
    groups = [
        group_curves.Group(
            name=group.name or "all runs",
            about=about_group(scored, group),
            curves={name: curve(read, name, single=single, log=name in log) for name in names},
        )
        for group, read in found.items()
    ]
    metrics = [m for m in wanted if any(len(group.curves[m.name].epochs) for group in groups)]
    if not metrics:
        return None
    figure = group_curves.draw(groups, metrics, theme, log)
    layout.heading(figure, heading(scored, len(groups)), remark=remark(scored))
    stopped = len({row.metrics.get("epochs") for row in scored.rows if row.status == "done"}) > 1
    note = f"in the legend: final mean {scored.metric.title}"
    layout.note(figure, note + "; a run that stopped early keeps its last value" * stopped)
    return figure


def heading(scored: Scored, shown: int) -> str:
    total = len(scored.groups)
    if total == 1:
        return f"Learning curves of {count(len(scored.rows), 'run')}"
    if shown < total:
        return f"Learning curves: the best {shown} of {total:,} groups"
    return f"Learning curves of {total} groups"


def remark(scored: Scored) -> str:
    most = max(len(group.members) for group in scored.ranked[:LINES])
    if most == 1:
        return "each run"
    if most == 2:
        return "line: mean over the seeds; too few of them for an interval"
    single = "; thin: single runs" if len(scored.groups) == 1 else ""
    return f"line: mean over the seeds; band: 95 % interval of that mean{single}"


def spread_out(metric: Metric, found: Iterable[Sequence[History]]) -> bool:
    """Whether a metric changes by powers, so that a logarithmic scale shows it better."""
    columns = [each.columns.get(metric.name) for histories in found for each in histories]
    values = np.concatenate([np.zeros(0), *(each for each in columns if each is not None)])
    values = values[np.isfinite(values)]
    if metric.share or not len(values) or values.min() <= 0:
        return False
    return bool(values.max() > LOG_FROM * values.min())


def curve(
    histories: Sequence[History], name: str, *, single: bool, log: bool
) -> group_curves.Curve:
    """The mean of some runs and its interval.

    Args:
        single: each run is drawn as well.
        log: of logarithms, so that no interval reaches below 0: the mean is the geometric one.
    """
    epochs, values = on_common_epochs(histories, name)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        mean, low, high = mean_and_interval(np.log10(values) if log else values)
        if log:
            mean, low, high = 10.0**mean, 10.0**low, 10.0**high
        low, high = np.clip((low, high), *bounds(name))
    runs = values if single and len(values) > 1 else np.zeros((0, len(epochs)))
    return group_curves.Curve(epochs=epochs, mean=mean, low=low, high=high, runs=runs)


def about_group(scored: Scored, group: Group) -> str:
    rows = [scored.rows[place] for place in group.members]
    total = count(len(rows), "run")
    parts = [f"{SEEDS} of {total}" if len(rows) > SEEDS else total]
    if np.isfinite(group.mean):
        parts.insert(0, scored.metric.text(group.mean))
    if bad := problems(rows):
        parts.append(bad)
    return ", ".join(parts)
