"""Optimizers of a stack: their interface, and the base class of the stacked rules.

A rule trains R runs at once, which may have different hyperparameters, and applies the same
operations in the same order to a run whatever its neighbours are. Three habits keep the bits of a
run the same in a stack of any size:

- on `[R, P]` tensors any elementwise operation will do: P is a multiple of the vector width;
- on `[R, 1]` tensors only + - * / and square roots, which IEEE 754 rounds one way everywhere; what
  torch.optim takes from a power is kept as a running product instead;
- a term is left out only if its hyperparameter is the float 0.0, which `stacked` makes of a number
  that is 0 in every run of a stack.

Numbers are derived in float64, as torch.optim does with Python's floats, and cast once, last.
torch.optim itself is not used: its first constructor imports torch._dynamo, which takes a second.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar

import torch
from pydantic import AfterValidator, Field
from torch import Tensor

from exp.components.optimizers.parameter_buffer import Parameters
from exp.registry.types import LARGEST


def _epsilon(value: float) -> float:
    if value < 1e-30:
        raise ValueError("a number of at least 1e-30")
    return value


Epsilon = Annotated[float, Field(le=LARGEST, allow_inf_nan=False), AfterValidator(_epsilon)]
"""What keeps a denominator from 0: smaller ones would be 0 in float32."""

Closure = Callable[[], Tensor]


class Optimizer(ABC):
    """The interface of an optimizer.

    Attributes:
        stackable: whether the optimizer can train several runs at once.
        averages: whether the optimizer averages weights itself; `averaged` is then not None.
        second_gradient: whether a step uses the gradient of its closure instead of the first one.
            That gradient is clipped too, and running statistics are those of the first pass.
        recordable: whether each step starts the same operations and reads no value from a GPU.
        parameters: the parameters of the R runs and their gradients.
        lr: base learning rates for the schedules, `[R, 1]` float64.
    """

    stackable: ClassVar[bool] = True
    averages: ClassVar[bool] = False
    second_gradient: ClassVar[bool] = False
    recordable: ClassVar[bool] = True
    parameters: Parameters
    lr: Tensor

    @property
    def averaged(self) -> Tensor | None:
        """The weights for evaluation and checkpoints, `[R, P]`; None: the trained weights."""
        return None

    @property
    @abstractmethod
    def state(self) -> dict[str, Tensor]:
        """The complete state for resuming a run. Assigning a saved state restores it."""

    @state.setter
    @abstractmethod
    def state(self, saved: Mapping[str, Tensor]) -> None: ...

    @abstractmethod
    def step(self, lr: Tensor, closure: Closure | None = None) -> None:
        """Updates `parameters.values` in place.

        Args:
            lr: the learning rate of each run at this step, `[R, 1]` float64.
            closure: computes the loss and the gradients again; L-BFGS and SAM call it.
        """

    @abstractmethod
    def select(self, parameters: Parameters, keep: Tensor) -> None:
        """Continues with a subset of the runs.

        Args:
            parameters: the parameters of the remaining runs.
            keep: their previous positions, `[kept]` int64, or a mask `[R]` bool.
        """


class Rule(Optimizer):
    """A rule written for a stack.

    A subclass creates its state in `start`, computes constants in `prepare`, and makes a step in
    `update`.

    Args:
        parameters: the parameters of R runs.
        numbers: each float hyperparameter, `[R, 1]` float64, or one number for all runs. With
            the number 0, the term is left out.

    Attributes:
        state: `[R, P]` in the dtype of the parameters, or `[R, 1]`.
    """

    def __init__(self, parameters: Parameters, **numbers: Any) -> None:
        device = parameters.values.device
        # MPS has no float64: there the few numbers of each run stay on the CPU.
        self.place = torch.device("cpu") if device.type == "mps" else device
        self.parameters = parameters
        self.active = {k for k, v in numbers.items() if isinstance(v, Tensor) or v != 0}
        self.numbers = {name: self.column(number) for name, number in numbers.items()}
        self._state = self.start()
        self.prepare()

    @property
    def state(self) -> dict[str, Tensor]:
        return self._state

    @state.setter
    def state(self, saved: Mapping[str, Tensor]) -> None:
        if set(saved) != set(self._state):
            missing = sorted(set(saved) ^ set(self._state))
            raise ValueError(
                f"not a state of {type(self).__name__}: only one of the two has {missing}"
            )
        for name, tensor in self._state.items():
            tensor.copy_(saved[name].reshape(tensor.shape))

    def step(self, lr: Tensor, closure: Closure | None = None) -> None:
        # Neither values nor gradients require grad, so that no_grad (1.6 us) is not needed.
        self.update(lr if lr.device == self.place else lr.to(self.place))

    def select(self, parameters: Parameters, keep: Tensor) -> None:
        index = keep.nonzero()[:, 0] if keep.dtype == torch.bool else keep
        self.parameters = parameters
        self.numbers = {k: v[index.to(v.device)] for k, v in self.numbers.items()}
        self._state = {k: v[index.to(v.device)] for k, v in self._state.items()}
        self.prepare()

    @abstractmethod
    def start(self) -> dict[str, Tensor]:
        """The state before the first step."""

    def prepare(self) -> None:
        """Computes constants and allocates work space for the current runs."""
        self.lr = self.numbers["lr"]
        self.one = torch.ones_like(self.lr)
        self.rate = self.cast(self.one)
        self.work = torch.empty_like(self.parameters.values)
        if "weight_decay" in self.active:
            self.frozen = self.frozen_lanes()
            self.decay = self.cast(self.numbers["weight_decay"])
            if self.frozen is not None:
                self.decay = self.decay.masked_fill(self.frozen, 0)
            self.decayed = torch.empty_like(self.work)
            self.kept = torch.empty_like(self.lr)

    @abstractmethod
    def update(self, lr: Tensor) -> None:
        """Makes one step; `lr` is `[R, 1]` float64 on `place`."""

    def column(self, number: Tensor | float) -> Tensor:
        """One number for each run, `[R, 1]` float64 on `place`."""
        runs = self.parameters.values.shape[0]
        if isinstance(number, Tensor):
            return number.to(self.place, torch.float64).reshape(runs, 1)
        return torch.full((runs, 1), number, dtype=torch.float64, device=self.place)

    def cast(self, number: Tensor) -> Tensor:
        """A copy in the dtype and on the device of the parameters, `[R, 1]`."""
        values = self.parameters.values
        return number.to(values.device, values.dtype, copy=True)

    def zeros(self) -> Tensor:
        """Zeros for the state of each parameter, `[R, P]`."""
        return torch.zeros_like(self.parameters.values)

    def frozen_lanes(self) -> Tensor | None:
        """A mask of the parameters in `values` that are not trained, `[R, P]` bool; None: there are
        none.

        Their gradients are 0, so only weight decay could change them.
        """
        values = self.parameters.values
        frozen = [leaf for leaf in self.parameters.leaves if not leaf.requires_grad]
        lanes = torch.zeros_like(values, dtype=torch.bool)
        for leaf in frozen:
            offset = leaf.storage_offset() - values.storage_offset()
            lanes.as_strided(leaf.shape, leaf.stride(), offset).fill_(True)
        return lanes if frozen else None

    def gradient(self) -> Tensor:
        """The gradients, with weight decay as an L2 term: g + weight_decay * w, `[R, P]`."""
        gradients = self.parameters.gradients
        if "weight_decay" not in self.active:
            return gradients
        return torch.addcmul(gradients, self.parameters.values, self.decay, out=self.decayed)

    def shrink(self, lr: Tensor) -> None:
        """Decoupled weight decay: w *= 1 - lr * weight_decay (Loshchilov and Hutter 2019)."""
        if "weight_decay" in self.active:
            torch.mul(lr, self.numbers["weight_decay"], out=self.kept)
            torch.sub(self.one, self.kept, out=self.kept)
            factor = self.rate.copy_(self.kept)
            if self.frozen is not None:
                factor = factor.masked_fill(self.frozen, 1)
            self.parameters.values.mul_(factor)
