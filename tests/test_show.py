"""What was made is found again: `outputs/latest`, `exp show`, and the data before any training."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import exp
from commands import SMALL, Ended, inside
from exp.api.run import Run
from exp.util import latest
from exp.util.errors import RunDirectoryError
from exp.util.folders import existing
from fork_server import Forked

CODES = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with figures, then a newer one without, and a sweep."""
    where = tmp_path_factory.mktemp("found")
    for words in (
        ["trainer.epochs=60", "optimizer=adam", "figures.draw=[boundary]", "hydra.run.dir=drawn"],
        [*SMALL, "optimizer.lr=0.05", "hydra.run.dir=outputs/first"],
        [*SMALL, "model.hidden=[3]"],
        ["-m", *SMALL, "seed=1,2", "sweep.n_jobs=1"],
    ):
        assert inside(where, *words).code == 0
    return where


def shown(where: Path, *words: str) -> str:
    ended = inside(where, "show", *words)
    assert (ended.code, ended.err) == (0, "")
    return ended.out


def refused(ended: Ended) -> str:
    assert ended.code == 2
    assert ended.err.startswith("exp: ")
    assert "Traceback" not in ended.err
    return ended.err


# latest


def test_latest_is_the_newest_run_and_the_newest_sweep(stock: Path) -> None:
    (run,) = (stock / "outputs").glob("2*/*")
    assert (stock / "outputs/latest").resolve() == run.resolve()
    assert not os.path.isabs(os.readlink(stock / "outputs/latest"))  # the folder may be moved
    (sweep,) = (stock / "multirun").glob("2*/*")
    assert (stock / "multirun/latest").resolve() == sweep.resolve()


@pytest.mark.parametrize(
    "words",
    [
        "rerun LATEST --into again", "show LATEST", "results LATEST",
        "compare LATEST outputs/first",
        "report LATEST --output p",
        "figures LATEST --draw data", "export LATEST --to state_dict --output m.pt",
        "predict LATEST new.csv", "resume LATEST", "log LATEST --to tensorboard",
        "results multirun/latest", "report multirun/latest --output q", "resume multirun/latest",
        "sweep status multirun/latest", "list runs LATEST", "code LATEST",
    ],
)  # fmt: skip
def test_every_verb_accepts_it(stock: Path, words: str) -> None:
    (stock / "new.csv").write_text("x1,x2\n0.5,-1\n")
    ended = inside(stock, *words.replace("LATEST", "outputs/latest").split())
    differ = words.startswith("compare")
    assert (ended.code, ended.err) == (int(differ), "")


def test_python_accepts_it(stock: Path) -> None:
    run = exp.load(stock / "outputs/latest")
    assert isinstance(run.path, Path)
    assert run.path == (stock / "outputs/latest").resolve()


def test_it_leads_to_a_run_at_every_moment_while_many_start(tmp_path: Path) -> None:
    folder = tmp_path / "outputs"
    places = [folder / "2026-01-01" / str(number) for number in range(200)]
    for place in places:
        place.mkdir(parents=True)
    latest.point(places[0], "outputs")
    seen = set()
    with ThreadPoolExecutor(8) as pool:
        done = pool.map(lambda place: latest.point(place, "outputs"), places)
        for _ in range(2000):
            found = existing(os.fspath(folder / "latest"))
            assert found in places
            seen.add(found)
        list(done)
    assert len(seen) > 1
    assert sorted(os.listdir(folder)) == ["2026-01-01", "latest"]


def test_without_links_a_text_file_names_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*_: object) -> None:
        raise OSError("this file system has no links")

    monkeypatch.setattr(os, "symlink", no_links)
    for name in ("one", "two"):
        run = tmp_path / "outputs/day" / name
        run.mkdir(parents=True)
        latest.point(run, "outputs")
        assert (tmp_path / "outputs/latest").read_text() == f"day/{name}\n"
        assert existing(os.fspath(tmp_path / "outputs/latest")) == run
    (tmp_path / "outputs/latest").write_text("../../etc\n")  # a stranger's leads nowhere
    with pytest.raises(RunDirectoryError, match="is a file, expected a directory"):
        existing(os.fspath(tmp_path / "outputs/latest"))


