"""docs/course/: every command of the chapter and of the lessons is run, and what the pages quote is
what comes out.

A line `...` of a page stands for any lines. Whole numbers and words must be the same; times and
directories are not compared; numbers with decimals may differ by 0.03, and percentages by 2, as the
last bits of another processor may put a run at the edge on the other side.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from commands import inside, read_csv
from own import forgotten
from reading import Typed, Written, steps

COURSE = Path(__file__).resolve().parents[1] / "docs" / "course"
IMAGE = re.compile(r"\]\((\.\./images/\S+)\)")
NUMBER = re.compile(r"-?\d+\.\d+(?:e-\d+)?%?")
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


def compare(said: str, shown: str) -> None:
    """Each shown line in its order, and where no `...` stands between two, none between them."""
    lines, at, gap = said.rstrip().splitlines(), 0, False
    for line in shown.rstrip().splitlines():
        if line == "...":
            gap = True
            continue
        rest = lines[at:] if gap else lines[at : at + 1]
        found = next((i for i, each in enumerate(rest) if alike(each, line)), None)
        assert found is not None, f"not said: {line}\nbut: {rest[:80]}"
        at, gap = at + found + 1, False
    assert gap or at == len(lines), f"said besides: {lines[at:]}"


def alike(said: str, shown: str) -> bool:
    one, other = masked(said), masked(shown)
    numbers = list(zip(NUMBER.findall(one), NUMBER.findall(other), strict=False))
    return bool(words(one) == words(other) and all(near(a, b) for a, b in numbers))


def masked(line: str) -> str:
    line = re.sub(r"outputs/\S+", "outputs/", line)
    return re.sub(r"p[=<][\d.]+", lambda p: "p=low" if float(p[0][2:]) <= 0.05 else "p=high", line)


def words(line: str) -> list[str]:
    return NUMBER.sub("#", line).split()


def near(one: str, other: str) -> bool:
    far = abs(float(one.strip("%")) - float(other.strip("%")))
    return far <= (2 if other.endswith("%") else 0.03)


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
        elif step.words[1] == "check":
            assert done.code == 1
            compare(done.out, step.output)
        else:
            assert (done.code, done.err) == (0, "")
            compare(done.out, step.output)


def quick(step: Typed) -> list[str]:
    """The words of a command; without pictures, which tests of their own look after."""
    assert step.words[0] == "exp"
    words = step.words[1:]
    if words[0] in ("check", "results", "list"):
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


def test_three_sentences_for_each_lesson() -> None:
    for title, text in LESSONS.items():
        told = " ".join(text.rpartition("```")[2].split())
        told = told.replace("`trainer.early_stopping`", "Early stopping").replace("0.", "0,")
        assert len(re.findall(r"\.(?= [A-Z*\[]|$)", told)) == 3, title


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
