"""The bytes of an exported model, and how they are used."""

from __future__ import annotations

import io
import json
import logging
import warnings
from dataclasses import asdict
from importlib.util import find_spec
from typing import Any

import torch
from safetensors.torch import save

from exp.runs.trained import usage_code
from exp.runs.trained.plain_module import Deployed, deployed, plain, preparation
from exp.runs.trained.predictor import Trained
from exp.util.errors import ExpError
from exp.util.serialize import finite

NEEDED = ("onnx", "onnxscript")
"""What torch's exporter imports."""


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
    if form == "state_dict":
        return state_dict(trained), usage_code.state_dict(trained, name)
    if form == "safetensors":
        return trained.file(), usage_code.model_file(name)
    module = deployed(trained)
    if form == "onnx":
        return onnx(module, trained), usage_code.onnx(trained, name)
    return torchscript(module, trained), usage_code.torchscript(trained, name)


def example(trained: Trained) -> torch.Tensor:
    """Rows that a module is traced with: two at least, so that no dimension is taken for 1."""
    return torch.from_numpy(trained.job.data.data.X[:4].copy())


def onnx(module: Deployed, trained: Trained) -> bytes:
    """The model in ONNX: input `rows`, output `probabilities` (or `predictions`), any number of
    rows."""
    quiet = logging.getLogger("torch.onnx")
    level = quiet.level
    quiet.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            # The exporter's own use of what torch deprecates; nothing that a user could change.
            warnings.simplefilter("ignore")
            program: Any = torch.onnx.export(
                module,
                (example(trained),),
                dynamo=True,
                input_names=["rows"],
                output_names=[trained.predictor.objective.loss.answers],
                dynamic_shapes=({0: torch.export.Dim("n", min=1)},),
                verbose=False,
            )
    finally:
        quiet.setLevel(level)
    proto = program.model_proto
    described = {"features": list(trained.features), "classes": list(trained.classes)}
    for key, value in described.items():
        proto.metadata_props.add(key=key, value=json.dumps(value, ensure_ascii=False))
    content: bytes = proto.SerializeToString(deterministic=True)
    return content


def torchscript(module: Deployed, trained: Trained) -> bytes:
    """The model traced; `torch.jit.load` reads it without exp."""
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # torch says that TorchScript is deprecated: whoever asks for it knows why.
        warnings.filterwarnings("ignore", category=DeprecationWarning, message=".*torch.jit")
        traced = torch.jit.trace(module, example(trained), check_trace=False)  # type: ignore[no-untyped-call]
        torch.jit.save(torch.jit.freeze(traced), buffer)
    return buffer.getvalue()


def state_dict(trained: Trained) -> bytes:
    """The weights of the plain module as safetensors; its metadata `exp` is JSON with `features`,
    `classes`, the standardization, `mean` and `scale` (null: none), and that of a target that is a
    number, `target_scale` (null: none)."""
    preparation(trained.job.data)
    data = trained.job.data
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
