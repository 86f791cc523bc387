"""What in Hydra's own node of a config, or in the overrides of it, cannot be used."""

from __future__ import annotations

from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from exp.util.errors import Fault, shown


def unshaped(config: DictConfig) -> list[Fault]:
    """Parts of the `hydra` node without which Hydra itself fails."""
    faults = []
    for key in ("callbacks", "job", "launcher", "run", "sweep", "sweeper"):
        missing = OmegaConf.is_missing(config.hydra, key)
        if missing or not OmegaConf.is_dict(config.hydra.get(key)):
            faults.append(Fault(f"hydra.{key}", "expected a mapping"))
    verbose = OmegaConf.select(config, "hydra.verbose")
    if not isinstance(verbose, (bool, str)) and not OmegaConf.is_list(verbose):
        wanted = "expected true, false, or names of loggers"
        faults.append(Fault("hydra.verbose", f"{wanted}, found {shown(verbose)}"))
    return faults


def misplaced(overrides: list[str], mode: RunMode) -> list[Fault]:
    """Overrides that mean nothing in one run, or nothing in a sweep."""
    faults = []
    for text in overrides:
        key = text.lstrip("+").partition("=")[0]
        if mode is RunMode.MULTIRUN and key == "hydra.run.dir":
            what = "sets the directory of a single run; a sweep (-m) uses hydra.sweep.dir"
            faults.append(Fault(key, what))
        elif mode is RunMode.RUN and key.startswith(("hydra.sweep.", "sweep.")):
            what = "is for sweeps: put -m before it" if "=" in text else "is for sweeps"
            faults.append(Fault(key, what))
    return faults


def asks_for_sweep(config: DictConfig) -> bool:
    """Whether a config asks for what `-m` asks for on a command line."""
    return OmegaConf.select(config, "hydra.mode") is RunMode.MULTIRUN
