"""docs/course/: every command of the chapter and of the lessons is run, and what the pages quote is
what comes out (tests/quoted.py says how near).
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from commands import inside, read_csv
from custom_modules import forgotten
from exp.cli import reproduce
from quoted import compare
from reading import Typed, Written, steps

COURSE = Path(__file__).resolve().parents[1] / "docs" / "course"
CODE = re.compile(r"^<!-- code: exp ?([^>\n]*?) ?-->\n```python\n(.*?)^```$", re.M | re.S)
IMAGE = re.compile(r"\]\((\.\./images/\S+)\)")
TABLES = Path(reproduce.__file__).parent / "tables"
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
    if words and words[0].isalpha():  # a verb
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
        assert IMAGE.findall(text)
        assert text.index("\n**Lesson.**") < text.index("\n**Mistake: ")


def test_the_code_of_each_exercise_is_that_of_exp_code(place: Path) -> None:
    """In its order; a line `...` of the page stands for other lines. tests/test_code.py runs whole
    scripts."""
    for title, text in EXERCISES.items():
        blocks = CODE.findall(text)
        assert len(blocks) == 1, title
        for words, shown in blocks:
            script = inside(place, "code", *shlex.split(words))
            assert (script.code, script.err) == (0, "")
            rest = script.out
            for part in re.split(r"^\.\.\.\n", shown, flags=re.M):
                assert part in rest, f"{title}\n{part}"
                rest = rest.partition(part)[2]


def test_the_published_numbers_are_those_of_the_references() -> None:
    """What a page shows of `exp reproduce` is compared where it runs; here what its text says."""
    (table,) = yaml.safe_load((TABLES / "blog_moons.yaml").read_text())["parts"]
    first, *_, last = table["rows"]
    assert f"a loss of {first[1]} in epoch {first[0]}" in EXERCISES["3. A loss and an optimizer"]
    assert f"{last[4]:.0%} of" in EXERCISES["5. The decision boundary"].replace(" %", "%")


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
