"""`exp list runs [FILTER...] [DIR]`: the runs that there are, the newest first."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from exp.report.conditions import OF_A_RUN, Condition, value_of
from exp.runs.collection import Row, Runs, gather, with_keys
from exp.runs.config_values import Scalar, is_number, written
from exp.runs.directory import OUTPUTS
from exp.runs.varying import varying
from exp.util.errors import ExpError, RunDirectoryError, lines, nearest, shown
from exp.util.folders import existing
from exp.util.text_tables import aligned, cell, number

WORD = "runs"
FOLDERS = (OUTPUTS, "multirun")
MOST = 50
"""Runs that are listed."""
COLUMNS = 6
"""Keys that differ that are shown; a terminal is not wider."""
SCORES = ("accuracy", "rmse", "loss")
SPLITS = ("test", "validation", "train")


def listed(words: Sequence[str]) -> list[str]:
    """A table of the runs that satisfy every filter.

    Args:
        words: filters such as `dataset=moons`, `test/accuracy>0.9`, and at most one directory.

    Raises:
        ExpError: a filter is none, or names a key or a value that no run has.
        RunDirectoryError: there are no runs.
    """
    places = [word for word in words if os.path.isdir(word) or not set("=<>!") & set(word)]
    if len(places) > 1:
        raise ExpError(f"exp list runs: expected one directory, found {', '.join(places)}")
    runs = gather([existing(places[0])] if places else folders())
    conditions = [condition(word) for word in words if word not in places]
    every = rows_with_keys(runs)
    if not every:
        raise RunDirectoryError(f"no runs found in {', '.join(map(str, runs.paths))}")
    conditions = checked(conditions, every)
    kept = [row for row in every if all(each.holds(row) for each in conditions)]
    if not kept:
        raise ExpError(none_of(every, conditions))
    kept.sort(key=lambda row: (row.started, row.number), reverse=True)
    return table(kept, len(every))


def folders() -> list[Path]:
    """The folders in which runs are by default.

    Raises:
        RunDirectoryError: there are none.
    """
    found = [Path(name).absolute() for name in FOLDERS if os.path.isdir(name)]
    with_runs = [path for path in found if any(path.iterdir())]
    if not with_runs:
        raise RunDirectoryError(
            "there are no runs in outputs/ or multirun/ here. Name a directory: exp list runs DIR"
        )
    return with_runs


def rows_with_keys(runs: Runs) -> list[Row]:
    """Every run with all values of its config."""
    _, keys = with_keys(runs, [])
    return list(with_keys(runs, keys)[0].rows)


def condition(word: str) -> Condition:
    """
    Raises:
        ExpError: it is no filter.
    """
    try:
        return Condition.of(word)
    except ValueError as error:
        raise ExpError(f"exp list runs: {error}, found {shown(word)}") from None


def checked(conditions: Iterable[Condition], rows: Sequence[Row]) -> list[Condition]:
    """The filters with scores by their full names: `accuracy` is `test/accuracy`.

    Raises:
        ExpError: no run has such a key.
    """
    keys = dict.fromkeys(
        key for row in rows for key, value in row.parameters.items() if value is not None
    )
    scores = dict.fromkeys(name for row in rows for name in row.metrics)
    known = [*OF_A_RUN, *keys, *scores]
    found, faults = [], []
    for each in conditions:
        full = next((n for s in SPLITS if (n := f"{s}/{each.key}") in scores), each.key)
        key = each.key if each.key in known else full
        if key not in known:
            faults.append(f"exp list runs: {unknown_key(key, known, rows)}")
        found.append(Condition(key, each.sign, each.wanted))
    if faults:
        raise ExpError(lines(faults[0], *faults[1:]))
    return found


def unknown_key(key: str, known: Iterable[str], rows: Sequence[Row]) -> str:
    """With the nearest key; of the others, which are a hundred, those that one may want."""
    typical = [*OF_A_RUN, *varying([row.parameters for row in rows])[:COLUMNS], *scores_of(rows)]
    names = ", ".join(dict.fromkeys(map(cell, typical)))
    hint = nearest(key, [each for each in known if not each.endswith(".name")])
    return f"unknown key {shown(key)}.{hint} Such as: {names}"


def none_of(rows: Sequence[Row], conditions: Sequence[Condition]) -> str:
    """Why no run is left: a value that none has, or that they have it in other runs."""
    for each in conditions:
        if each.sign != "=" or any(each.holds(row) for row in rows):
            continue
        values = [written(v) for row in rows if (v := value_of(row, each.key)) is not None]
        there = list(dict.fromkeys(map(cell, values)))
        some = ", ".join(there[:8]) + (", ..." if len(there) > 8 else "")
        hint = nearest(str(each.wanted), there)
        return f"exp list runs: no run has {each.key}={cell(each.wanted)}.{hint} They have {some}"
    texts = " and ".join(f"{each.key}{each.sign}{cell(each.wanted)}" for each in conditions)
    ranges = []
    for key in dict.fromkeys(each.key for each in conditions):
        given = [value_of(row, key) for row in rows]
        numbers = [float(value) for value in given if is_number(value)]
        if numbers:
            ranges.append(f"{key} is from {cell(min(numbers))} to {cell(max(numbers))}")
    why = f": {', '.join(ranges)}" if ranges else ""
    return f"exp list runs: none of {len(rows):,} runs satisfies {texts}{why}"


def table(rows: Sequence[Row], total: int) -> list[str]:
    """When each run started, what differs, how it ended, its scores, and where it is."""
    configs: list[dict[str, Scalar]] = [
        {key: value for key, value in row.parameters.items() if value is not None} for row in rows
    ]
    keys = varying(configs) if len(rows) > 1 else []
    shown_rows, more_keys = rows[:MOST], keys[COLUMNS:]
    statuses = {row.status for row in rows}
    scores = scores_of(rows)
    header = ["started (UTC)", *map(cell, keys[:COLUMNS])]
    header += [*(["status"] if statuses != {"done"} else []), *map(cell, scores), "directory"]
    body = []
    for row in shown_rows:
        line = [row.started[:16].replace("T", " ") or "-"]
        line += [cell(row.parameters.get(key)) for key in keys[:COLUMNS]]
        line += [row.status] if statuses != {"done"} else []
        line += [number(row.metrics.get(score)) for score in scores]
        body.append([*line, relative(row.path)])
    right = range(len(header) - 1 - len(scores), len(header) - 1)
    found = aligned([header, *body], right)
    if more_keys:
        found.append(f"they also differ in {', '.join(map(cell, more_keys))}")
    if len(rows) > MOST:
        found.append(f"{len(rows) - MOST:,} older runs are left out: a filter leaves fewer")
    of = f" of {total:,}" if total > len(rows) else ""
    return [*found, f"{len(rows):,}{of} run{'' if len(rows) == 1 and not of else 's'}"]


def scores_of(rows: Sequence[Row]) -> list[str]:
    """The first score of `SCORES` that some run has, and its loss, of the test rows if any."""
    there = {name for row in rows for name in row.metrics}
    found = [next((n for s in SPLITS if (n := f"{s}/{score}") in there), "") for score in SCORES]
    return [name for name in found if name]


def relative(path: Path) -> str:
    """A path from the working directory where it lies below that."""
    return cell(os.path.relpath(path) if path.is_relative_to(Path.cwd()) else path)
