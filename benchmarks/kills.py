"""Runs, sweeps, searches and shards that are killed at any moment, then gone on with.

    python benchmarks/kills.py FOLDER [KILLS] [SEED] [KIND ...]

Each is started in a session of its own and ended by KILL, TERM, INT, or STOP and then KILL: at a
moment drawn from its whole life, or, where strace is installed, at a rename or mkdir of it. Then
the same command or `exp resume` goes on in its directory. Looked at: no process of it is there
after five seconds; runs that had ended are not touched; every file is the same byte for byte as
where nothing was killed; no file that was half written is left, and nothing in shared memory.
While a shard is killed and started again, another shard of the same sweep runs; together they are
compared with the sweep without shards.
Leaves with 1 where that does not hold.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

SMALL = (
    "run.reuse=false", "figures=none", "dataset.n_samples=60", "trainer.epochs=300",
    "trainer.batch_size=20", "trainer.checkpoint_every=40",
)  # fmt: skip
SWEEP = ("-m", *SMALL, "seed=range(0,4)", "sweep.figures=false")
SEARCH = (
    "-m", *SMALL, "hydra/sweeper=optuna", "hydra.sweeper.n_trials=4", "hydra.sweeper.batch=2",
    "optimizer.lr=interval(0.01,0.1)", "split.validation=0.2", "sweep.figures=false",
)  # fmt: skip
KINDS = {
    "run": SMALL,
    "sweep": (*SWEEP, "sweep.n_jobs=1"),
    "sweep with workers": (*SWEEP, "sweep.n_jobs=2"),
    "search": (*SEARCH, "sweep.n_jobs=1"),
    "shard": (*SWEEP, "seed=range(0,6)", "sweep.n_jobs=2"),
}
SHARD, OTHER = "sweep.shard=1/2", "sweep.shard=2/2"
SIGNALS = {
    "KILL": (signal.SIGKILL,),
    "TERM": (signal.SIGTERM,),
    "INT": (signal.SIGINT,),
    "STOP+KILL": (signal.SIGSTOP, signal.SIGKILL),
}
CALLS = ("rename", "mkdir")
FILES = ("metrics.csv", "predictions.csv", "summary.json", "config.yaml")
ENDED = ('"status": "done"', '"status": "diverged"')
GONE = 5.0
"""Seconds after which no process may be left."""
LATEST = 40
"""Renames and mkdirs are counted up to this one; a shorter life ends undisturbed."""


@dataclass
class Kill:
    """One kill and how it went on.

    Attributes:
        reached: whether the process was there to be killed.
        faults: what does not hold.
    """

    kind: str
    how: str
    reached: bool
    faults: list[str]


def command(kind: str, place: Path, *more: str) -> list[str]:
    key = "hydra.run.dir" if kind == "run" else "sweep.dir"
    return [sys.executable, "-m", "exp", *KINDS[kind], f"{key}={place}", *more]


def environment() -> dict[str, str]:
    # Nor are compiled modules written, whose renames would be counted.
    return {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}


def start(words: list[str], place: Path) -> subprocess.Popen[bytes]:
    with open(f"{place}.out", "ab") as out:
        return subprocess.Popen(
            words, stdout=out, stderr=out, start_new_session=True, env=environment()
        )


def processes(session: int) -> set[int]:
    """Those of a session that are there."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            found.add(int(stat.parent.name))
    return found


def run_directories(place: Path) -> list[Path]:
    return sorted(path.parent for path in place.rglob("run.json"))


def ended(place: Path) -> dict[Path, dict[Path, tuple[bytes, int]]]:
    """Content and time of every file of the runs that have ended."""
    return {
        run: {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in run.rglob("*") if whole(p)}
        for run in run_directories(place)
        if any(status in (run / "run.json").read_text() for status in ENDED)
    }


def whole(path: Path) -> bool:
    return path.is_file() and not path.name.endswith(".tmp")


def results(place: Path) -> dict[str, bytes]:
    found = {}
    for run in run_directories(place):
        for path in (*(run / name for name in FILES), *sorted((run / "checkpoints").glob("*"))):
            if path.is_file():
                found[path.relative_to(place).as_posix()] = path.read_bytes()
    return found


