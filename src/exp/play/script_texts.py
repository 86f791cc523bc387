"""What the page makes the plain PyTorch script of what is seen from."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from exp.config.plan import Plan
from exp.engine.job import Job
from exp.engine.prepare import prepare
from exp.play.payload_noise import SOURCES
from exp.play.payload_offers import ACTIVATIONS, LOSSES, OPTIMIZERS
from exp.registry.registry import register
from exp.script.script import script
from exp.script.section import Recipe
from exp.script.templates import templates
from exp.util.errors import ExpError

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
    for name, each in SOURCES.items():
        if name in found:
            continue
        other = register.choose("dataset", {"name": name}, "dataset")
        try:
            rows = prepare(
                other,
                plan["split"],
                data_seed=plan.seeds.data,
                split_seed=plan.seeds.split,
            )
        except ExpError:  # as in the payload: a split that only the data of the config can have
            continue
        chosen = replace(plan, chosen={**plan.chosen, "dataset": other})
        found[name] = (replace(base, plan=chosen, data=rows), each.key)
    return templates(base, found, OFFERED)
