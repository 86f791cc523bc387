"""`exp export RUN --to FORMAT`: a trained model as a file for other programs."""

from __future__ import annotations

from pathlib import Path

import click

from exp.cli.options import DIRECTORY, OUTPUT, Choice, can_be_written, trust_option
from exp.runs.record import CHECKPOINTS, RunRecord
from exp.util.errors import RunDirectoryError
from exp.util.files import reason_of, write_through
from exp.util.folders import existing

FORMATS = {"onnx": ".onnx", "torchscript": ".pt", "state_dict": ".safetensors"}
"""Format -> how the names of its files end."""


@click.command("export")
@click.argument("run", type=DIRECTORY)
@click.option(
    "--to", "file_format", type=Choice(tuple(FORMATS)), required=True, help="File format."
)
@click.option(
    "--output",
    metavar="FILE",
    type=OUTPUT,
    help="File to write. Default: model.onnx, .pt, or .safetensors.",
)
@click.option("--checkpoint", type=Choice(CHECKPOINTS), default="final", show_default=True)
@trust_option
def command(run: str, file_format: str, output: str | None, checkpoint: str, trust: bool) -> int:
    """Write the trained model of a run as a file for other programs.

    onnx and torchscript take rows [rows, features] in original units as float32. They apply the
    standardization of the run and return probabilities [rows, classes]. state_dict contains only
    the weights; the command prints the code that loads them.
    """
    path = Path(output or f"model{FORMATS[file_format]}")
    can_be_written(str(path), "--output")
    whole = path.absolute()
    saved = RunRecord.at(existing(run))
    saved.check()
    from exp.runs.trained import formats, predictor  # torch

    formats.available(file_format)
    trained = predictor.Trained.of(saved, trust=trust, checkpoint=checkpoint)
    data, usage = formats.exported(trained, file_format, str(path))
    try:
        write_through(whole, data)
    except OSError as error:
        raise RunDirectoryError(f"cannot write {path}: {reason_of(error)}") from error
    print(usage)
    return 0
