"""What run.json says of the code, and that nothing a repository configures is run for it."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from commands import SMALL, inside
from exp.runs.directory import RunDirectory
from exp.runs.repository import LARGEST_DIFF, git

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

WHO = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "protocol.file.allow=always")


def run(where: Path, *words: str) -> str:
    """Git as its user has it."""
    done = subprocess.run(
        ["git", *WHO, *words], cwd=where, capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.strip()


def repository(where: Path, **files: str) -> Path:
    where.mkdir(exist_ok=True)
    run(where, "init", "-q", ".")
    for name, text in files.items():
        (where / name).write_text(text)
    run(where, "add", "-A")
    run(where, "commit", "-q", "--allow-empty", "-m", "first")
    return where


@pytest.fixture
def here(in_tmp: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with two files, and its folder as the working directory."""
    where = repository(in_tmp / "mine", a="one\n", b="two\n")
    monkeypatch.chdir(where)
    return where


@pytest.fixture
def trap(tmp_path: Path) -> Path:
    """A command that leaves a file behind when it is run, beside itself."""
    path = tmp_path / "trap.sh"
    path.write_text('#!/bin/sh\necho "$*" >> "$(dirname "$0")/sprung"\nexit 1\n')
    path.chmod(0o755)
    return path


def sprung(trap: Path) -> bool:
    return (trap.parent / "sprung").exists()


def test_a_clean_repository(here: Path) -> None:
    commit = run(here, "rev-parse", "HEAD")
    assert git() == {"commit": commit, "changed": False, "diff": None, "diff_sha256": None}


def test_changes_are_those_that_git_shows(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "a").write_text("another\n")
    (here / "b").unlink()
    (here / "c").write_text("staged\n")
    run(here, "add", "c")
    (here / "d").write_text("not tracked\n")
    expected = run(here, "diff", "--no-color", "HEAD")
    found = git()
    assert found is not None
    assert found["diff"] == expected
    assert found["changed"] is True
    assert found["diff_sha256"] == hashlib.sha256(expected.encode()).hexdigest()
    (here / "below").mkdir()
    monkeypatch.chdir(here / "below")
    assert git() == found
    assert not list(here.rglob("*.lock"))


def test_the_index_is_not_written(here: Path) -> None:
    """Git takes down what it has looked at, through a link too: a file whose time alone has
    changed, for one."""
    index = here / ".git/index"
    shutil.move(index, here.parent / "index")
    index.symlink_to(here.parent / "index")
    os.utime(here / "a", (1, 1))
    (here / "b").write_text("owt\n")
    before = index.read_bytes()
    found = git()
    assert index.read_bytes() == before
    assert found is not None
    assert "a/b" in found["diff"]
    assert "a/a" not in found["diff"]
    assert run(here, "diff", "--no-color", "HEAD") == found["diff"]
    assert index.read_bytes() != before  # git by itself does


def test_an_index_that_is_a_pipe(here: Path) -> None:
    (here / ".git/index").unlink()
    os.mkfifo(here / ".git/index")
    found = git()
    assert found is not None
    assert found["changed"] is None


def test_a_large_difference_is_kept_as_its_digest(here: Path) -> None:
    (here / "a").write_text("x" * 50 + "\n" * LARGEST_DIFF)
    found = git()
    assert found is not None
    assert (found["changed"], found["diff"]) == (True, None)
    raw = subprocess.run(["git", "diff", "HEAD"], capture_output=True, check=True).stdout
    assert found["diff_sha256"] == hashlib.sha256(raw).hexdigest()


def linked(here: Path) -> Path:
    run(here, "worktree", "add", "-q", "../linked")
    (here.parent / "linked" / "a").write_text("there\n")
    return here.parent / "linked"


def sha256_repository(here: Path) -> Path:
    place = here.parent / "sha256"
    place.mkdir()
    run(place, "init", "-q", "--object-format=sha256", ".")
    (place / "a").write_text("one\n")
    run(place, "add", "a")
    run(place, "commit", "-q", "-m", "first")
    (place / "a").write_text("two\n")
    return place


def split_index(here: Path) -> Path:
    run(here, "update-index", "--split-index")
    (here / "a").write_text("split\n")
    return here


def line_ends(here: Path) -> Path:
    """Lines that end otherwise in the folder than in the commit are no change where that is set."""
    run(here, "config", "core.autocrlf", "true")
    (here / "a").write_bytes(b"one\r\n")
    (here / "b").write_bytes(b"three\r\n")
    return here


def modes(here: Path) -> Path:
    run(here, "config", "core.fileMode", "false")
    (here / "a").chmod(0o755)
    (here / "b").write_text("three\n")
    return here


