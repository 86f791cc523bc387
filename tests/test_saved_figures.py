"""`exp figures`: figures drawn later, from what a run has recorded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from commands import inside
from exp.plotting.names import EVERY, NEED_MODEL
from exp.runs.record import RunRecord

WORDS = (
    "dataset.n_samples=60", "trainer.epochs=4", "figures.dpi=40", "figures.resolution=20",
    "figures.frames=3", "hydra.run.dir=run",
)  # fmt: skip


BARE = (*WORDS[:2], "figures=none", "hydra.run.dir=run")


def drawn(run: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((run / "figures").iterdir())}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that has drawn every figure itself."""
    here = tmp_path_factory.mktemp("whole")
    assert inside(here, *WORDS, "figures=all").code == 0
    return here / "run"


def test_they_are_the_bytes_that_the_run_would_have_drawn(whole: Path, tmp_path: Path) -> None:
    assert inside(tmp_path, *WORDS, "figures.draw=[norms]").code == 0
    assert list(drawn(tmp_path / "run")) == ["norms.png"]
    ended = inside(tmp_path, "figures", "run", "--all")
    assert ended.code == 0, ended.err
    assert ended.out.startswith("run/figures/: data.png, boundary.png, boundary_strip.png, ")
    assert drawn(tmp_path / "run") == drawn(whole)
    assert RunRecord.at(tmp_path / "run").damaged == []


def test_names_format_and_theme(tmp_path: Path) -> None:
    assert inside(tmp_path, *BARE).code == 0
    words = ("--draw", "roc,learning_curves", "--format=svg,png", "--theme=dark")
    ended = inside(tmp_path, "figures", "run", *words)
    assert ended.code == 0, ended.err
    assert list(drawn(tmp_path / "run")) == [
        "learning_curves.png", "learning_curves.svg", "roc.png", "roc.svg",
    ]  # fmt: skip
    assert b"#14181f" in drawn(tmp_path / "run")["roc.svg"]
    record = json.loads((tmp_path / "run/run.json").read_text())
    assert "figures/roc.svg" in record["digests"]


def test_what_needs_the_model_needs_trust_and_the_rest_is_drawn(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "import pathlib\nfrom exp import register\n\n"
        "pathlib.Path('imported').touch()\n\n"
        "@register.activation('half')\n"
        "def half(x):\n    '''Half.'''\n    return x / 2\n"
    )
    words = (*BARE, "plugins=[mine]", "activation=half")
    assert inside(tmp_path, *words).code == 0
    (tmp_path / "imported").unlink()
    ended = inside(tmp_path, "figures", "run", "--all")
    assert ended.code == 0, ended.err
    assert "figures that need the model are left out" in ended.out
    assert "add --trust" in ended.out
    there = {Path(name).stem for name in drawn(tmp_path / "run")}
    assert there == set(EVERY) - NEED_MODEL
    ended = inside(tmp_path, "figures", "run", "--draw=boundary")
    assert ended.code == 2
    assert "boundary: these figures need the model" in ended.err
    assert not (tmp_path / "imported").exists()
    assert inside(tmp_path, "figures", "run", "--draw=boundary", "--trust").code == 0
    assert "boundary.png" in drawn(tmp_path / "run")


def test_of_a_sweep_each_run_is_drawn_which_had_its_boundary_only(tmp_path: Path) -> None:
    words = ("-m", "seed=1,2", *WORDS[:-1], "sweep.dir=s", "sweep.figures=false")
    assert inside(tmp_path, *words).code == 0
    runs = sorted(path.parent for path in (tmp_path / "s").glob("*/run.json"))
    assert [list(drawn(run)) for run in runs] == [["boundary.png"]] * 2
    ended = inside(tmp_path, "figures", "s", "--draw=data")
    assert ended.code == 0, ended.err
    assert [list(drawn(run)) for run in runs] == [["boundary.png", "data.png"]] * 2
    assert ended.out.count("figures/: data.png\n") == 2


def test_of_numbers(tmp_path: Path) -> None:
    words = ("dataset=plane", "dataset.n_samples=60", *BARE[1:])
    assert inside(tmp_path, *words).code == 0
    assert inside(tmp_path, "figures", "run").code == 0
    assert list(drawn(tmp_path / "run")) == ["data.png", "fit.png", "learning_curves.png"]
    ended = inside(tmp_path, "figures", "run", "--draw=roc,boundary")
    assert ended.code == 2
    assert "these figures do not exist: roc, boundary" in ended.err


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("--draw=rok",), "--draw: unknown figure 'rok'. Did you mean 'roc'?"),
        (("--format=gif",), "--format: unknown format 'gif'"),
        (("--theme=pink",), "--theme"),
        (("--draw=,",), "--draw: expected some of data, boundary"),
        (("--all", "--draw=roc"), "either --all or --draw"),
    ],
)
def test_what_cannot_be_is_one_clear_error(whole: Path, words: tuple[str, ...], text: str) -> None:
    before = drawn(whole)
    ended = inside(whole.parent, "figures", "run", *words)
    assert ended.code == 2
    assert text in ended.err
    assert drawn(whole) == before


def test_a_damaged_run_is_not_drawn(tmp_path: Path) -> None:
    assert inside(tmp_path, *BARE).code == 0
    with (tmp_path / "run/metrics.csv").open("a") as file:
        file.write("1,2,3\n")
    ended = inside(tmp_path, "figures", "run")
    assert ended.code == 2
    assert "metrics.csv" in ended.err
    assert not (tmp_path / "run/figures").exists()
