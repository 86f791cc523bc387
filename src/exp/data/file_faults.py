"""What is wrong in one file of rows, as one error, and where values are missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from exp.data.faults import MOST, rows_text
from exp.data.reading_settings import FILLING, Policy
from exp.util.errors import DataError, lines, shown

FILL = (
    "dataset.missing=drop leaves such rows out, dataset.missing=impute fills in the median or the "
    "most frequent value of the training rows"
)


@dataclass
class FileFaults:
    """What is wrong in one file.

    Attributes:
        path: of the file.
        counts: what its rows are rows_text by: lines from 1, or rows from 0.
        found: the number of the line or row (-1: none), its place in words, what is wrong there.
        hints: last lines on what can be done.
    """

    path: str
    counts: str
    found: list[tuple[int, str, str]] = field(default_factory=list)
    hints: list[str] = field(default_factory=list)

    def add(self, line: int | None, column: str | None, message: str) -> None:
        place = [] if line is None else [f"{self.counts} {line}"]
        place += [] if column is None else [f"column {shown(column, 40)}"]
        self.found.append((-1 if line is None else line, ", ".join(place), message))

    def raise_any(self) -> None:
        """
        Raises:
            DataError: with up to `MOST` faults, by line.
        """
        if not self.found:
            return
        count = "1 fault" if len(self.found) == 1 else f"{len(self.found)} faults"
        if len(self.found) > MOST:
            count = f"the first {MOST} faults"
        first = sorted(self.found, key=lambda fault: fault[0])[:MOST]
        width = max(len(place) for _, place, _ in first)
        listed = [f"{place:<{width}}  {text}" if width else text for _, place, text in first]
        heading = f"{count} in {self.path}; no row was used"
        raise DataError(lines(heading, *(f"  {text}" for text in listed), *self.hints))


@dataclass(frozen=True)
class Gap:
    """The missing values of a column.

    Attributes:
        column: its name.
        count: how many there are.
        first: the line or row of the first one.
        words: texts with letters that were read as missing, though they could be categories, and
            how often each stands there.
    """

    column: str
    count: int
    first: int
    words: dict[str, int] = field(default_factory=dict)

    def notes(self) -> Iterator[str]:
        """Which words were taken for missing values."""
        if self.words:
            some = list(self.words.items())[:5]
            listed = ", ".join(f"{shown(text, 40)} in {rows_text(n)}" for text, n in some)
            yield (
                f"column {shown(self.column, 40)}: read as missing: {listed} "
                "(dataset.na_values lists such texts)"
            )


def judge(
    gaps: Sequence[Gap], faults: FileFaults, rows: int, needed: Mapping[str, str], policy: Policy
) -> None:
    """Adds a fault for each column that the policy does not allow to have missing values.

    Args:
        rows: how many rows there are.
        needed: columns that are never filled in, such as the labels, and what to say of a gap.
    """
    wrong = [g for g in gaps if policy == "refuse" or (policy in FILLING and g.column in needed)]
    for gap in wrong:
        what = needed.get(gap.column, "missing value")
        faults.add(gap.first, gap.column, f"{what} in {gap.count} of {rows_text(rows)}, here first")
    if any(gap.column not in needed for gap in wrong):
        faults.hints.append(FILL)
    elif wrong:
        faults.hints.append("dataset.missing=drop leaves such rows out")
    if words := sorted({word for gap in wrong for word in gap.words}):
        listed = " and ".join(shown(word, 40) for word in words[:5])
        stand = "stands" if len(words) == 1 else "stand"
        faults.hints.append(
            f"{listed} {stand} for a missing value here. Set dataset.na_values to the "
            "texts that mean missing ([]: only empty fields)"
        )
