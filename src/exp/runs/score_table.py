"""The table of scores that a run ends with, of its summary.json."""

from __future__ import annotations

from typing import Any

from exp.util.metric_names import EVERY, MACRO
from exp.util.terminal import one_line

SPLITS = ("train", "validation", "test")
FINAL = ("loss", *(name for name in EVERY if name != "loss"))
"""Scores of the table, in their order."""


def score_table(summary: dict[str, Any]) -> list[str]:
    """A line for each score, with a column for each split, and what the scores are of."""
    final = summary["final"]
    splits = [name for name in SPLITS if f"{name}/loss" in final]
    every = (*FINAL, *summary.get("metrics", ()))
    names = [name for name in every if any(f"{split}/{name}" in final for split in splits)]
    lines = [f"{'':<18}" + "".join(f"{name:>12}" for name in splits)]
    for name in names:
        cells = [final.get(f"{split}/{name}") for split in splits]
        texts = ["-" if cell is None else f"{cell:.4f}" for cell in cells]
        lines.append(f"{name:<18}" + "".join(f"{text:>12}" for text in texts))
    return [one_line(text) for text in [*lines, *about_scores(summary)]]


def about_scores(summary: dict[str, Any]) -> list[str]:
    """Which weights the scores of the table are of, and what precision, recall and the like are."""
    best, lines = summary["best"], []
    if summary["weights"] == "best" and "epoch" in best:
        lines.append(f"weights: after epoch {best['epoch']}, the best by {best['monitor']}")
    if summary.get("average") == "binary":
        lines.append(f"positive class: {summary['positive']}")
    if summary.get("average") == "macro":
        lines.append(f"means over classes (macro): {', '.join(MACRO)}")
    return ["", *lines] if lines else []
