"""Loggers: what arrives is read back by each library's own client, and compared with the files.

A library that is not installed leaves its tests out: `pip install 'exp[tensorboard,mlflow,wandb]'`.
"""

from __future__ import annotations

import csv
import hashlib
import importlib.util
import json
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

import custom_modules
from commands import SMALL, Ended, inside, runs
from exp.config.plan import loggers_of
from exp.runs.config_values import flat, written
from exp.runs.loggers.finished_run import FinishedRun
from exp.runs.loggers.log_runs import quiet, reason
from exp.util import packages

FEW = ("dataset.n_samples=40", "trainer.epochs=5", "figures.draw=[data,boundary]", "figures.dpi=40",
       "figures.resolution=16", "figures.frames=0")  # fmt: skip


def needs(module: str) -> Any:
    there = importlib.util.find_spec(module) is not None
    return pytest.mark.skipif(not there, reason=f"pip install 'exp[{module}]'")


def only(done: Ended) -> Path:
    """The run directory: a logger may have copied its files elsewhere."""
    (found,) = runs(done.where / "outputs")
    return found


def rows(run: Path) -> list[tuple[int, dict[str, float]]]:
    """metrics.csv: epoch and values of each row."""
    with (run / "metrics.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    return [(int(line["epoch"]), {k: float(v) for k, v in line.items() if k != "epoch"})
            for line in lines]  # fmt: skip


def final(run: Path) -> dict[str, float]:
    """The numbers among the final scores of summary.json."""
    found = json.loads((run / "summary.json").read_text())["final"]
    return {f"final/{k}": v for k, v in found.items() if isinstance(v, (int, float))}


def params(run: Path) -> dict[str, str]:
    config = yaml.safe_load((run / "config.yaml").read_text())
    return {key: written(value) for key, value in flat(config)}


def digests(run: Path) -> dict[str, str]:
    return {
        path.relative_to(run).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in run.rglob("*") if path.is_file()
    }  # fmt: skip


# --- reading back --------------------------------------------------------------------------------


def events(folder: Path) -> Any:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    everything = {"scalars": 0, "images": 0, "tensors": 0}
    return EventAccumulator(str(folder), size_guidance=everything).Reload()


def same_in_tensorboard(where: Path, run: Path) -> None:
    found = events(where / "tensorboard" / run.relative_to(where))
    known = rows(run)
    for column in known[0][1]:
        read = [(each.step, each.value) for each in found.Scalars(column)]
        assert read == [(epoch, float(np.float32(values[column]))) for epoch, values in known]
    for name, value in final(run).items():
        split, _, score = name.removeprefix("final/").rpartition("/")
        (read,) = found.Scalars(f"{split}_final/{score}")
        assert (read.step, read.value) == (known[-1][0], float(np.float32(value)))
    for path in (run / "figures").glob("*.png"):
        (image,) = found.Images(f"figures/{path.stem}")
        assert image.encoded_image_string == path.read_bytes()
        assert (image.step, image.width > 0, image.height > 0) == (known[-1][0], True, True)
    (text,) = found.Tensors("run")
    record = json.loads((run / "run.json").read_text())
    said = text.tensor_proto.string_val[0].decode()
    assert f"| signature | {record['signature']} |" in said
    assert f"| status | {record['status']} |" in said


def hparams(folder: Path) -> tuple[dict[str, Any], int]:
    """The hyperparameters as TensorBoard's plugin reads them, and the status of the session."""
    from tensorboard.plugins.hparams import metadata

    found = events(folder).summary_metadata
    start, end = (
        metadata.parse_session_start_info_plugin_data, metadata.parse_session_end_info_plugin_data
    )  # fmt: skip
    opened = start(found[metadata.SESSION_START_INFO_TAG].plugin_data.content)
    closed = end(found[metadata.SESSION_END_INFO_TAG].plugin_data.content)
    values = {k: getattr(v, str(v.WhichOneof("kind"))) for k, v in opened.hparams.items()}
    return values, closed.status


