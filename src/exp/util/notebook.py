"""Output in a notebook. IPython is there where there is a notebook; nothing here needs it."""

from __future__ import annotations

import importlib
import sys
import time
from html import escape
from typing import Any

EVERY = 0.25
"""Seconds between two pictures of a bar, at least."""


class Output:
    """One output of a cell, whose content can be replaced while the cell runs."""

    def __init__(self) -> None:
        self._display: Any = importlib.import_module("IPython.display").display
        self._handle: Any = None

    def show(self, html: str, text: str) -> None:
        """Shows a content in place of the one before.

        Args:
            html: what a notebook shows.
            text: what is shown where HTML cannot be.
        """
        content = {"text/html": html, "text/plain": text}
        if self._handle is None:
            self._handle = self._display(content, raw=True, display_id=True)
        else:
            self._handle.update(content, raw=True)


class Bar:
    """A bar that fills up, with a text beside it.

    Args:
        output: shows it.
        total: how much there is to do.
        unit: of what, such as "runs".
    """

    def __init__(self, output: Output, total: float, unit: str) -> None:
        self.output, self.total, self.unit = output, total, unit
        self.due = 0.0

    def update(self, completed: float, text: str = "") -> None:
        """Shows how much is done, at most four times a second, and when all is done."""
        now = time.monotonic()
        if now < self.due and completed < self.total:
            return
        self.due = now + EVERY
        line = f"{completed:,.0f} of {self.total:,.0f} {self.unit}{', ' if text else ''}{text}"
        bar = f'<progress value="{completed:g}" max="{self.total:g}" style="width:20em">'
        self.output.show(f"<div>{bar}</progress> {escape(line)}</div>", line)


def output() -> Output | None:
    """A new output of the cell that runs; None where this is no notebook, such as in a script or in
    IPython on a terminal."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return None if getattr(shell, "kernel", None) is None else Output()
