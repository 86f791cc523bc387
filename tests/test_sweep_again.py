"""A sweep that was broken off, and the same command again."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from commands import SMALL, inside, process, read_csv
from exp.runs.manifest import read_json
from fork_server import Forked

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


def done_in(top: Path) -> list[Path]:
    found = top.glob("*/run.json")
    return [path.parent for path in found if (read_json(path) or {}).get("status") == "done"]


def until(true: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)


def started(where: Path, *words: str, out: str = os.devnull) -> Forked:
    """A sweep in a process group of its own."""
    command = [sys.executable, "-m", "exp", *words]
    with open(where / out, "wb") as file:
        return Forked(command, where, os.environ, stdout=file, stderr=file, session=True)


def leftovers(top: Path) -> list[Path]:
    """Files and folders that were not whole when a process ended."""
    return list(top.rglob(".*.tmp"))


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
    assert "1 of 4 runs are already finished" in again.out
    after = snapshot(top)
    for name, (content, changed) in before.items():
        if name.startswith("0-"):
            assert after[name] == (content, changed), name
        elif name.endswith(FILES):
            assert after[name][0] == content, name
    assert len(done_in(top)) == 4


def test_a_finished_sweep_is_left_as_it_is(in_tmp: Path) -> None:
    inside(in_tmp, *SWEEP, HERE)
    before = snapshot(in_tmp / "swept")
    again = inside(in_tmp, *SWEEP, HERE)
    assert again.code == 0
    assert "4 of 4 runs are already finished" in again.out
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


def test_a_directory_shows_the_runs_of_every_command(in_tmp: Path) -> None:
    """Other values in the same directory hide nothing: in runs.csv, results and exp.load."""
    import exp

    for words in (("seed=0,1",), ("seed=2,3",), ("seed=4,5", "optimizer=adam")):
        ended = inside(in_tmp, "-m", *SMALL, "sweep.dir=swept", *words, HERE)
        assert ended.code == 0, ended.err
    assert "6 runs in" in ended.out
    assert "4 of them are from earlier commands" in ended.out
    names = ["0-seed=4", "1-seed=5", "0-seed=2", "1-seed=3", "0-seed=0", "1-seed=1"]
    table = read_csv(in_tmp / "swept/runs.csv")
    assert table["directory"].tolist() == names
    assert table["run"].tolist() == [str(number) for number in range(6)]  # each once
    assert table["seed"].tolist() == ["4", "5", "2", "3", "0", "1"]
    assert table["optimizer"].tolist() == ["adam"] * 2 + [""] * 4
    for place, loss in zip(table["directory"], table["test/loss"], strict=True):
        summary = json.loads((in_tmp / f"swept/{place}/summary.json").read_text())
        assert float(loss) == summary["final"]["test/loss"]
    assert [run.path.name for run in exp.load("swept")] == names
    groups = exp.results("swept", by=["optimizer"], metric="test/loss", arrays=True)
    assert sorted(groups["seeds"]) == [2, 4]
    # The first command again has nothing to do, and hides nothing either.
    again = inside(in_tmp, "-m", *SMALL, "sweep.dir=swept", "seed=0,1", HERE)
    assert "2 of 2 runs are already finished" in again.out
    assert set(read_csv(in_tmp / "swept/runs.csv")["directory"]) == set(names)


def test_a_failed_run_of_an_earlier_command_is_not_this_ones(in_tmp: Path) -> None:
    assert inside(in_tmp, "-m", *SMALL, "sweep.dir=swept", "seed=0,1", HERE).code == 0
    record = in_tmp / "swept/0-seed=0/run.json"
    record.write_text(json.dumps({**json.loads(record.read_text()), "status": "failed"}))
    assert inside(in_tmp, "-m", *SMALL, "sweep.dir=swept", "seed=2,3", HERE).code == 0
    assert read_csv(in_tmp / "swept/runs.csv")["status"].tolist() == ["done"] * 2 + [
        "failed",
        "done",
    ]


def test_other_settings_are_another_run(in_tmp: Path) -> None:
    inside(in_tmp, "-m", *SMALL, "sweep.dir=swept", "seed=0,1", HERE)
    before = snapshot(in_tmp / "swept")
    words = ("-m", *SMALL, "trainer.epochs=3", "sweep.dir=swept", "seed=0,1", HERE)
    again = inside(in_tmp, *words)
    assert again.code == 2
    assert "0-seed=0 contains a finished run of a sweep with another" in again.err
    assert snapshot(in_tmp / "swept") == before


def test_a_directory_of_something_else_is_refused(in_tmp: Path) -> None:
    (in_tmp / "swept").mkdir()
    (in_tmp / "swept/thesis.tex").write_text("mine")
    ended = inside(in_tmp, *SWEEP, HERE)
    assert ended.code == 2
    assert ended.err == (
        "exp: sweep.dir swept is not empty and is not a sweep directory (it has no sweep.json): "
        "name another one\n"
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
    until(lambda: len(done_in(in_tmp / "swept")) >= 2, 60)
    os.killpg(sweep.pid, signal.SIGKILL)
    sweep.wait()
    done = [path.name for path in done_in(in_tmp / "swept")]
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


def alive(number: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
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


LONG = ("-m", "figures=none", "dataset.n_samples=1000", "trainer.epochs=120", "seed=1,2,3,4",
        "model.hidden=[128,128]", "trainer.batch_size=20",
        "trainer.checkpoint_every=10")  # fmt: skip


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sweep that nobody has asked to end."""
    where = tmp_path_factory.mktemp("undisturbed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EXP_CACHE", str(where / "cache"))  # nobody is to reuse these runs
        assert inside(where, *LONG, HERE, "sweep.dir=whole").code == 0
    return where / "whole"


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_sweep_that_is_asked_to_end_saves_what_it_trains(
    in_tmp: Path, undisturbed: Path, jobs: int
) -> None:
    sweep = started(in_tmp, *LONG, f"sweep.n_jobs={jobs}", "sweep.dir=swept", out="out.txt")

    def training() -> int:
        """How many runs have saved a state; their logs are told later."""
        return len(list((in_tmp / "swept").glob("*/checkpoints/last.safetensors")))

    until(lambda: training() == 4, 60)
    sweep.send_signal(signal.SIGTERM)
    assert sweep.wait(30) == 143
    records = [read_json(path) or {} for path in (in_tmp / "swept").glob("*/run.json")]
    assert "interrupted" in [record["status"] for record in records]
    assert all(record["status"] in ("done", "interrupted") for record in records)
    said = (in_tmp / "out.txt").read_text()
    assert "To continue: python -m exp resume swept\n" in said
    assert len(said.splitlines()) < 8, said
    assert read_csv(in_tmp / "swept/runs.csv")["run"].tolist() == ["0", "1", "2", "3"]
    again = inside(in_tmp, "resume", "swept")
    assert again.code == 0, again.err
    assert " continue from their checkpoints" in again.out
    # Stacks that were broken off go on as stacks.
    assert f"a stack of {4 // jobs}" in again.out
    assert not leftovers(in_tmp / "swept")
    for place in undisturbed.glob("*-*"):
        for name in FILES:
            other = in_tmp / "swept" / place.name / name
            assert other.read_bytes() == (place / name).read_bytes()


