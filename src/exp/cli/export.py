"""`exp export RUN --to FORMAT`: a trained model as a file for other programs."""

from __future__ import annotations

from pathlib import Path

from exp.cli.predict import writable
from exp.runs.record import RunRecord
from exp.runs.stored_plan import TRUST
from exp.runs.trained_models import CHECKPOINTS
from exp.util.errors import RunDirectoryError
from exp.util.files import reason_of, write_through
from exp.util.verb_parser import Parser, place

FORMATS = {"onnx": ".onnx", "torchscript": ".pt", "state_dict": ".safetensors"}
"""Format -> how the names of its files end."""


def main(words: list[str]) -> int:
    """Writes the model, and says how it is used.

    Raises:
        ExpError: what the format needs is not installed, or the model cannot be exported.
        RunDirectoryError: there is no finished run, or the file cannot be written.
    """
    parser = Parser(
        prog="exp export",
        description="A trained model as a file. onnx and torchscript take raw rows [rows, "
        "features] float32, standardize them as the run did, and give probabilities [rows, "
        "classes]; state_dict holds the weights, and the code that loads them is printed.",
    )
    parser.add_argument("run", help="directory of a run")
    parser.add_argument("--to", choices=tuple(FORMATS), required=True)
    parser.add_argument("--output", metavar="FILE", help="default: model.onnx, .pt, .safetensors")
    parser.add_argument("--checkpoint", choices=CHECKPOINTS, default="final")
    parser.add_argument("--trust", action="store_true", help=TRUST)
    args = parser.parse_args(words)
    output = Path(args.output or f"model{FORMATS[args.to]}")
    whole = writable(output)
    run = RunRecord.at(place(args.run))
    run.check()
    from exp.runs.trained import formats
    from exp.runs.trained.predictor import Trained

    formats.available(args.to)
    trained = Trained.of(run, trust=args.trust, checkpoint=args.checkpoint)
    data, usage = formats.exported(trained, args.to, str(output))
    try:
        write_through(whole, data)
    except OSError as error:
        raise RunDirectoryError(f"cannot write {output}: {reason_of(error)}") from error
    print(usage)
    return 0
