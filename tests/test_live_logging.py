"""Trackers while a run trains: epochs arrive as they are evaluated, and killed runs are marked."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import custom_modules
from commands import SMALL, inside, runs
from exp.engine import Training
from exp.runs.config_values import typed
from exp.runs.loggers import log_training
from exp.runs.loggers.finished_run import FinishedRun
from exp.runs.training_hooks import EndOnSignal
from exp.util.errors import Interrupted
from hooks import broken_off
from test_loggers import (  # noqa: F401 - fixtures
    client,
    events,
    hparams,
    in_mlflow,
    mlflow_database,
    needs,
    only,
    own_environment,
    rows,
    with_mlflow,
)

ENDLESS = ("figures=none", "dataset.n_samples=40", "trainer.epochs=1000000000",
           "trainer.eval_every=1000", "trainer.print_every=1000000000")  # fmt: skip
LONG = ("figures=none", "dataset.n_samples=40", "trainer.epochs=400", "trainer.checkpoint_every=10")
WAIT = 120.0
"""Seconds: machines of CI are busy."""

LIVE = """
import json, time
from exp import register
from exp.runs.loggers.logger import Logger

@register.logger("diary")
class Diary(Logger):
    \"\"\"Writes what it gets, and when.\"\"\"

    look = "diary.txt"

    def note(self, what, **more):
        with open("diary.txt", "a") as file:
            file.write(json.dumps({"what": what, "at": time.time(), **more}) + "\\n")

    def begin(self, sweep):
        self.note("begin", sweep=sweep and sweep.name)

    def start(self, run):
        self.note("start", run=run.name, lr=run.params["optimizer.lr"])
        return -1

    def epochs(self, run, rows):
        BEFORE
        self.note("epochs", run=run.name, rows=[[r.epoch, r.time, r.values] for r in rows])

    def log(self, run):
        self.note("log", run=run.name, rows=[[r.epoch, r.time, r.values] for r in run.evaluated()])
        return True

    def stopped(self, run):
        self.note("stopped", run=run.name)
        return True

    def end(self, *, well):
        self.note("end", well=well)
"""


BLOCKED = """
        while '"status": "running"' in (run.path / "run.json").read_text():
            assert time.time() - run.started < WAIT
            time.sleep(0.05)
""".replace("WAIT", str(WAIT))
"""Waits for the end of the run: if that waited too, neither would come to an end."""


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """Components that a test has registered, and their modules."""
    with custom_modules.forgotten("diary"):
        yield


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Epochs are sent whenever the other process has done everything, from the first on."""
    before = log_training.SendEpochs.before_training

    def waiting(self: log_training.SendEpochs, training: Training) -> None:
        before(self, training)
        until(self.tracker.idle)

    monkeypatch.setattr(log_training, "EVERY", 0.0)
    monkeypatch.setattr(log_training.SendEpochs, "before_training", waiting)


def diary(where: Path, before: str = "pass") -> tuple[str, str]:
    """A logger that writes a file; the words that choose it."""
    (where / "diary.py").write_text(LIVE.replace("BEFORE", before))
    return ("plugins=[diary]", "logger=diary")


def notes(where: Path) -> list[dict[str, Any]]:
    text = (where / "diary.txt").read_text() if (where / "diary.txt").exists() else ""
    return [json.loads(line) for line in text.splitlines()]


def until(found: Callable[[], Any]) -> Any:
    """What a function returns, once it returns something."""
    end = time.monotonic() + WAIT
    while not (value := found()):
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)
    return value


def started(where: Path, *words: str) -> subprocess.Popen[bytes]:
    """A run in a process of its own, which ends when it is killed."""
    with (where / "output.txt").open("w") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "exp", *words], cwd=where, stdout=output, stderr=output
        )


def epochs_in_tensorboard(folder: Path, column: str = "test/loss") -> list[int]:
    found = events(folder)
    return [e.step for e in found.Scalars(column)] if column in found.Tags()["scalars"] else []


# --- epochs while a run trains -------------------------------------------------------------------


