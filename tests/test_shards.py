"""One sweep as several shards (`sweep.shard=3/20`), `exp sweep status`, and the lock of a sweep."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import exp
from commands import SMALL, Ended, inside
from exp.runs import process
from exp.runs.processes import heartbeat
from exp.sweeps import sweep_lock
from exp.sweeps.planner import Planned, Runs, StackInfo
from exp.sweeps.sharded import dealt
from exp.util.errors import RunDirectoryError
from fork_server import Forked

SWEEP = ("-m", *SMALL, "optimizer=sgd,adam", "seed=range(0,3)", "sweep.n_jobs=1", "run.reuse=false")
RESULTS = (
    "metrics.csv", "predictions.csv", "summary.json", "config.yaml", "checkpoints/last.safetensors",
    ".hydra/overrides.yaml",
)  # fmt: skip
ENDLESS = ("-m", "figures=none", "trainer.epochs=1000000", "seed=range(0,4)", "sweep.n_jobs=1")


def shard(where: Path, number: str, *more: str, words: tuple[str, ...] = SWEEP) -> Ended:
    return inside(where, *words, "sweep.dir=swept", f"sweep.shard={number}", *more)


def files(top: Path) -> dict[str, tuple[bytes, int]]:
    """Content and time of every file."""
    return {
        path.relative_to(top).as_posix(): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in sorted(top.rglob("*"))
        if path.is_file()
    }


def results(top: Path) -> dict[str, bytes]:
    return {name: data for name, (data, _) in files(top).items() if name.endswith(RESULTS)}


def status(where: Path, code: int) -> dict[str, object]:
    ended = inside(where, "sweep", "status", "swept", "--json", "-")
    assert ended.code == code, ended.err
    found = json.loads(ended.out)
    assert isinstance(found, dict)
    return found


def until(true: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)


def test_shards_are_the_whole_sweep(in_tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Same directories, names and bytes; what a shard has written, no other touches."""
    assert inside(in_tmp, *SWEEP, "sweep.dir=whole").code == 0
    before: dict[str, tuple[bytes, int]] = {}
    for number in ("2", "1", "3"):
        monkeypatch.setenv("SLURM_ARRAY_TASK_ID", number)
        ended = shard(in_tmp, "${oc.env:SLURM_ARRAY_TASK_ID}/3")
        assert ended.code == 0, ended.err
        assert f"shard {number} of 3: 2 of 6 runs" in ended.out
        assert f"Every run: swept/shards/{number}/runs.csv" in ended.out
        after = files(in_tmp / "swept")
        assert before.items() <= after.items()
        before = after
    names = {path.name for path in (in_tmp / "swept").iterdir()}
    assert names == {path.parent.name for path in (in_tmp / "whole").glob("*/run.json")} | {
        "shards"
    }
    assert results(in_tmp / "whole") == results(in_tmp / "swept")
    whole, swept = (inside(in_tmp, "results", name, "--csv", "-") for name in ("whole", "swept"))
    assert whole.out == swept.out
    tables = [exp.load(in_tmp / name).arrays() for name in ("whole", "swept")]
    assert list(tables[0]) == list(tables[1])
    for name in set(tables[0]) - {"seconds"}:
        np.testing.assert_array_equal(tables[0][name], tables[1][name])


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (("sweep.shard=0/3",), "such as 3/20"),
        (("sweep.shard=/3",), "such as 3/20"),
        (("sweep.shard=3",), "such as 3/20"),
        (("sweep.shard=3/0",), "such as 3/20"),
        (("sweep.shard=4/3",), "from 1/3 to 3/3"),
        (("sweep.shard='${oc.env:NO_SUCH_TASK}/3'",), "NO_SUCH_TASK"),
        (("sweep.shard=1/3", "sweep.dir=null"), "add sweep.dir=DIR"),
        (("sweep.shard=1/3", "sweep.dir='${now:%H}'"), "add sweep.dir=DIR"),
        (("sweep.shard=1/3", "sweep.until=decided"), "sweep.until"),
        (("sweep.shard=1/3", "hydra/sweeper=optuna"), "is for hydra/sweeper=grid"),
    ],
)
def test_a_shard_that_cannot_be(in_tmp: Path, words: tuple[str, ...], fault: str) -> None:
    ended = inside(in_tmp, *SWEEP, "sweep.dir=swept", *words)
    assert ended.code == 2
    assert "1 fault in the config; nothing was started\n  sweep.shard  " in ended.err
    assert fault in ended.err
    assert list(in_tmp.iterdir()) == []


