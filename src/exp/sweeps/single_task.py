"""One run of a sweep for launchers that know nothing of stacks."""

from __future__ import annotations

import logging
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from exp.config import plugins
from exp.config.compose import resolvers

# A launcher that composes in a process of its own finds the resolvers by importing this.
resolvers()


def swept(config: DictConfig) -> float | None:
    """Trains a run in the directory that Hydra made for it.

    Returns:
        Its monitored loss after the last epoch, which searching sweepers minimize.
    """
    from exp.config.compose import resolved
    from exp.config.schema import plan
    from exp.engine import Job
    from exp.runs import provenance
    from exp.runs.directory import RunDirectory
    from exp.runs.execute import execute
    from exp.runs.writer import RunWriter
    from exp.sweeps.draw import of_each_run
    from exp.util.errors import ExpError

    # In a process of its own, nobody has read the command line yet.
    plugins.load(HydraConfig.get().overrides.task)
    log = logging.getLogger("exp")
    directory = RunDirectory(Path(HydraConfig.get().runtime.output_dir))
    try:
        job = Job.of(plan(of_each_run(resolved(config, []))), keep=False)
    except ExpError as error:
        log.error("The run failed: %s", error)
        record = {"status": "failed", "message": str(error), **provenance.origin()}
        directory.write_record(record)
        raise
    writer = RunWriter(job, directory, log=log, origin=provenance.origin())
    execute(writer)
    assert writer.summary is not None
    value: float | None = writer.summary["final"].get(job.plan.monitor)
    return value
