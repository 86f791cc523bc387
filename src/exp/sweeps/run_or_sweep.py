"""A command line without a verb: a run, a sweep, or something that Hydra prints (`--cfg`)."""

from __future__ import annotations

import argparse
import contextlib
import io
import re
import sys
from collections.abc import Callable
from functools import partial
from typing import NoReturn

import yaml
from hydra.core.global_hydra import GlobalHydra
from hydra.types import RunMode
from hydra.version import setbase
from omegaconf import DictConfig, OmegaConf

from exp.config import plugins, suggestions, text_values
from exp.config.compose import compose, resolved, resolvers
from exp.config.hydra_errors import BROKEN, one_line
from exp.config.interpolation import bounded
from exp.registry import entry_points
from exp.registry.user_code import PluginError
from exp.sweeps.hydra_checks import asks_for_sweep
from exp.sweeps.hydra_setup import HydraApp, as_faults, create, flags
from exp.util.compiled import form
from exp.util.errors import ConfigError, ExpError, Fault, nearest, shown
from exp.util.packages import installed

SETTINGS = " Settings are written key=value, without dashes; exp --help lists the flags"


def main(words: list[str], *, usage: str = "") -> int:
    """Does everything that is not a verb.

    Args:
        words: overrides and flags.
        usage: the beginning of `--help`.

    Returns:
        The exit code.
    """
    parser = flags()
    if "--version" in words:  # the look-up of a version takes its time
        print(f"exp {installed('exp')} (training by {'torch' if form() is None else form()})")
        return 0
    # Instead of argparse's own, which prints its usage and ends the process.
    vars(parser)["error"] = partial(refused, words)
    args = parser.parse_intermixed_args(words)  # flags may stand between overrides
    if args.experimental_rerun is not None:
        raise ConfigError([Fault("--experimental-rerun", "exp reads no pickle of a run")])
    setbase("1.3")
    resolvers()
    args.overrides = plugins.with_folders(args.overrides, args.components)
    plugins.load(args.overrides)
    args.typed = args.overrides
    args.overrides = text_values.words(args.typed, sweeps=args.multirun or is_sweep(args.typed))
    hydra = create(args)
    try:
        return run(hydra, args, parser, usage)
    finally:
        GlobalHydra.instance().clear()


def is_sweep(overrides: list[str]) -> bool:
    """Whether a word makes a sweep of the command line without `-m`."""
    return any(word.lstrip("+").lower() == "hydra.mode=multirun" for word in overrides)


def refused(words: list[str], message: str) -> NoReturn:
    """Reports unknown flags, each with the override that was probably meant.

    Raises:
        ExpError: always.
    """
    what, _, rest = message.partition(": ")
    unread = set(rest.split(" ")) if what == "unrecognized arguments" else set()
    flagged = re.findall(r"--[\w-]+", flags().format_usage())
    faults = []
    for at, word in enumerate(words):
        flag, equals, value = word.partition("=")
        if word in unread and word.startswith("-"):
            typed = value if equals else suggestions.plain_word(words[at + 1 : at + 2])
            name = flag.strip("-").replace("-", "_")
            hint = nearest(flag, flagged, cutoff=0.8)
            if not hint and len(name) > 1:
                hint = suggestions.of_key(default(words), name, typed)
            faults.append(Fault(flag, f"there is no such flag.{hint or SETTINGS}"))
    if faults:
        raise ConfigError(faults)
    raise ExpError(f"{message}. See python -m exp --help")


def default(words: list[str]) -> DictConfig:
    """The config of the words that can be composed, or else the config without any."""
    setbase("1.3")
    resolvers()
    loader = create(flags().parse_args([])).config_loader
    usable = [word for word in words if "=" in word and word[:1] not in ("-", "~", "+")]
    try:
        config, _ = compose(loader, "config", usable, RunMode.MULTIRUN)
    except ConfigError:
        config, _ = compose(loader, "config", [], RunMode.RUN)
    return config


@as_faults()
def run(
    hydra: HydraApp, args: argparse.Namespace, parser: argparse.ArgumentParser, usage: str
) -> int:
    """What the flags ask for."""
    name = args.config_name or "config"
    if args.help or args.shell_completion:
        hydra.config_loader.extend()
    if args.help:
        try:
            entry_points.load()
        except PluginError as error:  # help there is all the same
            print(f"exp: {error}", file=sys.stderr)
        text = io.StringIO()
        with contextlib.redirect_stdout(text):
            show(hydra, args, lambda: hydra.app_help(name, parser, args))
        print(f"{usage}\n{text.getvalue()}", end="")
    elif args.hydra_help:
        show(hydra, args, lambda: hydra.hydra_help(name, parser, args))
    elif args.shell_completion:
        try:
            hydra.shell_completion(config_name=name, overrides=args.overrides)
        except (*BROKEN, yaml.YAMLError) as error:
            raise ConfigError([Fault("--shell-completion", one_line(error))]) from None
    elif args.info is not None:
        show(hydra, args, lambda: hydra.show_info(args.info, name, args.overrides))
    elif args.cfg is not None:
        show(
            hydra,
            args,
            lambda: hydra.show_cfg(name, args.overrides, args.cfg, args.package, args.resolve),
        )
    elif args.multirun:
        return sweep_code(hydra, args, name)
    else:
        composed = compose(hydra.config_loader, name, args.overrides, RunMode.RUN)
        if asks_for_sweep(composed[0]):
            # A preset has said so: only now is it known that commas separate values.
            args.overrides = text_values.words(args.typed, sweeps=True)
            return sweep_code(hydra, args, name)
        from exp.sweeps.start_run import single  # imports NumPy

        return single(hydra, args, name, composed).exit_code
    return 0


def sweep_code(hydra: HydraApp, args: argparse.Namespace, name: str) -> int:
    """The exit code of a sweep."""
    from exp.sweeps.start_sweep import sweep  # imports torch

    return sweep(hydra, args, name)[0]


def show(hydra: HydraApp, args: argparse.Namespace, work: Callable[[], object]) -> None:
    """Lets Hydra print something; a config that cannot be composed is reported as in a run."""
    name = args.config_name or "config"
    try:
        with bounded():
            if args.package not in (None, "", "_global_"):
                config, _ = compose(hydra.config_loader, name, args.overrides, RunMode.RUN)
                if OmegaConf.select(config, args.package) is None:
                    what = f"the config has no {shown(args.package)}"
                    raise ConfigError([Fault("--package", what)])
            work()
        for line in hydra.config_loader.left_out:
            print(line, file=sys.stderr)
    except BROKEN:
        config, faults = compose(hydra.config_loader, name, args.overrides, RunMode.RUN)
        resolved(config, faults)
        if faults:
            raise ConfigError(faults) from None
        raise
