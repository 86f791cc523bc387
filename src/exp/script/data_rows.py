"""The rows of packaged data sets in a script: by scikit-learn's functions, or in plain NumPy."""

from __future__ import annotations

import inspect
import textwrap
from typing import Any

from exp.components.datasets.sklearn_datasets import TUPLES
from exp.registry.component import Chosen
from exp.script.helpers import helpers
from exp.script.plain_source import plain_function
from exp.script.python import WIDTH, call, literal
from exp.script.section import Recipe, Section

GENERATORS = {"moons": "make_moons", "circles": "make_circles", "blobs": "make_blobs"}
"""Data sets whose rows a function of sklearn.datasets makes."""
BUNDLED = {
    "iris": "load_iris",
    "wine": "load_wine",
    "breast_cancer": "load_breast_cancer",
    "digits": "load_digits",
}
"""Data sets that come with scikit-learn."""


def rows(recipe: Recipe) -> Section:
    """Makes `raw` [rows, features], `labels` or `targets` [rows], and `classes`."""
    dataset = recipe.plan["dataset"]
    params, seed = dict(dataset.declared), recipe.plan.seeds.data
    if dataset.name in GENERATORS:
        return generated(recipe, GENERATORS[dataset.name], {**params, "random_state": seed})
    if dataset.name in BUNDLED:
        return bundled(recipe, BUNDLED[dataset.name], {})
    if dataset.name == "sklearn":
        given = {name: tuples(name, value) for name, value in (params["params"] or {}).items()}
        if params["generator"].startswith("load_"):
            return bundled(recipe, params["generator"], given)
        return generated(recipe, params["generator"], {**given, "random_state": seed})
    return computed(recipe, dataset, {"seed": seed, **params})


def is_computed(dataset: Chosen) -> bool:
    """Whether a data set is made by a function of its own, and not by one of scikit-learn."""
    return dataset.name not in {*GENERATORS, *BUNDLED, "sklearn"}


def tuples(name: str, value: Any) -> Any:
    """A parameter of a function of sklearn as the function takes it."""
    if name in TUPLES and isinstance(value, list):
        return tuple(value)
    return value


def target(recipe: Recipe) -> str:
    """What the script calls what is to be predicted."""
    return "targets" if recipe.data.data.numeric else "labels"


def generated(recipe: Recipe, function: str, params: dict[str, Any]) -> Section:
    """The rows that a make_ function of sklearn draws."""
    out = Section().use(f"from sklearn.datasets import {function}")
    out.add(call(function, before="raw, labels = ", **params))
    classes = recipe.data.data.classes
    if classes != tuple(map(str, range(len(classes)))):
        out.use("import numpy as np")
        out.add("labels = np.unique(labels, return_inverse=True)[1]  # as 0, 1, ...")
    return out.join(class_names(recipe))


def bundled(recipe: Recipe, function: str, params: dict[str, Any]) -> Section:
    """The rows of a load_ function of sklearn."""
    out = Section().use(f"from sklearn.datasets import {function}")
    out.add(call(function, before="raw, labels = ", return_X_y=True, **params))
    return out.join(class_names(recipe))


def computed(recipe: Recipe, dataset: Chosen, params: dict[str, Any]) -> Section:
    """The rows of one of exp's own functions, whose source becomes a part of the script."""
    out = Section()
    builder = inspect.unwrap(dataset.component.builder)
    out.join(helpers(builder))
    out.add(plain_function(builder, about=shortened(dataset.component.summary)), "", "")
    out.add(call(builder.__name__, before=f"raw, {target(recipe)} = ", **params))
    return out.join(class_names(recipe))


def shortened(about: str) -> str:
    """The first sentences of a text that fit on the line of a docstring."""
    limit = WIDTH - 4 - 6
    if len(about) <= limit:
        return about
    return textwrap.shorten(about.split(". ")[0].split(": ")[0].rstrip(".") + ".", limit)


def class_names(recipe: Recipe) -> Section:
    """`classes`, the names."""
    classes = [str(name) for name in recipe.data.data.classes]
    return Section().add(literal(classes, "classes = "))
