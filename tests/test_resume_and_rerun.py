"""exp resume, rerun and compare: what was broken off goes on, what is done again is the same."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from commands import SMALL, inside
from conftest import make_plan
from exp.engine import Job, Training, capture, train
from exp.engine.stack import Stack
from exp.runs import checkpoint
from exp.runs.directory import RunDirectory
from fork_server import Forked
from hooks import BeforeTraining, BetweenEpochs
from test_same_bits import CONFIGS, assert_same

FILES = (
    "metrics.csv", "predictions.csv", "summary.json", "checkpoints/last.safetensors",
    "checkpoints/best.safetensors", "checkpoints/last.json",
)  # fmt: skip
RUN = ("figures=none", "dataset.n_samples=80", "trainer.epochs=30", "trainer.batch_size=16")
DROPOUT = ("model.dropout=0.2", "optimizer=adam", "trainer.checkpoint_every=7")


def same(one: Path, other: Path) -> None:
    for name in FILES:
        assert (one / name).read_bytes() == (other / name).read_bytes(), name


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run; not to be changed."""
    where = tmp_path_factory.mktemp("runs")
    ended = inside(where, *RUN, *DROPOUT, f"hydra.run.dir={where / 'run'}")
    assert ended.code == 0, ended.err
    return where / "run"


def copied(run: Path, to: Path) -> Path:
    import shutil

    shutil.copytree(run, to)
    return to


def through_file(saved: checkpoint.Checkpoint, folder: Path) -> checkpoint.Checkpoint:
    """A checkpoint as it comes back from the disk."""
    directory = RunDirectory(folder)
    directory.write_all(checkpoint.content(directory, "last", *saved))
    return checkpoint.load(directory.checkpoints / "last.safetensors")


@pytest.mark.parametrize("name", [*CONFIGS, "lbfgs", "averaged", "plateau", "early stopping"])
def test_resuming_is_as_if_nothing_had_happened(name: str, tmp_path: Path) -> None:
    """From each of several epochs, as its file has it: history, weights, best weights, answers."""
    more: dict[str, dict[str, Any]] = {
        "lbfgs": {"optimizer": {"name": "lbfgs", "lr": 0.5, "max_iter": 5}},
        "averaged": {
            "optimizer": {"name": "torch", "lr": 0.02},
            "trainer": {"average": "ema", "average_decay": 0.9, "batch_size": 40, "accumulate": 2},
        },
        "plateau": {"scheduler": {"name": "plateau", "patience": 1}, "trainer": {"batch_size": 99}},
        "early stopping": {"trainer": {"early_stopping": 3, "min_delta": 0.01}},
    }
    parts = {**(CONFIGS | more)[name]}
    parts["trainer"] = {"epochs": 12, **parts.get("trainer", {})}
    job = Job.of(make_plan(seed=5, **parts))
    saved: dict[int, Any] = {}

    def keep(training: Training) -> None:
        saved[training.epoch] = capture(training, 0)

    Training(Stack([job]), [BetweenEpochs(keep)]).run()
    (whole,) = train([job])
    for epoch in (1, 5, 11):
        if epoch in saved and epoch < whole.epochs:
            neighbour = Job.of(make_plan(seed=6, **parts))
            start = through_file(saved[epoch], tmp_path)
            again, _ = train([job, neighbour], start={0: start})
            assert_same(whole, again)


def test_runs_that_go_on_train_as_one_stack(tmp_path: Path) -> None:
    """With the bits of each by itself; one that stands in another epoch goes apart."""
    more = {"batch_size": 33, "epochs": 12, "early_stopping": 4}
    optimizer = {"name": "adam", "amsgrad": True}
    jobs = [Job.of(make_plan(seed=n, optimizer=optimizer, trainer=more)) for n in range(4)]
    saved: dict[int, list[Any]] = {}

    def keep(training: Training) -> None:
        saved[training.epoch] = [capture(training, n) for n in range(training.stack.runs)]

    whole = train(jobs, hooks=[BetweenEpochs(keep)])
    sizes: list[int] = []
    start = {n: through_file(saved[2][n], tmp_path) for n in range(3)}
    start[3] = through_file(saved[3][3], tmp_path)
    counting = BeforeTraining(lambda training: sizes.append(training.stack.runs))
    again = train(jobs, start=start, hooks=[counting])
    assert sizes == [3, 1]
    for one, other in zip(whole, again, strict=True):
        assert_same(one, other)


