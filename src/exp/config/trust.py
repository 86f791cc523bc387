"""What Hydra's own node may say before it is instantiated.

Hydra imports and calls what its node names: `_target_` of callbacks, sweeper and launcher, classes
of its logging. A config from a stranger could name anything there. So each place is looked at
first, and only what Hydra, its plug-ins and exp bring themselves is let through.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins
from hydra.experimental.callback import Callback
from hydra.plugins.plugin import Plugin
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from exp.config.interpolation import bounded
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
    if faults := list(found(config)):
        raise ConfigError(faults)


def found(config: DictConfig) -> Iterator[Fault]:
    """Everything in Hydra's node that is not let through."""
    hydra = config._get_node("hydra")
    if not isinstance(hydra, DictConfig):
        return
    for key in hydra:
        yield from targets(hydra, key, "hydra", called=key in CALLED)
    yield from swept_plugins(hydra)
    for key, plain in PLAIN_SETTINGS.items():
        yield from settings_of_others(hydra, key, plain)
    for name in mapping(value(hydra, "job", "env_set")):
        if not VARIABLES.fullmatch(str(name)):
            yield Fault(f"hydra.job.env_set.{name}", f"sets an environment variable: {TRUST}")
    yield from outside(hydra)
    for logs in ("job_logging", "hydra_logging"):
        yield from logging_of(hydra, logs)


def targets(parent: Any, key: Any, path: str, *, called: bool) -> Iterator[Fault]:
    """Every `_target_` that is not let through, at any depth, and what may hide one."""
    path = f"{path}.{key}"
    node = parent._get_node(key)
    if key == "_target_":
        # As it is written: what an interpolation says may change until it is used.
        target = node._value()
        if not isinstance(target, str) or not ours(target):
            yield Fault(path, f"{shown(target)} would be imported and called: {TRUST}")
        return
    if node is not None and node._is_interpolation():
        whole = str(node._value())
        try:
            plain = not OmegaConf.is_config(parent[key])
        except (OmegaConfBaseException, ValueError, RecursionError, OSError):
            plain = not re.fullmatch(r"\s*\$\{.*\}\s*", whole)
        if called and not plain:
            yield Fault(path, f"{shown(whole)} stands for settings from elsewhere: {TRUST}")
        return
    if OmegaConf.is_config(node) and not node._is_none() and not node._is_missing():
        for below in list(node) if OmegaConf.is_dict(node) else range(len(node)):
            yield from targets(node, below, path, called=called)


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


def swept_plugins(hydra: DictConfig) -> Iterator[Fault]:
    """Modules of components that the settings of a sweeper name as an override."""
    for path, key, text in leaves(hydra._get_node("sweeper"), "hydra.sweeper"):
        if is_plugins(str(key)) or is_plugins(str(text).partition("=")[0]):
            yield Fault(path, f"{shown(text)} names modules: only the command line may")


def settings_of_others(hydra: DictConfig, key: str, plain: set[str]) -> Iterator[Fault]:
    """Settings of a launcher or sweeper that is not exp's which may be a command or a path: all but
    those that are known to be neither, unless they are the plug-in's own."""
    node = hydra._get_node(key)
    if not isinstance(node, DictConfig) or node._is_none() or node._is_missing():
        return
    if node._is_interpolation():
        return
    target = str(written_of(node, "_target_"))
    if target.startswith("hydra_plugins.exp_sweeps."):
        return
    defaults = defaults_of(key, target)
    for name in map(str, node):
        found = written_of(node, name)
        known = name in defaults and written_of(defaults, name) == found
        if name == "_target_" or known or found in (None, "???", {}, []):
            continue
        if name in plain and (isinstance(found, dict | int | float) or is_plain(found)):
            continue
        what = f"{shown(found)} may run a command, or write elsewhere: {TRUST}"
        yield Fault(f"hydra.{key}.{name}", what)


def written_of(node: DictConfig, name: Any) -> Any:
    """A value as it is written, interpolations unresolved."""
    child = node._get_node(name)
    if OmegaConf.is_config(child):
        return OmegaConf.to_container(child, resolve=False)
    return None if child is None else child._value()


def is_plain(text: object) -> bool:
    return isinstance(text, str) and PLAIN_TEXT.fullmatch(text) is not None


def defaults_of(key: str, target: str) -> DictConfig:
    """The settings with which an installed launcher or sweeper registers itself."""
    group = ConfigStore.instance().repo.get("hydra", {}).get(key, {})
    for option in group.values():
        node = getattr(option, "node", None)
        if isinstance(node, DictConfig) and str(written_of(node, "_target_")) == target:
            return node
    return OmegaConf.create()


