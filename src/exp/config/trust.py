"""What Hydra's own node may say before it is instantiated.

Hydra imports and calls what its node names: `_target_` of callbacks, sweeper and launcher, classes
of its logging. A config from a stranger could name anything there. So each place is looked at
first, and only what Hydra, its plug-ins and exp bring themselves is let through.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins
from hydra.experimental.callback import Callback
from hydra.plugins.plugin import Plugin
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from exp.config.interpolation import bounded
from exp.config.unresolved import Keys, unresolved, value_at, walk
from exp.util.errors import ConfigError, Fault, shown
from exp.util.untrusted import stays_within

TRUST = "only with --trust-config"
CALLED = ("callbacks", "sweeper", "launcher", "job_logging", "hydra_logging")
"""Children of Hydra's node that are made into objects."""
BUILDERS = ("hydra_plugins.", "hydra._internal.core_plugins.")
LOGGING = {
    "logging.StreamHandler", "logging.FileHandler", "logging.NullHandler", "logging.Formatter",
    "logging.handlers.RotatingFileHandler", "logging.handlers.TimedRotatingFileHandler",
    "rich.logging.RichHandler", "colorlog.ColoredFormatter", "exp.runs.log.LogFile",
}  # fmt: skip
"""Classes of logging that send nothing away; the files they write are looked at too."""
PLAIN_SETTINGS = {
    "launcher": {
        # joblib
        "n_jobs", "backend", "prefer", "require", "verbose", "timeout", "pre_dispatch",
        "batch_size", "max_nbytes", "mmap_mode",
        # submitit
        "timeout_min", "cpus_per_task", "gpus_per_node", "tasks_per_node", "mem_gb", "nodes",
        "name", "stderr_to_stdout", "partition", "qos", "comment", "constraint", "exclude", "gres",
        "cpus_per_gpu", "gpus_per_task", "mem_per_gpu", "mem_per_cpu", "account",
        "signal_delay_s", "max_num_timeout", "array_parallelism", "nodelist", "dependency",
        "use_srun",
    },
    "sweeper": {
        "max_batch_size", "params", "n_trials", "n_jobs", "direction", "study_name", "sampler",
        "max_failure_rate", "search_space",
    },
}  # fmt: skip
"""Settings of the launchers and sweepers of others that name no command, file or address."""
PLAIN_TEXT = re.compile(r"[\w.,:@%+*&|!()\[\]= -]{0,200}")
"""Nothing that ends a line of a job's script, or means something to a shell behind a #."""
STREAMS = {"ext://sys.stdout", "ext://sys.stderr"}
VARIABLES = re.compile(
    r"(OMP|MKL|OPENBLAS|NUMEXPR|BLIS)_[A-Z_]+|CUDA_VISIBLE_DEVICES|CUBLAS_WORKSPACE_CONFIG"
    r"|CUDA_LAUNCH_BLOCKING|PYTHONHASHSEED"
)
"""Environment variables that decide how fast or exact something computes, not what is run."""
LONGEST = 255
"""Bytes of a file's name."""
HERE = "/output"
"""Stands for the run's directory while the files of its log are looked at."""


@bounded()
def check(config: DictConfig) -> None:
    """
    Raises:
        ConfigError: Hydra's node names what is neither Hydra's nor ours; one fault for each place.
    """
    written = unresolved(config)
    if isinstance(written, dict) and isinstance(written.get("hydra"), dict):
        node = {str(key): value for key, value in written["hydra"].items()}
        if faults := list(untrusted(config.hydra, node)):
            raise ConfigError(faults)


def untrusted(hydra: DictConfig, written: Mapping[str, Any]) -> Iterator[Fault]:
    """Everything in Hydra's node that is not let through.

    Args:
        written: the same node as plain values, interpolations as they are written.
    """
    for key, node in written.items():
        for keys, found in walk(node, (key,)):
            yield from target(hydra, keys, found, called=key in CALLED)
    for keys, found in walk(written.get("sweeper"), ("sweeper",)):
        text = found if isinstance(found, str) else ""
        if is_plugins(keys[-1]) or is_plugins(text.partition("=")[0]):
            yield Fault(path_of(keys), f"{shown(text)} names modules: only the command line may")
    for key, plain in PLAIN_SETTINGS.items():
        yield from settings_of_others(written, key, plain)
    variables = value(hydra, "job", "env_set")
    for name in list(variables) if OmegaConf.is_dict(variables) else ():
        if not VARIABLES.fullmatch(str(name)):
            yield Fault(f"hydra.job.env_set.{name}", f"sets an environment variable: {TRUST}")
    yield from file_names(hydra)
    for logs in ("job_logging", "hydra_logging"):
        yield from logging_of(hydra, logs, written)


def path_of(keys: Keys) -> str:
    return ".".join(("hydra", *keys))


def target(hydra: DictConfig, keys: Keys, found: Any, *, called: bool) -> Iterator[Fault]:
    """That a value is a `_target_` that is not let through, or may hide one."""
    if keys[-1] == "_target_":
        # As it is written: what an interpolation stands for may change until it is used.
        if not isinstance(found, str) or not ours(found):
            yield Fault(path_of(keys), f"{shown(found)} would be imported and called: {TRUST}")
    elif called and isinstance(found, str) and "${" in found:
        stands_for = value(hydra, *keys)
        whole = re.fullmatch(r"\s*\$\{.*\}\s*", found) is not None
        if OmegaConf.is_config(stands_for) or (stands_for is None and whole):
            what = f"{shown(found)} reads settings from elsewhere: {TRUST}"
            yield Fault(path_of(keys), what)