def test_epochs_arrive_while_the_run_trains(in_tmp: Path) -> None:
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        pytest.skip("SIGINT is ignored here, and so it is in children")
    run = started(in_tmp, *ENDLESS, *diary(in_tmp), "hydra.run.dir=a")
    try:
        until(lambda: sum(each["what"] == "epochs" for each in notes(in_tmp)) >= 2)
        assert run.poll() is None
    finally:
        run.send_signal(signal.SIGINT)
    assert run.wait(WAIT) == 130
    first, *others, stopped, end = notes(in_tmp)
    assert (first["what"], stopped["what"], end["what"]) == ("begin", "stopped", "end")
    assert [each["what"] for each in others] == ["start", *["epochs"] * (len(others) - 1)]
    sent = [row for each in others for row in each.get("rows", [])]
    assert [epoch for epoch, _, _ in sent] == list(range(0, 1000 * len(sent), 1000))
    times = np.array([time for _, time, _ in sent])
    assert (np.diff(times) > 0).all()
    for each in others[1:]:  # no epoch comes before it was trained
        assert each["rows"][-1][1] <= each["at"]


@pytest.mark.usefixtures("often")
def test_each_epoch_is_logged_once_with_the_numbers_of_the_file(in_tmp: Path) -> None:
    done = inside(in_tmp, *LONG, *diary(in_tmp))
    assert done.code == 0, done.err
    assert "diary: logged 1 run; to look: diary.txt" in done.out
    every = notes(in_tmp)
    assert [each["what"] for each in every][:2] == ["begin", "start"]
    assert [each["what"] for each in every][-2:] == ["log", "end"]
    known = rows(only(done))
    sent = [row for each in every if each["what"] == "epochs" for row in each["rows"]]
    assert [[epoch, values] for epoch, _, values in sent] == [list(r) for r in known[: len(sent)]]
    (whole,) = [each["rows"] for each in every if each["what"] == "log"]
    assert [(epoch, values) for epoch, _, values in whole] == known
    run = FinishedRun.read(only(done))
    times = [time for _, time, _ in whole]
    assert run.started <= times[0] <= times[-1] <= every[-2]["at"]


@pytest.mark.usefixtures("often")
def test_a_slow_tracker_does_not_slow_the_training(in_tmp: Path) -> None:
    words = diary(in_tmp, BLOCKED)
    done = inside(in_tmp, *LONG, *words)
    assert done.code == 0, done.err
    assert [each["what"] for each in notes(in_tmp)] == ["begin", "start", "epochs", "log", "end"]


@pytest.mark.usefixtures("often")
def test_a_tracker_that_fails_is_reported_once_and_gets_the_run_at_the_end(in_tmp: Path) -> None:
    words = diary(in_tmp, "raise OSError('no route to https://me:secret@host/x')")
    done = inside(in_tmp, "figures=none", "dataset.n_samples=40", "trainer.epochs=200000",
                  "trainer.eval_every=100", *words)  # fmt: skip
    assert done.code == 0, done.err
    lines = [line for line in done.out.splitlines() if line.startswith("diary: ")]
    assert lines == [
        "diary: does not get the epochs while the run trains: no route to https://host/x",
        "diary: logged 1 run; to look: diary.txt",
    ]
    assert [each["what"] for each in notes(in_tmp)] == ["begin", "start", "begin", "log", "end"]