def test_what_a_killed_sweep_has_not_finished_is_removed(in_tmp: Path) -> None:
    """Drafts, also in runs that are finished, and half a copy of a run; nothing else."""
    assert inside(in_tmp, *SWEEP, HERE).code == 0
    top = in_tmp / "swept"
    before = snapshot(top)
    (top / "0-seed=0/checkpoints/.1f-aabbccdd-3.tmp").write_bytes(b"half")
    (top / ".1f-aabbccdd-4.tmp").write_bytes(b"half")
    (top / ".9-seed=9.tmp/checkpoints").mkdir(parents=True)
    (top / "notes.tmp").write_text("mine")
    assert inside(in_tmp, *SWEEP, HERE).code == 0
    assert not leftovers(top)
    assert snapshot(top) == before
    assert (top / "notes.tmp").read_text() == "mine"


def test_a_sweep_that_was_killed_at_its_very_start_begins(in_tmp: Path) -> None:
    (in_tmp / "swept").mkdir()
    (in_tmp / "swept/.lock").touch()
    (in_tmp / "swept/.1f-aabbccdd-0.tmp").write_text('{"command"')
    assert inside(in_tmp, *SWEEP, HERE).code == 0
    assert not leftovers(in_tmp / "swept")


@pytest.mark.parametrize("again", [SWEEP, ("resume", "swept")], ids=["command", "resume"])
def test_interrupted_while_runs_are_taken_over(
    in_tmp: Path, remembering: None, monkeypatch: pytest.MonkeyPatch, again: tuple[str, ...]
) -> None:
    from exp.runs import reuse

    other = [word if word != "sweep.dir=swept" else "sweep.dir=first" for word in SWEEP]
    assert inside(in_tmp, *other, HERE).code == 0
    copied: list[Path] = []

    def once(path: Path, to: Path) -> None:
        if copied:
            raise KeyboardInterrupt
        copied.append(to)
        whole(path, to)

    whole = reuse.copy
    with monkeypatch.context() as patch:
        patch.setattr(reuse, "copy", once)
        ended = inside(in_tmp, *SWEEP, HERE)
    assert ended.code == 130
    assert "To continue: python -m exp resume swept" in ended.out
    assert inside(in_tmp, *again, *([HERE] if again is SWEEP else [])).code == 0
    assert len(done_in(in_tmp / "swept")) == 4


