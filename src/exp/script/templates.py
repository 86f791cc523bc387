"""The sections of scripts as text with places for values, for a page that fills them in.

`templates` calls the sections themselves with a `Place` for each value that the page may change, so
that its texts cannot differ from those of `exp code`. What else changes the text (a penalty, say,
or mini-batches) makes a variant, which the page finds by its key.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from exp.registry.component import Chosen
from exp.registry.registry import register
from exp.script import boundary, data_section, loop, loss_section, model_section, scores
from exp.script.activation_code import activation
from exp.script.data_features import FORMULAS
from exp.script.optimizer_section import optimizer
from exp.script.places import Lines, place, variant
from exp.script.python import is_standard
from exp.script.section import Recipe, Section

INITS = ("torch", "uniform", "glorot_uniform", "he_uniform")
ONE_LOGIT = ("bce", "focal", "hinge", "mse", "l1", "tanh_mse")
"""Losses that take one logit for two classes."""


def templates(
    base: Recipe, datasets: Mapping[str, tuple[Recipe, str | None]], offered: Mapping[str, Any]
) -> dict[str, Any]:
    """The texts, as plain values for JSON.

    Args:
        base: of the config from which the page starts.
        datasets: what the page offers: name -> its recipe, and the parameter that is its noise.
        offered: `activations`, `losses` and `optimizers`: their names.

    Returns:
        `lines`: all lines. Every text is `{imports, lines}`, the latter by number:
        `data` by data set, `terms` (1 or 0: whether features are mapped), `models`, `activations`,
        `weights`, `losses`, `optimizers`, `loops`, `scores` and `boundaries`, each by its key.
        `standard`: the modules of Python among the imports.
    """
    lines = Lines()
    counts = sorted({len(recipe.data.data.classes) for recipe, _ in datasets.values()} | {2})
    found: dict[str, Any] = {
        "formulas": FORMULAS,
        "data": {
            f"{name}/{mapped}": lines.text(data(recipe, noise, bool(mapped)))
            for name, (recipe, noise) in datasets.items()
            for mapped in (0, 1)
        },
        "activations": {name: of_activation(lines, name) for name in offered["activations"]},
        "threads": {"here": lines.text(Section(lines=model_section.threads(base)))},
        "weights": {key: lines.text(text) for key, text in first_weights(base)},
        "models": {key: lines.text(text) for key, text in models(base)},
        "losses": {key: lines.text(text) for key, text in losses(base, offered["losses"])},
        "optimizers": dict(optimizers(lines, offered["optimizers"])),
        "loops": {key: lines.text(text) for key, text in loops(base)},
        "scores": {key: lines.text(text) for key, text in ends(base, counts, scores.section)},
        "boundaries": {key: lines.text(text) for key, text in ends(base, counts, boundary.section)},
    }
    return {"lines": list(lines.places), **found, "standard": standard(found)}


def standard(found: Mapping[str, Any]) -> list[str]:
    """The modules of Python itself that the texts import."""
    statements = {
        each
        for group in found.values()
        for text in group.values()
        if isinstance(text, dict)
        for each in text["imports"]
    }
    modules = {each.split(" ")[1] for each in statements}
    return sorted(module for module in modules if is_standard(module))


def data(recipe: Recipe, noise: str | None, mapped: bool) -> Section:
    """The section of a data set.

    Args:
        noise: the parameter that the page may change.
        mapped: whether the features are mapped.
    """
    plan, dataset = recipe.plan, recipe.plan["dataset"]
    if noise is not None:
        dataset = Chosen(dataset.component, {**dataset.params, noise: place("noise")})
    features = register.choose("features", {"name": "none"}, "features")
    if mapped:
        features = register.choose("features", {"name": "playground", "use": ["x"]}, "features")
    chosen = {**plan.chosen, "dataset": dataset, "features": features}
    rows = replace(recipe.data, mapping=cast(Any, first_column) if mapped else None)
    made = data_section.section(replace(recipe, plan=replace(plan, chosen=chosen), data=rows))
    made.lines = [line.replace("stack([x])", "stack([{{terms}}])") for line in made.lines]
    return on_one_line(made)


def first_column(rows: NDArray[Any]) -> NDArray[np.float32]:
    """`features=playground features.use=[x]`."""
    return rows[:, :1].astype(np.float32)


def on_one_line(section: Section) -> Section:
    """The section with the call that makes the rows on one line, however long: the page breaks it,
    once it knows the values."""
    lines = section.lines
    for start, line in enumerate(lines):
        if line.startswith("raw, ") and line.endswith("("):
            stop = lines.index(")", start)
            inner = " ".join(each.strip() for each in lines[start + 1 : stop]).removesuffix(",")
            lines[start : stop + 1] = [f"{line}{inner})"]
            break
    return section


def of_activation(lines: Lines, name: str) -> dict[str, Any]:
    """The call of an activation, and what has to be defined before it."""
    chosen = register.choose("activation", {"name": name}, "activation")
    values = {key: place(key) for key in chosen.params}
    call, needed = activation(Chosen(chosen.component, values))
    return {"call": call, **lines.text(needed)}


def models(base: Recipe) -> Iterator[tuple[str, Section]]:
    """Key `batch/dropout/outputs` -> what stands before the class of the model."""
    for batch, dropout, several in product((0, 1), (0, 1), (0, 1)):
        recipe = variant(base, batch=bool(batch), outputs=2 if several else 1)
        layers = [nn.Dropout(0.5)] if dropout else []
        part = model_section.opening(replace(recipe, model=nn.Sequential(*layers)))
        yield f"{batch}/{dropout}/{several}", part


def first_weights(base: Recipe) -> Iterator[tuple[str, Section]]:
    """Key `init/scaled/bias` -> the lines after `model = Model()`."""
    for init, scaled, bias in product(INITS, (0, 1), (0, 1)):
        params = {
            "init": init,
            "init_scale": place("init_scale") if scaled else 1.0,
            "init_bias": place("init_bias") if bias else None,
        }
        part = model_section.first_weights(base, params)
        yield f"{init}/{scaled}/{bias}", part.join(model_section.moved(base))


def losses(base: Recipe, names: Sequence[str]) -> Iterator[tuple[str, Section]]:
    """Key `loss/several/l1/l2/...` -> its text; the rest of the key are the parameters in their
    order, 1 where they are not 0 or null. For an `alpha` also whether class 0 is positive."""
    for name in names:
        chosen = register.choose("loss", {"name": name}, "loss")
        own = [
            key for key in chosen.component.declared if key not in ("class_weights", "pos_weight")
        ]
        for several, l1, l2, *states in product((0, 1), repeat=3 + len(own)):
            if several and name in ("bce", "tanh_mse"):
                continue
            values: dict[str, Any] = {"class_weights": None, "pos_weight": None}
            for key, state in zip(own, states, strict=True):
                off = None if chosen.params[key] is None else 0.0
                values[key] = place(key) if state else off
            values = {key: value for key, value in values.items() if key in chosen.params}
            penalty = {"l1": place("l1") if l1 else 0.0, "l2": place("l2") if l2 else 0.0}
            loss = Chosen(chosen.component, {**values, **penalty})
            logits = 1 if name in ONE_LOGIT and not several else 2
            for positive in (0, 1):
                recipe = variant(
                    base, loss=loss, outputs=logits, positive=positive, several=several
                )
                key = "/".join(map(str, (name, several, l1, l2, *states, positive)))
                yield key, loss_section.section(recipe)


def optimizers(lines: Lines, names: Sequence[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name -> the text before the call, how the call begins, and its arguments: `[text, places,
    value that is left out]`."""
    for name in names:
        chosen = register.choose("optimizer", {"name": name}, "optimizer")
        forms: list[dict[str, Any]] = [{}]
        if name == "sgd":
            forms = [{"classical": False}, {"classical": True}]
        for form in forms:
            values = {key: form.get(key, place(key)) for key in chosen.params}
            made = optimizer(Chosen(chosen.component, values), "model.parameters()", "optimizer = ")
            start = next(i for i, each in enumerate(made.lines) if each.startswith("optimizer = "))
            call = " ".join(line.strip() for line in made.lines[start:])
            before = Section(made.imports, made.lines[:start])
            opening, _, inner = call.partition("(")
            usual = chosen.component.declared
            arguments = [
                argument(text, usual, opening.removeprefix("optimizer = "))
                for text in split_arguments(inner.removesuffix(")").strip().removesuffix(","))
            ]
            key = f"{name}/classical" if form.get("classical") else name
            yield key, {"opening": f"{opening}(", "arguments": arguments, **lines.text(before)}


