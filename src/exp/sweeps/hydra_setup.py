"""Hydra as exp sets it up: where configs are found, what `--help` lists, and the flags."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import yaml
from hydra import initialize_config_dir, initialize_config_module
from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.global_hydra import GlobalHydra
from hydra.core.plugins import Plugins
from hydra.errors import HydraException
from hydra.plugins.search_path_plugin import SearchPathPlugin
from omegaconf.errors import OmegaConfBaseException

import exp.registry.kinds  # noqa: F401 - declares the kinds
from exp.config import plugins
from exp.config.guarded_loader import GuardedLoader
from exp.config.hydra_errors import one_line
from exp.config.hydra_internal import get_args_parser
from exp.registry.registry import register
from exp.util.errors import ConfigError, Fault, shown

PACKAGED = Path(__file__).resolve().parents[3] / "conf"
ABOUT = {"experiment": "presets: files that set several options and values"}
"""Groups of the config that are not kinds of component."""


HydraApp = Any
"""Hydra's class of an application, which has no public name."""


def described(listed: Callable[..., str], *args: Any, **kwargs: Any) -> str:
    """Hydra's list of groups for `--help`, with what each group is."""
    lines = []
    for line in listed(*args, **kwargs).splitlines():
        kind = register.kinds.get(line.partition(":")[0])
        about = kind.about if kind else ABOUT.get(line.partition(":")[0])
        lines += [line, f"    {about}"] if about else [line]
    return "".join(f"{line}\n" for line in lines)


class UserConf(SearchPathPlugin):  # type: ignore[misc]
    """A `./conf` beside the user's work joins the packaged one and wins."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        folder = Path.cwd() / "conf"
        if folder.is_dir() and folder.resolve() != PACKAGED:
            search_path.prepend("user", f"file://{folder}", anchor="main")


@contextmanager
def as_faults() -> Iterator[None]:
    """Within this, an error of Hydra about a config becomes a ConfigError."""
    try:
        yield
    except (HydraException, OmegaConfBaseException, yaml.YAMLError) as error:
        where = getattr(error, "full_key", None) or "hydra"
        raise ConfigError([Fault(str(where), one_line(error))]) from error


def flags() -> argparse.ArgumentParser:
    """Hydra's flags, under our name."""
    parser: argparse.ArgumentParser = get_args_parser()
    parser.prog = "exp"
    parser.description = None
    parser.add_argument(
        "--trust-config",
        action="store_true",
        help=(
            "Let hydra.* name any class, package and file. The author of the config can "
            "then run code."
        ),
    )
    parser.add_argument(
        "--components",
        metavar="DIR",
        action="append",
        default=[],
        help=(
            "Import every Python file of this folder, like plugins=[DIR/]. Their code is executed."
        ),
    )
    return parser


@as_faults()
def create(args: argparse.Namespace) -> HydraApp:
    """Hydra with the packaged conf, that of the user, and `--config-dir`."""
    registered = Plugins.instance()
    registered.register(UserConf)
    path = "pkg://exp.conf" if args.config_path is None else primary(args.config_path)
    GlobalHydra.instance().clear()
    if path.startswith("pkg://"):
        initialize_config_module(path.removeprefix("pkg://"), "exp", version_base="1.3")
    else:
        initialize_config_dir(path, "exp", version_base="1.3")
    search_path = GlobalHydra.instance().config_loader().get_search_path()
    for place in plugins.conf_folders():
        search_path.prepend("components", f"file://{place.absolute()}", anchor="main")
    if args.config_dir is not None:
        extra = Path(args.config_dir).absolute()
        if not is_folder(extra):
            raise ConfigError([Fault("--config-dir", f"there is no directory {extra}")])
        search_path.prepend("command-line", f"file://{extra}", anchor="schema")
    hydra = GlobalHydra.instance().hydra
    hydra.config_loader = GuardedLoader(search_path, trusted=args.trust_config)
    hydra.format_config_groups = partial(described, hydra.format_config_groups)
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
