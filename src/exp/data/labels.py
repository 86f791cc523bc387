"""Texts as classes and categories: which are the same one, which cannot be classes, their order.

And which targets are numbers rather than classes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from exp.data.faults import rows_text
from exp.data.reading_settings import Notation, is_number
from exp.util.errors import shown

SURE = 20
"""So many different texts are categories, or classes, even where each has one row."""
MANY = 10
"""More different integers than these may be meant as numbers."""
_WHOLE = re.compile(r"[+-]?(?:0|[1-9]\d*)(?:\.0*)?", re.ASCII)
_LARGE = re.compile(r"[+-]?\d(?:\.\d+)?[eE]\+?\d{1,3}", re.ASCII)


def key(text: str) -> str:
    """What a category or a class is known by: 1, 1.0 and 1e0 are the same, and so are true, True
    and TRUE. 01 is a code, and 1.10 is not 1.1, as either may be a version."""
    if text[:1] in "tTfF" and text.lower() in ("true", "false"):
        return text.capitalize()
    if _WHOLE.fullmatch(text):
        whole = text.partition(".")[0].lstrip("+")
        return "0" if whole == "-0" else whole
    if _LARGE.fullmatch(text) and (number := Decimal(text)) == number.to_integral_value():
        return format(number, ".0f")
    return text


def is_numeric(texts: Sequence[str], counts: NDArray[np.intp], notation: Notation) -> bool:
    """Whether a target with these values is a number and not a class.

    It is if most rows hold numbers, and some of these have a fraction, or there are more different
    integers than classes can be: over 20, and either most rows have a value of their own, or a
    tenth of the values stand in one row only.

    Args:
        texts: the different values.
        counts: how many rows have each.
        notation: how numbers are written.
    """
    numbers = notation.numbers(texts)
    there = ~np.isnan(numbers)
    numbers, rows = numbers[there], counts[there]
    if not len(numbers) or 2 * rows.sum() < counts.sum():
        return False
    if (np.isinf(numbers) | (numbers != np.floor(numbers))).any():
        return True
    count, single = len(numbers), np.count_nonzero(rows == 1)
    return count > SURE and bool(2 * count > rows.sum() or 10 * single >= count)


def not_classes(labels: Sequence[str], rows: int, *, chosen: bool = False) -> str | None:
    """Why the labels of so many rows cannot be classes, if they cannot.

    Args:
        chosen: whether the config says that they are classes.
    """
    count, example = len(labels), shown(labels[0], 40)
    if count == 1:
        return f"every row has the value {example}; a classifier needs at least two classes"
    if all(is_number(label) for label in labels):
        by_value: dict[float, str] = {}
        for label in () if integers(labels) else labels:
            if (other := by_value.setdefault(float(label), label)) != label:
                return f"{shown(other)} and {shown(label)} are the same number written in two ways"
    elif 2 * count > rows and count > SURE and not chosen:
        found = f"{count} different texts in {rows_text(rows)}"
        return (
            f"it seems to identify the rows ({found}, such as {example}); a classifier needs "
            "classes"
        )
    return None


def integers(labels: Sequence[str]) -> bool:
    """Whether all are whole numbers as Python writes them, so that the text says the number."""
    return all(re.fullmatch(r"0|-?[1-9][0-9]{0,299}", label) for label in labels)


def in_order(labels: Sequence[str]) -> list[int]:
    """Positions of the labels, sorted: as numbers if all are, else as text."""
    positions = range(len(labels))
    if integers(labels):
        return sorted(positions, key=lambda at: int(labels[at]))
    if all(is_number(label) for label in labels):
        return sorted(positions, key=lambda at: float(labels[at]))
    return sorted(positions, key=lambda at: labels[at])
