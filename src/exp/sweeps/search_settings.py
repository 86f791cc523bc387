"""The settings of a search, and the score that it follows. Nothing here imports Optuna."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Annotated, Any, Literal

from pydantic import Field

from exp.config.plan import Plan
from exp.registry.parameter_schema import checked, config_parameters, schema_of
from exp.registry.registry import register
from exp.registry.types import Count, Seed
from exp.util.errors import Fault, unknown
from exp.util.metric_names import CURVES, EVERY, higher_is_better

NODE = "hydra.sweeper"
SPLITS = ("validation", "test", "train")
NEEDS = {"optuna": "optuna", "cmaes": "cmaes"}

Batch = Annotated[int, Field(ge=1, le=1024)]
Trials = Annotated[int, Field(ge=1, le=100_000)]


@dataclass(frozen=True, kw_only=True)
class SearchSettings:
    """How a search goes about its trials.

    Attributes:
        n_trials: of the whole search, those that fail among them.
        batch: trials that are asked for together, before any of them has a result.
        sampler: of Optuna; grid takes every combination, the last key varying fastest.
        seed: of the sampler: the same seed and results give the same trials.
        metric: a final score such as validation/accuracy; auto is the monitored score.
        pruner: median: a run stops if its best value is worse than the median of earlier trials.
        prune_from: finished trials before any is pruned.
    """

    n_trials: Trials = 64
    batch: Batch = 16
    sampler: Literal["tpe", "cmaes", "random", "grid"] = "tpe"
    seed: Seed = 0
    metric: str = "auto"
    pruner: Literal["none", "median"] = "none"
    prune_from: Count = 8


SCHEMA = schema_of("search", config_parameters(SearchSettings))


def search_settings(given: Mapping[str, Any]) -> tuple[SearchSettings, list[Fault]]:
    """The settings of `hydra/sweeper=optuna`, and what is wrong with them."""
    values, faults = checked(SCHEMA, given, NODE, "setting of hydra/sweeper=optuna")
    settings = SearchSettings(**values)
    return settings, [*faults, *metric_faults(settings), *missing(settings)]


def metric_faults(settings: SearchSettings) -> Iterator[Fault]:
    """That a score does not exist, or that no curve of it is there to prune by."""
    names = (*EVERY, *register.kinds["metric"].components)
    known = [f"{split}/{name}" for split in SPLITS for name in names]
    if settings.metric not in ("auto", *known):
        yield Fault(f"{NODE}.metric", unknown("score", settings.metric, ["auto", *known]))
    elif settings.pruner != "none" and not prunable(settings.metric):
        curves = f"{', '.join(CURVES[:-1])} or {CURVES[-1]}"
        wanted = f"a pruner needs a score that is measured over the epochs: {curves}"
        yield Fault(f"{NODE}.metric", f"{wanted}, found {settings.metric!r}")


def prunable(metric: str) -> bool:
    return metric == "auto" or metric.partition("/")[2] in CURVES


def missing(settings: SearchSettings) -> Iterator[Fault]:
    """Packages that are not installed."""
    wanted = [("hydra/sweeper", "optuna")]
    wanted += [(f"{NODE}.sampler", "cmaes")] if settings.sampler == "cmaes" else []
    for path, module in wanted:
        if find_spec(module) is None:
            yield Fault(path, f"{module} is not installed: pip install 'exp[optuna]'")


def direction(metric: str) -> Literal["minimize", "maximize"]:
    """Whether less or more of a score is better."""
    metrics: dict[str, Any] = {
        name: each.builder for name, each in register.kinds["metric"].components.items()
    }
    custom = {name: metric.higher_is_better for name, metric in metrics.items()}
    return "maximize" if higher_is_better(metric, custom) else "minimize"


def metric_of(settings: SearchSettings, plans: Iterable[Plan]) -> tuple[str, list[Fault]]:
    """The score that a search follows, and why its runs do not have it.

    Args:
        plans: of runs at the ends of the search space.
    """
    plans = list(plans)
    metric = settings.metric
    if metric == "auto":
        monitors = list(dict.fromkeys(plan.monitor for plan in plans))
        if len(monitors) > 1:
            found = " and ".join(monitors)
            wanted = f"runs of this search monitor different scores ({found}): choose one for all"
            return monitors[0], [Fault(f"{NODE}.metric", wanted)]
        metric = monitors[0]
    split = metric.partition("/")[0]
    if split == "validation" and not all(plan.has_validation for plan in plans):
        wanted = f"{metric} needs validation rows: set split.validation"
        return metric, [Fault(f"{NODE}.metric", wanted)]
    if split == "test" and any(no_test(plan["split"].params) for plan in plans):
        return metric, [Fault(f"{NODE}.metric", f"{metric} needs test rows: split.test is 0")]
    return metric, []


def no_test(split: Mapping[str, Any]) -> bool:
    """Whether a split with these parameters has no test rows."""
    return split.get("test") == 0 and split.get("column") is None


def warning(metric: str) -> str | None:
    """What should be known about a search that follows this score."""
    split = metric.partition("/")[0]
    aside = (
        "split.validation=0.2 and hydra.sweeper.metric=validation/accuracy use validation "
        "rows instead"
    )
    if split == "test":
        return (
            f"warning: this search optimizes {metric}, so the test score of its best "
            f"trial is better than its score on new rows. {aside}"
        )
    if split == "train":
        return (
            f"warning: this search optimizes {metric}, so it favours trials that "
            f"memorize their training rows. {aside}"
        )
    return None
