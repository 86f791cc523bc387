"""Features that a split uses as groups or parts, and that are features no longer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from exp.data.dataset import Data
from exp.data.split_columns import column_of
from exp.util.errors import SplitError, shown, unknown


def set_aside(data: Data, names: Sequence[str]) -> Data:
    """The data with these columns in `columns`: those that are features are features no longer.

    Raises:
        SplitError: there is no such column, a value in it is missing, or no feature is left.
    """
    for name in names:
        if name in data.columns:
            continue
        if name not in data.features:
            known = [*data.features, *data.columns]
            wrong = unknown("column", name, known, allowed="The columns are")
            raise SplitError(wrong)
        at = data.features.index(name)
        X: Any = data.X
        values: Any = X[:, at]
        if (texts := data.categories[at] if data.categories else None) is not None:
            known_rows = ~np.isnan(values)
            texts_or_none: Any = np.array([*texts, None], object)
            values = texts_or_none[np.where(known_rows, values, len(texts)).astype(np.int64)]
        column = column_of(values, name)
        if len(data.features) == 1:
            raise SplitError(f"{shown(name)} is the only feature; no feature is left")
        left = [place for place in range(len(data.features)) if place != at]
        categories = tuple(data.categories[place] for place in left) if data.categories else ()
        data = replace(
            data,
            X=np.ascontiguousarray(X[:, left]),
            features=tuple(data.features[place] for place in left),
            units=tuple(data.units[place] for place in left),
            categories=categories if any(each is not None for each in categories) else (),
            columns={**data.columns, name: column},
        )
    return data
