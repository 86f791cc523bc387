"""What one more run of a sweep costs, exp against a plain Hydra app with the hand-written loop.

    python benchmarks/sweep.py [time] [cpu] [memory]

time: wall and CPU seconds of one more run, moons, 1,000 epochs, with all files, with and without
figures:
the difference of two sweeps of different length over the difference of their lengths, so that what
is done once does not count.

cpu: CPU of a run with one epoch and no figures, and how much of it is composing, checking and
bookkeeping (config, Hydra's files, run.json, digests, logs, sweep.json, runs.csv): all but training
and making the rows and the results (`RESULTS`), which a lone script has to do too. Rows are made
twice, in the plan of the sweep, whose signatures name them, and where they are trained: the first
time counts as checking.

memory: peak memory of sweeps of 1,000 and 10,000 runs of 50 epochs without figures, of the main
process and of the largest worker.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import subprocess
import sys
import threading
import time
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

os.environ["MKL_CBWR"] = "AUTO"
os.environ["OPENBLAS_NUM_THREADS"] = "1"

from counting import counted
from disk import folder

HERE = Path(__file__).parent
EXP = [sys.executable, "-m", "exp", "-m", "run.reuse=false"]
RESULTS = [
    ("exp.engine.job", "prepare"),
    ("exp.runs.execute", "train"),
    ("exp.runs.result_files", "Answers.__init__"),
    ("exp.runs.result_files", "Answers.scores"),
    ("exp.runs.result_files", "Answers.predictions_text"),
    ("exp.runs.writer", "history_text"),
    ("exp.runs.checkpoint", "content"),
]
APP = [sys.executable, str(HERE / "hydra_app.py"), "-m"]


def measured(command: list[str]) -> tuple[float, float]:
    """Wall and CPU seconds, of the command and all its processes."""
    place = folder()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = time.perf_counter()
    subprocess.run(command, cwd=place, check=True, stdout=subprocess.DEVNULL)
    wall = time.perf_counter() - begun
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, cpu


def marginal(command: list[str], short: int, long: int) -> tuple[float, float]:
    """Wall and CPU seconds of one more run."""
    few, many = (measured([*command, f"seed=range(0,{n})"]) for n in (short, long))
    wall, cpu = ((b - a) / (long - short) for a, b in zip(few, many, strict=True))
    return wall, cpu


def times() -> None:
    found = {
        "Hydra, basic launcher": marginal(APP, 1, 5),
        "exp, figures=none": marginal([*EXP, "figures=none"], 4, 68),
        "exp": marginal(EXP, 4, 68),
    }
    if find_spec("hydra_plugins.hydra_joblib_launcher"):
        workers = os.cpu_count() or 1
        options = ["hydra/launcher=joblib", f"hydra.launcher.n_jobs={workers}"]
        name = f"Hydra, joblib launcher, {workers} workers"
        found[name] = marginal([*APP, *options], workers, 5 * workers)
    else:
        print("Hydra's joblib launcher is not installed")
    basic = found["Hydra, basic launcher"]
    print(f"{'one more run':<34}{'wall s':>10}{'of basic':>10}{'CPU s':>10}{'of basic':>10}")
    for name, values in found.items():
        cells = (
            f"{value:>10.4f}{'1/' + format(base / value, '.1f'):>10}"
            for value, base in zip(values, basic, strict=True)
        )
        print(f"{name:<34}" + "".join(cells))


def cpu() -> None:
    # The least of several, as other work on the machine only ever adds.
    few, many = (min(spent_by(runs) for _ in range(3)) for runs in (60, 460))
    total, results = ((b - a) / 400 for a, b in zip(few, many, strict=True))
    print(
        f"{1000 * (total - results):.1f} ms of CPU for each run: composing, checking and "
        f"bookkeeping; {1000 * total:.1f} with training for one epoch and results"
    )


def spent_by(runs: int) -> tuple[float, float]:
    """CPU seconds of a sweep in a process of its own, and of training and results in it."""
    command = [sys.executable, str(Path(__file__).absolute()), "spend", str(runs)]
    done = subprocess.run(command, cwd=folder(), capture_output=True, text=True, check=True)
    total, results = json.loads(done.stdout.splitlines()[-1])
    return total, results


def spend(runs: str) -> None:
    import exp.registry.kinds  # noqa: F401 - declares the kinds
    from exp.cli import main as cli

    gc.set_threshold(50_000)  # as the command line does
    spent: Counter[str] = Counter()
    counted(RESULTS, spent, time.process_time)
    words = ["run.reuse=false", "figures=none", "trainer.epochs=1", "optimizer.lr=0.1,0.2"]
    cli.dispatch(["-m", *words, f"seed=range(0,{int(runs) // 2})", "sweep.n_jobs=1"])
    print(json.dumps([time.process_time(), sum(spent.values())]))


def peak(runs: int) -> tuple[float, float, float]:
    """Peak MB of the main process and of the largest worker, and wall seconds."""
    place = folder()
    begun = time.perf_counter()
    command = [*EXP, "figures=none", "trainer.epochs=50", f"seed=range(0,{runs // 10})"]
    rates = "optimizer.lr=" + ",".join(str(0.01 * (1 + i)) for i in range(10))
    process = subprocess.Popen([*command, rates], cwd=place, stdout=subprocess.DEVNULL)
    found = {"main": 0.0, "worker": 0.0}
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(0.5):
            for pid in [process.pid, *children(process.pid)]:
                who = "main" if pid == process.pid else "worker"
                found[who] = max(found[who], high_water(pid))

    watcher = threading.Thread(target=look)
    watcher.start()
    process.wait()
    ended.set()
    watcher.join()
    wall = time.perf_counter() - begun
    (table,) = place.glob("multirun/*/*/runs.csv")
    assert table.read_text().count(",done,") == runs
    return found["main"], found["worker"], wall


def children(parent: int) -> list[int]:
    try:
        text = Path(f"/proc/{parent}/task/{parent}/children").read_text()
    except OSError:
        return []
    return [int(word) for word in text.split()]


def high_water(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)


def memory() -> None:
    for runs in (1000, 10_000):
        main, worker, wall = peak(runs)
        print(
            f"{runs:>6} runs: main process {main:.0f} MB, worker {worker:.0f} MB, {wall:.0f} s, "
            f"{1000 * wall / runs:.1f} ms per run",
            flush=True,
        )


if __name__ == "__main__":
    if sys.argv[1:2] == ["spend"]:
        spend(sys.argv[2])
        sys.exit()
    for part in sys.argv[1:] or ["time", "cpu", "memory"]:
        {"time": times, "cpu": cpu, "memory": memory}[part]()
