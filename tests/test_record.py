"""A run directory is read as it was written: each file by its writer, then by RunRecord."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

import exp
from commands import SMALL, inside, read_csv
from exp.data.dataset import Data
from exp.report.ensemble_accuracy import ensemble_accuracy
from exp.runs.metrics_file import history_of, history_text
from exp.runs.predictions import Predictions
from exp.runs.record import RunRecord
from exp.runs.result_files import Answers
from exp.runs.targets import target_of

OLD = Path(__file__).parent / "old_runs"
"""Runs as version 0.1 wrote them on 27 November 2026 (commit c725c2f)."""

# Texts that a csv file, a column's name or a number's reader may stumble over.
AWKWARD = (
    "1", "2", "1.0", "01", "-1", "nan", "inf", "true", "", " ", " a", "a,b", 'say "x"', "\t",
    "two\nlines", "carriage\rreturn", "\r\n", "é", "日本語", "a;b", "'", "label", "target",
    "predicted", "logit", "split", "row", "logit:a", "probability:a", "feature:a", "feature:split",
    "# a",
)  # fmt: skip
texts = st.one_of(
    st.sampled_from(AWKWARD),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8),
)
floats = st.floats(width=32, allow_nan=False, allow_infinity=False)


@st.composite
def tables(draw: st.DrawFn) -> Data:
    """Rows with numbers, gaps and categories, and classes or numbers to predict."""
    rows = draw(st.integers(2, 8))
    names = draw(st.lists(texts, min_size=1, max_size=4, unique=True))
    gaps = draw(st.booleans())
    columns, categories = [], []
    for _ in names:
        known = draw(st.none() | st.lists(texts.filter(bool), min_size=1, max_size=3, unique=True))
        values = floats if known is None else st.integers(0, len(known) - 1).map(float)
        column = st.one_of(values, st.just(float("nan"))) if gaps else values
        columns.append(draw(st.lists(column, min_size=rows, max_size=rows)))
        categories.append(None if known is None else tuple(known))
    X = np.ascontiguousarray(np.array(columns, np.float32).T)
    if draw(st.booleans()):
        y = np.array(draw(st.lists(floats, min_size=rows, max_size=rows)), np.float32)
        classes: tuple[str, ...] = ()
    else:
        classes = tuple(draw(st.lists(texts, min_size=2, max_size=min(rows, 4), unique=True)))
        y = np.arange(rows) % len(classes)
    kinds = tuple(categories) if any(categories) else ()
    return Data(X, y, classes, tuple(names), (None,) * len(names), kinds, gaps)


def written(data: Data, logits: np.ndarray, predicted: np.ndarray) -> str:
    """predictions.csv as a run writes it."""
    rows = np.arange(len(data.y))
    half = len(rows) // 2
    answers = Answers.__new__(Answers)
    answers.result = SimpleNamespace(job=SimpleNamespace(data=SimpleNamespace(data=data)))  # type: ignore[assignment]
    answers.target = target_of(data)
    answers.rows = {"train": rows[:half], "test": rows[half:]}
    count = max(len(data.classes), 1)
    chances = np.linspace(0, 1, len(rows) * count).reshape(-1, count).astype(np.float32)
    answers.logits = {name: logits[at] for name, at in answers.rows.items()}
    answers.probabilities = {name: chances[at] for name, at in answers.rows.items()}
    answers.predicted = {name: predicted[at] for name, at in answers.rows.items()}
    return "".join(answers.predictions_text())


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=tables(), flip=st.integers(0, 3), described=st.booleans())
def test_predictions_are_read_as_they_were_written(data: Data, flip: int, described: bool) -> None:
    count = len(data.y)
    predicted = np.roll(data.y, flip)
    outputs = 1 if len(data.classes) in (0, 2) else len(data.classes)
    logits = np.linspace(-1, 1, count * outputs).reshape(count, outputs).astype(np.float32)
    text = written(data, logits, predicted)
    known: dict[str, Any] = {"classes": data.classes, "categories": data.categorical}
    found = Predictions.of(text.encode(), **(known if described else {}))
    assert found.classes == data.classes
    assert found.numeric == data.numeric
    assert found.split.tolist() == ["train"] * (count // 2) + ["test"] * (count - count // 2)
    assert found.row.tolist() == list(range(count))
    assert found.truth.astype(data.y.dtype).tolist() == data.y.tolist()
    assert found.predicted.astype(data.y.dtype).tolist() == predicted.tolist()
    assert list(found.features) == list(data.features)
    if not described:
        return
    for at, column in enumerate(found.features.values()):
        names = data.categories[at] if data.categories else None
        if names is None:
            assert np.array_equal(column.astype(np.float32), data.X[:, at], equal_nan=True)
        else:
            whole = ["" if x != x else names[int(x)] for x in data.X[:, at]]
            assert column.tolist() == whole
    # What a notebook is given: numbers where the target is one, names where it is not.
    arrays = found.arrays
    for column, codes in ((target_of(data).column, data.y), ("predicted", predicted)):
        wanted = codes.tolist() if data.numeric else [data.classes[code] for code in codes]
        assert arrays[column].astype(codes.dtype if data.numeric else str).tolist() == wanted


@settings(max_examples=60, deadline=None)
@given(
    names=st.lists(texts.filter(lambda name: name != "epoch"), max_size=4, unique=True),
    rows=st.lists(st.lists(st.floats(width=32), min_size=4, max_size=4), max_size=6),
)
def test_a_history_is_read_as_it_was_written(names: list[str], rows: list[list[float]]) -> None:
    block = np.array(rows, np.float32).reshape(len(rows), 4)
    table = {"epoch": np.arange(len(rows)) * 3, **{n: block[:, at] for at, n in enumerate(names)}}
    found = history_of(history_text(table).encode())
    assert list(found) == list(table)
    for name, column in table.items():
        kind = column.dtype
        assert np.array_equal(found[name].astype(kind), column, equal_nan=kind != np.int64), name


# --- ensembles -----------------------------------------------------------------------------------


@pytest.mark.parametrize("classes", [("1", "2"), ("ok", "fraud"), ("a,b", 'q"', "ü")])
def test_the_accuracy_of_an_ensemble_is_numpys(tmp_path: Path, classes: tuple[str, ...]) -> None:
    rng = np.random.default_rng(0)
    count, k = 40, len(classes)
    y = np.arange(count) % k
    chances = rng.dirichlet(np.ones(k), (3, count)) + 0.5 * np.eye(k)[y]
    chances /= chances.sum(axis=2, keepdims=True)
    places = []
    for run, p in enumerate(chances):
        lines = [["test", str(row), "0.5", classes[y[row]], *map(repr, p[row].tolist()),
                  classes[p[row].argmax()]] for row in range(count)]  # fmt: skip
        from exp.util.serialize import csv_text

        header = ["split", "row", "x", "label", *(f"probability:{n}" for n in classes), "predicted"]
        places.append(tmp_path / str(run))
        places[-1].mkdir()
        (places[-1] / "predictions.csv").write_text(csv_text(header, lines), encoding="utf-8")
    together = float((chances.mean(axis=0).argmax(axis=1) == y).mean())
    alone = float((chances.argmax(axis=2) == y).mean())
    assert ensemble_accuracy(places) == (pytest.approx(together), pytest.approx(alone))


def test_an_ensemble_of_perfect_runs_with_numbers_as_names_is_perfect(in_tmp: Path) -> None:
    rows = [f"{i % 2 + 0.001 * i:.3f},{i % 2 + 1}" for i in range(60)]
    (in_tmp / "d.csv").write_text("\n".join(["x,y", *rows]) + "\n")
    words = ("dataset=csv", "dataset.path=d.csv", "dataset.target=y", "figures=none",
             "optimizer=adam", "optimizer.lr=0.1", "trainer.epochs=30")  # fmt: skip
    ended = inside(in_tmp, "-m", *words, "seeds.init=1,2", "sweep.dir=s", "sweep.n_jobs=1")
    assert ended.code == 0, ended.err
    found = sorted(path.parent for path in in_tmp.glob("s/*/run.json"))
    assert ensemble_accuracy(found) == (1.0, 1.0)


# --- regression ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two regressions on the same rows, not to be changed."""
    where = tmp_path_factory.mktemp("lines")
    words = ("dataset=line", "dataset.n_samples=40", "figures=none", "trainer.epochs=5")
    for name, rate in (("a", "0.05"), ("b", "0.001")):
        ended = inside(where, *words, f"optimizer.lr={rate}", f"hydra.run.dir={name}")
        assert ended.code == 0, ended.err
    return where


