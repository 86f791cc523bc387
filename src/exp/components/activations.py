"""Activations: functions of each number separately, so all of them can be stacked.

A builder returns an `nn.Module` without parameters. A custom activation may have parameters (PReLU,
say): a model with it cannot share a stack.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from exp.registry.registry import register
from exp.registry.types import Finite, Positive


class TanhFromExp(nn.Module):
    """tanh from exponentials, finite and accurate for every float (the course's exercise 6).

    The textbook formula (e^x - e^-x) / (e^x + e^-x) is inf / inf for |x| above 88, and inaccurate
    near 0. With z = e^2x - 1, tanh is z / (z + 2), and `expm1` computes z accurately near 0. For
    |x| above 20, tanh is 1 in float64 and float32, so limiting x there changes no result.
    """

    elementwise = True  # so that the engine stacks it

    def forward(self, x: Tensor) -> Tensor:
        z = torch.expm1(2 * x.clamp(-20, 20))
        return z / (z + 2)


@register.activation("relu")
def relu() -> nn.Module:
    """max(0, x)."""
    return nn.ReLU()


@register.activation("leaky_relu")
def leaky_relu(*, negative_slope: Finite = 0.01) -> nn.Module:
    """x for positive x, negative_slope * x otherwise (Maas et al. 2013)."""
    return nn.LeakyReLU(negative_slope)


@register.activation("elu")
def elu(*, alpha: Positive = 1.0) -> nn.Module:
    """x for positive x, alpha * (e^x - 1) otherwise (Clevert et al. 2015)."""
    return nn.ELU(alpha)


@register.activation("selu")
def selu() -> nn.Module:
    """A scaled ELU whose outputs keep mean 0 and variance 1 (Klambauer et al. 2017)."""
    return nn.SELU()


@register.activation("gelu")
def gelu() -> nn.Module:
    """x times the standard normal distribution function of x (Hendrycks and Gimpel 2016)."""
    return nn.GELU()


@register.activation("silu")
def silu() -> nn.Module:
    """x * sigmoid(x), also known as swish (Elfwing et al. 2017)."""
    return nn.SiLU()


@register.activation("softplus")
def softplus(*, beta: Positive = 1.0) -> nn.Module:
    """log(1 + e^(beta x)) / beta, a smooth ReLU."""
    return nn.Softplus(beta)


@register.activation("sigmoid")
def sigmoid() -> nn.Module:
    """1 / (1 + e^-x)."""
    return nn.Sigmoid()


@register.activation("tanh")
def tanh() -> nn.Module:
    """The hyperbolic tangent of PyTorch."""
    return nn.Tanh()


@register.activation("tanh_from_exp")
def tanh_from_exp() -> nn.Module:
    """The hyperbolic tangent computed from exponentials (exercise 6 of the course)."""
    return TanhFromExp()


@register.activation("identity")
def identity() -> nn.Module:
    """x unchanged: a network of linear layers stays linear."""
    return nn.Identity()
