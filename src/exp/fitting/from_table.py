"""From a table and a target to a finished fit: the report, the training, and what is printed at the
end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from exp.data.column_report import column_report
from exp.data.table_settings import columns_of, kind_of
from exp.fitting.closing import closing
from exp.fitting.fit_table import fit, new_place
from exp.fitting.frames import csv_of
from exp.fitting.permutation import importance_text, importances
from exp.fitting.progress_bar import FitProgress
from exp.fitting.run_files import add_files, drawings
from exp.fitting.scored_rows import Answers, computable
from exp.fitting.settings import FitSettings
from exp.fitting.table_options import table_options
from exp.runs.directory import RunDirectory
from exp.runs.predictions import Predictions
from exp.runs.record import RunRecord
from exp.runs.trained.load_model import model
from exp.runs.trained.model_file import NAME
from exp.runs.trained.predictor import Trained
from exp.util.errors import DataError, Lines, RunDirectoryError, lines, shown
from exp.util.metric_names import higher_is_better
from exp.util.text_tables import number

COLUMNS = "columns.csv"
"""The report of the columns in the directory of a run."""
SETTING = "in exp fit such a setting is --config KEY=VALUE, as --config dataset.decimal=comma"
"""For errors that name settings of a data set."""
Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is wanted of a table, as the options of `exp fit`.

    Attributes:
        target: name of the column to predict.
        keep: names of columns that are not left out whatever they look like.
        overrides: `key=value` for the config.
    """

    target: str
    budget: float = 120.0
    metric: str | None = None
    groups: str | None = None
    weights: str | None = None
    time: str | None = None
    test: float = 0.2
    exclude: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    seed: int = 0
    directory: Path | None = None
    overrides: tuple[str, ...] = ()

    @property
    def aside(self) -> dict[str, str]:
        """Column that the split needs, which is no feature -> what it is for."""
        named = {"groups": self.groups, "time": self.time}
        return {name: role for role, name in named.items() if name is not None}


def fit_file(
    path: str, wanted: Wanted, say: Say | None = None, known: Mapping[str, Any] | None = None
) -> Path:
    """Fits a csv or Parquet file.

    Args:
        say: is given what a person wants to read; None: nothing is printed.
        known: settings of the data set, unless the overrides have others.

    Returns:
        The directory of the run.

    Raises:
        ExpError: nothing was written.
    """
    kind = kind_of(path)
    given, rest, parts = table_options(wanted.overrides, kind, path, wanted.target)
    given = {**(known or {}), **given}
    if wanted.exclude:
        given["exclude"] = list(dict.fromkeys([*(given.get("exclude") or ()), *wanted.exclude]))
    if wanted.weights is not None:
        given["weights"] = wanted.weights
    if wanted.directory is not None:
        refuse_used(RunDirectory(wanted.directory))
    aside = wanted.aside if parts is None else {**wanted.aside, parts: "part"}
    try:
        report = column_report(path, kind, wanted.target, given, aside, wanted.keep)
    except DataError as error:
        hint = [SETTING] if "dataset." in str(error) or "`" in str(error) else []
        raise DataError(lines(Lines(str(error)), *hint)) from None
    settings = FitSettings(
        path=path,
        target=wanted.target,
        dataset=dict(report.settings),
        budget=wanted.budget,
        metric=wanted.metric,
        groups=wanted.groups,
        time=wanted.time,
        test=wanted.test,
        seed=wanted.seed,
        overrides=tuple(rest),
        directory=wanted.directory,
    )
    settings.plan()  # what is wrong with the config is reported before all else
    if say:
        say(report.text())
    numeric = report.table.labels is not None and report.table.labels.dtype == np.float64
    score = computable(wanted.metric, numeric=numeric)
    with FitProgress(wanted.budget, lines=say is not None) as progress:

        def on_progress(done: int, total: int, best: float | None, seconds: float) -> None:
            text = f"{done} of {total} networks"
            progress.show(text if best is None else f"{text}, best {score} {number(best)}")

        directory = fit(settings, on_progress)
        progress.show("the importance of the columns")
        end = finish(RunRecord.at(directory.absolute()), settings, report.csv())
    if say:
        say("\n".join(["", *end]))
    return directory


def fit_frame(data: Any, wanted: Wanted, say: Say | None = None) -> Path:
    """Fits a table of pandas or polars, which is saved as table.csv in the directory of the run.

    Raises:
        ExpError: nothing was written.
    """
    named = [*wanted.aside, *wanted.exclude, *wanted.keep]
    named += [] if wanted.weights is None else [wanted.weights]
    if wanted.directory is not None:
        refuse_used(RunDirectory(wanted.directory))
    text, known = csv_of(data, wanted.target, named)
    directory = (wanted.directory or new_place()).absolute()
    run = RunDirectory(directory)
    run.claim()
    try:
        run.write(run.table, text)
    finally:
        run.release()
    try:
        return fit_file(str(run.table), replace(wanted, directory=directory), say, known)
    except BaseException:
        if not run.record.exists():  # nothing was started
            run.table.unlink(missing_ok=True)
            run.path.rmdir()
        raise


def refuse_used(run: RunDirectory) -> None:
    """
    Raises:
        RunDirectoryError: the directory exists and contains something.
    """
    if run.path.exists() and not run.path.is_dir():
        raise RunDirectoryError(f"{run.path} is a file, expected a new directory")
    if run.path.is_dir() and any(run.path.iterdir()) and not run.not_begun():
        raise RunDirectoryError(f"the directory {run.path} is not empty: choose a new one")


def finish(run: RunRecord, settings: FitSettings, columns: str) -> list[str]:
    """Adds the model file, the columns, their importance and drawings to the directory of a run.

    Args:
        run: a finished fit.
        settings: of it.
        columns: the content of columns.csv.

    Returns:
        What is printed at the end.
    """
    job, predictor = model(run, trust=True)
    data, split = job.data.data, job.data.split
    metric = computable(settings.metric, numeric=data.numeric)
    parts = predicted_parts(run.predictions(), job.data.positive)
    last = "test" if "test" in parts else "train"
    trained = Trained(job, predictor)
    found = importances(trained, split.parts[last], metric, seed=settings.seed)
    files: dict[str, bytes | str] = {
        NAME: trained.file(),
        COLUMNS: columns,
        "importance.csv": importance_text(found, metric, last),
    }
    if (look := job.plan.figures) is not None:
        falls = "fall" if higher_is_better(metric) else "rise"
        label = f"{falls} of {metric} on the {last} rows"
        subject = Path(settings.path).name, settings.target
        files |= drawings(subject, data, found, label, look)
    add_files(run.directory, files)
    groups = None if settings.groups is None else np.asarray(data.columns[settings.groups])
    groups = groups[split.test] if groups is not None and last == "test" else None
    return closing(parts, data.y[split.train], metric, found, groups)


def predicted_parts(found: Predictions, positive: int | None) -> dict[str, Answers]:
    """The answers of a run for the rows that did not train it, by part."""
    parts = {}
    for name in ("validation", "test"):
        rows = np.flatnonzero(found.split == name)
        if len(rows):
            truth, predicted = found.truth[rows], found.predicted[rows]
            parts[name] = Answers(truth, predicted, found.probabilities[rows], positive)
    return parts


def no_target(path: str) -> str:
    """What to do without a target."""
    names = columns_of(path)
    listed = ", ".join(shown(name, 40) for name in names[:40])
    more = f" and {len(names) - 40} more" if len(names) > 40 else ""
    return f"name the column to predict with --target COLUMN. The columns are {listed}{more}"
