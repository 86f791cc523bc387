"""The figures of a single run on its page."""

from __future__ import annotations

import base64
import shlex
from collections.abc import Iterator
from html import escape

from exp.plotting.names import EVERY, Name
from exp.report.page.page_pictures import Budget
from exp.runs.record import RunRecord
from exp.util.errors import RunDirectoryError

TITLES: dict[Name, tuple[str, str]] = {
    "data": ("Data", "the rows of each split and their classes"),
    "boundary": ("Decision boundary", "the predicted class at each point, with the rows"),
    "boundary_strip": ("Boundary over time", "the decision boundary at some epochs"),
    "learning_curves": ("Learning curves", "the loss and the score of each split over the epochs"),
    "confusion_matrix": ("Confusion matrix", "how often each class is predicted as each other"),
    "roc": ("ROC curve", "true positives against false positives at each threshold"),
    "precision_recall": ("Precision and recall", "precision against recall at each threshold"),
    "calibration": ("Calibration", "predicted probabilities against observed frequencies"),
    "hidden_units": ("Hidden units", "the value of each hidden unit over the two features"),
    "network": ("Network", "inputs, units and outputs as maps of the plane, joined by weights"),
    "norms": ("Norms", "the size of each layer's weights and gradients over the epochs"),
    "fit": ("Fit", "the predicted numbers against the targets"),
}
"""Name -> title, and what the figure shows."""
LARGEST = 1_500_000
"""Bytes of a figure that is small enough for the page."""
TYPES = {"png": "image/png", "svg": "image/svg+xml"}
SIGNS = {"png": (b"\x89PNG\r\n\x1a\n",), "svg": (b"<?xml", b"<svg")}
"""Suffix -> how such a file begins."""


def figures(run: RunRecord, path: str, budget: Budget) -> tuple[str, list[str]]:
    """HTML of the figures that the run has drawn, and sentences on what was left out.

    Args:
        path: the run's directory as the page names it.
        budget: of the page.
    """
    shown, left_out = [], []
    for name, suffix, data in drawn(run):
        if data is None or not budget.take(len(data)):
            left_out.append(f"{name}.{suffix}")
        elif data.startswith(SIGNS[suffix]):
            shown.append(figure(name, suffix, data))
    notes = []
    if left_out:
        notes.append(f"To keep the page small, it has no copy of {', '.join(left_out)}.")
    command = escape(shlex.join(["exp", "figures", path, "--all"]))
    hint = f'<p class="hint">To draw every figure of the run: <code>{command}</code></p>'
    if len(shown) >= len(TITLES) - 1:  # `fit` is of numbers, others are of classes
        hint = ""
    inside = f'<div id="figures">{"".join(shown)}</div>' if shown else ""
    return f"<h3>Figures</h3>\n{hint}\n{inside}", notes


def drawn(run: RunRecord) -> Iterator[tuple[Name, str, bytes | None]]:
    """Name, suffix and bytes of each figure, None where it cannot be read: once, although it may
    be there in several formats."""
    for name in EVERY:
        for suffix in TYPES:
            if (run.directory.figures / f"{name}.{suffix}").is_file():
                try:
                    yield name, suffix, run.figure(f"{name}.{suffix}", LARGEST)
                except RunDirectoryError:
                    yield name, suffix, None
                break


def figure(name: Name, suffix: str, data: bytes) -> str:
    title, text = TITLES[name]
    source = f"data:{TYPES[suffix]};base64,{base64.b64encode(data).decode('ascii')}"
    button = '<button type="button" aria-pressed="false" hidden>Full size</button>'
    return (
        f"<figure><figcaption><span><b>{title}</b>: {text}</span> {button}</figcaption>"
        f'<div class="scroll" tabindex="0" role="region" aria-label="{title}">'
        f'<img src="{source}" alt="{title}: {text}"></div></figure>\n'
    )
