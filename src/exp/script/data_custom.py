"""The rows of a user's own data set in a script: its source, and what it returns as arrays."""

from __future__ import annotations

import re
from typing import Any

from exp.components.datasets.custom_rows import FEATURES, TARGETS
from exp.data.dataset import Data
from exp.registry.user_code import seeded
from exp.script.data_rows import class_names, target
from exp.script.plain_source import replaced
from exp.script.python import call, literal
from exp.script.section import Recipe, Section
from exp.script.users_code import Source, plain, refused

SEEDING = {
    r"np\.random\.[a-z_]+\((?<!default_rng\()": "np.random.seed({seed})",
    r"(?<![.\w])random\.[a-z]+\(": "random.seed({seed})",
}
"""How code draws from a global generator -> what seeds it as exp does."""


def rows(recipe: Recipe) -> Section:
    """Makes `raw`, `labels` or `targets`, and `classes`.

    Raises:
        ImpossibleError: the source needs exp, or returns what a script cannot take apart.
    """
    dataset, seed, data = recipe.plan["dataset"], recipe.plan.seeds.data, recipe.data.data
    component = dataset.component
    if data.weights is not None or data.columns or data.categories:
        raise refused(component, "it has weights, texts or columns for the split")
    if strange := [name for name, value in dataset.declared.items() if not plain(value)]:
        raise refused(component, f"its parameter {strange[0]} is no plain value")
    whole = Source.of(component)
    source = Source(component, with_arrays(whole))
    expression = source.registered()
    _, keywords = component.call((seed,), dataset.declared)
    out = source.section(expression).add("", "")
    for drawing, line in SEEDING.items():
        if any(re.search(drawing, each) for each in out.lines):
            out.add(line.format(seed=seed))
    name = source.code(expression)
    with seeded(seed):
        found = dataset.build(seed)
    labels = target(recipe)
    if isinstance(found, (Data, tuple, list)):
        out.add(call(name, before=f"raw, {labels} = ", **keywords))
    elif hasattr(found, "keys") and not hasattr(found, "columns"):
        keys = [next(key for key in known if key in found) for known in (FEATURES, TARGETS)]
        out.add(call(name, before="found = ", **keywords))
        values = ", ".join(f"found[{literal(key)}]" for key in keys)
        out.add(f"raw, {labels} = {values}")
    else:
        out.join(of_frame(found, call(name, before="table = ", **keywords), labels))
    made = isinstance(found, Data)
    if not (made or data.numeric) and data.classes != tuple(map(str, range(len(data.classes)))):
        out.use("import numpy as np")
        out.add("labels = np.unique(labels, return_inverse=True)[1]  # as 0, 1, ...")
    return out.join(class_names(recipe))


def of_frame(found: Any, made: str, labels: str) -> Section:
    """The rows of a DataFrame."""
    name = literal(next(str(each) for each in found.columns if str(each) in TARGETS))
    out = Section().add(made, f"raw = table.drop(columns={name}).to_numpy()")
    return out.add(f"{labels} = table[{name}].to_numpy()")


def with_arrays(source: Source) -> str:
    """The text of a module in which functions return arrays where they returned exp's `Data`."""
    text = source.text
    for old, new in replaced(source.tree, text):
        if new.startswith("return"):
            text = text.replace(old, new)
    return text