def test_two_regressions_are_compared(lines: Path) -> None:
    a, b = (read_csv(lines / name / "predictions.csv") for name in "ab")
    rows = a["split"] == "test"
    truth = a["target"][rows].astype(float)
    mine, theirs = (each["predicted"][rows].astype(float) for each in (a, b))
    apart = np.abs(mine - theirs)
    closer = np.abs(mine - truth) < np.abs(theirs - truth)
    p = binomtest(int(closer.sum()), len(closer)).pvalue
    told = inside(lines, "compare", "a", "b").out
    assert (
        f"answers: {(apart > 0).sum()} of {rows.sum()} common test rows differ, by "
        f"{apart.mean():.6g} on average and {apart.max():.6g} at most; A is closer to the target "
        f"on {closer.sum()}, B on {(~closer).sum()} (sign test: p"
    ) in told
    assert f"{p:.2g}" in told.partition("sign test: ")[2].partition(")")[0] or p < 0.001
    same = inside(lines, "compare", "a", "../" + lines.name + "/a").out
    assert f"answers: the same on all {rows.sum()} common test rows" in same


def test_the_predictions_of_a_regression_are_numbers(lines: Path) -> None:
    text = read_csv(lines / "a/predictions.csv")
    frame = exp.load(lines / "a").predictions
    for column in ("x", "target", "predicted"):
        assert frame[column].dtype == np.float64
        assert frame[column].tolist() == text[column].astype(float).tolist()


