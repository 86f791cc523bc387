"""What a user is told when something is wrong: the whole text, exit code 2, nothing left behind.

`errors.txt` holds command lines and what each is answered, character by character.
"""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from commands import SMALL, Ended, inside, process

TOLD = dict(
    block.strip().split("\n", 1)
    for block in (Path(__file__).parent / "errors.txt").read_text().split("\n\n")
)
CSV = ("dataset=csv", "dataset.path=rows.csv", "dataset.target=y", "figures=none")


def assert_refused(ended: Ended, text: str) -> None:
    assert ended.err == f"{text}\n"
    assert ended.out == ""
    assert ended.code == 2
    assert not (ended.where / "outputs").exists()


@pytest.mark.parametrize("line", TOLD)
def test_every_fault_is_told_at_once_in_these_words(in_tmp: Path, line: str) -> None:
    words = shlex.split(line.removeprefix("$ exp "))
    assert_refused(inside(in_tmp, *words), TOLD[line].replace("{here}", str(in_tmp)))
    assert list(in_tmp.iterdir()) == []


def test_text_that_would_write_to_the_terminal_is_shown_in_escapes(in_tmp: Path) -> None:
    ended = inside(in_tmp, "optimizer.lr='\x1b[31m\x07'", "+dataset.name=\u202e", "\x1b]0;title")
    assert ended.code == 2
    assert ended.err.replace("\n", "").isprintable()
    assert r"optimizer.lr    expected a number, found '\x1b[31m\x07'" in ended.err
    assert r"'\x1b]0;title'  expected key=value" in ended.err


def test_an_integer_of_more_digits_than_python_reads_is_a_fault(in_tmp: Path) -> None:
    ended = inside(in_tmp, f"trainer.epochs=9{'0' * 5000}", "seed=-1")
    (heading, seed, epochs) = ended.err.splitlines()
    assert heading == "exp: 2 faults in the config; nothing was started"
    assert seed == "  seed            expected a number greater than or equal to 0, found -1"
    assert epochs.startswith(f"  trainer.epochs  cannot read '9{'0' * 75}...: Exceeds the limit")


def test_a_model_that_no_machine_holds_is_refused(in_tmp: Path) -> None:
    ended = inside(in_tmp, f"model.hidden=[{','.join(['65536'] * 64)}]", "figures=none")
    text = (
        "exp: model mlp does not fit in memory: training needs 6,494 "
        "GB of memory, and this machine has "
    )
    assert ended.err.startswith(text)
    assert_refused(ended, ended.err[:-1])


def test_code_that_a_config_names_is_not_run(in_tmp: Path) -> None:
    ended = inside(in_tmp, *SMALL, "+hydra.callbacks.x={_target_: os.mkdir, path: made}")
    told = "hydra.callbacks.x._target_  'os.mkdir' would be imported and called: only with"
    assert ended.err.startswith(f"exp: 1 fault in the config; nothing was started\n  {told}")
    assert_refused(ended, ended.err[:-1])
    assert list(in_tmp.iterdir()) == []


def test_a_trusted_callback_that_cannot_be_made_is_refused(in_tmp: Path) -> None:
    words = ("--trust-config", *SMALL, "+hydra.callbacks.x._target_=nope.Nope")
    ended = inside(in_tmp, *words)
    heading = "exp: 1 fault in the config; nothing was started\n  hydra.callbacks  "
    assert ended.err.startswith(f"{heading}Error locating target 'nope.Nope'")
    assert_refused(ended, ended.err[:-1])


TABLES = {
    "numbers that are none": (
        "u,v,y\n1,2,a\n3,nan,b\n5,x,a\n7,inf,b\n",
        """3 faults in rows.csv; no row was used
  line 3, column 'v'  missing value in 1 of 4 rows, here first
  line 4, column 'v'  'x' is not a number (if this column contains categories, name it in \
`categorical`)
  line 5, column 'v'  'inf' is not finite
dataset.missing=drop leaves such rows out, dataset.missing=impute fills in the median or the most \
frequent value of the training rows""",
    ),
    "one class": (
        "u,y\n1,a\n2,a\n3,a\n",
        """rows.csv, column 'y' (the target): every row has the value 'a'; \
a classifier needs at least two classes""",
    ),
    "ragged rows": (
        "u,y\n1,a\n2,b,c\n3\n4,b\n",
        """2 faults in rows.csv; no row was used
  line 3  3 fields, the header has 2
  line 4  1 field, the header has 2""",
    ),
    "no rows": ("u,y\n", "rows.csv has a header and no rows"),
    "nothing": ("", "rows.csv is empty, expected a header line and rows"),
    "no such target": (
        "u,yy\n1,a\n2,b\n",
        """1 fault in rows.csv; no row was used
  line 1  no column 'y'. Did you mean 'yy'? The columns are 'u', 'yy'""",
    ),
}


@pytest.mark.parametrize("name", TABLES)
def test_rows_that_cannot_be_used_are_told_by_line_and_column(in_tmp: Path, name: str) -> None:
    table, text = TABLES[name]
    (in_tmp / "rows.csv").write_text(table)
    assert_refused(inside(in_tmp, *CSV), f"exp: {text}")


def test_a_class_too_small_to_split_is_named(in_tmp: Path) -> None:
    (in_tmp / "rows.csv").write_text("u,y\n" + "1,a\n2,b\n" * 10 + "3,rare\n")
    need = "exp: split: stratify needs 2 rows of each class to hold out a test part"
    ended = inside(in_tmp, *CSV, "split.stratify=true")
    assert_refused(ended, f"{need}: class 'rare' (label 2): 1 row")


def test_a_process_that_is_refused_leaves_no_directory_and_no_traceback(in_tmp: Path) -> None:
    fault = "optimizer.lr  expected a number greater than 0, found 0"
    text = f"exp: 1 fault in the config; nothing was started\n  {fault}"
    assert_refused(process(in_tmp, *SMALL, "optimizer.lr=0"), text)
    assert list(in_tmp.iterdir()) == []


def test_hydra_full_error_shows_the_traceback(
    in_tmp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    ended = inside(in_tmp, *SMALL, "optimizer.lr=0")
    assert ended.code == 2
    assert ended.err.startswith("Traceback (most recent call last):\n")
    assert "exp.util.errors.ConfigError" in ended.err
    assert ended.err.endswith("optimizer.lr  expected a number greater than 0, found 0\n")