def client(where: Path) -> Any:
    from mlflow import MlflowClient

    return MlflowClient(f"sqlite:///{where}/mlflow.db")


def in_mlflow(where: Path) -> dict[str, Any]:
    """Name -> run, of everything in the experiment."""
    known = client(where)
    experiment = known.get_experiment_by_name("exp")
    return {run.info.run_name: run for run in known.search_runs([experiment.experiment_id])}


def same_in_mlflow(where: Path, run: Path) -> Any:
    known, found = client(where), in_mlflow(where)[run.name]
    expected = rows(run)
    for column in expected[0][1]:
        history = known.get_metric_history(found.info.run_id, column)
        read = sorted((each.step, each.value) for each in history)
        assert read == [(epoch, values[column]) for epoch, values in expected]
    scores = {name.replace("/", "."): value for name, value in final(run).items()}
    assert scores.items() <= found.data.metrics.items()
    assert found.data.params == params(run)
    record = json.loads((run / "run.json").read_text())
    tags = {"signature": record["signature"], "status": record["status"], "seed": "42"}
    assert {f"exp.{k}": v for k, v in tags.items()}.items() <= found.data.tags.items()
    place = Path(found.info.artifact_uri.removeprefix("file://"))
    model = {name for name in digests(place) if name.startswith("model/")}
    assert {n: d for n, d in digests(place).items() if n not in model} == digests(run)
    assert "model/MLmodel" in model
    return found


def records(where: Path) -> dict[str, list[Any]]:
    """Name of a run -> the records of its .wandb file.

    wandb's process says that a run has ended, and only then writes the end of its file.
    """
    found = {}
    for path in where.glob("wandb/offline-run-*/*.wandb"):
        end = time.monotonic() + 120
        while not any(record.HasField("exit") for record in read_records(path)):
            assert time.monotonic() < end, f"{path.name} has no end"
            time.sleep(0.05)
        each = read_records(path)
        (name,) = {record.run.display_name for record in each if record.HasField("run")}
        found[name] = each
    return found


def read_records(path: Path) -> list[Any]:
    """The records of a .wandb file: LevelDB's log format, wandb's own messages.

    https://github.com/google/leveldb/blob/main/doc/log_format.md; seven bytes stand in front.
    """
    from wandb.proto.wandb_internal_pb2 import Record

    data, at, whole, each = path.read_bytes(), 7, b"", []
    while at + 7 <= len(data):
        if 32768 - at % 32768 < 7:
            at += 32768 - at % 32768
            continue
        _, size, kind = struct.unpack("<IHB", data[at : at + 7])
        if at + 7 + size > len(data):
            break  # is being written
        whole += data[at + 7 : at + 7 + size]
        at += 7 + size
        if kind in (1, 4):  # whole, or its last part
            record = Record()
            record.ParseFromString(whole)
            each.append(record)
            whole = b""
    return each


def same_in_wandb(where: Path, run: Path) -> Any:
    said = records(where)[run.name]
    steps: list[tuple[int, dict[str, float]]] = []
    for record in said:
        if record.HasField("history"):
            items = {i.key or "/".join(i.nested_key): i.value_json for i in record.history.item}
            numbers = {k: json.loads(v) for k, v in items.items() if not k.startswith("figures/")}
            kept = {k: float(v) for k, v in numbers.items() if k[0] != "_" and k != "epoch"}
            assert numbers["_step"] == numbers["epoch"]
            steps.append((numbers["epoch"], kept))
    assert steps == rows(run)
    # As it was opened, and with its status at the end.
    opened, *_, ended = [record.run for record in said if record.HasField("run")]
    config = {item.key: json.loads(item.value_json) for item in opened.config.update}
    stored = yaml.safe_load((run / "config.yaml").read_text())
    assert {key: config[key] for key in stored} == stored
    record = json.loads((run / "run.json").read_text())
    assert config["run"]["signature"] == record["signature"]
    assert list(ended.tags) == [record["status"]]
    (folder,) = where.glob(f"wandb/*-{opened.run_id}")
    assert digests(folder / "files/run") == digests(run)
    drawn = {path.read_bytes() for path in folder.rglob("media/images/**/*.png")}
    assert drawn == {path.read_bytes() for path in (run / "figures").glob("*.png")}
    return opened


