"""Runs and sweeps on a disk that fills up at a random moment, then gone on with.

    python benchmarks/full_disks.py FOLDER [CASES] [SEED]

Each case takes a run or a sweep and a disk of a random size below what it needs: a tmpfs of its
own (root only), or, for one case in four, a limit on the size of a single file (`ulimit -f`). The
command must end in one clear error. Then there is room, `exp resume` or the same command goes on,
and every file is compared with that of an undisturbed run. Leaves with 1 where a case fails.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import random
import resource
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

COMMON = ("run.reuse=false", "trainer.print_every=null")
KINDS = {
    "run": ("trainer.epochs=40", "trainer.checkpoint_every=5", "figures.dpi=40"),
    "run with frames": ("trainer.epochs=30", "figures=all", "figures.frames=6", "figures.dpi=40"),
    "sweep": (
        "-m",
        "seed=0,1,2",
        "trainer.epochs=20",
        "optimizer=sgd,adam",
        "figures.dpi=40",
        "sweep.n_jobs=1",
    ),
    "sweep without figures": (
        "-m",
        "seed=range(0,8)",
        "trainer.epochs=20",
        "figures=none",
        "sweep.n_jobs=1",
    ),
}
COMPARED = (
    "metrics.csv", "predictions.csv", "summary.json", "config.yaml", "*.safetensors", "*.png",
)  # fmt: skip
PAGE = 4096


@dataclass(frozen=True)
class Ended:
    code: int
    text: str


def inside(*words: str) -> Ended:
    """A command line in this process, which saves the seconds that importing torch takes."""
    from exp.cli import main as cli

    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        code = cli.guarded(lambda: cli.dispatch(list(words)))
    root = logging.getLogger()
    for handler in list(root.handlers):
        root.removeHandler(handler)
        handler.close()
    return Ended(code, out.getvalue())


def mounted(place: Path, *options: str) -> bool:
    command = ["mount", *options, str(place)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def files(place: Path) -> dict[str, bytes]:
    found = (path for pattern in COMPARED for path in place.rglob(pattern) if path.is_file())
    return {path.relative_to(place).as_posix(): path.read_bytes() for path in found}


def pages(place: Path) -> int:
    """Pages that a tree takes on a tmpfs, folders included."""
    every = [place, *place.rglob("*")]
    return sum(1 if path.is_dir() else -(-path.stat().st_size // PAGE) for path in every)


def command(kind: str, place: Path) -> list[str]:
    words = [*KINDS[kind], *COMMON]
    return [*words, f"sweep.dir={place}" if "-m" in words else f"hydra.run.dir={place}"]


@contextlib.contextmanager
def little_room(disk: Path, need: int, largest: int, draw: random.Random, limited: bool):
    """A disk that is too small, or files that may not grow; then there is room again."""
    if limited:
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (draw.randrange(1, largest), before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
    else:
        size = draw.randrange(2, need)
        assert mounted(disk, "-o", f"remount,size={size * PAGE // 1024}k")
        yield
        assert mounted(disk, "-o", "remount,size=64m")


def one(kind: str, disk: Path, twin: Path, draw: random.Random, limited: bool) -> list[str]:
    """What is wrong with one case."""
    place = disk / "x"
    largest = max(path.stat().st_size for path in twin.rglob("*") if path.is_file())
    with little_room(disk, pages(twin), largest, draw, limited):
        ended = inside(*command(kind, place))
    faults = []
    if ended.code == 0:
        left, right = files(twin), files(place)
        lacking = [name for name in {**left, **right} if left.get(name) != right.get(name)]
        # The pictures of a whole sweep are no result: it is said that they are lacking.
        said = "could not be drawn" in ended.text
        if lacking and not (said and all(name.startswith("figures/") for name in lacking)):
            faults.append(f"ended well, but files are missing or differ: {lacking[:3]}")
        return faults
    if ended.code not in (1, 2):
        faults.append(f"exit code {ended.code}")
    if "Traceback" in ended.text:
        faults.append("a traceback: " + ended.text[ended.text.index("Traceback") :][:3000])
    reason = "File too large" if limited else "No space left"
    if reason not in ended.text:
        faults.append(f"does not say {reason!r}: {ended.text[-200:]!r}")
    recorded = any((place / name).exists() for name in ("run.json", "sweep.json"))
    again = inside("resume", str(place)) if recorded else inside(*command(kind, place))
    if again.code != 0:
        return [*faults, f"cannot go on (resume: {recorded}): {again.text[-300:]!r}"]
    left, right = files(twin), files(place)
    differing = [name for name in {**left, **right} if left.get(name) != right.get(name)]
    if differing:
        faults.append(f"{len(differing)} files differ: {sorted(differing)[:3]}")
    drafts = [path.name for path in place.rglob("*.tmp")]
    if drafts:
        faults.append(f"left behind: {drafts[:3]}")
    return faults


def main() -> int:
    folder = Path(sys.argv[1]).absolute()
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 100
    draw = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 0)
    if os.geteuid() != 0:
        print("only root can mount a file system of its own size")
        return 2
    folder.mkdir(parents=True)
    os.environ["MKL_CBWR"] = "AUTO"
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    for kind in KINDS:
        ended = inside(*command(kind, folder / kind))
        assert ended.code == 0, ended.text
    disk = folder / "disk"
    disk.mkdir()
    faults: list[str] = []
    cases: Counter[str] = Counter()
    begun = time.perf_counter()
    for number in range(count):
        kind, limited = draw.choice(list(KINDS)), number % 4 == 3
        assert mounted(disk, "-t", "tmpfs", "-o", "size=64m", "tmpfs")
        try:
            found = one(kind, disk, folder / kind, draw, limited)
        finally:
            subprocess.run(["umount", "-l", str(disk)], check=False)
        cases[f"{kind}, {'file size' if limited else 'full disk'}"] += 1
        for fault in found:
            print(f"case {number}, {kind}: {fault}", flush=True)
        faults += found
    print(f"{count} cases in {time.perf_counter() - begun:.0f} s: {dict(cases)}")
    print(f"{len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
