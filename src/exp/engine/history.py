"""What was measured over the epochs: the rows of metrics.csv, by the names of its columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

Row = Mapping[str, list[float]]
"""After one epoch: column -> a number for each run of the stack."""


class History:
    """One row for each evaluated epoch of each run.

    Args:
        columns: names after `epoch`, in the order of metrics.csv.
    """

    def __init__(self, columns: Sequence[str]) -> None:
        self.columns = tuple(columns)
        self.epochs: list[int] = []
        self._rows: list[Tensor] = []
        self._block: Tensor | None = None

    def add(self, epoch: int, values: Mapping[str, Tensor]) -> Row:
        """Appends a row.

        Args:
            values: `[runs]` for each column.
        """
        row = torch.stack([values[name] for name in self.columns])
        self.epochs.append(epoch)
        self._rows.append(row)
        return dict(zip(self.columns, row.tolist(), strict=True))

    def block(self) -> Tensor | None:
        """All rows, `[epochs, columns, runs]`, or None before the first."""
        if self._rows:
            rows = torch.stack(self._rows)
            self._block = rows if self._block is None else torch.cat([self._block, rows])
            self._rows = []
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
