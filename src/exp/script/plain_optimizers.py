"""Optimizers that torch.optim does not have, in plain PyTorch: scripts contain their source.

They are not used to train in exp, whose rules train many runs at once. Each is written as its paper
has it, with the same numbers up to rounding.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


class ClassicalSGD(torch.optim.Optimizer):
    """SGD whose momentum contains the learning rate (Sutskever et al. 2013), as in Keras."""

    def __init__(self, params: Any, lr: float, momentum: float, **options: Any) -> None:
        super().__init__(params, {"lr": lr})
        self.momentum = momentum
        self.nesterov = options.get("nesterov", False)
        self.weight_decay = options.get("weight_decay", 0.0)

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for w in group["params"]:
                gradient = group["lr"] * (w.grad + self.weight_decay * w)
                velocity = self.state[w].get("velocity", torch.zeros_like(w))
                velocity = self.momentum * velocity + gradient
                self.state[w]["velocity"] = velocity
                w.sub_(gradient + self.momentum * velocity if self.nesterov else velocity)


class Lion(torch.optim.Optimizer):
    """Each weight moves by the learning rate, by the sign of a running mean of gradients.

    Source: Chen et al. 2023, arXiv:2302.06675.
    """

    def __init__(
        self, params: Any, lr: float, beta1: float, beta2: float, weight_decay: float
    ) -> None:
        super().__init__(params, {"lr": lr})
        self.beta1, self.beta2, self.weight_decay = beta1, beta2, weight_decay

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for w in group["params"]:
                mean = self.state[w].get("mean", torch.zeros_like(w))
                w.mul_(1 - group["lr"] * self.weight_decay)
                w.sub_(group["lr"] * mean.lerp(w.grad, 1 - self.beta1).sign())
                self.state[w]["mean"] = mean.lerp(w.grad, 1 - self.beta2)


class Muon(torch.optim.Optimizer):
    """Matrices move along their momentum made orthogonal; AdamW for all other weights.

    Source: Jordan et al. 2024, kellerjordan.github.io/posts/muon.
    """

    def __init__(self, params: Any, lr: float, **options: Any) -> None:
        super().__init__(params, {"lr": lr, **options})

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for w in group["params"]:
                w.mul_(1 - group["lr"] * group["weight_decay"])
                change = self.orthogonal if w.dim() == 2 else self.adam
                w.sub_(group["lr"] * change(w, group))

    def orthogonal(self, w: Any, group: dict[str, Any]) -> Any:
        """U V^T of the momentum U S V^T, by Newton-Schulz iterations."""
        share, state = group["momentum"], self.state[w]
        momentum = state.get("momentum", torch.zeros_like(w)).lerp(w.grad, 1 - share)
        state["momentum"] = momentum
        x = w.grad.lerp(momentum, share) if group["nesterov"] else momentum
        x = x / x.norm().clamp_min(1e-7)
        tall = len(x) > x.shape[1]
        x = x.T if tall else x
        for _ in range(group["ns_steps"]):
            gram = x @ x.T
            x = 3.4445 * x + (-4.7750 * gram + 2.0315 * gram @ gram) @ x
        rows, columns = w.shape
        if group["adjust_lr_fn"] == "original":
            size = math.sqrt(max(1, rows / columns))
        else:
            size = 0.2 * math.sqrt(max(rows, columns))
        return size * (x.T if tall else x)

    def adam(self, w: Any, group: dict[str, Any]) -> Any:
        """The direction of Adam."""
        state, beta1, beta2 = self.state[w], group["beta1"], group["beta2"]
        step = state["step"] = state.get("step", 0) + 1
        mean = state.get("mean", torch.zeros_like(w)).lerp(w.grad, 1 - beta1)
        square = state.get("square", torch.zeros_like(w)).lerp(w.grad.square(), 1 - beta2)
        state["mean"], state["square"] = mean, square
        root = (square / (1 - beta2**step)).sqrt() + group["eps"]
        return mean / (1 - beta1**step) / root


class SOAP(torch.optim.Optimizer):
    """Adam in the eigenbasis of Shampoo's preconditioner, for matrices; AdamW for all others.

    Source: Vyas et al. 2024, arXiv:2409.11321. The first step only estimates the preconditioner.
    """

    def __init__(self, params: Any, lr: float, **options: Any) -> None:
        super().__init__(params, {"lr": lr, **options})

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for w in group["params"]:
                state = self.state[w]
                if not state:
                    zero = torch.zeros_like(w)
                    state.update(step=0, mean=zero, square=zero, grams={}, bases={})
                if state["step"] > 0:
                    self.descend(w, group)
                if w.dim() == 2:
                    self.precondition(w, group)
                state["step"] += 1

    def descend(self, w: Any, group: dict[str, Any]) -> None:
        """A step of Adam in the eigenbasis."""
        state, beta1, beta2 = self.state[w], group["beta1"], group["beta2"]
        bases = state["bases"]
        state["mean"] = state["mean"].lerp(w.grad, 1 - beta1)
        gradient = self.rotated(w.grad, bases)
        state["square"] = state["square"].lerp(gradient.square(), 1 - beta2)
        direction = self.rotated(state["mean"], bases) / (state["square"].sqrt() + group["eps"])
        corrected = math.sqrt(1 - beta2 ** state["step"]) / (1 - beta1 ** state["step"])
        w.sub_(group["lr"] * corrected * self.rotated(direction, bases, back=True))
        w.mul_(1 - group["lr"] * group["weight_decay"])

    def rotated(self, x: Tensor, bases: dict[int, Tensor], back: bool = False) -> Any:
        """A matrix in its eigenbasis, or back."""
        for side, basis in bases.items():
            turn = basis if back == (side == 0) else basis.T
            x = turn @ x if side == 0 else x @ turn
        return x

    def precondition(self, w: Any, group: dict[str, Any]) -> None:
        """Takes a gradient into the preconditioner, and now and then turns the eigenbasis."""
        state, share = self.state[w], 1 - group["beta2"]
        for side, length in enumerate(w.shape):
            if not 1 < length <= group["max_precond_dim"]:
                continue
            seen = w.grad @ w.grad.T if side == 0 else w.grad.T @ w.grad
            gram = state["grams"].get(side, torch.zeros_like(seen)).lerp(seen, share)
            state["grams"][side] = gram
            if state["step"] == 0:
                tiny = 1e-30 * torch.eye(length, dtype=w.dtype, device=w.device)
                state["bases"][side] = torch.linalg.eigh(gram + tiny).eigenvectors.flip(1)
            elif state["step"] % group["precondition_frequency"] == 0:
                found = gram @ state["bases"][side]
                sizes = (state["bases"][side].T @ found).diagonal()
                order = sizes.argsort(descending=True, stable=True)
                state["square"] = state["square"].index_select(side, order)
                state["bases"][side] = torch.linalg.qr(found[:, order]).Q


class SAM:
    """Another optimizer with the gradient at the point of largest loss within a distance of rho.

    Source: Foret et al. 2021, arXiv:2010.01412.
    """

    def __init__(self, base: torch.optim.Optimizer, rho: float) -> None:
        self.base, self.rho = base, rho

    def step(self, closure: Callable[[], Any]) -> None:
        weights = [w for group in self.base.param_groups for w in group["params"]]
        with torch.no_grad():
            before = [w.clone() for w in weights]
            squares = torch.stack([w.grad.square().sum() for w in weights])
            for w in weights:
                w.add_(w.grad * (self.rho / (squares.sum().sqrt() + 1e-12)))
        closure()  # the gradient there
        with torch.no_grad():
            for w, kept in zip(weights, before, strict=True):
                w.copy_(kept)
        self.base.step()


class ScheduleFreeSGD(torch.optim.Optimizer):
    """SGD with averaged weights instead of a schedule.

    In training the weights are y = (1 - momentum) z + momentum x: steps move z, and x is its mean.
    `average()` puts x into the model, `training()` puts y back.

    Source: Defazio et al. 2024, arXiv:2405.15682.
    """

    def __init__(self, params: Any, lr: float, momentum: float, weight_decay: float) -> None:
        super().__init__(params, {"lr": lr})
        self.share, self.weight_decay = momentum, weight_decay
        self.largest = self.total = 0.0

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]
        for group in self.param_groups:
            self.largest = max(self.largest, group["lr"])
            self.total += self.largest**2
            weight = self.largest**2 / self.total if self.total else 0.0
            for w in group["params"]:
                state = self.state[w]
                if not state:
                    state.update(x=w.clone(), z=w.clone())
                state["z"].sub_(group["lr"] * self.direction(w))
                state["x"].lerp_(state["z"], weight)
                w.copy_(state["z"].lerp(state["x"], self.share))

    def direction(self, w: Any) -> Any:
        return w.grad + self.weight_decay * w

    @torch.no_grad()
    def average(self) -> None:
        for w, state in self.state.items():
            state["y"] = w.clone()
            w.copy_(state["x"])

    @torch.no_grad()
    def training(self) -> None:
        for w, state in self.state.items():
            w.copy_(state["y"])


class ScheduleFreeAdamW(torch.optim.Optimizer):
    """AdamW with averaged weights instead of a schedule.

    In training the weights are y = (1 - beta1) z + beta1 x: steps move z, and x is its mean.
    `average()` puts x into the model, `training()` puts y back.

    Source: Defazio et al. 2024, arXiv:2405.15682.
    """

    def __init__(
        self, params: Any, lr: float, beta1: float, beta2: float, eps: float, weight_decay: float
    ) -> None:
        super().__init__(params, {"lr": lr})
        self.share, self.beta2, self.eps, self.weight_decay = beta1, beta2, eps, weight_decay
        self.largest = self.total = 0.0

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]
        for group in self.param_groups:
            self.largest = max(self.largest, group["lr"])
            self.total += self.largest**2
            weight = self.largest**2 / self.total if self.total else 0.0
            for w in group["params"]:
                state = self.state[w]
                if not state:
                    state.update(x=w.clone(), z=w.clone(), square=torch.zeros_like(w), step=0)
                state["z"].sub_(group["lr"] * self.direction(w))
                state["x"].lerp_(state["z"], weight)
                w.copy_(state["z"].lerp(state["x"], self.share))

    def direction(self, w: Any) -> Any:
        state = self.state[w]
        state["step"] += 1
        state["square"].lerp_(w.grad.square(), 1 - self.beta2)
        root = (state["square"] / (1 - self.beta2 ** state["step"])).sqrt()
        return w.grad / (root + self.eps) + self.weight_decay * w

    @torch.no_grad()
    def average(self) -> None:
        for w, state in self.state.items():
            state["y"] = w.clone()
            w.copy_(state["x"])

    @torch.no_grad()
    def training(self) -> None:
        for w, state in self.state.items():
            w.copy_(state["y"])
