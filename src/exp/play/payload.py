"""All that the page of `exp play` is given, and what it cannot play.

The page starts from a config: `payload` has its rows, its settings, and every other choice that the
engine in JavaScript computes as exp does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from exp.config.plan import Plan
from exp.engine.job import Job
from exp.play.payload_data import data_sets
from exp.play.payload_noise import SOURCES
from exp.play.payload_offers import ACTIVATIONS, FEATURES, INITS, LOSSES, OPTIMIZERS, offers
from exp.registry.component import Chosen
from exp.util.errors import ConfigError, Fault, nearest
from exp.util.packages import installed

MOST_WEIGHTS = 20_000
"""Between hidden units: with more, an epoch takes longer than a picture of a film."""


def payload(plan: Plan) -> dict[str, Any]:
    """What the page is given, as plain values for JSON.

    Args:
        plan: of the config from which the page starts.

    Raises:
        ConfigError: with every setting that the page cannot play.
        ExpError: as for `Job.of`.
    """
    faults = [Fault(path, message) for path, message in not_played(plan)]
    if faults:
        raise ConfigError(faults)
    job = Job.of(plan)
    return {
        "version": installed("exp"),
        "config": plan.stored,
        "settings": settings(plan, job),
        "epochs": plan.trainer.epochs,
        "offers": {"datasets": data_sets(plan, job), **offers()},
    }


def settings(plan: Plan, job: Job) -> dict[str, Any]:
    """The settings of a trainer in the page that trains as the config does."""
    model, features, optimizer = plan["model"], plan["features"], plan["optimizer"]
    activation = model.params.get("activation")
    source = SOURCES.get(plan["dataset"].name)
    noise = None if source is None else plan["dataset"].params[source.key]
    terms = features.params["use"] if features.name == "playground" else ["x", "y"]
    return {
        "dataset": plan["dataset"].name,
        "noise": noise,
        "features": [FEATURES[term] for term in terms],
        "hidden": list(model.params.get("hidden", [])),
        "activation": {"name": "relu"} if activation is None else activation.as_dict(),
        "loss": named(job.loss),
        **job.loss.common,
        "optimizer": optimizer.name,
        **optimizer.declared,
        "dropout": model.params.get("dropout", 0.0),
        "batch_size": plan.trainer.batch_size,
        "clip_norm": plan.trainer.clip_norm,
        "seeds": {"init": plan.seeds.init, "shuffle": plan.seeds.shuffle},
        "init": init_of(model),
        "standardize": plan["split"].params.get("standardize", False),
        "points": None,
    }


def named(chosen: Chosen) -> dict[str, Any]:
    """A component with the parameters of its signature."""
    return {"name": chosen.name, **chosen.declared}


def init_of(model: Chosen) -> dict[str, Any]:
    """How the first weights of the model are drawn."""
    keys = {"name": "init", "scale": "init_scale", "bias": "init_bias"}
    return {name: model.params[key] for name, key in keys.items()}


def not_played(plan: Plan) -> Iterator[tuple[str, str]]:
    """Keys of a config, and why the page cannot play them."""
    model, loss, trainer = plan["model"], plan["loss"], plan.trainer
    if model.name not in ("mlp", "linear") or not model.component.packaged:
        yield "model", refused("model", model.name, ["mlp", "linear"])
    else:
        yield from architecture(model)
    for kind, known in (("loss", ("auto", *LOSSES)), ("optimizer", OPTIMIZERS)):
        if plan[kind].name not in known or not plan[kind].component.packaged:
            yield kind, refused(kind, plan[kind].name, known)
    for key in ("class_weights", "pos_weight"):
        if loss.params.get(key) is not None:
            yield f"loss.{key}", "exp play has no weights of classes: leave it null"
    if plan["features"].name not in ("none", "playground"):
        yield "features", refused("features", plan["features"].name, ["none", "playground"])
    if plan["scheduler"].name != "none":
        yield "scheduler", refused("scheduler", plan["scheduler"].name, ["none"])
    if plan["device"].params.get("dtype", "float32") != "float32":
        yield "device.dtype", "exp play computes in float32: expected float32, found float64"
    usual = {"early_stopping": None, "restore_best": None, "prune": None, "average": None}
    for key, value in {**usual, "accumulate": 1}.items():
        if (found := getattr(trainer, key)) != value and found is not False:
            wanted = "null" if value is None else value
            yield f"trainer.{key}", f"exp play cannot do this: expected {wanted}, found {found}"


def architecture(model: Chosen) -> Iterator[tuple[str, str]]:
    """What of a packaged model the page cannot play."""
    for key in ("batch_norm", "shortcuts"):
        if model.params.get(key):
            yield f"model.{key}", "exp play cannot do this: expected false, found true"
    if not model.params.get("bias", True):
        yield "model.bias", "exp play cannot do this: expected true, found false"
    if model.params["init"] not in INITS:
        yield "model.init", refused("init", model.params["init"], INITS)
    wide = [1, *model.params.get("hidden", []), 1]
    if (count := sum(a * b for a, b in pairwise(wide))) > MOST_WEIGHTS:
        what = f"expected at most {MOST_WEIGHTS:,} weights between hidden units, found {count:,}"
        yield "model.hidden", f"exp play would be too slow: {what}"
    activation = model.params.get("activation")
    if isinstance(activation, Chosen) and (
        activation.name not in ACTIVATIONS or not activation.packaged
    ):
        yield "model.activation", refused("activation", activation.name, ACTIVATIONS)


def refused(kind: str, name: str, known: Sequence[str]) -> str:
    """A message about a component that the page does not have."""
    hint = nearest(name, known) if len(known) > 2 else ""
    return f"exp play does not have {kind} {name}.{hint} It has: {', '.join(known)}"
