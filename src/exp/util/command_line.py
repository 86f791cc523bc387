"""The command line of this process."""

from __future__ import annotations

words: list[str] = []
"""The command line after `python -m exp`."""


def command() -> list[str]:
    """The command line, as it is typed."""
    return ["python", "-m", "exp", *words]
