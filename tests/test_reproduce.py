"""`exp reproduce`: published tables against what comes out, through the command line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from commands import inside
from exp.published.measure import Measured
from exp.published.tables import Part, Table, names, said, table
from exp.published.verdict import Cell, Verdict

DOCS = Path(__file__).parents[1] / "docs" / "reproduced.md"
PRESETS = Path(__file__).parents[1] / "conf" / "experiment"
QUICK = ["learnpytorch_blobs", "learnpytorch_circles_v0", "cs231n_linear"]


def test_lists_the_tables(tmp_path: Path) -> None:
    done = inside(tmp_path, "reproduce")
    assert done.code == 0
    assert [line.split()[0] for line in done.out.splitlines()] == list(names())


@pytest.mark.parametrize("name", names())
def test_every_table_begins_with_the_preset_of_its_name(name: str) -> None:
    found = table(name)
    assert {run[0] for run in found.runs} == {f"experiment={name}"}
    for part in found.parts:
        for _, row in part.rows:
            assert len(row) == len(part.columns) == len(part.within)
    comment = (PRESETS / f"{name}.yaml").read_text("utf-8").partition("\ndefaults:")[0]
    # (A comment's line may break anywhere.)
    comment = " ".join(comment.replace("#", " ").split())
    assert "See: " in comment or "blog" in name
    assert "hange" in comment


def test_three_tables_come_out(tmp_path: Path) -> None:
    pages = ["--html", "page.html", "--markdown", "page.md"]
    done = inside(tmp_path, "reproduce", *QUICK, "--dir", "runs", *pages)
    assert done.code == 0, done.out + done.err
    assert "3 of 3 tables reproduced" in done.out
    assert "DIFFERS" not in done.out
    # What the documentation shows is what comes out, digit by digit.
    documented, made = (
        sections(DOCS.read_text("utf-8")),
        sections((tmp_path / "page.md").read_text()),
    )
    for name in QUICK:
        assert made[name] == documented[name]
    html = (tmp_path / "page.html").read_text("utf-8")
    assert html.count("<img alt=") == 3
    assert "http" not in re.sub(r'href="https://[^"]+"', "", html).replace("http-equiv", "")


def sections(text: str) -> dict[str, str]:
    """Name -> the section of a page."""
    found = re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return {name: section.strip() for name, section in found}


def test_the_documented_page_has_every_table_and_all_are_met() -> None:
    found = sections(DOCS.read_text("utf-8"))
    assert list(found) == list(names())
    for name, text in found.items():
        assert "**reproduced: " in text
        for part in table(name).parts:
            for _, row in part.rows:
                for claim in row:
                    assert said(claim) in text


@pytest.mark.parametrize(
    ("published", "measured", "within", "met"),
    [
        (0.5, 0.509, 0.01, True),
        (0.5, 0.511, 0.01, False),
        (0.1, 0.3, 0.2, True),  # though 0.3 - 0.1 is a little more than 0.2
        (">0.95", 0.9501, 0.0, True),
        (">0.95", 0.95, 0.0, False),
        ("<0.8", 0.79, 0.0, True),
        ("<0.8", 0.81, 0.0, False),
        (None, 7.0, 0.0, True),
        (0.5, None, 0.1, False),
    ],
)
def test_verdict(
    published: float | str | None, measured: float | None, within: float, met: bool
) -> None:
    assert Cell(published, measured, within).met is met


def test_a_number_that_differs_and_a_run_that_failed_are_told(tmp_path: Path) -> None:
    run = ("experiment=x",)
    part = Part(run, ("train/loss",), (0.01,), (("0", (0.5,)), ("end", (0.4,))))
    made = Table("x", "t", "s", None, "w", (part,))
    came = Measured(tmp_path, None, {"0": {"train/loss": 0.5}}, {"train/loss": 0.39})
    assert Verdict(made, {run: came}).sentence == "reproduced: 2 of 2 numbers"
    came = Measured(tmp_path, None, {"0": {"train/loss": 0.6}}, {"train/loss": 0.39})
    assert Verdict(made, {run: came}).sentence == "differs: 1 of 2 numbers"
    failed = Measured(tmp_path, "diverged: x")
    assert Verdict(made, {run: failed}).sentence == "differs: 0 of 2 numbers (diverged: x)"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["blog_mons"], "unknown table 'blog_mons'. Did you mean 'blog_moons'?"),
        (["--all", "blog_moons"], "give names or --all, not both"),
        (["--html", "x.html"], "which table? Give names, or --all"),
        (["--alle"], "unrecognized arguments: --alle. Did you mean '--all'?"),
        (
            ["blog_moons", "--html", "no/x.html"],
            "cannot write no/x.html: there is no such directory",
        ),
    ],
)
def test_bad_words(tmp_path: Path, words: list[str], message: str) -> None:
    done = inside(tmp_path, "reproduce", *words)
    assert done.code == 2
    assert message in done.err
    assert "Traceback" not in done.err
    assert not list(tmp_path.iterdir())
