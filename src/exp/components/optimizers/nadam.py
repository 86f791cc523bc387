"""Adam with Nesterov momentum."""

from __future__ import annotations

import torch
from torch import Tensor

from exp.components.optimizers.adam import Moments
from exp.components.optimizers.optimizer import Epsilon
from exp.components.optimizers.parameter_buffer import Parameters
from exp.registry.registry import register
from exp.registry.types import NonNegative, Positive, Probability


@register.optimizer("nadam")
class NAdam(Moments):
    """Adam with Nesterov momentum, as `torch.optim.NAdam`.

    Source: Dozat 2016, Incorporating Nesterov Momentum into Adam.

    Args:
        momentum_decay: how fast the momentum rises to beta1; at step t it is
            beta1 * (1 - 0.96^(t * momentum_decay) / 2).
        decoupled_weight_decay: decay the weights directly, as in AdamW.
    """

    def __init__(
        self,
        parameters: Parameters,
        *,
        lr: Positive = 2e-3,
        beta1: Probability = 0.9,
        beta2: Probability = 0.999,
        eps: Epsilon = 1e-8,
        weight_decay: NonNegative = 0.0,
        momentum_decay: NonNegative = 4e-3,
        decoupled_weight_decay: bool = False,
    ) -> None:
        super().__init__(
            parameters,
            decoupled=decoupled_weight_decay,
            lr=lr,
            beta1=beta1,
            beta2=beta2,
            eps=eps,
            weight_decay=weight_decay,
            momentum_decay=momentum_decay,
        )

    def start(self) -> dict[str, Tensor]:
        ones = torch.ones_like(self.numbers["lr"])
        return super().start() | {"mu_product": ones, "mu_power": ones.clone()}

    def prepare(self) -> None:
        super().prepare()
        decays = self.numbers["momentum_decay"][:, 0].tolist()
        # Python's own pow: one number at a time, so that its bits cannot depend on the stack.
        self.fall = self.column(self.lr.new_tensor([0.96**decay for decay in decays]))
        self.half = self.numbers["beta1"] / 2
        self.next_half = self.half * self.fall
        self.share = torch.empty_like(self.rate)
        self.mu, self.number = torch.empty_like(self.lr), torch.empty_like(self.lr)

    def update(self, lr: Tensor) -> None:
        gradient, mean, square = self.moments(lr)
        state, beta1, one = self._state, self.numbers["beta1"], self.one
        mu, rest, rate = self.mu, self.scalar, self.number
        power, product = state["mu_power"].mul_(self.fall), state["mu_product"]
        # Of the gradient: lr (1 - mu) / (1 - product of all mu so far).
        torch.sub(beta1, torch.mul(power, self.half, out=mu), out=mu)
        torch.sub(one, product.mul_(mu), out=rest)
        torch.mul(lr, torch.sub(one, mu, out=mu), out=rate)
        self.rate.copy_(rate.div_(rest))
        # Of the mean: lr mu' / (1 - product of all mu up to mu'), which is the next step's.
        torch.sub(beta1, torch.mul(power, self.next_half, out=mu), out=mu)
        torch.sub(one, torch.mul(product, mu, out=rest), out=rest)
        torch.mul(lr, mu, out=rate)
        self.share.copy_(rate.div_(rest))
        self.root.copy_(state["correction2"])
        torch.div(square, self.root, out=self.work).sqrt_().add_(self.eps)
        for direction, factor in ((gradient, self.rate), (mean, self.share)):
            torch.mul(direction, factor, out=self.change)
            self.parameters.values.addcdiv_(self.change, self.work, value=-1)
