"""The rows of a user's file in a script: read by pandas as exp reads them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from exp.data.reading_settings import FILLING, Reading
from exp.script.python import WIDTH, call, literal
from exp.script.section import Recipe, Section
from exp.util.text_file import place_of

KINDS = ("csv", "parquet", "npz")
"""Data sets that are files."""
KNOWN_TO_PANDAS = frozenset(
    ["", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
     "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"]
)  # fmt: skip
"""Texts that pandas takes for a missing value."""


def is_table(recipe: Recipe) -> bool:
    """Whether the rows come from a file."""
    dataset = recipe.plan["dataset"]
    return dataset.component.packaged and dataset.name in KINDS


def reading_of(recipe: Recipe) -> Reading:
    reading = recipe.data.data.reading
    assert reading is not None
    return reading


def rows(recipe: Recipe) -> Section:
    """Makes `table`, `features`, `labels` or `targets`, `classes`, and `raw` if all columns are
    numbers."""
    params, data = recipe.plan["dataset"].params, recipe.data.data
    out = Section().use("import numpy as np", "import pandas as pd")
    target = params.get("target", "y")
    out.join(read(recipe, params["path"], "table"))
    first = len(data.y)
    if params["test_path"] is not None:
        first -= len(data.test if data.test is not None else ())
        out.join(read(recipe, params["test_path"], "of_test"))
        out.join(dropped(recipe, "table")).join(dropped(recipe, "of_test"))
        out.add("table = pd.concat([table, of_test], ignore_index=True)")
    else:
        out.join(dropped(recipe, "table"))
    for name, kind in reading_of(recipe).kinds.items():
        if kind == "date":
            out.join(as_days(recipe, name))
    out.join(target_of(recipe, target))
    if params["weights"] is not None:
        column = literal(params["weights"])
        out.add(f"weights = table[{column}].to_numpy(np.float32)  # how much each row counts")
    out.add(literal(list(data.features), "features = "))
    if recipe.data.encoding is None or not encodes(recipe):
        out.add(f"raw = table[features].to_numpy(np.{data.X.dtype})")
    return out


def read(recipe: Recipe, path: str, name: str) -> Section:
    """Reads one file into a table of this name."""
    kind, out = recipe.plan["dataset"].name, Section()
    if kind == "parquet":
        out.add(call("pd.read_parquet", [literal(path)], f"{name} = "))
    elif kind == "npz":
        out.join(arrays(recipe, path, name))
    else:
        out.join(csv(recipe, path, name))
    na_values = recipe.plan["dataset"].params["na_values"]
    if na_values is not None and kind != "csv":
        out.add(f"{name} = {name}.replace({literal(na_values)}, np.nan)")
    return out


def csv(recipe: Recipe, path: str, name: str) -> Section:
    """Reads a csv file."""
    params, reading, out = recipe.plan["dataset"].params, reading_of(recipe), Section()
    found = pd.read_csv(
        place_of(path, "a csv file"), sep=params["delimiter"], dtype=str, keep_default_na=False
    )
    settings: dict[str, Any] = {}
    if params["delimiter"] != ",":
        settings["sep"] = params["delimiter"]
    if params["decimal"] != ".":
        settings["decimal"] = params["decimal"]
    if params["thousands"] is not None:
        settings["thousands"] = params["thousands"]
    headers = {str(header): str(header).strip() for header in found.columns}
    used = {*recipe.data.data.features, params["target"], *named_aside(recipe)}
    texts = {
        headers[header]: set(found[header].unique())
        for header in found.columns
        if headers[header] in used
    }
    of_texts = {name for name, each in reading.kinds.items() if each == "category"}
    if not recipe.data.data.numeric:
        of_texts.add(params["target"])
    if params["thousands"] is not None:  # 28.11.2026 is no number
        of_texts |= {name for name, each in reading.kinds.items() if each == "date"}
    as_text = [
        header
        for header, plain in headers.items()
        if plain in of_texts and not (plain != params["target"] and numbered(recipe, plain))
    ]
    if as_text:
        settings["dtype"] = dict.fromkeys(as_text, str)
    every = set().union(*texts.values())
    missing = sorted(
        {each.strip() for each in every if each.strip() in reading.na} - KNOWN_TO_PANDAS
    )
    if params["na_values"] is not None:
        settings |= {"na_values": [*params["na_values"], ""], "keep_default_na": False}
    elif missing:
        settings["na_values"] = missing
    if any(each != each.lstrip() for each in (*every, *headers)):
        settings["skipinitialspace"] = True
    arguments = [literal(path)]
    for key, value in settings.items():
        arguments.append(f"{key}={typed(value) if key == 'dtype' else literal(value)}")
    out.add(call("pd.read_csv", arguments, f"{name} = "))
    if any(header != plain for header, plain in headers.items()):
        out.add(f"{name}.columns = {name}.columns.str.strip()")
    for column in sorted(of_texts & set(texts)):
        if any(each != each.rstrip() for each in texts[column]):
            key = literal(column)
            out.add(f"{name}[{key}] = {name}[{key}].str.strip()")
    return out


def typed(columns: dict[str, Any]) -> str:
    """Columns that stay texts, as an argument."""
    return "{" + ", ".join(f"{literal(name)}: str" for name in columns) + "}"


def numbered(recipe: Recipe, name: str) -> bool:
    """Whether the categories of a column are numbers, whose order is that of numbers."""
    data = recipe.data.data
    texts = data.categories[data.features.index(name)] if data.categories else None
    try:
        return texts is not None and [*map(float, texts)] == sorted(map(float, texts))
    except ValueError:
        return False


def named_aside(recipe: Recipe) -> list[str]:
    """Columns that are no features: those that the split needs, and the weights."""
    params, split = recipe.plan["dataset"].params, recipe.plan["split"].params
    named = [split.get(key) for key in ("groups", "column", "time")] + [params["weights"]]
    return list(dict.fromkeys(name for name in named if name is not None))


def arrays(recipe: Recipe, path: str, name: str) -> Section:
    """Reads an npz file."""
    out = Section().add(f"with np.load({literal(path)}) as arrays:")
    with np.load(place_of(path, "an npz file")) as found:
        names = 'arrays["names"]'
        if "names" not in found.files:
            names = '[f"x{n + 1}" for n in range(arrays["X"].shape[1])]'
        out.add(f'    {name} = pd.DataFrame(arrays["X"], columns={names})')
        for column in ("y", *named_aside(recipe)):
            if column in found.files:
                out.add(f"    {name}[{literal(column)}] = arrays[{literal(column)}]")
    return out


def dropped(recipe: Recipe, name: str) -> Section:
    """Leaves out rows of which a value is missing, as the config says."""
    params, out = recipe.plan["dataset"].params, Section()
    target = params.get("target", "y")
    if params["missing"] in FILLING:
        out.add(f"{name} = {name}.dropna(subset=[{literal(target)}])")
    elif params["missing"] == "drop":
        columns = [*recipe.data.data.features, target, *named_aside(recipe)]
        out.add(call(f"{name}.dropna", before=f"{name} = ", subset=columns))
    return out


def as_days(recipe: Recipe, name: str) -> Section:
    """A column of dates as days since 1970-01-01."""
    form = reading_of(recipe).date_format(name)
    column = f"table[{literal(name)}]"
    given = "" if form is None else f", format={literal(form)}"
    out = Section().add(f"dates = pd.to_datetime({column}{given}, utc=True)")
    days = '(dates - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(days=1)'
    return out.add(f"{column} = {days}  # since 1970-01-01")


def target_of(recipe: Recipe, name: str) -> Section:
    """`labels` and `classes`, or `targets`."""
    data, out = recipe.data.data, Section()
    column = f"table[{literal(name)}]"
    if data.numeric:
        return out.add(f"targets = {column}.to_numpy(np.float32)").add("classes = []")
    out.add(literal([str(each) for each in data.classes], "classes = "))
    kind = recipe.plan["dataset"].name
    if kind == "csv":
        texts = column
    elif kind == "npz":
        with np.load(place_of(recipe.plan["dataset"].params["path"], "an npz file")) as found:
            whole = found["y"].dtype.kind == "f"
        texts = f"{column}.astype(int).astype(str)" if whole else f"{column}.astype(str)"
    else:
        texts = f"{column}.astype(str)"
    return out.add(f"labels = {texts}.map(classes.index).to_numpy()")


def encodes(recipe: Recipe) -> bool:
    """Whether a column is no number, or has a gap."""
    data = recipe.data.data
    return any(each is not None for each in data.categories) or bool(np.isnan(data.X).any())


def encoded(recipe: Recipe) -> Section:
    """`raw`, encoded as the training rows say."""
    data, out = recipe.data.data, Section()
    encoding = recipe.data.encoding
    assert encoding is not None
    out.use("from sklearn.compose import make_column_transformer")
    gaps = np.atleast_1d(np.isnan(data.X).any(axis=0))
    parts: list[tuple[str, list[str]]] = []
    for column, gap in zip(encoding.columns, gaps, strict=True):
        if column.categories is None:
            marked = "median_and_mark" if column.marks else "median"
            step = marked if gap else '"passthrough"'
        else:
            step = "most_frequent" if gap and not column.marks else "one_hot"
        # The mark of a gap comes directly after its column.
        if parts and parts[-1][0] == step != "median_and_mark":
            parts[-1][1].append(column.name)
        else:
            parts.append((step, [column.name]))
    named = {step for step, _ in parts}
    numbers = [c.name for c in encoding.columns if c.categories is None]
    out.add("# Texts and gaps become numbers, by the training rows alone.")
    if named & {"median", "median_and_mark"} and data.X.dtype == np.float32:
        out.add(literal(numbers, "numbers = "))
        out.add("table[numbers] = table[numbers].astype(np.float32)")
    if "median" in named:
        out.add('median = SimpleImputer(strategy="median")')
    if "median_and_mark" in named:
        out.add('median_and_mark = SimpleImputer(strategy="median", add_indicator=True)')
    if named & {"one_hot", "most_frequent"}:
        settings: dict[str, Any] = {"handle_unknown": "ignore", "sparse_output": False}
        if data.max_categories is not None:
            settings |= {"handle_unknown": "infrequent_if_exist"}
            settings |= {"max_categories": data.max_categories}
        out.add(call("OneHotEncoder", before="one_hot = ", **settings))
    if "most_frequent" in named:
        step = 'SimpleImputer(strategy="most_frequent")'
        out.add(f"most_frequent = make_pipeline({step}, one_hot)")
    for name, module in IMPORTS.items():
        if any(f"{name}(" in line for line in out.lines):
            out.use(f"from {module} import {name}")
    out.add("encoder = make_column_transformer(")
    for step, names in parts:
        item = f"    ({step}, {literal(names)}),"
        if len(item) > WIDTH:
            item = literal(names, f"        {step},\n        ".lstrip(), ",", 8)
            item = f"    (\n{item}\n    ),"
        out.add(item)
    out.add(")", "encoder.fit(table.iloc[train])")
    return out.add(f"raw = encoder.transform(table).astype(np.{data.X.dtype})")


IMPORTS = {
    "SimpleImputer": "sklearn.impute",
    "OneHotEncoder": "sklearn.preprocessing",
    "make_pipeline": "sklearn.pipeline",
}
"""Class or function of scikit-learn -> its module."""
