"""Which rows train, validate and test, in a script: by scikit-learn's own splits."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from exp.components.splits.group_splits import PARTS
from exp.script.data_rows import target
from exp.script.python import call, literal
from exp.script.section import Recipe, Section
from exp.util.errors import ImpossibleError

SKLEARN = "from sklearn.model_selection import"
NAMES = {"train": "training", "validation": "validation", "test": "test"}


def is_simple(recipe: Recipe) -> bool:
    """Whether `train_test_split` of the tensors themselves is enough: nothing is fitted on the
    training rows before, and nothing but one random part is taken."""
    split, data = recipe.plan["split"], recipe.data
    used = ("validation", "groups", "column", "time")
    fitted = data.mean is not None or data.encoding is not None or data.target_scale is not None
    mapped = data.mapping is not None and recipe.plan["features"].name in ("quantile", "piecewise")
    return (
        split.name == "holdout"
        and split.component.packaged
        and bool(split.params["test"])
        and not any(split.params[key] for key in used)
        and not (fitted or mapped)
        and data.data.weights is None
        and data.data.test is None
    )


def rows_of_parts(recipe: Recipe) -> Section:
    """`train`, and `test` and `validation` where there are such rows: the indices of their rows.

    Raises:
        ImpossibleError: a custom split.
    """
    split = recipe.plan["split"]
    if not split.component.packaged:
        raise ImpossibleError(f"exp code cannot write the split {split.name}, which is custom")
    whole = recipe.data.data.test
    out = Section().use("import numpy as np")
    if whole is None:
        rows = f"np.arange(len({target(recipe)}))"
    else:
        count = len(recipe.data.y) - len(whole)
        rows = f"np.arange({count})"
        out.add(f"test = np.arange({count}, len({target(recipe)}))  # of the file of test rows")
    params = split.params
    if params.get("time") is not None:
        return out.join(by_time(recipe, rows))
    if split.name == "last":
        return out.join(in_order(recipe, rows))
    if params["column"] is not None:
        return out.join(by_column(recipe, rows))
    if split.name == "kfold":
        return out.join(by_folds(recipe, rows))
    share = 0.0 if whole is not None else params["test"]
    if not share:
        out.add(f"train = {rows}")
        rows = "train"
    else:
        out.join(taken(recipe, rows, "test", share, total(recipe)))
    return out.join(validation_rows(recipe, "train"))


def total(recipe: Recipe, rows: Any = None) -> int:
    """How many rows, or groups of rows, are divided."""
    data, groups = recipe.data.data, recipe.plan["split"].params.get("groups")
    known = np.arange(len(data.y)) if rows is None else rows
    if data.test is not None:
        known = np.setdiff1d(known, data.test)
    return len(known) if groups is None else len(np.unique(data.columns[groups][known]))


def validation_rows(recipe: Recipe, rows: str) -> Section:
    """Takes the share of validation rows out of the training rows."""
    share = recipe.plan["split"].params["validation"]
    if not share:
        return Section()
    return taken(recipe, rows, "validation", share, total(recipe))


def taken(recipe: Recipe, rows: str, part: str, share: float, count: int) -> Section:
    """Divides `rows` into `train` and a part that is a share of all rows or groups.

    Args:
        rows: the code of their indices.
        count: all rows, or all groups.
    """
    split, seed = recipe.plan["split"], recipe.plan.seeds.split
    params, out = split.params, Section()
    # A share of all rows is no share of those that are left: their number is clear.
    size: float = share if part == "test" else math.ceil(share * count)
    if part == "validation":
        what = "groups" if params["groups"] else "rows"
        out.add(f"# {share:.0%} of all {what} are for validation.".replace(".0%", "%"))
    if params["groups"] is not None:
        out.use(f"{SKLEARN} GroupShuffleSplit").join(groups_of(recipe, part))
        name = "groups" if part == "test" or not rows.startswith("train") else "groups[train]"
        settings: dict[str, Any] = {"n_splits": 1, "test_size": size, "random_state": seed}
        out.add(call("GroupShuffleSplit", before="by_group = ", **settings))
        if rows == "train":
            out.add(f"kept, taken = next(by_group.split(train, groups={name}))")
            return out.add(f"train, {part} = train[kept], train[taken]")
        return out.add(f"train, {part} = next(by_group.split({rows}, groups=groups))")
    even = params["stratify"]
    if even == "auto":
        even = not recipe.data.data.numeric
    out.use(f"{SKLEARN} train_test_split")
    arguments = [rows, literal(size, "test_size="), literal(seed, "random_state=")]
    if even:
        first = f"[:{len(recipe.data.y) - tested(recipe)}]" if tested(recipe) else ""
        some = "[train]" if rows == "train" else first
        arguments.append(f"stratify=labels{some}")
    return out.add(call("train_test_split", arguments, f"train, {part} = "))


def groups_of(recipe: Recipe, part: str = "test") -> Section:
    """`groups`, if it is not there yet."""
    out, params = Section(), recipe.plan["split"].params
    first = part == "test" or not params.get("test") or recipe.data.data.test is not None
    return out.join(column_of(recipe, params["groups"], "groups")) if first else out


def column_of(recipe: Recipe, name: str, variable: str) -> Section:
    """A column of the data that decides the split, as a variable of the script."""
    some = "" if recipe.data.data.test is None else f"[:{len(recipe.data.y) - tested(recipe)}]"
    column = f"table[{literal(name)}]"
    if variable == "time" and recipe.data.data.columns[name].dtype.kind == "U":
        return Section().add(f"time = pd.to_datetime({column}).to_numpy(){some}")
    return Section().add(f"{variable} = {column}.to_numpy(){some}")


def tested(recipe: Recipe) -> int:
    """How many rows a file of test rows has."""
    return 0 if recipe.data.data.test is None else len(recipe.data.data.test)


def by_folds(recipe: Recipe, rows: str) -> Section:
    """Cross-validation: the fold that the seed chooses."""
    split, seed = recipe.plan["split"].params, recipe.plan.seeds.split
    inner = split["inner_folds"]
    shuffle = seed // (split["folds"] * (inner or 1))
    out = Section()
    if split["groups"] is not None:
        out.join(groups_of(recipe))
    fold = seed % split["folds"]
    out.add(f"# Cross-validation: fold {fold} of 0 to {split['folds'] - 1} is the test.")
    out.join(fold_of(recipe, split["folds"], fold, shuffle, rows, "test"))
    out.join(validation_rows(recipe, "train"))
    if inner is not None:
        number = seed // split["folds"] % inner
        out.add(f"# Of the others, inner fold {number} of 0 to {inner - 1} is for validation.")
        out.join(fold_of(recipe, inner, number, shuffle, "train", "validation"))
    return out


def fold_of(recipe: Recipe, count: int, fold: int, shuffle: int, rows: str, part: str) -> Section:
    """One of so many folds of some rows."""
    params = recipe.plan["split"].params
    even = params["stratify"]
    if even == "auto":
        even = not recipe.data.data.numeric
    grouped = params["groups"] is not None
    kind = ("Stratified" if even else "") + ("GroupKFold" if grouped else "KFold")
    out = Section().use(f"{SKLEARN} {kind}")
    out.add(f"folds = {kind}(n_splits={count}, shuffle=True, random_state={shuffle})")
    some = "[train]" if rows == "train" else ""
    given = [rows, *([f"{target(recipe)}{some}"] if even or grouped else [])]
    given += [f"groups{some}"] if grouped else []
    splits = f"folds.split({', '.join(given)})"
    of_fold = f"list({splits})[{fold}]" if fold else f"next({splits})"
    if rows != "train":
        return out.add(f"train, {part} = {of_fold}")
    return out.add(f"kept, taken = {of_fold}", f"train, {part} = train[kept], train[taken]")


def in_order(recipe: Recipe, rows: str) -> Section:
    """The last rows are for the test, those before them for validation."""
    parts, out = recipe.data.split, Section()
    names = [name for name in ("train", "validation", "test") if name in parts.parts]
    if recipe.data.data.test is not None:
        names.remove("test")
    sizes = [len(parts.parts[name]) for name in names]
    if len(names) == 1:
        return out.add(f"train = {rows}")
    places = np.cumsum(sizes)[:-1].tolist()
    out.add("# The last rows come last in time: nothing is shuffled.")
    return out.add(f"{', '.join(names)} = np.split({rows}, {literal(places)})")


def by_time(recipe: Recipe, rows: str) -> Section:
    """The newest rows are for the test; rows of equal time are in the same part."""
    params, parts = recipe.plan["split"].params, recipe.data.split.parts
    out = column_of(recipe, params["time"], "time")
    out.add("# From the oldest to the newest row; rows of the same time are in the same part.")
    if tested(recipe):
        parts = {name: found for name, found in parts.items() if name != "test"}
    names = [name for name in ("train", "validation", "test") if name in parts]
    places = np.cumsum([len(parts[name]) for name in names]).tolist()
    if places == [total(recipe)]:
        return out.add('train = np.argsort(time, kind="stable")')
    out.add('order = np.argsort(time, kind="stable")')
    if places[-1] == total(recipe):
        return out.add(f"{', '.join(names)} = np.split(order, {literal(places[:-1])})")
    return out.add(f"{', '.join([*names, '_'])} = np.split(order, {literal(places)})")


def by_column(recipe: Recipe, rows: str) -> Section:
    """A column of the data names the part, or the fold, of each row."""
    params, seed = recipe.plan["split"].params, recipe.plan.seeds.split
    name = params["column"]
    values = recipe.data.data.columns[name]
    found = np.unique(values).tolist()
    if recipe.plan["split"].name == "kfold":
        folds = [value for value in found if str(value) != "-1"]
        fold = folds[seed % params["folds"]]
        out = column_of(recipe, name, "fold")
        if params["groups"] is not None and (params["validation"] or params["inner_folds"]):
            out.join(column_of(recipe, params["groups"], "groups"))
        out.add(
            f"train, test = np.flatnonzero(fold != {literal(fold)}), "
            f"np.flatnonzero(fold == {literal(fold)})"
        )
        out.join(validation_rows(recipe, "train"))
        if (inner := params["inner_folds"]) is not None:
            number, shuffle = seed // params["folds"] % inner, seed // (params["folds"] * inner)
            out.add(f"# Of the others, inner fold {number} of 0 to {inner - 1} is for validation.")
            out.join(fold_of(recipe, inner, number, shuffle, "train", "validation"))
        return out
    out = column_of(recipe, name, "part")
    if params["groups"] is not None and params["validation"] not in (0, "column"):
        out.join(column_of(recipe, params["groups"], "groups"))
    for part in ("train", "validation", "test"):
        texts = [value for value in found if PARTS.get(str(value).strip().lower()) == part]
        if (
            texts
            and part in recipe.data.split.parts
            and not (part == "validation" and params["validation"] != "column")
        ):
            out.add(f"{part} = np.flatnonzero({is_one_of('part', texts)})")
    return out if params["validation"] == "column" else out.join(validation_rows(recipe, "train"))


def is_one_of(name: str, values: Sequence[Any]) -> str:
    """The condition that a variable has one of these values."""
    if len(values) == 1:
        return f"{name} == {literal(values[0])}"
    return f"np.isin({name}, {literal(list(values))})"


def tensors(recipe: Recipe, *, simple: bool) -> Section:
    """`X_train`, `y_train` and so on, and `w_train` where the rows have weights."""
    split, seed = recipe.plan["split"], recipe.plan.seeds.split
    out = Section().use("import torch").add(targets(recipe))
    if simple:
        out.use(f"{SKLEARN} train_test_split")
        arguments = ["X", "y", f"test_size={split.params['test']}", f"random_state={seed}"]
        if split.params["stratify"]:
            arguments.append("stratify=y")
        before = "X_train, X_test, y_train, y_test = "
        return out.add(call("train_test_split", arguments, before))
    for part in recipe.data.split.parts:
        out.add(f"X_{part}, y_{part} = X[{part}], y[{part}]")
    if recipe.data.data.weights is not None:
        for part in recipe.data.split.parts:
            out.add(f"w_{part} = torch.tensor(weights[{part}]{dtype(recipe)})")
    return out


def targets(recipe: Recipe) -> str:
    """`X` and `y` of all rows."""
    if not recipe.data.data.numeric:
        return "X, y = inputs(raw), torch.tensor(labels)"
    scaled = "targets" if recipe.data.target_scale is None else "scaled"
    kind = str(recipe.device.dtype)
    return f"X, y = inputs(raw), torch.tensor({scaled}, dtype={kind})"


def dtype(recipe: Recipe) -> str:
    return "" if str(recipe.device.dtype) == "torch.float32" else f", dtype={recipe.device.dtype}"
