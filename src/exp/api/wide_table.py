"""A DataFrame that is shown in the width of a page: the columns that matter most come first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from exp.util.text_tables import aligned, cell, number

WIDTH = 80
"""Characters of a line."""
HEADER, CELL = 18, 24
"""Characters of a header and of a cell; longer ones are cut in the middle."""
ROWS = 20
"""Rows that are shown; of more the first and the last ones."""
GAP = 2


class WideTable(pd.DataFrame):  # type: ignore[misc]
    """A DataFrame with all its columns, of which a notebook and `print` show those that fit.

    Everything else is as in pandas, and `to_string()` shows all. What is made of it, such as
    `table.head()` or `table[["mean", "p"]]`, is such a table too.

    Attributes:
        first: the columns that are shown before all others.
    """

    _metadata = ("first",)
    first: tuple[str, ...] = ()

    @property
    def _constructor(self) -> Any:
        return WideTable

    @classmethod
    def of(cls, columns: Any, first: Sequence[str] = ()) -> WideTable:
        """A table of columns, by name."""
        made = cls(columns)
        object.__setattr__(made, "first", tuple(first))
        return made

    def __repr__(self) -> str:
        if self.columns.nlevels > 1 or self.index.nlevels > 1:
            return str(pd.DataFrame(self))
        rows = shown_rows(len(self))
        names = fitting(self, rows)
        cells = [[self.index.name or "", *(short(str(self.columns[at]), HEADER) for at in names)]]
        for row in rows:
            values = ["..."] * (len(names) + 1)
            if row is not None:
                values = [short(str(self.index[row]), CELL), *(texts(self, row, names))]
            cells.append(values)
        right = {0} | {place + 1 for place, at in enumerate(names) if of_numbers(self.iloc[:, at])}
        lines = aligned(cells, right)
        if len(names) < self.shape[1] or None in rows:
            lines += ["", self._footer(len(names))]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = shown_rows(len(self))
        if self.columns.nlevels > 1 or self.index.nlevels > 1:
            whole: str = pd.DataFrame(self).to_html()
            return whole
        names = fitting(self, rows)
        taken = [row for row in rows if row is not None]
        content = {
            short(str(self.columns[at]), HEADER): [texts(self, row, [at])[0] for row in taken]
            for at in names
        }
        # Cells are texts already; pandas writes the element, and escapes what is in it.
        table = pd.DataFrame(content, index=[str(self.index[row]) for row in taken])
        if None in rows:
            gap = pd.DataFrame("...", index=["..."], columns=table.columns)
            table = pd.concat([table.iloc[: ROWS // 2], gap, table.iloc[ROWS // 2 :]])
        foot = self._footer(len(names)) if len(names) < self.shape[1] or None in rows else ""
        element: str = table.to_html(justify="right")
        return f"{element}<p>{foot}</p>" if foot else element

    def _footer(self, shown: int) -> str:
        rows, columns = self.shape
        if shown == columns:
            return f"{rows:,} rows, {columns} columns"
        return f"{rows:,} rows, {shown} of {columns} columns; list(table.columns) names all"


def shown_rows(count: int) -> list[int | None]:
    """The rows that are shown; None for those that are left out."""
    if count <= ROWS:
        return list(range(count))
    half = ROWS // 2
    return [*range(half), None, *range(count - half, count)]


def fitting(table: WideTable, rows: Sequence[int | None]) -> list[int]:
    """The places of the columns that fit, in the order of the table: those that are to come first,
    then those that say something, from the left."""
    taken = [row for row in rows if row is not None]
    left = WIDTH - max((len(short(str(table.index[row]), CELL)) for row in taken), default=0)
    chosen: list[int] = []
    for at in priorities(table, taken):
        header = len(short(str(table.columns[at]), HEADER))
        wide = max([header, *(len(texts(table, row, [at])[0]) for row in taken)])
        if chosen and wide + GAP > left:
            continue
        left -= wide + GAP
        chosen.append(at)
    order = {name: place for place, name in enumerate(table.first)}
    return sorted(chosen, key=lambda at: (order.get(str(table.columns[at]), len(order)), at))


def priorities(table: WideTable, rows: Sequence[int]) -> Iterator[int]:
    """The places of the columns, those that matter most first. Where there is no room for all and
    most of `first` are there, they are enough; otherwise columns follow in which the rows differ.
    """
    places = {str(name): at for at, name in reversed(list(enumerate(table.columns)))}
    first = [places[name] for name in table.first if name in places]
    yield from first
    rest = [at for at in range(table.shape[1]) if at not in first]
    if not first or len(table) < 2 or whole(table, rows) <= WIDTH:
        yield from rest
        return
    if 2 * len(first) > len(table.first):
        return
    for at in rest:
        if len({texts(table, row, [at])[0] for row in rows}) > 1:
            yield at


def whole(table: WideTable, rows: Sequence[int]) -> int:
    """The characters of a line that has all columns, about; no more than it takes to know."""
    wide = 8
    for at in range(table.shape[1]):
        header = len(short(str(table.columns[at]), HEADER))
        wide += GAP + max([header, *(len(texts(table, row, [at])[0]) for row in rows)])
        if wide > WIDTH:
            break
    return wide


def texts(table: WideTable, row: int, places: Sequence[int]) -> list[str]:
    """Some cells of a row as texts."""
    found = []
    for at in places:
        value = table.iat[row, at]
        if isinstance(value, np.generic):
            value = value.item()
        if isinstance(value, float):
            found.append(number(None if np.isnan(value) else value))
        else:
            found.append(short(cell(value), CELL))
    return found


def of_numbers(values: Any) -> bool:
    return bool(pd.api.types.is_numeric_dtype(values)) and values.dtype != bool


def short(text: str, most: int) -> str:
    """A text, of which the middle is left out if it is long: names often differ at their ends."""
    if len(text) <= most:
        return text
    tail = most // 2
    return f"{text[: most - tail - 1]}…{text[-tail:]}"
