"""`hydra/launcher=stacked`.

No postponed annotations here: Hydra runs this file before it is a module that they could name.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from hydra.core.config_store import ConfigStore
from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


@dataclass
class StackedLauncherConf:
    """Its settings stand in the node `sweep` of a config."""

    _target_: str = "hydra_plugins.exp_sweeps.stacked_launcher.StackedLauncher"


ConfigStore.instance().store(
    group="hydra/launcher", name="stacked", node=StackedLauncherConf, provider="exp"
)


class StackedLauncher(Launcher):  # type: ignore[misc]
    """Trains runs of exp as stacks in worker processes; any other task one after the other."""

    stacks = True

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        self.hydra_context, self.task_function = hydra_context, task_function
        self.config = config

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        from exp.sweeps.hydra_launcher import launch

        numbered = [(initial_job_idx + i, list(words)) for i, words in enumerate(job_overrides)]
        return launch(self, numbered)
