"""Values as texts, texts as dates, and what a text looks like that is neither number nor date.

Nothing is guessed: a text that is a number or a date only in another notation is left alone, and
`hint` names the setting that would read it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from exp.data.reading_settings import Floats, Notation, naming, quoted
from exp.util.errors import shown

MOST_LOOKED_AT = 1_000
"""Different texts of a column that are looked at, to see what they look like."""


def text_of(value: Any) -> str:
    """A value as text, without blanks around it; whole numbers without a point."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


# Dates

_ISO = re.compile(
    r"\d{4}-\d{2}-\d{2}"
    r"(?:[T ]\d{2}(?::\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?)?(?:Z| ?[+-]\d{2}:?\d{2})?)?",
    re.ASCII,
)
FORMATS = (
    *("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%Y.%m.%d", "%d-%m-%Y", "%m-%d-%Y"),
    *("%d.%m.%y", "%d/%m/%y", "%m/%d/%y", "%d %b %Y", "%d-%b-%Y", "%b %d, %Y", "%b %d %Y"),
    *("%d %B %Y", "%B %d, %Y", "%B %d %Y", "%d. %B %Y"),
)
TIMES = ("", " %H:%M", " %H:%M:%S")


def days(values: Sequence[Any], form: str | None = None) -> Floats:
    """Days since 1970-01-01 [values] of texts, dates or timestamps, with the time of day as a
    fraction, in UTC unless they say otherwise; NaN: not a date.

    Args:
        form: how texts are written, as for `datetime.strptime`; None: as ISO 8601 has it.
    """
    given = pd.Series(values)
    try:
        if pd.api.types.infer_dtype(given, skipna=True) == "string":
            if form is None:
                # pandas takes 2026 and 20261128 for dates too.
                full = [_ISO.fullmatch(text) is not None for text in given]
                given = given.where(full).str.replace(",", ".")
            given = pd.to_datetime(given, format=form or "ISO8601", errors="coerce", utc=True)
        else:
            given = pd.to_datetime(given, errors="coerce", utc=True)
    except ValueError:  # pandas does not know such a format
        return np.full(len(given), np.nan)
    # Of microseconds a float64 holds all digits.
    moments = given.dt.as_unit("us")
    return np.where(moments.isna(), np.nan, moments.astype("int64") / 86_400e6)


def iso(found: Floats) -> list[str]:
    """Days since 1970-01-01 as texts in ISO 8601, with a time where one has it."""
    moments = (found * 86_400e6).round().astype(np.int64).astype("datetime64[us]")
    texts: list[str] = np.datetime_as_string(moments, unit="auto").tolist()
    return texts


# Texts that only look like numbers

_TIME = re.compile(r"\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?: ?[aApP][mM])?", re.ASCII)
_MEASURE = re.compile(
    r"(?P<before>[$€£¥]|[A-Z]{3} )? ?"
    r"(?P<number>[+-]?(?:\d[\d.,'\u2019 \u00a0\u202f]*?|[.,]\d+)(?:[eE][+-]?\d+)?)"
    r"(?P<gap>[ \u00a0\u202f]*)(?P<unit>[^\d\s.,;:'\"()\[\]{}+-][^\d\s,;'\"()\[\]{}]{0,11}[23]?)?"
)
UNITS = frozenset(
    str.split(
        "mm cm dm km m um nm in ft yd mi g kg mg ug lb lbs oz t l ml cl dl s ms us ns min h hr hrs "
        "kph kmh km/h mph m/s hp kW W MW V mV A mA Hz kHz MHz GHz KB kB MB GB TB px pt Pa hPa kPa "
        "bar mmHg ppm kcal cal J kJ MJ C F K EUR USD CHF GBP cc"
    )
)


def unit(text: str) -> str | None:
    """The unit that follows (or the currency before) a number; None: there is none, or it may as
    well belong to a name, as in 1st and 4WD."""
    found = _MEASURE.fullmatch(text)
    if found is None or not (found["before"] or found["unit"]) or not any(map(str.isdigit, text)):
        return None
    if found["before"]:
        return found["before"].strip()
    sign, number = found["unit"], found["number"]
    sure = found["gap"] or "." in number or "," in number or not sign[0].isalpha() or sign in UNITS
    return sign if sure else None


