"""What is printed when a fit ends: scores, how sure they are, and what matters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exp.fitting.permutation import Importance
from exp.fitting.scored_rows import Answers, baseline, interval
from exp.util.metric_names import higher_is_better
from exp.util.terminal import one_line
from exp.util.text_tables import aligned, count, number

SHOWN = 5
"""Columns that are named."""
OF_CLASSES = ("accuracy", "balanced_accuracy", "auroc", "log_loss")
OF_NUMBERS = ("rmse", "mae", "r2")


def closing(
    parts: dict[str, Answers],
    train: NDArray[Any],
    metric: str,
    found: Sequence[Importance],
    groups: NDArray[Any] | None = None,
) -> list[str]:
    """Lines about the scores of a model, and about its columns.

    Args:
        parts: validation and test: their rows.
        train: [training rows] their true values.
        metric: the score by which the model was chosen.
        found: the importance of the columns, the greatest first.
        groups: [test rows] which of them belong together.
    """
    last = "test" if "test" in parts else next(iter(parts), "")
    lines: list[str] = []
    if last:
        answers = parts[last]
        usual = baseline(train, answers)
        others = OF_NUMBERS if answers.numeric else OF_CLASSES
        names = list(dict.fromkeys([metric, *others]))
        simple = "the mean" if answers.numeric else "the most frequent class"
        cells = [["", *parts, "95 % interval", f"always {simple}"]]
        for name in names:
            ends = interval(answers, name, groups)
            scores = [number(part.score(name)) for part in parts.values()]
            text = "-"
            if ends is not None and number(ends[0]) != number(ends[1]):
                text = f"{number(ends[0])} to {number(ends[1])}"
            cells.append([name, *scores, text, number(usual.score(name))])
        lines += aligned(cells, right=range(1, len(cells[0])))
        lines += ["", about(parts, groups)]
    if found:
        falls = "falls" if higher_is_better(metric) else "rises"
        listed = ", ".join(f"{one_line(f.column)} {number(f.mean)}" for f in found[:SHOWN])
        lines.append(f"By how much {metric} {falls} if a column is shuffled: {listed}")
    return lines


def about(parts: dict[str, Answers], groups: NDArray[Any] | None) -> str:
    """What the scores are an estimate of."""
    if "test" not in parts:
        return (
            "There are no test rows. The model was chosen by the validation rows, so their scores "
            "are too good: --test 0.2 sets rows aside for an estimate"
        )
    rows = count(len(parts["test"].truth), "test row")
    if groups is not None:
        rows += f" of {count(len(np.unique(groups)), 'group')}"
    return (
        f"The {rows} took no part in training or in choosing the model; the interval shows how "
        "much a score depends on which rows these are"
    )
