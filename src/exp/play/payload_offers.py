"""The components that the page offers, with names, defaults and texts of exp's registry."""

from __future__ import annotations

import inspect
from typing import Any

from exp.components.features import PLAYGROUND
from exp.registry.component import Component
from exp.registry.docstrings import parameters
from exp.registry.registry import register
from exp.registry.types import LARGEST

ACTIVATIONS = (
    "relu", "leaky_relu", "elu", "selu", "gelu", "silu", "softplus", "sigmoid", "tanh",
    "tanh_from_exp", "identity",
)  # fmt: skip
LOSSES = ("bce", "cross_entropy", "focal", "hinge", "mse", "l1", "tanh_mse")
OPTIMIZERS = (
    "sgd", "adam", "adamw", "nadam", "radam", "rmsprop", "adagrad", "adadelta", "rprop", "lion",
)  # fmt: skip
INITS = ("torch", "uniform", "glorot_uniform", "he_uniform", "sklearn")
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
    texts, schema = parameters(component.builder), component.schema.model_json_schema()
    return {
        "name": name,
        "about": component.summary,
        "params": [
            parameter(each, schema["properties"][key], texts.get(key, ""))
            for key, each in component.declared.items()
            if key not in LEFT_OUT
        ],
    }


def parameter(given: inspect.Parameter, rules: dict[str, Any], about: str) -> dict[str, Any]:
    """A parameter; `low` and `high` are None where there is no limit.

    Args:
        rules: of it in the JSON schema of its component.
    """
    low = rules.get("minimum", rules.get("exclusiveMinimum"))
    high = rules.get("maximum", rules.get("exclusiveMaximum"))
    return {
        "name": given.name,
        "about": about,
        "type": "flag" if isinstance(given.default, bool) else "number",
        "default": given.default,
        "low": None if low is None or abs(low) >= LARGEST else low,
        "high": None if high is None or abs(high) >= LARGEST else high,
    }
