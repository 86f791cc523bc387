"""`exp list runs`: the runs that there are, the newest first, with a filter."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from commands import SMALL, inside
from exp.runs.record import RunRecord


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("listed")
    few = ("trainer.epochs=2", "figures=none")
    for number, words in enumerate(
        (
            [*SMALL],
            [*SMALL, "optimizer=adam", "optimizer.lr=0.2", "trainer.epochs=60"],
            ["dataset=spirals", *few],
            ["-m", *SMALL, "model.hidden=[2],[3,3]", "sweep.n_jobs=1", "sweep.dir=multirun/s"],
        )
    ):
        if number < 3:
            words = [*words, f"hydra.run.dir=outputs/{number}"]
        assert inside(where, *words).code == 0
    for number, path in enumerate(sorted(where.glob("outputs/?"))):  # a day between two of them
        directory = RunRecord.at(path).directory
        record = directory.read_record() | {"started": f"2026-01-0{number + 1}T12:00:00+00:00"}
        directory.write_record(record)
    return where


def listed(where: Path, *words: str) -> list[str]:
    ended = inside(where, "list", "runs", *words)
    assert (ended.code, ended.err) == (0, "")
    return ended.out.splitlines()


def test_the_newest_run_is_first_and_what_differs_is_shown(stock: Path) -> None:
    header, *lines, total = listed(stock, "outputs")
    assert [line.split()[-1] for line in lines] == ["outputs/2", "outputs/1", "outputs/0"]
    assert [line[:16] for line in lines] == [f"2026-01-0{day} 12:00" for day in (3, 2, 1)]
    assert header.split()[:5] == ["started", "(UTC)", "dataset", "optimizer", "trainer.epochs"]
    assert header.split()[-3:] == ["test/accuracy", "test/loss", "directory"]
    assert "seed" not in header  # the same in all
    assert lines[0].split()[2:5] == ["spirals", "sgd", "2"]
    assert total == "3 runs"
    assert listed(stock)[-1] == "5 runs"  # those of multirun/ too


@pytest.mark.parametrize(
    ("filters", "wanted"),
    [
        ("dataset=spirals", {"outputs/2"}),
        ("optimizer=adam dataset=moons", {"outputs/1"}),
        ("optimizer.lr>=0.2", {"outputs/1"}),
        ("dataset=moons model.hidden=[8,8]", {"outputs/0", "outputs/1"}),
        ("model.hidden=[3,3]", {"multirun/s/1-model.hidden=_3,3_"}),
        ("optimizer!=sgd", {"outputs/1"}),
        ("epochs<60 outputs", {"outputs/0", "outputs/2"}),
        ("status=done dataset=spirals", {"outputs/2"}),
    ],
)
def test_filters(stock: Path, filters: str, wanted: set[str]) -> None:
    _, *lines, total = listed(stock, *filters.split())
    assert {line.split()[-1] for line in lines} == wanted
    among = 3 if "outputs" in filters else 5
    assert re.fullmatch(rf"{len(wanted)} of {among} runs", total)


def test_a_score_needs_no_split(stock: Path) -> None:
    by_short, by_full = (listed(stock, f"{n}>0.7") for n in ("accuracy", "test/accuracy"))
    assert by_short == by_full
    assert by_short[1].split()[-1] == "outputs/1"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("datset=moons", "unknown key 'datset'. Did you mean 'dataset'? Such as: run, status"),
        ("dataset=mons", "no run has dataset=mons. Did you mean 'moons'? They have moons, spirals"),
        ("test/acuracy>1", "unknown key 'test/acuracy'. Did you mean 'test/accuracy'?"),
        ("optimizer>1", "none of 5 runs satisfies optimizer>1"),
        ("accuracy>many", "expected a number after >, found 'accuracy>many'"),
        ("outputs multirun", "expected one directory, found outputs, multirun"),
        ("output", "there is no directory 'output'. Did you mean 'outputs'?"),
    ],
)
def test_mistakes(stock: Path, words: str, said: str) -> None:
    ended = inside(stock, "list", "runs", *words.split())
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err
    assert ended.err.count("\n") == 1


def test_where_there_are_none(in_tmp: Path) -> None:
    said = inside(in_tmp, "list", "runs").err
    assert "there are no runs in outputs/ or multirun/ here. Name a directory" in said
