"""`exp predict RUN FILE`: predictions of a trained model for the rows of a csv file."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from exp.data.reading import DELIMITERS, Kind, Reading, sign_of
from exp.runs.record import RunRecord
from exp.runs.stored_plan import TRUST
from exp.runs.trained_models import CHECKPOINTS
from exp.util.errors import ExpError, shown
from exp.util.files import write_output
from exp.util.serialize import csv_text
from exp.util.terminal import one_line, write_data
from exp.util.text_file import content
from exp.util.verb_parser import Parser, in_order, place


def main(words: list[str]) -> int:
    """Writes the file's columns with probabilities and the predicted label behind them.

    Raises:
        DataError: the file cannot be read, or lacks a column.
        RunDirectoryError: there is no finished run, or the output cannot be written.
    """
    parser = Parser(
        prog="exp predict",
        description="Labels and probabilities for the rows of a csv file, or predicted numbers. "
        "Columns are found by name, in any order; all columns of the file are kept, and "
        "probability:CLASS for each class and predicted are written behind them (in place of "
        "columns of those names).",
    )
    parser.add_argument("run", help="directory of a run")
    parser.add_argument("file", help="csv file with a header, in UTF-8")
    parser.add_argument("--output", metavar="FILE", help="where to write; by default it is printed")
    parser.add_argument("--checkpoint", choices=CHECKPOINTS, default="final",
        help="final, the default: the one that the scores of the run are of",
    )  # fmt: skip
    parser.add_argument("--delimiter", type=delimiter, default=",", metavar="CHARACTER",
        help="between the fields of the file: comma, semicolon, tab, bar or space",
    )  # fmt: skip
    parser.add_argument("--trust", action="store_true", help=TRUST)
    args = parser.parse_args(words)
    in_order(args.run, args.file, "exp predict")
    output = None if args.output is None else writable(Path(args.output))
    run = RunRecord.at(place(args.run))
    run.check()
    content(args.file)  # a missing file is reported before torch is imported
    from exp.runs.trained.predictor import Trained

    trained = Trained.of(run, trust=args.trust, checkpoint=args.checkpoint)
    text = predicted(trained, args.file, args.delimiter)
    if output is None:
        write_data(text)
        return 0
    write_output(output, text.encode())
    return 0


def delimiter(text: str) -> str:
    """
    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    found = sign_of(text)
    if found not in DELIMITERS:
        raise argparse.ArgumentTypeError(
            f"expected comma, semicolon, tab, bar or space, found {shown(text)}"
        )
    return str(found)


def writable(path: Path) -> Path:
    """An absolute path of a file that can be made.

    Raises:
        ExpError: its folder is not there, or it is a directory itself.
    """
    whole = path.absolute()
    if whole.is_dir():
        raise ExpError(f"--output: {path} is a directory, expected a file")
    if not whole.parent.is_dir():
        raise ExpError(f"--output: there is no directory {path.parent}")
    return whole


def predicted(trained: Any, file: str, delimiter: str = ",") -> str:
    """The csv text of a file's rows with the answers of a `Trained` behind them.

    Raises:
        DataError: naming line and column of what is wrong in the file.
    """
    from exp.data.file_faults import FileFaults
    from exp.data.readers import records
    from exp.data.table import read_table
    from exp.runs.targets import target_of

    data, encoding = trained.job.data.data, trained.job.data.encoding
    reading = data.reading or Reading(missing="impute" if data.gaps else "refuse")
    kinds: Mapping[str, Kind] = reading.kinds or {
        name: "category" if name in data.categorical else "number" for name in data.features
    }
    reading = replace(
        reading,
        target=None,
        features=trained.features,
        delimiter=delimiter,
        kinds=kinds,
        # Every row of the file is predicted, or none.
        missing="refuse" if reading.missing == "drop" else reading.missing,
    )
    X = read_table(file, "csv", reading).frame
    if encoding is not None:
        texts = {name: X[name].dropna().tolist() for name in data.categorical}
        for note in encoding.unknown(texts, "rows"):
            print(f"exp predict: {one_line(str(file))}: {note}", file=sys.stderr)
    target = target_of(data)
    ours, columns = target.answers, target.columns(trained.answers(X), trained.numbered(X))
    (_, header), *rows = records(content(file), delimiter, FileFaults(file, "line"))
    kept = [place for place, name in enumerate(header) if name.strip() not in ours]
    lines = (
        [*(fields[place] for place in kept), *answer]
        for (_, fields), answer in zip(rows, zip(*columns, strict=True), strict=True)
    )
    return csv_text([*(header[place] for place in kept), *ours], lines)
