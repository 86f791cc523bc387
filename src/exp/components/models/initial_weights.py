"""Initial weights other than those of torch's layers."""

from __future__ import annotations

import math
from typing import Literal

import torch
from numpy.random import RandomState
from torch import nn

Init = Literal[
    "torch", "normal", "uniform", "glorot_normal", "glorot_uniform", "he_normal", "he_uniform",
    "sklearn",
]  # fmt: skip
KEYS = ("init", "init_scale", "init_bias")
"""Parameters of a model that change its initial weights and not its architecture."""


def initialized(
    module: nn.Sequential, init: Init, scale: float, bias: float | None
) -> nn.Sequential:
    """Draws new weights for the linear layers of a module, in the order of the layers.

    Sources: Glorot and Bengio 2010, He et al. 2015, in the formulas of `torch.nn.init`;
    `MLPClassifier` of scikit-learn.

    Args:
        init: torch keeps the weights of the layers. normal and uniform have the same spread in
            every layer. glorot and he scale it by the inputs and outputs of a layer. sklearn draws
            weights and biases as `MLPClassifier(random_state=seeds.init)` with ReLU units.
        scale: standard deviation of normal, half the width of uniform, a factor for others.
        bias: the value of every bias; None: drawn at random.
    """
    layers = [layer for layer in module.modules() if isinstance(layer, nn.Linear)]
    with torch.no_grad():
        if init == "sklearn":
            like_sklearn(layers)
        elif init != "torch":
            for layer in layers:
                spread(layer.weight, init)
        for layer in layers:
            if scale != 1:
                layer.weight.mul_(scale)
            if bias is not None and layer.bias is not None:
                layer.bias.fill_(bias)
    return module


def spread(weight: torch.Tensor, init: Init) -> None:
    draw = {
        "normal": nn.init.normal_,
        "uniform": lambda w: nn.init.uniform_(w, -1, 1),
        "glorot_normal": nn.init.xavier_normal_,
        "glorot_uniform": nn.init.xavier_uniform_,
        "he_normal": nn.init.kaiming_normal_,
        "he_uniform": nn.init.kaiming_uniform_,
    }
    draw[init](weight)


def like_sklearn(layers: list[nn.Linear]) -> None:
    """Glorot's uniform distribution for weights and biases; each layer's weights are drawn
    first."""
    # While a model is built, torch is seeded with `seeds.init`.
    random = RandomState(torch.initial_seed() % 2**32)
    for layer in layers:
        bound = math.sqrt(6 / (layer.in_features + layer.out_features))
        weights = random.uniform(-bound, bound, (layer.in_features, layer.out_features))
        layer.weight.copy_(torch.from_numpy(weights.T.copy()))
        if layer.bias is not None:
            layer.bias.copy_(torch.from_numpy(random.uniform(-bound, bound, layer.out_features)))
