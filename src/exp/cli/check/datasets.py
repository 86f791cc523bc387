"""What a data set promises: the same rows for the same seed, and nothing else touched."""

from __future__ import annotations

import numpy as np

from exp.cli.check.finding import Checks, WrongError
from exp.cli.check.subject import Subject, global_states, globally_seeded
from exp.cli.check.training import finite
from exp.components.datasets.custom_rows import rows_of
from exp.data.dataset import Data
from exp.util.errors import ComponentError

CHECKS = Checks()
SEEDS = (0, 1, 42)


def rows(subject: Subject, seed: int) -> Data:
    """
    Raises:
        WrongError: it does not give `Data`.
    """
    try:
        return rows_of(subject.build(seed), subject.component.name)
    except ComponentError as error:
        raise WrongError(str(error)) from error


@CHECKS.add(
    "rows",
    "an exp.data.Data: X [rows, features] float32, finite; y [rows] int64, 0..K-1, or float32",
    essential=True,
)
def gives_rows(subject: Subject) -> str | None:
    for seed in SEEDS:
        try:
            rows(subject, seed)
        except Exception as error:
            text = " ".join(str(error).split())
            return text if isinstance(error, WrongError) else f"{type(error).__name__}: {text}"
    return None


@CHECKS.add("seeded", "the same rows from the same seed, whatever the global generators are")
def seeded(subject: Subject) -> str | None:
    with globally_seeded(1):
        one = rows(subject, 0)
    with globally_seeded(2):
        other = rows(subject, 0)
    return difference(one, other)


@CHECKS.add("no shared state", "the same rows again after those of other seeds")
def no_shared_state(subject: Subject) -> str | None:
    with globally_seeded(1):
        first = rows(subject, 0)
        before = first.X.copy(), first.y.copy()
        for seed in SEEDS[1:]:
            rows(subject, seed)
        if not (np.array_equal(first.X, before[0]) and np.array_equal(first.y, before[1])):
            return "rows of an earlier call that a later one has changed"
        again = rows(subject, 0)
    return difference(first, again)


@CHECKS.add("global generators", "no global random state touched")
def global_generators(subject: Subject) -> str | None:
    with global_states() as changed:
        rows(subject, 0)
    return f"{' and '.join(changed)} changed" if changed else None


@CHECKS.add("trains", "a short run with finite losses")
def trains(subject: Subject) -> str | None:
    return finite(subject, model={"name": "linear"}, optimizer={"name": "adam"})


def difference(one: Data, other: Data) -> str | None:
    """Where two data sets differ, in words."""
    if one.fingerprint == other.fingerprint:
        return None
    if one.X.shape != other.X.shape:
        return f"X of shape {list(one.X.shape)} and then {list(other.X.shape)}"
    if (apart := one.X != other.X).any():
        row, column = np.argwhere(apart)[0]
        return f"X[{row}, {column}] = {one.X[row, column]:g} and then {other.X[row, column]:g}"
    if (odd := one.y != other.y).any():
        row = int(np.flatnonzero(odd)[0])
        return f"y[{row}] = {one.y[row]} and then {other.y[row]}"
    return "other names of classes or features"
