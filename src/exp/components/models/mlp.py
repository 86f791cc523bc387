"""Models: plain `nn.Module`s from rows `[rows, in_features]` to logits `[rows, out_features]`.

`exp.engine` stacks an `nn.Sequential` of layers that it knows, and trains any other module by
itself, with the same loop and the same results.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from torch import nn

from exp.components.models.initial_weights import Init, initialized
from exp.components.models.shortcuts import Shortcut
from exp.registry.component import Chosen
from exp.registry.registry import register
from exp.registry.types import Activation, Finite, Positive, Probability, Width

Hidden = Annotated[list[Width], Field(max_length=64)]


@register.model("linear")
def linear(
    in_features: int,
    out_features: int,
    *,
    bias: bool = True,
    init: Init = "torch",
    init_scale: Positive = 1.0,
    init_bias: Finite | None = None,
) -> nn.Module:
    """One linear layer: logistic or softmax regression.

    Args:
        bias: whether the layer has a bias.
        init: distribution of the initial weights, as for `mlp`.
        init_scale: scale of the initial weights, as for `mlp`.
        init_bias: initial value of the bias, as for `mlp`.
    """
    layer = nn.Sequential(nn.Linear(in_features, out_features, bias=bias))
    return initialized(layer, init, init_scale, init_bias)


@register.model("mlp")
def mlp(
    in_features: int,
    out_features: int,
    *,
    hidden: Hidden = [8, 8],  # noqa: B006 - a default of the schema, never changed
    activation: Activation = "relu",
    dropout: Probability = 0.0,
    batch_norm: bool = False,
    shortcuts: bool = False,
    init: Init = "torch",
    init_scale: Positive = 1.0,
    init_bias: Finite | None = None,
) -> nn.Module:
    """A multilayer perceptron.

    Args:
        hidden: units of each hidden layer.
        activation: the name of an activation, or `{name: ..., ...}` with its parameters.
        dropout: share of hidden units that are set to 0 in each training step.
        batch_norm: normalize each hidden unit over the batch, before the activation.
        shortcuts: each layer receives the features and the outputs of all earlier layers.
        init: distribution of the initial weights. torch: PyTorch's default; normal, uniform: the
            same for all layers; glorot_*, he_*: scaled for each layer; sklearn: as in
            MLPClassifier with ReLU and random_state=seeds.init.
        init_scale: standard deviation of normal, half the width of uniform, a factor for others.
        init_bias: the initial value of all biases; null: drawn at random.
    """
    assert isinstance(activation, Chosen)
    layers: list[nn.Module] = []
    width = in_features
    for units in hidden:
        block: list[nn.Module] = [nn.Linear(width, units)]
        if batch_norm:
            block.append(nn.BatchNorm1d(units))
        block.append(activation.build())
        if dropout > 0:
            block.append(nn.Dropout(dropout))
        layers += [Shortcut(*block)] if shortcuts else block
        width = width + units if shortcuts else units
    layers.append(nn.Linear(width, out_features))
    return initialized(nn.Sequential(*layers), init, init_scale, init_bias)