def test_one_of_many_claims_wins(in_tmp: Path) -> None:
    """Of processes that start at the same moment; here threads, whose locks are as apart."""
    from concurrent.futures import ThreadPoolExecutor
    from threading import Barrier

    from exp.runs.directory import RunDirectory
    from exp.sweeps.sweep_directory import SweepDirectory
    from exp.util.errors import RunDirectoryError

    def claimed(directory: RunDirectory | SweepDirectory) -> bool:
        together.wait()
        try:
            if isinstance(directory, RunDirectory):
                directory.claim()
            else:
                directory.claim(may_exist=True)
        except RunDirectoryError as error:
            errors.append(str(error))
            return False
        return True

    errors: list[str] = []

    for kind in (RunDirectory, SweepDirectory):
        for number in range(5):
            together = Barrier(4)
            places = [kind(in_tmp / f"{kind.__name__}-{number}") for _ in range(4)]
            with ThreadPoolExecutor(4) as pool:
                assert sum(pool.map(claimed, places)) == 1
            for place in places:
                place.release()
    assert all("another process is working in" in error for error in errors)


def test_a_run_that_ended_before_run_json_leaves_a_directory_that_can_be_used(in_tmp: Path) -> None:
    run = ("hydra.run.dir=run", *SMALL)
    (in_tmp / "run/.hydra").mkdir(parents=True)
    (in_tmp / "run/.hydra/overrides.yaml").write_text("[]")
    (in_tmp / "run/exp.log").write_text("an earlier line\n")
    (in_tmp / "run/.1f-aabbccdd-0.tmp").write_text("half")
    ended = inside(in_tmp, "resume", "run")
    assert ended.code == 2
    assert "ended before training" in ended.err
    ended = inside(in_tmp, *run)
    assert ended.code == 0, ended.err
    assert not leftovers(in_tmp / "run")
    assert "an earlier line" not in (in_tmp / "run/exp.log").read_text()
    # What is not known to be such a run's is not touched.
    for name in ("config.yaml", "notes.txt", "figures/mine.png"):
        place = in_tmp / "other" / name
        place.parent.mkdir(parents=True)
        place.write_text("mine")
        ended = inside(in_tmp, "hydra.run.dir=other", *SMALL)
        assert ended.code == 2
        assert place.read_text() == "mine"
        shutil.rmtree(in_tmp / "other")


