"""What is printed never controls a terminal, and a reader who leaves ends nothing."""

from __future__ import annotations

import json
import os
import pickle
import pty
import shlex
import shutil
import subprocess
import sys
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import fork_server
from commands import SMALL, Ended, inside, process
from exp.runs.directory import RunDirectory
from exp.util.errors import ConfigError, ExpError, Fault, lines
from exp.util.terminal import indented, one_line, printable
from fork_server import Forked

HOSTILE = "\x1b[31m\x1b]0;title\x07\x9b2J\u202eevil\u2066\udc9b\r\x08"
"""Colours, a window's title, C1's clear, a text that runs backwards, a byte that is not UTF-8."""
TURNS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


def controls(text: str) -> list[str]:
    """The characters of a text that a terminal would obey, as Unicode's own tables have them."""
    return [
        c
        for c in text
        if (unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") and c not in "\n\t")
        or unicodedata.bidirectional(c) in TURNS
        or c in "\u200e\u200f\u061c"
    ]


ANY = st.text(
    st.one_of(
        st.sampled_from([*HOSTILE, "a", "é", "\n"]), st.characters(), st.characters(codec=None)
    )
)


@given(ANY)
def test_printable(text: str) -> None:
    found = printable(text)
    if "\r\n" not in text:
        assert not controls(found)
    assert printable(found) == found
    if not controls(text) and not any(unicodedata.category(c) == "Cf" for c in text):
        assert found == text


def test_how_they_are_shown() -> None:
    assert printable("a\x1b[1m\x9b\u202e\udc80\U000e0041\r\n\tü") == (
        "a\\x1b[1m\\x9b\\u202e\\udc80\\U000e0041\r\n\tü"
    )
    assert str(ExpError("\x1b[2J")) == "\\x1b[2J"


def test_the_lines_of_an_error_are_those_of_exp() -> None:
    assert str(ExpError("no 'a\nforged'")) == "no 'a\\nforged'"
    assert str(ExpError(lines("two:", "  a\nforged"))) == "two:\n  a\\nforged"
    inner = ExpError(lines("two:", "  a\nforged"))
    error = ConfigError([Fault("x\n", "a\nforged"), Fault("y", str(inner))])
    assert str(error).splitlines()[1:] == ["  x\\n  a\\nforged", "  y   two:", "  a\\nforged"]
    assert str(pickle.loads(pickle.dumps(inner))) == str(inner)


@given(ANY)
def test_a_name_begins_no_line(text: str) -> None:
    found = one_line(text)
    assert len(found.splitlines()) <= 1
    assert not controls(found)
    assert one_line(found) == found
    assert all(line.startswith("  | ") for line in indented(text).splitlines()[1:])


FORGED = "x\r\nforged\nforged\r\x08\t"


def test_what_a_strangers_files_name_begins_no_line(run: Path, in_tmp: Path) -> None:
    """Files, keys, hosts, loggers, classes and messages."""
    shutil.copytree(run, in_tmp / "a")
    directory = RunDirectory(in_tmp / "a")
    record = directory.read_record()
    row = {**record["data"], "classes": ["0", FORGED], "features": [FORGED, "x2"]}
    changes: list[dict[str, Any]] = [
        {"digests": {**record["digests"], FORGED: "0" * 64}},
        {"versions": {**record["versions"], FORGED: FORGED}},
        {"process": {**record["process"], "host": FORGED, "boot": "x"}, "status": "running"},
        {"name": FORGED, "folder": FORGED, "message": FORGED, "status": "failed"},
        {"data": row},
    ]
    seen = ""
    for content in [
        *({**record, **more} for more in changes),
        {"status": "failed", "message": FORGED},
    ]:
        directory.write_record(content)
        for words in (
            ["compare", str(run), "a"],
            ["results", "a"],
            ["resume", "a"],
            ["rerun", "a"],
        ):
            ended = inside(in_tmp, *words)
            seen += ended.out + ended.err
    assert "forged" in seen
    assert not [line for line in seen.splitlines() if line.strip().startswith("forged")]


def test_a_directory_begins_no_line(run: Path, in_tmp: Path) -> None:
    place = in_tmp / "x\nforged: done\r\n"
    shutil.copytree(run, place)
    seen = ""
    commands: list[list[str]] = [
        *([verb, str(place)] for verb in ("resume", "rerun", "report", "results")),
        ["compare", str(place), str(run)],
        ["predict", str(place), "nothing.csv"],
        ["predict", str(place), str(run / "metrics.csv")],
        ["export", str(place), "--to", "python"],
        ["log", str(place), "--to", "nothing"],
        ["rerun", str(place), "--into", str(place)],
        [*SMALL, f"hydra.run.dir='{place}'"],
        ["results", str(place / "nothing")],
    ]
    for words in commands:
        ended = inside(in_tmp, *words)
        seen += ended.out + ended.err
    sealed = json.loads((place / "run.json").read_text())
    for change in (
        {"status": "interrupted"},
        {"status": "running"},
        {"digests": {"a\nforged": ""}},
    ):
        RunDirectory(place).write_record({**sealed, **change})
        for verb in ("resume", "rerun", "predict"):
            more = [str(run / "metrics.csv")] if verb == "predict" else []
            ended = inside(in_tmp, verb, str(place), *more)
            seen += ended.out + ended.err
    assert "x\\nforged" in seen
    assert not [line for line in seen.splitlines() if line.startswith("forged")]


def test_a_class_begins_no_line(in_tmp: Path) -> None:
    rows = "".join(f'{i % 7},"k{i % 2}\nforged"\n' for i in range(40))
    (in_tmp / "rows.csv").write_text(f'a,"kind\nforged"\n{rows}')
    words = [
        "dataset=csv",
        "dataset.path=rows.csv",
        "dataset.target='kind\nforged'",
        "trainer.epochs=2",
    ]
    ended = inside(in_tmp, *words, "figures=none", "hydra.run.dir=run")
    assert ended.code == 0, ended.err
    seen = ended.out + ended.err + (in_tmp / "run/exp.log").read_text()
    assert "k0\\nforged" in seen
    assert not [line for line in seen.splitlines() if line.startswith("forged")]


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(ANY.filter(lambda text: "\r\n" not in text), min_size=1, max_size=3))
def test_a_command_line_comes_back_printable(in_tmp: Path, words: list[str]) -> None:
    for verb in ([], ["results"], ["compare", "--figure"], ["list"], ["new"], ["predict"]):
        ended = inside(in_tmp, *verb, *words, "nowhere", "optimizer.lr=-1")
        assert not controls(ended.out + ended.err), (verb, words)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run; not to be changed."""
    where = tmp_path_factory.mktemp("printed")
    assert inside(where, *SMALL, "hydra.run.dir=run").code == 0
    return where / "run"


def hostile(node: Any) -> Any:
    """The same with every text hostile, names of keys included."""
    if isinstance(node, dict):
        return {key + HOSTILE: hostile(value) for key, value in node.items()}
    if isinstance(node, list):
        return [hostile(value) for value in node]
    return node + HOSTILE if isinstance(node, str) else node


def places(record: Any, path: Sequence[str] = ()) -> list[Sequence[str]]:
    """Every path in a record, of mappings and texts alike."""
    found = [[*path, key] for key in record]
    return found + [
        p for key, v in record.items() if isinstance(v, dict) for p in places(v, [*path, key])
    ]


def test_a_strangers_record_comes_back_printable(run: Path, in_tmp: Path) -> None:
    """Each value of run.json in turn, and whole files of the run, read by every verb."""
    shutil.copytree(run, in_tmp / "a")
    directory = RunDirectory(in_tmp / "a")
    record = directory.read_record()
    seen = ""
    for path in places(record):
        changed = json.loads(json.dumps(record))
        node = changed
        for key in path[:-1]:
            node = node[key]
        node[path[-1]] = hostile(node[path[-1]])
        try:
            directory.write_record(changed)
        except UnicodeEncodeError:
            node[path[-1]] = json.loads(json.dumps(node[path[-1]]).replace("\\udc9b", ""))
            directory.write_record(changed)
        for words in (["compare", "a", str(run)], ["results", "a"], ["resume", "a"]):
            ended = inside(in_tmp, *words)
            assert not controls(ended.out + ended.err), (path, words)
            seen += ended.out + ended.err
    for shown in ("\\x1b[31m", "\\x9b2J", "\\u202eevil"):
        assert shown in seen


def test_the_log_of_a_run(in_tmp: Path) -> None:
    """Names of classes stand in the lines of a run."""
    rows = "".join(f"{i},{HOSTILE[:-3]}{i % 2}\n" for i in range(40))
    (in_tmp / "rows.csv").write_text("a,kind\n" + rows)
    words = ("dataset=csv", "dataset.path=rows.csv", "dataset.target=kind", "trainer.epochs=2")
    ended = inside(in_tmp, *words, "figures=none", "hydra.run.dir=run", "split.stratify=true")
    assert ended.code == 0, ended.err
    log = (in_tmp / "run/exp.log").read_text()
    for text in (log, ended.out, ended.err):
        assert not controls(text)
    assert "\\x1b[31m" in log
    assert "\\x1b[31m" in ended.out


def on_a_terminal(where: Path, *words: str) -> str:
    """What a terminal is sent by a command, from both of its streams."""
    mine, its = pty.openpty()
    command = [sys.executable, "-m", "exp", *words]
    environment = {**os.environ, "TERM": "xterm"}
    child = Forked(command, where, environment, stdin=its, stdout=its, stderr=its)
    os.close(its)
    found = b""
    while True:
        try:
            found += (piece := os.read(mine, 65536))
        except OSError:  # how Linux says that the other end is closed
            break
        if not piece:
            break
    os.close(mine)
    assert child.wait(300) == 0, found
    return found.decode()


@pytest.mark.skipif(sys.platform != "linux", reason="terminals of Linux")
def test_on_a_terminal_the_bar_has_its_own_codes_and_a_name_has_none(in_tmp: Path) -> None:
    rows = "".join(f"{i},\x1b]0;evil\x07{i % 2}\n" for i in range(40))
    (in_tmp / "rows.csv").write_text("a,kind\n" + rows)
    words = ("dataset=csv", "dataset.path=rows.csv", "dataset.target=kind", "figures=none")
    sent = on_a_terminal(in_tmp, *words, "trainer.epochs=2", "hydra.run.dir=run")
    assert "\x1b[" in sent  # the bar
    assert "\x1b]0;evil" not in sent
    assert "\\x1b]0;evil\\x07" in sent


def shell(where: Path, line: str) -> Ended:
    """A line of a shell. Python is not started anew, but where a stream is closed."""
    warm = [] if ">&-" in line else ["-S", fork_server.__file__, fork_server.server()]
    program = shlex.join([sys.executable, *warm, "-m", "exp"])
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", line.replace("exp ", f"{program} ")],
        cwd=where, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    return Ended(done.returncode, done.stdout, done.stderr, where)


FULL = "exp: cannot write to stdout: No space left on device\n"


@pytest.mark.parametrize(
    ("redirected", "code", "err"),
    [("| head -1", 0, ""), (">&-", 0, ""), ("2>&-", 0, ""), (">/dev/full", 2, FULL),
     (">/dev/full 2>&1", 2, ""), ("2>/dev/full", 0, "")],
)  # fmt: skip
def test_a_run_is_kept_whoever_reads(in_tmp: Path, redirected: str, code: int, err: str) -> None:
    line = f"exp {' '.join(SMALL)} hydra.run.dir=run {redirected}"
    ended = shell(in_tmp, line)
    assert (ended.code, ended.err) == (code, err)
    directory = RunDirectory(in_tmp / "run")
    record = directory.read_record()
    assert record["status"] == "done"
    assert not directory.damaged(record)


def test_a_sweep_is_kept_whoever_reads(in_tmp: Path) -> None:
    line = f"exp -m {' '.join(SMALL)} seed=1,2,3 sweep.n_jobs=1 sweep.dir=s"
    ended = shell(in_tmp, f"{line} | head -1")
    assert (ended.code, ended.err) == (0, "")
    assert len(list(in_tmp.glob("s/*/run.json"))) == 3
    assert (in_tmp / "s/runs.csv").exists()


@pytest.mark.parametrize("verb", ["--help", "list", "results {run}"])
def test_what_is_only_printed_ends_quietly(run: Path, in_tmp: Path, verb: str) -> None:
    command = f"exp {verb.format(run=run)}"
    for redirected, code, err in (("| head -c1", 0, ""), (">&-", 0, ""), (">/dev/full", 2, FULL)):
        ended = shell(in_tmp, f"{command} {redirected}")
        assert (ended.code, ended.err) == (code, err), redirected


def test_data_on_stdout_are_what_they_are(run: Path, in_tmp: Path) -> None:
    """Into a file or a pipe; on a terminal they are printable."""
    (in_tmp / "new.csv").write_text("x1,x2,\u202enote\n0.5,0.1,\x1b[31m\n")
    told = process(in_tmp, "predict", str(run), "new.csv")
    assert "\u202enote" in told.out
    assert ",\x1b[31m," in told.out
    sent = on_a_terminal(in_tmp, "predict", str(run), "new.csv")
    assert "\\u202enote" in sent
    assert ",\\x1b[31m," in sent
