"""What one run leaves: every file of its directory, held against plain NumPy and plain PyTorch."""

from __future__ import annotations

import hashlib
import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from safetensors.numpy import load_file
from sklearn.datasets import make_moons
from torch import nn

from commands import Ended, process, read_csv
from exp.config.plan import plan
from exp.engine import Job
from exp.util.metric_names import OF_CLASSES

WORDS = (
    "seed=7",
    "dataset.n_samples=200",
    "dataset.noise=0.2",
    "split.validation=0.1",
    "trainer.epochs=41",
    "optimizer.lr=0.3",
)
EPOCHS = 41
FILES = [
    ".hydra/config.yaml", ".hydra/hydra.yaml", ".hydra/overrides.yaml", "checkpoints/best.json",
    "checkpoints/best.safetensors", "checkpoints/last.json", "checkpoints/last.safetensors",
    "config.yaml", "exp.log", "figures/boundary.png",
    "figures/confusion_matrix.png", "figures/data.png", "figures/learning_curves.png", "frames.npz",
    "metrics.csv", "predictions.csv", "preparation.json", "run.json", "summary.json",
]  # fmt: skip
OWN = ("exp.log", "run.json", ".hydra/hydra.yaml")
"""Files that tell of time and place, so that they differ from run to run."""


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> list[Ended]:
    """The same command in two processes, neither of which knows that the other has finished."""
    places = [tmp_path_factory.mktemp(name) for name in ("one", "other")]
    with ThreadPoolExecutor() as pool:
        surroundings = [
            {"PYTHONHASHSEED": str(seed), "EXP_CACHE": f"{place}-cache"}
            for seed, place in enumerate(places, start=1)
        ]
        runs = pool.map(lambda at, env: process(at, *WORDS, environment=env), places, surroundings)
        return list(runs)


@pytest.fixture(scope="module")
def run(twice: list[Ended]) -> Path:
    assert twice[0].code == 0, twice[0].err
    return twice[0].run


@pytest.fixture(scope="module")
def record(run: Path) -> dict[str, Any]:
    return dict(json.loads((run / "run.json").read_text()))


@pytest.fixture(scope="module")
def metrics(run: Path) -> dict[str, np.ndarray]:
    return {name: column.astype(float) for name, column in read_csv(run / "metrics.csv").items()}


@pytest.fixture(scope="module")
def log(run: Path) -> list[str]:
    """The messages of exp.log, without date and level."""
    text = (run / "exp.log").read_text()
    return re.sub(r"(?m)^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} [A-Z ]{7} ", "", text).splitlines()


def network() -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 1)
    )  # fmt: skip


def test_a_run_leaves_these_files_and_no_others(run: Path) -> None:
    found = [path.relative_to(run).as_posix() for path in run.rglob("*") if path.is_file()]
    assert sorted(found) == FILES


def test_its_directory_is_named_by_date_time_and_name(run: Path) -> None:
    place = run.relative_to(run.parents[2]).as_posix()
    pattern = r"outputs/\d{4}-\d\d-\d\d/\d\d-\d\d-\d\d-[0-9a-f]{6}-moons-mlp-sgd"
    assert re.fullmatch(pattern, place)


@pytest.mark.parametrize("name", [name for name in FILES if name not in OWN])
def test_the_same_command_twice_gives_the_same_bytes(twice: list[Ended], name: str) -> None:
    one, other = ((ended.run / name).read_bytes() for ended in twice)
    assert one == other


def test_two_runs_of_one_command_have_one_signature_and_two_directories(twice: list[Ended]) -> None:
    one, other = (json.loads((ended.run / "run.json").read_text()) for ended in twice)
    assert one["signature"] == other["signature"]
    assert twice[0].run.name != twice[1].run.name


def test_hydra_keeps_its_own_files(run: Path) -> None:
    assert yaml.safe_load((run / ".hydra/overrides.yaml").read_text()) == list(WORDS)
    composed = yaml.safe_load((run / ".hydra/config.yaml").read_text())
    assert composed["dataset"] == {
        "name": "moons", "n_samples": 200, "noise": 0.2, "positive": None,
    }  # fmt: skip
    hydra = yaml.safe_load((run / ".hydra/hydra.yaml").read_text())["hydra"]
    assert hydra["runtime"]["output_dir"] == str(run)