def ours(target: str) -> bool:
    """Whether a dotted name is that of a plug-in or callback that Hydra has found installed."""
    if target == "hydra.experimental.callbacks.LogJobReturnCallback":
        return True
    if re.fullmatch(r"optuna\.(samplers|pruners)\.[A-Z]\w*", target, re.ASCII):
        return True  # named by the settings of Hydra's optuna sweeper
    Plugins.instance()  # Hydra has imported every module of its plug-ins by then
    module, _, name = target.rpartition(".")
    known = getattr(sys.modules.get(module), name, None) if module.startswith(BUILDERS) else None
    # Not what such a module has imported itself, `os` for one.
    return (
        isinstance(known, type)
        and known.__module__ == module
        and issubclass(known, (Plugin, Callback))
    )


def settings_of_others(written: Mapping[str, Any], key: str, plain: set[str]) -> Iterator[Fault]:
    """Settings of a launcher or sweeper that is not exp's which may be a command or a path: all but
    those that are known to be neither, unless they are the plug-in's own."""
    node = written.get(key)
    if not isinstance(node, dict):
        return
    target = str(node.get("_target_"))
    if target.startswith("hydra_plugins.exp_sweeps."):
        return
    defaults = defaults_of(key, target)
    for name, found in node.items():
        known = name in defaults and defaults[name] == found
        if name == "_target_" or known or found in (None, "???", {}, []):
            continue
        harmless = isinstance(found, dict | int | float) or (
            isinstance(found, str) and PLAIN_TEXT.fullmatch(found)
        )
        if name in plain and harmless:
            continue
        what = f"{shown(found)} may run a command, or write elsewhere: {TRUST}"
        yield Fault(f"hydra.{key}.{name}", what)


def defaults_of(key: str, target: str) -> dict[str, Any]:
    """The settings with which an installed launcher or sweeper registers itself."""
    for option in ConfigStore.instance().repo.get("hydra", {}).get(key, {}).values():
        node = getattr(option, "node", None)
        if isinstance(node, DictConfig):
            found = unresolved(node)
            if isinstance(found, dict) and str(found.get("_target_")) == target:
                return {str(name): value for name, value in found.items()}
    return {}


def is_plugins(key: str) -> bool:
    return re.split(r"[.\[@]", key.strip().lstrip("+~"))[0] == "plugins"


def file_names(hydra: DictConfig) -> Iterator[Fault]:
    """Names of files that would lead out of the run's directory."""
    subdir = value(hydra, "output_subdir")
    if subdir is not None and not stays_within(str(subdir)):
        yield Fault("hydra.output_subdir", leads_out(subdir))
    name = value(hydra, "job", "name")
    if name is not None and too_long(f"{name}.log"):
        yield Fault("hydra.job.name", f"{shown(str(name))} is too long for the name of a file")
    if name is not None and (not stays_within(str(name)) or "/" in str(name)):
        yield Fault(
            "hydra.job.name",
            f"{shown(name)} becomes part of a file name: it cannot contain / or ..",
        )


def logging_of(hydra: DictConfig, key: str, written: Mapping[str, Any]) -> Iterator[Fault]:
    """What `logging.config.dictConfig` would import, call or write elsewhere."""
    before = written["runtime"]["output_dir"]
    with open_dict(hydra):
        hydra.runtime.output_dir = HERE
    try:
        for keys, found in walk(written.get(key), (key,)):
            yield from logging_setting(hydra, keys, found)
    finally:
        with open_dict(hydra):
            hydra.runtime.output_dir = before


def logging_setting(hydra: DictConfig, keys: Keys, found: Any) -> Iterator[Fault]:
    """What is wrong with one setting of logging."""
    path, name = path_of(keys), keys[-1]
    if name in ("()", ".", "queue", "listener"):
        yield Fault(path, f"{name!r} would call or change something: {TRUST}")
    elif name == "class" and str(found) not in LOGGING:
        yield Fault(path, f"{shown(found)} would be imported and called: {TRUST}")
    elif name == "filename":
        place = value(hydra, *keys)
        inside = str(place).startswith(f"{HERE}/")
        if not inside or not stays_within(str(place).removeprefix(f"{HERE}/")):
            what = "cannot be resolved" if place is None else "is not within the run's directory"
            yield Fault(path, f"{shown(found)} {what}: {TRUST}")
    elif isinstance(found, str) and found not in STREAMS:
        resolved = value(hydra, *keys) if "${" in found else found
        if re.match(r"\s*(ext|cfg)://", str(resolved)) and resolved not in STREAMS:
            yield Fault(path, f"{shown(resolved)} would be imported: {TRUST}")


def leads_out(text: object) -> str:
    return f"{shown(text)} must be a relative path without .. and control characters"


def value(node: Any, *keys: str) -> Any:
    """A resolved value below a node, or None where there is none or it cannot be resolved."""
    try:
        return value_at(node, keys)
    except (OmegaConfBaseException, LookupError, ValueError, TypeError, RecursionError, OSError):
        return None


def too_long(name: str) -> bool:
    """Whether no file system takes a name of that many bytes."""
    return len(name.encode("utf-8", "replace")) > LONGEST


def subdir_fault(text: str) -> Fault | None:
    """That the directory of a run would not lie within its sweep's, or cannot be made."""
    if any(too_long(part) for part in text.split("/")):
        return Fault("hydra.sweep.subdir", f"{shown(text)} is too long for the name of a folder")
    if not stays_within(text) or PurePath(text) == PurePath("."):
        return Fault("hydra.sweep.subdir", leads_out(text))
    return None
