"""The command line around a run: help, `exp list`, presets, devices, the progress bar."""

from __future__ import annotations

import contextlib
import io
import os
import pty
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
import torch

from commands import SMALL, inside, process, read_csv
from exp.cli.main import dispatch, guarded
from exp.cli.verbs import VERBS
from exp.registry.registry import register
from exp.util.compiled import form
from exp.util.metric_names import EVERY
from fork_server import Forked
from test_published import MOONS, MOONS_LOGITS, SPIRALS

HEAVY = ("torch", "sklearn", "matplotlib", "scipy", "torchmetrics")
LIGHT = """
import contextlib, io, sys
from exp.cli.main import dispatch, guarded
for words in {commands}:
    with contextlib.redirect_stdout(io.StringIO()) as said:
        assert guarded(lambda: dispatch(words)) == 0, words
    assert said.getvalue(), words
    print(*words, *(name for name in {heavy} if name in sys.modules), sep=",")
"""
COMMANDS = [
    ["--help"],
    ["--cfg", "job"],
    ["--hydra-help"],
    ["list"],
    ["list", "dataset"],
    ["list", "dataset", "moons"],
]


def test_help_cfg_and_list_import_nothing_heavy(in_tmp: Path) -> None:
    code = LIGHT.format(commands=COMMANDS, heavy=HEAVY)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=in_tmp)
    assert done.stderr == ""
    assert done.stdout.splitlines() == [",".join(words) for words in COMMANDS]
    assert list(in_tmp.iterdir()) == []


def test_help_tells_groups_config_and_commands(in_tmp: Path) -> None:
    ended = inside(in_tmp, "--help")
    assert ended.code == 0
    for text in (
        "== Groups ==",
        "optimizer: adadelta, adagrad, adam,",
        "== Config ==",
        "noise: 0.03",
    ):
        assert text in ended.out
    assert "python -m exp dataset=spirals optimizer=adam" in ended.out


def test_cfg_job_shows_the_config_as_a_run_would_have_it(in_tmp: Path) -> None:
    ended = inside(in_tmp, "--cfg", "job", "optimizer=adam", "optimizer.lr=0.5", "seed=3")
    assert "\nseed: 3\n" in ended.out
    assert "optimizer:\n  name: adam\n  lr: 0.5\n" in ended.out


def test_version_is_that_of_exp(in_tmp: Path) -> None:
    ended = inside(in_tmp, "--version")
    trained_by = form() or "torch"
    assert (ended.code, ended.out) == (0, f"exp {version('exp')} (training by {trained_by})\n")


def test_list_names_every_group_and_its_options(in_tmp: Path) -> None:
    ended = inside(in_tmp, "list")
    listed = dict(line.split(": ") for line in ended.out.splitlines())
    assert list(listed) == sorted([*register.kinds, "experiment"])
    assert listed.pop("experiment").startswith("blog_moons, blog_spirals, ")
    assert listed.pop("metric").split(", ") == sorted(EVERY)
    for group, names in listed.items():
        packaged = register.kinds[group].names()
        assert names.split(", ") == packaged


def test_list_of_a_group_has_two_lines_for_each_component(in_tmp: Path) -> None:
    lines = inside(in_tmp, "list", "dataset").out.splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("moons "))
    assert lines[at].split(maxsplit=1)[1].startswith("Two interleaving half circles")
    assert lines[at + 1].strip() == "n_samples=1000, noise=0.03, positive=null"


def test_list_of_a_component_has_its_docstring_and_defaults(in_tmp: Path) -> None:
    said = inside(in_tmp, "list", "dataset", "moons").out
    assert said.startswith("dataset=moons\n\nTwo interleaving half circles")
    assert "Parameters:\n  dataset.n_samples = 1000\n  dataset.noise = 0.03\n" in said
    said = inside(in_tmp, "list", "scheduler", "step").out
    assert "  scheduler.step_size = 300\n  scheduler.gamma = 0.1\n  scheduler.warmup = 0\n" in said


LISTS = {
    ("list", "datasetz"): (
        "exp list: unknown group 'datasetz'. Did you mean 'dataset'? Known: activation, dataset, "
        "device, experiment, features, figures, logger, loss, metric, model, optimizer, scheduler, "
        "split, trainer, runs"
    ),
    ("list", "model", "mpl"): (
        "exp list model: unknown model 'mpl'. Did you mean 'mlp'? Known: linear, mlp"
    ),
    ("list", "trainer", "x"): "exp list trainer: unknown trainer 'x'. Known: standard",
}


