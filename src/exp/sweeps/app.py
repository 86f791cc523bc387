"""The Hydra application: flags, composing, and the way from a config to an executed run.

Hydra's own entry point composes a run's config twice and makes its directory before anybody has
looked at the values. This one composes once and makes a directory only for a run that can start.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import yaml
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

import exp.registry.kinds  # noqa: F401 - declares the kinds
from exp.config import environment, plugins, suggestions, text_values
from exp.config.compose import compose, draws, resolved, resolvers, slug
from exp.config.guarded_loader import GuardedLoader
from exp.config.hydra_errors import BROKEN, one_line
from exp.config.hydra_internal import (
    Callbacks,
    Hydra,
    create_automatic_config_search_path,
    get_args_parser,
)
from exp.config.interpolation import bounded
from exp.registry import entry_points
from exp.registry.registry import register
from exp.registry.user_code import PluginError
from exp.util.errors import (
    ConfigError,
    ExpError,
    Fault,
    OwnCodeError,
    RunDirectoryError,
    nearest,
    shown,
)
from exp.util.files import reason_of
from exp.util.terminal import one_line as on_one_line

if TYPE_CHECKING:
    from exp.engine import Job, Result
    from exp.runs.directory import RunDirectory

Lines = Callable[["RunDirectory"], AbstractContextManager[logging.Logger]]
"""Where the lines of a run go."""
PACKAGED = Path(__file__).resolve().parents[3] / "conf"
ABOUT = {"experiment": "presets: several choices at once"}
"""Groups of the config that are no kinds of component."""


@dataclass(frozen=True)
class Ran:
    """What a command line has made of one run.

    Attributes:
        path: its directory; of an earlier run of the same signature, if that shall be enough.
        result: None for an earlier run.
    """

    path: Path
    job: Job
    result: Result | None

    @property
    def exit_code(self) -> int:
        return 3 if self.result is not None and self.result.end_reason == "diverged" else 0


class Explained(Hydra):  # type: ignore[misc]
    """Hydra, which says in `--help` what each group is."""

    def format_config_groups(self, predicate: Callable[[str], bool], compact: bool = True) -> str:
        listed: str = super().format_config_groups(predicate, compact)
        lines = []
        for line in listed.splitlines():
            kind = register.kinds.get(line.partition(":")[0])
            about = kind.about if kind else ABOUT.get(line.partition(":")[0])
            lines += [line, f"    {about}"] if about else [line]
        return "".join(f"{line}\n" for line in lines)


class UserConf(SearchPathPlugin):  # type: ignore[misc]
    """A `./conf` beside the user's work joins the packaged one and wins."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        own = Path.cwd() / "conf"
        if own.is_dir() and own.resolve() != PACKAGED:
            search_path.prepend("user", f"file://{own}", anchor="main")


@contextmanager
def as_faults() -> Iterator[None]:
    """Within this, what Hydra finds wrong with a config is reported as every other fault is."""
    try:
        yield
    except (HydraException, OmegaConfBaseException, yaml.YAMLError) as error:
        where = getattr(error, "full_key", None) or "hydra"
        raise ConfigError([Fault(str(where), one_line(error))]) from error


def main(words: list[str]) -> int:
    """Handles everything that is not a verb; returns the exit code."""
    parser = flags()
    if "--version" in words:  # the look-up of a version takes its time
        from exp.util.packages import installed

        print(f"exp {installed('exp')}")
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
    args.overrides = text_values.words(args.typed, sweeps=args.multirun or sweeps(args.typed))
    hydra = create(args)
    try:
        return run(hydra, args, parser)
    finally:
        GlobalHydra.instance().clear()


def sweeps(overrides: list[str]) -> bool:
    """Whether a word makes a sweep of the command line without `-m`."""
    return any(word.lstrip("+").lower() == "hydra.mode=multirun" for word in overrides)


def refused(words: list[str], message: str) -> NoReturn:
    """Reports flags that there are not, each with the override that it was meant to be.

    Raises:
        ExpError: always.
    """
    what, _, rest = message.partition(": ")
    unread = set(rest.split(" ")) if what == "unrecognized arguments" else set()
    flagged = {each for each in flags()._option_string_actions if each.startswith("--")}
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


SETTINGS = " Settings are written key=value, without dashes; exp --help has the flags"


