"""Where a trained model is (in the directory of a run, or in a model file), and what kind of file
its rows are in. Importing this imports no torch."""

from __future__ import annotations

from pathlib import Path

from exp.runs.record import RunRecord
from exp.util.folders import existing
from exp.util.text_file import content, place_of

FORMATS = {b"PAR1": "parquet", b"PK\x03\x04": "npz"}
"""How files of rows begin that are not text."""

Source = RunRecord | Path
"""A run, or the path of a model file."""


def source_of(text: str) -> Source:
    """What a command line names; the files of a run are compared with their digests.

    Raises:
        RunDirectoryError: there is neither a run nor a file.
        DamagedError: a file of the run is corrupted.
    """
    path = existing(text, file=True)
    if path.is_file():
        return path
    run = RunRecord.at(path)
    run.check()
    return run


def file_format(file: str) -> str:
    """Of `FORMATS` by how a file of rows begins, else csv.

    Raises:
        DataError: there is no such file, or it is neither of them nor text.
    """
    with place_of(file, "a file of rows").open("rb") as stream:
        found = FORMATS.get(stream.read(4), "csv")
    if found == "csv":
        content(file)
    return found
