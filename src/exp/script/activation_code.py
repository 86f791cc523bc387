"""Activations in a script: torch's own where there is one, else the source."""

from __future__ import annotations

import inspect

from exp.components.activations import TanhFromExp
from exp.components.custom_activations import Function as Applied
from exp.registry.component import Chosen
from exp.script.python import call
from exp.script.section import Section
from exp.script.source_code import source_of
from exp.script.users_code import called

CLASSES: dict[str, tuple[str, tuple[str, ...]]] = {
    "relu": ("nn.ReLU", ()),
    "leaky_relu": ("nn.LeakyReLU", ("negative_slope",)),
    "elu": ("nn.ELU", ("alpha",)),
    "selu": ("nn.SELU", ()),
    "gelu": ("nn.GELU", ()),
    "silu": ("nn.SiLU", ()),
    "softplus": ("nn.Softplus", ("beta",)),
    "sigmoid": ("nn.Sigmoid", ()),
    "tanh": ("nn.Tanh", ()),
    "identity": ("nn.Identity", ()),
}
"""Activation -> torch's class, and its parameters that the activation has too."""

FUNCTION = '''\
class Function(nn.Module):
    """A function of each number as a layer."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)'''


def activation(chosen: Chosen) -> tuple[str, Section]:
    """The call that builds an activation, and what has to be defined before it.

    Raises:
        ImpossibleError: a custom activation whose source cannot be part of a script.
    """
    if chosen.name == "tanh_from_exp":
        needed = Section({"import torch", "from torch import nn"})
        return "TanhFromExp()", needed.add(source_of(TanhFromExp))
    if chosen.packaged:
        name, parameters = CLASSES[chosen.name]
        return call(name, **{key: chosen.declared[key] for key in parameters}), Section()
    code, needed = called(chosen, **chosen.declared)
    if inspect.isclass(chosen.component.builder) or not isinstance(chosen.build(), Applied):
        return code.text, needed
    given = code.text
    if inspect.getclosurevars(chosen.component.builder).nonlocals["direct"]:
        given = code.function
        if not code.direct:
            needed.use("from functools import partial")
            given = call("partial", [code.function], **chosen.declared)
    needed.use("from torch import nn").add(*(["", ""] if needed.lines else []), FUNCTION)
    return f"Function({given})", needed
