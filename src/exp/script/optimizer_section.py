"""Section 3 of a script, second half: the optimizer, of torch.optim where it is there."""

from __future__ import annotations

import inspect
from typing import Any

import torch

from exp.components.optimizers.custom_optimizers import CustomOptimizer
from exp.registry.component import Chosen
from exp.script import plain_optimizers
from exp.script.python import call
from exp.script.section import Recipe, Section
from exp.script.source_code import source_of
from exp.script.users_code import called, refused
from exp.util.errors import ImpossibleError

TORCH = {
    "sgd": "SGD",
    "adam": "Adam",
    "adamw": "AdamW",
    "nadam": "NAdam",
    "radam": "RAdam",
    "rmsprop": "RMSprop",
    "adagrad": "Adagrad",
    "adadelta": "Adadelta",
    "rprop": "Rprop",
    "lbfgs": "LBFGS",
}
"""Optimizer -> torch's class of the same rule."""
PLAIN: dict[str, Any] = {
    "lion": plain_optimizers.Lion,
    "muon": plain_optimizers.Muon,
    "soap": plain_optimizers.SOAP,
    "schedule_free_sgd": plain_optimizers.ScheduleFreeSGD,
    "schedule_free_adamw": plain_optimizers.ScheduleFreeAdamW,
}
"""Those that torch.optim does not have, or computes in another precision (Muon, in bfloat16)."""
PAIRS = {
    "betas": ("beta1", "beta2"),
    "etas": ("eta_minus", "eta_plus"),
    "step_sizes": ("step_size_min", "step_size_max"),
}
"""Arguments of torch's classes -> the two parameters of exp that they are."""


def section(recipe: Recipe) -> Section:
    """Leaves `optimizer`.

    Raises:
        ImpossibleError: a custom optimizer that cannot be part of a script.
    """
    chosen = recipe.plan["optimizer"]
    if chosen.name != "sam":
        return optimizer(chosen, "model.parameters()", "optimizer = ")
    out = Section({"import torch"}).add(source_of(plain_optimizers.SAM), "", "")
    base = chosen.params["base"]
    if chosen.params["lr"] is not None:
        base = Chosen(base.component, {**base.params, "lr": chosen.params["lr"]})
    out.join(optimizer(base, "model.parameters()", "base = "))
    return out.add(f"optimizer = SAM(base, rho={chosen.params['rho']})")


def name_of_rates(recipe: Recipe) -> str:
    """What the script calls the optimizer whose learning rate is set."""
    return "base" if recipe.plan["optimizer"].name == "sam" else "optimizer"


def averages(recipe: Recipe) -> bool:
    """Whether the optimizer averages weights itself."""
    found = recipe.plan["optimizer"]
    base = found.params["base"] if found.name == "sam" else found
    return str(base.name).startswith("schedule_free")


def needs_closure(recipe: Recipe) -> bool:
    """Whether a step computes the gradient again."""
    chosen = recipe.plan["optimizer"]
    if chosen.packaged:
        lbfgs = chosen.name == "torch" and chosen.params["algorithm"] == "LBFGS"
        return chosen.name in ("sam", "lbfgs") or lbfgs
    return takes_closure(chosen)


def takes_closure(chosen: Chosen) -> bool:
    """Whether the step of a custom optimizer needs a closure."""
    parameter = torch.nn.Parameter(torch.zeros(2, 2))
    made = chosen.component.builder.built([parameter], **chosen.declared)  # type: ignore[attr-defined]
    closure = inspect.signature(made.step).parameters.get("closure")
    needed = closure is not None and closure.default is inspect.Parameter.empty
    return needed or isinstance(made, torch.optim.LBFGS)


def optimizer(chosen: Chosen, weights: str, before: str) -> Section:
    """The call that builds an optimizer, with its source where torch does not have it."""
    params, out = dict(chosen.declared), Section({"import torch"})
    if not chosen.component.packaged:
        return custom(chosen, weights, before)
    if chosen.name == "torch":
        options = {"lr": params["lr"], **(params["options"] or {})}
        return out.add(call(f"torch.optim.{params['algorithm']}", [weights], before, **options))
    if chosen.name == "sgd" and params.pop("classical"):
        kept = {key: params[key] for key in ("lr", "momentum")}
        kept |= {key: params[key] for key in ("weight_decay", "nesterov") if params[key]}
        out.add(source_of(plain_optimizers.ClassicalSGD), "", "")
        return out.add(call("ClassicalSGD", [weights], before, **kept))
    if chosen.name in TORCH:
        kind = getattr(torch.optim, TORCH[chosen.name])
        return out.add(
            call(f"torch.optim.{kind.__name__}", [weights], before, **different(kind, params))
        )
    kind = PLAIN[chosen.name]
    if chosen.name in ("muon", "soap"):
        out.use("import math")
    return out.add(source_of(kind), "", "", call(kind.__name__, [weights], before, **params))


def different(kind: Any, params: dict[str, Any]) -> dict[str, Any]:
    """The learning rate and the arguments of a class of torch that differ from its defaults."""
    given = dict(params)
    for name, (first, second) in PAIRS.items():
        if first in given:
            given[name] = (given.pop(first), given.pop(second))
    known = inspect.signature(kind).parameters
    return {
        name: value for name, value in given.items() if name == "lr" or known[name].default != value
    }


def custom(chosen: Chosen, weights: str, before: str) -> Section:
    """A user's optimizer: its source, and the call that builds it."""
    builder: Any = chosen.component.builder
    if not (inspect.isclass(builder) and issubclass(builder, CustomOptimizer)):
        raise refused(
            chosen.component, "it is an exp.components.optimizers.Optimizer, which needs exp"
        )
    built: Any = builder.built
    if not built.args[2]:
        raise ImpossibleError(
            f"optimizer {chosen.name} cannot be written as a script: it does not take the "
            "parameters of the model"
        )
    code, out = called(chosen, **chosen.declared)
    if out.lines:
        out.add("", "")
    return out.use("import torch").add(call(code.function, [weights], before, **chosen.declared))
