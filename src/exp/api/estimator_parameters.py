"""The parameters of the estimators and the keys of the config that they set."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from hydra.types import RunMode

from exp.config.compose import compose, resolved
from exp.config.plan import Plan, plan
from exp.sweeps.from_python import composer, texts
from exp.util.errors import ConfigError, Fault

KEYS = {
    "model": "model",
    "hidden": "model.hidden",
    "activation": "model.activation",
    "dropout": "model.dropout",
    "optimizer": "optimizer",
    "lr": "optimizer.lr",
    "weight_decay": "optimizer.weight_decay",
    "loss": "loss",
    "scheduler": "scheduler",
    "epochs": "trainer.epochs",
    "batch_size": "trainer.batch_size",
    "early_stopping": "trainer.early_stopping",
    "validation": "split.validation",
    "standardize": "split.standardize",
    "device": "device",
    "seed": "seed",
}
"""Parameter -> key of the config; `overrides` has all others."""
FIXED = ("dataset=moons", "split.test=0", "figures=none")
"""Rows come with `fit`: what the config says of a data set is not looked at."""
FOREIGN = (
    *("dataset", "split.test", "split.groups", "split.column", "split.time"),
    *("figures", "hydra", "run", "sweep"),
)
"""What an estimator that is given its rows and writes no files has no use for."""


def planned(parameters: Mapping[str, Any], defaults: Mapping[str, Any]) -> Plan:
    """The validated plan of the parameters of an estimator and the current config files.

    Args:
        defaults: key of the config -> value, unless `overrides` sets it.

    Raises:
        ConfigError: invalid parameters; the message lists every error.
    """
    overrides = texts(parameters["overrides"])
    refuse(overrides)
    set_there = keys_of(overrides)
    fixed = [*FIXED, *(f"{k}={written(v)}" for k, v in defaults.items() if k not in set_there)]
    given = {KEYS[name]: value for name, value in parameters.items() if name in KEYS}
    words = [f"{key}={written(value)}" for key, value in given.items() if value is not None]
    with composer([*fixed, *words, *overrides], quiet=True) as (hydra, args):
        config, faults = compose(hydra.config_loader, "config", args.overrides, RunMode.RUN)
        return plan(resolved(config, faults), faults)


def keys_of(overrides: Sequence[str]) -> list[str]:
    """The keys that overrides set."""
    return [word.partition("=")[0].lstrip("+~").replace("/", ".") for word in overrides]


def refuse(overrides: Sequence[str]) -> None:
    """
    Raises:
        ConfigError: overrides that an estimator does not support.
    """
    strange = [
        k for k in keys_of(overrides) if any(f"{k}.".startswith(f"{name}.") for name in FOREIGN)
    ]
    if strange:
        why = "an estimator gets its rows from fit and writes no files: remove this override"
        raise ConfigError([Fault(key, why) for key in strange])


def written(value: Any) -> str:
    """A value as the text of an override.

    Raises:
        ConfigError: an override cannot express the value.
    """
    if hasattr(value, "tolist"):  # NumPy's numbers and arrays, as grids of parameters have them
        value = value.tolist()
    if isinstance(value, str) and value.isidentifier():
        return value
    try:
        return json.dumps(value, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ConfigError(
            [Fault("parameters", f"a config cannot contain this value: {error}")]
        ) from None