def is_plugins(key: str) -> bool:
    return re.split(r"[.\[@]", key.strip().lstrip("+~"))[0] == "plugins"


def leaves(node: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    """Path, key and value as written of all that stands below a node, mappings included."""
    if not OmegaConf.is_config(node) or node._is_none() or node._is_missing():
        return
    if node._is_interpolation():
        return
    for key in list(node) if OmegaConf.is_dict(node) else range(len(node)):
        child = node._get_node(key)
        if OmegaConf.is_config(child):
            yield f"{path}.{key}", key, ""
            yield from leaves(child, f"{path}.{key}")
        elif child is not None:
            yield f"{path}.{key}", key, child._value()


def outside(hydra: DictConfig) -> Iterator[Fault]:
    """Names of files that would lead out of the run's directory."""
    subdir = value(hydra, "output_subdir")
    if subdir is not None and not within(str(subdir)):
        yield Fault("hydra.output_subdir", leads_out(subdir))
    name = value(hydra, "job", "name")
    if name is not None and too_long(f"{name}.log"):
        yield Fault("hydra.job.name", f"{shown(str(name))} is too long for the name of a file")
    if name is not None and (not within(str(name)) or "/" in str(name)):
        yield Fault(
            "hydra.job.name", f"{shown(name)} is part of a file's name: no / and no .. in it"
        )


def logging_of(hydra: DictConfig, key: str) -> Iterator[Fault]:
    """What `logging.config.dictConfig` would import, call or write elsewhere."""
    runtime = hydra.runtime
    before = runtime._get_node("output_dir")._value()
    with open_dict(hydra):
        runtime.output_dir = HERE
    try:
        for path, name, text in leaves(hydra._get_node(key), f"hydra.{key}"):
            yield from told_of(hydra, path, str(name), text)
    finally:
        with open_dict(hydra):
            runtime.output_dir = before


def told_of(hydra: DictConfig, path: str, name: str, text: Any) -> Iterator[Fault]:
    """What is wrong with one setting of logging."""
    if name in ("()", ".", "queue", "listener"):
        yield Fault(path, f"{name!r} would call or change something: {TRUST}")
    elif name == "class" and text not in LOGGING:
        yield Fault(path, f"{shown(text)} would be imported and called: {TRUST}")
    elif name == "filename":
        place = value(hydra, *path.split(".")[1:])
        if place is None or not within(str(place).removeprefix(f"{HERE}/"), of=str(place)):
            what = "cannot be resolved" if place is None else "is not within the run's directory"
            yield Fault(path, f"{shown(text)} {what}: {TRUST}")
    elif isinstance(text, str) and text not in STREAMS:
        resolved = value(hydra, *path.split(".")[1:]) if "${" in text else text
        if re.match(r"\s*(ext|cfg)://", str(resolved)) and resolved not in STREAMS:
            yield Fault(path, f"{shown(resolved)} would be imported: {TRUST}")


def within(text: str, of: str | None = None) -> bool:
    """Whether a relative path stays where it starts.

    Args:
        of: the path it was taken from; it must have begun with the run's directory.
    """
    if of is not None and not of.startswith(f"{HERE}/"):
        return False
    return stays_within(text)


def leads_out(text: object) -> str:
    return f"{shown(text)} must be a relative path without .. and control characters"


def value(node: Any, *keys: str) -> Any:
    """A resolved value below a node, or None where there is none or it cannot be resolved."""
    try:
        for key in keys:
            node = node[int(key)] if OmegaConf.is_list(node) else node[key]
    except (OmegaConfBaseException, LookupError, ValueError, TypeError, RecursionError):
        return None
    return node


def mapping(node: Any) -> list[Any]:
    return list(node) if OmegaConf.is_dict(node) else []


def too_long(name: str) -> bool:
    """Whether no file system takes a name of that many bytes."""
    return len(name.encode("utf-8", "replace")) > LONGEST


def subdir_fault(text: str) -> Fault | None:
    """That the directory of a run would not lie within its sweep's, or cannot be made."""
    if any(too_long(part) for part in text.split("/")):
        return Fault("hydra.sweep.subdir", f"{shown(text)} is too long for the name of a folder")
    if not within(text) or PurePath(text) == PurePath("."):
        return Fault("hydra.sweep.subdir", leads_out(text))
    return None
