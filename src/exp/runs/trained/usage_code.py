"""The Python code that uses an exported model without exp."""

from __future__ import annotations

import shlex

from torch import nn

from exp.components.models.shortcuts import called
from exp.runs.trained.output_names import names_of_outputs
from exp.runs.trained.plain_module import plain
from exp.runs.trained.predictor import Trained

FROM_FRAME = """\
rows = {{}}
for column in session.get_inputs():
    values = X[[column.name]].astype(object)
    if column.type == "tensor(string)":
        texts = values[column.name].map(lambda value: str(value).strip(), na_action="ignore")
        rows[column.name] = texts.fillna("").to_numpy(object)[:, None]
    else:
        rows[column.name] = values.to_numpy(np.{kind}, na_value=np.nan)
"""
"""From a DataFrame to the inputs of an ONNX file that has one for each column."""


def onnx(trained: Trained, name: str) -> str:
    names, kind = names_of_outputs(trained), trained.job.data.data.X.dtype
    listed = ", ".join(f'"{each}"' for each in names)
    results = ", ".join(names) if trained.classes else f"({names[0]},)"
    frame = bool(trained.job.data.data.categorical)
    dates = any(column.kind == "date" for column in trained.preparation.columns)
    given = "rows" if frame else f'{{"rows": X.astype(np.{kind})}}'
    as_days = "dates are days since 1970-01-01" if dates else ""
    note = "; ".join(text for text in ("X is a DataFrame" if frame else "", as_days) if text)
    return f"""# {described(trained)}
{f"# {note}{chr(10)}" if note else ""}import numpy as np
import onnxruntime

session = onnxruntime.InferenceSession({name!r})
{FROM_FRAME.format(kind=kind) if frame else ""}{results} = session.run([{listed}], {given})"""


def model_file(name: str) -> str:
    return f"""# exp predict {shlex.quote(name)} new.csv
import exp

model = exp.load({name!r})
answers = model.predict(X)"""


def torchscript(trained: Trained, name: str) -> str:
    output, kind = trained.predictor.objective.loss.answers, trained.job.data.data.X.dtype
    return f"""# {described(trained)}
import torch

model = torch.jit.load({name!r})
{output} = model(torch.from_numpy(X.astype("{kind}")))"""


def state_dict(trained: Trained, name: str) -> str:
    """Builds the plain module, loads its weights, and goes from raw rows to probabilities."""
    job, module = trained.job, plain(trained)
    imports, text = constructor(module)
    dtype = str(job.device.dtype)
    lines = [
        f"# {described(trained)}",
        "import json",
        "",
        "import torch",
        "from safetensors import safe_open",
        "from safetensors.torch import load_file",
        *imports,
        "",
        f"model = {text}",
        f"model.to({dtype}).load_state_dict(load_file({name!r}))",
        "model.eval()",
        "",
        f'with safe_open({name!r}, "pt") as file:',
        '    known = json.loads(file.metadata()["exp"])',
        f'rows = torch.from_numpy(X.astype("{job.data.data.X.dtype}"))',
    ]
    if job.data.mean is not None:
        lines += [
            'mean = torch.tensor(known["mean"], dtype=torch.float64)',
            'scale = torch.tensor(known["scale"], dtype=torch.float64)',
            "rows = ((rows.double() - mean) / scale).float()",
        ]
    lines += ["with torch.no_grad():", f"    logits = model(rows.to({dtype}))"]
    link = "torch.softmax(logits, dim=1)"
    if job.outputs == 1:
        slope = trained.predictor.objective.loss.slope
        steep = "" if slope == 1 else f"{slope:g} * "
        link = f"torch.sigmoid({steep}torch.cat([-logits, logits], dim=1))"
    if not trained.classes:
        link = "logits"
    lines.append(f"{trained.predictor.objective.loss.answers} = {link}")
    if job.data.target_scale is not None:
        lines += [
            'target = known["target_scale"]',
            f'predictions = (predictions.double() * target["scale"] + target["mean"]).to({dtype})',
        ]
    return "\n".join(lines)


def described(trained: Trained) -> str:
    """What X has to be and what comes out, on one line."""
    features, classes = ", ".join(trained.features), ", ".join(trained.classes)
    target = f"classes: {classes}" if classes else "the target is a number"
    whole = f"X [rows, {len(trained.features)}]: {features}; {target}"
    printable = "".join(c if c.isprintable() else "?" for c in whole)
    return printable if len(printable) <= 200 else printable[:197] + "..."


def constructor(module: nn.Module) -> tuple[list[str], str]:
    """Import lines, and an expression that builds a module like this one.

    A sequence of layers is written out, each as its `repr` has it, which torch's own layers write
    as one would call them. Any other module stands there as a whole.
    """
    imports = {"from torch import nn": None}
    if type(module) is not nn.Sequential:
        return list(imports), call(module, imports)
    layers = [f"    {call(layer, imports)},\n" for layer in module]
    return list(imports), "nn.Sequential(\n" + "".join(layers) + ")"


def call(layer: nn.Module, imports: dict[str, None]) -> str:
    for each in layer.modules():
        kind = type(each)
        if not kind.__module__.startswith("torch.nn."):
            imports[f"from {kind.__module__} import {kind.__name__}"] = None
    return called(layer)
