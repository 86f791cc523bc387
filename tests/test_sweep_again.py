"""A sweep that was broken off, and the same command again."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from commands import SMALL, inside
from exp.runs.manifest import read_json

HERE = "sweep.n_jobs=1"
SWEEP = ("-m", *SMALL, "sweep.dir=swept", "seed=range(0,4)")
FILES = ("metrics.csv", "predictions.csv", "checkpoints/last.safetensors", "summary.json")


def snapshot(top: Path) -> dict[str, tuple[bytes, int]]:
    """Content and time of every file of every run."""
    return {
        path.relative_to(top).as_posix(): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in sorted(top.glob("*-*/**/*"))
        if path.is_file()
    }


def finished(top: Path) -> list[Path]:
    found = top.glob("*/run.json")
    return [path.parent for path in found if (read_json(path) or {}).get("status") == "done"]


def until(true: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)


def started(where: Path, *words: str) -> subprocess.Popen[bytes]:
    """A sweep in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "exp", *words],
        cwd=where,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def test_only_what_is_missing_is_done(in_tmp: Path) -> None:
    assert inside(in_tmp, *SWEEP, HERE).code == 0
    top = in_tmp / "swept"
    before = snapshot(top)
    # One run is gone, one was never finished, one has failed.
    for path in (top / "1-seed=1").rglob("*"):
        if path.is_file():
            path.unlink()
    for name, status in (("2-seed=2", "running"), ("3-seed=3", "failed")):
        record = json.loads((top / name / "run.json").read_text())
        (top / name / "run.json").write_text(json.dumps({**record, "status": status}))
        (top / name / "metrics.csv").write_text("torn")
    again = inside(in_tmp, *SWEEP, HERE)
    assert again.code == 0, again.err
    assert "1 of 4 runs are done already" in again.out
    after = snapshot(top)
    for name, (content, changed) in before.items():
        if name.startswith("0-"):
            assert after[name] == (content, changed), name
        elif name.endswith(FILES):
            assert after[name][0] == content, name
    assert len(finished(top)) == 4


def test_a_finished_sweep_is_left_as_it_is(in_tmp: Path) -> None:
    inside(in_tmp, *SWEEP, HERE)
    before = snapshot(in_tmp / "swept")
    again = inside(in_tmp, *SWEEP, HERE)
    assert again.code == 0
    assert "4 of 4 runs are done already" in again.out
    assert snapshot(in_tmp / "swept") == before


def test_a_sweep_can_grow(in_tmp: Path) -> None:
    inside(in_tmp, "-m", *SMALL, "sweep.dir=swept", "seed=0,1", HERE)
    before = snapshot(in_tmp / "swept")
    again = inside(in_tmp, "-m", *SMALL, "sweep.dir=swept", "seed=0,5,1", HERE)
    assert again.code == 0, again.err
    assert "1 runs to do" in again.out
    assert before.items() <= snapshot(in_tmp / "swept").items()
    entries = json.loads((in_tmp / "swept/sweep.json").read_text())["runs"]
    assert [entry["directory"] for entry in entries] == ["0-seed=0", "1-seed=5", "1-seed=1"]


def test_other_settings_are_another_run(in_tmp: Path) -> None:
    inside(in_tmp, "-m", *SMALL, "sweep.dir=swept", "seed=0,1", HERE)
    before = snapshot(in_tmp / "swept")
    words = ("-m", *SMALL, "trainer.epochs=3", "sweep.dir=swept", "seed=0,1", HERE)
    again = inside(in_tmp, *words)
    assert again.code == 2
    assert "0-seed=0 holds another finished run: this is not the sweep that was made" in again.err
    assert snapshot(in_tmp / "swept") == before


def test_a_directory_of_something_else_is_refused(in_tmp: Path) -> None:
    (in_tmp / "swept").mkdir()
    (in_tmp / "swept/thesis.tex").write_text("mine")
    ended = inside(in_tmp, *SWEEP, HERE)
    assert ended.code == 2
    assert ended.err == (
        "exp: swept holds something, but no sweep (sweep.json). Name another sweep.dir\n"
    )
    assert [path.name for path in (in_tmp / "swept").iterdir()] == ["thesis.tex"]


