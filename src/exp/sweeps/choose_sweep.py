"""Which sweep a command line with `hydra/sweeper=grid` asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exp.sweeps.sharded import ShardedSweep
from exp.sweeps.sweeper import Sweep
from exp.sweeps.until_decided import UntilDecided

if TYPE_CHECKING:
    from hydra_plugins.exp_sweeps.grid_sweeper import GridSweeper


def sweep_for(sweeper: GridSweeper) -> Sweep:
    """A sweep over fixed runs, one with `sweep.until=decided`, or one shard of a sweep."""
    fixed = Sweep(sweeper)
    if fixed.settings.until is not None:
        return UntilDecided(sweeper)
    return ShardedSweep(sweeper) if fixed.settings.shard is not None else fixed
