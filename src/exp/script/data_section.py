"""Section 1 of a script: the data, ready for a model."""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np

from exp.script import data_custom, data_inputs, data_rows, data_split, data_table
from exp.script.section import Recipe, Section
from exp.util.errors import ImpossibleError


def section(recipe: Recipe) -> Section:
    """Leaves `X_train, y_train`, the same for test and validation rows where there are any, and
    `raw`, `classes` and `inputs`.

    Raises:
        ImpossibleError: rows, a split or features that a script cannot make as exp does.
    """
    table = data_table.is_table(recipe)
    out = Section().add(heading(recipe))
    custom = not recipe.plan["dataset"].component.packaged
    made = data_table if table else data_custom if custom else data_rows
    out.join(made.rows(recipe)).add("")
    simple = data_split.is_simple(recipe)
    if not simple:
        out.join(data_split.rows_of_parts(recipe)).add("")
    if table and data_table.encodes(recipe):
        out.join(data_table.encoded(recipe)).add("")
    out.join(data_inputs.function(recipe)).add("", "")
    out.join(data_split.tensors(recipe, simple=simple))
    if table or custom:
        check(out, recipe)
    return out


def heading(recipe: Recipe) -> str:
    """What the section is about, as a comment."""
    dataset = recipe.plan["dataset"]
    about = dataset.component.summary
    if data_table.is_table(recipe):
        about = f"The rows of {dataset.params['path']}."
    elif data_rows.is_computed(dataset):
        return "# 1. Data"
    text = f"1. Data. {about}"
    return textwrap.fill(text, 98, initial_indent="# ", subsequent_indent="# ")


def check(section: Section, recipe: Recipe) -> None:
    """Runs a section, as pandas may read a file in another way than exp.

    Raises:
        ImpossibleError: its rows are not those of the run.
    """
    names: dict[str, Any] = {}
    code = "\n".join([*sorted(section.imports), *section.lines])
    try:
        exec(compile(code, "script", "exec"), names)
        same = all(
            np.array_equal(names[f"X_{part}"].numpy(), recipe.data.X[rows])
            and np.array_equal(names[f"y_{part}"].numpy(), recipe.data.targets[rows])
            for part, rows in recipe.data.split.parts.items()
        )
    except Exception as error:  # whatever pandas and scikit-learn raise
        what = f"{type(error).__name__}: {error}"
        raise refused(recipe, what) from error
    if not same:
        raise refused(recipe, "pandas and scikit-learn give other rows than exp")


def refused(recipe: Recipe, why: str) -> ImpossibleError:
    """The error of rows that a script cannot make."""
    name = recipe.plan["dataset"].name
    return ImpossibleError(
        f"dataset {name} cannot be written as a script with these settings: {why}"
    )
