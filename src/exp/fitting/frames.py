"""Tables of pandas and polars as the csv text that `exp fit` reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from exp.data.faults import raise_any, repeated
from exp.util.errors import DataError, ExpError, shown, unknown

SCALARS = ("string", "empty", "bytes", "integer", "floating", "decimal", "boolean", "date",
           "datetime", "datetime64", "time", "timedelta", "timedelta64", "period", "categorical",
           "mixed-integer-float", "mixed-integer", "mixed")  # fmt: skip


def pandas_frame(data: Any) -> pd.DataFrame:
    """A pandas table of a table of pandas or polars, or of a mapping from names to columns.

    Raises:
        ExpError: it is none of these.
    """
    if isinstance(data, pd.DataFrame):
        return data
    if isinstance(data, Mapping):
        try:
            return pd.DataFrame(dict(data))
        except ValueError as error:
            raise DataError(f"the mapping cannot be used as a table: {error}") from error
    if hasattr(data, "collect") and hasattr(data, "lazy"):  # a LazyFrame of polars
        data = data.collect()
    if hasattr(data, "to_pandas") and not hasattr(data, "to_frame"):
        try:
            found = data.to_pandas()
        except ImportError:  # polars needs pyarrow for that; columns as lists need nothing
            found = pd.DataFrame({name: data[name].to_list() for name in data.columns})
        if isinstance(found, pd.DataFrame):
            return found
    raise ExpError(
        f"expected a DataFrame of pandas or polars, or the path of a csv or Parquet file, found "
        f"{type(data).__name__}"
    )


def csv_of(data: Any, target: str, named: Iterable[str]) -> tuple[str, dict[str, Any]]:
    """A table as csv text, and the settings with which it is read as it was.

    Args:
        data: as for `pandas_frame`.
        target: name of the column that is predicted.
        named: of other columns that are needed; those of the index are columns then.

    Raises:
        DataError: it has columns that no file could have.
    """
    frame = pandas_frame(data)
    if frame.columns.nlevels > 1:
        raise DataError("the columns have several levels (MultiIndex): give each column one name")
    names = [str(name) for name in frame.columns]
    raise_any([f"{n} columns have the name {shown(name)}" for name, n in repeated(names).items()])
    wanted = [target, *named]
    levels = [name for name in frame.index.names if name is not None]
    if added := [name for name in levels if str(name) in wanted and str(name) not in names]:
        frame = frame.reset_index(level=added)
    frame = frame.reset_index(drop=True)
    frame = frame.set_axis([str(name) for name in frame.columns], axis=1)
    known = list(frame.columns)
    raise_any([unknown("column", name, known, "There are") for name in wanted if name not in known])
    if not len(frame):
        raise DataError("the table has no rows")
    categorical = []
    columns = {}
    for name in known:
        values = frame[name]
        if isinstance(values.dtype, pd.CategoricalDtype) and name != target:
            categorical.append(name)
        columns[name] = written(name, values)
    labels = columns[target]
    if pd.api.types.is_float_dtype(labels) and (labels.dropna() % 1 == 0).all():
        # Missing labels make whole numbers floating: a class is 1 and not 1.0.
        columns[target] = labels.astype("Float64").astype("Int64")
    text = pd.DataFrame(columns).to_csv(index=False, lineterminator="\n")
    return text, {"categorical": categorical} if categorical else {}


def written(name: str, values: pd.Series) -> pd.Series:
    """A column as it is written.

    Raises:
        DataError: it holds something else than numbers, truth values, dates and texts.
    """
    if isinstance(values.dtype, pd.PeriodDtype):
        return values.dt.to_timestamp()
    if pd.api.types.is_timedelta64_dtype(values):
        return values / pd.Timedelta(days=1)
    kind = pd.api.types.infer_dtype(values, skipna=True)
    objects = values.dropna() if values.dtype == object else ()
    strange = [
        each for each in objects if pd.api.types.is_list_like(each) or isinstance(each, bytes)
    ]
    if kind not in SCALARS or strange:
        found = f"{type(strange[0]).__name__}s" if strange else kind
        raise DataError(
            f"column {shown(name)}: expected numbers, truth values, dates or texts, found {found}"
        )
    return values
