"""What the page makes the plain PyTorch script of what is seen from."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from exp.config.plan import Plan
from exp.engine.job import Job
from exp.engine.prepare import prepare
from exp.play.payload_data import other_data_sets
from exp.play.payload_noise import SOURCES
from exp.play.payload_offers import ACTIVATIONS, LOSSES, OPTIMIZERS
from exp.registry.registry import register
from exp.script.script import script
from exp.script.section import Recipe
from exp.script.templates import templates
from exp.util.errors import ExpError

FILE = "points.csv"
OFFERED = {"activations": ACTIVATIONS, "losses": LOSSES, "optimizers": OPTIMIZERS}


def script_texts(plan: Plan) -> dict[str, Any]:
    """The texts of `exp.script.templates` for every data set of the page, as plain values.

    Args:
        plan: of a config that the page can play.

    Returns:
        `{}` if its data set cannot be written as a script, such as a custom one that needs exp.
    """
    job = Job.of(plan)
    base = Recipe(plan, job.data, job.loss, job.outputs, job.device, job.module())
    source = SOURCES.get(plan["dataset"].name)
    found = {plan["dataset"].name: (base, None if source is None else source.key)}
    try:
        script(base, command="exp")
    except ExpError:
        return {}
    for other, rows in other_data_sets(plan):
        chosen = replace(plan, chosen={**plan.chosen, "dataset": other})
        found[other.name] = (replace(base, plan=chosen, data=rows), SOURCES[other.name].key)
    with TemporaryDirectory() as folder:
        place = Path(folder) / FILE
        found["points"] = (changed_by_hand(base, place), None)
        texts = templates(base, found, OFFERED)
    texts["lines"] = [line.replace(str(place), FILE) for line in texts["lines"]]
    # The page may change the points of a data set with other classes.
    for key in ("points/0", "points/1"):
        numbers = texts["data"][key]["lines"]
        at = next(n for n in numbers if texts["lines"][n].startswith("classes = "))
        texts["data"][key]["lines"] = [len(texts["lines"]) if n == at else n for n in numbers]
    texts["lines"].append("classes = {{classes}}")
    return texts


def changed_by_hand(base: Recipe, file: Path) -> Recipe:
    """The recipe of points that were changed by hand, which the page saves as a csv file.

    Args:
        file: written with a few rows of each class.
    """
    names = base.data.data.classes
    with file.open("w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(["x1", "x2", "label", "part"])
        for number, name in enumerate(names * 4):
            table.writerow([number, number % 3, name, "test" if number < len(names) else "train"])
    rows = {"name": "csv", "path": str(file), "target": "label", "features": ["x1", "x2"]}
    dataset = register.choose("dataset", rows, "dataset")
    plan = base.plan
    standardize = plan["split"].params.get("standardize", False)
    parts = {"name": "holdout", "column": "part", "standardize": standardize}
    split = register.choose("split", parts, "split")
    made = prepare(dataset, split, data_seed=plan.seeds.data, split_seed=plan.seeds.split)
    chosen = {**plan.chosen, "dataset": dataset, "split": split}
    return replace(base, plan=replace(plan, chosen=chosen), data=made)
