"""`exp reproduce`: published against measured, and a verdict."""

from __future__ import annotations

import dataclasses
import re
from base64 import b64decode
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hydra.types import RunMode
from hydra.version import setbase

import exp
from commands import Ended, inside, runs
from exp.cli.reproduce.published import Number, Part, Table, Values, load, names
from exp.cli.reproduce.table_cells import grids
from exp.cli.reproduce.text import markdown
from exp.config.compose import compose, resolved, resolvers
from exp.config.plan import plan
from exp.config.presets import presets, text
from exp.sweeps.hydra_setup import create, flags

ROOT = Path(__file__).resolve().parents[1]
CHEAP = ("learnpytorch_blobs", "learnpytorch_circles_v0", "cs231n_linear")


@pytest.fixture(scope="module")
def cheap(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    where = tmp_path_factory.mktemp("cheap")
    words = ("--dir", "runs", "--jobs", "1", "--html", "page.html", "--markdown", "page.md")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("exp.runs.reuse.pointer", lambda signature: None)
        return inside(where, "reproduce", *CHEAP, *words)


def test_published_and_measured_row_by_row(cheap: Ended) -> None:
    assert (cheap.code, cheap.err) == (0, "")
    said = cheap.out.splitlines()
    at = said.index("learnpytorch_blobs: Four blobs, V4")
    rows = [" ".join(line.split()) for line in said[at:]]
    numbers = "0 1.04324 / 1.04324 0.655 / 0.65500 0.57861 / 0.57861 0.955 / 0.95500"
    assert f"{numbers} 5e-05, 6e-05, 5e-05, 6e-05 reproduced" in rows
    assert "  reproduced: 40 of 40 numbers" in said
    assert "  reproduced: 30 of 30 numbers, 10 shown and not compared" in said
    assert any(re.match(r" +0 +\(0\.70034 / 0\.69\d+\) +0\.5 / 0\.5", line) for line in said)
    assert said[-3:] == ["3 of 3 tables reproduced", "page.md", "page.html"]


def test_the_runs_are_ordinary_ones(cheap: Ended) -> None:
    assert len(runs(cheap.where / "runs")) == 3
    for path in runs(cheap.where / "runs"):
        run = exp.load(path)
        assert run.status == "done"
        assert run.config["name"] in CHEAP


class Seen(HTMLParser):
    """The tags of a page, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_the_page_shows_tables_and_curves(cheap: Ended) -> None:
    page = (cheap.where / "page.html").read_text()
    seen = Seen(page)
    assert "script" not in seen.tags
    assert seen.tags.count("section") == 3
    # Train and test loss of two tables and the train loss of the third, a dot for each number.
    pictures = [b64decode(text) for text in re.findall(r'svg\+xml;base64,([^"]+)"', page)]
    assert seen.tags.count("img") == len(pictures) == 5
    dots = [re.findall(rb'<g id="dots">.*?</g>', svg, re.S)[0].count(b"<use ") for svg in pictures]
    assert sum(dots) == 4 * 10 + 20
    assert "1.04324 / 1.04324" in seen.text
    assert "3 of 3 published tables reproduced" in seen.text


MEASURED = re.compile(r"(/ )(?:none|-?[0-9.e+-]+)( !)?")
VERDICT = re.compile(
    r"(?:reproduced|differs): \d+ of|[0-9]+ of \d+ tables|\| (?:reproduced|differs) \|"
)


def test_the_page_in_docs_is_of_all_tables_and_all_are_reproduced(cheap: Ended) -> None:
    page = (ROOT / "docs/reproduced.md").read_text()
    bare = markdown([load(name) for name in names()])
    assert skeleton(page) == skeleton(bare)
    assert "differs" not in page
    assert f"{len(names())} of {len(names())} tables are reproduced" in page
    # What was measured here is within the tolerances of what is written there.
    mine = (cheap.where / "page.md").read_text()
    for name in CHEAP:
        ours, theirs = (re.findall(r"/ ([0-9.]+)", section(each, name)) for each in (mine, page))
        assert [float(x) for x in ours] == pytest.approx([float(x) for x in theirs], abs=2e-3)


def skeleton(page: str) -> str:
    return VERDICT.sub("", MEASURED.sub(r"\1", page))


def section(page: str, name: str) -> str:
    (found,) = re.findall(rf"^## {name}$(.*?)(?=^## |\Z)", page, re.M | re.S)
    return str(found)


def as_published(table: Table, part: Part, number: Number) -> float:
    """What a perfect reproduction would measure."""
    return number.value


@pytest.mark.parametrize("name", names())
def test_each_number_counts(name: str) -> None:
    """The published numbers are reproduced, and so is one on the edge of its tolerance; a number
    beyond it, or that is not a number, makes the table differ."""
    table = load(name)
    good = table.measured(as_published)
    compared = [number for number in table.numbers if number.compared]
    whole = f"{len(compared)} of {len(compared)} numbers"
    assert good.summary.startswith(f"reproduced: {whole}")
    for number in compared:
        sign = -1 if number.bound == ">=" else 1
        edge = number.value + sign * number.tolerance
        beyond = number.value + sign * (1.01 * number.tolerance + 1e-6)
        for value, met in ((edge, True), (beyond, False), (float("nan"), False)):
            found = table.measured(planted(number, value))
            assert found.verdict == ("reproduced" if met else "differs"), (number, value)
            count = len(compared) - (not met)
            assert f": {count} of {len(compared)} numbers" in found.summary


def planted(changed: Number, value: float) -> Values:
    """As published, but for one number."""
    return lambda table, part, number: value if number is changed else number.value


def test_what_differs_is_marked_and_ends_with_1(
    cheap: Ended, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = load("learnpytorch_blobs")
    (part,) = table.parts
    number, *others = part.rows[0]
    assert number is not None
    row = (dataclasses.replace(number, value=1.0431), *others)
    changed = dataclasses.replace(
        table, parts=(dataclasses.replace(part, rows=(row, *part.rows[1:])),)
    )
    monkeypatch.setattr(
        "exp.cli.reproduce.reproduce_command.load",
        lambda name: changed if name == table.name else load(name),
    )
    words = ("--dir", "runs", "--jobs", "1", "--html", "bad.html")
    ended = inside(cheap.where, "reproduce", *CHEAP, *words)
    assert "3 of 3 runs are already finished" in ended.out
    assert ended.code == 1
    assert "1.0431 / 1.04324 !" in ended.out
    assert "  differs: 39 of 40 numbers\n" in ended.out
    assert "2 of 3 tables reproduced" in ended.out
    assert '<td class="differs">1.0431 / 1.04324 !</td>' in (cheap.where / "bad.html").read_text()


def test_a_run_that_has_not_got_there_reproduces_nothing() -> None:
    found = load("blog_moons")
    assert found.summary.startswith("differs: 0 of ")
    (grid,) = grids(found)
    assert grid.lines[0][1] == "0.6688 / none !"


ERRORS = {
    ("blog_mons",): "unknown table 'blog_mons'. Did you mean 'blog_moons'? Known: ",
    ("blog_moons", "--all"): "exp reproduce: give names or --all, not both",
    ("--html", "a.html"): "exp reproduce: which tables? Name some, or give --all",
    (
        "blog_moons",
        "--html",
        "nowhere/a.html",
    ): "--html: there is no directory nowhere",
    (
        "blog_moons",
        "--markdown",
        ".",
    ): "--markdown: . is a directory, expected a file",
    ("blog_moons", "--jobs", "0"): "sweep.n_jobs  expected",
    ("blog_moons", "--every"): "exp reproduce: no such option --every",
}


@pytest.mark.parametrize("words", ERRORS)
def test_what_is_wrong_is_told_before_anything_is_trained(
    in_tmp: Path, words: tuple[str, ...]
) -> None:
    ended = inside(in_tmp, "reproduce", *words)
    assert ended.code == 2
    assert ERRORS[words] in ended.err
    assert list(in_tmp.rglob("*")) == []


def test_without_a_name_it_lists(in_tmp: Path) -> None:
    ended = inside(in_tmp, "reproduce")
    assert ended.code == 0
    assert [line.split()[0] for line in ended.out.splitlines()] == names()
    assert "blog_moons                Moons on a plateau\n" in ended.out


UNPUBLISHED = {"playground_bumps", "playground_plane"}
"""Presets of a page that shows its numbers but nobody has written down."""


def test_every_preset_has_a_table_and_says_what_it_is() -> None:
    assert [name for name in presets() if name not in UNPUBLISHED] == names()
    for name, file in presets().items():
        written = text(file)
        for word in ("From", "See", "Change"):
            assert f"\n# {word}: " in written, (name, word)
        assert f"\nname: {name}\n" in written


def test_exp_list_tells_the_presets(in_tmp: Path) -> None:
    assert "\nexperiment: blog_moons, blog_spirals, " in inside(in_tmp, "list").out
    lines = inside(in_tmp, "list", "experiment").out.splitlines()
    # A preset with all that it says of itself, further lines of it indented.
    assert [line.split()[0] for line in lines if line and line[0] != " "] == list(presets())
    shown = " ".join(" ".join(lines).split())
    for file in presets().values():
        about = text(file).splitlines()[1].removeprefix("# ")
        assert len(about) > 10
        assert about in shown
    assert "Its seed of the initial weights was recovered from the printed logits." in shown
    assert inside(in_tmp, "list", "experiments", "blog_moons").out == text(presets()["blog_moons"])
    (in_tmp / "conf/experiment").mkdir(parents=True)
    (in_tmp / "conf/experiment/mine.yaml").write_text("# @package _global_\n# My own. More.\n")
    assert "\nmine                     My own. More.\n" in inside(in_tmp, "list", "experiment").out
    said = inside(in_tmp, "list", "experiment", "min").err
    assert "unknown experiment 'min'. Did you mean 'mine'?" in said


@pytest.mark.parametrize("name", names())
def test_every_run_of_every_table_can_start(name: str, in_tmp: Path) -> None:
    setbase("1.3")
    resolvers()
    loader = create(flags().parse_args([])).config_loader
    table = load(name)
    seen, parts = set(), table.parts[::5]  # of 28 runs, those that differ in the groups they choose
    for part in parts:
        words = next(iter(table.runs(part)))
        config, faults = compose(loader, "config", list(words), RunMode.RUN)
        assert faults == []
        seen.add(str(sorted(plan(resolved(config, faults), faults).config.items())))
    # No part is the same run as another, unless it is meant to be the same.
    assert len(seen) == len({part.words for part in parts})
