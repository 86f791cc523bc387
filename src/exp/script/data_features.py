"""Feature maps in a script: exp's own formulas, as scikit-learn's differ from them by rounding."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from exp.components import features
from exp.script.data_rows import shortened
from exp.script.helpers import helpers
from exp.script.plain_source import plain_function
from exp.script.python import call, literal
from exp.script.section import Recipe, Section
from exp.util.errors import ImpossibleError

FORMULAS = {
    "x": "x", "y": "y", "x2": "x * x", "y2": "y * y", "xy": "x * y",
    "sin_x": "np.sin(x)", "sin_y": "np.sin(y)",
}  # fmt: skip
"""Term of `playground` -> its code."""


@dataclass
class Mapped:
    """How a script maps rows.

    Attributes:
        before: what stands before the function `inputs`.
        steps: the lines in it.
        value: the code of the mapped rows.
    """

    before: Section = field(default_factory=Section)
    steps: list[str] = field(default_factory=list)
    value: str = "rows"


def mapped(recipe: Recipe, value: str) -> Mapped:
    """The feature map of a recipe.

    Args:
        value: the code of the rows that it gets.

    Raises:
        ImpossibleError: a custom feature map.
    """
    chosen, found = recipe.plan["features"], Mapped()
    if not chosen.component.packaged:
        raise ImpossibleError(f"exp code cannot write the features {chosen.name}, which are custom")
    found.before.use("import numpy as np")
    scaled = value != "rows"
    if scaled:
        found.before.add("", "")
        found.before.add(
            "def standardized(rows):",
            '    """Rows on the scale of the training rows."""',
            f"    return ({value}).astype(np.float32)",
            "",
            "",
        )
    rows = "standardized(rows)" if scaled else "rows"
    MAPS[chosen.name](recipe, found, rows)
    return found


def playground(recipe: Recipe, found: Mapped, rows: str) -> None:
    terms = [FORMULAS[term] for term in recipe.plan["features"].params["use"]]
    found.steps = [f"x, y = {rows}.astype(np.float64).T"]
    found.value = f"np.column_stack([{', '.join(terms)}])"


def polynomial(recipe: Recipe, found: Mapped, rows: str) -> None:
    params = recipe.plan["features"].params
    width, out = len(recipe.data.features), found.before
    pick = "combinations" if params["interaction_only"] else "combinations_with_replacement"
    out.use(f"from itertools import {pick}")
    most = params["degree"]
    out.add(f"# All products of up to {most} features: the places of the factors of each.")
    out.add(f"orders = range(1, {most + 1})")
    out.add(f"products = [each for n in orders for each in {pick}(range({width}), n)]", "", "")
    formula(features.polynomial_terms, out, "The products of features: the factors of each.")
    found.value = f"polynomial_terms({rows}.astype(np.float64), products)"


def fourier(recipe: Recipe, found: Mapped, rows: str) -> None:
    params, seed, out = recipe.plan["features"].params, recipe.plan.seeds.init, found.before
    width, count, gamma = len(recipe.data.features), params["n_components"], params["gamma"]
    out.add("# Random Fourier features (Rahimi and Recht 2007): cosines of random frequencies.")
    out.add(f"random = np.random.RandomState({seed})")
    out.add(f"weights_of = np.sqrt(2 * {gamma}) * random.normal(size=({width}, {count}))")
    out.add(f"offsets = random.uniform(0, 2 * np.pi, size={count})", "", "")
    formula(features.fourier_terms, out, "The cosines of the rows.")
    found.value = f"fourier_terms({rows}.astype(np.float64), weights_of, offsets)"


def quantile(recipe: Recipe, found: Mapped, rows: str) -> None:
    fitted_lines(recipe, found, rows, features.quantile, features.quantile_terms)


def piecewise(recipe: Recipe, found: Mapped, rows: str) -> None:
    fitted_lines(recipe, found, rows, features.piecewise, features.piecewise_terms)


def fitted_lines(recipe: Recipe, found: Mapped, rows: str, fit: Any, terms: Any) -> None:
    """A map of clipped lines that is fitted on the training rows."""
    chosen, out = recipe.plan["features"], found.before
    out.join(helpers(fit, leave={"from_values"}))
    out.add(plain_function(fit, about=shortened(chosen.component.summary), name="lines_of"), "", "")
    formula(terms, out, "The clipped lines of each column.")
    train = "standardized(raw[train])" if "(" in rows else "raw[train]"
    given = [f"names=range({len(recipe.data.features)})", "seed=None"]
    given += [f"{key}={literal(value)}" for key, value in chosen.params.items()]
    out.add("", "", call("lines_of", [*given, f"training_rows={train}"], "lines = "))
    found.value = f"{terms.__name__}({rows}.astype(np.float64), **lines)"


def formula(function: Any, out: Section, about: str) -> None:
    """Adds the source of a formula of exp."""
    out.join(helpers(function))
    out.add(plain_function(function, about=about))


MAPS = {
    "playground": playground,
    "polynomial": polynomial,
    "fourier": fourier,
    "quantile": quantile,
    "piecewise": piecewise,
}
