"""`--where key=value`: which runs are looked at."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass

from exp.runs.collection import Row
from exp.runs.config_values import Scalar, is_number, typed

OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le, ">=": operator.ge, "<": operator.lt, ">": operator.gt,
}  # fmt: skip
OF_A_RUN = ("run", "status", "name", "seconds")
"""What a run has besides parameters and metrics."""

_CONDITION = re.compile(r"([^<>=!]+)(!=|<=|>=|=|<|>)(.*)", re.S)


@dataclass(frozen=True)
class Condition:
    """One condition, such as `optimizer=adam` or `seed<3`."""

    key: str
    sign: str
    wanted: Scalar

    @classmethod
    def of(cls, text: str) -> Condition:
        """
        Raises:
            ValueError: it is not a condition; the message says what is expected.
        """
        found = _CONDITION.fullmatch(text)
        if found is None:
            raise ValueError("expected key=value, or one of != < > <= >= in place of =")
        key, sign, wanted = found[1].strip(), found[2], typed(found[3].strip())
        if sign in OPERATORS and not is_number(wanted):
            raise ValueError(f"expected a number after {sign}")
        return cls(key, sign, wanted)

    def holds(self, row: Row) -> bool:
        """Whether a run satisfies it; a run without such a value satisfies only `!=`."""
        found, wanted = value_of(row, self.key), self.wanted
        if self.sign in OPERATORS:
            if not (is_number(found) and is_number(wanted)):
                return False
            return OPERATORS[self.sign](float(found), float(wanted))
        same = found == wanted and isinstance(found, bool) == isinstance(wanted, bool)
        # A text that looks like a number, such as a name, is compared as text too.
        same = same or (isinstance(found, str) and found == str(wanted))
        return same == (self.sign == "=")


def value_of(row: Row, key: str) -> Scalar:
    """A parameter, a metric, or one of `OF_A_RUN`; None where a run has no such value."""
    named: dict[str, Scalar] = {
        "run": row.number, "status": row.status, "name": row.name, "seconds": row.seconds,
    }  # fmt: skip
    return {**named, **row.metrics, **row.parameters}.get(key)
