"""exp compare: by how much two runs differ, what they answer, and where their models disagree."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from commands import inside, read_csv
from exp.report.compare_answers import answers
from exp.runs.record import RunRecord
from exp.runs.trained.load_model import model

RUN = ("figures=none", "dataset.n_samples=80", "trainer.epochs=30", "trainer.batch_size=16")
P = "(McNemar's exact test: p=0.021)"
PAGES = {"light": (255, 255, 255), "dark": (20, 24, 31)}


@pytest.fixture(scope="module")
def where(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Finished runs, not to be changed: two of one seed, and one of other rows."""
    made = tmp_path_factory.mktemp("runs")
    for name, *words in (
        ("run", "optimizer=adam"), ("other", "optimizer.lr=0.5"), ("elsewhere", "seeds.data=77"),
    ):  # fmt: skip
        ended = inside(made, *RUN, *words, f"hydra.run.dir={name}")
        assert ended.code == 0, ended.err
    return made


@pytest.fixture
def run(where: Path) -> Path:
    return where / "run"


def test_by_how_much(where: Path) -> None:
    lines = inside(where, "compare", "run", "other").out.splitlines()
    at = lines.index(next(line for line in lines if line.startswith("results")))
    assert lines[at].split() == ["results", "A", "B", "B", "-", "A"]
    told = {words[0]: words[1:] for words in map(str.split, lines[at + 1 :]) if len(words) == 4}
    finals = [
        json.loads((place / "summary.json").read_text())["final"]
        for place in (where / "run", where / "other")
    ]
    a, b, difference = told["test/loss"]
    assert (a, b) == tuple(f"{final['test/loss']:.6g}" for final in finals)
    assert difference == f"{finals[1]['test/loss'] - finals[0]['test/loss']:+.6g}"


def answered(place: Path, right: str) -> None:
    """A predictions.csv of test rows, one for each letter: right (r) or wrong (w)."""
    lines = [f"test,{n},0,{'0' if letter == 'r' else '1'}" for n, letter in enumerate(right)]
    train = "train,99,0,1"
    (place / "predictions.csv").write_text(
        "\n".join(["split,row,label,predicted", train, *lines, ""])
    )


@pytest.mark.parametrize(
    ("one", "other", "told"),
    [
        ("rrrrrrrrrrww", "rwwwwwwwwwrw",
         f"10 of 12 common test rows differ; A alone is right on 9, B alone on 1 {P}"),
        ("rrw", "rrwrrr", "the same on all 3 common test rows"),
        ("rw", "", "no test row in common"),
    ],
)  # fmt: skip
def test_answers_are_counted(run: Path, in_tmp: Path, one: str, other: str, told: str) -> None:
    places = [Path(shutil.copytree(run, in_tmp / name)) for name in ("one", "other")]
    for place, right in zip(places, (one, other), strict=True):
        answered(place, right)
    left, right = (RunRecord.at(place) for place in places)
    assert answers(left, right) == f"answers: {told}"


def test_answers_for_other_rows_are_not_compared(where: Path) -> None:
    told = inside(where, "compare", "run", "elsewhere").out
    assert "answers: the runs used different data\n" in told


def test_a_saved_model_answers_as_it_did(run: Path) -> None:
    """To the last bit of each logit, from the checkpoint alone."""
    job, predictor = model(RunRecord.at(run), trust=False)
    columns = read_csv(run / "predictions.csv")
    for split in ("train", "test"):
        members = columns["split"] == split
        logits = predictor.logits(job.data.X[columns["row"][members].astype(int)])
        assert logits[:, 0].astype(str).tolist() == columns["logit"][members].tolist()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_both_boundaries_are_drawn(where: Path, in_tmp: Path, theme: str) -> None:
    def drawn(other: str, name: str) -> np.ndarray:
        words = ("compare", "run", other, "--theme", theme, "--figure", f"{in_tmp}/{name}")
        assert f"\ndrawn: {in_tmp}/{name}\n" in inside(where, *words).out
        return np.asarray(Image.open(in_tmp / name).convert("RGB"))

    def blank(pixels: np.ndarray) -> float:
        """Of the third panel: where the models agree, it is the page."""
        width = pixels.shape[1]
        panel = pixels[:, width * 61 // 100 : width * 84 // 100].astype(int)
        # Interpolating between equal colours may round one step down.
        return float((np.abs(panel - PAGES[theme]) <= 1).all(-1).mean())

    one = drawn("other", "one.png")
    assert np.array_equal(one, drawn("other", "two.png"))
    assert (in_tmp / "one.png").read_bytes() == (in_tmp / "two.png").read_bytes()
    assert blank(drawn("run", "same.png")) > 0.9
    assert blank(one) < 0.7


def test_no_figure_of_unlike_features(where: Path, in_tmp: Path) -> None:
    inside(in_tmp, "figures=none", "dataset=iris", "trainer.epochs=2", "hydra.run.dir=iris")
    ended = inside(in_tmp, "compare", f"{where}/run", "iris", "--figure", "x.png")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("exp: --figure: A and B have different features: ['x1', 'x2']")
    ended = inside(in_tmp, "compare", f"{where}/run", "iris", "--figure", "x.gif")
    told = f"exp: --figure: expected a file.png, found {in_tmp / 'x.gif'}\n"
    assert (ended.code, ended.err) == (2, told)
    assert not (in_tmp / "x.png").exists()