def submodule(here: Path) -> Path:
    inner = repository(here.parent / "inner", i="1\n")
    run(here, "submodule", "--quiet", "add", str(inner), "sub")
    run(here, "commit", "-q", "-m", "sub")
    run(here / "sub", "commit", "-q", "--allow-empty", "-m", "more")
    return here


def alternates(here: Path) -> Path:
    run(here.parent, "clone", "-q", "--shared", "mine", "shared")
    (here.parent / "shared" / "a").write_text("shared\n")
    return here.parent / "shared"


@pytest.mark.parametrize(
    "kind", [linked, sha256_repository, split_index, line_ends, modes, submodule, alternates]
)
def test_repositories_of_other_kinds(
    here: Path, monkeypatch: pytest.MonkeyPatch, kind: Callable[[Path], Path]
) -> None:
    place = kind(here)
    monkeypatch.chdir(place)
    expected = run(place, "diff", "--no-color", "HEAD")
    found = git()
    assert found is not None
    assert expected
    assert found["diff"] == expected


def test_no_repository_and_no_commit(in_tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert git() is None
    run(in_tmp, "init", "-q", ".")
    assert git() is None
    monkeypatch.setenv("PATH", "/nowhere")
    assert git() is None


# Whatever could run something


def filters(here: Path, trap: Path) -> None:
    (here / ".gitattributes").write_text("a filter=evil diff=evil merge=evil\nb filter=other\n")
    (here / ".git/info").mkdir(exist_ok=True)
    (here / ".git/info/attributes").write_text("* filter=third\n")
    for name in ("evil", "other", "third"):
        run(here, "config", f"filter.{name}.clean", str(trap))
        run(here, "config", f"filter.{name}.smudge", str(trap))
        run(here, "config", f"filter.{name}.required", "true")
    run(here, "config", "filter.other.process", str(trap))


def included(here: Path, trap: Path) -> None:
    """By files that the config includes, under a condition too."""
    (here / ".gitattributes").write_text("a filter=evil\nb filter=evil2\n")
    for name, section in (("evil", "include"), ("evil2", f'includeIf "gitdir:{here}/"')):
        (here / name).write_text(f'[filter "{name}"]\n\tclean = {trap}\n')
        with (here / ".git/config").open("a") as file:
            file.write(f"[{section}]\n\tpath = {here / name}\n")


def worktree_config(here: Path, trap: Path) -> None:
    (here / ".gitattributes").write_text("* filter=evil\n")
    run(here, "config", "extensions.worktreeConfig", "true")
    run(here, "config", "--worktree", "filter.evil.clean", str(trap))
    run(here, "config", "--worktree", "core.fsmonitor", str(trap))


def programs(here: Path, trap: Path) -> None:
    """Every setting by which git runs something while it reads."""
    (here / ".gitattributes").write_text("* diff=evil\n")
    for key in (
        "core.fsmonitor", "core.pager", "core.editor", "core.sshCommand", "core.askPass",
        "core.gitProxy", "core.alternateRefsCommand", "pager.diff", "pager.rev-parse",
        "pager.config", "diff.external", "diff.evil.command", "diff.evil.textconv",
        "interactive.diffFilter", "gpg.program", "gpg.ssh.program", "credential.helper",
        "sequence.editor", "uploadpack.packObjectsHook", "diff.tool", "merge.evil.driver",
        "trailer.evil.command", "browser.evil.cmd",
    ):  # fmt: skip
        run(here, "config", key, str(trap))
    for word in ("diff", "rev-parse", "config"):
        run(here, "config", f"alias.{word}", f"!{trap}")
    run(here, "config", "log.showSignature", "true")
    run(here, "config", "core.attributesFile", str(here / "b"))


def hooks(here: Path, trap: Path) -> None:
    folder = here / "hooks"
    folder.mkdir()
    for name in ("post-index-change", "pre-auto-gc", "reference-transaction", "fsmonitor-watchman",
                 "post-checkout", "query-watchman"):  # fmt: skip
        shutil.copy(trap, folder / name)
        shutil.copy(trap, here / ".git/hooks" / name)
    run(here, "config", "core.hooksPath", str(folder))
    run(here, "config", "core.fsmonitor", ".git/hooks/fsmonitor-watchman")


def promised(here: Path, trap: Path) -> None:
    """A partial clone: what is missing is fetched by a command that the config names."""
    blob = run(here, "rev-parse", "HEAD:a")
    run(here, "config", "core.repositoryFormatVersion", "1")
    run(here, "config", "extensions.partialClone", "origin")
    run(here, "config", "remote.origin.promisor", "true")
    run(here, "config", "remote.origin.url", str(here.parent / "away"))
    run(here, "config", "remote.origin.uploadpack", str(trap))
    run(here, "config", "protocol.allow", "always")
    os.remove(here / ".git/objects" / blob[:2] / blob[2:])


def promised_by_a_command(here: Path, trap: Path) -> None:
    promised(here, trap)
    run(here, "config", "remote.origin.url", f"ext::{trap}")
    run(here, "config", "protocol.ext.allow", "always")


def promised_commit(here: Path, trap: Path) -> None:
    """The commit itself is what is missing."""
    head = run(here, "rev-parse", "HEAD")
    promised(here, trap)
    os.remove(here / ".git/objects" / head[:2] / head[2:])


def in_a_submodule(here: Path, trap: Path) -> None:
    submodule(here)
    inner = here / "sub"
    (inner / ".gitattributes").write_text("* filter=evil\n")
    (inner / "i").write_text("2\n")
    run(inner, "config", "filter.evil.clean", str(trap))
    run(inner, "config", "core.fsmonitor", str(trap))
    run(here, "config", "diff.submodule", "diff")
    run(here, "config", "diff.ignoreSubmodules", "none")
    run(here, "config", "submodule.sub.update", f"!{trap}")


TRAPS = [filters, included, worktree_config, programs, hooks, promised, promised_by_a_command,
         promised_commit, in_a_submodule]  # fmt: skip


@pytest.mark.parametrize("kind", TRAPS)
def test_nothing_that_a_repository_names_is_run(
    here: Path, trap: Path, kind: Callable[[Path, Path], None]
) -> None:
    commit = run(here, "rev-parse", "HEAD") if kind is not in_a_submodule else None
    kind(here, trap)
    (trap.parent / "sprung").unlink(missing_ok=True)  # by setting it up
    for name in ("a", "b"):
        (here / name).write_text("changed since\n")
    found = git()
    assert not sprung(trap)
    assert found is not None
    assert commit in (None, found["commit"])
    missing = kind in (promised, promised_by_a_command, promised_commit)
    assert found["changed"] is (None if missing else True)
    assert missing or "+changed since" in found["diff"]


@pytest.mark.parametrize("kind", [filters, included, worktree_config, promised, in_a_submodule])
def test_the_traps_are_traps(here: Path, trap: Path, kind: Callable[[Path, Path], None]) -> None:
    """Git by itself runs them."""
    kind(here, trap)
    (trap.parent / "sprung").unlink(missing_ok=True)
    for name in ("a", "b"):
        (here / name).write_text("changed since\n")
    words = ["git", "-c", "protocol.file.allow=always", "diff", "--no-ext-diff", "HEAD"]
    subprocess.run(words, capture_output=True, timeout=60, check=False)
    assert sprung(trap)


def test_a_run_in_such_a_folder(here: Path, trap: Path) -> None:
    filters(here, trap)
    (trap.parent / "sprung").unlink(missing_ok=True)
    (here / "a").write_text("changed since\n")
    assert inside(here, *SMALL, "hydra.run.dir=../run").code == 0
    record = RunDirectory(here.parent / "run").read_record()
    assert record["git"]["changed"] is True
    assert not sprung(trap)


# What it could be made to read


def test_files_elsewhere_are_not_compared(here: Path) -> None:
    """A repository may name any folder as that of its files."""
    secret = here.parent / "secret"
    secret.mkdir()
    (secret / "a").write_text("hunter2\n")
    run(here, "config", "core.worktree", str(secret))
    found = git()
    assert found is None or (found["changed"], found["diff"]) == (None, None)
    run(here, "config", "core.worktree", str(here.parent))
    found = git()
    assert found is not None
    assert (found["changed"], found["diff"]) == (None, None)


def test_an_index_that_names_a_file_elsewhere(here: Path) -> None:
    (here.parent / "x").write_text("hunter2\n")
    index = here / ".git/index"
    run(
        here,
        "update-index",
        "--add",
        "--cacheinfo",
        f"100644,{run(here, 'rev-parse', 'HEAD:a')},zz/x",
    )
    raw = index.read_bytes()[:-20].replace(b"zz/x", b"../x")
    index.write_bytes(raw + hashlib.sha1(raw).digest())
    found = git()
    assert found is not None
    assert (found["changed"], found["diff"]) == (None, None)


def test_a_pipe_in_place_of_a_file_ends_in_time(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exp.runs.repository.PATIENCE", 0.5)
    os.mkfifo(here / ".gitattributes")
    (here / "a").write_text("changed since\n")
    begun = time.monotonic()
    found = git()
    assert time.monotonic() - begun < 5
    assert found is not None
    assert found["changed"] in (None, True)
