"""A network with its loss, as the kernel computes them: logits of rows, and their mean loss."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from exp.components.losses import classification_losses as classes
from exp.components.losses import regression_losses as numbers
from exp.engine.kernel import structures
from exp.engine.kernel.program import NotKnownError, program
from exp.engine.kernel.structures import LOSSES, address
from exp.engine.model import Model
from exp.util.compiled import LEVELS, form, library
from exp.util.errors import ConfigError, Fault

if TYPE_CHECKING:
    from exp.engine.objective import Objective
    from exp.engine.rows import Split

LANES = 16
"""Rows are answered in multiples of this."""

SIMPLE = {
    classes.TanhMeanSquaredError: "tanh_mse",
    numbers.MeanSquaredError: "mse",
    numbers.MeanAbsoluteError: "l1",
    numbers.SquaredError: "squared",
    numbers.AbsoluteError: "absolute",
}


def loss_of(loss: Any) -> tuple[str, list[Any]]:
    """The kernel's kind of a loss, and its numbers, at most two.

    Raises:
        NotKnownError: it has none.
    """
    kind = type(loss)
    if kind in SIMPLE:
        return SIMPLE[kind], []
    if kind is classes.BinaryCrossEntropy:
        return "bce", [1.0 if loss.pos_weight is None else loss.pos_weight]
    if kind is classes.CrossEntropy:
        if loss.class_weights is not None and isinstance(loss.smoothing, Tensor):
            raise NotKnownError("label_smoothing with class_weights")
        return "cross_entropy", [loss.smoothing]
    if kind is classes.Focal:
        return "focal", [loss.gamma, -1.0 if loss.alpha is None else loss.alpha]
    if kind is classes.Hinge:
        return "hinge", [loss.margin]
    raise NotKnownError(f"loss {kind.__name__}")


class Network:
    """The networks of R runs with their losses, in the tensors of a model.

    Args:
        model: of known layers.
        objective: of the same runs.
        features: of each row.
        batch: rows of a training step.

    Raises:
        NotKnownError: the kernel has not got a layer or the loss.
    """

    def __init__(self, model: Model, objective: Objective, features: int, batch: int) -> None:
        found, name = library(), form()
        assert found is not None
        assert name is not None
        if not hasattr(found, "exp_size") or found.exp_size() != ctypes.sizeof(structures.Stack):
            what = "was compiled from another version of the source; install exp again"
            raise ConfigError([Fault("exp.engine.kernel._kernel", what)])
        self.library, self.level = found, LEVELS[name]
        self.model, self.objective = model, objective
        self.kept: list[Any] = []
        self.program = program(model, features, batch)
        self.struct = structures.Stack(program=self.program.struct)
        self.struct.values = address(model.parameters.values)
        self._loss()
        self.statistics = (structures.Statistics * len(self.program.norms))()
        self.struct.statistics = ctypes.addressof(self.statistics)
        self.struct.norms = len(self.program.norms)
        self.set_statistics(0, model.buffers)

    def set_statistics(self, place: int, buffers: Mapping[str, Tensor]) -> None:
        """Sets where running statistics stand: live ones (0), or as the watch keeps them."""
        for found, norm in zip(self.statistics, self.program.norms, strict=True):
            found.momentum = -1.0 if norm.momentum is None else norm.momentum
            found.outputs = buffers[norm.prefix + "running_mean"].shape[1]
            found.mean[place] = address(buffers[norm.prefix + "running_mean"])
            found.variance[place] = address(buffers[norm.prefix + "running_var"])
            found.batches[place] = address(buffers[norm.prefix + "num_batches_tracked"])

    def keep(self, tensor: Tensor) -> int | None:
        """The address of a tensor that lives as long as this does."""
        self.kept.append(tensor)
        return address(tensor)

    def doubles(self, given: Any) -> int | None:
        return self.keep(torch.as_tensor(given, dtype=torch.float64).reshape(-1).contiguous())

    def _loss(self) -> None:
        struct, objective, runs = self.struct, self.objective, self.model.runs
        kind, given = loss_of(objective.loss)
        struct.loss = structures.Loss(
            kind=LOSSES.index(kind),
            outputs=objective.loss.outputs,
            positive=objective.loss.positive,
            scores=len(objective.loss.measures),
        )
        columns = torch.zeros(2, runs, dtype=torch.float64)
        for column, number in zip(columns, given, strict=False):
            column.copy_(torch.as_tensor(number, dtype=torch.float64).reshape(-1))
        struct.loss_number = self.doubles(columns.T)
        if isinstance(objective.l1, Tensor):
            struct.l1 = self.doubles(objective.l1)
        if isinstance(objective.l2, Tensor):
            struct.l2 = self.doubles(objective.l2)
        places = [[place.start, place.stop] for place in self.model.weight_places.values()]
        struct.penalties = len(places)
        struct.penalized = self.keep(torch.tensor(places, dtype=torch.int64))

    def set_split(self, place: int, split: Split) -> None:
        """Sets the rows of training (0), test (1) or validation (2)."""
        struct = self.struct.split[place]
        struct.x = self.keep(split.x.contiguous())
        struct.y = self.keep(split.targets.float().contiguous())
        if split.weights is not None:
            struct.weight = self.keep(split.weights.contiguous())
        if split.spread is not None:
            struct.spread = self.doubles(split.spread)
        if split.units is not None:
            struct.units = self.doubles(split.units)
        struct.rows, struct.width, struct.features = split.count, split.width, split.features
        struct.by_row = split.shuffled

    def loss(self, split: Split) -> float:
        """The mean loss of the first run on the rows of a split, penalty included."""
        kept = len(self.kept)
        self.set_split(1, split)
        self.struct.split[0].features = split.features
        found = ctypes.c_float()
        failed = self.library.exp_loss(self.level, ctypes.byref(self.struct), ctypes.byref(found))
        del self.kept[kept:]
        if failed:
            raise MemoryError
        return found.value

    def logits(self, x: Tensor, run: int = 0) -> Tensor:
        """Logits `[outputs, rows]` of the run at this position, of rows `[features, rows]`."""
        rows = x.shape[1]
        width = -(-max(rows, 1) // LANES) * LANES
        whole = torch.zeros(x.shape[0], width)
        whole[:, :rows] = x
        outputs = self.model.outputs
        found = torch.empty(outputs, width)
        if self.library.exp_answer(
            self.level,
            ctypes.byref(self.struct),
            ctypes.c_int64(run),
            ctypes.c_void_p(address(whole)),
            ctypes.c_int64(width),
            ctypes.c_void_p(address(found)),
            ctypes.c_int64(outputs),
        ):
            raise MemoryError
        return found[:, :rows]
