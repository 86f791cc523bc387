"""The bytes of an exported model, and how they are used."""

from __future__ import annotations

import io
import json
import warnings
from dataclasses import asdict
from importlib.util import find_spec

import torch
from safetensors.torch import save

from exp.runs.trained import usage_code
from exp.runs.trained.example_rows import trial_rows
from exp.runs.trained.plain_module import deployed, encoded_rows, plain
from exp.runs.trained.predictor import Trained
from exp.util.errors import ExpError, ImpossibleError
from exp.util.serialize import finite

NEEDED = ("onnx", "onnxruntime", "onnxscript")
"""What the export to ONNX imports; its answers are compared in ONNX Runtime."""


def available(form: str) -> None:
    """
    Raises:
        ExpError: what a format needs is not installed.
    """
    missing = [name for name in NEEDED if find_spec(name) is None] if form == "onnx" else []
    if missing:
        listing = ", ".join(missing)
        raise ExpError(f"--to onnx: not installed: {listing}: pip install 'exp[onnx]'")


def exported(trained: Trained, form: str, name: str) -> tuple[bytes, str]:
    """The content of a file, and the code that uses it.

    Args:
        form: onnx, safetensors, torchscript or state_dict.
        name: of the file, as that code has it.

    Raises:
        ImpossibleError: the model cannot be exported.
    """
    if form == "onnx":
        from exp.runs.trained import onnx_graph  # onnx, an extra

        return onnx_graph.content(trained), usage_code.onnx(trained, name)
    if form == "safetensors":
        return trained.file(), usage_code.model_file(name)
    if form == "state_dict":
        return state_dict(trained), usage_code.state_dict(trained, name)
    return torchscript(trained), usage_code.torchscript(trained, name)


def torchscript(trained: Trained) -> bytes:
    """The model traced; `torch.jit.load` reads it without exp.

    Raises:
        ImpossibleError: it cannot be exported.
    """
    if trained.job.data.data.categorical:
        raise ImpossibleError(
            "torchscript takes rows of numbers, and these rows have categories (texts). Use "
            "exp export --to onnx or --to safetensors"
        )
    module, rows = deployed(trained), trial_rows(trained.preparation, 4)
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # torch says that TorchScript is deprecated: whoever asks for it knows why.
        warnings.filterwarnings("ignore", category=DeprecationWarning, message=".*torch.jit")
        warnings.filterwarnings("ignore", message="Using len to get tensor shape")
        example = torch.from_numpy(encoded_rows(trained, rows))
        traced = torch.jit.trace(module, example, check_trace=False)  # type: ignore[no-untyped-call]
        torch.jit.save(torch.jit.freeze(traced), buffer)
    return buffer.getvalue()


def state_dict(trained: Trained) -> bytes:
    """The weights of the plain module as safetensors; its metadata `exp` is JSON with `features`,
    `classes`, the standardization, `mean` and `scale` (null: none), and that of a target that is a
    number, `target_scale` (null: none).

    Raises:
        ImpossibleError: rows are prepared by more than a standardization.
    """
    data = trained.job.data
    if data.encoding is not None or data.mapping is not None:
        raise ImpossibleError(
            "state_dict contains weights only, and these rows are encoded or mapped. Use "
            "exp export --to onnx or --to safetensors"
        )
    numbers = {
        "features": list(trained.features),
        "classes": list(trained.classes),
        "mean": None if data.mean is None else data.mean.tolist(),
        "scale": None if data.scale is None else data.scale.tolist(),
        "target_scale": None if data.target_scale is None else asdict(data.target_scale),
    }
    weights = {name: tensor.contiguous() for name, tensor in plain(trained).state_dict().items()}
    metadata = {"exp": json.dumps(finite(numbers), allow_nan=False, ensure_ascii=False)}
    return bytes(save(weights, metadata))
