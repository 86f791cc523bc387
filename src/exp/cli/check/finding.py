"""What a check found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from exp.cli.check.subject import Subject

Test = Callable[[Subject], str | None]


class WrongError(Exception):
    """What a check has found instead of what it expected."""


@dataclass(frozen=True)
class Check:
    """One thing that a kind of component promises.

    Attributes:
        name: in a word or two.
        expected: the promise.
        test: None where it is kept, or else what was found; what it raises counts as found.
        essential: without it, the other checks of its component are not tried.
    """

    name: str
    expected: str
    test: Test
    essential: bool = False


@dataclass(frozen=True)
class Finding:
    """What came of a check on a component."""

    subject: str
    check: Check
    found: str | None

    @property
    def line(self) -> str:
        told = f"{self.subject}  {self.check.name}: "
        if self.found is None:
            return f"ok    {told}{self.check.expected}"
        return f"FAIL  {told}expected {self.check.expected}, found {self.found}"


class Checks(list[Check]):
    """The checks of a kind, each added by a decorator."""

    def add(self, name: str, expected: str, *, essential: bool = False) -> Callable[[Test], Test]:
        def added(test: Test) -> Test:
            self.append(Check(name, expected, test, essential))
            return test

        return added
