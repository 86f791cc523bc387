"""Any optimizer of torch.optim with the interface of the stacked rules, for one run at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from exp.components.optimizers.nested_state import flatten, unflatten
from exp.components.optimizers.optimizer import Closure, Optimizer
from exp.components.optimizers.parameter_buffer import Parameters
from exp.components.optimizers.torch_options import faults
from exp.registry.registry import register
from exp.registry.types import Count, NonNegative, Positive
from exp.util.errors import ImpossibleError


class TorchOptimizer(Optimizer):
    """An optimizer of torch.optim for a single run.

    torch.optim receives each parameter without the dimension of runs. It is a view into
    `parameters.values`, and its `.grad` is a view into `parameters.gradients`.

    Args:
        parameters: the parameters of one run.
        algorithm: a class of torch.optim.
        lr: base learning rate; each step receives its own.
        options: other arguments of that class.

    Raises:
        ImpossibleError: if the algorithm refuses these parameters, with its own reason.
    """

    stackable: ClassVar[bool] = False

    def __init__(self, parameters: Parameters, algorithm: str, lr: Any, **options: Any) -> None:
        runs = parameters.values.shape[0]
        if runs != 1:
            raise ValueError(f"optimizer {algorithm} trains a single run, found {runs} runs")
        self.algorithm, self.options = algorithm, options
        self.lr = torch.full((1, 1), float(lr), dtype=torch.float64)
        self._bind(parameters)

    def _bind(self, parameters: Parameters) -> None:
        self.parameters = parameters
        self.views = []
        for leaf in parameters.leaves:
            if leaf.grad is None:  # a parameter that is not trained
                continue
            view = leaf.detach()[0]
            view.grad = leaf.grad[0]
            self.views.append(view)
        self.torch = self._create()

    def _create(self) -> torch.optim.Optimizer:
        kind = getattr(torch.optim, self.algorithm)
        try:
            found: torch.optim.Optimizer = kind(self.views, lr=float(self.lr), **self.options)
            return found
        except (TypeError, ValueError) as error:
            raise ImpossibleError(
                f"optimizer {self.algorithm} of torch.optim cannot train this model: {error}"
            ) from error

    @property
    def state(self) -> dict[str, Tensor]:
        nest = [self.torch.state.get(view) for view in self.views]
        return flatten(nest, self.parameters.values.device)

    @state.setter
    def state(self, saved: Mapping[str, Tensor]) -> None:
        # Not load_state_dict: it casts what float64 parameters keep in float32.
        nest = unflatten(saved, self.parameters.values.device)
        if not isinstance(nest, list) or not all(
            each is None or isinstance(each, dict) for each in nest
        ):
            raise ValueError(f"not a state of optimizer {self.algorithm}")
        self.torch.state.clear()
        for view, state in zip(self.views, nest, strict=True):
            if state is not None:
                self.torch.state[view] = state

    def step(self, lr: Tensor, closure: Closure | None = None) -> None:
        for group in self.torch.param_groups:
            group["lr"] = float(lr)
        needs_closure = isinstance(self.torch, torch.optim.LBFGS)
        self.torch.step(closure if needs_closure else None)  # type: ignore[arg-type]

    def select(self, parameters: Parameters, keep: Tensor) -> None:
        state = self.state
        self._bind(parameters)
        self.state = state


@register.optimizer("lbfgs")
class LBFGS(TorchOptimizer):
    """L-BFGS: quasi-Newton steps from the last gradients, by `torch.optim.LBFGS`. Full batch.

    Source: Liu and Nocedal 1989; the line search is that of minFunc.

    Args:
        lr: length of a step, before the line search.
        max_iter: iterations per step; each epoch has one step.
        max_eval: evaluations of the loss in each step; null is 1.25 times max_iter.
        tolerance_grad: a step ends where no gradient is larger.
        tolerance_change: a step ends where loss or weights change less.
        history_size: gradients that are remembered.
        line_search_fn: null or strong_wolfe, which makes it far more reliable.
    """

    def __init__(
        self,
        parameters: Parameters,
        *,
        lr: Positive = 1.0,
        max_iter: Count = 20,
        max_eval: Count | None = None,
        tolerance_grad: NonNegative = 1e-7,
        tolerance_change: NonNegative = 1e-9,
        history_size: Count = 100,
        line_search_fn: Literal["strong_wolfe"] | None = None,
    ) -> None:
        super().__init__(
            parameters,
            "LBFGS",
            lr,
            max_iter=max_iter,
            max_eval=max_eval,
            tolerance_grad=float(tolerance_grad),
            tolerance_change=float(tolerance_change),
            history_size=history_size,
            line_search_fn=line_search_fn,
        )


@register.optimizer("torch", check=faults)
class FromTorch(TorchOptimizer):
    """Any optimizer of torch.optim by class name, such as Adamax, ASGD or Adafactor.

    Prefer an optimizer with its own name in exp: it is faster and can be stacked.

    Args:
        algorithm: a class of torch.optim.
        lr: learning rate.
        options: other arguments of that class, such as `{weight_decay: 0.01}`; those left out keep
            its defaults.
    """

    def __init__(
        self,
        parameters: Parameters,
        *,
        algorithm: str = "Adamax",
        lr: Positive = 2e-3,
        options: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(parameters, algorithm, lr, **(options or {}))
