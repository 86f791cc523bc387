"""The task that exp gives to Hydra's sweepers and launchers: one run of a sweep."""

from __future__ import annotations

from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from exp.config import plugins
from exp.config.compose import resolvers
from exp.runs.directory import RunDirectory
from exp.sweeps.train_run import train_task

# A launcher that composes in a process of its own finds the resolvers by importing this.
resolvers()


def swept(config: DictConfig) -> float | None:
    """Trains a run in the directory that Hydra made for it.

    Returns:
        Its monitored loss after the last epoch, which searching sweepers minimize.
    """
    # In a process of its own, nobody has read the command line yet.
    plugins.load(HydraConfig.get().overrides.task)
    return train_task(config, RunDirectory(Path(HydraConfig.get().runtime.output_dir)))
