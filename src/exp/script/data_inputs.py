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
    """`mean` and `scale` of the training rows."""
    prepared, out = recipe.data, Section().use("import numpy as np")
    assert prepared.scale is not None
    encoding, weights = prepared.encoding, prepared.data.weights
    numbers = np.arange(prepared.rows.shape[1])
    rows = "raw[train]"
    if encoding is not None and encoding.indicator.any():
        numbers = numbers[~encoding.indicator]
        rows = f"raw[np.ix_(train, {literal(numbers.tolist())})]"
    if not len(numbers):
        out.add(f"mean, scale = np.zeros({prepared.rows.shape[1]}), 1.0")
        return out
    low = "low" if is_minmax(recipe) else "mean"
    out.add(f"fitted = {rows}  # only the training rows" if rows != "raw[train]" else "")
    if not out.lines[-1]:
        out.lines.pop()
    else:
        rows = "fitted"
    if is_minmax(recipe):
        out.add(f"low = {rows}.min(axis=0).astype(np.float64)")
        out.add(f"scale = {rows}.max(axis=0) - low  # of the training rows")
    elif weights is None:
        out.add("# Mean and standard deviation of each feature, over the training rows alone.")
        out.add(f"mean = {rows}.mean(axis=0, dtype=np.float64)")
        out.add(f"scale = {rows}.std(axis=0, dtype=np.float64)")
    else:
        out.add("# Mean and standard deviation of the training rows, each by its weight.")
        out.add("shares = weights[train].astype(np.float64)")
        out.add("shares /= shares.sum()")
        out.add(f"mean = shares @ {rows}.astype(np.float64)")
        out.add(f"scale = np.sqrt(shares @ np.square({rows} - mean))")
    constant = prepared.rows[np.ix_(prepared.split.train, numbers)]
    if (constant.max(axis=0) == constant.min(axis=0)).any():
        out.add(f"constant = {rows}.max(axis=0) == {rows}.min(axis=0)")
        out.add(f"{low}[constant], scale[constant] = {rows}[0, constant], 1")
    if rows == "fitted":
        places = literal(numbers.tolist())
        whole = prepared.rows.shape[1]
        out.add("# Columns of 0 and 1 stay as they are.")
        out.add(f"of_numbers = {places}")
        out.add(f"{low}_of, scale_of = np.zeros({whole}), np.ones({whole})")
        out.add(f"{low}_of[of_numbers], scale_of[of_numbers] = {low}, scale")
        out.add(f"{low}, scale = {low}_of, scale_of")
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