def test_another_sweeper_does_not_know_shards(in_tmp: Path) -> None:
    ended = shard(in_tmp, "1/3", "hydra/sweeper=basic")
    assert ended.code == 2
    assert "sweep.shard  is for hydra/sweeper=grid" in ended.err
    assert not list(in_tmp.rglob("run.json"))


def test_hydras_own_key_names_the_directory_too(in_tmp: Path) -> None:
    for number in (1, 2):
        words = ("hydra.sweep.dir=swept", f"sweep.shard={number}/2")
        ended = inside(in_tmp, *SWEEP, *words)
        assert ended.code == 0, ended.err
    assert status(in_tmp, 0)["done"] == 6


def test_another_sweep_is_refused(in_tmp: Path) -> None:
    assert shard(in_tmp, "1/3").code == 0
    before = files(in_tmp)
    for number, more, why in (
        ("2/3", ("trainer.epochs=3",), "shard 1/3 has 'trainer.epochs=2'"),
        ("1/3", ("optimizer=adam",), "this one has 'optimizer=adam'"),
        ("2/4", (), "divided into 3 shards, not 4"),
    ):
        words = tuple(word for word in SWEEP if word.split("=")[0] not in str(more))
        ended = shard(in_tmp, number, *more, words=words)
        assert ended.code == 2
        assert "swept belongs to another sweep" in ended.err
        assert why in ended.err
    ended = inside(in_tmp, *SWEEP, "sweep.dir=swept")
    assert ended.code == 2
    assert "add sweep.shard=N/M" in ended.err
    assert files(in_tmp) == before
    # What a machine of another kind would do.
    place = in_tmp / "swept/shards/1/shard.json"
    content = json.loads(place.read_text())
    content["shard"]["dealt"] = "another"
    place.write_text(json.dumps(content))
    ended = shard(in_tmp, "2/3")
    assert ended.code == 2
    assert "machines of one kind" in ended.err


def test_a_sweep_without_shards_gets_none(in_tmp: Path) -> None:
    assert inside(in_tmp, *SWEEP, "sweep.dir=swept").code == 0
    (in_tmp / "notes").mkdir()
    (in_tmp / "notes/thesis.tex").write_text("mine")
    for place, why in (("swept", "without shards"), ("notes", "is not empty")):
        before = files(in_tmp / place)
        ended = inside(in_tmp, *SWEEP, f"sweep.dir={place}", "sweep.shard=1/3")
        assert ended.code == 2
        assert why in ended.err
        assert files(in_tmp / place) == before


def test_what_is_missing_is_named_and_can_be_resumed(in_tmp: Path) -> None:
    assert shard(in_tmp, "2/3").code == 0
    line = "swept: 2 of 3 shards have not started (1, 3); their 4 runs are missing here."
    ended = inside(in_tmp, "results", "swept")
    assert ended.out.rstrip().endswith(line)
    assert inside(in_tmp, "report", "swept").code == 0
    assert line in (in_tmp / "swept/report.html").read_text()
    (in_tmp / "swept/report.html").unlink()
    found = status(in_tmp, 1)
    assert (found["state"], found["done"], found["waiting"]) == ("unfinished", 2, 4)
    before = files(in_tmp / "swept/shards/2")
    run = next((in_tmp / "swept").glob("*/run.json"))
    record = json.loads(run.read_text())
    run.write_text(json.dumps({**record, "status": "running"}))  # as a killed shard leaves it
    ended = inside(in_tmp, "results", "swept")
    assert "1 of 3 shards are not finished (2); 1 of their runs have no result yet" in ended.out
    ended = inside(in_tmp, "resume", "swept")
    assert ended.code == 0, ended.err
    assert "1 of 2 runs are already finished" in ended.out
    assert status(in_tmp, 0)["done"] == 6
    assert before.keys() == files(in_tmp / "swept/shards/2").keys()
    assert inside(in_tmp, "sweep", "status", "swept").out.splitlines()[-1].split()[:4] == [
        "all", "finished", "6", "6"
    ]  # fmt: skip


