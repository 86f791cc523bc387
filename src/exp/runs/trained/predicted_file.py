"""The rows of a file with the answers of a trained model beside them."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from exp.data.faults import rows_text
from exp.data.file_faults import FileFaults
from exp.data.read_table import read_table
from exp.data.readers import needs_pyarrow, pyarrow_reader, read, records
from exp.data.reading_settings import DELIMITERS, Kind, Reading
from exp.runs.targets import target_of
from exp.runs.trained.predictor import Trained
from exp.runs.trained.source import file_format
from exp.util.serialize import csv_text
from exp.util.text_file import content


@dataclass(frozen=True, eq=False)
class Predicted:
    """The rows of a file and the answers of a model.

    Attributes:
        frame: the columns of the file, texts if it is text, and those of the answers behind them,
            which are missing where a row has no answer.
        texts: the answers as csv has them, "" where a row has none.
        numbers: the columns of numbers among the features.
        notes: what a user should know.
    """

    frame: pd.DataFrame
    texts: dict[str, list[str]]
    numbers: pd.DataFrame
    notes: list[str]

    @property
    def csv(self) -> str:
        """The rows as csv."""
        names = [*self.frame]
        columns = [
            self.texts[name] if name in self.texts else texts_of(self.frame.iloc[:, at])
            for at, name in enumerate(names)
        ]
        return csv_text(names, zip(*columns, strict=True))

    @property
    def parquet(self) -> bytes:
        """The rows as Parquet.

        Raises:
            ExpError: pyarrow is not installed.
        """
        needs_pyarrow("--output FILE.parquet")
        typed = self.frame.assign(**dict(self.numbers.items()))
        found: bytes = typed.to_parquet(None, index=False)
        return found


def predicted(trained: Trained, file: str, delimiter: str | None = None) -> Predicted:
    """The rows of a file with the answers of a model behind them.

    Args:
        file: csv in UTF-8 with a header, Parquet or npz; columns are found by name.
        delimiter: between two fields of a csv file; None: the one of the file that the model was
            trained on, or the only other one by which the header has the columns.

    Raises:
        DataError: naming line and column of what is wrong in the file.
        ExpError: pyarrow is not installed.
    """
    data, encoding = trained.job.data.data, trained.job.data.encoding
    kind = file_format(file)
    reading = reading_of(trained)
    if kind == "csv":
        reading = replace(reading, delimiter=delimiter or fitting_delimiter(file, reading))
    X = read_table(file, kind, reading).frame
    notes: list[str] = []
    answered = np.ones(len(X), bool) if data.gaps else X.notna().all(axis=1).to_numpy()
    if count := int((~answered).sum()):
        notes.append(
            f"{rows_text(count)} without an answer: a value is missing, and the run left such rows "
            "out (dataset.missing=drop)"
        )
    if encoding is not None:
        texts = {name: X[name].dropna().tolist() for name in data.categorical}
        notes += encoding.unknown(texts, "rows")
    names = target_of(data).answers
    table = trained.table(X[answered]) if answered.any() else pd.DataFrame(columns=names)
    places = np.flatnonzero(answered)
    texts = {name: spread(table[name].to_numpy().astype(str), places, len(X)) for name in names}
    rows = rows_of(file, kind, reading)
    rows = rows.loc[:, [name.strip() not in names for name in rows]]
    answers = table.set_axis(places, axis=0).reindex(rows.index)
    numbers = X[[name for name, kind in reading.kinds.items() if kind == "number"]]
    frame = pd.concat([rows, answers], axis=1)
    return Predicted(frame, texts, numbers.set_axis(frame.index, axis=0), notes)


def reading_of(trained: Trained) -> Reading:
    """How a file of rows for a model is read. Rows that the run would have left out are kept."""
    data = trained.job.data.data
    reading = data.reading or Reading(missing="impute" if data.gaps else "refuse")
    kinds: Mapping[str, Kind] = reading.kinds or {
        name: "category" if name in data.categorical else "number" for name in data.features
    }
    missing = "impute" if reading.missing == "drop" else reading.missing
    return replace(reading, target=None, features=trained.features, kinds=kinds, missing=missing)


def text_of_file(file: str) -> io.StringIO:
    return io.StringIO(content(file).decode("utf-8-sig"), newline="")


def fitting_delimiter(file: str, reading: Reading) -> str:
    """The delimiter of the run, unless only one other makes columns of all features."""
    fitting = []
    for delimiter in dict.fromkeys((reading.delimiter, *DELIMITERS)):
        _, header = next(records(text_of_file(file), delimiter, FileFaults(file, "line")), (1, []))
        if {name.strip() for name in header} >= {*(reading.features or ())}:
            fitting.append(delimiter)
    if reading.delimiter in fitting or len(fitting) != 1:
        return reading.delimiter
    return fitting[0]


def rows_of(file: str, kind: str, reading: Reading) -> pd.DataFrame:
    """All columns of a file: texts if it is csv."""
    if kind == "parquet":
        found: pd.DataFrame = pyarrow_reader().whole(file)
        return found
    if kind == "npz":
        return pd.DataFrame(read(file, kind, replace(reading, features=None)).columns)
    (_, header), *rows = records(text_of_file(file), reading.delimiter, FileFaults(file, "line"))
    return pd.DataFrame([fields for _, fields in rows], columns=header, dtype=str)


def spread(texts: NDArray[Any], places: NDArray[np.intp], count: int) -> list[str]:
    """Texts of some of so many rows, with "" for the others."""
    out = np.full(count, "", object)
    out[places] = texts
    return out.tolist()


def texts_of(values: pd.Series) -> list[str]:
    """The values of a column as csv has them."""
    there = values.notna()
    return ["" if not known else str(value) for value, known in zip(values, there, strict=True)]
