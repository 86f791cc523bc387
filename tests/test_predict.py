"""`exp predict` and `exp export`: the answers are those of the run, wherever they are computed."""

from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from commands import Ended, inside, read_csv

KINDS = {
    "binary": ["dataset=moons", "split.standardize=true"],
    "classes": ["dataset=spirals", "model.hidden=[7]", "model.batch_norm=true"],
    "plain": ["dataset=wine", "activation=tanh_from_exp", "device.dtype=float64"],
    "linear": ["dataset=iris", "model=linear", "split.standardize=true", "loss=hinge"],
    "shortcuts": [
        "dataset=moons",
        "model.hidden=[5,4]",
        "model.shortcuts=true",
        "loss=tanh_mse",
        "activation=tanh_from_exp",
        "split.standardize=minmax",
    ],
    "odd": ["dataset=circles", "activation=gelu", "model.dropout=0.2", "loss=cross_entropy"],
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A run of each kind."""
    found = {}
    for name, words in KINDS.items():
        where = tmp_path_factory.mktemp(name)
        extra = ["optimizer=adam", "trainer.epochs=30", "figures=none", "hydra.run.dir=run"]
        ended = inside(where, *words, *extra)
        assert ended.code == 0, ended.err
        found[name] = where / "run"
    return found


def chances(columns: dict[str, np.ndarray]) -> np.ndarray:
    """The texts of the probabilities, `[rows, classes]`."""
    return np.column_stack([v for k, v in columns.items() if k.startswith("probability:")])


def raw(run: Path) -> tuple[np.ndarray, np.ndarray]:
    """Raw rows and probabilities of predictions.csv, as numbers."""
    columns = read_csv(run / "predictions.csv")
    names = list(columns)
    features = names[2 : names.index("label")]
    X = np.column_stack([columns[name] for name in features]).astype(np.float32)
    return X, chances(columns).astype(np.float64)


@pytest.mark.parametrize("kind", KINDS)
def test_answers_are_those_of_the_run(kind: str, trained: dict[str, Path], tmp_path: Path) -> None:
    run = trained[kind]
    ended = inside(
        tmp_path, "predict", str(run), str(run / "predictions.csv"), "--output", "out.csv"
    )
    assert (ended.code, ended.out) == (0, ""), ended.err
    before, now = read_csv(run / "predictions.csv"), read_csv(tmp_path / "out.csv")
    assert (chances(before) == chances(now)).all()
    assert {name: list(column) for name, column in now.items()} == {
        name: list(column) for name, column in before.items()
    }


def test_columns_by_name_few_rows_and_more_columns(
    trained: dict[str, Path], tmp_path: Path
) -> None:
    run = trained["binary"]
    columns = read_csv(run / "predictions.csv")
    lines = ["x2,note,x1"]
    for i in (5, 3):
        lines.append(f'{columns["x2"][i]},"a, b {i}",{columns["x1"][i]}')
    (tmp_path / "new.csv").write_text("\n".join(lines) + "\n\n")
    ended = inside(tmp_path, "predict", str(run), "new.csv")
    header, *rows = ended.out.splitlines()
    assert header == "x2,note,x1,probability:0,probability:1,predicted"
    for i, row in zip((5, 3), rows, strict=True):
        expected = [columns[f"probability:{c}"][i] for c in "01"]
        assert row == f"{lines[(5, 3).index(i) + 1]},{','.join(expected)},{columns['predicted'][i]}"


def test_the_best_checkpoint_answers_otherwise(tmp_path: Path) -> None:
    words = ["dataset=moons", "optimizer.lr=30", "trainer.epochs=20", "figures=none"]
    assert inside(tmp_path, *words, "hydra.run.dir=run").code == 0
    (tmp_path / "new.csv").write_text("x1,x2\n0.1,0.2\n")
    last, best = (
        inside(tmp_path, "predict", "run", "new.csv", "--checkpoint", name).out
        for name in ("last", "best")
    )
    from exp.runs.checkpoint import load

    weights = {n: load(tmp_path / f"run/checkpoints/{n}.safetensors")[0] for n in ("last", "best")}
    differs = not torch.equal(weights["last"]["model.0.weight"], weights["best"]["0.weight"])
    assert differs == (last != best)
    assert differs


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("x1,x22\n1,2\n", "no column 'x2'. Did you mean 'x22'? The columns are 'x1', 'x22'"),
        ("x1,x2\n1,two\n", "line 2, column 'x2'  'two' is not a number"),
        ("x1,x2\n1,2\n3,\n", "line 3, column 'x2'  missing value"),
        ("x1,x2\n", "new.csv has a header and no rows"),
        ("", "new.csv is empty"),
        ("x1,x2\n1,2,3\n", "line 2  3 fields, the header has 2"),
    ],
)
def test_files_that_cannot_be_used(
    content: str, told: str, trained: dict[str, Path], tmp_path: Path
) -> None:
    (tmp_path / "new.csv").write_text(content)
    ended = inside(
        tmp_path, "predict", str(trained["binary"]), "new.csv", "--output", "answers.csv"
    )
    assert ended.code == 2
    assert told in ended.err
    assert not (tmp_path / "answers.csv").exists()


def test_places_that_cannot_be_used(trained: dict[str, Path], tmp_path: Path) -> None:
    run = str(trained["binary"])
    (tmp_path / "new.csv").write_text("x1,x2\n1,2\n")

    def told(*words: str) -> str:
        ended: Ended = inside(tmp_path, *words)
        assert (ended.code, ended.out) == (2, "")
        return ended.err

    assert "no such file: 'old.csv'" in told("predict", run, "old.csv")
    assert "there is no directory 'nowhere'" in told("predict", "nowhere", "new.csv")
    assert "--output: there is no directory a" in told(
        "predict", run, "new.csv", "--output", "a/b.csv"
    )
    assert "--checkpoint: unknown checkpoint 'first'" in told(
        "predict", run, "new.csv", "--checkpoint", "first"
    )
    assert "--to: unknown file format 'pickle'" in told("export", run, "--to", "pickle")
    assert "--output: . is a directory" in told("export", run, "--to", "onnx", "--output", ".")


def test_a_changed_run_is_not_used(trained: dict[str, Path], tmp_path: Path) -> None:
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(trained["binary"], copy)
    with (copy / "checkpoints/last.safetensors").open("r+b") as file:
        file.seek(-4, 2)
        file.write(b"\0\0\0\1")
    for words in (["predict", "copy", "new.csv"], ["export", "copy", "--to", "torchscript"]):
        ended = inside(tmp_path, *words)
        assert ended.code == 2
        assert "checkpoints/last.safetensors is corrupted" in ended.err
    assert list(tmp_path.iterdir()) == [copy]


def exported(run: Path, where: Path, form: str) -> str:
    """What is printed: the code that uses the file."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ended = inside(where, "export", str(run), "--to", form)
    assert ended.code == 0, ended.err
    assert ended.err == ""
    return ended.out


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", ["torchscript", "state_dict"])
def test_the_printed_code_gives_the_same_probabilities(
    form: str, kind: str, trained: dict[str, Path], in_tmp: Path
) -> None:
    code = exported(trained[kind], in_tmp, form)
    X, wanted = raw(trained[kind])
    names: dict[str, Any] = {"X": X.astype(np.float64)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # torch.jit.load
        exec(code, names)
    found = names["probabilities"].detach().numpy()
    assert found.shape == wanted.shape
    assert np.abs(found - wanted).max() <= 1e-6
    assert "import exp" not in code


@pytest.mark.parametrize("kind", KINDS)
def test_onnx_gives_the_same_probabilities(
    kind: str, trained: dict[str, Path], in_tmp: Path
) -> None:
    pytest.importorskip("onnxruntime")
    code = exported(trained[kind], in_tmp, "onnx")
    X, wanted = raw(trained[kind])
    for rows in (slice(None), slice(0, 1), slice(0, 33)):
        names: dict[str, Any] = {"X": X[rows]}
        exec(code, names)
        assert names["probabilities"].shape == wanted[rows].shape
        assert np.abs(names["probabilities"] - wanted[rows]).max() <= 1e-6


def test_the_same_bytes_again(trained: dict[str, Path], in_tmp: Path) -> None:
    """From this process and from one that starts anew, with other hashes of texts."""
    # torch counts the modules that a process has traced: each time in a process of its own.
    code = (
        "import sys; from exp.cli.main import dispatch\n"
        "for form in sys.argv[2:]:\n"
        "    assert dispatch(['export', sys.argv[1], '--to', form]) == 0\n"
    )
    found = []
    every = ("torchscript", "onnx", "state_dict")
    for name, forms in (("one", every), ("other", every[:1])):
        (in_tmp / name).mkdir()
        done = subprocess.run(
            [sys.executable, "-c", code, str(trained["binary"]), *forms],
            cwd=in_tmp / name, capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert done.stderr == ""
    for form in every[1:]:
        assert inside(in_tmp / "other", "export", str(trained["binary"]), "--to", form).code == 0
    for name in ("one", "other"):
        found.append({path.name: path.read_bytes() for path in (in_tmp / name).iterdir()})
    assert len(found[0]) == len(every)
    assert found[0] == found[1]


def test_a_missing_extra_gives_the_install_line(
    trained: dict[str, Path], in_tmp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exp.runs.trained.formats.find_spec", lambda name: None)
    ended = inside(in_tmp, "export", str(trained["binary"]), "--to", "onnx")
    assert ended.code == 2
    assert "not installed: onnx, onnxruntime, onnxscript: pip install 'exp[onnx]'" in ended.err
    assert list(in_tmp.iterdir()) == []


def test_categories_and_gaps(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    lines = ["weight,colour,kind"]
    for number in range(90):
        kind = ("cat", "dog")[number % 2]
        weight = "" if number % 17 == 3 else f"{rng.normal((4, 12)[number % 2]):.2f}"
        colour = rng.choice((["red", "black"], ["brown", "black"])[number % 2])
        lines.append(f"{weight},{colour},{kind}")
    (tmp_path / "pets.csv").write_text("\n".join(lines) + "\n")
    words = ("dataset=csv", "dataset.path=pets.csv", "dataset.target=kind")
    more = ("dataset.missing=impute", "optimizer=adam", "trainer.epochs=30", "figures=none")
    assert inside(tmp_path, *words, *more, "hydra.run.dir=run").code == 0
    run = tmp_path / "run"
    ended = inside(tmp_path, "predict", "run", "run/predictions.csv", "--output", "out.csv")
    assert ended.code == 0, ended.err
    before, now = read_csv(run / "predictions.csv"), read_csv(tmp_path / "out.csv")
    np.testing.assert_array_equal(chances(before), chances(now))
    (tmp_path / "new.csv").write_text("colour,weight\npurple,14\nred,3\nred,\n")
    told = inside(tmp_path, "predict", "run", "new.csv")
    assert told.code == 0, told.err
    said = [line.rpartition(",")[2] for line in told.out.splitlines()]
    assert said[:3] == ["predicted", "dog", "cat"]
    assert len(said) == 4
    refused = inside(tmp_path, "export", "run", "--to", "torchscript")
    assert refused.code == 2
    assert "these rows have categories" in refused.err
    refused = inside(tmp_path, "export", "run", "--to", "state_dict")
    assert refused.code == 2
    assert "these rows are encoded" in refused.err


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run that left out rows with a missing value, and new rows in every format."""
    where = tmp_path_factory.mktemp("shop")
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"size": random.normal(size=60).round(3)})
    frame["colour"] = random.choice(["red", "blue"], 60)
    frame["kind"] = np.where(frame["size"] > 0, "a", "b")
    frame.loc[[3, 8], "size"] = np.nan
    frame.to_csv(where / "rows.csv", index=False)
    ended = inside(
        where, "dataset=csv", "dataset.path=rows.csv", "dataset.target=kind",
        "dataset.missing=drop", "trainer.epochs=3", "figures=none", "hydra.run.dir=run",
    )  # fmt: skip
    assert ended.code == 0, ended.err
    new = pd.DataFrame(
        {"colour": ["red", "blue", "red"], "number": [1, 2, 3], "size": [0.5, -0.5, 1.25]}
    )
    new["day"] = pd.to_datetime(["2026-01-01", "2026-01-02", "2026-01-03"]).date
    new.to_parquet(where / "new.parquet")
    new.to_csv(where / "new.csv", index=False)
    new.to_csv(where / "new.txt", index=False, sep=";")
    X = new[["size", "colour"]].to_numpy(object)
    np.savez(where / "new.npz", X=X, names=np.array(["size", "colour"], object))
    return where


def test_one_answer_from_every_format(shop: Path, in_tmp: Path) -> None:
    run, found = str(shop / "run"), {}
    for name in ("new.csv", "new.parquet", "new.txt", "new.npz"):
        for output in ("out.csv", "out.parquet"):
            ended = inside(in_tmp, "predict", run, str(shop / name), "--output", output)
            assert (ended.code, ended.out, ended.err) == (0, "", "")
        found[name] = read_csv(in_tmp / "out.csv")
        typed = pd.read_parquet("out.parquet")
        assert list(typed.columns) == list(found[name])
        for column in ("probability:a", "probability:b"):
            assert typed[column].dtype == np.float32
            assert typed[column].astype(str).tolist() == found[name][column].tolist()
        assert typed["size"].tolist() == [0.5, -0.5, 1.25]
    assert {name: list(v) for name, v in found["new.csv"].items()} == {
        name: list(v) for name, v in found["new.parquet"].items()
    }
    for name in ("probability:a", "probability:b", "predicted"):
        for other in ("new.txt", "new.npz"):
            assert found[other][name].tolist() == found["new.csv"][name].tolist()


def test_rows_that_the_run_would_have_left_out_are_kept(shop: Path, in_tmp: Path) -> None:
    Path("new.csv").write_text("size,colour\n0.5,red\n,blue\n?,\n-1,green\n")
    ended = inside(in_tmp, "predict", str(shop / "run"), "new.csv", "--output", "out.csv")
    assert ended.code == 0
    assert "2 rows without an answer: a value is missing" in ended.err
    columns = read_csv(Path("out.csv"))
    assert [bool(text) for text in columns["predicted"]] == [True, False, False, True]
    assert [bool(text) for text in columns["probability:a"]] == [True, False, False, True]
    assert columns["size"].tolist() == ["0.5", "", "?", "-1"]
    Path("new.csv").write_text("size,colour\n,red\n")
    ended = inside(in_tmp, "predict", str(shop / "run"), "new.csv")
    assert ended.out == "size,colour,probability:a,probability:b,predicted\n,red,,,\n"
