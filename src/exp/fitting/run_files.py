"""What `exp fit` adds to the directory of its run: the columns, their importance, and drawings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from exp.data.dataset import Data
from exp.fitting.permutation import Importance
from exp.plotting import columns, importance, layout
from exp.plotting.columns import Column
from exp.plotting.style import settings
from exp.runs.directory import RunDirectory

NOTE = (
    "how much worse the score is if the values of a column are shuffled; bars: 95 % intervals over "
    "shuffles and rows. Columns that say the same share their importance, or seem to have none"
)


def add_files(directory: RunDirectory, files: dict[str, bytes | str]) -> None:
    """Writes files into the directory of a finished run, and their digests into its run.json.

    Raises:
        RunDirectoryError: one of them cannot be written, or another process works there.
    """
    directory.hold()
    try:
        record = directory.read_record()
        directory.write_all({directory.path / name: data for name, data in files.items()})
        digests = directory.digests(list(files))
        directory.write_record({**record, "digests": {**record.get("digests", {}), **digests}})
    finally:
        directory.release()


def drawings(
    subject: tuple[str, str],
    data: Data,
    found: Sequence[Importance],
    label: str,
    look: Any,
) -> Iterator[tuple[str, bytes]]:
    """Name and content of the drawings: the columns, and their importance.

    Args:
        subject: the names of the table and of its target.
        data: its rows.
        found: the importance of each column, the greatest first.
        label: what the importance is, for the axis.
        look: the `Figures` of the run.
    """
    order = [data.features.index(each.column) for each in found] or range(len(data.features))
    with settings(look.theme) as theme:
        shown = [column(data, place) for place in order]
        of_rows = Column(subject[1], data.y.astype(np.float64), data.classes or None)
        made = {"columns": columns.draw(of_rows, shown, theme)}
        if found:
            names = [each.column for each in found]
            means, lows, highs = zip(*((f.mean, f.low, f.high) for f in found), strict=True)
            made["importance"] = importance.draw(names, means, lows, highs, label, NOTE, theme)
        for name, figure in made.items():
            layout.heading(figure, *subject, remark=f"{len(data.y):,} rows")
            for suffix in look.format:
                yield f"figures/{name}.{suffix}", layout.encode(figure, suffix, dpi=look.dpi)


def column(data: Data, place: int) -> Column:
    """A feature for drawing."""
    name = data.features[place]
    texts = data.categories[place] if data.categories else None
    kinds = data.reading.kinds if data.reading is not None else {}
    return Column(name, data.X[:, place].astype(np.float64), texts, date=kinds.get(name) == "date")
