"""A finished run of the same signature: told, or taken over."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from commands import SMALL, inside

pytestmark = pytest.mark.usefixtures("remembering")

HERE = "sweep.n_jobs=1"


def test_a_single_run_says_so_and_trains_all_the_same(in_tmp: Path) -> None:
    first = inside(in_tmp, *SMALL, "hydra.run.dir=one")
    assert "finished already" not in first.out
    again = inside(in_tmp, *SMALL, "hydra.run.dir=two")
    assert again.code == 0
    assert f"the same run has already finished: {in_tmp / 'one'}\n" in again.out
    assert (in_tmp / "two/summary.json").exists()


def test_it_is_enough_where_that_is_said(in_tmp: Path) -> None:
    inside(in_tmp, *SMALL, "hydra.run.dir=one")
    again = inside(in_tmp, *SMALL, "hydra.run.dir=two", "run.reuse=true")
    assert again.code == 0
    assert again.out == (
        f"the same run has already finished, and run.reuse=true: {in_tmp / 'one'}\n"
    )
    assert not (in_tmp / "two").exists()


@pytest.mark.parametrize("other", ["seed=3", "trainer.epochs=3", "run.reuse=false"])
def test_another_run_is_another_run(in_tmp: Path, other: str) -> None:
    inside(in_tmp, *SMALL, "hydra.run.dir=one")
    assert "finished already" not in inside(in_tmp, *SMALL, other, "hydra.run.dir=two").out


@pytest.mark.parametrize("change", ["metrics.csv", "run.json", "versions", "gone"])
def test_only_a_whole_run_of_the_same_conditions_counts(in_tmp: Path, change: str) -> None:
    import shutil

    from exp.runs.directory import RunDirectory

    inside(in_tmp, *SMALL, "hydra.run.dir=one")
    directory = RunDirectory(in_tmp / "one")
    if change == "gone":
        shutil.rmtree(in_tmp / "one")
    elif change == "versions":
        record = directory.read_record()
        record["versions"]["torch"] = "1.0"
        directory.write_record(record)
    else:
        with (in_tmp / "one" / change).open("a") as file:
            file.write("x")
    assert "finished already" not in inside(in_tmp, *SMALL, "hydra.run.dir=two").out


def test_a_sweep_takes_over_what_is_there(in_tmp: Path) -> None:
    inside(in_tmp, *SMALL, "seed=2", "hydra.run.dir=one")
    words = ("-m", *SMALL, "seed=1,2,3", HERE)
    ended = inside(in_tmp, *words, "sweep.dir=swept")
    assert ended.code == 0, ended.err
    assert "1 of 3 runs were already finished elsewhere and are copied" in ended.out
    assert "2 runs to do in swept/" in ended.out
    taken = in_tmp / "swept/1-seed=2"
    assert (taken / "run.json").read_bytes() == (in_tmp / "one/run.json").read_bytes()
    assert len((in_tmp / "swept/runs.csv").read_text().splitlines()) == 4
    third = inside(in_tmp, *words, "sweep.dir=third")
    assert "3 of 3 runs were already finished elsewhere and are copied" in third.out
    trained = inside(in_tmp, *words, "sweep.dir=fourth", "run.reuse=false")
    assert "3 runs to do in fourth/" in trained.out
    assert "run.reuse" not in json.loads((in_tmp / "fourth/sweep.json").read_text())["keys"]


@pytest.mark.parametrize(
    ("word", "fault"),
    [
        ("run.reuse=maybe", "run.reuse  expected 'auto' or a boolean, found 'maybe'"),
        ("run=3", "run"),
    ],
)
def test_what_it_takes(in_tmp: Path, word: str, fault: str) -> None:
    ended = inside(in_tmp, *SMALL, word)
    assert ended.code == 2
    assert fault in ended.err