def test_more_shards_than_stacks(in_tmp: Path) -> None:
    words = ("-m", *SMALL, "seed=1,2", "sweep.n_jobs=1")
    (in_tmp / "swept/shards").mkdir(parents=True)  # as if another shard were just starting
    for number in range(1, 5):
        ended = shard(in_tmp, f"{number}/4", words=words)
        assert ended.code == 0, ended.err
    found = status(in_tmp, 0)
    assert found["done"] == 2
    shards = found["shards"]
    assert isinstance(shards, dict)
    assert sorted(each["runs"] for each in shards.values()) == [0, 0, 1, 1]


def test_a_shard_that_runs_is_seen_and_left_alone(in_tmp: Path) -> None:
    """By a second process of the same shard, by `exp sweep status`, and after kill -9."""
    command = [sys.executable, "-m", "exp", *ENDLESS, "sweep.dir=swept", "sweep.shard=1/2"]
    first = Forked(command, in_tmp, os.environ, session=True)
    try:
        until(lambda: len(list((in_tmp / "swept").glob("*/run.json"))) == 2)
        ended = shard(in_tmp, "1/2", words=ENDLESS)
        assert ended.code == 2
        host = socket.gethostname()
        refused = f"another process is working in swept/shards/1: process {first.pid} of {host}"
        assert refused in ended.err
        found = status(in_tmp, 1)
        assert (found["state"], found["running"], found["waiting"]) == ("running", 2, 2)
        shards = found["shards"]
        assert isinstance(shards, dict)
        assert shards["1/2"]["host"] == host
        assert shards["2/2"]["state"] == "not started"
    finally:
        os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    until(lambda: status(in_tmp, 1)["state"] == "killed", 5)
    assert status(in_tmp, 1)["interrupted"] == 2
    said = inside(in_tmp, "sweep", "status", "swept").out
    assert "No process works on shards 1/2: the same command continues there" in said


def test_status_of_a_sweep_without_shards(in_tmp: Path) -> None:
    words = ("-m", *SMALL, "optimizer.lr=1e30,0.1", "trainer.epochs=5", "sweep.n_jobs=1")
    assert inside(in_tmp, *words, "sweep.dir=swept").code == 3
    found = status(in_tmp, 0)
    assert (found["done"], found["diverged"], found["shards"]) == (1, 1, {})
    shutil.rmtree(in_tmp / "swept/1-optimizer.lr=0.1")
    found = status(in_tmp, 1)
    assert (found["done"], found["waiting"], found["state"]) == (0, 1, "unfinished")
    (in_tmp / "empty").mkdir()
    ended = inside(in_tmp, "sweep", "status", "empty")
    assert ended.code == 2
    assert "is not a sweep" in ended.err