# --- one run -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def mlflow_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database: MLflow takes many seconds to make one."""
    if importlib.util.find_spec("mlflow") is None:
        pytest.skip("pip install 'exp[mlflow]'")
    place = tmp_path_factory.mktemp("mlflow")
    with pytest.MonkeyPatch.context() as patch, quiet():
        patch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
        client(place).search_experiments()
    return place / "mlflow.db"


@pytest.fixture
def with_mlflow(in_tmp: Path, mlflow_database: Path) -> Path:
    (in_tmp / "mlflow.db").write_bytes(mlflow_database.read_bytes())
    return in_tmp


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No key, server or habit of whoever runs the tests."""
    for name in ("WANDB_API_KEY", "WANDB_MODE", "WANDB_BASE_URL", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "no-netrc"))
    # Seconds until wandb's own process has to answer: machines of CI are busy.
    monkeypatch.setenv("WANDB_X_SERVICE_WAIT", "300")


@needs("tensorboard")
def test_tensorboard_has_every_number(in_tmp: Path) -> None:
    done = inside(in_tmp, *FEW, "logger=tensorboard")
    assert done.code == 0, done.err
    assert done.out.endswith(
        "tensorboard: logged 1 run; to look: tensorboard --logdir tensorboard\n"
    )
    same_in_tensorboard(in_tmp, only(done))
    values, status = hparams(in_tmp / "tensorboard" / only(done).relative_to(in_tmp))
    assert (values["optimizer.lr"], values["seed"], values["model.hidden"]) == (0.1, 42, "[8,8]")
    assert (values["split.standardize"], status) == (False, 1)  # STATUS_SUCCESS


@needs("tensorboard")
def test_the_same_run_gives_the_same_event_file(in_tmp: Path) -> None:
    from exp.runs.loggers.event_file import content

    run = FinishedRun.read(only(inside(in_tmp, *SMALL)))
    assert content(run) == content(FinishedRun.read(run.path))


@needs("wandb")
def test_wandb_offline_has_every_number(in_tmp: Path) -> None:
    done = inside(in_tmp, *FEW, "logger=wandb")
    assert done.code == 0, done.err
    assert done.out.endswith("wandb: logged 1 run; to look: wandb sync wandb/offline-run-*\n")
    opened = same_in_wandb(in_tmp, only(done))
    assert (opened.project, opened.run_group) == ("exp", "")


@needs("tensorboard")
def test_two_at_once(with_mlflow: Path) -> None:
    done = inside(with_mlflow, *FEW, "logger=[tensorboard,mlflow]")
    assert done.code == 0, done.err
    same_in_tensorboard(with_mlflow, only(done))
    found = same_in_mlflow(with_mlflow, only(done))
    assert found.info.status == "FINISHED"
    assert "mlflow.parentRunId" not in found.data.tags


@needs("mlflow")
def test_mlflow_loads_the_model_which_predicts(
    with_mlflow: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same as `exp predict`, for rows of a table with texts and gaps."""
    import mlflow
    import pandas as pd

    rng = np.random.default_rng(0)
    table = pd.DataFrame({"a": rng.normal(size=60), "b": rng.choice(["x", "y"], 60)})
    table["kind"] = np.where(table["a"] > 0, "up", "down")
    table.loc[3, "a"] = None
    table.to_csv(with_mlflow / "t.csv", index=False)
    words = ("dataset=csv", "dataset.path=t.csv", "dataset.target=kind", "figures=none",
             "trainer.epochs=20", "dataset.missing=impute", "logger=mlflow")  # fmt: skip
    done = inside(with_mlflow, *words)
    assert done.code == 0, done.err
    new = table.drop(columns="kind").head(8)
    new.to_csv(with_mlflow / "new.csv", index=False)
    run = only(done).relative_to(with_mlflow)
    predicted = inside(with_mlflow, "predict", str(run), "new.csv", "--output", "answers.csv")
    assert predicted.code == 0, predicted.err
    known = pd.read_csv(with_mlflow / "answers.csv")

    monkeypatch.chdir(with_mlflow)
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri("sqlite:///mlflow.db")
    try:
        run_id = in_mlflow(with_mlflow)[only(done).name].info.run_id
        with quiet():
            model = mlflow.pyfunc.load_model(f"runs:/{run_id}/model")
        answers = model.predict(new)
    finally:
        mlflow.set_tracking_uri(before)
    columns = [name for name in known if name.startswith("probability")]
    np.testing.assert_allclose(answers[columns], known[columns], atol=1e-6)
    assert list(answers["predicted"]) == list(known["predicted"])
    assert model.metadata.signature.inputs.input_names() == ["a", "b"]


