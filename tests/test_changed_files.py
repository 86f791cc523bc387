"""Run directories that are damaged, or a stranger's: a result, or one error that names the file."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import sqlite3
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from commands import Ended, inside
from exp.runs import checkpoint
from exp.runs.directory import RunDirectory, record_text

VERBS = {
    "resume": ("resume", "x"),
    "rerun": ("rerun", "x", "--into", "new"),
    "compare": ("compare", "x", "number"),
    "results": ("results", "x"),
    "report": ("report", "x", "--output", "page.html"),
    "predict": ("predict", "x", "rows.csv"),
    "export": ("export", "x", "--to", "state_dict"),
}


ENDLESS = (
    "WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r) SELECT x AS trial_id FROM r"
)


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """benchmarks/changed_files.py."""
    path = Path(__file__).parents[1] / "benchmarks/changed_files.py"
    spec = importlib.util.spec_from_file_location("changed_files", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["changed_files"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def alarm(script: ModuleType) -> Iterator[None]:
    before = [(each, signal.signal(each, script.stop)) for each in (signal.SIGALRM, signal.SIGPROF)]
    yield
    for each, handler in before:
        signal.signal(each, handler)


@pytest.fixture(scope="module")
def made(script: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runs whose files are changed; not to be changed themselves."""
    where = tmp_path_factory.mktemp("changed")
    script.make(where)
    (where / "rows.csv").write_text("x1,x2,x\n0.1,0.2,0.3\n")
    return where


def test_drawn_changes(
    script: ModuleType, made: Path, alarm: None, capsys: pytest.CaptureFixture[str]
) -> None:
    count = int(os.environ.get("EXP_FUZZ", "60"))
    assert script.draw(made, count, seed=7) == 0, capsys.readouterr().out


@pytest.fixture
def changed(made: Path) -> Iterator[Callable[[str], Path]]:
    """Copies a run, to be changed, to `x`."""
    yield lambda name: Path(shutil.copytree(made / name, made / "x"))
    for gone in ("x", "new"):
        shutil.rmtree(made / gone, ignore_errors=True)


def ended_in(script: ModuleType, where: Path, verb: str) -> Ended:
    """A command that has ended in time, and without a traceback."""
    signal.alarm(60)
    try:
        return inside(where, *VERBS[verb])
    finally:
        signal.alarm(0)


def fifo(path: Path) -> None:
    os.mkfifo(path)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 43)


@pytest.mark.parametrize("instead", [fifo, device, sparse, Path.mkdir])
@pytest.mark.parametrize("name", ["checkpoints/last.safetensors", "metrics.csv", "run.json"])
@pytest.mark.parametrize("verb", ["rerun", "compare", "predict", "export"])
def test_what_is_no_regular_file(
    script: ModuleType, made: Path, alarm: None, changed: Callable[[str], Path],
    instead: Callable[[Path], None], name: str, verb: str,
) -> None:  # fmt: skip
    place = changed("classes") / name
    place.unlink()
    instead(place)
    ended = ended_in(script, made, verb)
    if verb == "rerun" and name.startswith("checkpoints") and ended.code == 1:
        assert name in ended.out  # named beside the verdict
        return
    assert ended.code == 2
    assert ended.err.startswith("exp: ")
    assert place.name in ended.err


@pytest.mark.parametrize("instead", [fifo, device, sparse])
@pytest.mark.parametrize("name", ["summary.json", "metrics.csv", "frames.npz", "config.yaml"])
@pytest.mark.parametrize("verb", ["results", "report"])
def test_a_look_at_many_runs_goes_on(
    script: ModuleType, made: Path, alarm: None, changed: Callable[[str], Path],
    instead: Callable[[Path], None], name: str, verb: str,
) -> None:  # fmt: skip
    place = changed("classes") / name
    place.unlink()
    instead(place)
    assert ended_in(script, made, verb).code == 0


def test_a_rerun_says_before_it_trains_what_it_cannot_compare(
    script: ModuleType, made: Path, changed: Callable[[str], Path]
) -> None:
    place = changed("classes") / "metrics.csv"
    place.unlink()
    place.mkdir()
    ended = ended_in(script, made, "rerun")
    assert ended.code == 2
    assert "metrics.csv" in ended.err
    assert not (made / "new").exists()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"process": {"pid": 2**70, "host": "x", "begun": None}}, "process.pid: "),
        ({"started": None}, "started"),
        ({"started": "yesterday"}, "started: expected a time"),
        ({"digests": None}, "digests"),
        ({"digests": {"metrics.csv": 7}}, "digests.metrics.csv: expected a string"),
        ({"status": "crashed"}, "status: expected 'done', "),
        ({"data": {"classes": 7}}, "data.classes: expected a list"),
        ({"seeds": {"data": "x"}}, "seeds.data: expected an integer"),
        ({"timings": {"total": 10**400}}, "timings.total: expected a number"),
    ],
)
@pytest.mark.parametrize("verb", ["rerun", "compare", "predict"])
def test_a_sealed_run_json(
    script: ModuleType, made: Path, changed: Callable[[str], Path],
    change: dict[str, Any], told: str, verb: str,
) -> None:  # fmt: skip
    directory = RunDirectory(changed("classes"))
    record = {**directory.read_record(), **change}
    for key in [key for key, value in change.items() if value is None]:
        del record[key]
    directory.record.write_text(record_text(record))
    ended = ended_in(script, made, verb)
    assert ended.code == 2
    assert f"{directory.record} is corrupted: " in ended.err
    assert told in ended.err


