"""Tests for components: what each kind promises, tried on those of a module.

`exp check MODULE` runs them, and so does plain pytest, with all its options:

    python -m pytest -p exp.cli.check.plugin --pyargs exp.cli.check --components MODULE

In a test file of yours:

    from exp.cli.check import failures

    def test_it_keeps_the_promises_of_a_data_set():
        assert failures("rings") == []
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from exp.util.errors import ExpError
from exp.util.packages import importable

if TYPE_CHECKING:
    from exp.cli.check.suite import Outcome


def failures(module: str, name: str | None = None) -> list[str]:
    """A line for each test that failed; [] where all is well.

    Args:
        module: a module of components, or with a / a folder of them.
        name: only the components of this name.

    Raises:
        ExpError: there is no such module or component, it cannot be imported, or pytest is not
            installed.
    """
    found = outcomes(module, name, lambda outcome: None)
    return [each.line for each in found if each.found is not None]


def outcomes(module: str, name: str | None, report: Callable[[Outcome], object]) -> list[Outcome]:
    """What came of each test on the components of a module.

    Args:
        module, name: as for `failures`.
        report: is given each outcome at once.

    Raises:
        ExpError: as `failures`.
    """
    if not importable("pytest"):
        raise ExpError("exp check needs pytest: pip install 'exp[check]'")
    from exp.cli.check.suite import run, subjects

    return run(subjects(module, name), report)
