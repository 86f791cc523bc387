"""Section 6 of a script: the decision boundary as a picture."""

from __future__ import annotations

from exp.script.loss_section import form_of
from exp.script.python import text
from exp.script.scores import slope_of
from exp.script.section import Recipe, Section


def section(recipe: Recipe) -> Section:
    """Saves `boundary.png`; nothing unless there are two features."""
    data, out = recipe.data.data, Section()
    if data.X.shape[1] != 2 or any(data.categories) or data.gaps:
        return out
    out.use("import matplotlib.pyplot as plt", "import numpy as np", "import torch")
    place = "" if recipe.device.torch_device.type == "cpu" else ".to(device)"
    squeeze = ".squeeze(1)" if recipe.outputs == 1 else ""
    first, second = (str(name) for name in recipe.data.features)
    out.add(
        "# 6. What the model answers everywhere in the plane, and the rows.",
        "margin = 0.08 * np.ptp(raw, axis=0)",
        "lower, upper = raw.min(axis=0) - margin, raw.max(axis=0) + margin",
        "x, y = np.meshgrid(*np.linspace(lower, upper, 200).T)",
        "grid = inputs(np.column_stack([x.ravel(), y.ravel()]))",
        "with torch.no_grad():",
        f"    logits = model(grid{place}){squeeze}",
        *answer(recipe),
        *drawn(recipe),
        f"plt.xlabel({text(first)})",
        f"plt.ylabel({text(second)})",
        'plt.savefig("boundary.png", dpi=150)',
    )
    return out


def answer(recipe: Recipe) -> list[str]:
    """The lines that make `z`, of the form of `x`, from `logits`."""
    place = "" if recipe.device.torch_device.type == "cpu" else ".cpu()"
    if form_of(recipe) == 0:
        scaled = recipe.data.target_scale is not None
        unit = " * target_scale + target_mean" if scaled else ""
        return [f"z = logits{place}.reshape(x.shape).numpy(){unit}"]
    if recipe.outputs == 1:
        slope = f"{slope_of(recipe):g} * " if slope_of(recipe) != 1 else ""
        return [f"z = torch.sigmoid({slope}logits){place}.reshape(x.shape).numpy()"]
    if len(recipe.data.data.classes) == 2:
        return [f"z = torch.softmax(logits, dim=1)[:, 1]{place}.reshape(x.shape).numpy()"]
    return [f"z = logits.argmax(dim=1){place}.reshape(x.shape).numpy()"]


def drawn(recipe: Recipe) -> list[str]:
    """The lines that draw `z` and the rows."""
    if form_of(recipe) == 0:
        return [
            "plt.contourf(x, y, z, levels=20)",
            'plt.colorbar(label="prediction")',
            'plt.scatter(*raw.T, c=targets, s=15, edgecolors="white")',
        ]
    count = len(recipe.data.data.classes)
    if count == 2:
        return [
            'plt.contourf(x, y, z, levels=np.linspace(0, 1, 21), cmap="RdBu_r", alpha=0.8)',
            'plt.colorbar(label=f"probability of class {classes[1]}")',
            'plt.contour(x, y, z, levels=[0.5], colors="black")',
            'plt.scatter(*raw.T, c=labels, s=15, cmap="RdBu_r", edgecolors="white")',
        ]
    colours = "tab10" if count <= 10 else "tab20"
    limits = f'{{"cmap": "{colours}", "vmin": 0, "vmax": {9 if count <= 10 else 19}}}'
    return [
        f"colours = {limits}",
        "plt.pcolormesh(x, y, z, alpha=0.35, **colours)",
        'plt.scatter(*raw.T, c=labels, s=15, edgecolors="white", **colours)',
    ]
