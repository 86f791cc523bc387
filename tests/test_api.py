"""exp from Python: the command line's runs, as objects, in a process that stays as it was."""

from __future__ import annotations

import importlib
import json
import logging
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.plugins import Plugins
from hydra.plugins.search_path_plugin import SearchPathPlugin
from hydra.version import VersionBase
from omegaconf import OmegaConf

import exp
from commands import SMALL, inside, process, read_csv, runs
from exp.config import environment
from exp.sweeps.from_python import RESOLVERS
from exp.util import command_line
from exp.util.errors import ConfigError, DamagedError, DataError, ExpError, RunDirectoryError

MODULE = """
from exp import register
from exp.data.dataset import Data
open("imported", "w").close()

@register.dataset("pair")
def pair(seed: int) -> Data:
    "Four rows."
    return Data.checked([[0.0], [1.0], [2.0], [3.0]], [0, 1, 0, 1], classes=["a", "b"])
"""


def around() -> dict[str, Any]:
    """Everything of a process that a run might change."""
    import torch

    root = logging.getLogger()
    return {
        "hydra": GlobalHydra.instance().hydra,
        "config": HydraConfig.instance().cfg,
        "version": VersionBase.instance().version_base,
        "resolvers": [name for name in RESOLVERS if OmegaConf.has_resolver(name)],
        "finders": list(Plugins.instance().discover(SearchPathPlugin)),
        "folder": os.getcwd(),
        "path": list(sys.path),
        "environment": dict(os.environ),
        "signals": {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)},
        "log": (root.handlers[:], root.level, logging.getLogger("exp").handlers[:]),
        "words": list(command_line.words),
        "random": torch.random.get_rng_state().tolist(),
        "threads": torch.get_num_threads(),
        "numpy": str(np.random.get_state()),
        "stdout": sys.stdout,
    }


def test_importing_exp_is_cheap() -> None:
    code = (
        "import sys; before = set(sys.modules); import exp; dir(exp)\n"
        "print(sorted({m.split('.')[0] for m in set(sys.modules) - before} & "
        "{'hydra', 'pydantic', 'numpy', 'torch', 'pandas', 'sklearn', 'yaml'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_run_is_that_of_the_command_line(
    in_tmp: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [*SMALL[1:], "dataset=moons", "figures.draw=[boundary]"]
    run = exp.run(words)
    assert capsys.readouterr() == ("", "")
    ended = inside(in_tmp, *words, "hydra.run.dir=other")
    assert ended.code == 0, ended.err
    other = in_tmp / "other"
    names = {p.relative_to(run.path).as_posix() for p in run.path.rglob("*") if p.is_file()}
    assert names == {p.relative_to(other).as_posix() for p in other.rglob("*") if p.is_file()}
    for name in names - {"run.json", "exp.log", ".hydra/hydra.yaml", ".hydra/overrides.yaml"}:
        assert (run.path / name).read_bytes() == (other / name).read_bytes(), name
    records = [json.loads((path / "run.json").read_text()) for path in (run.path, other)]
    assert records[0]["signature"] == records[1]["signature"]
    assert records[0]["command"] == ["python", "-m", "exp", *words]
    assert records[0].keys() == records[1].keys()
    assert run.path.parent.parent == in_tmp / "outputs"
    assert "Epoch: 0" in (run.path / "exp.log").read_text()


def test_resolvers_are_as_before(in_tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in RESOLVERS:
        OmegaConf.clear_resolver(name)
    exp.run(SMALL)
    assert [name for name in RESOLVERS if OmegaConf.has_resolver(name)] == []
    environment.forget()
    monkeypatch.setenv("OF_A_USER", "some value")
    assert OmegaConf.create({"key": "${oc.env:OF_A_USER}"}).key == "some value"
    assert environment.unshown("some value") == "some value"  # OmegaConf's, which notes nothing


def test_nothing_of_it_is_left_in_the_process(in_tmp: Path) -> None:
    exp.run(SMALL)  # what is imported once, stays
    importlib.import_module("joblib")  # a sweep does, and it sets a variable
    (in_tmp / "conf").mkdir()
    before = around()
    first, second = exp.run(SMALL), exp.run(SMALL)
    assert first.path != second.path
    with pytest.raises(ConfigError):
        exp.run(["optimizer.lr=-1"])
    exp.sweep(["seed=1,2", "sweep.n_jobs=1", *SMALL])
    after = around()
    for name, value in before.items():
        assert after[name] == value, name


def test_it_works_in_another_thread(in_tmp: Path) -> None:
    found = []
    thread = threading.Thread(target=lambda: found.append(exp.run(SMALL).status))
    thread.start()
    thread.join()
    assert found == ["done"]


def test_what_is_printed_is_printed_if_asked_for(
    in_tmp: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    exp.run(["trainer.epochs=21", *SMALL[:2]], verbose=True)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" |")[0] for line in lines if line.startswith("Epoch")] == [
        "Epoch: 0",
        "Epoch: 10",
        "Epoch: 20",
    ]


def test_errors_are_exceptions(in_tmp: Path) -> None:
    with pytest.raises(ConfigError) as told:
        exp.run(["optimizer.lr=-1", "model.hiden=[3]", "dataset=moon"])
    assert [fault.path for fault in told.value.faults] == [
        "dataset",
        "model.hiden",
        "optimizer.lr",
    ]
    with pytest.raises(ExpError, match="expected overrides such as"):
        exp.run(3)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="expected key=value"):
        exp.run(["--help"])
    with pytest.raises(ConfigError, match="seed  expected"):
        exp.sweep(["seed=1,-1", *SMALL])
    assert list(in_tmp.iterdir()) == []


