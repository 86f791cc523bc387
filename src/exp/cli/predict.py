"""`exp predict RUN FILE`: predictions of a trained model for the rows of a csv file."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from exp.cli.options import DIRECTORY, FILE, Choice, refuse_swapped, trust_option
from exp.data.reading import DELIMITERS, Kind, Reading, sign_of
from exp.runs.record import RunRecord
from exp.runs.trained_models import CHECKPOINTS
from exp.util.errors import ExpError, shown
from exp.util.files import write_output
from exp.util.folders import existing
from exp.util.serialize import csv_text
from exp.util.terminal import one_line, write_data
from exp.util.text_file import content


class Delimiter(click.ParamType):  # type: ignore[type-arg]
    """What separates the fields of a file, by its name or as it is."""

    name = "character"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        found = sign_of(value)
        if found not in DELIMITERS:
            self.fail(
                f"expected comma, semicolon, tab, bar or space, found {shown(value)}", param, ctx
            )
        return str(found)


@click.command("predict")
@click.argument("run", type=DIRECTORY)
@click.argument("file", type=FILE)
@click.option("--output", metavar="FILE", type=FILE, help="File to write. Default: print.")
@click.option(
    "--checkpoint",
    type=Choice(CHECKPOINTS),
    default="final",
    show_default=True,
    help="Weights to use; final: those behind the reported scores.",
)
@click.option(
    "--delimiter",
    type=Delimiter(),
    default=",",
    metavar="CHARACTER",
    help="Separates the fields of the file: comma, semicolon, tab, bar or space.",
)
@trust_option
def predict(
    run: str, file: str, output: str | None, checkpoint: str, delimiter: str, trust: bool
) -> int:
    """Predict the rows of a CSV file (UTF-8, with a header).

    Columns are found by name, in any order. All columns of the file are kept; probability:CLASS
    for each class, and predicted, are added on the right and replace columns of those names.
    """
    refuse_swapped(run, file, "exp predict")
    target = None if output is None else writable(Path(output))
    saved = RunRecord.at(existing(run))
    saved.check()
    content(file)  # a missing file is reported before torch is imported
    from exp.runs.trained.predictor import Trained

    trained = Trained.of(saved, trust=trust, checkpoint=checkpoint)
    text = predicted(trained, file, delimiter)
    if target is None:
        write_data(text)
    else:
        write_output(target, text.encode())
    return 0


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
