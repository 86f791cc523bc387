"""What a metric promises: a number for any rows, whatever their order, better for right answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exp.cli.check.finding import Checks
from exp.cli.check.subject import Subject
from exp.components.metrics import Metric
from exp.util.errors import ExpError

CHECKS = Checks()
ROWS = 60
Rows = tuple[NDArray[Any], NDArray[Any], NDArray[Any], int | None, tuple[str, ...]]
"""What a `Metric` is called with."""


def metric(subject: Subject) -> Metric:
    found: Any = subject.component.builder
    return found  # type: ignore[no-any-return]


def rows(each: Metric, sure: float) -> Iterator[Rows]:
    """Rows with answers, of two classes and of three, or of numbers.

    Args:
        sure: how good the answers are, from 0, a guess, to 1.
    """
    rng = np.random.default_rng(0)
    if each.regression:
        target = rng.normal(size=ROWS)
        predicted = sure * target + (1 - sure) * rng.normal(size=ROWS)
        yield target, predicted, predicted[:, None], None, ()
        return
    for classes in (2, 3):
        truth = np.arange(ROWS) % classes
        chances = (1 - sure) * rng.dirichlet(np.ones(classes), ROWS) + sure * np.eye(classes)[truth]
        names = tuple("abc"[:classes])
        yield truth, chances.argmax(axis=1), chances, 1 if classes == 2 else None, names


def usable(each: Metric, sure: float) -> list[Rows]:
    """Those of them that it takes: a metric may be for two classes only.

    Raises:
        ExpError: it takes none.
    """
    found, failed = [], None
    for given in rows(each, sure):
        try:
            each(*given)
            found.append(given)
        except ExpError as error:
            failed = failed or error
    if failed is not None and not found:
        raise failed
    return found


@CHECKS.add("a number", "a finite number for rows of two classes or of three", essential=True)
def gives_a_number(subject: Subject) -> str | None:
    each = metric(subject)
    values = [each(*given) for given in usable(each, 0.5)]
    return "none" if None in values else None


@CHECKS.add("direction", "a better value for right answers than for guesses")
def better_when_right(subject: Subject) -> str | None:
    each = metric(subject)
    for right, guessed in zip(usable(each, 1.0), usable(each, 0.0), strict=True):
        good, bad = each(*right), each(*guessed)
        if good is None or bad is None or (good > bad) != each.higher_is_better or good == bad:
            word = "higher" if each.higher_is_better else "lower"
            return f"{good} for right answers and {bad} for guesses, where {word} is better"
    return None


@CHECKS.add("order", "the same value whatever the order of the rows")
def any_order(subject: Subject) -> str | None:
    each = metric(subject)
    for truth, predicted, chances, positive, classes in usable(each, 0.5):
        back = slice(None, None, -1)
        one = each(truth, predicted, chances, positive, classes)
        other = each(
            truth[back].copy(), predicted[back].copy(), chances[back].copy(), positive, classes
        )
        if not np.isclose(one or 0.0, other or 0.0):
            return f"{one} and, with the rows in another order, {other}"
    return None


@CHECKS.add("again", "the same value for the same rows")
def same_again(subject: Subject) -> str | None:
    each = metric(subject)
    for given in usable(each, 0.5):
        one, other = each(*given), each(*given)
        if one != other:
            return f"{one}, then {other}"
    return None
