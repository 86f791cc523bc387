"""What every component promises."""

from __future__ import annotations

import inspect

from exp.cli.check.subject import Subject


def test_docstring(subject: Subject) -> None:
    """a docstring whose first paragraph is a description"""
    builder = subject.component.builder
    is_class = inspect.isclass(builder)
    written = vars(builder).get("__doc__") if is_class else builder.__doc__  # not inherited
    assert (written or "").strip(), "no docstring"