def test_what_somebody_else_calls_latest_is_left_alone(tmp_path: Path) -> None:
    run = tmp_path / "outputs/day/one"
    run.mkdir(parents=True)
    (tmp_path / "outputs/latest").mkdir()
    (tmp_path / "outputs/latest/mine").touch()
    latest.point(run, "outputs")
    assert os.listdir(tmp_path / "outputs/latest") == ["mine"]
    assert sorted(os.listdir(tmp_path / "outputs")) == ["day", "latest"]
    latest.point(tmp_path / "elsewhere", "outputs")
    assert os.listdir(tmp_path) == ["outputs"]


# a run


def test_a_run_in_a_pipe_is_plain_text(stock: Path) -> None:
    text = shown(stock, "drawn")
    assert "\x1b" not in text
    lines = text.splitlines()
    assert lines[0].startswith("moons-mlp-adam: done after 60 epochs in ")
    assert lines[1] == "1000 rows (800 train, 200 test), 2 features, 2 classes"
    final = json.loads((stock / "drawn/summary.json").read_text())["final"]
    row = next(line.split() for line in lines if line.startswith("accuracy "))
    assert row[1:] == [f"{final[f'{part}/accuracy']:.4f}" for part in ("train", "test")]
    at = lines.index("differs from the defaults        default")
    changes = [line.split() for line in lines[at + 1 : lines.index("", at)]]
    assert changes == [["optimizer", "adam", "sgd"], ["trainer.epochs", "60", "1000"]]
    assert lines[-2:] == ["drawn/figures/boundary.png", "drawn/"]


def test_some_rows_of_each_class_are_shown_as_predictions_csv_has_them(stock: Path) -> None:
    run = exp.load(stock / "drawn")
    assert isinstance(run, Run)
    rows = run.predictions.query("split == 'test'").set_index("row")
    pattern = r"^  (right|wrong), row (\d+) +\[(\S+)\] -> \[(\S+) (\S+)\] -> (\d) \((\d)\)$"
    found = re.findall(pattern, shown(stock, "drawn"), re.M)
    for word, row, logit, first, second, label, truth in found:
        known = rows.loc[int(row)]
        assert (label, truth) == (str(known.predicted), str(known.label))
        assert (word == "right") == (label == truth)
        numbers = [known.logit, known["probability:0"], known["probability:1"]]
        assert [float(logit), float(first), float(second)] == pytest.approx(numbers, abs=1e-4)
    assert {(word, truth) for word, *_, truth in found} >= {("right", "0"), ("right", "1")}
    wrong = rows[rows.label != rows.predicted]
    assert sum(word == "wrong" for word, *_ in found) == sum(
        min(2, count) for count in wrong.label.value_counts()
    )
    assert f"\n  {len(wrong)} of 200 test rows are wrong\n" in shown(stock, "drawn")


def test_the_picture_in_characters_is_the_decision_boundary(stock: Path) -> None:
    """Each cell without a row has the class that the trained model predicts in its middle."""
    lines = shown(stock, "drawn").splitlines()
    picture = [line.partition("|")[2].ljust(60) for line in lines if "|" in line]
    run = exp.load(stock / "drawn")
    assert isinstance(run, Run)
    frames = np.load(stock / "drawn/frames.npz")
    xs, ys = frames["xs"], frames["ys"]
    across = xs[0] + (np.arange(60) + 0.5) * (xs[-1] - xs[0]) / 60
    down = ys[-1] - (np.arange(20) + 0.5) * (ys[-1] - ys[0]) / 20
    points = np.array([(x, y) for y in down for x in across], np.float32)
    chances = run.predict_proba(points)[:, 1].reshape(20, 60)
    drawn = np.array([list(line) for line in picture])
    sure, empty = abs(chances - 0.5) > 0.1, np.isin(drawn, [".", ":"])
    assert (sure & empty).sum() > 800
    assert (drawn[sure & empty] == np.where(chances > 0.5, ":", ".")[sure & empty]).all()
    rows = run.predictions.query("split == 'test'")
    wrong = (rows.label != rows.predicted).sum()
    assert wrong > 0
    assert 0 < (drawn == "!").sum() <= wrong


