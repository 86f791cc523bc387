"""`exp export RUN --to FORMAT`: a trained model as a file for other programs."""

from __future__ import annotations

from pathlib import Path

import click

from exp.cli.options import FILE, OUTPUT, Choice, can_be_written, trust_option
from exp.runs.record import CHECKPOINTS
from exp.runs.trained.source import source_of
from exp.util.errors import RunDirectoryError
from exp.util.files import reason_of, write_through

FORMATS = {
    "onnx": ".onnx", "safetensors": ".safetensors", "torchscript": ".pt",
    "state_dict": ".safetensors",
}  # fmt: skip
"""Format -> how the names of its files end."""


@click.command("export")
@click.argument("run", type=FILE)
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
    """Write the trained model of a run (or of a model file) as one file.

    onnx takes raw rows, with categories and missing values where the run had them, and returns
    probabilities [rows, classes] and labels. safetensors is the model for exp predict and exp.load,
    without the run and its data. torchscript takes rows of numbers. state_dict contains only the
    weights. The command prints the code that uses the file.
    """
    path = Path(output or f"model{FORMATS[file_format]}")
    can_be_written(str(path), "--output")
    whole, source = path.absolute(), source_of(run)
    from exp.runs.trained import formats, predictor  # torch

    formats.available(file_format)
    trained = predictor.Trained.of(source, trust=trust, checkpoint=checkpoint)
    data, usage = formats.exported(trained, file_format, str(path))
    try:
        write_through(whole, data)
    except OSError as error:
        raise RunDirectoryError(f"cannot write {path}: {reason_of(error)}") from error
    print(usage)
    return 0