def test_a_run_that_diverges_is_returned(in_tmp: Path) -> None:
    run = exp.run(["dataset=wine", "optimizer.lr=1e30", "figures=none"])
    assert run.status == "diverged"
    assert run.summary["status"] == "diverged"


def test_tables_are_those_of_the_files(in_tmp: Path) -> None:
    pandas = pytest.importorskip("pandas")
    run = exp.run(["dataset=digits", "trainer.epochs=3", "figures=none"])
    metrics, predictions = run.arrays("history"), run.arrays("predictions")
    text = read_csv(run.path / "metrics.csv")
    assert list(metrics) == list(text)
    for name, column in metrics.items():
        assert (column == text[name].astype(np.float64)).all(), name
    assert predictions["label"].dtype.kind == "U"
    assert predictions["row"].dtype == np.int64
    pandas.testing.assert_frame_equal(run.history, pandas.DataFrame(metrics))
    pandas.testing.assert_frame_equal(run.predictions, pandas.DataFrame(predictions))
    with pytest.raises(ExpError, match="unknown table 'metrics'"):
        run.arrays("metrics")
    with pytest.raises(RunDirectoryError, match=r"norms\.csv"):
        run.arrays("norms")


def test_tables_as_arrays(in_tmp: Path) -> None:
    run = exp.run(SMALL)
    assert list(run.arrays("history")["epoch"]) == [0, 1]
    assert exp.results(run.path, arrays=True)["runs"] == [1]


def test_answers_for_raw_rows(in_tmp: Path) -> None:
    pandas = pytest.importorskip("pandas")
    run = exp.run(["dataset=wine", "split.standardize=true", "trainer.epochs=20", "figures=none"])
    table = run.predictions
    chances = table[[name for name in table if name.startswith("probability:")]]
    features = list(run.record["data"]["features"])
    X = table[features]
    wanted = chances.to_numpy(np.float32)
    for other in (run, exp.load(run.path)):
        assert (other.predict_proba(X) == wanted).all()
        assert (other.predict_proba(X[features[::-1]].iloc[7:9]) == wanted[7:9]).all()
        assert (other.predict_proba(X.to_numpy()) == wanted).all()
        assert list(other.predict(X.to_numpy().tolist())) == list(table["predicted"])
        assert other.predict_proba(X[:0]).shape == (0, 3)
    assert run.predict_proba(X, checkpoint="best").shape == wanted.shape
    with pytest.raises(ExpError, match="unknown checkpoint 'first'"):
        run.predict(X, checkpoint="first")
    with pytest.raises(DataError, match=r"X has shape \[1, 2\], expected \[rows, 13\]"):
        run.predict([[1.0, 2.0]])
    with pytest.raises(DataError, match="unknown column 'alcohol'"):
        run.predict(pandas.DataFrame({"alcool": [1.0]}))
    with pytest.raises(DataError, match="row 0, column 'alcohol': nan is not a finite number"):
        run.predict(np.full((1, 13), np.nan))
    with pytest.raises(DataError, match="expected numbers"):
        run.predict([["a"] * 13])


def test_figures_are_shown(in_tmp: Path) -> None:
    run = exp.run(["trainer.epochs=3", "figures.draw=[boundary,learning_curves]"])
    assert list(run.figures) == ["boundary", "learning_curves"]
    png = run.figures["boundary"]._repr_png_()
    assert png == (run.path / "figures/boundary.png").read_bytes()
    assert run.figures._repr_html_().count("data:image/png;base64,") == 2
    with pytest.raises(KeyError, match=r"unknown figure 'boundry'. Did you mean 'boundary'"):
        run.figures["boundry"]
    html = run._repr_html_()
    assert "<th>test</th>" in html
    assert f"<td>{run.summary['final']['test/accuracy']:.4f}</td>" in html


