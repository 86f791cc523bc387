"""Runs and sweeps started from Python, in a process that lives on, such as a notebook's."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import threading
from argparse import Namespace
from collections.abc import Iterable, Iterator
from pathlib import Path

from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.plugins import Plugins
from hydra.version import VersionBase, setbase
from omegaconf import OmegaConf
from omegaconf.resolvers import oc

from exp.config import plugins, text_values
from exp.config.compose import resolvers
from exp.sweeps.hydra_setup import HydraApp, create, flags
from exp.sweeps.run_or_sweep import is_sweep
from exp.util import command_line
from exp.util.errors import ExpError, shown

ONE = threading.RLock()
"""Hydra knows one config at a time, so one thread at a time has it."""

RESOLVERS = ("exp.id", "exp.slug", "hydra", "now", "python_version")
"""What exp and Hydra register. Those of a user's own module, which is imported once, stay."""
VARIABLES = ("PYTHONSAFEPATH", "MKL_CBWR", "OPENBLAS_NUM_THREADS")
"""Of the environment: what the helper processes of a run need besides."""


@contextlib.contextmanager
def composer(
    overrides: Iterable[str], *, quiet: bool, sweeps: bool = False, progress: bool = False
) -> Iterator[tuple[HydraApp, Namespace]]:
    """Hydra and the flags, as for a command line of these overrides.

    Afterwards Hydra's singletons and resolvers, the working directory, the paths of modules and
    the environment are as they were before.

    Args:
        overrides: `key=value`.
        sweeps: whether a comma separates the values of a sweep.
        quiet: what is printed meanwhile goes nowhere.
        progress: whether a terminal or a notebook shows how far it is.

    Raises:
        ExpError: they are no list of texts.
    """
    words = texts(overrides)
    with ONE, restored_afterwards(), silenced() if quiet else contextlib.nullcontext():
        command_line.words, command_line.python = words, True
        command_line.progress = progress
        os.environ["PYTHONSAFEPATH"] = "1"  # of helper processes, as `exp.cli.main` has it
        setbase("1.3")
        resolvers()
        plugins.load(words)
        args = flags().parse_args([])
        args.overrides = text_values.words(words, sweeps=sweeps or is_sweep(words))
        yield create(args), args


def texts(overrides: Iterable[str]) -> list[str]:
    """
    Raises:
        ExpError: a text by itself, or something else in the list.
    """
    words = [] if isinstance(overrides, str) else list(overrides)
    if isinstance(overrides, str) or not all(isinstance(word, str) for word in words):
        found = shown(overrides)
        raise ExpError(f"expected a list of overrides, ['key=value', ...], found {found}")
    return words


@contextlib.contextmanager
def restored_afterwards() -> Iterator[None]:
    """Everything of this process that composing or running touches is put back."""
    hydra, config, version = GlobalHydra.instance(), HydraConfig.instance(), VersionBase.instance()
    before = hydra.hydra, config.cfg, version.version_base
    kinds = Plugins.instance().plugin_type_to_subclass_list
    classes = {kind: list(found) for kind, found in kinds.items()}
    new = [name for name in RESOLVERS if not OmegaConf.has_resolver(name)]
    folder, path, words = os.getcwd(), list(sys.path), list(command_line.words)
    python, progress = command_line.python, command_line.progress
    loaded, variables = list(plugins.loaded), {name: os.environ.get(name) for name in VARIABLES}
    try:
        yield
    finally:
        hydra.hydra, config.cfg, version.version_base = before
        for name in new:
            OmegaConf.clear_resolver(name)
        if "exp.id" in new:  # not within another run, that goes on
            OmegaConf.register_new_resolver("oc.env", oc.env, replace=True)
        for kind, found in classes.items():
            kinds[kind][:] = found
        os.chdir(folder)
        sys.path[:] = path
        command_line.words, command_line.python, plugins.loaded[:] = words, python, loaded
        command_line.progress = progress
        for name, value in variables.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def silenced() -> contextlib.AbstractContextManager[object]:
    return contextlib.redirect_stdout(io.StringIO())


def sweep(overrides: Iterable[str], *, quiet: bool, progress: bool = False) -> Path:
    """Trains a sweep; its directory, absolute.

    Args:
        quiet, progress: as for `composer`.

    Raises:
        ExpError: nothing was started if it is a ConfigError.
    """
    with composer(overrides, quiet=quiet, sweeps=True, progress=progress) as (hydra, args):
        from exp.sweeps import start_sweep  # imports torch

        return start_sweep.sweep(hydra, args, "config")[1].absolute()