@given(
    kinds=st.lists(
        st.tuples(st.integers(1, 40), st.integers(1, 64), st.floats(0.1, 9)), min_size=1, max_size=5
    ),
    shards=st.integers(1, 12),
)
def test_each_run_goes_to_one_shard(kinds: list[tuple[int, int, float]], shards: int) -> None:
    """The work of two shards differs by no more than one stack, which is as large as fits."""
    stacks = {n: StackInfo(size, seconds) for n, (_, size, seconds) in enumerate(kinds)}
    of = [stack for stack, (count, _, _) in enumerate(kinds) for _ in range(count)]
    planned = [Planned(n, (), str(n), "", (), (), {}, "", stack) for n, stack in enumerate(of)]
    found = Runs(planned, stacks=stacks)
    hands = dealt(found, shards)
    assert sorted(run.number for hand in hands for run in hand) == list(range(len(planned)))
    assert [run.number for hand in hands for run in hand] == [
        run.number for hand in dealt(found, shards) for run in hand
    ]
    loads = [sum(stacks[run.stack].seconds for run in hand) for hand in hands]
    largest = max(
        -(-count // shards) * seconds if -(-count // shards) <= size else size * seconds
        for count, size, seconds in kinds
    )
    assert max(loads) - min(loads) <= largest + 1e-9


ELSEWHERE = {"pid": 1, "host": "another", "boot": "another", "begun": "1", "since": 0.0}
"""A process of another machine, as its lock file names it."""


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Signs of life are frequent."""
    for module in (heartbeat, sweep_lock):
        monkeypatch.setattr(module, "BEAT", 0.1)


def test_a_process_of_another_machine_keeps_its_lock_while_it_lives(
    tmp_path: Path, quick: None
) -> None:
    """Where the locks of other machines do not show."""
    place = tmp_path / sweep_lock.LOCK
    place.write_text(json.dumps(ELSEWHERE))
    ended = threading.Event()

    def live() -> None:
        while not ended.wait(0.02):
            os.utime(place)

    other = threading.Thread(target=live)
    other.start()
    try:
        assert sweep_lock.sign_of(tmp_path).state == "running"
        with pytest.raises(RunDirectoryError, match="process 1 of another"):
            sweep_lock.SweepLock(tmp_path)
    finally:
        ended.set()
        other.join()
    # It was killed: nobody renews its lock.
    lock = sweep_lock.SweepLock(tmp_path)
    assert sweep_lock.holder_of(place)["pid"] == os.getpid()
    lock.release()
    assert sweep_lock.sign_of(tmp_path).state == "ended"


def test_an_old_sign_of_life_is_that_of_a_killed_process(tmp_path: Path) -> None:
    place = tmp_path / sweep_lock.LOCK
    place.write_text(json.dumps(ELSEWHERE))
    os.utime(place, (time.time() - 120,) * 2)
    assert sweep_lock.sign_of(tmp_path).state == "gone"


@pytest.mark.parametrize("locks", [True, False])
def test_a_killed_process_of_this_machine_leaves_no_lock(
    tmp_path: Path, quick: None, monkeypatch: pytest.MonkeyPatch, locks: bool
) -> None:
    gone = {**process.this(), "pid": 2**22 - 1, "since": time.time()}
    (tmp_path / sweep_lock.LOCK).write_text(json.dumps(gone))
    if not locks:  # as on a file system without flock
        monkeypatch.setattr(sweep_lock, "locked", lambda *_: None)
        monkeypatch.setattr(sweep_lock, "shared", lambda *_: None)
    assert sweep_lock.sign_of(tmp_path).state == "gone"
    begun = time.monotonic()
    lock = sweep_lock.SweepLock(tmp_path)
    assert time.monotonic() - begun < sweep_lock.PATIENCE
    assert sweep_lock.sign_of(tmp_path).state == "running"
    if locks:
        with pytest.raises(RunDirectoryError, match="another process is working"):
            sweep_lock.SweepLock(tmp_path)
    else:  # this process has it, and renews it
        with pytest.raises(RunDirectoryError, match="another process is working"):
            sweep_lock.SweepLock(tmp_path)
    lock.release()


def test_the_heartbeat_renews_the_lock(tmp_path: Path, quick: None) -> None:
    lock = sweep_lock.SweepLock(tmp_path)
    before = sweep_lock.beat_of(tmp_path / sweep_lock.LOCK)
    with contextlib.closing(contextlib.ExitStack()) as opened:
        opened.callback(lock.release)
        until(lambda: sweep_lock.beat_of(tmp_path / sweep_lock.LOCK) > before, 5)
