"""docs/course/: every command of the chapter and of the lessons is run, and what the pages quote is
what comes out (tests/quoted.py says how near).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from commands import inside, read_csv
from custom_modules import forgotten
from quoted import compare
from reading import Typed, Written, steps

COURSE = Path(__file__).resolve().parents[1] / "docs" / "course"
IMAGE = re.compile(r"\]\((\.\./images/\S+)\)")
PARTS = ("floats", "squashed", "logits", "centred", "textbook")


def sections(page: str) -> dict[str, str]:
    """The sections of a page by their heading."""
    parts = re.split(r"^## (.*)\n", (COURSE / page).read_text(), flags=re.M)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


EXERCISES, LESSONS = sections("index.md"), sections("lessons.md")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with forgotten(*PARTS):
        yield tmp_path_factory.mktemp("course")


@pytest.mark.parametrize("title", EXERCISES)
def test_an_exercise(place: Path, title: str) -> None:
    for step in steps(EXERCISES[title]):
        if isinstance(step, Written):
            file = place / step.path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(step.content)
            continue
        if not step.output:
            continue  # a verb that the text only mentions
        done = inside(place, *quick(step))
        if step.output.startswith("exp: "):
            assert (done.code, done.err) == (2, step.output)
        elif step.words[1:2] == ["check"]:
            assert done.code == 1
            compare(done.out, step.output)
        else:
            assert (done.code, done.err) == (0, "")
            compare(done.out, step.output)


def quick(step: Typed) -> list[str]:
    """The words of a command; without pictures, which tests of their own look after."""
    assert step.words[0] == "exp"
    words = step.words[1:]
    if words[:1] in (["check"], ["results"], ["list"]):
        return words
    kept = [word for word in words if not word.startswith("figures")]
    return [*kept, "figures=none", "run.reuse=false", *(["sweep.n_jobs=1"] if "-m" in kept else [])]


@pytest.mark.parametrize("title", LESSONS)
def test_a_lesson(place: Path, title: str) -> None:
    first, *rest = (step for step in steps(LESSONS[title]) if isinstance(step, Typed))
    assert first.words[:2] == ["exp", "-m"]
    assert {step.words[1] for step in rest} == {"results"}
    for step in (first, *rest):
        done = inside(place, *quick(step))
        assert (done.code, done.err) == (0, "")
        compare(done.out, step.output)


def test_a_command_for_each_exercise_and_lesson() -> None:
    assert [title.partition(".")[0] for title in EXERCISES] == list("1234567")
    assert len(LESSONS) == 6
    for text in EXERCISES.values():
        assert len(IMAGE.findall(text)) == 1
        assert text.index("\n**Lesson.**") < text.index("\n**Mistake: ")


def test_a_few_sentences_for_each_lesson() -> None:
    """Three to five: short ones are read at once, and a lesson is no essay."""
    for title, text in LESSONS.items():
        told = " ".join(text.rpartition("```")[2].split())
        told = told.replace("`trainer.early_stopping`", "Early stopping").replace("0.", "0,")
        assert 3 <= len(re.findall(r"\.(?= [A-Z*\[]|$)", told)) <= 5, title


def test_the_figures_are_those_of_the_commands() -> None:
    for text in (*EXERCISES.values(), *LESSONS.values()):
        for image in IMAGE.findall(text):
            assert (COURSE / image).resolve().is_file()
        (first, *_) = (step for step in steps(text) if isinstance(step, Typed))
        drawn = re.findall(r"images/course/[^-]*-(\w+)\.png", text)
        asked = [word for word in first.words if word.startswith("figures.draw=")]
        assert all(name in asked[0] for name in drawn if asked)


def test_what_the_text_says_besides(place: Path) -> None:
    """Numbers of the text that no quoted line holds."""
    default = inside(place, "figures=none", "run.reuse=false", "hydra.run.dir=default")
    columns = read_csv(default.where / "default/metrics.csv")
    right = columns["test/accuracy"].astype(float)
    assert right[200] == pytest.approx(0.9, abs=0.02)  # nearly nine tenths in 200 epochs
    assert (right[:581] < 0.96).all()
    spirals = inside(
        place, "experiment=blog_spirals", "figures=none", "run.reuse=false", "hydra.run.dir=arms"
    )
    columns = read_csv(spirals.where / "arms/metrics.csv")
    assert (columns["test/accuracy"].astype(float)[60:65] > 0.95).all()


def test_what_the_lessons_say_besides(place: Path) -> None:
    """Uses the sweeps of the lessons, or makes those that are not there yet."""
    for title in ("Learning rate", "Initial weights"):
        (first, *_) = (step for step in steps(LESSONS[title]) if isinstance(step, Typed))
        inside(place, *quick(first))
    table = read_csv(place / "rate/runs.csv")
    fast = table["test/loss"][table["optimizer.lr"] == "10"].astype(float)
    assert fast.mean() > 0.6931  # the loss stays above that of a coin
    initial = read_csv(place / "initial/runs.csv")["test/accuracy"].astype(float)
    assert (initial < 0.5).sum() == pytest.approx(2, abs=1)