def test_config_yaml_is_resolved_and_enough_to_do_the_run_again(
    run: Path, record: dict[str, Any]
) -> None:
    text = (run / "config.yaml").read_text()
    assert "${" not in text
    job = Job.of(plan(yaml.safe_load(text)))
    assert job.plan.config == yaml.safe_load(text)
    assert job.plan.identity(job.data.fingerprint + job.data.split_digest) == record["signature"]


def test_run_json_tells_where_the_result_comes_from(record: dict[str, Any]) -> None:
    assert record["status"] == "done"
    assert record["name"] == "moons-mlp-sgd"
    assert re.fullmatch("[0-9a-f]{64}", record["signature"])
    assert record["seeds"] == {"data": 7, "split": 7, "init": 7, "shuffle": 7}
    assert record["command"] == ["python", "-m", "exp", *WORDS]
    assert record["versions"]["torch"] == torch.__version__
    assert record["device"]["name"] == "cpu"
    assert record["device"]["dtype"] == "float32"
    assert record["git"] is None  # the working directory is in no repository
    assert record["data"]["rows"] == 200
    assert record["data"]["features"] == ["x1", "x2"]
    assert record["data"]["classes"] == ["0", "1"]
    assert 0 < record["timings"]["training"] < record["timings"]["total"]


def test_run_json_holds_the_sha256_of_every_other_file(run: Path, record: dict[str, Any]) -> None:
    assert sorted(record["digests"]) == [name for name in FILES if name != "run.json"]
    for name, digest in record["digests"].items():
        assert hashlib.sha256((run / name).read_bytes()).hexdigest() == digest


def test_metrics_csv_has_a_row_for_each_epoch(metrics: dict[str, np.ndarray]) -> None:
    assert list(metrics) == [
        "epoch", "train/loss", "train/accuracy", "test/loss", "test/accuracy", "lr",
        "validation/loss", "validation/accuracy",
    ]  # fmt: skip
    assert metrics["epoch"].tolist() == list(range(EPOCHS))
    assert np.unique(metrics["lr"]).tolist() == [0.3]
    assert all(np.isfinite(column).all() for column in metrics.values())


def test_summary_json_has_the_final_and_the_best_numbers(
    run: Path, metrics: dict[str, np.ndarray]
) -> None:
    summary = json.loads((run / "summary.json").read_text())
    assert summary["epochs"] == EPOCHS
    for split in ("test", "validation"):
        for name in ("loss", "accuracy"):
            last = metrics[f"{split}/{name}"][-1]
            assert summary["final"][f"{split}/{name}"] == pytest.approx(last, rel=1e-6)
    best = int(np.argmin(metrics["validation/loss"]))
    assert summary["best"]["epoch"] == best
    for name, column in metrics.items():
        assert summary["best"][name] == pytest.approx(column[best], rel=1e-6)


def test_predictions_csv_has_every_row_of_every_split(run: Path) -> None:
    table = read_csv(run / "predictions.csv")
    assert list(table) == [
        "split", "row", "x1", "x2", "label", "logit", "probability:0", "probability:1", "predicted",
    ]  # fmt: skip
    splits, counts = np.unique(table["split"], return_counts=True)
    assert dict(zip(splits, counts, strict=True)) == {"train": 140, "validation": 20, "test": 40}
    rows = table["row"].astype(int)
    assert sorted(rows) == list(range(200))
    X, y = make_moons(200, noise=0.2, random_state=7)
    features = np.stack([table["x1"], table["x2"]], axis=1).astype(np.float32)
    assert (features == X.astype(np.float32)[rows]).all()
    assert (table["label"].astype(int) == y[rows]).all()


def test_its_logits_probabilities_and_labels_belong_together(run: Path) -> None:
    table = read_csv(run / "predictions.csv")
    logits, chances = table["logit"].astype(float), table["probability:1"].astype(float)
    assert chances == pytest.approx(1 / (1 + np.exp(-logits)), abs=1e-6)
    assert table["probability:0"].astype(float) + chances == pytest.approx(np.ones(200), abs=1e-6)
    assert (table["predicted"].astype(int) == (logits > 0)).all()


