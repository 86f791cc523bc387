"""The rows of a csv file with the answers of a trained model beside them."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import replace

from exp.data.file_faults import FileFaults
from exp.data.read_table import read_table
from exp.data.readers import records
from exp.data.reading_settings import Kind, Reading
from exp.runs.targets import target_of
from exp.runs.trained.predictor import Trained
from exp.util.serialize import csv_text
from exp.util.text_file import content


def predicted(trained: Trained, file: str, delimiter: str | None = None) -> tuple[str, list[str]]:
    """The csv text of a file's rows with the answers of a model behind them.

    Args:
        file: in UTF-8, with a header; columns are found by name.
        delimiter: between two fields; None: the one of the file that the model was trained on.

    Returns:
        The text, and notes about categories that the model does not know.

    Raises:
        DataError: naming line and column of what is wrong in the file.
    """
    data, encoding = trained.job.data.data, trained.job.data.encoding
    reading = data.reading or Reading(missing="impute" if data.gaps else "refuse")
    kinds: Mapping[str, Kind] = reading.kinds or {
        name: "category" if name in data.categorical else "number" for name in data.features
    }
    reading = replace(
        reading,
        target=None,
        features=trained.features,
        delimiter=delimiter or reading.delimiter,
        kinds=kinds,
        # Every row of the file is predicted, or none.
        missing="refuse" if reading.missing == "drop" else reading.missing,
    )
    X = read_table(file, "csv", reading).frame
    notes: list[str] = []
    if encoding is not None:
        texts = {name: X[name].dropna().tolist() for name in data.categorical}
        notes = list(encoding.unknown(texts, "rows"))
    target = target_of(data)
    added, columns = target.answers, target.columns(trained.answers(X), trained.numbered(X))
    text = io.StringIO(content(file).decode("utf-8-sig"), newline="")
    (_, header), *rows = records(text, reading.delimiter, FileFaults(file, "line"))
    kept = [place for place, name in enumerate(header) if name.strip() not in added]
    lines = (
        [*(fields[place] for place in kept), *answer]
        for (_, fields), answer in zip(rows, zip(*columns, strict=True), strict=True)
    )
    return csv_text([*(header[place] for place in kept), *added], lines), notes
