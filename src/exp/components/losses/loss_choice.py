"""What the data decide of a loss: which one `auto` is, the weights of classes, and its form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from exp.components.losses.loss import Loss
from exp.registry.component import Chosen
from exp.registry.registry import register
from exp.util.errors import ConfigError, Fault, ImpossibleError, shown, unknown
from exp.util.metric_names import class_named


def loss_for(loss: Chosen, counts: Sequence[float], classes: Sequence[str] = ()) -> Chosen:
    """Replaces what depends on the data in a loss: the meaning of `auto`, and the class weights.

    Args:
        counts: training rows of each class, at least one, or the sum of their weights; () for
            regression.
        classes: the names of the classes.

    Raises:
        ConfigError: `class_weights` names an unknown class.
        ImpossibleError: the data are for regression, and the loss is for classes; or the weights
            are to be balanced, and all rows of a class have weight 0.
    """
    if loss.name == "auto":
        name = {0: "mse", 2: "bce"}.get(len(counts), "cross_entropy")
        loss = register.choose("loss", {"name": name, **loss.params}, "loss")
    if not counts:
        return for_regression(loss)
    given = loss.params.get("class_weights")
    if given == "balanced":
        if 0 in counts:
            empty = shown(classes[counts.index(0)] if classes else str(counts.index(0)))
            raise ImpossibleError(
                f"loss.class_weights=balanced needs training rows of each class, and all rows of "
                f"class {empty} have weight 0"
            )
        weights = [sum(counts) / (len(counts) * count) for count in counts]
    elif isinstance(given, Mapping):
        weights = by_name(given, classes)
    else:
        return loss
    return Chosen(loss.component, {**loss.params, "class_weights": weights})


def by_name(given: Mapping[Any, float], classes: Sequence[str]) -> list[float]:
    """The weight of each class; 1 by default.

    Raises:
        ConfigError: a class is unknown or named twice.
    """
    places = {name: class_named(name, classes) for name in given}
    path = "loss.class_weights"
    faults = [
        Fault(path, unknown("class", str(name), classes, allowed="The classes are"))
        for name, place in places.items()
        if place is None
    ]
    if not faults and len(set(places.values())) < len(places):
        faults = [Fault(path, f"a class is named twice: {', '.join(map(str, given))}")]
    if faults:
        raise ConfigError(faults)
    weights = [1.0] * len(classes)
    for name, place in places.items():
        assert place is not None
        weights[place] = float(given[name])
    return weights


def for_regression(loss: Chosen) -> Chosen:
    """The form of a loss for regression.

    Raises:
        ImpossibleError: the loss has no such form, or has class weights.
    """
    builder = loss.component.builder
    # `numbers` is its old name, which losses of users may have.
    form: type[Loss] | None = getattr(builder, "regression", None) or getattr(
        builder, "numbers", None
    )
    if form is None:
        raise ImpossibleError(
            f"loss {loss.name} is for classes, and the target of these data is a number. "
            "Use loss=mse, loss=l1 or loss=auto"
        )
    if loss.params.get("class_weights") is not None:
        raise ImpossibleError(
            "loss.class_weights are for classes, and the target of these data is a number: "
            "leave it null"
        )
    return Chosen(replace(loss.component, builder=form), loss.params)
