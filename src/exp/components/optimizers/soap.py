"""SOAP: Adam in the eigenbasis of Shampoo's preconditioner."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import torch
from torch import Tensor

from exp.components.optimizers.adam import Moments
from exp.components.optimizers.matrices import Matrix, matrices, product
from exp.components.optimizers.optimizer import Epsilon
from exp.components.optimizers.parameter_buffer import Parameters
from exp.registry.registry import register
from exp.registry.types import Count, NonNegative, Positive, Probability

LEAST = 1e-30


@register.optimizer("soap")
class SOAP(Moments):
    """Adam in the eigenbasis of Shampoo's preconditioner, for matrices; AdamW for all others.

    The first step only estimates the preconditioner and changes no weight, as in the authors' code.

    Source: Vyas et al. 2024, arXiv:2409.11321.

    Args:
        lr: learning rate.
        beta1: weight of the past in the running mean of gradients.
        beta2: weight of the past in the running means of squared gradients and of the
            preconditioner.
        eps: added to the denominator.
        weight_decay: each step finally multiplies the weights by 1 - lr * weight_decay.
        precondition_frequency: steps between two updates of the eigenbasis.
        max_precond_dim: longer sides of a matrix have no preconditioner.
    """

    recordable: ClassVar[bool] = False

    def __init__(
        self,
        parameters: Parameters,
        *,
        lr: Positive = 1e-2,
        beta1: Probability = 0.95,
        beta2: Probability = 0.95,
        eps: Epsilon = 1e-8,
        weight_decay: NonNegative = 1e-2,
        precondition_frequency: Count = 10,
        max_precond_dim: Count = 10_000,
    ) -> None:
        self.matrices = matrices(parameters)
        self.every, self.longest = precondition_frequency, max_precond_dim
        super().__init__(
            parameters,
            decoupled=True,
            lr=lr,
            beta1=beta1,
            beta2=beta2,
            eps=eps,
            weight_decay=weight_decay,
        )

    def start(self) -> dict[str, Tensor]:
        state = super().start() | {"steps": torch.zeros_like(self.numbers["lr"])}
        for matrix in self.matrices:
            for side, length in self.sides(matrix):
                square = self.parameters.values.new_zeros(len(state["steps"]), length, length)
                for name in ("gram", "basis"):
                    state[f"{name}.{side}.{matrix.start}"] = square.clone()
        return state

    def sides(self, matrix: Matrix) -> Iterator[tuple[str, int]]:
        """The sides that have a preconditioner, with their lengths; a side of length 1 needs no
        rotation."""
        for side, length in (("left", matrix.rows), ("right", matrix.columns)):
            if 1 < length <= self.longest:
                yield side, length

    def update(self, lr: Tensor) -> None:
        # The runs of a stack have made as many steps.
        steps = int(self._state["steps"][0, 0])
        if steps:
            self.descend(lr)
        for matrix in self.matrices:
            self.precondition(matrix, steps)
        self._state["steps"].add_(1)

    def descend(self, lr: Tensor) -> None:
        state, gradient = self._state, self.parameters.gradients
        mean = state["exp_avg"].lerp_(gradient, self.weight1)
        rotated = self.rotated(gradient, back=False)
        torch.mul(rotated, self.weight2, out=self.work)
        square = state["exp_avg_sq"].mul_(self.old2).addcmul_(self.work, rotated)
        first = state["correction1"].mul_(self.numbers["beta1"]).add_(self.new1)
        second = state["correction2"].mul_(self.numbers["beta2"]).add_(self.new2)
        torch.sqrt(square, out=self.work).add_(self.eps)
        direction = self.rotated(self.rotated(mean, back=False).div_(self.work), back=True)
        torch.div(torch.sqrt(second, out=self.scalar), first, out=self.scalar).mul_(lr)
        self.parameters.values.addcmul_(direction, self.rate.copy_(self.scalar), value=-1)
        self.shrink(lr)

    def rotated(self, flat: Tensor, *, back: bool) -> Tensor:
        """A copy of a buffer `[R, P]` with its matrices rotated into their eigenbases, or back."""
        found = flat.clone()
        for matrix in self.matrices:
            x = matrix.of(flat)
            for side, _ in self.sides(matrix):
                basis = self._state[f"basis.{side}.{matrix.start}"]
                turned = basis.transpose(1, 2)
                if side == "left":
                    x = product(basis if back else turned, x)
                else:
                    x = product(x, turned if back else basis)
            matrix.of(found).copy_(x)
        return found

    def precondition(self, matrix: Matrix, steps: int) -> None:
        """Adds a gradient to the preconditioner of a matrix, and updates its eigenbases."""
        gradient = matrix.of(self.parameters.gradients)
        for side, _ in self.sides(matrix):
            gram, basis = (self._state[f"{name}.{side}.{matrix.start}"] for name in NAMES)
            turned = gradient.transpose(1, 2)
            seen = product(gradient, turned) if side == "left" else product(turned, gradient)
            gram.lerp_(seen, self.weight2[:, :, None])
            if steps == 0:
                basis.copy_(eigenbasis(gram))
            elif steps % self.every == 0:
                self.turn(matrix, side, gram, basis)

    def turn(self, matrix: Matrix, side: str, gram: Tensor, basis: Tensor) -> None:
        """One power iteration from the current basis, with eigenvectors in decreasing order; the
        mean of squares is reordered too."""
        found = product(gram, basis)
        sizes = product(basis.transpose(1, 2), found).diagonal(dim1=1, dim2=2)
        order = sizes.sort(dim=1, descending=True, stable=True).indices
        squares = matrix.of(self._state["exp_avg_sq"])
        places = order[:, :, None] if side == "left" else order[:, None, :]
        squares.copy_(squares.take_along_dim(places, dim=1 if side == "left" else 2))
        basis.copy_(torch.linalg.qr(found.take_along_dim(order[:, None, :], dim=2)).Q)


NAMES = ("gram", "basis")


def eigenbasis(gram: Tensor) -> Tensor:
    """The eigenvectors of symmetric matrices `[R, n, n]` as columns, by decreasing eigenvalue."""
    one = torch.eye(gram.shape[1], dtype=gram.dtype, device=gram.device)
    # A run whose gradient is not finite ends soon; eigh would end its neighbours as well.
    finite = torch.isfinite(gram).flatten(1).all(dim=1)[:, None, None]
    vectors: Tensor = torch.linalg.eigh(torch.where(finite, gram, one) + LEAST * one).eigenvectors
    return vectors.flip(2)
