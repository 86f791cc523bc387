"""Section 3 of a script, last part: the learning rate over the epochs."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

from torch.optim.lr_scheduler import OneCycleLR, ReduceLROnPlateau

from exp.components.schedulers.custom_schedulers import LENGTHS, CustomScheduler
from exp.script.optimizer_section import name_of_rates
from exp.script.python import call
from exp.script.section import Recipe, Section
from exp.script.users_code import called, refused

TORCH = "torch.optim.lr_scheduler"


@dataclass(frozen=True)
class Schedule:
    """How the loop of a script changes the learning rate.

    Attributes:
        constant: it does not.
        by_step: `scheduler.step()` after each step, not after each epoch.
        follows: `scheduler.step(score)` after each evaluation.
        warmup: epochs of a linear warm-up by hand, 0 for none.
    """

    constant: bool
    by_step: bool
    follows: bool
    warmup: int


def schedule(recipe: Recipe) -> Schedule:
    """What the loop has to do."""
    chosen = recipe.plan["scheduler"]
    builder: Any = chosen.component.builder
    return Schedule(
        constant=chosen.name == "none",
        by_step=bool(builder.within_epoch),
        follows=bool(builder.observes),
        warmup=chosen.common["warmup"],
    )


def steps_per_epoch(recipe: Recipe) -> int:
    """Steps of the optimizer in an epoch."""
    trainer, rows = recipe.plan.trainer, len(recipe.data.split.train)
    if trainer.batch_size is None:
        return 1
    return int(-(-rows // (trainer.batch_size * trainer.accumulate)))


def section(recipe: Recipe) -> Section:
    """Leaves `scheduler`, unless the rate is constant.

    Raises:
        ImpossibleError: a custom schedule that cannot be part of a script.
    """
    out, found = made(recipe), schedule(recipe)
    if found.warmup and not found.constant:
        out.add(f'first_rate = {name_of_rates(recipe)}.param_groups[0]["lr"]')
    return out


def made(recipe: Recipe) -> Section:
    """The call that builds the schedule."""
    chosen, p = recipe.plan["scheduler"], recipe.plan["scheduler"].declared
    out, found = Section(), schedule(recipe)
    first, before = name_of_rates(recipe), "scheduler = "
    epochs, steps = recipe.plan.trainer.epochs - found.warmup, steps_per_epoch(recipe)
    if not chosen.component.packaged:
        return custom(recipe, epochs, steps)
    if found.constant:
        return out
    out.use("import torch")
    if chosen.name == "step":
        size = p["step_size"]
        return out.add(call(f"{TORCH}.StepLR", [first], before, step_size=size, gamma=p["gamma"]))
    if chosen.name == "multistep":
        options: dict[str, Any] = {"milestones": list(p["milestones"]), "gamma": p["gamma"]}
        return out.add(call(f"{TORCH}.MultiStepLR", [first], before, **options))
    if chosen.name == "exponential":
        return out.add(call(f"{TORCH}.ExponentialLR", [first], before, gamma=p["gamma"]))
    if chosen.name == "cosine":
        options = {"T_max": p["t_max"] or max(1, epochs)}
        options |= {"eta_min": p["eta_min"]} if p["eta_min"] else {}
        return out.add(call(f"{TORCH}.CosineAnnealingLR", [first], before, **options))
    if chosen.name == "one_cycle":
        return out.add(one_cycle(recipe, p, first, max(1, epochs) * steps))
    if chosen.name == "inverse":
        formula = f"lambda epoch: (1 + {p['decay']} * epoch) ** -{p['power']}"
        return out.add(call(f"{TORCH}.LambdaLR", [first, formula], before))
    return out.add(plateau(recipe, p, first))


def one_cycle(recipe: Recipe, p: dict[str, Any], first: str, steps: int) -> str:
    peak = base_rate(recipe) if p["max_lr"] is None else p["max_lr"]
    options: dict[str, Any] = {"max_lr": peak, "total_steps": steps, "cycle_momentum": False}
    defaults = inspect.signature(OneCycleLR).parameters
    for name in ("pct_start", "div_factor", "final_div_factor", "anneal_strategy", "three_phase"):
        if p[name] != defaults[name].default:
            options[name] = p[name]
    return call(f"{TORCH}.OneCycleLR", [first], "scheduler = ", **options)


def plateau(recipe: Recipe, p: dict[str, Any], first: str) -> str:
    options: dict[str, Any] = {}
    if recipe.plan.higher_is_better(recipe.plan.monitor):
        options["mode"] = "max"
    options |= {"factor": p["factor"], "patience": p["patience"]}
    defaults = inspect.signature(ReduceLROnPlateau).parameters
    for name in ("threshold", "threshold_mode", "cooldown", "min_lr"):
        if p[name] != defaults[name].default:
            options[name] = p[name]
    return call(f"{TORCH}.ReduceLROnPlateau", [first], "scheduler = ", **options)


def base_rate(recipe: Recipe) -> float:
    """The learning rate of the optimizer."""
    chosen = recipe.plan["optimizer"]
    if chosen.name == "sam":
        base, rate = chosen.params["base"], chosen.params["lr"]
        return float(base.params["lr"] if rate is None else rate)
    return float(chosen.declared["lr"])


def warmup_lines(recipe: Recipe, step: str) -> list[str]:
    """The lines at the beginning of a step that set the rate in the warm-up.

    Args:
        step: code of the steps so far.
    """
    found, p = schedule(recipe), recipe.plan["scheduler"].common
    steps, start, base = steps_per_epoch(recipe), p["warmup_start"], base_rate(recipe)
    total = found.warmup * steps
    first = repr(base) if found.constant else "first_rate"
    rates = name_of_rates(recipe)
    return [
        f"if {step} <= {total}:  # warm-up",
        f"    share = {start} + {round(1 - start, 12)} * {step} / {total}",
        f"    for group in {rates}.param_groups:",
        f'        group["lr"] = {base} * share if {step} < {total} else {first}',
    ]


def custom(recipe: Recipe, epochs: int, steps: int) -> Section:
    """A user's schedule of torch, stepped as exp steps it."""
    chosen = recipe.plan["scheduler"]
    builder: Any = chosen.component.builder
    if not (inspect.isclass(builder) and issubclass(builder, CustomScheduler)):
        raise refused(
            chosen.component, "it is an exp.components.schedulers.Scheduler, which needs exp"
        )
    values = dict(chosen.declared)
    lengths = dict(zip(LENGTHS, (epochs, steps, epochs * steps), strict=True))
    if builder.lengths and all(values.get(key) is None for key in builder.lengths):
        wanted = ("total_steps",) if "total_steps" in builder.lengths else builder.lengths
        values |= {key: lengths[key] for key in wanted}
    code, out = called(chosen, **values)
    if out.lines:
        out.add("", "")
    return out.add(call(code.function, [name_of_rates(recipe)], "scheduler = ", **values))