def test_without_a_word_it_is_the_newest_run(stock: Path) -> None:
    run = existing(os.fspath(stock / "outputs/latest"))
    text = shown(stock)
    assert text == shown(stock, os.fspath(run))
    assert re.search(r"^model\.hidden +\[3\] +\[8,8\]$", text, re.M)
    assert f"no decision boundary was recorded: exp figures {run.relative_to(stock)}" in text
    assert text.endswith(f"\n{run.relative_to(stock)}/\n")


def test_what_is_no_run_is_refused(stock: Path, in_tmp: Path) -> None:
    assert "no outputs/latest: no run was started here" in refused(inside(in_tmp, "show"))
    assert "Did you mean 'drawn'?" in refused(inside(stock, "show", "drown"))
    assert "it is a sweep. Name one of its runs" in refused(
        inside(stock, "show", "multirun/latest")
    )
    assert "expected one run or overrides" in refused(inside(stock, "show", "drawn", "seed=1"))
    assert "no such option '--opne'" in refused(inside(stock, "show", "--opne"))
    assert "--theme is for data" in refused(inside(stock, "show", "drawn", "--theme", "dark"))


def test_open_gives_the_figure_or_the_report_to_the_desktop(
    stock: Path, in_tmp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desktop = in_tmp / "xdg-open"
    desktop.write_text('#!/bin/sh\nprintf %s "$1" > "$OPENED"\n')
    desktop.chmod(0o755)
    monkeypatch.setenv("PATH", f"{in_tmp}:{os.environ['PATH']}")
    monkeypatch.setenv("OPENED", os.fspath(in_tmp / "opened"))
    shown(stock, "drawn", "--open")
    assert (in_tmp / "opened").read_text() == os.fspath(stock / "drawn/figures/boundary.png")
    assert inside(stock, "report", "drawn").code == 0
    shown(stock, "drawn", "--open")
    assert (in_tmp / "opened").read_text() == os.fspath(stock / "drawn/report.html")
    (stock / "drawn/report.html").unlink()
    assert "has no figure. exp figures" in refused(inside(stock, "show", "outputs/first", "--open"))
    desktop.write_text("#!/bin/sh\nexit 3\n")
    assert "found no program to open" in refused(inside(stock, "show", "drawn", "--open"))


# terminals


def on_a_terminal(
    where: Path, *words: str, variables: Mapping[str, str] | None = None, answer: bytes = b""
) -> bytes:
    """What a terminal is sent by `exp show`.

    Args:
        variables: of the environment.
        answer: of the terminal, where it is asked what it can show.
    """
    mine, its = pty.openpty()
    names = ("KITTY_WINDOW_ID", "TERM_PROGRAM", "LC_TERMINAL", "TMUX", "NO_COLOR")
    kept = {name: value for name, value in os.environ.items() if name not in names}
    environment = {**kept, "TERM": "xterm", "COLORTERM": "truecolor", **(variables or {})}
    command = [sys.executable, "-m", "exp", "show", *words]
    child = Forked(command, where, environment, stdin=its, stdout=its, stderr=its)
    os.close(its)
    found, answered = b"", False
    while True:
        try:
            piece = os.read(mine, 65536)
        except OSError:  # how Linux says that the other end is closed
            break
        if not piece:
            break
        found += piece
        if answer and not answered and b"\x1b[c" in found:
            answered = True
            os.write(mine, answer)
    os.close(mine)
    assert child.wait(300) == 0, found
    return found


def test_a_terminal_shows_coloured_half_blocks(stock: Path) -> None:
    sent = on_a_terminal(stock, "drawn").decode()
    rows = [line for line in sent.splitlines() if line.count("\u2580") > 10]
    assert len({line.count("\u2580") for line in rows}) == 1
    assert len(rows) * 2 == rows[0].count("\u2580")  # as high as wide
    assert len(re.findall(r"\x1b\[38;2;\d+;\d+;\d+;48;2;\d+;\d+;\d+m\u2580", sent)) > 200
    assert "misclassified" in CODES.sub("", sent)


@pytest.mark.parametrize("variables", [{"TERM": "dumb"}, {"NO_COLOR": "1"}])
def test_one_without_colours_shows_characters(stock: Path, variables: dict[str, str]) -> None:
    sent = on_a_terminal(stock, "drawn", variables=variables).decode()
    assert "\u2580" not in sent
    assert "!" in sent
    assert sent.count("|.") > 10


def test_kitty_and_iterm_are_given_the_figure_itself(stock: Path) -> None:
    figure = (stock / "drawn/figures/boundary.png").read_bytes()
    sent = on_a_terminal(stock, "drawn", variables={"TERM": "xterm-kitty"})
    chunks = re.findall(rb"\x1b_G([^;]*);([^\x1b]*)\x1b\\", sent)
    assert chunks[0][0] == b"f=100,a=T,m=1"
    assert [keys for keys, _ in chunks][-1] == b"m=0"
    assert max(len(data) for _, data in chunks) <= 4096
    assert base64.b64decode(b"".join(data for _, data in chunks)) == figure
    sent = on_a_terminal(stock, "drawn", variables={"TERM_PROGRAM": "iTerm.app"})
    (image,) = re.findall(rb"\x1b\]1337;File=inline=1;size=\d+:([^\x07]*)\x07", sent)
    assert base64.b64decode(image) == figure


def test_a_terminal_that_says_it_has_sixels_is_given_them(stock: Path) -> None:
    sent = on_a_terminal(stock, "drawn", answer=b"\x1b[?62;4;22c")
    (body,) = re.findall(rb"\x1bPq(.*?)\x1b\\", sent, re.S)
    found = decoded(body.decode())
    figure = Image.open(stock / "drawn/figures/boundary.png").convert("RGB")
    wanted = np.asarray(figure.resize((found.shape[1], found.shape[0])), float)
    assert abs(found - wanted).mean() < 4
    assert b"\x1bPq" not in on_a_terminal(stock, "drawn", answer=b"\x1b[?62;22c")


def decoded(body: str) -> np.ndarray:
    """A sixel picture as DEC describes it, `[height, width, 3]`."""
    size = re.match(r'"1;1;(\d+);(\d+)', body)
    assert size is not None
    width, height = int(size[1]), int(size[2])
    image, colours = np.zeros((height + 6, width, 3)), dict[str, list[float]]()
    x = y = 0
    colour: list[float] = []
    word = re.compile(r"#(\d+);2;(\d+);(\d+);(\d+)|#(\d+)|!(\d+)([?-~])|([?-~])|(\$)|(-)")
    for found in word.finditer(body[size.end() :]):
        if found[1]:
            colours[found[1]] = [int(found[part]) * 2.55 for part in (2, 3, 4)]
        elif found[5]:
            colour = colours[found[5]]
        elif found[9] or found[10]:
            x, y = 0, y + (6 if found[10] else 0)
        else:
            count, bits = int(found[6] or 1), ord(found[7] or found[8]) - 63
            for bit in range(6):
                if bits >> bit & 1:
                    image[y + bit, x : x + count] = colour
            x += count
    return image[:height]


# data


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    where = tmp_path_factory.mktemp("data")
    return where, shown(where, "dataset=moons", "dataset.noise=0.1", "split.validation=0.1")


def test_the_table_is_that_of_pandas(rows: tuple[Path, str]) -> None:
    where, text = rows
    words = ("dataset=moons", "dataset.noise=0.1", "split.validation=0.1", "figures=none")
    with contextlib.chdir(where):
        run = exp.run([*words, "trainer.epochs=1"])
    table = run.predictions.sort_values("row").reset_index(drop=True)[["x1", "x2", "label"]]
    table = table.astype({"x1": np.float32, "x2": np.float32})
    assert table.head().to_string() in text
    assert text.startswith("moons: 1,000 rows, 2 features, 2 classes\n")
    counts = pd.crosstab(run.predictions.label, run.predictions.split)
    for name in ("0", "1"):
        shown_counts = re.search(rf"^{name} +(\d+) +(\d+) +(\d+) +500$", text, re.M)
        assert shown_counts is not None
        parts = [int(count) for count in shown_counts.groups()]
        assert parts == [counts.loc[name, part] for part in ("train", "validation", "test")]


def test_the_scatter_is_in_the_text_and_in_a_file(rows: tuple[Path, str]) -> None:
    where, text = rows
    assert "\x1b" not in text
    assert text.endswith("\nmoons.png\n")
    assert Image.open(io.BytesIO((where / "moons.png").read_bytes())).width > 500
    picture = [line.partition("|")[2] for line in text.splitlines() if "|" in line]
    assert len(picture) == 20
    upper, lower = "".join(picture[:6]), "".join(picture[-6:])
    assert upper.count("o") > 50
    assert lower.count("x") > 50
    assert not {"x"} & set(upper[:180])
    assert "o" not in lower


def test_other_data_are_shown_as_they_are(in_tmp: Path) -> None:
    (in_tmp / "t.csv").write_text("size,colour,kind\n1.5,red,a\n,blue,b\n" + "2,red,a\n3,,b\n" * 9)
    words = ("dataset=csv", "dataset.path=t.csv", "dataset.target=kind")
    text = shown(in_tmp, *words, "dataset.missing=impute", "--output", "t.png", "--theme", "dark")
    table = pd.DataFrame(
        {"size": [1.5, None, 2, 3, 2], "colour": ["red", "blue", "red", None, "red"],
         "kind": list("abaab")}
    )  # fmt: skip
    assert re.search(r"^0 +1\.5 +red +a$", text, re.M), table
    assert re.search(r"^1 +NaN +blue +b$", text, re.M)
    assert (in_tmp / "t.png").is_file()
    text = shown(in_tmp, "dataset=line")
    assert "the target is a number" in text
    assert (in_tmp / "line.png").is_file()
    assert shown(in_tmp, "dataset=iris").startswith("iris: 150 rows, 4 features, 3 classes\n")


def test_wrong_overrides_write_nothing(in_tmp: Path) -> None:
    said = refused(inside(in_tmp, "show", "dataset=mons", "trainer.epochs=-1"))
    assert "2 faults in the config" in said
    assert "Did you mean 'moons'?" in said
    assert "--open is for a run" in refused(inside(in_tmp, "show", "dataset=moons", "--open"))
    assert "there is no directory nowhere" in refused(
        inside(in_tmp, "show", "dataset=moons", "--output", "nowhere/x.png")
    )
    assert os.listdir(in_tmp) == []


def test_a_run_is_shown_without_torch(stock: Path) -> None:
    """Whoever looks at a run does not wait for what trains one."""
    program = (
        "import sys\nfrom exp.cli.main import dispatch\n"
        "dispatch(sys.argv[1:])\nassert not {'torch', 'matplotlib'} & set(sys.modules)\n"
    )
    for words in (["show", "drawn"], ["list", "runs"]):
        command = [sys.executable, "-c", program, *words]
        done = subprocess.run(command, cwd=stock, capture_output=True, text=True, timeout=300)
        assert (done.returncode, done.stderr) == (0, "")