def default(words: list[str]) -> DictConfig:
    """The config that those words make which can be used, or else that of no words."""
    setbase("1.3")
    resolvers()
    loader = create(flags().parse_args([])).config_loader
    usable = [word for word in words if "=" in word and word[:1] not in ("-", "~", "+")]
    try:
        config, _ = compose(loader, "config", usable, RunMode.MULTIRUN)
    except ConfigError:
        config, _ = compose(loader, "config", [], RunMode.RUN)
    return config


def flags() -> argparse.ArgumentParser:
    """Hydra's flags, under our name."""
    parser: argparse.ArgumentParser = get_args_parser()
    parser.prog = "exp"
    parser.add_argument(
        "--trust-config",
        action="store_true",
        help="Let hydra.* name any class, package and file: code of the config's author runs",
    )
    parser.add_argument(
        "--components",
        metavar="DIR",
        action="append",
        default=[],
        help="Import every Python file of this folder, as plugins=[DIR/] does: its code is run",
    )
    return parser


@as_faults()
def create(args: argparse.Namespace) -> Hydra:
    """Hydra with the packaged conf, the user's own, and `--config-dir`."""
    registered = Plugins.instance()
    registered.register(UserConf)
    path = "pkg://exp.conf" if args.config_path is None else primary(args.config_path)
    search_path = create_automatic_config_search_path(None, None, path)
    for place in plugins.conf_folders():
        search_path.prepend("components", f"file://{place.absolute()}", anchor="main")
    if args.config_dir is not None:
        extra = Path(args.config_dir).absolute()
        if not is_folder(extra):
            raise ConfigError([Fault("--config-dir", f"there is no directory {extra}")])
        search_path.prepend("command-line", f"file://{extra}", anchor="schema")
    GlobalHydra.instance().clear()
    loader = GuardedLoader(search_path, trusted=args.trust_config)
    hydra = Explained(task_name="exp", config_loader=loader)
    GlobalHydra.instance().initialize(hydra)
    return hydra


def primary(path: str) -> str:
    """Where `--config-path` leads, from the working directory."""
    if path.startswith("pkg://"):
        return path
    place = Path(path.removeprefix("file://")).absolute()
    if "://" in str(path.removeprefix("file://")):
        what = f"expected a folder, or pkg://a.package, found {shown(path)}"
        raise ConfigError([Fault("--config-path", what)])
    if not is_folder(place):
        raise ConfigError([Fault("--config-path", f"there is no directory {place}")])
    return str(place)


def is_folder(place: Path) -> bool:
    """Whether a directory is there; a name that none can have is none."""
    try:
        return place.is_dir()
    except (OSError, ValueError):
        return False


def unshaped(config: DictConfig) -> list[Fault]:
    """Parts of Hydra's node that are not what Hydra itself takes for granted."""
    faults = []
    for key in ("callbacks", "job", "launcher", "run", "sweep", "sweeper"):
        node = config.hydra._get_node(key)
        if not OmegaConf.is_dict(node) or node._is_none() or node._is_missing():
            faults.append(Fault(f"hydra.{key}", "expected a mapping"))
    verbose = OmegaConf.select(config, "hydra.verbose")
    if not isinstance(verbose, (bool, str)) and not OmegaConf.is_list(verbose):
        wanted = "expected true, false, or names of loggers"
        faults.append(Fault("hydra.verbose", f"{wanted}, found {shown(verbose)}"))
    return faults


