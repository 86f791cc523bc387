"""`exp predict RUN FILE`: predictions of a trained model for the rows of a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from exp.cli.options import FILE, OUTPUT, Choice, refuse_swapped, trust_option
from exp.data.reading_settings import DELIMITERS, sign_of
from exp.runs.record import CHECKPOINTS
from exp.runs.trained.source import file_format, source_of
from exp.util.errors import shown
from exp.util.files import write_output
from exp.util.terminal import one_line, write_data


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
@click.argument("run", type=FILE)
@click.argument("file", type=FILE)
@click.option(
    "--output", metavar="FILE", type=OUTPUT, help="File to write, .csv or .parquet. Default: print."
)
@click.option(
    "--checkpoint",
    type=Choice(CHECKPOINTS),
    default="final",
    show_default=True,
    help="Weights to use. final: the weights of the reported scores.",
)
@click.option(
    "--delimiter",
    type=Delimiter(),
    metavar="CHARACTER",
    help=(
        "Delimiter of a CSV file: comma, semicolon, tab, bar or space. Default: that of the "
        "run's data set, or the only one that fits the header."
    ),
)
@trust_option
def command(
    run: str, file: str, output: str | None, checkpoint: str, delimiter: str | None, trust: bool
) -> int:
    """Predict the rows of a CSV (UTF-8, with a header), Parquet or npz file.

    RUN is the directory of a run, or a model file of exp export --to safetensors. Columns are found
    by name, in any order. The output keeps all columns of the file and adds probability:CLASS for
    each class, and predicted. It replaces existing columns of these names.
    """
    refuse_swapped(run, file, "exp predict")
    target = None if output is None else Path(output).absolute()
    source = source_of(run)
    file_format(file)  # a missing file is reported before torch is imported
    from exp.runs.trained import predicted_file, predictor  # torch

    trained = predictor.Trained.of(source, trust=trust, checkpoint=checkpoint)
    found = predicted_file.predicted(trained, file, delimiter)
    for note in found.notes:
        print(f"exp predict: {one_line(file)}: {note}", file=sys.stderr)
    if target is None:
        write_data(found.csv)
    else:
        parquet = target.suffix in (".parquet", ".pq")
        write_output(target, found.parquet if parquet else found.csv.encode())
    return 0
