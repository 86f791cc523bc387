"""From raw rows to what a model is given: scaling and features, as a function of the script."""

from __future__ import annotations

from exp.script.section import Recipe, Section


def function(recipe: Recipe) -> Section:
    """`inputs(rows)`."""
    out = Section().use("import torch")
    return out.add(
        "def inputs(rows):",
        '    """Rows [rows, features] as the model takes them: a tensor of float32."""',
        "    return torch.tensor(rows, dtype=torch.float32)",
    )
