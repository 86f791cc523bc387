"""One run of a command line: composed and checked here, before anything heavy is imported."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, read_write

from exp.config.compose import compose, draws, resolved
from exp.config.plan import plan, unavailable
from exp.plotting import FigureWorker
from exp.sweeps.hydra_checks import asks_for_sweep, misplaced, unshaped
from exp.sweeps.hydra_setup import HydraApp, as_faults
from exp.util.errors import Fault

if TYPE_CHECKING:
    from exp.sweeps.train_run import Lines, Ran


@as_faults()
def single(
    hydra: HydraApp,
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
        faults.append(Fault("hydra.mode", "MULTIRUN is for sweeps: use exp.sweep"))
    with read_write(config.hydra):
        config.hydra.mode = RunMode.RUN
    HydraConfig.instance().cfg = config  # what `${hydra:...}` looks at
    # The helper imports matplotlib while this process imports torch and trains.
    worker = FigureWorker() if not faults and draws(config) else None
    try:
        plain = resolved(config, faults)
        found = plan(plain, [*faults, *unavailable(plain)])
        from exp.sweeps.train_run import train_composed  # imports torch

        return train_composed(hydra, config, name, found, worker, lines)
    finally:
        if worker is not None:
            worker.close()
