"""Which rows train, validate and test, in a script."""

from __future__ import annotations

from exp.script.data_rows import target
from exp.script.python import call
from exp.script.section import Recipe, Section


def is_simple(recipe: Recipe) -> bool:
    """Whether `train_test_split` of the tensors themselves is enough."""
    split = recipe.plan["split"]
    return split.name == "holdout"


def rows_of_parts(recipe: Recipe) -> Section:
    """`train`, and `test` and `validation` where there are such rows: the indices of their rows."""
    return Section()


def tensors(recipe: Recipe, *, simple: bool) -> Section:
    """`X_train` and so on."""
    split, seed = recipe.plan["split"].params, recipe.plan.seeds.split
    out = Section().use("import torch", "from sklearn.model_selection import train_test_split")
    out.add(f"X, y = inputs(raw), torch.tensor({target(recipe)})")
    before = "X_train, X_test, y_train, y_test = "
    return out.add(
        call("train_test_split", ["X", "y"], before, test_size=split["test"], random_state=seed)
    )
