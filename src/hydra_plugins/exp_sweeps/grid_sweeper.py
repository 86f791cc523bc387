"""`hydra/sweeper=grid`.

No postponed annotations here: Hydra runs this file before it is a module that they could name.
"""

from dataclasses import dataclass
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.plugins.launcher import Launcher
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


@dataclass
class GridSweeperConf:
    """Its settings stand in the node `sweep` of a config; `params` sweeps from a file."""

    _target_: str = "hydra_plugins.exp_sweeps.grid_sweeper.GridSweeper"
    params: dict[str, str] | None = None


ConfigStore.instance().store(
    group="hydra/sweeper", name="grid", node=GridSweeperConf, provider="exp"
)


class GridSweeper(Sweeper):  # type: ignore[misc]
    """Every combination of the swept values, each run validated before any starts.

    Attributes:
        exit_code: of the sweep: 0, 1 where a run failed, 3 where one diverged and none failed.
        faults: of the command line, found before.
        logs: it has its runs logged itself.
    """

    logs = True

    def __init__(self, params: dict[str, str] | None = None) -> None:
        self.params = dict(params or {})
        self.hydra_context: HydraContext | None = None
        self.config: DictConfig | None = None
        self.launcher: Launcher | None = None
        self.task_function: TaskFunction | None = None
        self.exit_code = 0
        self.faults: list[Any] = []

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        self.hydra_context, self.config = hydra_context, config
        self.task_function = task_function

    def sweep(self, arguments: list[str]) -> Any:
        from exp.sweeps.choose_sweep import sweep_for

        params = [f"{key}={value}" for key, value in self.params.items()]
        return sweep_for(self).run([*params, *arguments])
