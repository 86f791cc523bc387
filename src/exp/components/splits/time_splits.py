"""Splits in the order of time: older rows are trained on, newer ones validate and test."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exp.data.dataset import Split
from exp.data.reading_settings import is_number, quoted
from exp.util.errors import SplitError, shown

Rows = NDArray[np.int64]


def only_time(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """A fault for each setting that contradicts an order of time."""
    if values["time"] is None:
        return
    if values["groups"] is not None:
        yield "groups", "expected null with split.time: the rows of a group may have several times"
    if values["column"] is not None:
        yield "column", "expected null with split.time, which decides the part of each row"


def moments(values: NDArray[Any], name: str) -> NDArray[Any]:
    """The times of a column [rows] as numbers in their order.

    Args:
        values: numbers, or texts: numbers or dates in ISO 8601.

    Raises:
        SplitError: a text is neither.
    """
    if values.dtype.kind in "if":
        return values
    texts, places = np.unique(values, return_inverse=True)
    known: list[str] = texts.tolist()
    if all(map(is_number, known)):
        found = np.array([float(text) for text in known])
    else:
        from exp.data.text_parsing import days, fitting_formats  # pandas: only for dates

        found = days(known)
        if np.isnan(found).any():
            row = int(np.isnan(found[places]).argmax())
            forms = fitting_formats([str(values[row])], np.ones(1))
            hints = [f"'dataset.dates={{{quoted(name)}: \"{form}\"}}'" for form in forms[:3]]
            more = f". Dates written otherwise: {' or '.join(hints)}" if hints else ""
            raise SplitError(
                f"column {shown(name)}, row {row}: {shown(str(values[row]), 40)} is "
                f"neither a number nor a date as 2026-11-28 or 2026-11-28 12:30{more}",
                "split.time",
            )
    return found[places]


def in_order(values: NDArray[Any], name: str) -> tuple[Rows, Rows]:
    """The rows from the oldest to the newest, those of equal time as they came; and the places
    among them at which a new time begins.

    Raises:
        SplitError: a value is no time.
    """
    times = moments(values, name)
    order = np.argsort(times, kind="stable")
    return order, np.flatnonzero(np.diff(times[order])) + 1


def cut(begins: Rows, wanted: Sequence[int], what: str) -> list[int]:
    """Places that do not divide rows of equal time, each the nearest to the one that is wanted.

    Args:
        begins: places at which a new time begins.
        wanted: places in ascending order.
        what: the parts, for the message.

    Raises:
        SplitError: there are fewer different times than parts.
    """
    if len(begins) < len(wanted):
        times = "1 time" if not len(begins) else f"{len(begins) + 1} different times"
        raise SplitError(
            f"{what} need {len(wanted) + 1} different times, and the rows have {times}",
            "split.time",
        )
    found: list[int] = []
    low = 0
    for number, place in enumerate(wanted):
        high = len(begins) - (len(wanted) - number - 1)
        low += int(np.abs(begins[low:high] - place).argmin())
        found.append(int(begins[low]))
        low += 1
    return found


def newest_last(values: NDArray[Any], name: str, tested: int, validated: int) -> Split:
    """About `tested` newest rows for the test, about `validated` before them for validation.

    Raises:
        SplitError: there are too few different times, or a value is no time.
    """
    order, begins = in_order(values, name)
    sizes = {"validation": validated, "test": tested}
    used = {part: size for part, size in sizes.items() if size}
    wanted = len(order) - np.cumsum([*used.values()][::-1], dtype=int)[::-1]
    what = " and ".join(["training", *used]) + " rows"
    parts = np.split(order, cut(begins, wanted.tolist(), what))
    rows = dict(zip(("train", *used), parts, strict=True))
    nothing = order[:0]
    return Split(rows["train"], rows.get("test", nothing), rows.get("validation", nothing))


def window(rows: Rows, values: NDArray[Any], name: str, folds: int, fold: int) -> tuple[Rows, Rows]:
    """Of `rows` those before a fold, and the fold, as `TimeSeriesSplit(folds)` has them.

    Raises:
        SplitError: there are too few different times, or a value is no time.
    """
    order, begins = in_order(values[rows], name)
    size = max(1, len(rows) // (folds + 1))
    wanted = [len(rows) - (folds - number) * size for number in range(folds)]
    places = [*cut(begins, wanted, f"{folds} folds and the rows before them"), len(rows)]
    order = rows[order]
    return order[: places[fold]], order[places[fold] : places[fold + 1]]


def ranges(values: NDArray[Any], name: str, split: Split) -> str:
    """From when to when each part reaches, for the log."""
    times = moments(values, name)

    def reach(rows: Rows) -> str:
        first, last = (values[rows[at]] for at in (times[rows].argmin(), times[rows].argmax()))
        return f"from {first} to {last}"

    parts = ", ".join(f"{part} {reach(rows)}" for part, rows in split.parts.items())
    return f"split.time: column {shown(name)}: {parts}"