@pytest.mark.parametrize("name", ["last", "best"])
def test_the_checkpoints_hold_the_weights(
    run: Path, metrics: dict[str, np.ndarray], name: str
) -> None:
    """Put into a plain nn.Module, they give what the run says that they give."""
    tensors = load_file(run / f"checkpoints/{name}.safetensors")
    numbers = json.loads((run / f"checkpoints/{name}.json").read_text())
    prefix = "model." if name == "last" else ""
    state = {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
    module = network()
    module.load_state_dict({k: torch.from_numpy(v) for k, v in state.items()})
    table = read_csv(run / "predictions.csv")
    features = np.stack([table["x1"], table["x2"]], axis=1).astype(np.float32)
    logits = module(torch.from_numpy(features))[:, 0].detach()
    assert numbers["epoch"] == (EPOCHS if name == "last" else np.argmin(metrics["validation/loss"]))
    if name == "last":
        assert logits.numpy() == pytest.approx(table["logit"].astype(float), abs=1e-5)
    tested = table["split"] == "validation"
    labels = torch.from_numpy(table["label"].astype(np.float32))
    loss = nn.functional.binary_cross_entropy_with_logits(logits[tested], labels[tested])
    epoch = -1 if name == "last" else numbers["epoch"]
    assert loss.item() == pytest.approx(metrics["validation/loss"][epoch], abs=1e-5)


@pytest.mark.parametrize("name", [name for name in FILES if name.startswith("figures/")])
def test_the_figures_are_png_files(run: Path, name: str) -> None:
    content = (run / name).read_bytes()
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    assert content.endswith(b"IEND\xaeB`\x82")


def test_the_log_begins_with_the_untrained_models_first_ten_outputs(log: list[str]) -> None:
    at = log.index("Untrained model, first ten rows: logits -> probabilities -> label (true label)")
    X, y = make_moons(200, noise=0.2, random_state=7)
    torch.manual_seed(7)
    logits = network()(torch.from_numpy(X[:10]).float())[:, 0].detach()
    for line, z, truth in zip(log[at + 1 : at + 11], logits.tolist(), y[:10], strict=True):
        found = re.fullmatch(r"  \[(.*)\] -> \[(.*) (.*)\] -> ([01]) \(([01])\)", line)
        assert found is not None, line
        chance = 1 / (1 + np.exp(-z))
        expected = [z, 1 - chance, chance, float(z > 0), float(truth)]
        assert [float(text) for text in found.groups()] == pytest.approx(expected, abs=1e-4)


def test_the_log_has_a_line_every_ten_epochs(
    log: list[str], metrics: dict[str, np.ndarray]
) -> None:
    m = metrics
    expected = [
        f"Epoch: {e} | Loss: {m['train/loss'][e]:.4f} | Acc: {m['train/accuracy'][e]:.2%} | "
        f"Validation loss: {m['validation/loss'][e]:.4f} | "
        f"Validation acc: {m['validation/accuracy'][e]:.2%} | "
        f"Test loss: {m['test/loss'][e]:.4f} | Test acc: {m['test/accuracy'][e]:.2%}"
        for e in (0, 10, 20, 30, 40)
    ]
    assert [line for line in log if line.startswith("Epoch:")] == expected


def test_the_log_ends_with_the_scores_and_one_path(run: Path, log: list[str]) -> None:
    final = json.loads((run / "summary.json").read_text())["final"]
    at = next(i for i, line in enumerate(log) if line.startswith(f"done after {EPOCHS} epochs in"))
    table = [line.split() for line in log[at + 2 :]]
    assert table[0] == ["train", "validation", "test"]
    scores = len(OF_CLASSES)
    for name, *cells in table[1 : scores + 1]:
        assert cells == [f"{final[f'{split}/{name}']:.4f}" for split in table[0]]
    place = run.relative_to(run.parents[2]).as_posix()
    assert log[at + scores + 4] == "positive class: 1"
    assert log[at + scores + 6] == f"Written to {place}/"
    assert len(log) == at + scores + 7


def test_what_is_printed_is_what_is_logged(twice: list[Ended], log: list[str]) -> None:
    assert twice[0].out.splitlines() == log
    assert twice[0].err == ""
