"""Groups over seeds, ranked, each tested against the best: what `exp results` says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from exp.report.conditions import OF_A_RUN, Condition, is_number
from exp.report.groups import SPLITS, Groups, Standing, grouped, over_seeds, ranked
from exp.report.statistics import TESTS
from exp.runs.collection import Row, Runs, gather, with_keys
from exp.util.errors import ExpError, RunDirectoryError, lines, shown, unknown
from exp.util.metric_names import headline
from exp.util.text_tables import cell

ORDERS: dict[str, Callable[[Standing], Any]] = {
    "rank": lambda each: each.rank,
    "mean": lambda each: each.spread and each.spread.mean,
    "sd": lambda each: each.spread and each.spread.sd,
    "seeds": lambda each: each.spread and each.spread.n,
    "runs": lambda each: each.group.runs,
    "p": lambda each: each.p,
}
"""What groups can be sorted by, besides their keys."""


@dataclass(frozen=True)
class Results:
    """What `exp results` has to say.

    Attributes:
        runs: those that were looked at.
        left_out: how many `--where` left out.
        groups: of those runs.
        standings: the groups in the order in which they are shown, those beyond `--top` left out.
        best: the first in the ranking.
        tested: how many groups were tested against it.
        test: of `statistics.TESTS`.
    """

    runs: Runs
    left_out: int
    groups: Groups
    standings: tuple[Standing, ...]
    best: Standing | None
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
    """Groups of the runs of some places, ranked and tested.

    Args:
        paths: sweep directories, run directories, or folders that hold some.
        by: keys that make a group; None: all that varies but the seeds.
        metric: with a split (`test/loss`) or without, and then of validation rows where there are
            any, else of test rows; None: accuracy, or RMSE where there is none.
        where: conditions, `key=value`.
        sort: a key of `by` or of `ORDERS`, with a minus in front for the other direction.
        top: how many groups to show.
        test: of `statistics.TESTS`.

    Raises:
        ExpError: with everything that cannot be.
        RunDirectoryError: there are no runs.
    """
    runs = gather(paths)
    faults: list[str] = []
    conditions = []
    for text in where:
        try:
            conditions.append(Condition.of(text))
        except ValueError as error:
            faults.append(f"--where: {error}, found {shown(text)}")
    metrics = metrics_of(runs.rows)
    # `loss` is a component as well: loss=bce asks for that, loss<0.1 for the metric.
    conditions = [
        replace(each, key=metric_named(each.key, metrics))
        if is_number(each.wanted) and each.key not in runs.keys
        else each
        for each in conditions
    ]
    runs, said = completed(runs, by or (), conditions, metrics)
    faults += said
    wanted = metric or headline(metrics)
    scored = metric_named(wanted, metrics)
    if metrics and scored not in metrics:
        faults.append("--metric: " + unknown("metric", wanted, [cell(m) for m in sorted(metrics)]))
    keys = tuple(by) if by is not None else over_seeds(runs.keys)
    if test not in TESTS:
        faults.append("--test: " + unknown("test", test, list(TESTS)))
    if sort is not None and sort.removeprefix("-") not in (*ORDERS, *keys):
        word = sort.removeprefix("-")
        told = unknown("key", word, (*map(cell, keys), *ORDERS))
        ends = [cell(key) for key in keys if key.rpartition(".")[2] == word]
        if ends:  # `lr` is nearer to optimizer.lr than any measure of letters says
            told = f"unknown key {shown(word)}. Did you mean {' or '.join(map(repr, ends))}?"
        faults.append(f"--sort: {told}")
    count = counted(top, faults)
    if faults:
        raise ExpError(lines(faults[0], *(f"     {fault}" for fault in faults[1:])))
    rows = tuple(row for row in runs.rows if all(each.holds(row) for each in conditions))
    if not rows and not where:
        raise RunDirectoryError("there is no run in what was named")
    if not rows:
        raise ExpError(f"no run meets {' and '.join(where)}; there are {len(runs.rows)} runs")
    groups = grouped(rows, keys, scored)
    standings = ranked(groups, test)
    best = standings[0] if standings[0].rank is not None else None
    tested = sum(each.p is not None for each in standings)
    shown_ones = tuple(ordered(standings, sort, keys)[:count])
    left_out = len(runs.rows) - len(rows)
    skipped = tuple(row for row in runs.skipped if all(each.holds(row) for each in conditions))
    runs = replace(runs, rows=rows, skipped=skipped)
    return Results(runs, left_out, groups, shown_ones, best, tested, test)


def completed(
    runs: Runs, by: Sequence[str], conditions: Sequence[Condition], metrics: set[str]
) -> tuple[Runs, list[str]]:
    """The runs with every value that was asked for, and what is unknown."""
    known = {*runs.keys, *metrics, *OF_A_RUN}
    grouping = [key for key in by if key not in runs.keys]
    selecting = [each.key for each in conditions if each.key not in known]
    if not grouping and not selecting:
        return runs, []
    runs, there = with_keys(runs, [*grouping, *selecting])
    # A component's name is told by its group.
    told = [k for k in dict.fromkeys([*runs.keys, *there]) if not k.endswith(".name")]
    told = [cell(key) for key in told]
    faults = ["--by: " + unknown("key", key, told) for key in grouping if key not in there]
    names = list(dict.fromkeys([*told, *OF_A_RUN, *map(cell, sorted(metrics))]))
    faults += ["--where: " + unknown("key", k, names) for k in selecting if k not in there]
    return runs, faults


def metrics_of(rows: Sequence[Row]) -> set[str]:
    """Every score that some run has; none where no run came that far."""
    found = {name for row in rows for name in row.metrics}
    return found | {"seconds"} if found else found


def metric_named(name: str, metrics: Iterable[str]) -> str:
    """A metric by its whole name, where a split was left out: `f1`, `best/accuracy`."""
    known = set(metrics)
    first, _, score = name.rpartition("/")
    if name in known or first not in ("", "best"):
        return name
    front = f"{first}/" if first else ""
    return next((whole for s in SPLITS if (whole := f"{front}{s}/{score}") in known), name)


def counted(top: str | int | None, faults: list[str]) -> int | None:
    if top is None:
        return None
    text = str(top)
    if text.isascii() and text.isdigit() and 0 < len(text) < 10 and int(text) > 0:
        return int(text)
    faults.append(f"--top: expected a number greater than 0, found {shown(top)}")
    return None


def ordered(standings: list[Standing], sort: str | None, keys: tuple[str, ...]) -> list[Standing]:
    """The groups by a key; those that have no value of it last."""
    if sort is None:
        return standings
    name = sort.removeprefix("-")

    def value(each: Standing) -> Any:
        return each.group.values[keys.index(name)] if name in keys else ORDERS[name](each)

    have = [each for each in standings if value(each) is not None]
    numeric = all(isinstance(value(each), (int, float)) for each in have)
    have.sort(key=lambda each: value(each) if numeric else str(value(each)), reverse=sort != name)
    return [*have, *(each for each in standings if value(each) is None)]