def test_going_on_just_before_it_diverges() -> None:
    job = Job.of(make_plan(optimizer={"lr": 3e4}, trainer={"epochs": 40}))
    saved: dict[int, Any] = {}

    def keep(training: Training) -> None:
        if training.stack.runs:
            saved[training.epoch] = capture(training, 0)

    Training(Stack([job]), [BetweenEpochs(keep)]).run()
    (whole,) = train([job])
    if whole.end_reason == "diverged":
        (again,) = train([job], start={0: saved[max(saved)]})
        assert_same(whole, again)
    else:
        pytest.fail(f"it was meant to diverge, but is {whole.end_reason}")


@pytest.mark.parametrize(
    "parts",
    [{}, {"trainer": {"early_stopping": 2, "min_delta": 0.1}}, {"optimizer": {"lr": 1e30}}],
    ids=["done", "stopped", "diverged"],
)
def test_a_run_that_was_killed_after_its_last_epoch(parts: dict[str, Any]) -> None:
    """The end is saved before figures are drawn: nothing is trained twice."""
    parts = {**parts, "trainer": {"epochs": 20, **parts.get("trainer", {})}}
    (whole,) = train([Job.of(make_plan(**parts))])
    (again,) = train([whole.job], start={0: whole.checkpoint})
    assert_same(whole, again)
    tensors, numbers = whole.checkpoint
    assert again.checkpoint[1] == numbers
    for name, tensor in tensors.items():
        assert again.checkpoint[0][name].numpy().tobytes() == tensor.numpy().tobytes(), name


def killed(where: Path, *words: str, number: int, at: str, after: float) -> int:
    """Kills a run some time after a file of its directory is there; its exit code."""
    command = [sys.executable, "-m", "exp", *words, "hydra.run.dir=run"]
    process = Forked(command, where, os.environ)
    while not (where / "run" / at).exists() and process.poll() is None:
        time.sleep(0.01)
    time.sleep(after)
    process.send_signal(number)
    return process.wait()