def split_arguments(text: str) -> list[str]:
    """The arguments of a call; those in brackets stay together."""
    found, depth = [""], 0
    for letter in text:
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if letter == "," and depth == 0:
            found.append("")
        else:
            found[-1] += letter
    return [each.strip() for each in found]


def argument(text: str, usual: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """An argument of an optimizer, and the value with which it is left out."""
    name = text.partition("=")[0]
    places = [part.partition("}}")[0] for part in text.split("{{")[1:]]
    found: dict[str, Any] = {"text": text, "places": places}
    if kind.startswith("torch.optim.") and places and name != "lr":
        known = inspect.signature(getattr(torch.optim, kind.rpartition(".")[2])).parameters
        found["usual"] = known[name].default
    elif kind == "ClassicalSGD" and name in ("weight_decay", "nesterov"):
        found["usual"] = False if name == "nesterov" else 0.0
    return found


def loops(base: Recipe) -> Iterator[tuple[str, Section]]:
    """Key `batch/clip/penalty/one logit/averages/parts` -> the loop; parts are those of the split,
    or `train+test` and `train` of points that were changed by hand."""
    parts = {"+".join(base.data.split.parts), "train+test", "train"}
    for batch, clip, penalty, several, average in product((0, 1), repeat=5):
        for names in sorted(parts):
            loss = chosen_loss(base, several=several, penalty=penalty)
            kind = "schedule_free_sgd" if average else "sgd"
            recipe = variant(
                base,
                loss=loss,
                outputs=2 if several else 1,
                several=several,
                batch=bool(batch),
                clip=bool(clip),
                optimizer=register.choose("optimizer", {"name": kind}, "optimizer"),
                parts=names.split("+"),
            )
            yield f"{batch}/{clip}/{penalty}/{several}/{average}/{names}", loop.section(recipe)


def chosen_loss(base: Recipe, *, several: int, penalty: int = 0, name: str = "") -> Chosen:
    """A loss of that form."""
    name = name or ("cross_entropy" if several else "bce")
    given: dict[str, Any] = {"name": name, "l1": 0.1 if penalty else 0.0}
    return register.choose("loss", given, "loss")


def ends(base: Recipe, counts: Sequence[int], section: Any) -> Iterator[tuple[str, Section]]:
    """Key `one or many logits/classes/positive/slope/parts` -> the scores, or the boundary; slope
    is 1 for tanh_mse."""
    parts = {"+".join(base.data.split.parts), "train+test", "train"}
    for logits, classes, positive, slope in product((1, 2), counts, (0, 1), (0, 1)):
        if (logits == 1 and classes > 2) or (slope and logits == 2):
            continue
        for names in sorted(parts):
            loss = chosen_loss(base, several=logits - 1, name="tanh_mse" if slope else "")
            recipe = variant(
                base,
                loss=loss,
                outputs=logits,
                several=0 if classes == 2 else classes,
                positive=positive,
                parts=names.split("+"),
            )
            yield f"{logits}/{classes}/{positive}/{slope}/{names}", section(recipe)
