"""How large the weights and gradients of each layer are, epoch by epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from exp.engine.history import History
from exp.engine.stack import Stack
from exp.util.errors import DamagedError


class Norms:
    """The Euclidean norm of each layer's weights, and of their gradient in an epoch's last step.

    Recorded for all runs of a stack if the figures of one of them need it.

    Args:
        stack: the runs.
    """

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.wanted = [
            job.plan.figures is not None and "norms" in job.plan.figures.names for job in stack.jobs
        ]
        self.ranges = stack.model.weight_places
        columns = [f"{what}/{name}" for what in ("weight", "gradient") for name in self.ranges]
        self.history = History(columns)

    def look(self, epoch: int) -> None:
        """Records an evaluated epoch."""
        if not any(self.wanted) or not self.ranges:
            return
        parameters = self.stack.model.parameters
        row = {}
        with torch.no_grad():
            for what in ("weight", "gradient"):
                values = parameters.values if what == "weight" else parameters.gradients
                squares = values.square()
                for name, span in self.ranges.items():
                    row[f"{what}/{name}"] = squares[:, span].sum(dim=-1).sqrt()
        self.history.add(epoch, row)

    def table(self, run: int) -> dict[str, np.ndarray] | None:
        """Columns of the run at this position, `epoch` among them; None where it wants none."""
        return self.history.table(run) if self.wanted[run] else None

    def restore(self, tables: Sequence[Mapping[str, np.ndarray]]) -> None:
        """Takes up the rows of the stack's runs where an earlier training was left.

        Args:
            tables: of each run, of the same epochs.

        Raises:
            DamagedError: they are of another run.
        """
        if any(tuple(table) != ("epoch", *self.history.columns) for table in tables):
            raise DamagedError("norms.csv belongs to another run: delete it, and the run continues")
        values = self.stack.model.parameters.values
        names = self.history.columns
        # [epochs, columns, runs]
        rows = np.array([[table[name] for name in names] for table in tables]).transpose(2, 1, 0)
        self.history.restore(
            tables[0]["epoch"].tolist(),
            torch.from_numpy(rows.copy()).to(values) if len(rows) else None,
        )

    def select(self, keep: list[int]) -> None:
        """Keeps the runs at these positions, after the stack did."""
        self.wanted = [self.wanted[i] for i in keep]
        place = self.stack.device.torch_device
        self.history.select(torch.tensor(keep, dtype=torch.int64, device=place))
