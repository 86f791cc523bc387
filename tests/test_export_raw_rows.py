"""Exported models take raw rows: categories and missing values as a file has them, and a process
without exp gets the answers of `exp predict`."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import exp
from commands import inside, process, read_csv
from exp.fitting import FitSettings, fit
from exp.runs import checkpoint
from exp.util import command_line

TRAIN = ("optimizer=adam", "trainer.epochs=5", "figures=none", "split.standardize=true")
OUTSIDE = """
import json, sys
sys.modules["exp"] = None  # so that nobody can import it
import numpy as np, pandas as pd
code, kinds = sys.argv[1], json.loads(sys.argv[2])
X = pd.read_csv("new.csv", dtype=str, keep_default_na=False)[list(kinds)]
for name, kind in kinds.items():
    if kind == "date":
        X[name] = (pd.to_datetime(X[name]) - pd.Timestamp(0)) / pd.Timedelta(days=1)
    elif kind == "number":
        X[name] = pd.to_numeric(X[name].replace(["", "?", "NA"], np.nan))
if "X is a DataFrame" not in code:
    X = X.to_numpy()
exec(code)
label = globals().get("label_", globals().get("label"))
label = None if label is None else label.tolist()
answers = probabilities if "probabilities" in globals() else predictions
print(json.dumps([np.asarray(answers, float).tolist(), label]))
"""


def outside(where: Path, code: str, kinds: dict[str, str]) -> tuple[np.ndarray, list[str] | None]:
    """The answers of an exported model for new.csv, by the code that `exp export` has printed, in
    a process that cannot import exp."""
    done = subprocess.run(
        [sys.executable, "-c", OUTSIDE, code, json.dumps(kinds)],
        cwd=where, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answers, label = json.loads(done.stdout)
    return np.array(answers), label


def predicted(where: Path, model: str, file: str = "new.csv") -> dict[str, np.ndarray]:
    """The columns of `exp predict`."""
    ended = inside(where, "predict", model, file, "--output", "out.csv")
    assert ended.code == 0, ended.err
    return read_csv(where / "out.csv")


def kinds_of(run: Path) -> dict[str, str]:
    found: Any = exp.load(run)
    return {column.name: column.kind for column in found.trained().preparation.columns}


def pets(rows: int) -> pd.DataFrame:
    """Numbers and texts with gaps, categories that are numbers and truth values, dates."""
    random = np.random.default_rng(0)
    kind = random.choice(["cat", "dog", "owl"], rows)
    frame = pd.DataFrame(
        {
            "weight": random.normal(5, 2, rows) + (kind == "dog") * 9,
            "colour": random.choice(["red", "black", "brown", "white", "grey"], rows),
            "legs": random.choice([2, 4], rows),
            "tame": random.choice([True, False], rows),
            "born": pd.Timestamp("2020-01-01")
            + pd.to_timedelta(random.integers(0, 900, rows), "D"),
            "label": random.normal(1e6, 1e-2, rows),
            "kind": kind,
        }
    )
    frame["tame"] = frame["tame"].astype(object)
    for name in ("weight", "colour", "legs", "tame"):
        frame.loc[random.random(rows) < 0.15, name] = None
    return frame


STRANGE = {
    "weight": ["NA", "", "3.25", "-80", "?"],
    "colour": ["purple", "na", "Null", " red  ", ""],
    "legs": ["4.0", "2", "3", "4e0", "n/A"],
    "tame": ["TRUE", "false", "", "maybe", "True"],
    "born": ["2020-05-06", "1999-01-01", "2021-01-01", "2030-12-31", "2020-02-29"],
    "label": ["1000000.01", "999999.99", "1000000", "1000000.02", "1000001"],
}
"""New rows: texts that mean missing, unknown categories, other spellings of known ones."""


@pytest.fixture(scope="module", params=["impute polynomial", "indicate piecewise"])
def shop(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """A folder with a run of `pets`, whose file is gone, and new rows."""
    where = tmp_path_factory.mktemp("shop")
    missing, features = request.param.split()
    pets(200).to_csv(where / "pets.csv", index=False)
    ended = inside(
        where, "dataset=csv", "dataset.path=pets.csv", "dataset.target=kind", *TRAIN,
        "dataset.categorical=[legs]", "dataset.dates=[born]", f"dataset.missing={missing}",
        "dataset.max_categories=4", f"features={features}", "hydra.run.dir=run",
    )  # fmt: skip
    assert ended.code == 0, ended.err
    pd.DataFrame({"note": list("abcde"), **STRANGE}).to_csv(where / "new.csv", index=False)
    (where / "pets.csv").unlink()
    return where


def probabilities(columns: dict[str, np.ndarray]) -> np.ndarray:
    """[rows, classes]"""
    found = [v for name, v in columns.items() if name.startswith("probability:")]
    return np.column_stack(found).astype(float)


def test_onnx_takes_the_columns_of_a_file(shop: Path) -> None:
    pytest.importorskip("onnxruntime")
    ended = inside(shop, "export", "run", "--to", "onnx")
    assert ended.code == 0, ended.err
    wanted = predicted(shop, "run")
    found, label = outside(shop, ended.out, kinds_of(shop / "run"))
    np.testing.assert_allclose(found, probabilities(wanted), atol=1e-6)
    assert label == wanted["predicted"].tolist()
    assert "label_" in ended.out  # a column is called label


def test_a_model_file_needs_neither_the_run_nor_its_data(shop: Path, in_tmp: Path) -> None:
    ended = inside(
        shop, "export", "run", "--to", "safetensors", "--output", f"{in_tmp}/m.safetensors"
    )
    assert ended.code == 0, ended.err
    (in_tmp / "new.csv").write_bytes((shop / "new.csv").read_bytes())
    wanted, found = predicted(shop, "run"), predicted(in_tmp, "m.safetensors")
    assert {name: v.tolist() for name, v in found.items()} == {
        name: v.tolist() for name, v in wanted.items()
    }
    model = exp.load("m.safetensors")
    assert isinstance(model, exp.api.model.Model)
    assert model.classes == ("cat", "dog", "owl")
    frame = pd.read_csv("new.csv", index_col="note", parse_dates=["born"])
    named = model.predict_proba(frame, as_frame=True)
    assert list(named.columns) == ["cat", "dog", "owl"]
    assert list(named.index) == list("abcde")
    np.testing.assert_array_equal(named.to_numpy().astype(str), np.column_stack(
        [wanted[f"probability:{name}"] for name in named.columns]
    ))  # fmt: skip
    assert model.predict(frame).tolist() == wanted["predicted"].tolist()
    # From a model file, too, and the same file again.
    again = inside(
        in_tmp, "export", "m.safetensors", "--to", "safetensors", "--output", "n.safetensors"
    )
    assert again.code == 0, again.err
    assert Path("n.safetensors").read_bytes() == Path("m.safetensors").read_bytes()


def test_frames_hold_what_a_file_holds(shop: Path) -> None:
    """Texts, categories of pandas, dates as texts and timestamps, in any order of columns."""
    model = exp.load(shop / "run")
    texts = pd.read_csv(shop / "new.csv", dtype=str, keep_default_na=False)
    wanted = probabilities(predicted(shop, "run"))
    typed = texts.assign(
        born=pd.to_datetime(texts["born"]),
        weight=pd.to_numeric(texts["weight"], errors="coerce"),
        colour=texts["colour"]
        .where(texts["colour"].str.strip().isin(["purple", "red"]))
        .astype("category"),
        label=texts["label"].astype(float),
    )[[*texts.columns[::-1]]]
    for frame in (texts, typed):
        np.testing.assert_allclose(model.predict_proba(frame), wanted, atol=1e-7)


@pytest.mark.parametrize("words", [
    ("dataset=wine",),
    ("dataset=moons", "features=fourier", "model.batch_norm=true"),
    ("dataset=line", "features=none"),
    ("dataset=circles", "features=playground", "loss=cross_entropy", "device.dtype=float64"),
])  # fmt: skip
def test_rows_of_numbers_are_one_matrix(words: tuple[str, ...], in_tmp: Path) -> None:
    pytest.importorskip("onnxruntime")
    ended = inside(in_tmp, *words, *TRAIN, "hydra.run.dir=run")
    assert ended.code == 0, ended.err
    columns = read_csv(in_tmp / "run/predictions.csv")
    kinds = kinds_of(in_tmp / "run")
    pd.DataFrame({name: columns[name] for name in kinds}).to_csv("new.csv", index=False)
    code = inside(in_tmp, "export", "run", "--to", "onnx").out
    assert '{"rows": X.astype' in code
    found, label = outside(in_tmp, code, kinds)
    if words[0] == "dataset=line":
        np.testing.assert_allclose(found[:, 0], columns["predicted"].astype(float), atol=1e-6)
        assert label is None
    else:
        np.testing.assert_allclose(found, probabilities(columns), atol=1e-6)
        assert label == columns["predicted"].tolist()


@pytest.mark.parametrize("missing", ["impute", "indicate"])
def test_gaps_in_rows_of_numbers(in_tmp: Path, missing: str) -> None:
    """-999 means missing in this file; torchscript fills it in as well."""
    pytest.importorskip("onnxruntime")
    random = np.random.default_rng(0)
    X = random.normal(size=(80, 3)).round(3)
    frame = pd.DataFrame(X, columns=list("abc")).assign(kind=np.where(X[:, 0] > 0, "x", "y"))
    frame.loc[random.random(80) < 0.2, "b"] = -999
    frame.to_csv("rows.csv", index=False)
    ended = inside(
        in_tmp, "dataset=csv", "dataset.path=rows.csv", "dataset.target=kind", *TRAIN,
        f"dataset.missing={missing}", "dataset.na_values=[-999,NA]", "hydra.run.dir=run",
    )  # fmt: skip
    assert ended.code == 0, ended.err
    Path("new.csv").write_text("a,b,c\n1,-999,2\n-1,0.5,\nNA,-999.0,0.25\n")
    wanted = probabilities(predicted(in_tmp, "run"))
    code = inside(in_tmp, "export", "run", "--to", "onnx").out
    found, _ = outside(in_tmp, code, dict.fromkeys("abc", "number"))
    np.testing.assert_allclose(found, wanted, atol=1e-6)
    code = inside(in_tmp, "export", "run", "--to", "torchscript").out
    found, _ = outside(in_tmp, code, dict.fromkeys("abc", "number"))
    np.testing.assert_allclose(found, wanted, atol=1e-6)
    X = pd.read_csv("new.csv").to_numpy()
    np.testing.assert_allclose(exp.load("run").predict_proba(X), wanted, atol=1e-7)


# Model files of strangers


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model file of two features."""
    where = tmp_path_factory.mktemp("model")
    ended = inside(where, "dataset=moons", *TRAIN, "hydra.run.dir=run")
    assert ended.code == 0, ended.err
    assert inside(where, "export", "run", "--to", "safetensors").code == 0
    return where / "model.safetensors"