@pytest.mark.parametrize(
    ("words", "starts"),
    [
        (("seed=range(0,4)",), False),
        (("seed=range(0,4)", "trainer.epochs=1000000"), True),
        (("seed=range(0,4)", "sweep.n_jobs=2"), True),
        (("seed=range(0,4)", "trainer.epochs=1000000", "sweep.n_jobs=1"), False),
    ],
)
def test_worker_processes_start_where_they_are_worth_it(
    in_tmp: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], starts: bool
) -> None:
    from exp.runs.processes.worker_pool import Pool
    from exp.util.errors import ExpError

    def start(_: Pool) -> None:
        raise ExpError("workers")

    def here(_: object) -> None:
        raise ExpError("here")

    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "2")
    monkeypatch.setattr(Pool, "start", start)
    monkeypatch.setattr("exp.sweeps.workers.timed_work", here)
    ended = inside(in_tmp, "-m", *SMALL, "sweep.dir=swept", *words)
    assert ended.err == ("exp: workers\n" if starts else "exp: here\n")


DEADLY = """
import os, sys
from exp import register
from exp.components.schedulers.scheduler import Scheduler

@register.scheduler("deadly")
class Deadly(Scheduler):
    def __init__(self, *, level: int = 0) -> None:
        self.level = level

    def rate(self, base, progress):
        in_worker = "exp.runs.processes.worker_process" in sys.modules
        if self.level == 2 and progress.epoch == 1 and in_worker:
            os.kill(os.getpid(), 9)
        return base
"""


def test_a_worker_that_the_system_kills_takes_one_run_with_it(in_tmp: Path) -> None:
    """Its stack is tried again in halves, and a run that kills its worker by itself has failed."""
    (in_tmp / "deadly_schedule.py").write_text(DEADLY)
    words = ("plugins=[deadly_schedule]", "scheduler=deadly", "scheduler.level=0,1,2,3")
    ended = process(in_tmp, "-m", *SMALL, *words, "sweep.dir=swept", "sweep.n_jobs=2")
    assert ended.code == 1, ended.err
    assert "Traceback" not in ended.out + ended.err
    assert "2 runs tried again, in 2 stacks" in ended.out
    table = read_csv(in_tmp / "swept/runs.csv")
    assert table["status"].tolist() == ["done", "done", "failed", "done"]
    assert "killed by SIGKILL" in table["message"][2]
    record = read_json(in_tmp / "swept/2-scheduler.level=2/run.json") or {}
    assert "memory" in record["message"]
    assert not leftovers(in_tmp / "swept")
    alone = process(in_tmp, *SMALL, *words[:2], "scheduler.level=3", "hydra.run.dir=alone")
    assert alone.code == 0
    for name in FILES:
        other = in_tmp / "swept/3-scheduler.level=3" / name
        assert other.read_bytes() == (in_tmp / "alone" / name).read_bytes()


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")
@pytest.mark.parametrize("wait", [0.0, 0.1, 0.4])
def test_a_worker_ends_with_its_parent_at_any_moment(in_tmp: Path, wait: float) -> None:
    words = ("-m", *SMALL, "seed=range(0,4)", "sweep.n_jobs=2", "sweep.dir=swept")
    sweep = started(in_tmp, *words)
    until(lambda: bool(children(sweep.pid)), 60)
    time.sleep(wait)
    workers = children(sweep.pid)
    os.kill(sweep.pid, signal.SIGKILL)
    sweep.wait()
    until(lambda: not any(alive(worker) for worker in workers), 5)
