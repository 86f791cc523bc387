"""Groups over seeds, ranked, each tested against the best: what `exp results` shows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from exp.report.conditions import OF_A_RUN, Condition
from exp.report.groups import SPLITS, Groups, Ranked, grouped, over_seeds, ranked
from exp.report.statistics.paired import TESTS
from exp.runs.collection import Row, Runs, gather, with_keys
from exp.runs.config_values import is_number
from exp.util.errors import ExpError, RunDirectoryError, lines, shown, unknown
from exp.util.metric_names import headline
from exp.util.text_tables import cell

ORDERS: dict[str, Callable[[Ranked], Any]] = {
    "rank": lambda each: each.rank,
    "mean": lambda each: each.score and each.score.mean,
    "sd": lambda each: each.score and each.score.sd,
    "seeds": lambda each: each.score and each.score.n,
    "runs": lambda each: each.group.runs,
    "p": lambda each: each.p,
}
"""What groups can be sorted by, besides their keys."""


@dataclass(frozen=True)
class Results:
    """
    Attributes:
        runs: those that satisfy `--where`.
        left_out: the number of those that do not.
        groups: of `runs`.
        shown: the groups in the order in which they are shown, without those beyond `--top`.
        best: the first in the ranking; None where no run has a score.
        tested: the number of groups that were tested against it.
        test: one of `statistics.TESTS`.
    """

    runs: Runs
    left_out: int
    groups: Groups
    shown: tuple[Ranked, ...]
    best: Ranked | None
    tested: int
    test: str

    @property
    def metric(self) -> str:
        return self.groups.metric


def results(
    paths: Sequence[Path],
    *,
    by: Sequence[str] | None = None,
    metric: str | None = None,
    where: Sequence[str] = (),
    sort: str | None = None,
    top: str | int | None = None,
    test: str = "t",
) -> Results:
    """The runs in some directories as groups, ranked and tested.

    Args:
        paths: sweep directories, run directories, or folders that contain some.
        by: keys that make a group; None: all that varies but the seeds.
        metric: with a split (`test/loss`), or without: of validation rows where there are any,
            else of test rows. None: accuracy, or RMSE where there is none.
        where: conditions, `key=value`.
        sort: a key of `by` or of `ORDERS`, with a minus in front for descending order.
        top: the number of groups to show.
        test: one of `statistics.TESTS`.

    Raises:
        ExpError: with all faults of the options.
        RunDirectoryError: there are no runs.
    """
    runs = gather(paths)
    metrics = metrics_of(runs.rows)
    conditions, faults = parsed(where)
    # `loss` is also a group of components: loss=bce means that, loss<0.1 the metric.
    conditions = [
        replace(each, key=metric_named(each.key, metrics))
        if is_number(each.wanted) and each.key not in runs.keys
        else each
        for each in conditions
    ]
    runs, unknown_keys = completed(runs, by or (), conditions, metrics)
    faults += unknown_keys
    wanted = metric or headline(metrics)
    scored = metric_named(wanted, metrics)
    if metrics and scored not in metrics:
        faults.append("--metric: " + unknown("metric", wanted, [cell(m) for m in sorted(metrics)]))
    keys = tuple(by) if by is not None else over_seeds(runs.keys)
    if test not in TESTS:
        faults.append("--test: " + unknown("test", test, list(TESTS)))
    faults += sort_faults(sort, keys) + top_faults(top)
    if faults:
        raise ExpError(lines(faults[0], *(f"     {fault}" for fault in faults[1:])))
    rows, skipped = (
        tuple(row for row in some if all(each.holds(row) for each in conditions))
        for some in (runs.rows, runs.skipped)
    )
    if not rows and not where:
        raise RunDirectoryError(f"no runs found in {', '.join(map(str, paths))}")
    if not rows:
        raise ExpError(f"none of {len(runs.rows)} runs satisfies {' and '.join(where)}")
    groups = grouped(rows, keys, scored)
    every = ranked(groups, test)
    return Results(
        runs=replace(runs, rows=rows, skipped=skipped),
        left_out=len(runs.rows) - len(rows),
        groups=groups,
        shown=tuple(ordered(every, sort, keys)[: None if top is None else int(top)]),
        best=every[0] if every[0].rank is not None else None,
        tested=sum(each.p is not None for each in every),
        test=test,
    )


def parsed(where: Sequence[str]) -> tuple[list[Condition], list[str]]:
    """Conditions from texts, and the faults of those that are none."""
    conditions, faults = [], []
    for text in where:
        try:
            conditions.append(Condition.of(text))
        except ValueError as error:
            faults.append(f"--where: {error}, found {shown(text)}")
    return conditions, faults


def completed(
    runs: Runs, by: Sequence[str], conditions: Sequence[Condition], metrics: set[str]
) -> tuple[Runs, list[str]]:
    """The runs with all values that are needed, some from their configs; and unknown keys."""
    known = {*runs.keys, *metrics, *OF_A_RUN}
    grouping = [key for key in by if key not in runs.keys]
    selecting = [each.key for each in conditions if each.key not in known]
    if not grouping and not selecting:
        return runs, []
    runs, found = with_keys(runs, [*grouping, *selecting])
    # `optimizer` has the same value as `optimizer.name`.
    keys = [cell(k) for k in dict.fromkeys([*runs.keys, *found]) if not k.endswith(".name")]
    faults = ["--by: " + unknown("key", key, keys) for key in grouping if key not in found]
    names = list(dict.fromkeys([*keys, *OF_A_RUN, *map(cell, sorted(metrics))]))
    faults += ["--where: " + unknown("key", k, names) for k in selecting if k not in found]
    return runs, faults


def metrics_of(rows: Sequence[Row]) -> set[str]:
    """Every score that some run has."""
    found = {name for row in rows for name in row.metrics}
    return found | {"seconds"} if found else found


def metric_named(name: str, metrics: Iterable[str]) -> str:
    """A metric by its full name, where the split was left out: `f1`, `best/accuracy`."""
    known = set(metrics)
    first, _, score = name.rpartition("/")
    if name in known or first not in ("", "best"):
        return name
    front = f"{first}/" if first else ""
    return next((whole for s in SPLITS if (whole := f"{front}{s}/{score}") in known), name)


def sort_faults(sort: str | None, keys: Sequence[str]) -> list[str]:
    """What is wrong with `--sort`."""
    key = (sort or "").removeprefix("-")
    if sort is None or key in (*ORDERS, *keys):
        return []
    # `lr` is closer to optimizer.lr than an edit distance says.
    ends = [cell(each) for each in keys if each.rpartition(".")[2] == key]
    if ends:
        hint = " or ".join(map(repr, ends))
        return [f"--sort: unknown key {shown(key)}. Did you mean {hint}?"]
    return [f"--sort: {unknown('key', key, (*map(cell, keys), *ORDERS))}"]


def top_faults(top: str | int | None) -> list[str]:
    """What is wrong with `--top`."""
    text = str(top)
    good = text.isascii() and text.isdigit() and len(text) < 10 and int(text) > 0
    if top is None or good:
        return []
    return [f"--top: expected a number greater than 0, found {shown(top)}"]


def ordered(groups: list[Ranked], sort: str | None, keys: tuple[str, ...]) -> list[Ranked]:
    """The groups by a key; those without a value of it last."""
    if sort is None:
        return groups
    name = sort.removeprefix("-")

    def value(each: Ranked) -> Any:
        return each.group.values[keys.index(name)] if name in keys else ORDERS[name](each)

    known = [each for each in groups if value(each) is not None]
    numeric = all(isinstance(value(each), (int, float)) for each in known)
    known.sort(key=lambda each: value(each) if numeric else str(value(each)), reverse=sort != name)
    return [*known, *(each for each in groups if value(each) is None)]
