"""A sweep of a command line, by whichever sweeper and launcher its config names."""

from __future__ import annotations

import argparse
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.core.plugins import Plugins
from hydra.types import HydraContext, RunMode
from omegaconf import OmegaConf, read_write

from exp.config.compose import compose
from exp.config.hydra_internal import Callbacks
from exp.runs.loggers.log_sweeps import log_found
from exp.sweeps.hydra_checks import misplaced, unshaped
from exp.sweeps.hydra_setup import HydraApp, as_faults
from exp.sweeps.hydra_task import swept
from exp.util.errors import ConfigError


@as_faults()
def sweep(hydra: HydraApp, args: argparse.Namespace, name: str) -> tuple[int, Path]:
    """A sweep, by whichever sweeper and launcher the config names.

    Returns:
        The exit code, and the directory of the sweep.
    """
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
        log_found(place)
    return int(getattr(sweeper, "exit_code", 0)), place
