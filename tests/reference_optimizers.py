"""Optimizers that torch.optim has not got, written down from their papers, for one run: a list of
weights, each in its own shape. Plain and slow; the rules of exp are compared with them."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

Weights = list[Tensor]


class Lion:
    """Chen et al. 2023, program 1."""

    def __init__(self, weights: Weights, **options: float) -> None:
        self.weights, self.options = weights, options
        self.means = [torch.zeros_like(weight) for weight in weights]

    def step(self, gradients: Weights, lr: float) -> None:
        beta1, beta2 = self.options["beta1"], self.options["beta2"]
        for weight, mean, gradient in zip(self.weights, self.means, gradients, strict=True):
            update = torch.sign(beta1 * mean + (1 - beta1) * gradient)
            weight.sub_(lr * (update + self.options["weight_decay"] * weight))
            mean.copy_(beta2 * mean + (1 - beta2) * gradient)


class ScheduleFree:
    """Defazio et al. 2024, algorithm 1: `weights` are y, at which gradients are taken."""

    def __init__(self, weights: Weights, **options: float) -> None:
        self.weights, self.options = weights, options
        self.z = [weight.clone() for weight in weights]
        self.x = [weight.clone() for weight in weights]
        self.squares = [torch.zeros_like(weight) for weight in weights]
        self.steps, self.largest, self.total = 0, 0.0, 0.0

    def step(self, gradients: Weights, lr: float) -> None:
        options, adam = self.options, "beta2" in self.options
        beta = options["beta1" if adam else "momentum"]
        self.steps += 1
        self.largest = max(self.largest, lr)
        self.total += self.largest**2
        share = self.largest**2 / self.total
        for y, x, z, square, gradient in zip(
            self.weights, self.x, self.z, self.squares, gradients, strict=True
        ):
            direction = gradient
            if adam:
                beta2 = options["beta2"]
                square.copy_(beta2 * square + (1 - beta2) * gradient**2)
                root = torch.sqrt(square / (1 - beta2**self.steps))
                direction = gradient / (root + options["eps"])
            z.sub_(lr * (direction + options["weight_decay"] * y))
            x.copy_((1 - share) * x + share * z)
            y.copy_((1 - beta) * z + beta * x)


class SOAP:
    """Vyas et al. 2024, algorithm 3, with the first step and the order of eigenvectors that the
    authors' code has."""

    def __init__(self, weights: Weights, **options: Any) -> None:
        self.weights, self.options, self.steps = weights, options, 0
        self.means = [torch.zeros_like(weight) for weight in weights]
        self.squares = [torch.zeros_like(weight) for weight in weights]
        self.grams: list[Any] = [None] * len(weights)
        self.bases: list[Any] = [None] * len(weights)

    def step(self, gradients: Weights, lr: float) -> None:
        for place, gradient in enumerate(gradients):
            if self.steps:
                self.descend(place, gradient, lr)
            if gradient.dim() == 2:
                self.precondition(place, gradient)
        self.steps += 1

    def descend(self, place: int, gradient: Tensor, lr: float) -> None:
        options, mean, square = self.options, self.means[place], self.squares[place]
        beta1, beta2 = options["beta1"], options["beta2"]
        left, right = self.bases[place] or (None, None)
        mean.copy_(beta1 * mean + (1 - beta1) * gradient)
        turned, moved = gradient, mean
        if left is not None:
            turned, moved = left.T @ gradient @ right, left.T @ mean @ right
        square.copy_(beta2 * square + (1 - beta2) * turned**2)
        direction = moved / (torch.sqrt(square) + options["eps"])
        if left is not None:
            direction = left @ direction @ right.T
        rate = lr * math.sqrt(1 - beta2**self.steps) / (1 - beta1**self.steps)
        self.weights[place].sub_(rate * direction)
        self.weights[place].mul_(1 - lr * options["weight_decay"])

    def precondition(self, place: int, gradient: Tensor) -> None:
        beta2 = self.options["beta2"]
        seen = [gradient @ gradient.T, gradient.T @ gradient]
        if self.grams[place] is None:
            self.grams[place] = [(1 - beta2) * each for each in seen]
            self.bases[place] = [
                torch.linalg.eigh(each)[1].flip(1) if len(each) > 1 else torch.ones_like(each)
                for each in self.grams[place]
            ]
            return
        for each, new in zip(self.grams[place], seen, strict=True):
            each.copy_(beta2 * each + (1 - beta2) * new)
        if self.steps % self.options["precondition_frequency"] == 0:
            for side, (gram, basis) in enumerate(
                zip(self.grams[place], self.bases[place], strict=True)
            ):
                order = torch.argsort(torch.diag(basis.T @ gram @ basis), descending=True)
                self.squares[place] = self.squares[place].index_select(side, order)
                self.bases[place][side] = torch.linalg.qr(gram @ basis[:, order])[0]


REFERENCES = {
    "lion": Lion,
    "schedule_free_sgd": ScheduleFree,
    "schedule_free_adamw": ScheduleFree,
    "soap": SOAP,
}