def test_nothing_of_a_file_is_taken_for_html(in_tmp: Path) -> None:
    from exp.api.figures import Figures
    from exp.api.run import Run
    from exp.runs.record import RunRecord

    saved = RunRecord.at(exp.run(SMALL).path)
    saved.record["name"] = "<script>alert(1)</script>"
    html = Run(saved, trust=False)._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    folder = in_tmp / "figures"
    folder.mkdir()
    (folder / "<b>.svg").write_text("<svg onload='alert(1)'/>")
    (folder / "<i>.pdf").write_text("pdf")
    html = Figures(folder)._repr_html_()
    assert "onload" not in html
    assert "<b>" not in html
    assert "<i>" not in html
    assert "<code>&lt;i&gt;.pdf</code>" in html


def test_a_sweep_and_its_results(in_tmp: Path) -> None:
    pandas = pytest.importorskip("pandas")
    words = ["optimizer=sgd,adam", "seed=range(0,3)", "sweep.n_jobs=1", *SMALL]
    sweep = exp.sweep(words)
    assert sweep.path.parent.parent == in_tmp / "multirun"
    assert len(sweep) == 6
    assert [run.path for run in sweep] == [sweep[i].path for i in range(6)]
    assert [run.path.name for run in sweep[1:3]] == [sweep[1].path.name, sweep[2].path.name]
    assert list(sweep.table["status"]) == ["done"] * 6
    ended = inside(in_tmp, "results", str(sweep.path), "--metric", "test/loss", "--json", "-")
    told = json.loads(ended.out)
    table = exp.results(sweep.path, metric="test/loss")
    again = exp.load(sweep.path).results(metric="test/loss")
    assert table.equals(again)
    assert len(table) == len(told["groups"]) == 2
    for (_, row), group in zip(table.iterrows(), told["groups"], strict=True):
        values = group.pop("values")
        del group["scores"]
        for name, value in {**values, **group}.items():
            assert row[name] == value or (value is None and pandas.isna(row[name])), name
    assert "optimizer" in sweep._repr_html_()
    with pytest.raises(ExpError, match="unknown metric"):
        exp.results([sweep.path], metric="acuracy")


def test_results_come_from_several_places(in_tmp: Path) -> None:
    places = [exp.run([f"seed={seed}", *SMALL]).path for seed in (1, 2)]
    assert exp.results(places, arrays=True)["seeds"] == [2]
    assert exp.results(str(in_tmp / "outputs"), arrays=True)["seeds"] == [2]


def test_what_has_changed_is_not_loaded(in_tmp: Path) -> None:
    run = exp.run(SMALL)
    (run.path / "metrics.csv").write_text("epoch\n0\n")
    with pytest.raises(DamagedError, match=r"metrics\.csv is corrupted"):
        exp.load(run.path)
    with pytest.raises(RunDirectoryError, match="there is no directory"):
        exp.load(in_tmp / "nowhere")
    with pytest.raises(RunDirectoryError, match="is not a run directory"):
        exp.load(in_tmp)


def test_no_code_of_a_stranger_runs(in_tmp: Path) -> None:
    (in_tmp / "theirs.py").write_text(MODULE)
    (in_tmp / "conf/dataset").mkdir(parents=True)
    (in_tmp / "conf/dataset/pair.yaml").write_text("name: pair\n")
    words = ["plugins=[theirs]", "dataset=pair", "split.test=0", "figures=none", "trainer.epochs=2"]
    ended = process(in_tmp, *words)
    assert ended.code == 0, ended.err
    (in_tmp / "imported").unlink()
    (path,) = runs(in_tmp)
    run = exp.load(path)
    assert len(run.arrays("history")["epoch"]) == 2
    with pytest.raises(ExpError, match="needs modules that would be imported: theirs"):
        run.predict([[1.0]])
    assert not (in_tmp / "imported").exists()


def test_a_run_that_has_not_ended_has_no_model(in_tmp: Path) -> None:
    from exp.runs.directory import RunDirectory

    run = exp.run(SMALL)
    directory = RunDirectory(run.path)
    record = directory.read_record()
    (run.path / "summary.json").unlink()
    directory.write_record({**record, "status": "interrupted", "digests": {}})
    again = exp.load(run.path)
    assert again.status == "interrupted"
    with pytest.raises(RunDirectoryError, match="there is no model yet"):
        again.predict([[0.0, 0.0]])
    with pytest.raises(RunDirectoryError, match="the run is interrupted"):
        _ = again.summary
    assert "interrupted" in again._repr_html_()
