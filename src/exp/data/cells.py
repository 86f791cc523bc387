"""What the text of a field says: a number, a date, a missing value, or a category.

Nothing is guessed: a text that is a number or a date only in another notation is left alone, and
`Notation.others`, `looks_like` name the setting that would read it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exp.util.errors import shown

MISSING = frozenset(
    [
        *("", "?", "na", "n/a", "#na", "#n/a", "#n/a n/a", "<na>", "null", "none"),
        *("nan", "-nan", "1.#ind", "-1.#ind", "1.#qnan", "-1.#qnan"),
    ]
)
"""What is missing unless `na_values` says otherwise: what pandas takes for it, and ?, in any case
of letters."""
MOST_LOOKED_AT = 1_000
"""Different texts of a column that are looked at, to see what they look like."""


class NaValues:
    """Which texts stand for a missing value; an empty field always does.

    Args:
        values: texts, exactly as they stand in the file, and numbers, however they are written;
            None takes those of `MISSING`, in any case of letters.
    """

    def __init__(self, values: Sequence[str | float] | None = None) -> None:
        self.fold = values is None
        texts = MISSING if values is None else {str(value).strip() for value in values}
        self.texts = frozenset(texts) | {""}
        found = [float(text) for text in self.texts if is_number(text)]
        self.numbers = np.array([number for number in found if math.isfinite(number)])

    def __contains__(self, text: str) -> bool:
        text = text.strip()
        if (text.lower() if self.fold else text) in self.texts:
            return True
        return bool(len(self.numbers)) and is_number(text) and float(text) in self.numbers

    def among(self, values: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which of these numbers stand for a missing value."""
        if not len(self.numbers):
            return np.zeros(values.shape, bool)
        return np.isin(values, self.numbers)


SEPARATORS = {" ": " \u00a0\u2009\u202f", "'": "'\u2019"}
"""What else is typed for a separator of thousands."""


SIGNS = {",": "comma", ".": "point", " ": "space", "'": "apostrophe"}


class Notation:
    """How numbers are written.

    Args:
        decimal: the sign before the decimals.
        thousands: the sign between groups of three digits, or None: there is none.
    """

    def __init__(self, decimal: str = ".", thousands: str | None = None) -> None:
        self.decimal, self.thousands = decimal, thousands
        self.settings = (decimal != ".") + (thousands is not None)
        self.plain = not self.settings
        self.signs = SEPARATORS.get(thousands or "", thousands or "")
        point, whole = re.escape(decimal), r"\d+"
        if thousands:
            sign = f"[{re.escape(self.signs)}]"
            whole = rf"(?:\d{{1,3}}(?:{sign}\d{{2,3}})*{sign}\d{{3}}|\d+)"
        self._form = re.compile(
            rf"[+-]?(?:{whole}(?:{point}\d*)?|{point}\d+)(?:[eE][+-]?\d+)?", re.ASCII
        )
        self._table = str.maketrans({decimal: ".", **dict.fromkeys(self.signs)})

    def number(self, text: str) -> float | None:
        """The number that a text is, infinity and NaN included; None: it is none."""
        if self.plain:
            return float(text) if is_number(text) else None
        text = text.strip()
        if self._form.fullmatch(text) is None:
            return None
        return float(text.translate(self._table))

    def __str__(self) -> str:
        said = [] if self.decimal == "." else [f"dataset.decimal={SIGNS[self.decimal]}"]
        if self.thousands:
            said.append(f"dataset.thousands={SIGNS[self.thousands]}")
        return " and ".join(said)


@cache
def notations() -> tuple[Notation, ...]:
    """Other ways to write numbers than Python's, the simplest first."""
    pairs = [(",", None), (".", ","), (",", "."), (".", "'"), (".", " "), (",", " "), (",", "'")]
    return tuple(Notation(*pair) for pair in pairs)


def readable(texts: Mapping[str, int]) -> list[Notation]:
    """The simplest notations in which most of these texts are numbers.

    Args:
        texts: how often each stands there.
    """
    counts = [
        sum(n for t, n in texts.items() if each.number(t) is not None) for each in notations()
    ]
    best = max(counts, default=0)
    if 2 * best <= sum(texts.values()):
        return []
    found = [each for each, count in zip(notations(), counts, strict=True) if count == best]
    fewest = min(each.settings for each in found)
    return [each for each in found if each.settings == fewest]


def is_number(text: str) -> bool:
    """Whether Python takes a text for a number, underscores left out."""
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text


_WHOLE = re.compile(r"[+-]?(?:0|[1-9]\d*)(?:\.0*)?", re.ASCII)
_LARGE = re.compile(r"[+-]?\d(?:\.\d+)?[eE]\+?\d{1,3}", re.ASCII)


def key(text: str) -> str:
    """What a category or a class is known by: 1, 1.0 and 1e0 are the same, and so are true, True
    and TRUE. 01 is a code of its own, and 1.10 is not 1.1, as either may be a version."""
    if text[:1] in "tTfF" and text.lower() in ("true", "false"):
        return text.capitalize()
    if _WHOLE.fullmatch(text):
        whole = text.partition(".")[0].lstrip("+")
        return "0" if whole == "-0" else whole
    if _LARGE.fullmatch(text) and (number := Decimal(text)) == number.to_integral_value():
        return format(number, ".0f")
    return text


# Dates

