"""Sweeps whose stacks train on a cluster: Ray and Dask with two workers, submitit's local jobs."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

import fork_server
from commands import SMALL, inside
from exp.runs.manifest import read_json
from exp.sweeps import job_session
from fork_server import Forked
from reading import ROOT, Written, split, steps

RESULTS = (
    "metrics.csv", "predictions.csv", "summary.json", "config.yaml", "checkpoints/last.safetensors"
)  # fmt: skip
LONG = ("-m", "run.reuse=false", "figures=none", "dataset.n_samples=400", "trainer.epochs=240000",
        "sweep.figures=false",
        "trainer.eval_every=1000", "trainer.checkpoint_every=1000", "seed=range(0,4)")  # fmt: skip
"""A sweep that takes some seconds, so that something can happen to it."""
LOCAL = ("sweep.backend=submitit", "sweep.submitit={cluster: local, timeout_min: 5}")
submitit = pytest.mark.skipif(find_spec("submitit") is None, reason="submitit is not installed")


def results(top: Path) -> dict[str, bytes]:
    return {
        path.relative_to(top).as_posix(): path.read_bytes()
        for path in sorted(top.glob("*-*/**/*"))
        if path.as_posix().endswith(RESULTS)
    }


def until(true: Callable[[], object], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What the long sweep gives on this machine."""
    where = tmp_path_factory.mktemp("undisturbed")
    ended = inside(where, *LONG, "sweep.n_jobs=1", "sweep.dir=swept")
    assert ended.code == 0, ended.err
    return results(where / "swept")


@pytest.mark.parametrize(
    ("backend", "module"), [("dask", "distributed"), ("ray", "ray"), ("submitit", "submitit")]
)
def test_two_workers_of_a_cluster_give_the_same_bytes(
    in_tmp: Path, backend: str, module: str
) -> None:
    if find_spec(module) is None:
        pytest.skip(f"{module} is not installed")
    words = ("-m", *SMALL, "optimizer=sgd,adam", "seed=0,1", "run.reuse=false")
    assert inside(in_tmp, *words, "sweep.n_jobs=1", "sweep.dir=here").code == 0
    local = LOCAL[1:] if backend == "submitit" else ()
    process = started(in_tmp, *words, f"sweep.backend={backend}", *local, "sweep.n_jobs=2")
    assert process.wait(120) == 0, (in_tmp / "out").read_text()
    said = (in_tmp / "out").read_text()
    assert said.count("a stack of 2") == 2
    assert results(in_tmp / "here") == results(in_tmp / "swept")
    assert not (in_tmp / "swept/submitit").exists()


def started(where: Path, *words: str) -> Forked:
    """A sweep in `swept`, in a session of its own."""
    command = [sys.executable, "-m", "exp", *words, "sweep.dir=swept"]
    with open(where / "out", "ab") as out:
        return Forked(command, where, os.environ, stdout=out, stderr=out, session=True)


def tasks(sweep: Path) -> dict[int, int]:
    """The processes of submitit's local jobs: process of a job -> the one that trains."""
    found = {}
    for file in sweep.glob("submitit/*/*_submitted.pkl"):
        controller = int(file.name.partition("_")[0])
        try:
            children = Path(f"/proc/{controller}/task/{controller}/children").read_text().split()
        except OSError:
            continue
        found.update((controller, int(child)) for child in children)
    return found


def running(sweep: Path) -> Iterator[Path]:
    """Runs that train now."""
    for path in sweep.glob("*/run.json"):
        if (read_json(path) or {}).get("status") == "running":
            yield path.parent


@submitit
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")
def test_jobs_that_are_preempted_and_killed_go_on(
    in_tmp: Path, undisturbed: dict[str, bytes]
) -> None:
    """One job gets the signal before a preemption and is queued again; one is killed at once."""
    process = started(in_tmp, *LONG, *LOCAL, "sweep.n_jobs=2")
    swept = in_tmp / "swept"
    until(lambda: len(list(running(swept))) == 4)
    preempted, killed = sorted(tasks(swept).values())
    os.kill(preempted, signal.SIGUSR2)
    os.kill(killed, signal.SIGKILL)
    assert process.wait(120) == 0, (in_tmp / "out").read_text()
    said = (in_tmp / "out").read_text()
    assert "2 runs tried again, in 2 stacks: job" in said  # those of the killed job only
    logs = [path.read_text() for path in swept.glob("*/exp.log")]
    assert all(log.count("Epoch: 0 |") == 1 for log in logs)  # they went on, and began once
    assert sum(log.count("; run directory ") == 2 for log in logs) >= 2
    assert "Requeued job" in "".join(p.read_text() for p in swept.glob("submitit/*/*.out"))
    assert results(swept) == undisturbed
    # The logs of the jobs are kept, as one of them was killed; nothing else is.
    assert not list(swept.glob("submitit/*/*.job"))


@submitit
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")
def test_jobs_end_with_their_sweep(in_tmp: Path, undisturbed: dict[str, bytes]) -> None:
    """Ctrl-C saves the runs; kill -9 leaves jobs, which the same command ends before it goes on."""
    swept = in_tmp / "swept"
    words = (*LONG, *LOCAL, "sweep.n_jobs=1")
    process = started(in_tmp, *words)
    until(lambda: len(list(running(swept))) == 4)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    assert "4 saved before they were complete" in (in_tmp / "out").read_text()
    process = started(in_tmp, *words)
    until(lambda: len(list(running(swept))) == 4)
    (left,) = tasks(swept).values()
    process.kill()
    process.wait()
    assert Path(f"/proc/{left}").exists()
    process = started(in_tmp, *words)
    assert process.wait(120) == 0, (in_tmp / "out").read_text()
    assert "waiting for 1 jobs of an earlier process to end" in (in_tmp / "out").read_text()
    assert results(swept) == undisturbed