# --- older runs, other paths ---------------------------------------------------------------------


@pytest.mark.parametrize("name", ["classes", "named", "number"])
def test_a_run_of_the_first_version_is_read(in_tmp: Path, name: str) -> None:
    for part in (name, "people.csv"):
        source = OLD / part
        if source.is_dir():
            shutil.copytree(source, in_tmp / part)
        else:
            shutil.copy(source, in_tmp)
    run = RunRecord.at(in_tmp / name)
    run.check()
    final = json.loads((OLD / name / "summary.json").read_text())["final"]
    assert run.summary()["final"] == final
    found, text = run.predictions(), read_csv(OLD / name / "predictions.csv")
    assert found.row.tolist() == text["row"].astype(int).tolist()
    assert len(run.history()["epoch"]) == 3
    ended = inside(in_tmp, "results", name)
    assert ended.code == 0, ended.err
    ended = inside(in_tmp, "compare", name, name)
    assert ended.code == 0, ended.err
    assert "bit-identical" in ended.out
    ended = inside(in_tmp, "report", name)
    assert ended.code == 0, ended.err
    ended = inside(in_tmp, "predict", name, f"{name}/predictions.csv", "--output", "new.csv")
    assert ended.code == 0, ended.err
    now = read_csv(in_tmp / "new.csv")
    if name == "number":  # the kernel rounds other last digits than torch
        wanted = text["predicted"].astype(float)
        assert now["predicted"].astype(float).tolist() == pytest.approx(wanted.tolist(), rel=1e-6)
    else:
        assert now["predicted"].tolist() == text["predicted"].tolist()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two finished runs, one that was broken off, and a sweep."""
    where = tmp_path_factory.mktemp("made")
    for name, seed in (("a", 1), ("b", 2)):
        ended = inside(where, *SMALL, f"seed={seed}", f"hydra.run.dir={name}")
        assert ended.code == 0, ended.err
    words = ("-m", *SMALL, "seed=1,2", "sweep.dir=s", "sweep.n_jobs=1")
    assert inside(where, *words).code == 0
    return where


@pytest.fixture(params=["..", "link", "link/.."])
def elsewhere(request: pytest.FixtureRequest, made: Path, tmp_path: Path) -> tuple[Path, str]:
    """Where a command is given, and how it names the folder of the runs from there."""
    copy = tmp_path / "copy"
    shutil.copytree(made, copy)
    here = tmp_path / "here"
    here.mkdir()
    if request.param == "..":
        return here, "../copy"
    (here / "link").symlink_to(copy / "s" if request.param == "link/.." else copy)
    return here, request.param


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("compare", "{}/a", "{}/b"), "answers: "),
        (("results", "{}/s"), "accuracy"),
        (("results", "{}"), "accuracy"),
        (("report", "{}/s", "--output", "page.html"), "page.html"),
        (("resume", "{}/a"), "done already"),
        (("resume", "{}/s"), ""),
        (("rerun", "{}/a", "--into", "new"), "bit-identical"),
        (("rerun", "{}/s", "--into", "new"), "bit-identical"),
        (("predict", "{}/a", "{}/a/predictions.csv"), "predicted"),
        (("export", "{}/a", "--to", "state_dict"), "import torch"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_run_is_found_by_any_path(
    elsewhere: tuple[Path, str], words: tuple[str, ...], told: str
) -> None:
    here, folder = elsewhere
    ended = inside(here, *(word.replace("{}", folder) for word in words))
    assert ended.code == (1 if words[0] == "compare" else 0), ended.err
    assert told in ended.out


def test_load_takes_any_path(elsewhere: tuple[Path, str], monkeypatch: pytest.MonkeyPatch) -> None:
    here, folder = elsewhere
    monkeypatch.chdir(here)
    assert exp.load(f"{folder}/a").status == "done"
    assert [run.status for run in exp.load(f"{folder}/s")] == ["done", "done"]
