"""`exp.fit`: one's own table, with one call."""

from __future__ import annotations

from collections.abc import Iterable
from os import PathLike, fspath
from pathlib import Path
from typing import Any

from exp.api.run import Run
from exp.fitting.from_table import Wanted, fit_file, fit_frame
from exp.runs.record import RunRecord
from exp.util import command_line
from exp.util.errors import ExpError


def fit(
    data: Any,
    target: str,
    *,
    budget: float = 120.0,
    metric: str | None = None,
    groups: str | None = None,
    weights: str | None = None,
    time: str | None = None,
    test: float = 0.2,
    exclude: Iterable[str] = (),
    keep: Iterable[str] = (),
    seed: int = 0,
    directory: str | PathLike[str] | None = None,
    overrides: Iterable[str] = (),
    progress: bool = True,
    verbose: bool = False,
) -> Run:
    """Fits a model to a table, as `exp fit` does.

    On a terminal and in a notebook a bar shows the best score so far.

    Args:
        data: the path of a csv or Parquet file; or a DataFrame of pandas or polars, or a mapping
            from names to columns. Such a table is saved as table.csv in the directory of the run.
        target: name of the column to predict: classes or a number.
        budget: seconds for training.
        metric: the score by which the model is chosen; None: log_loss, or rmse for a number.
        groups: name of a column; rows with the same value stay together.
        weights: name of a column with the weight of each row in training.
        time: name of a column; the newest rows are the test rows.
        test: share of the rows that are test rows.
        exclude: names of columns to leave out.
        keep: names of columns that are not left out whatever they look like.
        seed: of all random draws.
        directory: of the run, a new one; None: below outputs/.
        overrides: `key=value` for the config, such as `["dataset.decimal=comma"]`.
        progress: whether to show how far it is.
        verbose: print what the command prints.

    Returns:
        The run, as `exp.load` returns it.

    Raises:
        ExpError: see `exp.util.errors`. Nothing was written then.
    """
    named = {"exclude": exclude, "keep": keep, "overrides": overrides}
    for name, value in named.items():
        if isinstance(value, str):
            raise ExpError(f"{name}: expected a list of texts, found {value!r}")
    wanted = Wanted(
        target=target, budget=float(budget), metric=metric, groups=groups, weights=weights,
        time=time, test=test, seed=seed, exclude=tuple(exclude), keep=tuple(keep),
        overrides=tuple(overrides),
        directory=None if directory is None else Path(fspath(directory)).absolute(),
    )  # fmt: skip
    before = command_line.python, command_line.progress
    command_line.python, command_line.progress = True, progress
    try:
        work = fit_file if isinstance(data, str | PathLike) else fit_frame
        source = fspath(data) if isinstance(data, PathLike) else data
        made = work(source, wanted, print if verbose else None)
    finally:
        command_line.python, command_line.progress = before
    return Run(RunRecord.at(made.absolute()), trust=True)
