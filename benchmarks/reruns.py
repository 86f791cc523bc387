"""`exp rerun` of mixed runs: is each bit-identical, and are differences named?

    python benchmarks/reruns.py FOLDER [RUNS]

Trains runs of the configs of random_kill.py and does each again, in a process of its own. Then
the first one is done again with two threads and with another MKL_CBWR, and once more after a byte
of its weights was flipped. Leaves with 1 where a verdict is not the expected one.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from random_kill import words


def exp(*command: str, **environment: str) -> list[str]:
    """The lines that a command prints."""
    done = subprocess.run(
        [sys.executable, "-m", "exp", *command],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )
    return (done.stdout + done.stderr).splitlines()


def again(task: tuple[Path, int]) -> str:
    """The verdict on a run that is trained and done again."""
    folder, index = task
    place = folder / str(index)
    exp(*words(index), f"hydra.run.dir={place}")
    return exp("rerun", str(place), "--into", f"{place}-again")[-1]


def main() -> int:
    folder = Path(sys.argv[1]).absolute()
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 50
    folder.mkdir(parents=True)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        verdicts = Counter(pool.map(again, [(folder, index) for index in range(count)]))
    print(f"{count} runs done again: {dict(verdicts)}", flush=True)

    def told(title: str, into: str, *overrides: str, **environment: str) -> list[str]:
        command = ["rerun", str(folder / "0"), *overrides, "--into", str(folder / into)]
        lines = exp(*command, **environment)
        print("\n".join([f"-- {title}", *lines[-6:]]), flush=True)
        return lines

    threads = told("two threads", "threads", "device.threads=2")
    mkl = told("MKL_CBWR=COMPATIBLE", "mkl", MKL_CBWR="COMPATIBLE")
    weights = folder / "0" / "checkpoints" / "last.safetensors"
    data = bytearray(weights.read_bytes())
    data[-9] ^= 1
    weights.write_bytes(data)
    flipped = told("a flipped byte of the weights", "flipped")
    good = (
        verdicts == {"bit-identical": count}
        and any("device.threads: 1 -> 2" in line for line in threads)
        and any("MKL_CBWR: 'AUTO' -> 'COMPATIBLE'" in line for line in mkl)
        and flipped[-1] == "different"
        and any("checkpoints/last.safetensors has changed" in line for line in flipped)
    )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