LONG = (
    "figures=none", "dataset.n_samples=1000", "trainer.epochs=500", "trainer.batch_size=50",
    "model.dropout=0.1", "model.hidden=[128,128]", "trainer.checkpoint_every=50",
)  # fmt: skip


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run that nobody has ended."""
    where = tmp_path_factory.mktemp("undisturbed")
    assert inside(where, *LONG, "hydra.run.dir=twin").code == 0
    return where / "twin"


@pytest.mark.parametrize(
    ("number", "code", "status"),
    [
        (signal.SIGTERM, 143, "interrupted"),
        (signal.SIGINT, 130, "interrupted"),
        (signal.SIGKILL, -9, "running"),
    ],
)
def test_a_signal_and_then_resume(
    in_tmp: Path, undisturbed: Path, number: int, code: int, status: str
) -> None:
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        pytest.skip("SIGINT is ignored here, and so it is in children")
    # A polite end saves where it stands; what is killed has only what was saved before.
    at = "checkpoints/last.safetensors" if number == signal.SIGKILL else "run.json"
    assert killed(in_tmp, *LONG, number=number, at=at, after=0.2) == code
    record = json.loads((in_tmp / "run/run.json").read_text())
    assert record["status"] == status
    ended = inside(in_tmp, "resume", "run")
    assert ended.code == 0, ended.err
    assert "resuming after epoch" in ended.out
    same(in_tmp / "run", undisturbed)
    record = json.loads((in_tmp / "run/run.json").read_text())
    assert record["status"] == "done"
    assert len(record["resumed"]) == 1


def test_nothing_resume_point_with(run: Path, in_tmp: Path) -> None:
    ended = inside(in_tmp, "resume", str(run))
    assert ended.code == 0
    assert ended.out == f"{run} is done already; its 14 files are unchanged\n"


@pytest.mark.parametrize("verb", ["resume", "rerun"])
def test_what_is_no_run(in_tmp: Path, verb: str) -> None:
    (in_tmp / "empty").mkdir()
    for name, text in (
        ("none", "exp: there is no directory 'none'\n"),
        (
            "empty",
            f"exp: {in_tmp}/empty is not a run directory: run.json: No such file or directory\n",
        ),
    ):
        ended = inside(in_tmp, verb, name)
        assert (ended.code, ended.err) == (2, text)


def test_a_run_that_another_process_works_on(run: Path, in_tmp: Path) -> None:
    from exp.runs import process
    from exp.runs.directory import RunDirectory

    directory = RunDirectory(copied(run, in_tmp / "live"))
    directory.write_record(
        {**directory.read_record(), "status": "running", "process": process.this()}
    )
    directory.hold()
    for words in (("resume", "live"), ("resume", "--force", "live")):
        ended = inside(in_tmp, *words)
        assert ended.code == 2
        assert f"live is in use by process {os.getpid()} of " in ended.err
    # This process has given it up, as its lock says: then it has crashed.
    directory.release()
    assert inside(in_tmp, "resume", "live").code == 0


def test_a_crashed_run_of_another_machine_goes_on_by_force(run: Path, in_tmp: Path) -> None:
    from exp.runs import process
    from exp.runs.directory import RunDirectory

    directory = RunDirectory(copied(run, in_tmp / "moved"))
    other = {**process.this(), "host": "b2f0c7", "boot": "another", "pid": 7, "begun": "1"}
    directory.write_record({**directory.read_record(), "status": "running", "process": other})
    ended = inside(in_tmp, "resume", "moved")
    assert ended.code == 2
    assert "process 7 of b2f0c7" in ended.err
    assert "--force" in ended.err
    ended = inside(in_tmp, "resume", "--force", "moved")
    assert ended.code == 0, ended.err
    assert directory.read_record()["status"] == "done"
    assert (directory.path / "metrics.csv").read_bytes() == (run / "metrics.csv").read_bytes()


@pytest.mark.parametrize(
    ("change", "owner"),
    [
        ({}, "alive"),
        ({"begun": "0"}, "gone"),
        ({"boot": "before"}, "gone"),
        ({"boot": "before", "host": "other"}, "elsewhere"),
        ({"container": "pid:[1]"}, "hidden"),
        ({"pid": 2**70}, "gone"),
    ],
)
def test_who_is_known_to_be_gone(change: dict[str, Any], owner: str) -> None:
    from exp.runs import process

    if not process.machine():
        pytest.skip("reads /proc")
    assert process.owner({**process.this(), **change}) == owner


@pytest.mark.parametrize("verb", ["resume", "compare", "rerun"])
def test_a_flipped_byte_or_a_cut_tail_in_any_file(run: Path, in_tmp: Path, verb: str) -> None:
    names = [path.relative_to(run).as_posix() for path in run.rglob("*") if path.is_file()]
    assert len(names) == 14
    for index, name in enumerate(sorted(names)):
        copy = copied(run, in_tmp / f"{index}")
        content = bytearray((copy / name).read_bytes())
        if index % 2:
            content = content[:-1]
        else:
            content[len(content) // 2] ^= 1
        (copy / name).write_bytes(content)
        words = [verb, copy.name, *([str(run)] if verb == "compare" else [])]
        ended = inside(in_tmp, *words)
        # What came out can be the same though the log has changed: a rerun tells both.
        beside = verb == "rerun" and name.startswith((".hydra/", "exp.log"))
        assert ended.code in ((0,) if beside else (1, 2)), (name, ended.out)
        told = name.rpartition("/")[2] if name == "run.json" else name
        assert told in ended.err + ended.out, (name, ended.err, ended.out[-500:])


def test_a_rerun_is_bit_identical(run: Path, in_tmp: Path) -> None:
    ended = inside(in_tmp, "rerun", str(run), "--into", "again")
    assert ended.code == 0, ended.err
    assert ended.out.endswith("\nbit-identical\n")
    same(run, in_tmp / "again")
    parent = json.loads((in_tmp / "again/run.json").read_text())["parent"]
    assert parent["directory"] == str(run)


def test_a_rerun_with_other_values(run: Path, in_tmp: Path) -> None:
    ended = inside(in_tmp, "rerun", str(run), "seed=7", "model.hidden=[4]", "--into", "again")
    assert ended.code == 1
    assert "first in metrics.csv at epoch 0, train/loss: " in ended.out
    assert ended.out.endswith("\ndifferent\n")
    import yaml

    config = yaml.safe_load((in_tmp / "again/config.yaml").read_text())
    assert config["seeds"] == {"data": 7, "split": 7, "init": 7, "shuffle": 7}
    assert config["model"]["hidden"] == [4]


def test_a_rerun_with_a_key_that_is_not_there_names_the_nearest(run: Path, in_tmp: Path) -> None:
    ended = inside(in_tmp, "rerun", str(run), "sed=7", "optimizer.l=1")
    assert ended.code == 2
    assert "  sed          unknown key 'sed'. Did you mean 'seed'? Known: seed, " in ended.err
    assert "  optimizer.l  unknown parameter of optimizer adam 'l'." in ended.err


def test_a_rerun_into_what_holds_something(run: Path, in_tmp: Path) -> None:
    (in_tmp / "there").mkdir()
    (in_tmp / "there/thesis.tex").touch()
    ended = inside(in_tmp, "rerun", str(run), "--into", "there")
    assert ended.code == 2
    assert ended.err == (f"exp: --into: {in_tmp}/there is not empty. Choose another directory\n")


def test_a_rerun_with_a_mapping(in_tmp: Path) -> None:
    words = (*SMALL, "optimizer=torch", "optimizer.options={weight_decay: 0.1}")
    ended = inside(in_tmp, *words, "hydra.run.dir=run")
    assert ended.code == 0, ended.err
    again = inside(in_tmp, "rerun", "run", "optimizer.options={weight_decay: 0.5}", "--into", "b")
    assert again.out.endswith("\ndifferent\n"), again.err
    import yaml

    for place, decay in (("run", 0.1), ("b", 0.5)):
        config = yaml.safe_load((in_tmp / place / "config.yaml").read_text())
        assert config["optimizer"]["options"] == {"weight_decay": decay}


def test_a_sweep_or_a_folder_in_place_of_a_run(run: Path, in_tmp: Path) -> None:
    ended = inside(in_tmp, "-m", *SMALL, "seed=1,2", "sweep.n_jobs=1", "sweep.dir=all/swept")
    assert ended.code == 0, ended.err
    ended = inside(in_tmp, "compare", str(run), "all/swept")
    assert (ended.code, ended.err) == (2, (
        f"exp: {in_tmp}/all/swept is not a run directory: it is a sweep. Name one of its runs, "
        f"such as {in_tmp}/all/swept/0-seed=1\n"
    ))  # fmt: skip
    for words in (("resume", "all"), ("rerun", "all"), ("compare", str(run), "all")):
        assert inside(in_tmp, *words).err == (
            f"exp: {in_tmp}/all is not a run directory: it contains run "
            f"directories. Choose one of them, "
            f"such as {in_tmp}/all/swept\n"
        )


def test_a_rerun_with_values_that_cannot_be(run: Path, in_tmp: Path) -> None:
    words = ("optimizer.lr=-1", "model.hiden=[3]", "split")
    ended = inside(in_tmp, "rerun", str(run), *words)
    assert ended.code == 2
    assert "model.hiden" in ended.err
    assert "split" in ended.err
    assert list(in_tmp.iterdir()) == []
    assert "optimizer.lr  expected a number greater than 0, found -1" in inside(
        in_tmp, "rerun", str(run), words[0]
    ).err.replace("   ", " ").replace("  ", "  ")


def test_a_rerun_names_another_setting(run: Path, in_tmp: Path) -> None:
    from exp.runs.directory import RunDirectory

    directory = RunDirectory(copied(run, in_tmp / "before"))
    record = directory.read_record()
    record["device"]["environment"]["MKL_CBWR"] = "COMPATIBLE"
    metrics = directory.metrics.read_text().splitlines()
    fields = metrics[5].split(",")
    fields[1] = str(float(fields[1]) + 1e-6)
    directory.metrics.write_text("\n".join([*metrics[:5], ",".join(fields), *metrics[6:], ""]))
    record["digests"] = directory.digests()
    directory.write_record(record)
    ended = inside(in_tmp, "rerun", "before")
    assert ended.code == 0, ended.err
    assert "environment: device.environment.MKL_CBWR: 'COMPATIBLE' -> 'AUTO'" in ended.out
    assert ended.out.endswith("\nequal within tolerance\n")


def test_a_sweep_is_done_again_run_by_run(in_tmp: Path) -> None:
    words = ("-m", *RUN, "seed=1,2", "sweep.n_jobs=1", "sweep.dir=swept")
    assert inside(in_tmp, *words).code == 0
    ended = inside(in_tmp, "rerun", "swept")
    assert ended.code == 0, ended.err
    assert "0-seed=1: bit-identical\n" in ended.out
    assert ended.out.endswith("2 runs: 2 bit-identical\nbit-identical\n")


def test_a_sweep_goes_on(in_tmp: Path) -> None:
    import shutil

    words = ("-m", *RUN, "seed=1,2", "sweep.n_jobs=1")
    assert inside(in_tmp, *words).code == 0
    (top,) = (path.parent for path in in_tmp.glob("multirun/*/*/sweep.json"))
    kept = (top / "0-seed=1/metrics.csv").read_bytes()
    shutil.rmtree(top / "0-seed=1")
    ended = inside(in_tmp, "resume", str(top))
    assert ended.code == 0, ended.err
    assert "1 of 2 runs are already finished" in ended.out
    assert (top / "0-seed=1/metrics.csv").read_bytes() == kept


def test_compare_shows_only_what_differs(run: Path, in_tmp: Path) -> None:
    inside(in_tmp, *RUN, *DROPOUT, "optimizer.lr=0.5", "hydra.run.dir=other")
    ended = inside(in_tmp, "compare", str(run), "other")
    assert ended.code == 1
    lines = ended.out.splitlines()
    at = lines.index(next(line for line in lines if line.startswith("config")))
    assert lines[at + 1].split() == ["optimizer.lr", "0.01", "0.5"]
    assert lines[at + 2] == ""
    assert "environment: the same" in ended.out
    assert "data: the same" in ended.out
    assert "not the same bytes: metrics.csv" in lines[-1]
    again = inside(in_tmp, "compare", str(run), str(run))
    assert again.code == 0
    assert again.out.endswith("\nbit-identical\n")


def test_two_that_go_on_with_one_run_at_once(in_tmp: Path) -> None:
    """One does; the other ends with one clear error, and has changed nothing."""
    words = ("figures=none", "trainer.epochs=1000000", "trainer.checkpoint_every=20")
    at = "checkpoints/last.json"
    assert killed(in_tmp, *words, number=signal.SIGKILL, at=at, after=0.1) == -9
    command = [sys.executable, "-m", "exp", "resume", "run"]
    both = []
    for number in (0, 1):
        with open(f"{number}.out", "wb") as out, open(f"{number}.err", "wb") as err:
            both.append(Forked(command, in_tmp, os.environ, stdout=out, stderr=err))
    try:
        end = time.monotonic() + 120
        while all(each.poll() is None for each in both) and time.monotonic() < end:
            time.sleep(0.05)
        one, other = sorted((0, 1), key=lambda number: both[number].poll() is None)
        assert both[one].poll() == 2, Path(f"{one}.out").read_text()
        assert re.fullmatch(r"exp: \S+/run is in use by [^\n]+\n", Path(f"{one}.err").read_text())
        assert "resuming" not in Path(f"{one}.out").read_text()
        directory = RunDirectory(in_tmp / "run")
        while "resumed" not in directory.read_record() and time.monotonic() < end:
            time.sleep(0.05)
        time.sleep(0.5)
        assert Path(f"{other}.out").read_text().startswith("resuming after epoch ")
        both[other].send_signal(signal.SIGTERM)
        assert both[other].wait(60) == 143, Path(f"{other}.err").read_text()
        record = directory.read_record()
        assert record["status"] == "interrupted"
        assert len(record["resumed"]) == 1
    finally:
        for each in both:
            each.kill()
            each.wait()
