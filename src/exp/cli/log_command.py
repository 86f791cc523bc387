"""`exp log DIR... --to LOGGER`: writes finished runs into a tracker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import click
from hydra.core.global_hydra import GlobalHydra
from hydra.types import RunMode
from hydra.version import setbase

from exp.cli.options import DIRECTORY
from exp.config import plugins
from exp.config.compose import compose, resolved, resolvers
from exp.config.plan import loggers_of, unavailable
from exp.registry.component import Chosen
from exp.runs.collection import found_in
from exp.runs.loggers.finished_run import FinishedSweep
from exp.runs.loggers.log_runs import log
from exp.runs.manifest import is_sweep, manifest
from exp.sweeps.hydra_setup import create, flags
from exp.util.errors import ConfigError
from exp.util.folders import existing


@click.command("log")
@click.argument("directories", metavar="DIR...", nargs=-1, required=True, type=DIRECTORY)
@click.option(
    "--to",
    multiple=True,
    required=True,
    metavar="LOGGER",
    help="tensorboard, mlflow, wandb, or your own. Can be given several times.",
)
@click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    help="Setting of a logger, such as logger.mlflow.experiment=thesis.",
)
def command(directories: tuple[str, ...], to: tuple[str, ...], overrides: tuple[str, ...]) -> int:
    """Send finished runs and sweeps to a tracker.

    Runs that the tracker already has are skipped; those that were killed while they trained are
    marked as killed. docs/loggers.md lists what a tracker receives.
    The exit code is 1 if something could not be logged.
    """
    places = [each for path in directories for each in found_in(existing(path))]
    chosen = loggers(list(to), list(overrides))
    return 0 if logged(chosen, places) else 1


def logged(chosen: Mapping[str, Chosen], places: Sequence[Path]) -> bool:
    """Whether all of it could be logged."""
    well = True
    alone = [path for path in places if not is_sweep(path)]
    if alone:
        well &= log(chosen, alone, trusted=False)
    for path in places:
        if is_sweep(path):
            paths = [path / run["directory"] for run in manifest(path)["runs"]]
            well &= log(chosen, paths, FinishedSweep(path), trusted=False)
    return well


def loggers(names: list[str], overrides: list[str]) -> dict[str, Chosen]:
    """The loggers of these names as today's config files have them.

    Raises:
        ConfigError: with everything that is wrong with them.
    """
    setbase("1.3")
    resolvers()
    plugins.load(overrides)
    try:
        loader = create(flags().parse_args([])).config_loader
        words = [f"logger=[{','.join(names)}]", *overrides]
        config, faults = compose(loader, "config", words, RunMode.RUN)
        plain = resolved(config, faults)
    finally:
        GlobalHydra.instance().clear()
    chosen, found = loggers_of(plain.get("logger"))
    faults = [*faults, *found, *unavailable(plain)]
    if faults:
        raise ConfigError(faults)
    return chosen
