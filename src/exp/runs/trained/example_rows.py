"""Rows that are made up from a preparation: for signatures, and to compare two ways to a model's
answers."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.random import Generator

from exp.runs.trained.preparation import Preparation, RawColumn

STRANGE = "(a category that the training rows do not have)"
SHARE = 0.15
"""Of values that are missing, and of categories that are not known, in `trial_rows`."""


def examples(preparation: Preparation, count: int) -> pd.DataFrame:
    """Rows as a user would have them: numbers from the range of the training rows, their
    categories, dates as timestamps. Nothing is missing."""
    random = np.random.default_rng(0)
    return pd.DataFrame({c.name: values(c, count, random) for c in preparation.columns})


def values(column: RawColumn, count: int, random: Generator) -> pd.Series:
    if column.kind == "category":
        return pd.Series(random.choice(np.array(column.categories, object), count))
    numbers = random.uniform(column.low, column.high, count)
    if column.kind == "date":
        return pd.to_datetime(numbers.round(), unit="D").to_series(index=range(count))
    return pd.Series(numbers.round(6))


def trial_rows(preparation: Preparation, count: int) -> pd.DataFrame:
    """Rows with everything that may come: values beyond the range of the training rows, missing
    ones where they are allowed, and categories that are not known. Dates are days since
    1970-01-01."""
    random = np.random.default_rng(0)
    columns = {c.name: trial(c, count, preparation.gaps, random) for c in preparation.columns}
    return pd.DataFrame(columns)


def trial(column: RawColumn, count: int, gaps: bool, random: Generator) -> pd.Series:
    if column.kind == "category":
        found = pd.Series(random.choice(np.array([*column.categories, STRANGE], object), count))
        found[random.random(count) < SHARE] = STRANGE
    else:
        middle, width = (column.low + column.high) / 2, column.high - column.low
        found = pd.Series(middle + (width or 1.0) * random.uniform(-0.75, 0.75, count))
    if gaps:
        found[random.random(count) < SHARE] = None
    return found
