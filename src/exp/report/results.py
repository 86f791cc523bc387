"""Groups over seeds, ranked within each data set: what `exp results` shows."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from exp.report.comparisons import Ranked, Ranking, ranking, unranked
from exp.report.conditions import OF_A_RUN, Condition
from exp.report.groups import SPLITS, Groups, grouped, over_seeds
from exp.report.statistics.paired import TESTS
from exp.runs.collection import Row, Runs, gather, with_keys
from exp.runs.config_values import Scalar, is_number
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
class Table:
    """The groups of one data set; or of several that nothing but the data tells apart, unranked.

    Attributes:
        data: the values that name the data set, by their keys; empty where it does not vary.
        groups: its runs.
        ranking: of all its groups.
        shown: the groups in the order in which they are shown, without those beyond `--top`.
    """

    data: dict[str, Scalar]
    groups: Groups
    ranking: Ranking
    shown: tuple[Ranked, ...]

    @property
    def best(self) -> Ranked | None:
        """The first in the ranking; None where no run has a score, or there is no ranking."""
        first = self.ranking.every[0]
        return first if first.rank is not None else None

    @property
    def scored(self) -> bool:
        """Whether some run has a score."""
        return any(each.score is not None for each in self.ranking.every)

    def value(self, each: Ranked, key: str) -> Scalar:
        """What a group has for a key of the table, or of its data set."""
        if key in self.data:
            return self.data[key]
        return each.group.values[self.groups.by.index(key)]


@dataclass(frozen=True)
class Results:
    """
    Attributes:
        runs: those that satisfy `--where`.
        left_out: the number of those that do not.
        by: the keys that make a group, those of data sets first.
        metric: the score.
        higher: whether more of it is better.
        tables: one for each data set.
        test: one of `statistics.paired.TESTS`.
        margin: differences up to it do not matter.
    """

    runs: Runs
    left_out: int
    by: tuple[str, ...]
    metric: str
    higher: bool
    tables: tuple[Table, ...]
    test: str
    margin: float | None = None


def results(
    paths: Sequence[Path],
    *,
    by: Sequence[str] | None = None,
    metric: str | None = None,
    where: Sequence[str] = (),
    sort: str | None = None,
    top: str | int | None = None,
    test: str = "t",
    margin: str | float | None = None,
) -> Results:
    """The runs in some directories as groups, ranked and tested within each data set.

    Args:
        paths: sweep directories, run directories, or folders that contain some.
        by: keys that make a group; None: all that varies but the seeds.
        metric: with a split (`test/loss`), or without: of validation rows where there are any,
            else of test rows. None: accuracy, or RMSE where there is none.
        where: conditions, `key=value`.
        sort: a key of `by` or of `ORDERS`, with a minus in front for descending order.
        top: the number of groups to show.
        test: one of `statistics.paired.TESTS`.
        margin: in units of the metric; differences up to it do not matter.

    Raises:
        ExpError: with all faults of the options.
        RunDirectoryError: there are no runs.
    """
    runs = with_data_sets(gather(paths))
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
    faults += sort_faults(sort, keys) + top_faults(top) + margin_faults(margin)
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
    chosen = replace(runs, rows=rows, skipped=skipped)
    found = tables(chosen, keys, scored, test, None if margin is None else float(margin))
    limit = None if top is None else int(top)
    return Results(
        runs=chosen,
        left_out=len(runs.rows) - len(rows),
        by=tuple(dict.fromkeys([*found[0].data, *keys])),
        metric=scored,
        higher=found[0].groups.higher,
        tables=tuple(replace(t, shown=tuple(ordered(t, sort)[:limit])) for t in found),
        test=test,
        margin=None if margin is None else float(margin),
    )


def tables(
    runs: Runs, by: Sequence[str], metric: str, test: str = "t", margin: float | None = None
) -> list[Table]:
    """The groups of each data set, ranked; scores of different data sets are not ranked together.

    Args:
        by: keys that make a group.
        margin: differences up to it do not matter.
    """
    data = data_keys(runs, by)
    rows: dict[tuple[Scalar, ...], list[Row]] = {}
    for row in runs.rows:
        rows.setdefault(tuple(row.parameters.get(key) for key in data), []).append(row)
    inner = [key for key in by if key not in data]
    within = [key for key in over_seeds(runs.keys) if key not in (*data, *inner)]
    found = []
    for values, some in rows.items():
        groups = grouped(some, inner, metric, factors(some, inner, within))
        every = ranking(groups, test, margin)
        found.append(Table(dict(zip(data, values, strict=True)), groups, every, every.every))
    if len(found) > 1 and not inner:
        groups = grouped(runs.rows, data, metric, factors(runs.rows, data, within))
        every = unranked(groups)
        return [Table({}, groups, every, every.every)]
    return found


def factors(rows: Sequence[Row], by: Sequence[str], within: Sequence[str]) -> list[str]:
    """The keys of which some group has several values: within these, groups are compared. What has
    one value in each group, as a learning rate that comes with its optimizer, is of the group."""
    found = []
    for key in within:
        values: dict[tuple[Scalar, ...], set[Scalar]] = {}
        for row in rows:
            group = tuple(row.parameters.get(each) for each in by)
            values.setdefault(group, set()).add(row.parameters.get(key))
        if any(len(some) > 1 for some in values.values()):
            found.append(key)
    return found


def with_data_sets(runs: Runs) -> Runs:
    """The runs with their data set as a key, where a preset that varies may have chosen it."""
    if not any(key.lstrip("+") == "experiment" for key in runs.keys) or "dataset" in runs.keys:
        return runs
    found, _ = with_keys(runs, ["dataset"])
    several = len({row.parameters.get("dataset") for row in found.rows}) > 1
    return replace(found, keys=("dataset", *found.keys)) if several else runs


def data_keys(runs: Runs, by: Sequence[str]) -> list[str]:
    """The keys that vary and tell data sets apart."""
    varies = dict.fromkeys([*by, *over_seeds(runs.keys)])
    keys = [key for key in varies if key.split(".")[0] == "dataset"]
    return [key for key in keys if len({row.parameters.get(key) for row in runs.rows}) > 1]


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


def margin_faults(margin: str | float | None) -> list[str]:
    """What is wrong with `--margin`."""
    if margin is None:
        return []
    try:
        good = 0 < float(margin) < math.inf
    except ValueError:
        good = False
    return [] if good else [f"--margin: expected a number greater than 0, found {shown(margin)}"]


def ordered(table: Table, sort: str | None) -> list[Ranked]:
    """The groups of a table by a key; those without a value of it last."""
    every = list(table.ranking.every)
    if sort is None:
        return every
    name = sort.removeprefix("-")

    def value(each: Ranked) -> Any:
        return ORDERS[name](each) if name in ORDERS else table.value(each, name)

    known = [each for each in every if value(each) is not None]
    numeric = all(isinstance(value(each), (int, float)) for each in known)
    known.sort(key=lambda each: value(each) if numeric else str(value(each)), reverse=sort != name)
    return [*known, *(each for each in every if value(each) is None)]
