"""A plan with other values: overrides of a config that was composed before."""

from __future__ import annotations

from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from exp.config import environment, hydra_errors, text_values
from exp.config.plan import Plan, plan
from exp.registry.registry import register
from exp.runs.config_values import flat
from exp.util.errors import ConfigError, Fault, shown


def changed(saved: Plan, overrides: list[str]) -> Plan:
    """A plan with other values.

    Raises:
        ConfigError: an override that cannot be read, or values that are not valid.
    """
    if not overrides:
        return saved
    environment.register()
    written = saved.config.get(environment.WRITTEN, {})
    before = {key: value for key, value in saved.config.items() if key != environment.WRITTEN}
    config = OmegaConf.create(environment.literal(before))
    faults = []
    chosen = {group: choice.name for group, choice in saved.chosen.items()}
    for word, text in text_values.values(overrides, chosen):
        key, equals, _ = word.partition("=")
        try:
            if not equals:
                raise ValueError("expected key=value")
            value = text or OmegaConf.to_container(OmegaConf.from_dotlist([word]))
            if key in register.kinds:
                # Another option starts from its defaults, not from the values of the old one.
                config[key] = {"name": value[key]}  # type: ignore[call-overload,index]
            else:
                if key == "seed":
                    follow(config, value["seed"])  # type: ignore[call-overload,index]
                config.merge_with(value)
        except (OmegaConfBaseException, ValueError, RecursionError) as error:
            faults.append(Fault(key if equals else shown(word), hydra_errors.one_line(error)))
    try:
        plain = OmegaConf.to_container(config, resolve=True)
    except (OmegaConfBaseException, ValueError, RecursionError) as error:
        raise ConfigError(faults or [Fault("overrides", hydra_errors.one_line(error))]) from None
    assert isinstance(plain, dict)
    whole = {str(key): value for key, value in plain.items()}
    old, new = dict(flat(before)), dict(flat(whole))
    kept = {path: text for path, text in written.items() if new.get(path) == old.get(path)}
    kept |= environment.texts(config, whole)
    return plan({**whole, environment.WRITTEN: kept}, faults)


def follow(config: Any, seed: object) -> None:
    """Lets those seeds that were `seed` be the new one."""
    for name, value in config.seeds.items():
        if value == config.seed:
            config.seeds[name] = seed