@pytest.mark.parametrize("words", LISTS)
def test_list_names_the_nearest_match(in_tmp: Path, words: tuple[str, ...]) -> None:
    ended = inside(in_tmp, *words)
    assert ended.code == 2
    assert ended.err == f"exp: {LISTS[words]}\n"


def test_help_names_every_verb(in_tmp: Path) -> None:
    lines = [line.split() for line in inside(in_tmp, "--help").out.splitlines()]
    listed = [words[0] for words in lines if len(words) > 2 and words[0] in VERBS]
    assert sorted(listed) == sorted(VERBS)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("lst",), "no verb or override 'lst'. Did you mean 'list'?"),
        (("reslts", "swept"), "no verb or override 'reslts'. Did you mean 'results'?"),
        (("moons",), "no verb or override 'moons'. Did you mean dataset=moons?"),
    ],
)
def test_a_word_that_is_no_verb(in_tmp: Path, words: tuple[str, ...], told: str) -> None:
    ended = inside(in_tmp, *words)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith(f"exp: {told}")
    assert ended.err.endswith(f"verbs: {', '.join(VERBS)}\n")


def test_what_hydra_reads_is_left_to_hydra(in_tmp: Path) -> None:
    for words in (("lst", "seed=1"), ("~scheduler",), ("+lst",)):
        assert "no verb" not in inside(in_tmp, *words, "--cfg", "job").err, words


@pytest.mark.parametrize(
    ("preset", "published"), [("blog_moons", MOONS), ("blog_spirals", SPIRALS)]
)
def test_a_preset_gives_the_published_table(
    in_tmp: Path, preset: str, published: list[tuple[float, ...]]
) -> None:
    ended = inside(in_tmp, f"experiment={preset}", "figures=none")
    table = read_csv(ended.run / "metrics.csv")
    names = ("train/loss", "train/accuracy", "test/loss", "test/accuracy")
    columns = [table[name].astype(np.float32) for name in names]
    for epoch, *expected in published:
        measured = [float(column[epoch]) for column in columns]
        if preset == "blog_moons":
            rounded = [round(x, places) for x, places in zip(measured, (4, 2, 4, 2), strict=True)]
            assert rounded == expected
        elif epoch <= 300:  # it was published from a GPU
            assert measured == pytest.approx(expected, abs=0.01)
        else:
            assert measured[1::2] == pytest.approx(expected[1::2], abs=0.01)
    if preset == "blog_moons":
        shown = re.findall(r"^  \[(\S+)\] -> ", ended.out, re.MULTILINE)
        assert [float(text) for text in shown] == pytest.approx(MOONS_LOGITS, abs=1e-7)
    assert ended.run.name.endswith(f"-{preset}")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_gpu_that_is_not_there_is_one_clear_error(in_tmp: Path) -> None:
    ended = inside(in_tmp, *SMALL, "device=cuda")
    built = "torch sees no GPU" if torch.version.cuda else "this torch has no CUDA"
    assert ended.code == 2
    assert ended.err == (
        f"exp: device cuda is not available: {built}. Use device=auto or device=cpu\n"
    )
    assert list(in_tmp.iterdir()) == []


@pytest.mark.skipif(
    torch.cuda.is_available() or torch.backends.mps.is_available(), reason="there is a GPU here"
)
def test_device_auto_takes_the_processor_and_says_so(in_tmp: Path) -> None:
    ended = inside(in_tmp, *SMALL, "device=auto")
    assert ended.code == 0
    assert "\ndevice auto: using cpu, because no GPU was found\n" in ended.out


def test_a_run_directory_that_holds_something_is_not_written_to(in_tmp: Path) -> None:
    assert inside(in_tmp, *SMALL, "hydra.run.dir=mine").code == 0
    before = {path: path.stat().st_mtime_ns for path in in_tmp.rglob("*")}
    ended = inside(in_tmp, *SMALL, "hydra.run.dir=mine")
    assert ended.code == 2
    assert ended.err == (
        "exp: the run directory mine is not empty. Choose another with "
        "hydra.run.dir=DIR, or leave that out\n"
    )
    assert {path: path.stat().st_mtime_ns for path in in_tmp.rglob("*")} == before


def test_chdir_of_hydra_leaves_the_files_where_they_belong(in_tmp: Path) -> None:
    ended = inside(in_tmp, *SMALL, "hydra.job.chdir=true", "hydra.run.dir=mine")
    assert ended.code == 0, ended.err
    assert ended.run == in_tmp / "mine"