def test_a_logger_changes_no_result(in_tmp: Path) -> None:
    """Neither its signature, nor a digest of what it has written: exp.log is not added to."""
    module(in_tmp, "talks", "import logging; logging.getLogger().error('to exp.log'); print('out')")
    plain = inside(in_tmp, *FEW, "hydra.run.dir=a")
    logged = inside(in_tmp, *FEW, "plugins=[talks]", "logger=[]", "+logger.x.name=talks",
                    "hydra.run.dir=b")  # fmt: skip
    assert (plain.code, logged.code) == (0, 0), logged.err
    assert "x: logged 1 run; to look: nowhere" in logged.out
    one, other = (json.loads((in_tmp / d / "run.json").read_text()) for d in "ab")
    assert one["signature"] == other["signature"]
    assert FinishedRun.read(in_tmp / "b").digest
    assert "is done already" in inside(in_tmp, "resume", "b", "--trust").out
    for name, digest in one["digests"].items():
        if name not in ("config.yaml", "exp.log") and not name.startswith(".hydra"):
            assert other["digests"][name] == digest, name


# --- what goes wrong -----------------------------------------------------------------------------


def module(where: Path, name: str, does: str) -> None:
    """A logger of one's own, in a module of the same name."""
    (where / f"{name}.py").write_text(
        "from exp import register\n\n\n"
        f'@register.logger("{name}")\nclass Own:\n    """A logger of a test."""\n'
        "    look = 'nowhere'\n"
        "    def begin(self, sweep): pass\n"
        "    def end(self, *, well): pass\n"
        f"    def log(self, run):\n        {does}\n        return True\n"
    )


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """Components that a test has registered, and their modules: other tests have such names."""
    with custom_modules.forgotten("talks", "broken"):
        yield


