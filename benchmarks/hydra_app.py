"""A plain Hydra app around the hand-written script: what a sweep costs without exp.

python benchmarks/hydra_app.py -m 'seed=range(0,8)' [hydra/launcher=joblib]
"""

import sys
from pathlib import Path

import hydra
from hydra.core.config_store import ConfigStore
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

sys.path.insert(0, str(Path(__file__).parent))
ConfigStore.instance().store("config", {"seed": 42, "lr": 0.1})


@hydra.main(version_base="1.3", config_path=None, config_name="config")
def app(config: DictConfig) -> None:
    import matplotlib.pyplot as plt
    import torch
    from hand_written import main

    torch.set_num_threads(1)
    main(Path(HydraConfig.get().runtime.output_dir))
    plt.close("all")


if __name__ == "__main__":
    app()