def on_terminal(where: Path, *words: str) -> str:
    """What a run writes to a terminal of its own."""
    ours, its = pty.openpty()
    command = [sys.executable, "-m", "exp", *words]
    started = Forked(command, where, os.environ, stdin=its, stdout=its, stderr=its)
    os.close(its)
    written = b""
    try:
        while piece := os.read(ours, 65536):
            written += piece
    except OSError:  # Linux says so when the last writer has gone
        pass
    os.close(ours)
    assert started.wait() == 0
    return written.decode()


def screen(written: str) -> list[str]:
    """The lines that a terminal shows in the end: cursor up, erase line, return and newline."""
    lines, row, column = [""], 0, 0
    for code, text in re.findall(r"(\x1b\[[0-9;?]*[A-Za-z])|(.)", written, re.DOTALL):
        if code == "\x1b[2K":
            lines[row] = ""
        elif code.endswith("A"):
            row -= int(code[2:-1] or 1)
        elif text == "\r":
            column = 0
        elif text == "\n":
            row, column = row + 1, 0
            lines += [""] * (row + 1 - len(lines))
        elif text:
            lines[row] = lines[row].ljust(column)[:column] + text + lines[row][column + 1 :]
            column += 1
    return [line.rstrip() for line in lines]


BAR = "━"


def test_on_a_terminal_there_is_a_bar_that_goes_when_the_run_ends(in_tmp: Path) -> None:
    written = on_terminal(in_tmp, "figures=none", "dataset.n_samples=40", "trainer.epochs=21")
    seen = screen(written)
    assert BAR in written
    assert re.findall(r"(\d+)/21", written)[-1] == "21"
    assert not any(BAR in line for line in seen)
    # Each line of the log stands by itself, not behind the bar.
    assert sum(line.startswith("Epoch: ") for line in seen) == 3
    assert any(line.startswith("done after 21 epochs") for line in seen)
    assert any(line.startswith("Written to ") for line in seen)


def test_without_a_terminal_there_is_no_bar(in_tmp: Path) -> None:
    ended = process(in_tmp, *SMALL, environment={"FORCE_COLOR": "1", "TTY_COMPATIBLE": "1"})
    assert ended.code == 0
    assert ended.err == ""
    assert BAR not in ended.out
    assert "\x1b" not in ended.out


def test_flags_stand_between_overrides(in_tmp: Path) -> None:
    ended = inside(in_tmp, "dataset=circles", "-m", "seed=0,1", *SMALL, "sweep.n_jobs=1")
    assert ended.code == 0, ended.err
    assert "2 runs to do in multirun/" in ended.out
    shown = inside(in_tmp, "dataset=circles", "--cfg", "job", "seed=7")
    assert "seed: 7" in shown.out
    assert "name: circles" in shown.out


def test_a_directory_named_by_hydra_s_own_node(in_tmp: Path) -> None:
    place = "hydra.sweep.dir=${hydra:runtime.cwd}/s"
    ended = inside(in_tmp, "-m", place, "seed=0,1", *SMALL, "sweep.n_jobs=1")
    assert ended.code == 0, ended.err
    assert sorted(path.name for path in (in_tmp / "s").glob("*-seed=*")) == ["0-seed=0", "1-seed=1"]
    alone = inside(in_tmp, "hydra.run.dir=${hydra:runtime.cwd}/r", "name=${hydra:job.name}", *SMALL)
    assert alone.code == 0, alone.err
    assert (in_tmp / "r/run.json").is_file()
    assert alone.out.startswith("exp: 40 rows")


def test_python_without_asserts(in_tmp: Path) -> None:
    words = ("-m", *SMALL, "sweep.n_jobs=1", "sweep.dir=s", "model={hidden: [4]}")
    ended = process(in_tmp, *words, "seed=range(0,2)", environment={"PYTHONOPTIMIZE": "1"})
    assert ended.code == 0, ended.err
    assert ended.err == ""
    assert len(list((in_tmp / "s").glob("*-seed=*/run.json"))) == 2


@pytest.mark.parametrize("name", [b"gone", b"b\xff", b"x${y}"])
def test_folders_that_no_run_can_start_in(
    in_tmp: Path, monkeypatch: pytest.MonkeyPatch, name: bytes
) -> None:
    place = os.fsencode(in_tmp) + b"/" + name
    os.mkdir(place)
    monkeypatch.chdir(os.fsdecode(place))
    if name == b"gone":
        os.rmdir(place)
    with contextlib.redirect_stderr(io.StringIO()) as said:
        assert guarded(lambda: dispatch([*SMALL])) == 2
    assert said.getvalue().startswith("exp: ")
    assert "folder" in said.getvalue()