@cache
def notations() -> tuple[tuple[Notation, ...], ...]:
    """Other ways to write numbers than Python's: those with one setting, those with two."""
    one = [(",", None), (".", ","), (".", "'"), (".", " ")]
    two = [(",", "."), (",", " "), (",", "'")]
    return tuple(tuple(Notation(*pair) for pair in pairs) for pairs in (one, two))


def fitting_notations(texts: Sequence[str], counts: NDArray[Any]) -> list[Notation]:
    """The notations, with as few settings as can be, in which most of these texts are numbers.

    Args:
        counts: how often each stands there.
    """
    found = {
        each: counts[~np.isnan(each.numbers(texts))].sum() for some in notations() for each in some
    }
    best = max(found.values())
    if 2 * best <= counts.sum():
        return []
    ways = ([each for each in some if found[each] == best] for some in notations())
    return next(some for some in ways if some)


def fitting_formats(texts: Sequence[str], counts: NDArray[Any]) -> list[str]:
    """The formats in which most of these texts are dates, those that fit best."""
    if not any(sign.isdigit() for sign in texts[0]):
        return []
    every = [form + time for form in FORMATS for time in TIMES]
    found = {form: counts[~np.isnan(days(texts, form))].sum() for form in every}
    best = max(found.values())
    return [form for form, n in found.items() if n == best] if 2 * best > counts.sum() else []


def hint(texts: Sequence[str], counts: NDArray[Any], name: str, *, plain: bool) -> str | None:
    """What most texts of a column are, if it is numbers or dates, and which setting reads them.

    Args:
        texts: the different ones.
        counts: how often each stands there.
        name: of the column.
        plain: whether to look for numbers as Python writes them, too.
    """
    order = np.argsort(-counts, kind="stable")[:MOST_LOOKED_AT]
    texts, counts = [texts[at] for at in order.tolist()], counts[order]
    rows = counts.sum()
    if not rows:
        return None
    categories = f"if they are categories, {naming('categorical', name)}"
    as_days = f"turns them into days since 1970-01-01; {categories}"
    if plain and 2 * counts[~np.isnan(Notation().numbers(texts))].sum() > rows:
        return f"most values are numbers: save the column as numbers, or {categories}"
    if found := fitting_notations(texts, counts):
        settings = " or ".join(str(each) for each in found)
        return f"most values are numbers in another notation: set {settings}; {categories}"
    if 2 * counts[~np.isnan(days(texts))].sum() > rows:
        return f"most values are dates: {naming('dates', name)} {as_days}"
    if known := fitting_formats(texts, counts):
        forms = [f"'dataset.dates={{{quoted(name)}: \"{form}\"}}'" for form in known[:3]]
        settings = " or ".join(forms)
        return f"most values are dates: {settings} {as_days}"
    if 2 * counts[[_TIME.fullmatch(text) is not None for text in texts]].sum() > rows:
        return f"most values are times of day: write them as numbers; {categories}"
    units: Counter[str] = Counter()
    for text, count in zip(texts, counts.tolist(), strict=True):
        if (sign := unit(text)) is not None:
            units[sign] += count
    for sign, count in units.most_common(1):
        if 2 * count > rows:
            return (
                f"most values are numbers with the unit {shown(sign)}: move the unit to the "
                f"name of the column and keep the numbers; {categories}"
            )
    return None


def clue(text: str) -> str | None:
    """How a text could be read that is not a number as it stands."""
    if found := fitting_notations([text], np.ones(1)):
        return "it is a number with " + " or ".join(str(each) for each in found)
    if not np.isnan(days([text])[0]):
        return "it is a date: name the column in dataset.dates"
    if (sign := unit(text)) is not None:
        return f"it has the unit {shown(sign)}: move the unit to the name of the column"
    return None