@needs("tensorboard")
def test_the_process_that_logs_is_killed(in_tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run is not affected, and can be logged later."""
    before = log_training.SendEpochs.before_training

    def killed(self: Any, training: Any) -> None:
        before(self, training)
        self.tracker.process.kill()
        self.tracker.process.wait()

    monkeypatch.setattr(log_training.SendEpochs, "before_training", killed)
    done = inside(in_tmp, *SMALL, "logger=tensorboard", "hydra.run.dir=a")
    assert done.code == 0, done.err
    last = done.out.splitlines()[-1]
    assert last == (
        f"the process that logs ended unexpectedly. To try again: exp log {in_tmp}/a "
        "--to tensorboard"
    )
    assert inside(in_tmp, "log", "a", "--to", "tensorboard").code == 0
    assert epochs_in_tensorboard(in_tmp / "tensorboard/a") == [0, 1]


@needs("tensorboard")
def test_a_logger_of_this_process_is_used_at_the_end(in_tmp: Path) -> None:
    """Its class cannot be imported by another process."""
    from exp import register
    from exp.runs.loggers.logger import Logger, is_live

    class Here(Logger):
        """A logger of a notebook."""

        def epochs(self, run: Any, rows: Any) -> None:
            raise AssertionError

    Here.__module__ = "__main__"
    chosen = register.logger("here")(Here)
    try:
        (component,) = [
            each for n, each in register.kinds["logger"].components.items() if n == "here"
        ]
        from exp.registry.component import Chosen

        assert chosen is Here
        assert not is_live(Chosen(component, {}))
    finally:
        del register.kinds["logger"].components["here"]


@needs("tensorboard")
@pytest.mark.usefixtures("often")
def test_the_bits_are_the_same_with_a_tracker(in_tmp: Path) -> None:
    for name, more in (("a", ()), ("b", ("logger=tensorboard",))):
        assert inside(in_tmp, *LONG, *more, f"hydra.run.dir={name}").code == 0
    one, other = (json.loads((in_tmp / name / "run.json").read_text())["digests"] for name in "ab")
    for name in ("metrics.csv", "predictions.csv", "summary.json", "checkpoints/last.safetensors"):
        assert one[name] == other[name], name


# --- interrupted and killed runs -----------------------------------------------------------------


@needs("tensorboard")
@pytest.mark.usefixtures("often")
def test_an_interrupted_run_is_marked_and_then_continued(
    with_mlflow: Path,  # noqa: F811
) -> None:
    where = with_mlflow
    words = (*LONG, "logger=[tensorboard,mlflow]", "hydra.run.dir=a")
    with broken_off(50):
        assert inside(where, *words).code == 130
    folder = where / "tensorboard/a"
    early = epochs_in_tensorboard(folder)
    assert len(early) >= 50
    assert early == list(range(len(early)))
    assert hparams(folder)[1] == 2  # STATUS_FAILURE
    first = in_mlflow(where)["a"]
    assert (first.info.status, first.data.tags["exp.status"]) == ("KILLED", "interrupted")
    marked = inside(where, "log", "a", "--to", "tensorboard", "--to", "mlflow")
    assert marked.out.count("marked 1 run as not finished") == 2

    done = inside(where, "resume", "a", "--trust")
    assert done.code == 0, done.err
    assert epochs_in_tensorboard(folder) == list(range(400))
    assert hparams(folder)[1] == 1  # STATUS_SUCCESS
    last = in_mlflow(where)["a"]
    assert (last.info.run_id, last.info.status) == (first.info.run_id, "FINISHED")
    history = client(where).get_metric_history(last.info.run_id, "test/loss")
    known = [(epoch, values["test/loss"]) for epoch, values in rows(where / "a")]
    assert sorted((each.step, each.value) for each in history) == known
    times = [each.timestamp for each in sorted(history, key=lambda each: each.step)]
    assert times == sorted(times)
    again = inside(where, "log", "a", "--to", "tensorboard", "--to", "mlflow")
    assert again.out.count("1 run already there") == 2


@needs("wandb")
@pytest.mark.usefixtures("often")
def test_wandb_continues_a_run(in_tmp: Path) -> None:
    words = (*LONG, "logger=wandb", "hydra.run.dir=a")
    with broken_off(50):
        assert inside(in_tmp, *words).code == 130
    assert inside(in_tmp, "resume", "a", "--trust").code == 0
    folders = sorted(in_tmp.glob("wandb/offline-run-*"))
    names = {folder.name.rpartition("-")[2] for folder in folders}
    assert names == {FinishedRun.read(in_tmp / "a").identity}
    assert "1 run already there" in inside(in_tmp, "log", "a", "--to", "wandb").out


@needs("tensorboard")
def test_a_killed_run_is_marked_by_the_process_that_logs(in_tmp: Path) -> None:
    run = started(in_tmp, *ENDLESS, "logger=tensorboard", "hydra.run.dir=a")
    folder = in_tmp / "tensorboard/a"
    try:
        until(lambda: folder.is_dir() and epochs_in_tensorboard(folder))
    finally:
        run.kill()
        run.wait()
    until(lambda: list(folder.glob("*.stopped")))
    assert hparams(folder)[1] == 2  # STATUS_FAILURE
    text = events(folder).Tensors("run")[0].tensor_proto.string_val[0].decode()
    assert "| status | crashed |" in text
    assert "running" in json.loads((in_tmp / "a/run.json").read_text())["status"]


@needs("tensorboard")
def test_exp_log_marks_a_run_that_was_killed_with_its_tracker(
    with_mlflow: Path,  # noqa: F811
) -> None:
    where = with_mlflow
    run = started(where, *ENDLESS, "logger=[mlflow,tensorboard]", "hydra.run.dir=a")
    try:
        until(lambda: in_mlflow_with_epochs(where))
    finally:
        children = Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()
        for pid in map(int, children):
            os.kill(pid, signal.SIGKILL)
        run.kill()
        run.wait()
    assert in_mlflow(where)["a"].info.status == "RUNNING"
    with (where / "tensorboard/a").joinpath(first_file(where / "tensorboard/a")).open("ab") as file:
        file.write(b"cut off")  # the last record may be incomplete
    done = inside(where, "log", "a", "--to", "mlflow", "--to", "tensorboard")
    assert done.out.count("marked 1 run as not finished") == 2
    found = in_mlflow(where)["a"]
    assert (found.info.status, found.data.tags["exp.status"]) == ("KILLED", "crashed")
    assert hparams(where / "tensorboard/a")[1] == 2


def in_mlflow_with_epochs(where: Path) -> bool:
    found = client(where).get_experiment_by_name("exp")
    return found is not None and any(
        "exp.last_epoch" in run.data.tags for run in in_mlflow(where).values()
    )


def in_mlflow_sweep(where: Path, status: str) -> bool:
    found = client(where).get_experiment_by_name("exp") and in_mlflow(where).get("s")
    return found is not None and found.info.status == status


def first_file(folder: Path) -> str:
    return min(path.name for path in folder.iterdir())


# --- sweeps --------------------------------------------------------------------------------------


def test_runs_of_a_sweep_are_logged_as_they_end(
    in_tmp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last run does not begin before the first is logged."""
    from exp.sweeps import train_stack

    begin = train_stack.begin

    def waiting(run: Any, origin: Any) -> Any:
        if run.number == 2:
            until(lambda: sum(each["what"] == "log" for each in notes(in_tmp)) >= 1)
        return begin(run, origin)

    monkeypatch.setattr(train_stack, "begin", waiting)
    done = inside(in_tmp, "-m", "seed=1,2,3", *SMALL, *diary(in_tmp), "sweep.dir=s",
                  "sweep.n_jobs=1", "sweep.chunk=1")  # fmt: skip
    assert done.code == 0, done.err
    every = [(each["what"], each.get("run")) for each in notes(in_tmp)]
    names = [path.name for path in runs(in_tmp / "s")]
    assert every == [("begin", None), *(("log", name) for name in names), ("end", None)]
    assert "diary: logged 3 runs; to look: diary.txt" in done.out


def test_one_process_logs_for_all_settings(in_tmp: Path) -> None:
    """Also where the settings of the logger are swept."""
    (in_tmp / "diary.py").write_text(LIVE.replace("BEFORE", "pass").replace(
        "def note(self, what, **more):", "def note(self, what, **more):\n        import os\n"
        "        more['pid'] = os.getpid()"))  # fmt: skip
    done = inside(in_tmp, "-m", "seed=1,2", *SMALL, "plugins=[diary]", "sweep.dir=s",
                  "+logger.one.name=diary", "+logger.two.name=diary", "sweep.n_jobs=1")  # fmt: skip
    assert done.code == 0, done.err
    assert len({each["pid"] for each in notes(in_tmp)}) == 1
    assert done.out.count("logged 2 runs; to look: diary.txt") == 2


def test_an_interrupted_sweep_is_marked_and_continued(with_mlflow: Path) -> None:  # noqa: F811
    where = with_mlflow
    words = ("-m", "seed=1,2", *LONG, "logger=mlflow", "sweep.dir=s", "sweep.n_jobs=1",
             "sweep.chunk=1")  # fmt: skip
    before = EndOnSignal.between_epochs

    def broken(self: EndOnSignal, training: Training) -> None:
        before(self, training)
        if training.stack.jobs[0].plan.seed == 2:  # the first run is done and logged
            raise Interrupted(between=True)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(EndOnSignal, "between_epochs", broken)
        assert inside(where, *words).code == 130
    until(lambda: in_mlflow_sweep(where, "KILLED"))  # after ten seconds it is not waited for
    done = inside(where, *words)
    assert done.code == 0, done.err
    found = in_mlflow(where)
    assert found["s"].info.status == "FINISHED"
    assert len(found) == 3


# --- TensorBoard's table of hyperparameters ------------------------------------------------------


def hparams_page(logdir: Path) -> tuple[dict[str, Any], list[Any], set[str]]:
    """What TensorBoard's server sends for its page HPARAMS: the columns by name, the rows, and the
    names of the metrics."""
    from tensorboard import context
    from tensorboard.backend.event_processing.data_provider import MultiplexerDataProvider
    from tensorboard.backend.event_processing.plugin_event_multiplexer import EventMultiplexer
    from tensorboard.plugins import base_plugin
    from tensorboard.plugins.hparams import (
        api_pb2,
        backend_context,
        get_experiment,
        list_session_groups,
    )  # fmt: skip

    reader = EventMultiplexer()
    reader.AddRunsFromDirectory(str(logdir))
    reader.Reload()
    provider = MultiplexerDataProvider(reader, str(logdir))
    plugin = base_plugin.TBContext(data_provider=provider, logdir=str(logdir))
    backend, request = backend_context.Context(plugin), context.RequestContext()
    found = get_experiment.Handler(request, backend, "", api_pb2.GetExperimentRequest()).run()
    wanted = api_pb2.ListSessionGroupsRequest(slice_size=1000, allowed_statuses=[0, 1, 2, 3])
    # As the page does when every value is checked.
    for each in found.hparam_infos:
        column = wanted.col_params.add(hparam=each.name)
        if each.domain_discrete.values:
            column.filter_discrete.CopyFrom(each.domain_discrete)
    groups = list_session_groups.Handler(request, backend, "", wanted).run()
    return (
        {each.name: each for each in found.hparam_infos},
        list(groups.session_groups),
        {each.name.tag for each in found.metric_infos},
    )


def shown_value(value: Any) -> Any:
    """A value of that table; a text as a command line has it."""
    if value is None:
        return None
    found = getattr(value, value.WhichOneof("kind"))
    return typed(found) if isinstance(found, str) else found


@needs("tensorboard")
def test_hparams_has_every_swept_key(in_tmp: Path) -> None:
    words = ("-m", *SMALL, "logger=tensorboard", "optimizer=sgd,adam", "model.hidden=[8],[8,8]",
             "trainer.batch_size=null,16", "sweep.dir=s", "sweep.n_jobs=1",
             "sweep.figures=false")  # fmt: skip
    done = inside(in_tmp, *words)
    assert done.code == 0, done.err
    more = inside(in_tmp, "-m", *SMALL, "logger=tensorboard", "optimizer=adam",
                  "optimizer.beta1=0.8,0.95", "split.standardize=true,false", "sweep.dir=t",
                  "sweep.n_jobs=1", "sweep.figures=false")  # fmt: skip
    assert more.code == 0, more.err
    columns, groups, metrics = hparams_page(in_tmp / "tensorboard")
    swept = {"optimizer", "model.hidden", "trainer.batch_size", "split.standardize",
             "optimizer.beta1"}  # fmt: skip
    assert swept <= {name for name, each in columns.items() if each.differs}
    shown = {group.name: group for group in groups}
    every = runs(in_tmp / "s") + runs(in_tmp / "t")
    assert set(shown) == {path.relative_to(in_tmp).as_posix() for path in every}
    for path in every:
        found = shown[path.relative_to(in_tmp).as_posix()]
        run = FinishedRun.read(path)
        for key in swept | {"optimizer.lr", "seed"}:
            known = run.params.get(f"{key}.name", run.params.get(key))
            assert shown_value(found.hparams.get(key)) == (known and typed(known)), key
        scores = {each.name.tag: each.value for each in found.metric_values}
        assert scores["test/accuracy"] == pytest.approx(run.rows[-1][1]["test/accuracy"])
        assert scores["test_final/f1"] == pytest.approx(run.scores["final/test/f1"])
        assert [each.status for each in found.sessions] == [1]
    assert {"test/loss", "train/loss", "test/accuracy", "test_final/f1"} <= metrics