@as_faults()
def run(hydra: Hydra, args: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    """What the flags ask for."""
    name = args.config_name or "config"
    if args.help or args.shell_completion:
        hydra.config_loader.extend()
    if args.help:
        try:
            entry_points.load()
        except PluginError as error:  # help there is all the same
            print(f"exp: {error}", file=sys.stderr)
        told(hydra, args, lambda: hydra.app_help(name, parser, args))
    elif args.hydra_help:
        told(
            hydra,
            args,
            lambda: hydra.hydra_help(config_name=name, args_parser=parser, args=args),
        )
    elif args.shell_completion:
        try:
            hydra.shell_completion(config_name=name, overrides=args.overrides)
        except (*BROKEN, yaml.YAMLError) as error:
            raise ConfigError([Fault("--shell-completion", one_line(error))]) from None
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
        return sweep(hydra, args, name)[0]
    else:
        composed = compose(hydra.config_loader, name, args.overrides, RunMode.RUN)
        if asks_for_sweep(composed[0]):
            # A preset has said so: only now is it known that commas separate values.
            args.overrides = text_values.words(args.typed, sweeps=True)
            return sweep(hydra, args, name)[0]
        return single(hydra, args, name, composed).exit_code
    return 0


def asks_for_sweep(config: DictConfig) -> bool:
    """Whether a config asks for what `-m` asks for on a command line."""
    return OmegaConf.select(config, "hydra.mode") is RunMode.MULTIRUN


def misplaced(overrides: list[str], mode: RunMode) -> list[Fault]:
    """Overrides that mean nothing in one run, or nothing in a sweep."""
    faults = []
    for text in overrides:
        key = text.lstrip("+").partition("=")[0]
        if mode is RunMode.MULTIRUN and key == "hydra.run.dir":
            what = "names the directory of one run; that of a sweep (-m) is hydra.sweep.dir"
            faults.append(Fault(key, what))
        elif mode is RunMode.RUN and key.startswith(("hydra.sweep.", "sweep.")):
            what = "is for sweeps: with -m before it" if "=" in text else "is for sweeps"
            faults.append(Fault(key, what))
    return faults


def told(hydra: Hydra, args: argparse.Namespace, show: Callable[[], object]) -> None:
    """Lets Hydra show something; a config that cannot be composed is told as in a run."""
    try:
        with bounded():
            if args.package not in (None, "", "_global_"):
                config, _ = compose(
                    hydra.config_loader, args.config_name or "config", args.overrides, RunMode.RUN
                )
                if OmegaConf.select(config, args.package) is None:
                    what = f"the config has no {shown(args.package)}"
                    raise ConfigError([Fault("--package", what)])
            show()
        for line in hydra.config_loader.left_out:
            print(line, file=sys.stderr)
    except BROKEN:
        name = args.config_name or "config"
        config, faults = compose(hydra.config_loader, name, args.overrides, RunMode.RUN)
        resolved(config, faults)
        if faults:
            raise ConfigError(faults) from None
        raise


@as_faults()
def single(
    hydra: Hydra,
    args: argparse.Namespace,
    name: str,
    composed: tuple[DictConfig, list[Fault]] | None = None,
    *,
    lines: Lines | None = None,
) -> Ran:
    """One run.

    Args:
        composed: its config and what is wrong with it, where that is known.
        lines: where its lines go; None: where Hydra's node has them go.
    """
    loader = hydra.config_loader
    config, faults = composed or compose(loader, name, args.overrides, RunMode.RUN)
    faults = [*faults, *misplaced(args.overrides, RunMode.RUN)]
    faults += unshaped(config)
    if asks_for_sweep(config):
        faults.append(Fault("hydra.mode", "MULTIRUN asks for a sweep: exp.sweep does one"))
    with read_write(config.hydra):
        config.hydra.mode = RunMode.RUN
    HydraConfig.instance().cfg = config  # what `${hydra:...}` looks at
    worker = None
    if not faults and draws(config):
        from exp.plotting import FigureWorker

        # It imports matplotlib while this process imports torch and trains.
        worker = FigureWorker()
    try:
        return started(hydra, config, name, faults, worker, lines)
    finally:
        if worker is not None:
            worker.close()


def started(
    hydra: Hydra,
    config: DictConfig,
    name: str,
    faults: list[Fault],
    worker: Any,
    lines: Lines | None,
) -> Ran:
    """Validates a composed config, loads its data, makes its directory and runs it."""
    from exp.config.schema import plan, unavailable

    plain = resolved(config, faults)
    found = plan(plain, [*faults, *unavailable(plain)])
    from exp.engine import Job, check_job
    from exp.runs import provenance
    from exp.runs.console import progress_bar
    from exp.runs.directory import RunDirectory
    from exp.runs.execute import execute
    from exp.runs.loggers.log_runs import log
    from exp.runs.writer import RunWriter

    try:
        job = Job.of(found)
        check_job(job)
    except OwnCodeError as error:
        raise error.of(config.hydra.overrides.task) from error
    for line in hydra.config_loader.left_out:
        print(line, flush=True)
    if (twin := twin_of(job, config)) is not None:
        if found.loggers:
            log(found.loggers, [twin])
        return Ran(twin, job, None)
    HydraConfig.instance().set_config(config)
    callbacks, path = hydras_own(config)
    directory = RunDirectory(path)
    directory.claim()
    # Hydra reads the directory once more from its config: the same one, whatever the clock says.
    with read_write(config.hydra):
        config.hydra.run.dir = str(path)
    callbacks.on_run_start(config=config, config_name=name)

    def task(_: DictConfig) -> Any:
        hydras = nullcontext(logging.getLogger("exp"))
        with hydras if lines is None else lines(directory) as log, progress_bar(job) as hooks:
            writer = RunWriter(job, directory, log=log, origin=provenance.origin(), worker=worker)
            return execute(writer, hooks=hooks)

    try:
        done = run_job(
            task_function=task,
            config=config,
            job_dir_key="hydra.run.dir",
            job_subdir_key=None,
            hydra_context=HydraContext(config_loader=hydra.config_loader, callbacks=callbacks),
            configure_logging=lines is None,
        )
    except OSError as error:  # of the files that Hydra writes; the task's own errors it keeps
        reason = reason_of(error)
        raise RunDirectoryError(f"cannot write in {directory.path}: {reason}") from error
    callbacks.on_run_end(config=config, config_name=name, job_return=done)
    if found.loggers:
        log(found.loggers, [path])
    found = done._return_value
    if isinstance(found, OwnCodeError):
        raise found.of(config.hydra.overrides.task) from found
    if isinstance(found, Exception):
        raise found
    return Ran(path, job, done._return_value)


def twin_of(job: Any, config: DictConfig) -> Path | None:
    """Tells of a finished run of the same signature; it is returned if it shall be enough."""
    from exp.config.settings import run_settings
    from exp.runs import provenance, reuse

    node = OmegaConf.select(config, "run")
    settings, _ = run_settings({} if node is None else OmegaConf.to_container(node, resolve=True))
    if settings.reuse is False:
        return None
    found = reuse.find(job.signature, provenance.conditions(job.device))
    if found is None:
        return None
    shown = on_one_line(str(found))
    if settings.reuse is True:
        print(f"the same run is finished already, and run.reuse=true: {shown}", flush=True)
        return found
    print(f"the same run is finished already: {shown}", flush=True)
    return None


@bounded()
def hydras_own(config: DictConfig) -> tuple[Callbacks, Path]:
    """The callbacks and the run directory that Hydra's node names.

    Raises:
        ConfigError: they cannot be made of what stands there.
    """
    try:
        with environment.name_of_variable(config, slug):
            path = Path(str(config.hydra.run.dir))
        if "${" in str(path.absolute()):
            what = "holds ${, which Hydra would take for a reference: start from another folder"
            raise ConfigError([Fault("hydra.run.dir", f"{shown(str(path.absolute()))} {what}")])
        if "\0" in str(path):
            raise ConfigError([Fault("hydra.run.dir", f"no file is named {shown(str(path))}")])
        return Callbacks(config), path.absolute() if config.hydra.job.chdir else path
    except (HydraException, OmegaConfBaseException) as error:
        where = getattr(error, "full_key", None) or "hydra.callbacks"
        raise ConfigError([Fault(where, one_line(error))]) from None


@as_faults()
def sweep(hydra: Hydra, args: argparse.Namespace, name: str) -> tuple[int, Path]:
    """A sweep, by whichever sweeper and launcher the config names.

    Returns:
        The exit code, and the directory of the sweep.
    """
    from exp.sweeps.single_task import swept

    config, faults = compose(hydra.config_loader, name, args.overrides, RunMode.MULTIRUN)
    faults = [*faults, *misplaced(args.overrides, RunMode.MULTIRUN)]
    with read_write(config.hydra):
        config.hydra.mode = RunMode.MULTIRUN
    HydraConfig.instance().cfg = config  # what `${hydra:...}` looks at
    if shapes := unshaped(config):
        raise ConfigError([*faults, *shapes])
    callbacks = Callbacks(config)
    callbacks.on_multirun_start(config=config, config_name=name)
    context = HydraContext(config_loader=hydra.config_loader, callbacks=callbacks)
    sweeper = Plugins.instance().instantiate_sweeper(
        config=config, hydra_context=context, task_function=swept
    )
    if hasattr(sweeper, "faults"):
        sweeper.faults = faults  # reported together with what it finds itself
    elif faults:
        raise ConfigError(faults)
    sweeper.sweep(arguments=OmegaConf.to_container(config.hydra.overrides.task, resolve=False))
    callbacks.on_multirun_end(config=config, config_name=name)
    place = Path(str(config.hydra.sweep.dir))
    if not getattr(sweeper, "logs", False):
        from exp.runs.loggers.log_sweeps import log_found

        log_found(place)
    return int(getattr(sweeper, "exit_code", 0)), place