def test_a_directory_in_use_is_refused(in_tmp: Path) -> None:
    import fcntl

    (in_tmp / "swept").mkdir()
    with open(in_tmp / "swept/.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ended = inside(in_tmp, *SWEEP, HERE)
    assert ended.code == 2
    assert ended.err == "exp: another process is working in swept\n"


def test_a_given_directory_that_exists_is_refused(in_tmp: Path) -> None:
    (in_tmp / "there").mkdir()
    words = ("-m", *SMALL, "hydra.sweep.dir=there", "seed=1,2", HERE)
    ended = inside(in_tmp, *words)
    assert ended.code == 2
    assert "the sweep directory there exists already" in ended.err
    assert "sweep.dir=DIR" in ended.err


def test_killed_in_the_middle_and_done_again(in_tmp: Path) -> None:
    """kill -9 of the whole process group: what was finished is untouched, the rest is done."""
    words = ("-m", "figures=none", "dataset.n_samples=100", "trainer.epochs=400", "sweep.chunk=2")
    words = (*words, "seed=range(0,12)", "sweep.dir=swept")
    sweep = started(in_tmp, *words, "sweep.n_jobs=2")
    until(lambda: len(finished(in_tmp / "swept")) >= 2, 60)
    os.killpg(sweep.pid, signal.SIGKILL)
    sweep.wait()
    done = [path.name for path in finished(in_tmp / "swept")]
    assert len(done) < 12, "it was meant to be killed before its end"
    before = {k: v for k, v in snapshot(in_tmp / "swept").items() if k.split("/")[0] in done}
    assert inside(in_tmp, *words, HERE).code == 0
    after = snapshot(in_tmp / "swept")
    assert before.items() <= after.items()
    undisturbed = [word if word != "sweep.dir=swept" else "sweep.dir=whole" for word in words]
    assert inside(in_tmp, *undisturbed, HERE).code == 0
    whole = snapshot(in_tmp / "whole")
    assert whole.keys() == after.keys()
    for name, (content, _) in whole.items():
        if name.endswith(FILES):
            assert after[name][0] == content, name


def children(parent: int) -> list[int]:
    """Processes that `parent` has started and that are still there."""
    found = []
    for place in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = place.read_text().rpartition(")")[2].split()
            if int(fields[1]) == parent and fields[0] != "Z":
                found.append(int(place.parent.name))
    return found


def alive(process: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")
def test_no_worker_outlives_a_killed_parent(in_tmp: Path) -> None:
    words = ("-m", "figures=none", "trainer.epochs=100000", "seed=range(0,4)", "sweep.dir=swept")
    sweep = started(in_tmp, *words, "sweep.n_jobs=2")
    try:
        until(lambda: len(list((in_tmp / "swept").glob("*/run.json"))) == 4, 60)
        workers = children(sweep.pid)
        assert len(workers) >= 2
        os.kill(sweep.pid, signal.SIGKILL)
        sweep.wait()
        until(lambda: not any(alive(worker) for worker in workers), 5)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(sweep.pid, signal.SIGKILL)


def test_sweeps_that_start_together_share_nothing(in_tmp: Path) -> None:
    words = ("-m", *SMALL, "seed=1,2", HERE)
    sweeps = [started(in_tmp, *words) for _ in range(2)]
    assert [sweep.wait() for sweep in sweeps] == [0] * 2
    tables = list(in_tmp.glob("multirun/*/*/runs.csv"))
    assert len(tables) == 2
    assert all(len(table.read_text().splitlines()) == 3 for table in tables)


LONG = ("-m", "figures=none", "dataset.n_samples=100", "trainer.epochs=200", "seed=1,2,3,4",
        "trainer.batch_size=20", "trainer.checkpoint_every=10", "sweep.chunk=1")  # fmt: skip


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sweep that nobody has asked to end."""
    where = tmp_path_factory.mktemp("undisturbed")
    assert inside(where, *LONG, HERE, "sweep.dir=whole").code == 0
    return where / "whole"


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_sweep_that_is_asked_to_end_saves_what_it_trains(
    in_tmp: Path, undisturbed: Path, jobs: int
) -> None:
    sweep = started(in_tmp, *LONG, f"sweep.n_jobs={jobs}", "sweep.dir=swept")

    def training() -> int:
        """How many runs have saved a state; their logs are told later."""
        return len(list((in_tmp / "swept").glob("*/checkpoints/last.safetensors")))

    until(lambda: training() >= jobs, 60)
    sweep.send_signal(signal.SIGTERM)
    assert sweep.wait(30) == 143
    records = [read_json(path) or {} for path in (in_tmp / "swept").glob("*/run.json")]
    assert "interrupted" in [record["status"] for record in records]
    assert all(record["status"] in ("done", "interrupted") for record in records)
    again = inside(in_tmp, "resume", "swept")
    assert again.code == 0, again.err
    assert " go on from their checkpoints" in again.out
    for place in undisturbed.glob("*-*"):
        for name in FILES:
            twin = in_tmp / "swept" / place.name / name
            assert twin.read_bytes() == (place / name).read_bytes()
