"""What was measured over the epochs: the rows of metrics.csv, by the names of its columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

import numpy as np
import torch
from torch import Tensor


class Row(Mapping[str, list[float]]):
    """What was measured after one epoch: column -> a number for each run of the stack.

    Args:
        columns: their names.
        values: `[columns, runs]`.
    """

    def __init__(self, columns: tuple[str, ...], values: Tensor) -> None:
        self.columns, self.numbers = columns, values

    @cached_property
    def lists(self) -> dict[str, list[float]]:
        return dict(zip(self.columns, self.numbers.tolist(), strict=True))

    def __getitem__(self, name: str) -> list[float]:
        return self.lists[name]

    def __contains__(self, name: object) -> bool:
        return name in self.columns

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.columns)


class History:
    """One row for each evaluated epoch of each run.

    Args:
        columns: names after `epoch`, in the order of metrics.csv.
    """

    def __init__(self, columns: Sequence[str]) -> None:
        self.columns = tuple(columns)
        self.epochs: list[int] = []
        self._rows: list[Tensor] = []  # [epochs, columns, runs] each
        self._block: Tensor | None = None

    def add(self, epoch: int, values: Mapping[str, Tensor]) -> Row:
        """Appends a row.

        Args:
            values: `[runs]` for each column.
        """
        block = torch.stack([values[name] for name in self.columns])[None]
        self.extend([epoch], block)
        return Row(self.columns, block[0])

    def extend(self, epochs: Sequence[int], block: Tensor) -> None:
        """Appends the rows of some epochs, `[epochs, columns, runs]`."""
        self.epochs.extend(epochs)
        self._rows.append(block)

    def block(self) -> Tensor | None:
        """All rows, `[epochs, columns, runs]`, or None before the first."""
        if self._rows:
            blocks = self._rows if self._block is None else [self._block, *self._rows]
            self._block, self._rows = torch.cat(blocks), []
        return self._block

    def restore(self, epochs: Sequence[int], block: Tensor | None) -> None:
        """Takes up the rows of a checkpoint."""
        self.epochs, self._block, self._rows = list(epochs), block, []

    def column(self, name: str, run: int) -> Tensor:
        """The values of one run so far, `[epochs]`; there is at least one."""
        block = self.block()
        assert block is not None
        return block[:, self.columns.index(name), run]

    def table(self, run: int) -> dict[str, np.ndarray]:
        """Columns of one run: `epoch` int64, all others as they were computed."""
        epochs = np.asarray(self.epochs, np.int64)
        block = self.block()
        if block is None:
            return {"epoch": epochs, **{name: np.empty(0, np.float32) for name in self.columns}}
        values = block[:, :, run].cpu().numpy()
        return {"epoch": epochs, **{name: values[:, i] for i, name in enumerate(self.columns)}}

    def select(self, keep: Tensor) -> None:
        """Keeps the runs at these positions."""
        block = self.block()
        self._block = None if block is None else block[:, :, keep]
