"""The Hydra application: flags, composing, and the way from a config to an executed run.

Hydra's own entry point composes a run's config twice and makes its directory before anybody has
looked at the values. This one composes once and makes a directory only for a run that can start.
"""

from __future__ import annotations

import argparse
import os
import re
import secrets
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hydra._internal.callbacks import Callbacks
from hydra._internal.hydra import Hydra
from hydra._internal.utils import create_automatic_config_search_path, get_args_parser
from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.plugins import Plugins
from hydra.core.utils import run_job
from hydra.errors import HydraException
from hydra.plugins.search_path_plugin import SearchPathPlugin
from hydra.types import HydraContext, RunMode
from hydra.version import setbase
from omegaconf import DictConfig, OmegaConf, read_write
from omegaconf.errors import OmegaConfBaseException

from exp.compose import compose, resolved
from exp.errors import ConfigError, Fault

PACKAGED = Path(__file__).resolve().parents[2] / "conf"


class UserConf(SearchPathPlugin):  # type: ignore[misc]
    """A `./conf` beside the user's work joins the packaged one and wins."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        own = Path.cwd() / "conf"
        if own.is_dir() and own.resolve() != PACKAGED:
            search_path.prepend("user", f"file://{own}", anchor="main")


def main(words: list[str]) -> int:
    """Handles everything that is not a verb; returns the exit code."""
    parser = get_args_parser()
    parser.prog = "exp"
    args = parser.parse_args(words)
    setbase("1.3")
    resolvers()
    load_plugins(args.overrides)
    hydra = create(args)
    try:
        return run(hydra, args, parser)
    finally:
        GlobalHydra.instance().clear()


def resolvers() -> None:
    """Names for directories: `exp.id` is drawn once for each config, so that two runs that start
    in the same moment never share one."""
    OmegaConf.register_new_resolver(
        "exp.id", lambda: secrets.token_hex(3), use_cache=True, replace=True
    )
    OmegaConf.register_new_resolver("exp.slug", slug, replace=True)


def slug(text: str, limit: int = 100) -> str:
    """A text as part of a file name: nothing in it can leave the directory."""
    return re.sub(r"[^A-Za-z0-9._=,+-]+", "_", str(text)).strip(".")[:limit]


def load_plugins(overrides: list[str]) -> None:
    """Imports the user's own component modules that the command line names.

    Raises:
        ConfigError: such a module does not exist. An error inside it is shown in full.
    """
    import importlib

    for override in overrides:
        key, equals, value = override.partition("=")
        if key.strip("+") != "plugins" or not equals:
            continue
        sys.path.insert(0, os.getcwd())
        for name in re.split(r"[,\s]+", value.strip("[] ")):
            try:
                importlib.import_module(name.strip("'\""))
            except ModuleNotFoundError as error:
                if error.name != name.strip("'\""):
                    raise
                where = f"no module {name!r} in {os.getcwd()} or among the installed packages"
                raise ConfigError([Fault("plugins", where)]) from None


def create(args: argparse.Namespace) -> Hydra:
    """Hydra with the packaged conf, the user's own, and `--config-dir`."""
    registered = Plugins.instance()
    if UserConf not in registered.discover(SearchPathPlugin):
        registered.register(UserConf)
    path = args.config_path or "pkg://exp.conf"
    search_path = create_automatic_config_search_path(None, None, path)
    if args.config_dir is not None:
        extra = Path(args.config_dir).absolute()
        if not extra.is_dir():
            raise ConfigError([Fault("--config-dir", f"there is no directory {extra}")])
        search_path.prepend("command-line", f"file://{extra}", anchor="schema")
    GlobalHydra.instance().clear()
    return Hydra.create_main_hydra2(task_name="exp", config_search_path=search_path)


def run(hydra: Hydra, args: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    """What the flags ask for."""
    name = args.config_name or "config"
    if args.help:
        hydra.app_help(config_name=name, args_parser=parser, args=args)
    elif args.hydra_help:
        hydra.hydra_help(config_name=name, args_parser=parser, args=args)
    elif args.shell_completion:
        hydra.shell_completion(config_name=name, overrides=args.overrides)
    elif args.info is not None:
        told(hydra, args, lambda: hydra.show_info(args.info, name, args.overrides))
    elif args.cfg is not None:
        told(
            hydra,
            args,
            lambda: hydra.show_cfg(
                config_name=name,
                overrides=args.overrides,
                cfg_type=args.cfg,
                package=args.package,
                resolve=args.resolve,
            ),
        )
    elif args.multirun:
        return sweep(hydra, args, name)
    else:
        return single(hydra, args, name)
    return 0


def told(hydra: Hydra, args: argparse.Namespace, show: Callable[[], object]) -> None:
    """Lets Hydra show something; a config that cannot be composed is told as in a run."""
    try:
        show()
    except (HydraException, OmegaConfBaseException):
        compose(hydra.config_loader, args.config_name or "config", args.overrides, RunMode.RUN)
        raise


def single(hydra: Hydra, args: argparse.Namespace, name: str) -> int:
    """One run."""
    config, faults = compose(hydra.config_loader, name, args.overrides, RunMode.RUN)
    with read_write(config.hydra):
        config.hydra.mode = RunMode.RUN
    worker = None
    if not faults and OmegaConf.select(config, "figures.name") not in (None, "none"):
        from exp.figures import FigureWorker

        # It imports matplotlib while this process imports torch and trains.
        worker = FigureWorker()
        worker.start()
    try:
        return started(hydra, config, name, faults, worker)
    finally:
        if worker is not None:
            worker.close()


def started(hydra: Hydra, config: DictConfig, name: str, faults: list[Fault], worker: Any) -> int:
    """Validates a composed config, loads its data, makes its directory and runs it."""
    from exp.config import plan

    found = plan(resolved(config, faults), faults)
    from exp.engine import Job
    from exp.runs.directory import RunDirectory
    from exp.runs.execute import Execution

    job = Job.of(found)
    HydraConfig.instance().set_config(config)
    directory = RunDirectory(Path(str(config.hydra.run.dir)))
    directory.claim()
    # Hydra reads the directory once more from its config: the same one, whatever the clock says.
    with read_write(config.hydra):
        config.hydra.run.dir = str(directory.path)
    callbacks = Callbacks(config)
    callbacks.on_run_start(config=config, config_name=name)
    done = run_job(
        task_function=lambda _: Execution(job, directory, worker).run(),
        config=config,
        job_dir_key="hydra.run.dir",
        job_subdir_key=None,
        hydra_context=HydraContext(config_loader=hydra.config_loader, callbacks=callbacks),
        configure_logging=True,
    )
    callbacks.on_run_end(config=config, config_name=name, job_return=done)
    if isinstance(done._return_value, Exception):
        raise done._return_value
    return 3 if done._return_value.status == "diverged" else 0


def sweep(hydra: Hydra, args: argparse.Namespace, name: str) -> int:
    """A sweep, by whichever sweeper and launcher the config names."""
    hydra.multirun(config_name=name, task_function=swept, overrides=args.overrides)
    return 0


def swept(config: DictConfig) -> float | None:
    """One run of a sweep, in the directory that Hydra made for it: its monitored loss."""
    from exp.config import plan
    from exp.engine import Job
    from exp.runs.directory import RunDirectory
    from exp.runs.execute import Execution

    directory = RunDirectory(Path(HydraConfig.get().runtime.output_dir))
    result = Execution(Job.of(plan(resolved(config, []), [])), directory).run()
    return float(result.history[result.job.plan.monitor][-1])
