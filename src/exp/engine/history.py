"""What was measured over the epochs: the rows of metrics.csv."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor


class History:
    """One row for each evaluated epoch of each run.

    Args:
        columns: names after `epoch`, in the order of metrics.csv.
        runs: R.
    """

    def __init__(self, columns: Sequence[str], runs: int) -> None:
        self.columns = tuple(columns)
        self.epochs: list[int] = []
        self.runs = runs
        self._rows: list[Tensor] = []
        self._block: Tensor | None = None

    def add(self, epoch: int, row: Tensor) -> None:
        """Appends a row, `[columns, runs]`."""
        self.epochs.append(epoch)
        self._rows.append(row)

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

    def newest(self, run: int) -> dict[str, float]:
        """The newest row of one run."""
        block = self._rows[-1] if self._rows else self._block[-1]  # type: ignore[index]
        return dict(zip(self.columns, block[:, run].tolist(), strict=True))

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
        self.runs = len(keep)