@pytest.mark.parametrize(
    "content",
    [b"[" * 100_000, b'{"a":' * 100_000, b'{"name": "\\ud800"}', b"\xff", b'{"x": NaN}', b"null"],
)
@pytest.mark.parametrize("name", ["run.json", "summary.json"])
def test_json_that_is_none(
    script: ModuleType, made: Path, changed: Callable[[str], Path], name: str, content: bytes
) -> None:
    run = changed("classes")
    (run / name).write_bytes(content)
    script.sealed(run, name)
    ended = ended_in(script, made, "compare")
    assert ended.code == 2
    assert f"{run / name} is corrupted: " in ended.err
    assert ended_in(script, made, "results").code == 0


def test_a_score_that_is_no_number(
    script: ModuleType, made: Path, changed: Callable[[str], Path]
) -> None:
    run = changed("number")
    summary = json.loads((run / "summary.json").read_text())
    summary["final"]["test/rmse"] = 10**400
    (run / "summary.json").write_text(json.dumps(summary))
    script.sealed(run, "summary.json")
    ended = ended_in(script, made, "compare")
    assert ended.code == 2
    assert "summary.json is corrupted: final.test/rmse: expected a finite" in ended.err


def set_numbers(run: Path, **numbers: Any) -> None:
    directory = RunDirectory(run)
    tensors, known = checkpoint.load(directory.checkpoints / "last.safetensors")
    for key, value in numbers.items():
        (tensors if isinstance(value, torch.Tensor) else known)[key] = value
    directory.write_all(checkpoint.content(directory, "last", tensors, known))
    record = directory.read_record()
    directory.write_record({**record, "digests": RunDirectory(run).digests()})


@pytest.mark.parametrize(
    ("run", "numbers"),
    [
        ("adam", {"epoch": 10**9}),
        ("adam", {"epoch": -1}),
        ("adam", {"epoch": 2.0}),
        ("adam", {"epoch": None}),
        ("adam", {"waited": 10**9}),
        ("adam", {"best_epoch": -1}),
        ("adam", {"best": "x"}),
        ("adam", {"ended": "well"}),
        ("adam", {"columns": ["train/loss"]}),
        ("adam", {"schedule": {}}),
        ("adam", {"schedule": {"warming": True, "behind": {"best": [], "bad": 1}}}),
        ("adam", {"schedule": 7}),
        ("adam", {"history": torch.zeros(1, 3)}),
        ("adam", {"random.shuffle": torch.zeros(5056, dtype=torch.uint8)}),
        ("adam", {"random.shuffle": torch.zeros(3, dtype=torch.uint8)}),
        ("adam", {"model.0.weight": torch.zeros(1, 1)}),
        ("adam", {"best.0.weight": torch.zeros(8, 2, dtype=torch.float64)}),
        ("adam", {"optimizer.x": torch.zeros(1)}),
        ("lbfgs", {"optimizer.nest": torch.zeros(3, dtype=torch.uint8)}),
        ("lbfgs", {"optimizer.nest": torch.tensor(list(b'{"list": []}'), dtype=torch.uint8)}),
        (
            "lbfgs",
            {"optimizer.nest": torch.tensor(list(b'{"list":[{"dict":{}}]}'), dtype=torch.uint8)},
        ),
    ],
)
def test_a_sealed_checkpoint(
    script: ModuleType, made: Path, changed: Callable[[str], Path],
    run: str, numbers: dict[str, Any],
) -> None:  # fmt: skip
    place = changed(run)
    before = (place / "run.json").read_bytes()
    if any(key.startswith("model.") for key in numbers):
        tensors, _ = checkpoint.load(place / "checkpoints/last.safetensors")
        assert set(numbers) <= set(tensors), sorted(tensors)
    set_numbers(place, **numbers)
    before = (place / "run.json").read_bytes()
    ended = ended_in(script, made, "resume")
    assert ended.code == 2, ended.out
    assert f"{place}/checkpoints/last.safetensors is corrupted: " in ended.err
    assert (place / "run.json").read_bytes() == before  # it has not begun


def test_an_untouched_checkpoint_goes_on(
    script: ModuleType, made: Path, changed: Callable[[str], Path]
) -> None:
    """What the others are compared with."""
    for name in ("adam", "lbfgs"):
        changed(name)
        ended = ended_in(script, made, "resume")
        assert ended.code == 0, ended.err
        assert "resuming after epoch 2" in ended.out
        shutil.rmtree(made / "x")


@pytest.mark.parametrize(
    "change",
    [
        f"CREATE VIEW v AS {ENDLESS}",
        f"DROP TABLE trials; CREATE VIEW trials AS {ENDLESS}",
        "CREATE TRIGGER t AFTER INSERT ON trials BEGIN DELETE FROM trials; END",
        "DROP TABLE trials",
    ],
)
def test_a_study_that_holds_more_than_tables(in_tmp: Path, change: str) -> None:
    words = ("-m", "hydra/sweeper=optuna", "figures=none", "dataset.n_samples=40",
             "trainer.epochs=2", "optimizer.lr=interval(0.01,0.1)", "hydra.sweeper.n_trials=2",
             "sweep.n_jobs=1", "sweep.dir=s")  # fmt: skip
    ended = inside(in_tmp, *words)
    assert ended.code == 0, ended.err
    connection = sqlite3.connect(in_tmp / "s/study.db")
    connection.executescript(change)
    connection.close()
    ended = inside(in_tmp, "resume", "s")
    assert ended.code == 2
    assert "study.db" in ended.err
    assert json.loads((in_tmp / "s/sweep.json").read_text())["runs"]
