"""`--where key=value`: which runs are looked at."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass

from exp.runs.collection import Row
from exp.runs.config_values import Scalar, typed

OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
OF_A_RUN = ("run", "status", "name", "seconds")
"""What a run has besides parameters and metrics."""

_WORD = re.compile(r"([^<>=!]+)(!=|<=|>=|=|<|>)(.*)", re.S)


@dataclass(frozen=True)
class Condition:
    """One condition: a key, how it is compared, and with what."""

    key: str
    sign: str
    wanted: Scalar

    @classmethod
    def of(cls, text: str) -> Condition:
        """
        Raises:
            ValueError: it is no condition; the message says what was expected.
        """
        found = _WORD.fullmatch(text)
        if found is None:
            raise ValueError("expected key=value, or one of != < > <= >= in place of =")
        key, sign, wanted = found[1].strip(), found[2], typed(found[3].strip())
        if sign in OPERATORS and not is_number(wanted):
            raise ValueError(f"expected a number after {sign}")
        return cls(key, sign, wanted)

    def holds(self, row: Row) -> bool:
        """Whether a run meets it; one that has no such value is only unequal to others."""
        found = value_of(row, self.key)
        if self.sign in OPERATORS:
            return (
                is_number(found)
                and is_number(self.wanted)
                and OPERATORS[self.sign](float(found or 0), float(self.wanted or 0))
            )
        same = found == self.wanted and isinstance(found, bool) == isinstance(self.wanted, bool)
        # A text that looks like a number, such as a name, is compared as text too.
        same = same or (isinstance(found, str) and found == str(self.wanted))
        return same == (self.sign == "=")


def value_of(row: Row, key: str) -> Scalar:
    """A parameter, a metric, or one of `OF_A_RUN`; None where a run has no such."""
    if key in row.parameters:
        return row.parameters[key]
    if key in row.metrics:
        return row.metrics[key]
    named: dict[str, Scalar] = {
        "run": row.number, "status": row.status, "name": row.name, "seconds": row.seconds,
    }  # fmt: skip
    return named.get(key)


def is_number(value: Scalar) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
