"""`python -m exp --help` and `--cfg job` against a bare Hydra app, and what they import.

python benchmarks/startup.py [ROUNDS]
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 15
BARE = """
import hydra
from omegaconf import DictConfig

@hydra.main(version_base="1.3", config_path="conf", config_name="config")
def main(config: DictConfig) -> None:
    print(config)

main()
"""
CONFIG = "lr: 0.1\nepochs: 1000\nseed: 42\n"
HEAVY = ("torch", "sklearn", "matplotlib", "scipy", "pandas", "torchmetrics")
PROBE = """
import sys
from exp.cli import main as cli
cli.leave = lambda code: None
cli.main(sys.argv[1:])
print("HEAVY:", sorted({name.split(".")[0] for name in sys.modules} & set(%r)), file=sys.stderr)
"""


def wall(command: list[str], folder: str) -> float:
    begun = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return time.perf_counter() - begun


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "bare.py").write_text(BARE)
        Path(folder, "conf").mkdir()
        Path(folder, "conf", "config.yaml").write_text(CONFIG)
        # The bare app's `conf` would join exp's own in its folder: exp runs beside it.
        empty = Path(folder, "empty")
        empty.mkdir()
        for flags in (["--help"], ["--cfg", "job"]):
            bare, ours = [], []
            for _ in range(ROUNDS):
                bare.append(wall([sys.executable, "bare.py", *flags], folder))
                ours.append(wall([sys.executable, "-m", "exp", *flags], str(empty)))
            one, other = statistics.median(bare), statistics.median(ours)
            name = " ".join(flags)
            print(f"{name:<12} bare {one:.3f} s   exp {other:.3f} s   ratio {other / one:.2f}x")
            probe = [sys.executable, "-c", PROBE % (HEAVY,), *flags]
            done = subprocess.run(probe, cwd=empty, capture_output=True, text=True, check=True)
            print(f"{'':<12} heavy imports: {done.stderr.strip().splitlines()[-1]}")


if __name__ == "__main__":
    main()