def test_a_session_that_is_not_renewed_is_not_wanted(tmp_path: Path) -> None:
    session = job_session.Session(tmp_path)
    try:
        assert job_session.is_wanted(session.path)
        old = time.time() - job_session.GONE - 1
        os.utime(session.path / job_session.GO, (old, old))
        assert not job_session.is_wanted(session.path)
    finally:
        session.close(keep=False)
    assert not job_session.is_wanted(session.path)
    assert list(tmp_path.iterdir()) == []


@submitit
@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ("{cluster: local, timeout_min: long}", "sweep.submitit  Parameter "),
        ("{cluster: nowhere}", "sweep.submitit  "),
        ("{cluster: local, slurm_setup: reboot}", "sweep.submitit.slurm_setup  no such setting"),
        ("{cluster: local, slurm_gres: 'a$(b)'}", "sweep.submitit.slurm_gres  expected plain text"),
        ("{cluster: local, timeout_mim: 3}", "Did you mean 'timeout_min'?"),
        ("{cluster: local, nodes: 2}", "sweep.submitit.nodes  "),
        ("{cluster: local, gpus_per_node: 99}", "sweep.submitit.gpus_per_node  asks for 99 GPUs"),
        ("3", "sweep.submitit  "),
    ],
)
def test_jobs_that_cannot_be(in_tmp: Path, given: str, fault: str) -> None:
    words = ("-m", *SMALL, "seed=0,1", "sweep.backend=submitit", f"sweep.submitit={given}")
    ended = inside(in_tmp, *words)
    assert ended.code == 2
    assert "1 fault in the config; nothing was started" in ended.err
    assert fault in ended.err
    assert list(in_tmp.iterdir()) == []


@submitit
def test_gpus_of_this_machine_are_shared_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from exp.sweeps.submitit_cluster import Jobs

    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,GPU-abc, 5")
    jobs = Jobs({"cluster": "local", "gpus_per_node": 2, "partition": "short"}, 4)
    assert jobs._has_gpus()
    taken = jobs._take_gpus()
    assert taken == ("3", "GPU-abc")
    assert not jobs._has_gpus()
    jobs._give_back(taken)
    assert jobs._take_gpus() == ("5", "3")


def script(name: str) -> str:
    """A script of docs/cluster.md."""
    page = (ROOT / "docs/cluster.md").read_text()
    return next(s.content for s in steps(page) if isinstance(s, Written) and s.path == name)


def programs(where: Path, **texts: str) -> dict[str, str]:
    """An environment in which programs are these shell scripts."""
    folder = where / "bin"
    folder.mkdir()
    for name, text in texts.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    return {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}


def test_a_job_array_of_slurm_rehearsed(in_tmp: Path) -> None:
    """Every task of the page's script, all at once, as Slurm starts them."""
    text = script("array.sh")
    (array,) = re.findall(r"--array=(\d+)-(\d+)$", text, re.M)
    words = split(" ".join(text.split("python -m exp")[1].replace("\\\n", " ").split()))
    kept = [word for word in words if not word.startswith("sweep.")]
    assert inside(in_tmp, *kept, "sweep.n_jobs=1", "sweep.dir=whole").code == 0
    server = Path(fork_server.__file__)
    python = f'exec {sys.executable} {server} {fork_server.server()} "$@"'
    variables = programs(in_tmp, python=python)
    (in_tmp / "array.sh").write_text(text)
    tasks = [
        subprocess.Popen(
            ["bash", "array.sh"], cwd=in_tmp, stdout=subprocess.PIPE, text=True,
            env={**variables, "SLURM_ARRAY_TASK_ID": str(task)},
        )
        for task in range(int(array[0]), int(array[1]) + 1)
    ]  # fmt: skip
    for task in tasks:
        said, _ = task.communicate(timeout=120)
        assert task.returncode == 0, said
        assert "4 runs to do in array/" in said
    assert inside(in_tmp, "sweep", "status", "array").code == 0
    assert results(in_tmp / "array") == results(in_tmp / "whole")


def test_a_task_that_slurm_ends_is_queued_again(
    in_tmp: Path, undisturbed: dict[str, bytes]
) -> None:
    """The page's script with SIGTERM to the shell of the job, as `--signal=B:TERM` sends it."""
    text = script("requeue.sh")
    (command,) = re.findall(r"exp (-m .*?) sweep\.n_jobs", text.replace("\\\n   ", ""), re.S)
    text = text.replace("\\\n   ", "").replace(command, shlex.join(LONG)).replace("}/4'", "}/1'")
    (in_tmp / "requeue.sh").write_text(text)
    python = f'exec {sys.executable} "$@"'
    variables = programs(in_tmp, python=python, scontrol='echo "$@" >> asked')
    variables |= {"SLURM_ARRAY_TASK_ID": "1", "SLURM_JOB_ID": "77"}

    def job() -> subprocess.Popen[bytes]:
        return subprocess.Popen(["bash", "requeue.sh"], cwd=in_tmp, env=variables)

    first = job()
    until(lambda: len(list(running(in_tmp / "requeued"))) == 4)
    first.send_signal(signal.SIGTERM)
    assert first.wait(60) == 143
    assert (in_tmp / "asked").read_text() == "requeue 77\n"
    assert not list(running(in_tmp / "requeued"))
    assert job().wait(120) == 0
    assert (in_tmp / "asked").read_text() == "requeue 77\n"
    assert results(in_tmp / "requeued") == undisturbed
