"""The components that the page offers, with names, defaults and texts of exp's registry."""

from __future__ import annotations

import inspect
from typing import Any, get_args

from annotated_types import Ge, Gt, Le, Lt

from exp.components.features import PLAYGROUND
from exp.registry.component import Component
from exp.registry.docstrings import parameters
from exp.registry.registry import register

ACTIVATIONS = (
    "relu", "leaky_relu", "elu", "selu", "gelu", "silu", "softplus", "sigmoid", "tanh",
    "tanh_from_exp", "identity",
)  # fmt: skip
LOSSES = ("bce", "cross_entropy", "focal", "hinge", "mse", "l1", "tanh_mse")
OPTIMIZERS = (
    "sgd", "adam", "adamw", "nadam", "radam", "rmsprop", "adagrad", "adadelta", "lion",
    "schedule_free_sgd", "schedule_free_adamw",
)  # fmt: skip
INITS = ("torch", "uniform", "glorot_uniform", "he_uniform")
LEFT_OUT = ("class_weights", "pos_weight", "l1", "l2")
"""Parameters that the page has elsewhere or not at all."""
FEATURES = {term: label.format(x="x1", y="x2") for term, (label, _) in PLAYGROUND.items()}
"""Term of `features=playground` -> its name on the page."""


def offers() -> dict[str, Any]:
    """All but the data sets: what the engine in JavaScript computes as exp does."""
    return {
        "features": [{"name": name, "term": term} for term, name in FEATURES.items()],
        "activations": [described("activation", name) for name in ACTIVATIONS],
        "losses": [described("loss", name) for name in LOSSES],
        "optimizers": [described("optimizer", name) for name in OPTIMIZERS],
    }


def described(kind: str, name: str) -> dict[str, Any]:
    """A component: its name, what it is, and its parameters with defaults and limits."""
    component: Component = register.choose(kind, {"name": name}, kind).component
    texts = parameters(component.builder)
    return {
        "name": name,
        "about": component.summary,
        "params": [
            parameter(each, texts.get(key, ""))
            for key, each in component.declared.items()
            if key not in LEFT_OUT
        ],
    }


def parameter(given: inspect.Parameter, about: str) -> dict[str, Any]:
    """A parameter: `low` and `high` are None where there is no limit, and may be open."""
    low, high = limits(given.annotation)
    default = given.default
    return {
        "name": given.name,
        "about": about,
        "type": "flag" if isinstance(default, bool) else "number",
        "default": default,
        "low": low,
        "high": high,
    }


def limits(annotation: Any) -> tuple[float | None, float | None]:
    """The smallest and the largest value of an annotation, as far as it has such limits."""
    low: float | None = None
    high: float | None = None
    for each in (annotation, *get_args(annotation)):
        for rule in getattr(each, "metadata", ()):
            if isinstance(rule, (Gt, Ge)):
                low = float(getattr(rule, "gt", getattr(rule, "ge", 0.0)))
            elif isinstance(rule, (Lt, Le)):
                high = float(getattr(rule, "lt", getattr(rule, "le", 0.0)))
            else:
                for inner in getattr(rule, "metadata", ()):
                    if isinstance(inner, (Gt, Ge)):
                        low = float(getattr(inner, "gt", getattr(inner, "ge", 0.0)))
                    elif isinstance(inner, (Lt, Le)):
                        high = float(getattr(inner, "lt", getattr(inner, "le", 0.0)))
    return low, high if high is not None and high < 1e30 else None