def changed(model: Path, change: Callable[[dict[str, Any]], None]) -> bytes:
    """The file with other metadata and a digest that fits."""
    tensors, numbers = checkpoint.load(model)
    change(numbers)
    return checkpoint.packed(tensors, numbers)


def hidden(*units: int) -> Callable[[dict[str, Any]], None]:
    return lambda found: found["config"]["model"].update(hidden=list(units))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda found: found.update(format=2), "needs a newer version of exp"),
        (lambda found: found.pop("format"), "weights only"),
        (lambda found: found.pop("config"), "config is missing"),
        (lambda found: found["config"]["model"].update(name="nothing"), "unknown model 'nothing'"),
        (lambda found: found["config"].update(model={"name": "mlp", "widths": [1]}), "widths"),
        (hidden(65536, 65536, 65536), "the tensor"),
        (hidden(8, 8, 8), "the tensor '6.bias' is missing"),
        (
            lambda found: found["config"].update(
                model={
                    "name": "ensemble",
                    "maps": [{"name": "none", "outputs": 2}],
                    "members": [
                        {"network": {"name": "mlp"}, "outputs": 1, "copies": 100, "weight": 1.0}
                    ],
                }
            ),
            "fewer tensors than networks",
        ),
        (lambda found: found["preparation"].update(columns=[]), "is not a model file of exp"),
        (lambda found: found["preparation"].update(mean=[0.0]), "a number for each encoded column"),
        (lambda found: found["preparation"].update(classes=["a"]), "is not a model file of exp"),
        (lambda found: found["preparation"].update(classes=["a", "b", "c"]), "two classes"),
        (lambda found: found["preparation"]["columns"][0].update(kind="code"), "kind: expected"),
        (
            lambda found: found["preparation"].update(
                mapping={"name": "fourier", "names": ["a"], "values": {"weights": [[1.0]]}}
            ),
            "does not fit together",
        ),
        (
            lambda found: found["preparation"].update(
                mapping={"name": "os.system", "names": ["a"], "values": {}}
            ),
            "does not fit together",
        ),
        (lambda found: found["config"].update(plugins=["antigravity"]), "add --trust"),
        (lambda found: found.update(components={"model x": {"file": "y"}}), "have changed since"),
    ],
)
def test_a_model_file_with_other_metadata(
    model: Path, in_tmp: Path, change: Callable[[dict[str, Any]], None], message: str
) -> None:
    Path("new.csv").write_text("x1,x2\n0,1\n")
    Path("odd.safetensors").write_bytes(changed(model, change))
    ended = inside(in_tmp, "predict", "odd.safetensors", "new.csv")
    assert (ended.code, ended.out) == (2, "")
    assert message in ended.err
    assert "antigravity" not in sys.modules


