"""From raw rows to what a model is given: scaling and features, as a function of the script."""

from __future__ import annotations

import numpy as np

from exp.script import data_features
from exp.script.python import WIDTH, call, literal
from exp.script.section import Recipe, Section


def function(recipe: Recipe) -> Section:
    """What is fitted on the training rows, and `inputs(rows)`."""
    out = Section().use("import torch")
    prepared = recipe.data
    kind = str(recipe.device.dtype)
    if rounded(recipe):
        out.use("import numpy as np").add("raw = raw.astype(np.float32)")
        if prepared.data.numeric and kind == "torch.float64":
            out.add("targets = targets.astype(np.float32)")
    if prepared.mean is not None:
        out.join(scales(recipe))
    if prepared.target_scale is not None:
        out.join(target_scale(recipe, out.lines))
    steps, about = [], "as the model takes them"
    value = "rows"
    if prepared.mean is not None:
        low = "low" if is_minmax(recipe) else "mean"
        value = f"(rows - {low}) / scale"
        about = f"{'from 0 to 1' if is_minmax(recipe) else 'standardized'}, {about}"
    if prepared.mapping is not None:
        mapped = data_features.mapped(recipe, value)
        out.join(mapped.before)
        steps, value = mapped.steps, mapped.value
        about = "as new features for the model"
    scaled = prepared.mean is not None and prepared.mapping is None
    if kind == "torch.float64" and (scaled or prepared.mapping is not None):
        # exp's rows are of float32 whatever the device computes in.
        out.use("import numpy as np")
        line = f"rows = {f'({value})' if scaled else value}.astype(np.float32)"
        long = len(line) > WIDTH - 4
        steps += [f"rows = {value}", "rows = rows.astype(np.float32)"] if long else [line]
        value = "rows"
    returned = call("torch.tensor", [value, f"dtype={kind}"], "return ", indent=4)
    return out.add(
        "",
        "",
        "def inputs(rows):",
        f'    """Raw rows [rows, features], {about}."""',
        *(f"    {step}" for step in steps),
        returned,
    )


def rounded(recipe: Recipe) -> bool:
    """Whether the script has to round the raw rows to float32 before it computes with them, as exp
    does."""
    prepared, dataset = recipe.data, recipe.plan["dataset"]
    computed = prepared.mean is not None or prepared.mapping is not None
    narrow = prepared.rows.dtype == np.float32
    tables = dataset.component.packaged and dataset.name in ("csv", "parquet", "npz")
    wide = str(recipe.device.dtype) == "torch.float64"
    return narrow and (computed or wide) and not tables


def is_minmax(recipe: Recipe) -> bool:
    return bool(recipe.plan["split"].params.get("standardize") == "minmax")


def scales(recipe: Recipe) -> Section:
    """`mean` and `scale` of the training rows; `low` and `scale` for minmax."""
    prepared, out = recipe.data, Section().use("import numpy as np")
    if is_minmax(recipe):
        low = "low"
        out.add("# Lowest value and range of each feature, over the training rows alone.")
        out.add("low = raw[train].min(axis=0).astype(np.float64)")
        out.add("scale = raw[train].max(axis=0) - low")
    elif prepared.data.weights is None:
        low = "mean"
        out.add("# Mean and standard deviation of each feature, over the training rows alone.")
        out.add("mean = raw[train].mean(axis=0, dtype=np.float64)")
        out.add("scale = raw[train].std(axis=0, dtype=np.float64)")
    else:
        low = "mean"
        out.add("# Mean and standard deviation over the training rows, each by its weight.")
        out.add("shares = weights[train].astype(np.float64)")
        out.add("shares /= shares.sum()")
        out.add("mean = shares @ raw[train].astype(np.float64)")
        out.add("scale = np.sqrt(shares @ np.square(raw[train] - mean))")
    rows = prepared.rows[prepared.split.train]
    if (rows.max(axis=0) == rows.min(axis=0)).any():
        out.add("constant = raw[train].max(axis=0) == raw[train].min(axis=0)")
        out.add(f"{low}[constant], scale[constant] = raw[train][0, constant], 1")
    if prepared.encoding is not None and prepared.encoding.indicator.any():
        columns = np.flatnonzero(prepared.encoding.indicator).tolist()
        out.add(literal(columns, "of_0_and_1 = ", "  # these columns stay as they are"))
        out.add(f"{low}[of_0_and_1], scale[of_0_and_1] = 0, 1")
    return out


def target_scale(recipe: Recipe, before: list[str]) -> Section:
    """`scaled`, the targets with mean 0 and standard deviation 1."""
    prepared, out = recipe.data, Section().use("import numpy as np")
    out.add("# The targets with mean 0 and standard deviation 1 over the training rows.")
    if "targets = targets.astype(np.float32)" not in before:
        out.add("targets = targets.astype(np.float32)")
    out.add("of_train = targets[train].astype(np.float64)")
    if prepared.data.weights is None:
        out.add("target_mean, target_scale = float(of_train.mean()), float(of_train.std())")
    else:
        out.add("counted = weights[train].astype(np.float64)")
        out.add("target_mean = float(np.average(of_train, weights=counted))")
        out.add("spread = np.square(of_train - target_mean)")
        out.add("target_scale = float(np.sqrt(np.average(spread, weights=counted)))")
    if prepared.unit == 1.0:
        out.add("target_scale = 1.0  # all are equal")
    return out.add("scaled = (targets - target_mean) / target_scale")
