"""`exp log DIR... --to LOGGER`: writes finished runs into a tracker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from exp.config import plugins
from exp.registry.component import Chosen
from exp.util.errors import ConfigError
from exp.util.verb_parser import Parser, place


def main(words: list[str]) -> int:
    """Logs runs and sweeps; what the tracker already has is not logged twice.

    Returns:
        0; 1 where something could not be logged.

    Raises:
        ConfigError: there is no such logger, it is not installed, or its settings are not valid.
        RunDirectoryError: there are no runs.
    """
    parser = Parser(
        prog="exp log",
        description="Write finished runs and sweeps into a tracker. docs/loggers.md says what "
        "arrives there.",
    )
    parser.add_argument("directories", nargs="+", metavar="DIR", help="of runs, sweeps, or both")
    parser.add_argument(
        "--to", action="append", required=True, metavar="LOGGER",
        help="tensorboard, mlflow, wandb, or an option of your own; may be given again",
    )  # fmt: skip
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE",
        help="such as logger.mlflow.experiment=thesis",
    )  # fmt: skip
    args = parser.parse_args(words)
    from exp.runs.collection import found_in

    places = [each for path in args.directories for each in found_in(place(path))]
    chosen = loggers(args.to, args.set)
    return 0 if logged(chosen, places) else 1


def logged(chosen: Mapping[str, Chosen], places: Sequence[Path]) -> bool:
    """Whether all of it could be logged."""
    from exp.runs.loggers.finished_run import FinishedSweep
    from exp.runs.loggers.log_runs import log
    from exp.runs.manifest import is_sweep, manifest

    well = True
    alone = [path for path in places if not is_sweep(path)]
    if alone:
        well &= log(chosen, alone)
    for path in places:
        if is_sweep(path):
            paths = [path / run["directory"] for run in manifest(path)["runs"]]
            well &= log(chosen, paths, FinishedSweep(path))
    return well


def loggers(names: list[str], overrides: list[str]) -> dict[str, Chosen]:
    """The loggers of these names as today's config files have them.

    Raises:
        ConfigError: with everything that is wrong with them.
    """
    from hydra.core.global_hydra import GlobalHydra
    from hydra.types import RunMode
    from hydra.version import setbase

    from exp.config.compose import compose, resolved, resolvers
    from exp.config.schema import loggers_of, unavailable
    from exp.sweeps.app import create, flags

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
