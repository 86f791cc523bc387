"""What two runs predict for the test rows that they share."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from exp.report.statistics.paired import mcnemar
from exp.report.statistics.verdicts import p_text
from exp.runs.collection import part
from exp.runs.predictions import Predictions
from exp.runs.record import RunRecord


def answers(one: RunRecord, other: RunRecord) -> str:
    """On how many test rows of both they differ, in one line, with an exact test of which of them
    is right more often, or closer where the target is a number.

    Raises:
        RunDirectoryError: a predictions.csv is damaged.
    """
    data = [part(run.record, "data") for run in (one, other)]
    if data[0].get("fingerprint") != data[1].get("fingerprint"):
        return "answers: the runs used different data"
    if not all(run.directory.predictions.exists() for run in (one, other)):
        return "answers: one of the runs has no predictions.csv"
    left, right = one.predictions(), other.predictions()
    mine, theirs = (np.flatnonzero(each.split == "test") for each in (left, right))
    _, at, there = np.intersect1d(left.row[mine], right.row[theirs], return_indices=True)
    if not len(at):
        return "answers: no test row in common"
    compared = in_numbers if left.numeric else in_classes
    return f"answers: {compared(left, right, mine[at], theirs[there])}"


def in_classes(
    left: Predictions, right: Predictions, at: NDArray[np.intp], there: NDArray[np.intp]
) -> str:
    """On how many rows two models name another class, and which of them is right.

    Args:
        at, there: places of the same rows in both.
    """
    # By name: two runs may count their classes in another order.
    truth, a = (np.array(left.classes)[codes[at]] for codes in (left.truth, left.predicted))
    b = np.array(right.classes)[right.predicted[there]]
    differ = int((a != b).sum())
    if not differ:
        return f"the same on all {len(at):,} common test rows"
    only_a, only_b = (int(((x == truth) & (a != b)).sum()) for x in (a, b))
    p = p_text(mcnemar(only_a, only_b))
    return (
        f"{differ:,} of {len(at):,} common test rows differ; A alone is right on "
        f"{only_a:,}, B alone on {only_b:,} (McNemar's exact test: {p})"
    )


def in_numbers(
    left: Predictions, right: Predictions, at: NDArray[np.intp], there: NDArray[np.intp]
) -> str:
    """By how much two models predict other numbers, and which of them is closer to the target."""
    truth, a, b = left.truth[at], left.predicted[at], right.predicted[there]
    apart = np.abs(b - a)
    differ = int((a != b).sum())
    if not differ:
        return f"the same on all {len(at):,} common test rows"
    closer = np.abs(a - truth) - np.abs(b - truth)
    closer_a, closer_b = int((closer < 0).sum()), int((closer > 0).sum())
    p = p_text(mcnemar(closer_a, closer_b))
    return (
        f"{differ:,} of {len(at):,} common test rows differ, by {apart.mean():.6g} on average and "
        f"{apart.max():.6g} at most; A is closer to the target on {closer_a:,}, B on "
        f"{closer_b:,} (sign test: {p})"
    )
