"""Learning curves of runs from their metrics.csv, and of groups of runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy
from numpy.typing import NDArray

from exp.runs.record import RunRecord
from exp.util.errors import RunDirectoryError

MOST = 400
"""Epochs of a curve: more than a panel has room for."""

Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class History:
    """The columns of one metrics.csv, `[epochs]` each; one of them is `epoch`.

    Attributes:
        finished: the run is done, so that its last values hold for all later epochs.
    """

    columns: dict[str, Values]
    finished: bool = True

    @property
    def epochs(self) -> Values:
        return self.columns["epoch"]


def history(path: Path, wanted: Sequence[str], *, finished: bool = True) -> History | None:
    """Some columns of a run's metrics.csv; None where it cannot be read.

    Args:
        path: of the run directory.
        wanted: names of columns; those that are not there are left out.
        finished: whether the run is done.
    """
    try:
        found = RunRecord(path).history(wanted, MOST)
    except RunDirectoryError:
        return None
    if not len(found["epoch"]):
        return None
    return History({n: column.astype(np.float64) for n, column in found.items()}, finished)


def on_common_epochs(histories: Sequence[History], name: str) -> tuple[Values, Values]:
    """One column of several runs on the same epochs.

    A run that stopped early keeps its last value, as its weights stay what they are. One that
    did not end well has none from then on.

    Returns:
        The epochs `[E]`, and the values `[runs, E]`, NaN where a run has none.
    """
    there = [each for each in histories if name in each.columns]
    if not there:
        return np.zeros(0), np.zeros((0, 0))
    epochs = np.unique(np.concatenate([each.epochs for each in there]))
    if len(epochs) > MOST:
        epochs = epochs[np.linspace(0, len(epochs) - 1, MOST).astype(np.intp)]
    rows = []
    for each in there:
        values = each.columns[name]
        line = np.interp(epochs, each.epochs, values)
        line[epochs < each.epochs[0]] = np.nan
        if not each.finished:
            line[epochs > each.epochs[-1]] = np.nan
        rows.append(line)
    return epochs, np.array(rows)


def mean_and_interval(values: Values) -> tuple[Values, Values, Values]:
    """The mean over runs and the ends of its 95 % interval, by Student's t.

    Args:
        values: `[runs, ...]`; NaN counts as no value.

    Returns:
        Three arrays `[...]`: NaN where no run has a value; no interval for fewer than three runs,
        as that of two says next to nothing.
    """
    n = np.isfinite(values).sum(axis=0)
    filled = np.where(np.isfinite(values), values, 0.0)
    mean = np.where(n > 0, filled.sum(axis=0) / np.maximum(n, 1), np.nan)
    squares = np.where(np.isfinite(values), (values - mean) ** 2, 0.0).sum(axis=0)
    error = np.sqrt(squares / np.maximum(n - 1, 1) / np.maximum(n, 1))
    quantile = scipy.stats.t.ppf(0.975, np.maximum(n - 1, 1))
    half = np.where(n > 2, quantile * error, np.nan)
    return mean, mean - half, mean + half
