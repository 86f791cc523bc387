"""`exp code`: the rows of its scripts are those of the run, to the bit, and its errors."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from exp.cli.code import planned, script_of
from exp.engine import Job
from exp.runs import code
from exp.sweeps.from_python import composer
from exp.util.errors import ExpError

RULES = Path(__file__).parents[1] / "pyproject.toml"
CLASSES = [
    *("moons", "circles", "blobs", "spirals", "xor", "gaussians", "playground_circle"),
    *(
        "playground_spiral",
        "checkerboard",
        "two_spirals",
        "iris",
        "wine",
        "breast_cancer",
        "digits",
    ),
    "sklearn dataset.generator=make_hastie_10_2 dataset.params={n_samples:200}",
    "sklearn dataset.generator=load_digits dataset.params={n_class:3}",
    "sklearn dataset.generator=make_moons dataset.params={n_samples:[100,50]}",
]
NUMBERS = ["line", "plane", "bumps dataset.noise=0.2"]
SPLITS = [
    "", "split.test=0", "split.test=0 split.validation=0.1", "split.stratify=true",
    "split.stratify=true split.validation=0.15", "split=last", "split=last split.validation=0.2",
    "split=kfold", "split=kfold seeds.split=37 split.validation=0.2",
    "split=kfold split.inner_folds=4 seeds.split=77",
    "split=kfold split.stratify=false split.folds=3 seeds.split=1",
]  # fmt: skip
SCALES = ["", "split.standardize=true", "split.standardize=minmax", "device.dtype=float64"]
FEATURES = [
    "", "features=polynomial", "features=fourier features.n_components=9", "features=quantile",
    "features=piecewise", "features=polynomial features.degree=3 features.interaction_only=true",
]  # fmt: skip


def drawn() -> Iterator[str]:
    """Every data set, split, scale and feature map, in changing combinations."""
    splits, scales, features = cycle(SPLITS), cycle(SCALES), cycle(FEATURES)
    for dataset in (*CLASSES, *CLASSES):
        wide = "digits" in dataset or dataset in ("wine", "breast_cancer")
        mapped = next(features)
        mapped = "" if wide and "polynomial" in mapped else mapped
        split, scale = next(splits), next(scales)
        if "last" in split:  # needs rows that are not sorted by class, and knows no minmax
            dataset, scale = "moons", scale.replace("minmax", "true")
        yield f"dataset={dataset} {split} {scale} {mapped}"
    for dataset in NUMBERS:
        yield f"dataset={dataset} split.standardize_target=true"
        yield f"dataset={dataset} split=kfold device.dtype=float64 split.standardize_target=true"
    yield "dataset=moons features=playground split.standardize=true"
    yield "dataset=plane features=playground features.use=[x,sin_y]"


def both(words: str) -> tuple[Job, str]:
    """A job and its script."""
    with composer(words.split(), quiet=True) as (hydra, args):
        job = Job.of(planned(hydra, args))
    return job, code.of_job(job, words.split())


def compare(job: Job, script: str) -> None:
    """Runs the section of a script that makes the rows, and compares them with those of a job."""
    names: dict[str, Any] = {}
    data, second, _ = script.partition("\n# 2. ")
    assert second
    exec(compile(data, "script.py", "exec"), names)
    for part, rows in job.data.split.parts.items():
        X, y = names[f"X_{part}"], names[f"y_{part}"]
        assert X.dtype == job.device.dtype
        assert np.array_equal(X.numpy(), job.data.X[rows])
        assert np.array_equal(y.numpy(), job.data.targets[rows])
        if (weights := job.data.weights_of(rows)) is not None:
            assert np.array_equal(names[f"w_{part}"].numpy(), weights)
    assert names["classes"] == list(job.data.data.classes)
    missing = {"train", "validation", "test"} - set(job.data.split.parts)
    assert not {f"X_{part}" for part in missing} & set(names)


def ruff(scripts: list[str], folder: Path) -> None:
    """Checks scripts with ruff, by the rules of exp's own code."""
    for number, script in enumerate(scripts):
        (folder / f"script_{number:03}.py").write_text(script)
    for words in (["check"], ["format", "--check", "--diff"]):
        line = [sys.executable, "-m", "ruff", *words, "--no-cache", "--config", str(RULES)]
        done = subprocess.run([*line, str(folder)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_rows_of_a_script_are_those_of_the_run(tmp_path: Path) -> None:
    scripts = []
    for words in drawn():
        job, script = both(words)
        compare(job, script)
        scripts.append(script)
    ruff(scripts, tmp_path)


@pytest.fixture
def tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of tables with texts, gaps, dates, other notations of numbers, groups and times."""
    monkeypatch.chdir(tmp_path)
    random, rows = np.random.default_rng(0), 120
    part = random.choice(["train", "Train", "val", "test"], rows, p=[0.5, 0.2, 0.1, 0.2])
    table = pd.DataFrame(
        {
            "age": random.normal(40, 10, rows).round(2),
            "height": random.normal(170, 9, rows),
            "colour": random.choice(["red", "green", "blue"], rows),
            "zip": random.choice([1, 2, 10, 33], rows),
            "when": pd.date_range("2024-01-01", periods=rows).strftime("%Y-%m-%d"),
            "patient": random.integers(0, 15, rows),
            "part": part,
            "fold": random.integers(-1, 4, rows),
            "weight": random.uniform(0.1, 2, rows).round(3),
            "price": random.normal(0, 5, rows).round(3),
            "sick": random.choice(["yes", "no", "maybe"], rows),
        }
    )
    table.to_csv("whole.csv", index=False)
    table.to_csv("index.csv")
    table.to_parquet("whole.parquet")
    table.head(80).to_csv("first.csv", index=False)
    table.tail(40).to_csv("second.csv", index=False)
    gaps = table.astype(object)
    for name in ("age", "height", "colour", "zip"):
        gaps.loc[random.random(rows) < 0.15, name] = ""
    gaps.loc[3, "sick"], gaps.loc[5, "age"], gaps.loc[6, "age"] = "", "?", "none"
    gaps.to_csv("gaps.csv", index=False)
    german = table.astype(object)
    for name in ("age", "height", "weight", "price"):
        texts = [f"{1000 * value:,.2f}" for value in table[name]]
        german[name] = [text.translate(str.maketrans(",.", ".,")) for text in texts]
    german["when"] = pd.to_datetime(table["when"]).dt.strftime("%d.%m.%Y")
    german["colour"] = [f" {text} " for text in table["colour"]]
    german.to_csv("german.csv", index=False, sep=";")
    X = table[["age", "height", "zip"]].to_numpy()
    y = table["zip"].to_numpy()
    np.savez("arrays.npz", X=X, y=y, patient=table["patient"], weight=table["weight"])
    return tmp_path


OF_TABLES = """\
WHOLE SICK NUMBERS
WHOLE SICK NUMBERS split.groups=patient split.validation=0.2
WHOLE SICK NUMBERS split.column=part split.validation=column
WHOLE SICK NUMBERS split.time=when split.validation=0.1
WHOLE SICK NUMBERS split=kfold split.time=when split.folds=4 seeds.split=7 split.inner_folds=2
WHOLE SICK NUMBERS split=kfold split.column=fold split.folds=4 split.inner_folds=3 seeds.split=6
WHOLE PRICE NUMBERS split=kfold split.groups=patient split.validation=0.2 dataset.weights=weight \
split.standardize=true
WHOLE SICK ALL split=kfold split.groups=patient split.folds=3
WHOLE SICK ALL dataset.categorical=[zip] split.standardize=true
WHOLE PRICE ALL dataset.categorical=[zip] dataset.max_categories=3 split.standardize=minmax \
split.standardize_target=true
csv dataset.path=index.csv SICK dataset.exclude=[part,patient,fold] dataset.dates=true \
dataset.weights=weight split.standardize=true
csv dataset.path=first.csv dataset.test_path=second.csv SICK ALL split.validation=0.2 \
split.stratify=true
csv dataset.path=first.csv dataset.test_path=second.csv SICK NUMBERS split.time=when
csv dataset.path=german.csv SICK dataset.delimiter=; dataset.decimal=comma dataset.thousands=. \
dataset.dates={when:"%d.%m.%Y"} dataset.exclude=[part]
GAPS dataset.missing=drop
GAPS dataset.missing=impute split.standardize=true
GAPS dataset.missing=impute dataset.categorical=[zip] features=quantile
GAPS dataset.missing=indicate split.standardize=true
GAPS dataset.missing=indicate dataset.categorical=[zip]
parquet dataset.path=whole.parquet SICK ALL split.standardize=true
npz dataset.path=arrays.npz dataset.weights=weight split.groups=patient
"""
SHORT = {
    "WHOLE": "csv dataset.path=whole.csv",
    "GAPS": "csv dataset.path=gaps.csv SICK ALL",
    "SICK": "dataset.target=sick",
    "PRICE": "dataset.target=price",
    "NUMBERS": "dataset.features=[age,height,zip]",
    "ALL": "dataset.features=[age,colour,height,zip]",
}


def test_the_rows_of_tables_are_those_of_the_run(tables: Path) -> None:
    scripts = []
    for line in OF_TABLES.splitlines():
        words = f"dataset={line}"
        for short, whole in SHORT.items():
            words = words.replace(short, whole)
        job, script = both(words)
        compare(job, script)
        scripts.append(script)
    (tables / "scripts").mkdir()
    ruff(scripts, tables / "scripts")


CUSTOM = '''
import numpy as np
from exp import register
from exp.data.dataset import Data
from exp.registry.types import NonNegative, Rows

STEP = 2.0


def radii(rows):
    return STEP * (1 + np.arange(rows) % 3)


@register.dataset("rings_of_code")
def rings(seed: int, *, n_samples: Rows = 60, noise: NonNegative = 0.05) -> Data:
    """Rings."""
    rng = np.random.default_rng(seed)
    radius, angle = radii(n_samples), rng.uniform(0, 2 * np.pi, n_samples)
    X = radius[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    y = np.arange(n_samples) % 3
    return Data.checked(X + noise * rng.normal(size=X.shape), y, classes=["in", "mid", "out"])


@register.dataset("dots_of_code")
def dots(n=40):
    X = np.random.normal(size=(n, 2))
    return X, np.where(X[:, 0] > 0, "right", "left")


@register.dataset("bunch_of_code")
def bunch(seed):
    X = np.random.default_rng(seed).normal(size=(50, 3))
    return {"data": X, "target": X.sum(axis=1)}
'''


def test_the_source_of_custom_data_sets_is_in_the_script(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data_of_code.py").write_text(CUSTOM)
    monkeypatch.chdir(tmp_path)
    for dataset in ("rings_of_code dataset.noise=0.2", "dots_of_code", "bunch_of_code"):
        words = f"plugins=[data_of_code] dataset={dataset} split.standardize=true"
        job, script = both(words)
        assert "import exp" not in script
        assert "from exp" not in script
        compare(job, script)


@pytest.mark.usefixtures("tables")
def test_a_table_that_pandas_reads_otherwise_is_refused() -> None:
    words = (
        "dataset=csv dataset.path=gaps.csv dataset.target=sick "
        "dataset.features=[age,colour,zip] dataset.missing=indicate dataset.categorical=[zip] "
        "dataset.max_categories=3"
    )
    with pytest.raises(ExpError, match=r"^dataset csv cannot be written as a script with these"):
        script_of(words.split(), trust=False)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("dataset=moonz", "dataset  unknown option 'moonz'. Did you mean 'moons'?"),
        ("seed=1,2", "seed  '1,2' names several values; a sweep needs -m"),
        ("-m seed=1,2", "no such option '-m': a script is of one run, not of a sweep"),
        ("nowhere", "there is no directory 'nowhere'"),
        ("seed=1 nowhere", "expected overrides or one run directory, found 'seed=1 nowhere'"),
    ],
)
def test_errors_say_what_is_wrong(words: str, message: str) -> None:
    with pytest.raises(ExpError) as caught:
        script_of(words.split(), trust=False)
    assert message in str(caught.value)


def test_names_of_columns_stay_texts_in_a_script(in_tmp: Path) -> None:
    """A stranger's csv file has its say only within quotes."""
    names = ['a"); print(1)\nb"""', "c\\d\ne'"]
    rows = pd.DataFrame({name: np.arange(20.0) + place for place, name in enumerate(names)})
    rows.assign(label=["no", "yes"] * 10).to_csv("rows.csv", index=False)
    words = ["dataset=csv", "dataset.path=rows.csv", "dataset.target=label"]
    calls = [each.value for each in ast.parse(script_of(words, trust=False)).body
             if isinstance(each, ast.Expr) and isinstance(each.value, ast.Call)]  # fmt: skip
    labels = [
        ast.literal_eval(each.args[0]) for each in calls if "label(" in f"{ast.unparse(each)[:11]}"
    ]
    assert labels == names
