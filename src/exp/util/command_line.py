"""The command line of this process, if it has one."""

from __future__ import annotations

words: list[str] = []
"""The command line after `python -m exp`."""
python = False
"""Whether a program in Python runs exp, such as a notebook, and no command line."""
progress = True
"""Whether that program shows how far a training is, where there is a terminal or a notebook."""


def command() -> list[str]:
    """The command line, as it is typed."""
    return ["python", "-m", "exp", *words]
