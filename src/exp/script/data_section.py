"""Section 1 of a script: the data, ready for a model."""

from __future__ import annotations

import textwrap

from exp.script import data_inputs, data_rows, data_split, data_table
from exp.script.section import Recipe, Section


def section(recipe: Recipe) -> Section:
    """Leaves `X_train, y_train`, the same for test and validation rows where there are any, and
    `raw`, `classes` and `inputs`."""
    about = f"1. The data. {recipe.plan['dataset'].component.summary}"
    out = Section().add(*textwrap.wrap(about, 98, initial_indent="# ", subsequent_indent="# "))
    table = data_table.is_table(recipe)
    out.join(data_table.rows(recipe) if table else data_rows.rows(recipe)).add("")
    simple = data_split.is_simple(recipe)
    if not simple:
        out.join(data_split.rows_of_parts(recipe)).add("")
    if table and recipe.data.encoding is not None and data_table.encodes(recipe):
        out.join(data_table.encoded(recipe)).add("")
    out.join(data_inputs.function(recipe)).add("", "")
    return out.join(data_split.tensors(recipe, simple=simple))