@pytest.mark.parametrize("words", [(), ("-m", "seed=1,2"), ("-m", "hydra/launcher=basic")])
def test_a_missing_package_is_told_before_anything_starts(
    in_tmp: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.setattr(packages, "find_spec", lambda name: None)
    done = inside(in_tmp, *words, *SMALL, "logger=[tensorboard,wandb]", "optimizer.lr=-1")
    assert done.code == 2
    assert done.err == (
        "exp: 3 faults in the config; nothing was started\n"
        "  logger.tensorboard  tensorboard is not installed: pip install 'exp[tensorboard]'\n"
        "  logger.wandb        wandb is not installed: pip install 'exp[wandb]'\n"
        "  optimizer.lr        expected a number greater than 0, found -1\n"
    )
    assert runs(in_tmp) == []


def test_a_folder_is_no_package(in_tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (in_tmp / "nothing_but_a_folder").mkdir()
    monkeypatch.syspath_prepend(in_tmp)
    assert not packages.importable("nothing_but_a_folder")
    assert packages.importable("json")


def test_a_logger_that_fails_loses_nothing(in_tmp: Path) -> None:
    module(in_tmp, "broken", "raise OSError('no route to https://me:secret@host/x')")
    words = ("plugins=[broken]", "+logger.b.name=broken")
    done = inside(in_tmp, *SMALL, *words)
    assert done.code == 0
    last = done.out.splitlines()[-1]
    assert last == (
        "b: 1 run could not be logged: no route to https://host/x. "
        f"To try again: exp log {only(done).relative_to(in_tmp)} --to b"
    )
    swept = inside(in_tmp, "-m", "seed=1,2", *SMALL, *words, "sweep.dir=s", "sweep.n_jobs=1")
    assert swept.code == 0, swept.err
    assert swept.out.count("could not be logged") == 1
    assert "b: 2 runs could not be logged: no route" in swept.out


def test_a_long_error_is_one_line() -> None:
    assert reason(ValueError("one\ntwo")) == "one two"
    assert len(reason(ValueError("x" * 1000))) <= 300
    assert reason(KeyError()) == "KeyError"


@pytest.mark.parametrize("given", [{"name": "nobody"}, "nobody", ["nobody"], {"x": "nobody"}])
def test_an_unknown_logger_is_told(given: object) -> None:
    _, (fault,) = loggers_of(given)
    assert fault.path.startswith("logger.")
    assert fault.message.startswith("unknown logger 'nobody'. Known: mlflow, none, tensorboard")


def test_what_is_no_logger_is_told() -> None:
    assert loggers_of(3)[1][0].message.startswith("expected names of loggers")
    assert loggers_of(None) == loggers_of([]) == loggers_of("none") == ({}, [])


@needs("tensorboard")
def test_a_run_that_failed_or_diverged_is_logged_as_that(in_tmp: Path) -> None:
    """Its numbers that are not finite arrive as what they are."""
    done = inside(in_tmp, *SMALL, "optimizer.lr=1e30", "loss=mse", "logger=tensorboard")
    assert done.code == 3, done.out + done.err
    folder = in_tmp / "tensorboard" / only(done).relative_to(in_tmp)
    assert hparams(folder)[1] == 2  # STATUS_FAILURE
    said = events(folder).Tensors("run")[0].tensor_proto.string_val[0].decode()
    assert "| status | diverged |" in said


def test_a_secret_is_logged_by_name(in_tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUN_NAME_OF_MINE", "hush")
    run = FinishedRun.read(only(inside(in_tmp, *SMALL, "name=${oc.env:RUN_NAME_OF_MINE}")))
    assert run.params["name"] == "${oc.env:RUN_NAME_OF_MINE}"
    assert "hush" not in json.dumps([run.params, run.config, {**run.tags, "directory": ""}])


# --- sweeps, and runs that are there -------------------------------------------------------------


def test_a_sweep_is_nested_and_logged_once(with_mlflow: Path) -> None:
    words = ("-m", "seed=1,2", *SMALL, "logger=mlflow", "sweep.dir=s", "sweep.n_jobs=1")
    done = inside(with_mlflow, *words)
    assert done.code == 0, done.err
    assert "mlflow: logged 2 runs; to look: mlflow ui --backend-store-uri sqlite:///mlflow.db" in (
        done.out
    )
    found = in_mlflow(with_mlflow)
    parent = found.pop("s")
    assert sorted(found) == sorted(path.name for path in runs(with_mlflow / "s"))
    for run in found.values():
        assert run.data.tags["mlflow.parentRunId"] == parent.info.run_id
        assert run.data.tags["exp.status"] == "done"
    known = client(with_mlflow)
    artifacts = {each.path for each in known.list_artifacts(parent.info.run_id)}
    assert {"runs.csv", "sweep.json"} <= artifacts
    again = inside(with_mlflow, *words[:1], "seed=1,2,3", *words[2:])
    assert "mlflow: logged 1 run, 2 runs already there" in again.out
    assert len(in_mlflow(with_mlflow)) == 4
    later = inside(with_mlflow, "log", "s", "--to", "mlflow")
    assert (later.code, later.err) == (0, "")
    assert later.out.startswith("mlflow: 3 runs already there; to look: ")


@needs("wandb")
@needs("tensorboard")
def test_a_sweep_in_processes(in_tmp: Path) -> None:
    done = inside(in_tmp, "-m", "seed=1,2", *SMALL, "logger=[tensorboard,wandb]", "sweep.n_jobs=2")
    assert done.code == 0, done.err
    for run in runs(in_tmp / "multirun"):
        same_in_tensorboard(in_tmp, run)
        assert same_in_wandb(in_tmp, run).run_group == run.parent.name


@needs("tensorboard")
@pytest.mark.parametrize("launcher", ["basic", "stacked"])
def test_another_sweepers_runs_are_logged(in_tmp: Path, launcher: str) -> None:
    done = inside(in_tmp, "-m", "seed=1,2", *SMALL, "logger=tensorboard", "hydra/sweeper=basic",
                  f"hydra/launcher={launcher}", "hydra.sweep.dir=s", "sweep.n_jobs=1")  # fmt: skip
    assert "tensorboard: logged 2 runs" in done.out, done.err
    for run in runs(in_tmp):
        same_in_tensorboard(in_tmp, run)


@needs("tensorboard")
def test_done_again_or_gone_on_with_it_is_logged_too(in_tmp: Path) -> None:
    first = inside(in_tmp, *SMALL, "logger=tensorboard")
    again = inside(in_tmp, "rerun", str(only(first)), "--trust", "--into", "again")
    assert again.out.splitlines()[-1] == "bit-identical"
    same_in_tensorboard(in_tmp, in_tmp / "again")
    none = inside(in_tmp, "rerun", str(only(first)), "logger=none", "--into", "none")
    assert none.out.splitlines()[-1] == "bit-identical"
    assert "tensorboard:" not in none.out
    both = inside(in_tmp, "rerun", str(only(first)), "logger=[tensorboard]", "--into", "both")
    assert "tensorboard: logged 1 run" in both.out


@needs("tensorboard")
def test_what_has_not_ended_waits(in_tmp: Path) -> None:
    done = inside(in_tmp, *SMALL)
    from exp.runs.directory import RunDirectory

    directory = RunDirectory(only(done))
    record = directory.read_record()
    directory.write_record({**record, "status": "interrupted"})
    assert "tensorboard: 1 run not finished, not logged" in logged(done).out
    directory.write_record(record)
    assert "tensorboard: logged 1 run" in logged(done).out
    directory.write_record({**record, "name": "changed since"})
    assert "tensorboard: logged 1 run" in logged(done).out
    folder = in_tmp / "tensorboard" / only(done).relative_to(in_tmp)
    assert len(list(folder.iterdir())) == 1
    directory.record.write_text("{}")
    damaged = logged(done)
    assert (damaged.code, damaged.err) == (1, "")
    assert "tensorboard: 1 run could not be logged: " in damaged.out


def logged(done: Ended) -> Ended:
    return inside(done.where, "log", str(only(done).relative_to(done.where)), "--to", "tensorboard")


def test_exp_log_tells_every_fault(in_tmp: Path) -> None:
    run = str(only(inside(in_tmp, *SMALL)))
    unknown = inside(in_tmp, "log", run, "--to", "tensorbord")
    assert unknown.code == 2
    assert "unknown option 'tensorbord'. Did you mean 'tensorboard'?" in unknown.err
    wrong = inside(in_tmp, "log", run, "--to", "mlflow", "--set", "logger.mlflow.files=3")
    assert "logger.mlflow.files" in wrong.err
    assert "expected true or false" in wrong.err or "boolean" in wrong.err
    nothing = inside(in_tmp, "log", "nowhere", "--to", "mlflow")
    assert nothing.err == "exp: there is no directory 'nowhere'\n"


@needs("tensorboard")
def test_links_lead_no_file_out(in_tmp: Path) -> None:
    (in_tmp / "private").write_text("mine")
    run = only(inside(in_tmp, *SMALL))
    (run / "figures").mkdir()
    (run / "figures/x.png").symlink_to(in_tmp / "private")
    found = FinishedRun.read(run)
    assert "figures/x.png" not in found.files
    assert "metrics.csv" in found.files
