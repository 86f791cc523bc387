"""What a metric promises: a number for any rows, whatever their order, better for right answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from exp.cli.check.subject import Subject
from exp.components.metrics import Metric
from exp.util.errors import ExpError

ROWS = 60
Rows = tuple[NDArray[Any], NDArray[Any], NDArray[Any], int | None, tuple[str, ...]]
"""What a `Metric` is called with."""


@pytest.fixture
def metric(subject: Subject) -> Metric:
    found: Any = subject.component.builder
    return found  # type: ignore[no-any-return]


def rows(metric: Metric, sure: float) -> Iterator[Rows]:
    """Rows with answers, of two classes and of three, or of numbers.

    Args:
        sure: how good the answers are, from 0, a guess, to 1.
    """
    rng = np.random.default_rng(0)
    if metric.regression:
        target = rng.normal(size=ROWS)
        predicted = sure * target + (1 - sure) * rng.normal(size=ROWS)
        yield target, predicted, predicted[:, None], None, ()
        return
    for classes in (2, 3):
        truth = np.arange(ROWS) % classes
        chances = (1 - sure) * rng.dirichlet(np.ones(classes), ROWS) + sure * np.eye(classes)[truth]
        names = tuple("abc"[:classes])
        yield truth, chances.argmax(axis=1), chances, 1 if classes == 2 else None, names


def usable(metric: Metric, sure: float) -> list[Rows]:
    """Those of them that it takes: a metric may be for two classes only.

    Raises:
        ExpError: it takes none.
    """
    found, errors = [], []
    for each in rows(metric, sure):
        try:
            metric(*each)
            found.append(each)
        except ExpError as error:
            errors.append(error)
    if errors and not found:
        raise errors[0]
    return found


@pytest.mark.essential
def test_a_number(metric: Metric) -> None:
    """a finite number for two and for three classes"""
    assert all(metric(*each) is not None for each in usable(metric, 0.5)), "none"


def test_direction(metric: Metric) -> None:
    """a better value for right answers than for guesses"""
    word = "higher" if metric.higher_is_better else "lower"
    for right, guessed in zip(usable(metric, 1.0), usable(metric, 0.0), strict=True):
        good, bad = metric(*right), metric(*guessed)
        better = (
            good is not None
            and bad is not None
            and good != bad
            and (good > bad) == metric.higher_is_better
        )
        assert better, f"{good} for right answers and {bad} for guesses, where {word} is better"


def test_order(metric: Metric) -> None:
    """the same value for any order of the rows"""
    for truth, predicted, chances, positive, classes in usable(metric, 0.5):
        one = metric(truth, predicted, chances, positive, classes)
        reverse = truth[::-1].copy(), predicted[::-1].copy(), chances[::-1].copy()
        other = metric(*reverse, positive, classes)
        close = np.isclose(one or 0.0, other or 0.0)
        assert close, f"{one} and, with the rows in another order, {other}"


def test_repeatable(metric: Metric) -> None:
    """the same value for the same rows"""
    for each in usable(metric, 0.5):
        one, other = metric(*each), metric(*each)
        assert one == other, f"{one}, then {other}"
