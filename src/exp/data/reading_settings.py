"""How the fields of a table are read: settings, and what stands for numbers and missing values."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Policy = Literal["refuse", "drop", "impute", "indicate"]
FILLING: tuple[Policy, ...] = ("impute", "indicate")
"""Those that leave missing values as NaN, for an encoding to fill in."""
Task = Literal["auto", "classes", "number"]
"""What a column of targets holds; auto: its values show it."""
Kind = Literal["number", "date", "category"]
Floats = NDArray[np.float64]
LARGEST_NUMBER = float(np.finfo(np.float32).max)

MISSING = frozenset(
    [
        *("", "?", "na", "n/a", "#na", "#n/a", "#n/a n/a", "<na>", "null", "none"),
        *("nan", "-nan", "1.#ind", "-1.#ind", "1.#qnan", "-1.#qnan"),
    ]
)
"""What is missing unless `na_values` says otherwise: pandas' list and ?, in any case of letters."""
DELIMITERS = (",", ";", "\t", "|", " ")
SEPARATORS = {" ": " \u00a0\u2009\u202f", "'": "'\u2019"}
"""Signs that are typed in place of a separator of thousands."""
SIGNS = {"\\t": "\t", "tab": "\t", "space": " ", "comma": ",", "semicolon": ";", "bar": "|",
         "point": ".", "apostrophe": "'"}  # fmt: skip
"""Ways to write a sign that a shell or a config file makes hard to type."""


def sign_of(text: object) -> object:
    """The sign that a text names; anything else as it is."""
    return SIGNS.get(text, text) if isinstance(text, str) else text


def is_number(text: str) -> bool:
    """Whether Python takes a text for a number, underscores left out."""
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text


def quoted(name: str) -> str:
    """The name of a column as a setting has it."""
    return name if re.fullmatch(r"\w+", name) else f'"{name}"'


def naming(key: str, name: str) -> str:
    """The setting of a data set that is a list of this column."""
    return f"dataset.{key}=[{quoted(name)}]"


class NaValues:
    """Which texts stand for a missing value; an empty field always does.

    Args:
        values: texts, exactly as they stand in the file, and numbers, however they are written;
            None takes those of `MISSING`, in any case of letters.
    """

    def __init__(self, values: Sequence[str | float] | None = None) -> None:
        self.any_case = values is None
        texts = MISSING if values is None else {str(value).strip() for value in values}
        self.texts = texts | {""}
        found = [float(text) for text in self.texts if is_number(text)]
        self.numbers = np.array([number for number in found if math.isfinite(number)])

    def __contains__(self, text: str) -> bool:
        """Whether a text without blanks around it is one of them."""
        if (text.lower() if self.any_case else text) in self.texts:
            return True
        return bool(len(self.numbers)) and is_number(text) and float(text) in self.numbers


class Notation:
    """How numbers are written.

    Args:
        decimal: the sign before the decimals.
        thousands: the sign between groups of three digits, or None: there is none.
    """

    def __init__(self, decimal: str = ".", thousands: str | None = None) -> None:
        self.decimal, self.thousands = decimal, thousands
        self.plain = decimal == "." and thousands is None
        signs = SEPARATORS.get(thousands or "", thousands or "")
        point, whole = re.escape(decimal), r"\d+"
        if thousands:
            # pandas takes any text with this sign: 1,2345 would be 12345.
            sign = f"[{re.escape(signs)}]"
            whole = rf"(?:\d{{1,3}}(?:{sign}\d{{2,3}})*{sign}\d{{3}}|\d+)"
        self._form = re.compile(
            rf"[+-]?(?:{whole}(?:{point}\d*)?|{point}\d+)(?:[eE][+-]?\d+)?", re.ASCII
        )
        self._table = str.maketrans({decimal: ".", **dict.fromkeys(signs)})

    def numbers(self, texts: Sequence[str]) -> Floats:
        """The numbers [texts] that these texts are, infinite ones included; NaN: it is none."""
        import pandas as pd

        if not self.plain:
            forms = [self._form.fullmatch(text) for text in texts]
            texts = [
                t.translate(self._table) if f else "" for t, f in zip(texts, forms, strict=True)
            ]
        column = pd.to_numeric(pd.Series(texts), errors="coerce")
        found: Floats = column.to_numpy(np.float64)
        return found

    def __str__(self) -> str:
        names = {sign: name for name, sign in SIGNS.items()}
        found = [] if self.decimal == "." else [f"dataset.decimal={names[self.decimal]}"]
        if self.thousands:
            found.append(f"dataset.thousands={names[self.thousands]}")
        return " and ".join(found)