def killed(kind: str, place: Path, draw: random.Random, life: float) -> tuple[str, bool, int]:
    """Starts it and kills it; how, whether it was still there, and its session."""
    words = command(kind, place, *([SHARD] if kind == "shard" else []))
    if shutil.which("strace") and draw.random() < 0.5:
        call, at = draw.choice(CALLS), draw.randint(1, LATEST)
        name = draw.choice(["KILL", "TERM", "INT"])
        inject = f"inject={call}:signal=SIG{name}:when={at}"
        watched = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", inject]
        process = start([*watched, *words], place)
        process.wait(300)
        return f"{name} at {call} {at}", process.returncode != 0, process.pid
    name = draw.choice(list(SIGNALS))
    process = start(words, place)
    moment = draw.uniform(0.0, life)
    time.sleep(moment)
    reached = process.poll() is None
    for number in SIGNALS[name]:
        if process.poll() is None:
            process.send_signal(number)
    process.wait(300)
    return f"{name} after {moment:.1f} s", reached, process.pid


def one(kind: str, place: Path, twin: Path, draw: random.Random, life: float) -> Kill:
    memory = set(os.listdir("/dev/shm")) if Path("/dev/shm").is_dir() else set()
    beside = start(command(kind, place, OTHER), place) if kind == "shard" else None
    how, reached, session = killed(kind, place, draw, life)
    faults = []
    end = time.monotonic() + GONE
    while (left := processes(session)) and time.monotonic() < end:
        time.sleep(0.05)
    if left:
        faults.append(f"{len(left)} processes are left")
        for process in left:
            os.kill(process, signal.SIGKILL)
    before = ended(place) if place.exists() else {}
    record = {"run": "run.json", "shard": "shards/1/shard.json"}.get(kind, "sweep.json")
    again = command(kind, place, *([SHARD] if kind == "shard" else []))
    can_resume = (place / record).is_file()
    if can_resume and (kind == "run" or draw.random() < 0.5):
        again = [sys.executable, "-m", "exp", "resume", str(place)]
        if beside is not None:  # it would go on with the other shard before that has begun
            beside.wait(600)
    process = start(again, place)
    if (code := process.wait(600)) != 0:
        said = Path(f"{place}.out").read_text(errors="replace").strip().splitlines()
        faults.append(f"going on ended with {code}: {said[-1] if said else ''}")
    if beside is not None and (code := beside.wait(600)) != 0:
        faults.append(f"the other shard ended with {code}")
    for run, files in before.items():
        if any(not p.is_file() or (p.read_bytes(), p.stat().st_mtime_ns) != f
               for p, f in files.items()):  # fmt: skip
            faults.append(f"{run.name} had ended and was touched")
    expected, found = results(twin), results(place)
    names = sorted({*expected, *found})
    faults += [f"{name} differs" for name in names if expected.get(name) != found.get(name)]
    faults += [f"{p.relative_to(place)} is left" for p in place.rglob(".*.tmp")]
    ours = {str(session), str(process.pid)}
    new = set(os.listdir("/dev/shm")) - memory if memory or Path("/dev/shm").is_dir() else set()
    faults += [f"/dev/shm/{n} is left" for n in new if any(pid in n for pid in ours)]
    return Kill(kind, how, reached, faults)


def main(folder: Path, count: int = 200, seed: int = 0, kinds: Sequence[str] = tuple(KINDS)) -> int:
    """Kills so many of these kinds in turn; returns the exit code."""
    folder = folder.absolute()
    folder.mkdir(parents=True)
    draw = random.Random(seed)
    kinds = [kind for kind in kinds if kind != "search" or find_spec("optuna")]
    lives = {}
    for kind in kinds:
        twin = folder / f"{kind.replace(' ', '-')}-undisturbed"
        begun = time.perf_counter()
        assert start(command(kind, twin), twin).wait() == 0, f"see {twin}.out"
        lives[kind] = time.perf_counter() - begun
    kills = []
    begun = time.perf_counter()
    for index in range(count):
        kind = kinds[index % len(kinds)]
        twin = folder / f"{kind.replace(' ', '-')}-undisturbed"
        kill = one(kind, folder / str(index), twin, draw, lives[kind])
        kills.append(kill)
        for fault in kill.faults:
            print(f"{index}, a {kind}, {kill.how}: {fault}", flush=True)
        if not kill.faults:
            shutil.rmtree(folder / str(index), ignore_errors=True)
    reached = Counter(kill.kind for kill in kills if kill.reached)
    said = ", ".join(f"{number} of a {kind}" for kind, number in reached.items())
    bad = sum(bool(kill.faults) for kill in kills)
    print(f"{reached.total()} of {count} kills came in time ({said}), {bad} left a fault; "
          f"{time.perf_counter() - begun:.0f} s")  # fmt: skip
    return 1 if bad else 0


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[2:4]]
    sys.exit(main(Path(sys.argv[1]), *numbers, kinds=sys.argv[4:] or tuple(KINDS)))
