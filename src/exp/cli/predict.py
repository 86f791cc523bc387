"""`exp predict RUN FILE`: predictions of a trained model for the rows of a csv file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from exp.cli.options import FILE, OUTPUT, Choice, refuse_swapped, trust_option
from exp.data.reading_settings import DELIMITERS, sign_of
from exp.runs.record import CHECKPOINTS
from exp.runs.trained.source import source_of
from exp.util.errors import shown
from exp.util.files import write_output
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
@click.argument("run", type=FILE)
@click.argument("file", type=FILE)
@click.option("--output", metavar="FILE", type=OUTPUT, help="File to write. Default: print.")
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
        "Delimiter of the file: comma, semicolon, tab, bar or space. Default: that of the "
        "run's data set, else comma."
    ),
)
@trust_option
def command(
    run: str, file: str, output: str | None, checkpoint: str, delimiter: str | None, trust: bool
) -> int:
    """Predict the rows of a CSV file (UTF-8, with a header).

    Columns are found by name, in any order. The output keeps all columns of the file and adds
    probability:CLASS for each class, and predicted. It replaces existing columns of these names.
    """
    refuse_swapped(run, file, "exp predict")
    target = None if output is None else Path(output).absolute()
    source = source_of(run)
    content(file)  # a missing file is reported before torch is imported
    from exp.runs.trained import predicted_file, predictor  # torch

    trained = predictor.Trained.of(source, trust=trust, checkpoint=checkpoint)
    text, notes = predicted_file.predicted(trained, file, delimiter)
    for note in notes:
        print(f"exp predict: {one_line(file)}: {note}", file=sys.stderr)
    if target is None:
        write_data(text)
    else:
        write_output(target, text.encode())
    return 0
