"""From a composed config to a validated plan. Nothing here imports torch.

overrides -> config -> validated plan -> stack -> history -> run directory: this is the second
arrow. A `Plan` holds one validated component for each group and the seeds; every fault of a config
is found here, and all are reported at once.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import exp.registry.kinds  # noqa: F401 - declares the kinds
from exp.config import suggestions
from exp.config.environment import WRITTEN, stored, values_unshown
from exp.config.plugins import origins
from exp.config.settings import TOP, Seeds, run_settings, seeds_of, sweep_settings
from exp.registry.component import Chosen
from exp.registry.parameter_schema import checked
from exp.registry.registry import register
from exp.util.errors import ConfigError, Fault, nearest, shown, unknown
from exp.util.metric_names import EVERY, higher_is_better
from exp.util.packages import importable, installed

GROUPS = (
    "dataset",
    "split",
    "features",
    "model",
    "optimizer",
    "loss",
    "scheduler",
    "device",
    "trainer",
    "figures",
)
SPLITS = ("validation", "test", "train")
OPTIONAL = {"features": "none"}
"""Groups that a config may leave out, and what they then are: configs from before they existed."""
PRESENTATION = {
    "name": (),
    "plugins": (),
    "figures": (),
    "logger": (),
    "trainer": ("print_every", "checkpoint_every"),
    WRITTEN: (),
}
"""Keys that cannot change a result; () stands for the whole group."""


@dataclass(frozen=True)
class Plan:
    """A validated config: one component for each group.

    Attributes:
        config: the resolved config with every default written out, as plain values.
        chosen: group -> component with parameters.
        loggers: label -> component with parameters.
        metrics: those that are registered, by their names.
    """

    seed: int
    seeds: Seeds
    name: str
    config: dict[str, Any]
    chosen: dict[str, Chosen]
    loggers: dict[str, Chosen] = field(default_factory=dict)
    metrics: dict[str, Chosen] = field(default_factory=dict)

    def __getitem__(self, group: str) -> Chosen:
        return self.chosen[group]

    @property
    def stored(self) -> dict[str, Any]:
        """The config for a file: values from the environment as `${oc.env:NAME}`."""
        return stored(self.config)

    @cached_property
    def trainer(self) -> Any:
        """The `Trainer` of this plan."""
        return self.chosen["trainer"].build()

    @cached_property
    def figures(self) -> Any:
        """The `Figures` of this plan; None: none are wanted."""
        return self.chosen["figures"].build()

    @cached_property
    def origins(self) -> dict[str, dict[str, str]]:
        """Where components that are not exp's come from, as run.json has it."""
        return origins([*self.chosen.values(), *self.metrics.values()])

    @property
    def monitor(self) -> str:
        """The score that early stopping, plateau and the best checkpoint follow, with its split."""
        given = "loss" if self.trainer.monitor == "auto" else str(self.trainer.monitor)
        if "/" in given:
            return given
        return f"validation/{given}" if self.has_validation else f"train/{given}"

    def higher_is_better(self, score: str) -> bool:
        """Whether more of a score is better, registered metrics included."""
        known = {name: each.component.builder for name, each in self.metrics.items()}
        return higher_is_better(score, {n: m.higher_is_better for n, m in known.items()})  # type: ignore[attr-defined]

    @property
    def restores_best(self) -> bool:
        """Whether the best epoch's weights are the result of a run, and not the last ones."""
        given = self.trainer.restore_best
        return self.trainer.early_stopping is not None if given is None else bool(given)

    @property
    def has_validation(self) -> bool:
        return validates(self.chosen["split"].params)

    def identity(self, fingerprint: str, saved: Mapping[str, Any] | None = None) -> str:
        """The signature: a digest of all that can change a result.

        Args:
            fingerprint: digest of the data and their split.
            saved: a config as an earlier version of exp has stored it: keys that were added since
                are left out, as they were not part of its signature.
        """
        config = self.config if saved is None else known_to(self.config, saved)
        matters = {
            key: without(value, PRESENTATION.get(key))
            for key, value in config.items()
            if PRESENTATION.get(key) != ()
        }
        whole: dict[str, Any] = {"config": matters, "data": fingerprint, "exp": installed("exp")}
        if self.origins:
            # Not their names: the same file elsewhere gives the same results.
            whole["components"] = sorted(map(json.dumps, self.origins.values()))
        text = json.dumps(whole, sort_keys=True, allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()


def validates(split: Mapping[str, Any]) -> bool:
    """Whether a split with these parameters has validation rows."""
    return bool(split.get("validation") or split.get("inner_folds"))


def known_to(value: Any, saved: Any) -> Any:
    """The values of a config whose keys another config has, too."""
    if not (isinstance(value, Mapping) and isinstance(saved, Mapping)):
        return value
    return {key: known_to(item, saved[key]) for key, item in value.items() if key in saved}


def without(value: Any, keys: tuple[str, ...] | None) -> Any:
    return {k: v for k, v in value.items() if k not in keys} if keys else value


def plan(config: Mapping[str, Any], faults: Sequence[Fault] = ()) -> Plan:
    """The validated plan of a resolved config.

    Args:
        config: plain values, one mapping for each of `GROUPS`, `seed` and `seeds`.
        faults: found while composing, to be reported together with those found here.

    Raises:
        ConfigError: with every fault: unknown keys and names, values out of range or of a wrong
            type, parameters that do not go together. Values from the environment are named only.
    """
    with values_unshown(config):
        return _plan(config, list(faults))


def _plan(config: Mapping[str, Any], faults: list[Fault]) -> Plan:
    documented = ("seed", "seeds", "name", "plugins", "run", "sweep", "logger", *GROUPS)
    known = (*documented, WRITTEN)
    for key in config:
        if key not in known:
            rest = {name: value for name, value in config.items() if name != key}
            hint = suggestions.of_key(rest, str(key))
            faults.append(Fault(str(key), unknown("key", key, documented, hint=hint)))
    top, found = checked(
        TOP, {k: v for k, v in config.items() if k in TOP.model_fields}, "", "key of the config"
    )
    faults += found
    seeds, found = seeds_of(config)
    faults += found
    faults += run_settings(config.get("run", {}))[1]
    faults += sweep_settings(config.get("sweep", {}))[1]
    loggers, found = loggers_of(config.get("logger"))
    faults += found
    chosen: dict[str, Chosen] = {}
    for group in GROUPS:
        try:
            if group not in config and group in OPTIONAL:
                chosen[group] = register.choose(group, OPTIONAL[group], group)
                continue
            if group not in config:
                options = ", ".join(register.kinds[group].names())
                raise ConfigError([Fault(group, f"missing: choose one of {options}")])
            chosen[group] = register.choose(group, config[group], group)
        except ConfigError as error:
            faults += error.faults
    if not faults:
        faults += [Fault(path, message) for path, message in together(chosen)]
    if faults:
        raise ConfigError(faults)
    parts: dict[str, Any] = {group: choice.as_dict() for group, choice in chosen.items()}
    parts["logger"] = {label: choice.as_dict() for label, choice in loggers.items()}
    whole = {"seed": top["seed"], "seeds": seeds, "name": top["name"], "plugins": top["plugins"]}
    if config.get(WRITTEN):
        whole[WRITTEN] = config[WRITTEN]
    name = top["name"] or "-".join(chosen[g].name for g in ("dataset", "model", "optimizer"))
    metrics = {
        n: Chosen(each, {}) for n, each in sorted(register.kinds["metric"].components.items())
    }
    return Plan(top["seed"], Seeds(**seeds), name, {**whole, **parts}, chosen, loggers, metrics)


def loggers_of(given: object) -> tuple[dict[str, Chosen], list[Fault]]:
    """The loggers of a config by their labels, and what is wrong with them.

    Args:
        given: label -> `{name: ..., ...}`; or one such mapping, one name or several.
    """
    if isinstance(given, Mapping) and isinstance(given.get("name"), (str, list)):
        name = given["name"]  # an option of one's own without a package, or `exp rerun`'s
        given = {name: given} if isinstance(name, str) else name
    if isinstance(given, (str, list)):
        given = {str(name): name for name in ([given] if isinstance(given, str) else given)}
    if not isinstance(given, Mapping):
        wanted = "expected names of loggers, or a mapping of them"
        return {}, [] if given is None else [Fault("logger", f"{wanted}; found {shown(given)}")]
    chosen, faults = {}, []
    for label, value in given.items():
        try:
            chosen[str(label)] = register.choose("logger", value, f"logger.{label}")
        except ConfigError as error:
            faults += error.faults
    return {label: each for label, each in chosen.items() if each.name != "none"}, faults


def unavailable(config: Mapping[str, Any]) -> list[Fault]:
    """The loggers of a resolved config whose packages are not installed.

    Not part of `plan`: a worker process trains, and logs nothing.
    """
    chosen, _ = loggers_of(config.get("logger"))
    needed = {label: getattr(c.component.builder, "NEEDS", None) for label, c in chosen.items()}
    return [
        Fault(f"logger.{label}", f"{module} is not installed: pip install 'exp[{module}]'")
        for label, module in needed.items()
        if module is not None and not importable(module)
    ]


def together(chosen: Mapping[str, Chosen]) -> Iterator[tuple[str, str]]:
    """Faults of values that are fine by themselves and not together."""
    split, trainer = chosen["split"].params, chosen["trainer"].params
    own_test = chosen["dataset"].params.get("test_path")
    if trainer["accumulate"] > 1 and trainer["batch_size"] is None:
        what = f"expected 1 with the full batch, found {trainer['accumulate']}"
        yield "trainer.accumulate", f"{what}: set trainer.batch_size"
    if trainer["average"] is not None:
        optimizer = chosen["optimizer"]
        for each in (optimizer, *optimizer.nested):
            if getattr(each.component.builder, "averages", False):
                yield "trainer.average", f"expected null: optimizer {each.name} averages weights"
        if (trainer["average_start"] or 0) >= trainer["epochs"]:
            what = f"expected less than trainer.epochs, which is {trainer['epochs']}"
            yield "trainer.average_start", f"{what}, found {trainer['average_start']}"
    named = [("monitor", trainer["monitor"])] if trainer["monitor"] != "auto" else []
    for key, score in [*named, *(("prune", column) for column in trainer["prune"] or ())]:
        path, (part, slash, name) = f"trainer.{key}", score.rpartition("/")
        scores = (*EVERY, *sorted(register.kinds["metric"].components))
        if ((slash or key == "prune") and part not in SPLITS) or name not in scores:
            whole = [f"{split}/{name}" for split in SPLITS for name in scores]
            near = nearest(score, [*scores, *whole] if key == "monitor" else whole)
            known = f"Known: {', '.join(f'{split}/' for split in SPLITS)} and one of"
            yield path, f"unknown score {shown(score)}.{near} {known} {', '.join(scores)}"
        elif part == "validation" and not validates(split):
            what = "needs validation rows, but there are none: set split.validation=0.2"
            yield path, f"{score} {what}"
        elif part == "test" and split.get("test") == 0 and not (own_test or split.get("column")):
            yield path, f"{score} needs test rows, but split.test is 0"
