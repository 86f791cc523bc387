"""Tables as NumPy arrays and as pandas DataFrames; `exp.results`."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exp.api.wide_table import WideTable
from exp.report.across_results import report
from exp.report.results import results as found_in
from exp.util.errors import DamagedError, RunDirectoryError
from exp.util.folders import existing
from exp.util.untrusted import JSON_SIZE, read

Place = str | PathLike[str]
Arrays = dict[str, NDArray[Any]]
FIRST = ("mean", "low", "high", "seeds", "verdict", "sd")
"""What a table of results shows of each group."""


def arrays(paths: Sequence[Path]) -> Arrays:
    """The columns of runs.csv, by name: int64, float64 or text.

    Args:
        paths: the file; of a sweep in shards, those of its shards, whose rows are put in order.

    Raises:
        RunDirectoryError: one is not there.
        DamagedError: a file is not such a table.
    """
    columns: dict[str, list[str]] = {}
    rows = 0
    for path in paths:
        found, count = texts(path)
        for name in {**columns, **found}:
            before = columns.setdefault(name, [""] * rows)
            before += found.get(name, [""] * count)
        rows += count
    if len(paths) > 1 and "run" in columns:
        order = sorted(range(rows), key=lambda at: (len(columns["run"][at]), columns["run"][at]))
        columns = {name: [values[at] for at in order] for name, values in columns.items()}
    return {name: column(values) for name, values in columns.items()}


def texts(path: Path) -> tuple[dict[str, list[str]], int]:
    """The columns of one runs.csv as texts, and how many rows there are.

    Raises:
        RunDirectoryError: it is not there.
        DamagedError: the file is not such a table.
    """
    try:
        text = read(path, JSON_SIZE).decode()
        header, *rows = csv.reader(io.StringIO(text, newline=""), strict=True)
        columns: Sequence[Any] = list(zip(*rows, strict=True)) or [()] * len(header)
        return {n: list(c) for n, c in zip(header, columns, strict=True)}, len(rows)
    except OSError as error:
        raise RunDirectoryError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, csv.Error) as error:
        raise DamagedError(f"{path} is not a table of runs: {error}") from error


def column(values: list[str]) -> NDArray[Any]:
    """The values of one column, as numbers if they are."""
    if all(re.fullmatch(r"-?[0-9]{1,18}", value) for value in values):
        return np.array(values, np.int64)
    try:
        return np.array([value or "nan" for value in values], np.float64)
    except ValueError:
        return np.array(values, np.str_)


def frame(columns: Mapping[str, Any], first: Sequence[str] = ()) -> WideTable:
    """A pandas DataFrame of columns.

    Args:
        first: those that are shown where there is no room for all.
    """
    return WideTable.of(dict(columns), first)


def results(
    directories: Place | Iterable[Place],
    *,
    by: Sequence[str] | None = None,
    metric: str | None = None,
    where: Sequence[str] = (),
    sort: str | None = None,
    top: int | None = None,
    test: str | None = None,
    margin: float | None = None,
    across: str | Sequence[str] = (),
    target: str | None = None,
    arrays: bool = False,
) -> Any:
    """The table of `exp results`, a row for each group, best first, with the numbers of `--json`.

    Args:
        directories: one or several directories of sweeps or runs, or folders that contain some.
        by: keys that define a group; None: all keys that vary, except the seeds.
        metric: such as "accuracy" or "test/loss".
        where: conditions such as "optimizer=adam"; only runs that satisfy all of them.
        sort: a key; a minus in front reverses the order.
        top: number of groups.
        test: t (paired, the default) or wilcoxon; with `across`, wilcoxon (the default) or nemenyi.
        margin: differences of the score up to it do not matter.
        across: keys over whose values methods are compared, such as "dataset"; then a row is a
            method.
        target: such as "test/accuracy>=0.95": adds the time until it is reached.
        arrays: a dict of column -> list of values instead of a pandas DataFrame.

    Raises:
        ExpError: invalid options; the message lists every error.
        RunDirectoryError: the directories contain no runs.
    """
    one = isinstance(directories, (str, PathLike))
    paths = [directories] if one else list(directories)  # type: ignore[arg-type]
    keys = [across] if isinstance(across, str) else list(across)
    found = found_in(
        [existing(fspath(path)) for path in paths],  # type: ignore[arg-type]
        by=by, metric=metric, where=where, sort=sort, top=top, margin=margin,
        test="t" if keys or test is None else test,
    )  # fmt: skip
    whole = report(
        found, keys=keys, by=by, test=test, target=target, ordered=bool(sort or top)
    ).columns()
    if arrays:
        return whole
    varied = list(whole)[: list(whole).index("metric")] if "metric" in whole else []
    return frame(whole, ("rank", *varied, *FIRST))
