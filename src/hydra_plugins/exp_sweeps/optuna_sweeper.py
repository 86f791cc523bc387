"""`hydra/sweeper=optuna`. Its settings stand in conf/hydra/sweeper/optuna.yaml.

No postponed annotations here: Hydra runs this file before it is a module that they could name.
"""

from typing import Any

from hydra_plugins.exp_sweeps import grid_sweeper


class OptunaSweeper(grid_sweeper.GridSweeper):
    """Searches with Optuna: trials are asked for in batches that train as stacks.

    Args:
        params: a search space from a file.
        settings: those of `exp.sweeps.search_settings.SearchSettings`, validated there.
    """

    def __init__(self, params: dict[str, str] | None = None, **settings: Any) -> None:
        super().__init__(params)
        self.given = settings

    def sweep(self, arguments: list[str]) -> Any:
        from exp.sweeps.search import Search

        params = [f"{key}={value}" for key, value in self.params.items()]
        return Search(self).run([*params, *arguments])