def test_a_damaged_model_file(model: Path, in_tmp: Path) -> None:
    Path("new.csv").write_text("x1,x2\n0,1\n")
    content = model.read_bytes()
    flipped = bytearray(content)
    flipped[-1] ^= 1
    for data in (bytes(flipped), content[:-8], content[:40], b"", b"PK\x03\x04" + content):
        Path("odd.safetensors").write_bytes(data)
        ended = inside(in_tmp, "predict", "odd.safetensors", "new.csv")
        assert (ended.code, ended.out) == (2, "")
        assert "odd.safetensors is" in ended.err


CUSTOM = """
import torch
from torch import nn
import exp

@exp.register.model("wide")
def wide(in_features, out_features):
    return nn.Sequential(nn.Linear(in_features, 5), nn.Tanh(), nn.Linear(5, out_features))
"""


def test_a_model_of_code_needs_trust(in_tmp: Path) -> None:
    Path("mine.py").write_text(CUSTOM)
    words = ("plugins=[mine]", "dataset=moons", "model=wide", *TRAIN, "hydra.run.dir=run")
    done = process(in_tmp, *words)
    assert done.code == 0, done.err
    done = process(in_tmp, "export", "run", "--to", "safetensors", "--trust")
    assert done.code == 0, done.err
    asked = ("predict", "model.safetensors", "run/predictions.csv")
    done = process(in_tmp, *asked)
    assert done.code == 2
    assert "needs modules that would be imported: mine" in done.err
    done = process(in_tmp, *asked, "--trust")
    assert (done.code, done.out) == (0, Path("run/predictions.csv").read_text())
    Path("mine.py").write_text(CUSTOM.replace("Tanh", "ReLU"))
    done = process(in_tmp, *asked, "--trust")
    assert done.code == 2
    assert "its components have changed since" in done.err


def test_an_ensemble_of_fit_is_exported(in_tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one network of many that `exp fit` makes, as one model file."""
    monkeypatch.setattr(command_line, "python", True)
    pets(90).drop(columns=["born", "label"]).to_csv("pets.csv", index=False)
    settings = FitSettings(path="pets.csv", target="kind", candidates=3, budget=600, workers=1)
    run = fit(settings, lambda *values: None)
    new = {name: STRANGE[name] for name in ("weight", "colour", "legs", "tame")}
    pd.DataFrame(new).to_csv("new.csv", index=False)
    ended = inside(in_tmp, "export", str(run), "--to", "safetensors")
    assert ended.code == 0, ended.err
    Path("pets.csv").unlink()
    wanted, found = predicted(in_tmp, str(run)), predicted(in_tmp, "model.safetensors")
    np.testing.assert_array_equal(probabilities(found), probabilities(wanted))
    assert probabilities(wanted).sum(axis=1) == pytest.approx(1, abs=1e-5)
