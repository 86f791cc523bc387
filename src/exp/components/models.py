"""Models: plain `nn.Module`s from rows `[rows, in_features]` to logits `[rows, out_features]`.

Nothing here knows of stacks. `exp.engine` stacks an `nn.Sequential` of layers that it knows and
trains any other module by itself, with the same loop and the same results.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from torch import nn

from exp.registry import Chosen, register
from exp.schema import Activation, Probability, Width

Hidden = Annotated[list[Width], Field(max_length=64)]


@register.model("linear")
def linear(in_features: int, out_features: int, *, bias: bool = True) -> nn.Module:
    """One linear layer: logistic or softmax regression."""
    return nn.Sequential(nn.Linear(in_features, out_features, bias=bias))


@register.model("mlp")
def mlp(
    in_features: int,
    out_features: int,
    *,
    hidden: Hidden = [8, 8],  # noqa: B006 - a default of the schema, never changed
    activation: Activation = "relu",
    dropout: Probability = 0.0,
    batch_norm: bool = False,
) -> nn.Module:
    """A multilayer perceptron.

    Args:
        hidden: units of each hidden layer.
        activation: the name of an activation, or `{name: ..., ...}` with its parameters.
        dropout: share of hidden units that each training step switches off.
        batch_norm: normalize each hidden unit over the batch, before the activation.
    """
    assert isinstance(activation, Chosen)
    layers: list[nn.Module] = []
    width = in_features
    for units in hidden:
        layers.append(nn.Linear(width, units))
        if batch_norm:
            layers.append(nn.BatchNorm1d(units))
        layers.append(activation.build())
        if dropout > 0:
            layers.append(nn.Dropout(dropout))
        width = units
    layers.append(nn.Linear(width, out_features))
    return nn.Sequential(*layers)