@dataclass(frozen=True)
class Reading:
    """How a file is read.

    Attributes:
        target: name of the column of labels; None: there is none.
        task: what that column holds.
        features: names of the columns to learn from, in the order wanted; None: all but the target
            and the index of a pandas table.
        delimiter: one character between two fields of a csv file.
        missing: what is done about missing values; those of `FILLING` leave them as NaN.
        categorical: names of columns that hold categories.
        dates: names of columns that hold dates, in ISO 8601 or in the format of each, or whether
            every column of dates does.
        decimal, thousands: how numbers are written, see `Notation`.
        na_values: what stands for a missing value, see `NaValues`.
        aside: names of columns that are no features: the split needs them.
        weights: name of the column of the rows' weights, which is no feature; None: there is none.
        exclude: names of columns that are left out.
        texts_only: whether all columns of a csv file stay texts.
        kinds: what each column holds, where that is known from a file that was read before; empty:
            the columns show it.
    """

    target: str | None = None
    task: Task = "auto"
    features: Sequence[str] | None = None
    delimiter: str = ","
    missing: Policy = "refuse"
    categorical: Sequence[str] = ()
    dates: Mapping[str, str] | Sequence[str] | bool = False
    decimal: str = "."
    thousands: str | None = None
    na_values: Sequence[str | float] | None = None
    aside: Sequence[str] = ()
    weights: str | None = None
    exclude: Sequence[str] = ()
    texts_only: bool = False
    kinds: Mapping[str, Kind] = field(default_factory=dict)

    @property
    def named(self) -> tuple[str, ...]:
        """Columns that must be there, besides the target."""
        return (*(self.features or ()), *self.categorical, *self.dated)

    @property
    def dated(self) -> tuple[str, ...]:
        """Columns that `dates` names."""
        return () if isinstance(self.dates, bool) else tuple(self.dates)

    @property
    def besides(self) -> tuple[str, ...]:
        """Columns that are read, but are neither features nor the target."""
        return tuple(dict.fromkeys((*self.aside, *self.of_weights)))

    @property
    def of_weights(self) -> tuple[str, ...]:
        """The column of the rows' weights, if there is one."""
        return () if self.weights is None else (self.weights,)

    def may_be_number(self, name: str) -> bool:
        """Whether the texts of a column that look like numbers are numbers, written as Python does,
        and nothing else that is read from it needs the texts."""
        numeric = self.kind(name) in (None, "number") and self.notation.plain
        return numeric and not self.texts_only and name not in self.aside and name != self.target

    @cached_property
    def na(self) -> NaValues:
        return NaValues(self.na_values)

    @cached_property
    def notation(self) -> Notation:
        return Notation(self.decimal, self.thousands)

    def kind(self, name: str) -> Kind | None:
        """What a column holds; None: its values show it."""
        if name in self.kinds:
            return self.kinds[name]
        if name in self.categorical:
            return "category"
        if not isinstance(self.dates, bool) and name in self.dates:
            return "date"
        return None

    def date_format(self, name: str) -> str | None:
        """The format of a column's dates; None: ISO 8601."""
        return self.dates.get(name) if isinstance(self.dates, Mapping) else None