_ISO = re.compile(
    r"\d{4}-\d{2}-\d{2}"
    r"(?:[T ]\d{2}(?::\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?)?(?:Z| ?[+-]\d{2}:?\d{2})?)?",
    re.ASCII,
)
_FRACTION = re.compile(r"[.,](\d{1,9})")
FORMATS = (
    *("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%Y.%m.%d", "%d-%m-%Y", "%m-%d-%Y"),
    *("%d.%m.%y", "%d/%m/%y", "%m/%d/%y", "%d %b %Y", "%d-%b-%Y", "%b %d, %Y", "%b %d %Y"),
    *("%d %B %Y", "%B %d, %Y", "%B %d %Y", "%d. %B %Y"),
)
TIMES = ("", " %H:%M", " %H:%M:%S")


def days(text: str, form: str | None = None) -> float | None:
    """Days since 1970-01-01 of a date, with the time of day as a fraction, in UTC; None: it is no
    date.

    Args:
        form: how it is written, as for `datetime.strptime`; None: as ISO 8601 has it.
    """
    text = text.strip()
    try:
        if form is not None:
            return days_of(datetime.strptime(text, form))
        if _ISO.fullmatch(text) is None:
            return None
        # Python 3.11 takes 3 or 6 decimals only.
        whole = _FRACTION.sub(lambda found: f".{found[1][:6]:0<6}", text)
        return days_of(datetime.fromisoformat(whole.replace(" +", "+").replace(" -", "-")))
    except (ValueError, OverflowError, re.error):
        return None


def days_of(moment: date) -> float:
    """Days since 1970-01-01 of a date, or of a moment, which is in UTC unless it says otherwise."""
    if not isinstance(moment, datetime):
        return float((moment - date(1970, 1, 1)).days)
    aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    apart = aware - datetime(1970, 1, 1, tzinfo=UTC)
    return apart.days + (apart.seconds + apart.microseconds / 1e6) / 86_400


def formats(texts: Mapping[str, int]) -> list[str]:
    """The formats in which most of these texts are dates, those that fit best."""
    start = next(iter(texts))
    if not any(sign.isdigit() for sign in start):
        return []
    counts = {
        form + time: sum(n for text, n in texts.items() if days(text, form + time) is not None)
        for form in FORMATS
        for time in TIMES
    }
    best = max(counts.values())
    return (
        [form for form, n in counts.items() if n == best] if 2 * best > sum(texts.values()) else []
    )


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
    found = _MEASURE.fullmatch(text.strip())
    if found is None or not (found["before"] or found["unit"]) or not any(map(str.isdigit, text)):
        return None
    if found["before"]:
        return found["before"].strip()
    sign, number = found["unit"], found["number"]
    sure = found["gap"] or "." in number or "," in number or not sign[0].isalpha() or sign in UNITS
    return sign if sure else None


def looks_like(texts: Mapping[str, int], name: str, *, plain: bool) -> str | None:
    """What most texts of a column are, if it is numbers or dates, and which setting reads them.

    Args:
        texts: how often each stands there, None left out.
        name: of the column.
        plain: whether to look for numbers as Python writes them, too.
    """
    some = dict(sorted(texts.items(), key=lambda each: -each[1])[:MOST_LOOKED_AT])
    rows = sum(some.values())
    if not rows:
        return None
    quoted = name if re.fullmatch(r"\w+", name) else f'"{name}"'
    categories = f"if they are categories, dataset.categorical=[{quoted}]"

    def most(fits: Iterable[bool]) -> bool:
        return 2 * sum(n for n, fit in zip(some.values(), fits, strict=True) if fit) > rows

    if plain and most(is_number(text) for text in some):
        return f"most of its texts are numbers: save the column as numbers, or {categories}"
    if found := readable(some):
        settings = " or ".join(str(each) for each in found)
        return f"most of its texts are numbers in another notation: set {settings}; {categories}"
    if most(days(text) is not None for text in some):
        return (
            f"most of its texts are dates: dataset.dates=[{quoted}] turns them into days since "
            f"1970-01-01; {categories}"
        )
    if written := formats(some):
        settings = " or ".join(f"'dataset.dates={{{quoted}: \"{form}\"}}'" for form in written[:3])
        return (
            f"most of its texts are dates: {settings} turns them into days since 1970-01-01; "
            f"{categories}"
        )
    if most(_TIME.fullmatch(text) is not None for text in some):
        return f"most of its texts are times of day: write them as numbers; {categories}"
    units: dict[str, int] = {}
    for text, count in some.items():
        if (sign := unit(text)) is not None:
            units[sign] = units.get(sign, 0) + count
    if units:
        sign, count = max(units.items(), key=lambda each: each[1])
        if 2 * count > rows:
            return (
                f"most of its texts are numbers with {shown(sign)}: write it into the name of the "
                f"column and leave the numbers; {categories}"
            )
    return None


def clue(text: str) -> str | None:
    """How a text could be read that is no number as it stands."""
    if found := readable({text: 1}):
        return "it is one with " + " or ".join(str(each) for each in found)
    if days(text) is not None:
        return "a date: name the column in dataset.dates"
    if (sign := unit(text)) is not None:
        return f"it has {shown(sign)} with it: write that into the name of the column"
    return None


# Values as texts


def absent(value: Any) -> bool:
    """Whether a value of Python, NumPy or pandas is None, NaN, NaT or NA."""
    try:
        return value is None or bool(value != value)
    except (TypeError, ValueError):  # pandas.NA does not say
        return True


def written(values: Iterable[Any]) -> Iterator[str | None]:
    """Values as texts: whole numbers without a point, None, NaN and empty texts as None."""
    for value in values:
        if absent(value):
            yield None
        elif isinstance(value, float) and value.is_integer():
            yield str(int(value))
        else:
            yield str(value).strip() or None
