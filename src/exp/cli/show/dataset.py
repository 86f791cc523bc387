"""`exp show dataset=NAME`: the rows of a config before any training."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from exp.cli.code import planned
from exp.cli.show.plane_picture import PlanePicture
from exp.cli.show.shown import show
from exp.config.plan import Plan
from exp.data.dataset import Data
from exp.data.prepared import Prepared
from exp.engine.prepare import prepare
from exp.engine.view import View
from exp.plotting import data as data_figure
from exp.plotting import layout
from exp.plotting.picture import Picture
from exp.plotting.style import settings
from exp.sweeps.from_python import composer
from exp.util.files import write_output
from exp.util.terminal import one_line

HEAD = 5
"""Rows of pandas' `head()`."""
WIDTH = 100
CODES = {"train": 0, "validation": 1, "test": 2}


def show_rows(words: list[str], output: str | None, theme: str) -> None:
    """Prints the rows that a command line of these overrides would train on, and writes a figure
    of them.

    Args:
        output: the figure; None: the name of the data set, in the working directory.

    Raises:
        ConfigError: the overrides are not valid.
        DataError: the rows cannot be used.
        RunDirectoryError: the figure cannot be written.
    """
    with composer(words, quiet=False) as (hydra, args):
        found = planned(hydra, args)
        seeds = found.seeds
        prepared = prepare(
            found["dataset"], found["split"], data_seed=seeds.data, split_seed=seeds.split
        )
    name = found["dataset"].name
    print("\n".join(about(found, prepared)))
    view = View.of(prepared, None)
    picture = picture_of(found, prepared, view, theme)
    with settings(theme):
        figure = data_figure.draw(picture)
        layout.heading(
            figure, name, f"seed {seeds.data}", remark="the rows before any training", above=0.12
        )
        png = layout.encode(figure, "png", dpi=120)
    if prepared.data.classes:
        print()
        show(
            PlanePicture(
                points=picture.points,
                labels=picture.labels.astype(np.int64),
                classes=tuple(map(one_line, picture.classes)),
                axes=(one_line(picture.axes[0]), one_line(picture.axes[1])),
            ),
            png,
        )
    path = Path(output if output is not None else f"{name}.png")
    write_output(path, png)
    print(f"\n{one_line(str(path))}")


def about(found: Plan, prepared: Prepared) -> Iterator[str]:
    """Shape, first rows as pandas prints them, classes with their counts, and parts."""
    data, chosen = prepared.data, found["dataset"]
    rows, width = data.X.shape
    target = f"{len(data.classes)} classes" if data.classes else "the target is a number"
    features = "1 feature" if width == 1 else f"{width} features"
    yield f"{chosen.name}: {rows:,} rows, {features}, {target}"
    yield chosen.component.summary
    yield ""
    yield from map(one_line, table(data).to_string(max_cols=12, line_width=WIDTH).splitlines())
    yield ""
    yield f"X: {data.X.dtype} [{rows}, {width}]; y: {data.y.dtype} [{rows}]"
    parts = prepared.split.parts
    if data.classes:
        counts = {part: np.bincount(data.y[index]) for part, index in parts.items()}
        lines = {
            one_line(name): {
                part: int(each[label]) if label < len(each) else 0 for part, each in counts.items()
            }
            for label, name in enumerate(data.classes)
        }
        frame = pd.DataFrame.from_dict(lines, orient="index")
        frame["rows"] = frame.sum(axis=1)
        frame.columns.name = "class"
        yield from frame.to_string(max_rows=20).splitlines()
    else:
        low, mean, high = data.y.min(), data.y.mean(), data.y.max()
        yield f"target: from {low:.4g} to {high:.4g}, mean {mean:.4g}"
        yield ", ".join(f"{len(index):,} {part}" for part, index in parts.items()) + " rows"
    yield from map(one_line, prepared.data.notes)


def table(data: Data) -> pd.DataFrame:
    """The first rows as they came: categories by name, the class by name."""
    columns: dict[str, object] = {}
    for at, name in enumerate(data.features):
        values = data.X[:HEAD, at]
        texts = data.categories[at] if data.categories else None
        if texts is not None:
            shown = [None if np.isnan(code) else texts[int(code)] for code in values]
            columns[name] = pd.Series(shown, dtype=object)
        else:
            columns[name] = values
    answers = data.y[:HEAD]
    name = "label" if data.classes else "target"
    while name in columns:
        name += "_"
    columns[name] = [data.classes[label] for label in answers] if data.classes else answers
    return pd.DataFrame(columns)


def picture_of(found: Plan, prepared: Prepared, view: View, theme: str) -> Picture:
    """The rows as the figure `data` of a run shows them."""
    data, parts = prepared.data, prepared.split.parts
    rows = np.concatenate(list(parts.values()))
    none = np.zeros(0)
    labels = np.zeros(len(rows)) if data.numeric else data.y[rows]
    return Picture(
        dataset=found["dataset"].name,
        model="", optimizer="", seed=str(found.seeds.data), metric="",
        classes=data.classes,
        axes=view.plane.axes,
        note=view.plane.note,
        points=view.plane.project(view.space[rows]),
        labels=labels,
        predicted=labels,
        targets=data.y[rows] if data.numeric else none,
        fitted=data.y[rows] if data.numeric else none,
        features=len(prepared.features),
        split=np.concatenate([np.full(len(i), CODES[n], np.uint8) for n, i in parts.items()]),
        theme=theme,
    )  # fmt: skip
