"""`exp new`: what it writes works as it stands, and nothing is overwritten."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from commands import inside, read_csv
from custom_modules import forgotten
from exp.cli.new import USES
from fork_server import forked

SHORT = ("trainer.epochs=3", "figures=none")
ENVIRONMENT = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


def typed(where: Path, line: str) -> subprocess.CompletedProcess[str]:
    """A line as a shell would run it."""
    words = shlex.split(line)
    if words[:2] == ["python", "-m"] and words[2] != "ruff":
        return forked(words, where, os.environ)
    return subprocess.run(
        words, cwd=where, env={**os.environ, **ENVIRONMENT},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("kind", USES)
def test_a_new_component_trains(kind: str, in_tmp: Path) -> None:
    said = inside(in_tmp, "new", kind, "my_own").out.splitlines()
    option = "" if kind == "metric" else f"conf/{kind}/my_own.yaml, "
    assert said[0] == f"wrote my_own.py, {option}test_my_own.py"
    assert said[1] == "next:"
    run, check, test = (line.strip() for line in said[2:])
    assert run.startswith("python -m exp 'plugins=[my_own]' ")
    assert check == "exp check my_own"
    assert test == "python -m pytest test_my_own.py"
    with forgotten("my_own"):
        ended = inside(in_tmp, *shlex.split(run)[3:], *SHORT)
    assert ended.code == 0, ended.err
    assert len(read_csv(ended.run / "metrics.csv")["epoch"]) == 3


def test_the_tests_of_new_components_pass(in_tmp: Path) -> None:
    files = []
    for kind in USES:
        said = inside(in_tmp, "new", kind, f"my_{kind}").out.splitlines()
        files += said[-1].split()[3:]
    tested = typed(in_tmp, f"python -m pytest {' '.join(files)}")
    assert tested.returncode == 0, tested.stdout
    assert f"{2 * len(USES)} passed" in tested.stdout


def test_the_next_commands_work_as_they_stand(in_tmp: Path) -> None:
    run, check, _ = inside(in_tmp, "new", "dataset", "spots").out.splitlines()[2:]
    for line in (run, check):
        done = typed(in_tmp, line)
        assert done.returncode == 0, done.stderr
    (metrics,) = in_tmp.glob("outputs/*/*/metrics.csv")
    assert float(read_csv(metrics)["test/accuracy"][-1]) > 0.9


def test_what_it_writes_is_formatted_like_exp(in_tmp: Path) -> None:
    for kind in USES:
        inside(in_tmp, "new", kind, f"my_{kind}")
    done = typed(in_tmp, "python -m ruff format --check --line-length 100 .")
    assert done.returncode == 0, done.stdout
    done = typed(
        in_tmp, "python -m ruff check --select A,B,E,F,PT,RET,RUF,SIM,UP,W --line-length 100 ."
    )
    assert done.returncode == 0, done.stdout


def test_nothing_is_overwritten(in_tmp: Path) -> None:
    (in_tmp / "test_mine.py").write_text("mine\n")
    ended = inside(in_tmp, "new", "model", "mine")
    assert ended.code == 2
    told = "exp: exp new: nothing was written, since these files exist: "
    assert ended.err == f"{told}test_mine.py\n"
    assert [path.name for path in in_tmp.iterdir()] == ["test_mine.py"]
    (in_tmp / "test_mine.py").unlink()
    assert inside(in_tmp, "new", "model", "mine").code == 0
    ended = inside(in_tmp, "new", "model", "mine")
    assert ended.err == f"{told}mine.py, conf/model/mine.yaml, test_mine.py\n"


RULE = (
    "cannot be the name of a Python module. A name begins with a lower case letter and has at "
    "most 64 lower case letters, digits and _. Keywords of Python are not allowed"
)
NAMES = {
    "moons": "there is a packaged dataset 'moons'; choose another name",
    "random": "'random' is an installed module; choose another name",
    "numpy": "'numpy' is an installed module; choose another name",
    "class": f"'class' {RULE}",
    "../evil": f"'../evil' {RULE}",
}


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_cannot_be_one_is_refused(in_tmp: Path, name: str) -> None:
    ended = inside(in_tmp, "new", "dataset", name)
    assert (ended.code, ended.err) == (2, f"exp: exp new: {NAMES[name]}\n")
    assert list(in_tmp.iterdir()) == []


def test_an_unknown_kind_names_the_nearest(in_tmp: Path) -> None:
    ended = inside(in_tmp, "new", "datasets", "mine")
    assert ended.err == (
        "exp: exp new: unknown kind 'datasets'. Did you mean 'dataset'? Known: dataset, model, "
        "optimizer, loss, activation, metric. See exp new --help\n"
    )


def test_exp_new_imports_nothing_heavy(in_tmp: Path) -> None:
    code = (
        "import sys\nfrom exp.cli.main import dispatch\ndispatch(['new', 'dataset', 'mine'])\n"
        "print([m for m in ('torch', 'sklearn', 'numpy', 'hydra') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=in_tmp, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"
