# ruff: noqa: E501
"""Repositories, run directories and texts of a stranger: what exp runs, sends, writes or shows.

    python benchmarks/strangers.py [KIND ...] [--keep FOLDER] [--seed 0]

Kinds: git, structure, config, words, links, texts. Each case makes something hostile in a sandbox
and gives it to exp in this process, without --trust, while Python's audit hooks tell of every
command, connection, import, pickle and opened file. Looked at afterwards: commands that left a
trace, files outside of the directory that was named, the value of an environment variable in files
and output, control characters and forged lines in the output. Leaves with 1 where a case fails.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import logging
import os
import random
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import unicodedata
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

os.environ.setdefault("MKL_CBWR", "AUTO")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import yaml

import exp
from exp.cli import main as cli
from exp.runs.directory import RunDirectory
from exp.runs.repository import git

SECRET = "hunter2-of-the-environment"
SMALL = ("figures=none", "dataset.n_samples=40", "trainer.epochs=2", "trainer.checkpoint_every=1")
FORGED = "FORGED-LINE"
HOSTILE = f"x\x1b[31m\x1b]8;;http://x\x1b\\\x1b]52;c;aGk=\x07\x9b2J\u202e\u2066y\r{FORGED}\n{FORGED} \x08z"
"""Colours, a link, the clipboard, C1, text that runs backwards, and two ways to begin a line."""
TURNS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
CACHES = tuple(os.path.expanduser(f"~/{name}/matplotlib") for name in (".config", ".cache"))
FOREIGN = {"git"}
"""Commands that exp starts itself."""


@dataclass
class Watch:
    """What Python's audit hooks tell of while it is on.

    Attributes:
        allowed: folders that may be written to.
    """

    on: bool = False
    allowed: tuple[str, ...] = ()
    seen: list[str] = field(default_factory=list)

    def __call__(self, event: str, args: tuple[Any, ...]) -> None:
        if not self.on:
            return
        if event in ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn"):
            if str(args[0]) not in FOREIGN:
                self.seen.append(f"ran {args[:2]!r}"[:300])
        elif event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname",
                       "socket.sendto", "socket.bind", "urllib.Request"):  # fmt: skip
            self.seen.append(f"network: {event} {args[1:]!r}"[:300])
            raise ConnectionRefusedError("the watch lets nothing through")
        elif event == "pickle.find_class":
            self.seen.append(f"pickle: {args!r}")
        elif event == "open" and isinstance(args[0], (str, bytes)) and writes(*args[1:3]):
            self.written(args[0], event)
        elif event in ("os.mkdir", "os.remove", "os.rmdir", "os.truncate", "os.chmod",
                       "sqlite3.connect", "os.utime"):  # fmt: skip
            folder = args[-1] if event in ("os.mkdir", "os.remove", "os.rmdir") else -1
            self.written(args[0], event, folder)
        elif event in ("os.rename", "os.link"):
            self.written(args[1], event, args[3])
        elif event == "os.symlink":
            self.written(args[1], event, args[2])

    def written(self, place: Any, event: str, folder: int = -1) -> None:
        if isinstance(place, int):
            return
        start = os.getcwd() if folder < 0 else os.readlink(f"/proc/self/fd/{folder}")
        text = os.path.realpath(os.path.join(start, os.fsdecode(place)))
        if text == os.path.realpath(tempfile.gettempdir()):  # a file without a name
            return
        if DRAFT.search(text):  # takes a place that is looked at afterwards
            return
        if event == "os.mkdir" and os.path.isdir(text):  # makes nothing: `exist_ok`
            return
        if not text.startswith(self.allowed):
            self.seen.append(f"{event} {text!r}")


def writes(mode: Any, flags: Any) -> bool:
    if isinstance(mode, str):
        return any(letter in mode for letter in "wax+")
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))


DRAFT = re.compile(r"/\.[0-9a-f]+-[0-9a-f]{8}-\d+\.tmp$")
WATCH = Watch()


class Sandbox:
    """A folder in which a case takes place.

    Attributes:
        here: where the command is given; what a stranger has made lies in `here/given`.
        outside: must stay as it is.
        trap: a command that leaves `sprung` behind.
    """

    def __init__(self, base: Path, made: Path | None = None, without: Sequence[str] = ()) -> None:
        self.base = base
        shutil.rmtree(base, ignore_errors=True)
        self.here, self.outside = base / "here", base / "outside"
        self.given = self.here / "given"
        self.outside.mkdir(parents=True)
        self.here.mkdir()
        (self.outside / "canary.txt").write_text("as it was\n")
        self.trap = base / "trap.sh"
        self.trap.write_text('#!/bin/sh\necho "$0 $*" >> "${0%/*}/sprung"\nexit 1\n')
        self.trap.chmod(0o755)
        if made is not None:
            shutil.copytree(made, self.given, ignore=shutil.ignore_patterns(*without))
        else:
            self.given.mkdir()
        module = f"open({str(base / 'sprung')!r}, 'a').write('imported')\n"
        for folder in (self.here, self.given):
            (folder / "canary_module.py").write_text(module)

    def tree(self) -> dict[str, bytes]:
        found = {}
        for path in self.base.rglob("*"):
            name = path.relative_to(self.base).as_posix()
            if path.is_symlink():
                found[name] = os.fsencode(os.readlink(path))
            else:
                found[name] = path.read_bytes() if path.is_file() else b""
        return found


@dataclass
class Tally:
    """What was tried and what was wrong with it."""

    tried: Counter[str] = field(default_factory=Counter)
    faults: dict[str, list[str]] = field(default_factory=dict)
    codes: Counter[str] = field(default_factory=Counter)

    def add(self, kind: str, case: str, faults: list[str], code: object = "-") -> None:
        self.tried[kind] += 1
        self.codes[f"{kind}: {code}"] += 1
        for fault in faults:
            text = f"{kind}: {fault}"[:260]
            if text not in self.faults:
                print(f"  {text!a}, such as {case[:200]!a}", flush=True)
            self.faults.setdefault(text, []).append(case[:200])


def commanded(where: Path, words: list[str]) -> tuple[int, str, str]:
    """A command in this process: exit code and both streams."""
    out, err = io.StringIO(), io.StringIO()
    with (
        contextlib.chdir(where), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err),
        loggers_kept(), warnings.catch_warnings(),
    ):  # fmt: skip
        warnings.simplefilter("ignore")
        before = dict(os.environ)
        try:
            code = cli.guarded(lambda: dispatched(words))
        finally:
            for key in set(os.environ) - set(before):
                del os.environ[key]
            os.environ.update(before)
    return code, out.getvalue(), err.getvalue()


def dispatched(words: list[str]) -> int:
    if words[0] == "load":
        exp.load(words[1])
        return 0
    return cli.dispatch(words)


@contextlib.contextmanager
def loggers_kept() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    try:
        yield
    finally:
        for handler in root.handlers[:]:
            if handler not in handlers:
                root.removeHandler(handler)
                handler.close()
        root.setLevel(level)


def watched(
    sandbox: Sandbox, words: list[str], named: str | None, *, data: bool = False
) -> tuple[list[str], int]:
    """What is wrong with a command, and its exit code.

    Args:
        named: the folder below `here` that it may write to.
        data: what it prints was asked for as it is.
    """
    before = sandbox.tree()
    place = os.path.realpath(sandbox.here / (named or "nowhere"))
    temporary = os.path.join(os.path.realpath(tempfile.gettempdir()), "")
    WATCH.allowed = (place, os.environ["EXP_CACHE"], os.path.join(temporary, "exp-"), os.path.join(temporary, "tmp"),
                     os.devnull, "/dev/shm", *CACHES)  # fmt: skip
    WATCH.seen, WATCH.on = [], True
    faults = []
    code, out, err = -1, "", ""
    try:
        code, out, err = commanded(sandbox.here, words)
    except BaseException as error:
        faults.append(f"{type(error).__name__}: {str(error)[:120]}")
    finally:
        WATCH.on = False
    faults += WATCH.seen
    after = sandbox.tree()
    inside = "nowhere/" if named is None else f"here/{named}"
    for name in before.keys() | after.keys():
        if before.get(name) != after.get(name) and not f"{name}/".startswith(inside):
            faults.append(f"changed: {name}")
    if code == 2 or "Traceback (most recent" in err:
        faults += [f"traceback: {err[-200:]}"] if "Traceback (most recent" in err else []
    text = out + err
    finished = list(Path(os.environ["EXP_CACHE"]).rglob("finished/*/*"))
    resumed = words[0] == "resume" and named != "given/swept"
    if resumed and any(b"/given/" in path.read_bytes() for path in finished):
        faults.append("a stranger's run is offered in place of one's own")
    for path in finished:
        path.unlink()
    if SECRET in out or (SECRET in err and code != 2):
        faults.append("the secret was printed")
    elif SECRET in err:
        faults.append("the secret stands in an error")
    for name, content in after.items():
        if SECRET in name or (before.get(name) != content and SECRET.encode() in content):
            faults.append(f"the secret stands in {name.split('/')[-1]}")
    if not data:
        faults += shown_raw(text)
    return faults, code


def shown_raw(text: str) -> list[str]:
    """Characters that a terminal would obey, and lines that a stranger has begun."""
    raw = {
        c
        for c in text
        if (unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") and c not in "\n\t")
        or unicodedata.bidirectional(c) in TURNS
    }
    faults = [f"raw control characters: {sorted(raw)!a}"] if raw else []
    if re.search(rf"(^|[\n\r])[^\S\n]*{FORGED}", text):
        at = text.index(f"\n{FORGED}") if f"\n{FORGED}" in text else 0
        line = text[:at].rpartition("\n")[2]
        faults.append(f"a forged line after {re.sub(r'[0-9]+', 'N', line)[:100]!r}")
    return faults


# Repositories


def git_run(where: Path, *words: str) -> str:
    who = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "protocol.file.allow=always")
    done = subprocess.run(
        ["git", *who, *words], cwd=where, capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.strip()


def repository(where: Path) -> None:
    where.mkdir(parents=True, exist_ok=True)
    git_run(where, "init", "-q", ".")
    for name in ("a", "b"):
        (where / name).write_text("one\n")
    git_run(where, "add", "a", "b")
    git_run(where, "commit", "-q", "-m", "first")
    (where / ".gitattributes").write_text(
        "a filter=evil diff=evil merge=evil\nb diff=evil ident working-tree-encoding=UTF-16\n"
    )


def asked_git(tally: Tally, kind: str, case: str, sandbox: Sandbox, where: Path) -> None:
    """What `git()` does in a folder."""
    (sandbox.base / "sprung").unlink(missing_ok=True)
    before = sandbox.tree()
    WATCH.seen, WATCH.on = [], True
    WATCH.allowed = (os.path.join(os.path.realpath(tempfile.gettempdir()), "exp-git-"), os.devnull)
    faults = []
    found = None
    try:
        with contextlib.chdir(where):
            found = git()
    except Exception as error:
        faults.append(f"{type(error).__name__}: {error}")
    finally:
        WATCH.on = False
    # The anonymous file that holds the difference.
    faults += [f for f in WATCH.seen if not re.match(r"open '/tmp/\w+'|os.remove '/tmp/\w+'", f)]
    after = sandbox.tree()
    faults += [
        f"changed: {n}" for n in before.keys() | after.keys() if before.get(n) != after.get(n)
    ]
    if "as it was" in json.dumps(found) or SECRET in json.dumps(found):
        faults.append("a file elsewhere was read")
    tally.add(kind, case, faults, "None" if found is None else f"changed={found['changed']}")


def config_keys() -> list[str]:
    """Every key that git itself lists, the names in them filled in."""
    text = git_run(Path("/"), "help", "--config-for-completion")
    keys = {re.sub(r"<[^>]*>|\*", "evil", line.strip()) for line in text.splitlines()}
    more = {
        f"{section}.evil.{key}"
        for section in ("filter", "diff", "merge", "remote", "submodule", "credential", "url",
                        "difftool", "mergetool", "man", "browser", "guitool", "trailer", "gpg",
                        "hook", "tar", "alias", "pager", "includeIf")
        for key in ("clean", "smudge", "process", "command", "cmd", "textconv", "driver", "helper",
                    "program", "uploadpack", "receivepack", "proxy", "update", "path", "vcs",
                    "insteadOf", "wordRegex", "xfuncname", "cachetextconv", "event")
    }  # fmt: skip
    return sorted(
        key for key in keys | more if re.fullmatch(r"[\w-]+(\.[^\n]+)?\.[A-Za-z][\w-]*", key)
    )


def git_cases(tally: Tally, base: Path, drawn: random.Random) -> None:
    """Each key of git's config alone, as a command and as a file of settings."""
    template = base / "template"
    repository(template)
    sandbox = Sandbox(base / "git")
    where = sandbox.here / "mine"
    shutil.copytree(template, where)
    (where / "a").write_text("changed since\n")
    config = (where / ".git/config").read_text()
    evil = sandbox.outside / "evil.cfg"
    evil.write_text(
        "".join(f'[filter "evil"]\n\t{key} = {sandbox.trap}\n' for key in ("clean", "process"))
    )
    keys = config_keys()
    for key in keys:
        section, _, name = key.rpartition(".")
        first, _, second = section.partition(".")
        head = f'[{first} "{second}"]' if second else f"[{first}]"
        value = drawn.choice(
            (str(sandbox.trap), f"!{sandbox.trap}", f"{sandbox.trap} %f", f"ext::{sandbox.trap}")
        )
        if first in ("include", "includeIf"):
            value = str(evil)
        (where / ".git/config").write_text(f"{config}{head}\n\t{name} = {value}\n")
        asked_git(tally, "git key", key, sandbox, where)
    whole = [config]
    for key in keys:  # all that do not stop git at once
        section, _, name = key.rpartition(".")
        first, _, second = section.partition(".")
        if first in (
            "filter",
            "diff",
            "remote",
            "credential",
            "gpg",
            "alias",
            "pager",
            "hook",
            "merge",
        ):
            head = f'[{first} "{second}"]' if second else f"[{first}]"
            whole.append(f"{head}\n\t{name} = {sandbox.trap}\n")
    (where / ".git/config").write_text("".join(whole))
    asked_git(tally, "git key", "all of a kind at once", sandbox, where)
    (where / ".git/config").write_text(config)
    for condition in (
        f"gitdir:{where}/",
        "gitdir/i:**",
        "onbranch:**",
        "hasconfig:remote.*.url:**",
    ):
        more = f'[includeIf "{condition}"]\n\tpath = {evil}\n[remote "x"]\n\turl = x\n'
        (where / ".git/config").write_text(config + more)
        asked_git(tally, "git key", f"includeIf {condition}", sandbox, where)


def traps(where: Path, sandbox: Sandbox) -> None:
    """Settings of every kind that git would run, in the config of a repository."""
    with (where / "config").open("a") as file:
        file.write(
            f"[core]\n\tfsmonitor = {sandbox.trap}\n\thooksPath = {where}/hooks\n\tpager = {sandbox.trap}\n"
            f"\tsshCommand = {sandbox.trap}\n\talternateRefsCommand = {sandbox.trap}\n"
            f'[diff]\n\texternal = {sandbox.trap}\n[diff "evil"]\n\ttextconv = {sandbox.trap}\n'
            f'\tcommand = {sandbox.trap}\n[filter "evil"]\n\tclean = {sandbox.trap}\n'
            f"\tprocess = {sandbox.trap}\n\trequired = true\n[gpg]\n\tprogram = {sandbox.trap}\n"
            f"[uploadpack]\n\tpackObjectsHook = {sandbox.trap}\n[credential]\n\thelper = {sandbox.trap}\n"
        )
    (where / "hooks").mkdir(exist_ok=True)
    for name in HOOKS:
        shutil.copy(sandbox.trap, where / "hooks" / name)
    (where / "info").mkdir(exist_ok=True)
    (where / "info/attributes").write_text("* filter=evil diff=evil\n")


HOOKS = (
    "applypatch-msg", "commit-msg", "fsmonitor-watchman", "post-applypatch", "post-checkout",
    "post-commit", "post-index-change", "post-merge", "post-receive", "post-rewrite", "post-update",
    "pre-applypatch", "pre-auto-gc", "pre-commit", "pre-merge-commit", "pre-push", "pre-rebase",
    "pre-receive", "prepare-commit-msg", "proc-receive", "push-to-checkout", "query-watchman",
    "reference-transaction", "sendemail-validate", "update",
)  # fmt: skip


def structures() -> dict[str, Callable[[Sandbox, Path], Path | None]]:
    """Ways to lay out a repository; each gives the folder to stand in, if another."""

    def pointing(sandbox: Sandbox, where: Path) -> Path | None:
        shutil.move(where / ".git", sandbox.outside / "store")
        traps(sandbox.outside / "store", sandbox)
        (where / ".git").write_text(f"gitdir: {sandbox.outside / 'store'}\n")
        return None

    def linked(sandbox: Sandbox, where: Path) -> Path | None:
        shutil.move(where / ".git", sandbox.outside / "store")
        traps(sandbox.outside / "store", sandbox)
        (where / ".git").symlink_to(sandbox.outside / "store")
        return None

    def common(sandbox: Sandbox, where: Path) -> Path | None:
        """A worktree whose shared part is elsewhere."""
        shutil.copytree(where / ".git", sandbox.outside / "store")
        traps(sandbox.outside / "store", sandbox)
        (where / ".git/commondir").write_text(f"{sandbox.outside / 'store'}\n")
        return None

    def worktree(sandbox: Sandbox, where: Path) -> Path | None:
        traps(where / ".git", sandbox)
        tree = sandbox.here / "tree"
        git_run(where, "-c", "core.fsmonitor=", "-c", "core.hooksPath=", "-c", "filter.evil.process=",
                "-c", "filter.evil.clean=", "-c", "filter.evil.required=false",
                "worktree", "add", "-q", str(tree))  # fmt: skip
        inner = where / ".git/worktrees/tree"
        (inner / "config.worktree").write_text(f"[core]\n\tfsmonitor = {sandbox.trap}\n")
        with (where / ".git/config").open("a") as file:
            file.write("[extensions]\n\tworktreeConfig = true\n")
        (tree / "a").write_text("changed since\n")
        return tree

    def bare(sandbox: Sandbox, where: Path) -> Path | None:
        """What a folder that came along holds is a repository itself."""
        inner = where / "vendor"
        shutil.copytree(where / ".git", inner)
        traps(inner, sandbox)
        with (inner / "config").open("a") as file:
            file.write("[core]\n\tbare = false\n\tworktree = .\n")
        (inner / "a").write_text("changed since\n")
        return inner

    def bare_outside(sandbox: Sandbox, where: Path) -> Path | None:
        inner = bare(sandbox, where)
        assert inner is not None
        with (inner / "config").open("a") as file:
            file.write(f"[core]\n\tworktree = {sandbox.outside}\n")
        return inner

    def replaced(sandbox: Sandbox, where: Path) -> Path | None:
        traps(where / ".git", sandbox)
        head = git_run(where, "rev-parse", "HEAD")
        (where / ".git/refs/replace").mkdir(parents=True)
        (where / ".git/refs/replace" / head).write_text("1" * 40 + "\n")
        return None

    def grafts(sandbox: Sandbox, where: Path) -> Path | None:
        traps(where / ".git", sandbox)
        (where / ".git/info/grafts").write_text(
            git_run(where, "rev-parse", "HEAD") + " " + "1" * 40
        )
        (where / ".git/shallow").write_text("1" * 40 + "\n")
        return None

    def alternates(sandbox: Sandbox, where: Path) -> Path | None:
        other = sandbox.outside / "other"
        repository(other)
        traps(other / ".git", sandbox)
        (where / ".git/objects/info").mkdir(exist_ok=True)
        (where / ".git/objects/info/alternates").write_text(
            f"{other}/.git/objects\n/proc/self/fd\n"
        )
        (where / ".git/objects/info/http-alternates").write_text("http://127.0.0.1:1/x\n")
        blob = git_run(where, "rev-parse", "HEAD:a")
        os.remove(where / ".git/objects" / blob[:2] / blob[2:])
        return None

    def promisor(url: str) -> Callable[[Sandbox, Path], Path | None]:
        def case(sandbox: Sandbox, where: Path) -> Path | None:
            traps(where / ".git", sandbox)
            blob = git_run(where, "rev-parse", "HEAD:a")
            with (where / ".git/config").open("a") as file:
                file.write(
                    "[core]\n\trepositoryformatversion = 1\n[extensions]\n\tpartialClone = evil\n"
                    f'[remote "evil"]\n\tpromisor = true\n\turl = {url.format(sandbox.trap)}\n'
                    f"\tuploadpack = {sandbox.trap}\n\tproxy = {sandbox.trap}\n\tvcs = evil\n"
                    '[protocol]\n\tallow = always\n[protocol "ext"]\n\tallow = always\n'
                )
            os.remove(where / ".git/objects" / blob[:2] / blob[2:])
            return None

        return case

    def gitlink(sandbox: Sandbox, where: Path) -> Path | None:
        """A submodule whose `.git` is elsewhere, and one that was never asked for."""
        other = sandbox.outside / "module"
        repository(other)
        commit = git_run(other, "rev-parse", "HEAD")
        traps(other / ".git", sandbox)
        for name in ("sub", "-oevil"):
            git_run(where, "update-index", "--add", "--cacheinfo", f"160000,{commit},{name}")
            (where / name).mkdir()
            (where / name / ".git").write_text(f"gitdir: {other}/.git\n")
            (where / name / "a").write_text("changed since\n")
        (where / ".gitmodules").write_text(
            f'[submodule "sub"]\n\tpath = sub\n\turl = ext::{sandbox.trap}\n\tupdate = !{sandbox.trap}\n'
            f'[submodule "../../x"]\n\tpath = -oevil\n\turl = -u{sandbox.trap}\n'
        )
        with (where / ".git/config").open("a") as file:
            file.write(f'[submodule "sub"]\n\tactive = true\n\tupdate = !{sandbox.trap}\n'
                       "\tignore = none\n[diff]\n\tsubmodule = log\n\tignoreSubmodules = none\n"
                       "[submodule]\n\trecurse = true\n[status]\n\tsubmoduleSummary = true\n")  # fmt: skip
        return None

    def links(sandbox: Sandbox, where: Path) -> Path | None:
        """Files and a folder that have become links to somewhere else."""
        (where / "below").mkdir()
        (where / "below/canary.txt").write_text("mine\n")
        git_run(where, "add", "below/canary.txt")
        shutil.rmtree(where / "below")
        (where / "below").symlink_to(sandbox.outside)
        (where / "a").unlink()
        (where / "a").symlink_to(sandbox.outside / "canary.txt")
        with (where / ".git/config").open("a") as file:
            file.write("[core]\n\tsymlinks = false\n")
        return None

    def link_in_index(sandbox: Sandbox, where: Path) -> Path | None:
        """What is a link in the commit is one to elsewhere, and links are said not to exist."""
        (where / "b").unlink()
        (where / "b").symlink_to("a")
        git_run(where, "add", "b")
        (where / "b").unlink()
        (where / "b").symlink_to(sandbox.outside / "canary.txt")
        with (where / ".git/config").open("a") as file:
            file.write("[core]\n\tsymlinks = false\n")
        return None

    def attributes_link(sandbox: Sandbox, where: Path) -> Path | None:
        traps(where / ".git", sandbox)
        (where / ".gitattributes").unlink()
        (where / ".gitattributes").symlink_to(sandbox.outside / "attributes")
        (sandbox.outside / "attributes").write_text(
            "[attr]binary -filter\n* filter=evil diff=evil\n"
        )
        return None

    def index_link(sandbox: Sandbox, where: Path) -> Path | None:
        traps(where / ".git", sandbox)
        shutil.move(where / ".git/index", sandbox.outside / "index")
        (where / ".git/index").symlink_to(sandbox.outside / "index")
        return None

    def monitored(sandbox: Sandbox, where: Path) -> Path | None:
        git_run(where, "update-index", "--untracked-cache")
        with contextlib.suppress(subprocess.CalledProcessError):
            git_run(where, "-c", "core.fsmonitor=true", "update-index", "--fsmonitor")
        traps(where / ".git", sandbox)
        return None

    def sparse(sandbox: Sandbox, where: Path) -> Path | None:
        traps(where / ".git", sandbox)
        (where / ".git/info/sparse-checkout").write_text("/*\n")
        with (where / ".git/config").open("a") as file:
            file.write(
                "[core]\n\tsparseCheckout = true\n\tsparseCheckoutCone = true\n[index]\n\tsparse = true\n"
            )
        return None

    def head_link(sandbox: Sandbox, where: Path) -> Path | None:
        traps(where / ".git", sandbox)
        head = git_run(where, "rev-parse", "HEAD")
        (sandbox.outside / "head").write_text(f"{head}\n")
        (where / ".git/HEAD").unlink()
        (where / ".git/HEAD").symlink_to(sandbox.outside / "head")
        return None

    def odd_name(sandbox: Sandbox, where: Path) -> Path | None:
        traps(where / ".git", sandbox)
        place = sandbox.here / "$(touch sprung)\n;x"
        where.rename(place)
        return place

    urls = ("ext::{}", "ssh://x/{}", "-u{}", "file://{}", "evil::{}", "http://127.0.0.1:1/")
    cases = (pointing, linked, common, worktree, bare, bare_outside, replaced, grafts, alternates,
             gitlink, links, link_in_index, attributes_link, index_link, monitored, sparse,
             head_link, odd_name)  # fmt: skip
    return {
        **{case.__name__: case for case in cases},
        **{f"promisor {url}": promisor(url) for url in urls},
    }


ENVIRONMENTS: dict[str, dict[str, str]] = {
    "GIT_EXTERNAL_DIFF": {"GIT_EXTERNAL_DIFF": "{trap}"},
    "GIT_SSH_COMMAND": {"GIT_SSH_COMMAND": "{trap}", "GIT_SSH": "{trap}", "GIT_ASKPASS": "{trap}"},
    "GIT_PAGER": {"GIT_PAGER": "{trap}", "PAGER": "{trap}", "GIT_EDITOR": "{trap}"},
    "GIT_CONFIG_COUNT": {
        "GIT_CONFIG_COUNT": "2", "GIT_CONFIG_KEY_0": "filter.evil.clean",
        "GIT_CONFIG_VALUE_0": "{trap}", "GIT_CONFIG_KEY_1": "core.fsmonitor",
        "GIT_CONFIG_VALUE_1": "{trap}",
    },
    "GIT_CONFIG_PARAMETERS": {"GIT_CONFIG_PARAMETERS": "'filter.evil.clean'='{trap}'"},
    "GIT_CONFIG_GLOBAL": {"GIT_CONFIG_GLOBAL": "{outside}/evil.cfg"},
    "GIT_CONFIG_SYSTEM": {"GIT_CONFIG_SYSTEM": "{outside}/evil.cfg"},
    "GIT_ALTERNATE_OBJECT_DIRECTORIES": {"GIT_ALTERNATE_OBJECT_DIRECTORIES": "{outside}"},
    "GIT_NO_LAZY_FETCH": {"GIT_NO_LAZY_FETCH": "0", "GIT_ALLOW_PROTOCOL": "ext:file:http"},
    "GIT_EXEC_PATH": {"GIT_ATTR_SOURCE": "HEAD", "GIT_REPLACE_REF_BASE": "refs/evil"},
}  # fmt: skip


def structure_cases(tally: Tally, base: Path, drawn: random.Random) -> None:
    """Repositories of odd shapes, and variables that are set by whoever started exp."""
    template = base / "template"
    if not template.exists():
        repository(template)
    for name, case in structures().items():
        sandbox = Sandbox(base / "structure")
        where = sandbox.here / "mine"
        shutil.copytree(template, where)
        try:
            place = case(sandbox, where) or where
        except subprocess.CalledProcessError as error:
            raise RuntimeError(f"{name}: {error.stderr}") from error
        with contextlib.suppress(OSError):
            if not (place / "a").is_symlink():
                (place / "a").write_text("changed since\n")
        asked_git(tally, "git structure", name, sandbox, place)
        words = ["git", "-c", "protocol.allow=always", "diff", "HEAD"]
        with contextlib.suppress(subprocess.TimeoutExpired):
            subprocess.run(words, cwd=place, capture_output=True, timeout=20, check=False)
        if (sandbox.base / "sprung").exists():
            tally.codes["git structure: where git itself runs a command"] += 1
    for name, given in ENVIRONMENTS.items():
        sandbox = Sandbox(base / "structure")
        where = sandbox.here / "mine"
        shutil.copytree(template, where)
        (where / "a").write_text("changed since\n")
        (sandbox.outside / "evil.cfg").write_text(f'[filter "evil"]\n\tclean = {sandbox.trap}\n')
        for key, value in given.items():
            os.environ[key] = value.format(trap=sandbox.trap, outside=sandbox.outside)
        try:
            asked_git(tally, "git environment", name, sandbox, where)
        finally:
            for key in given:
                del os.environ[key]


# Run directories


def sealed(directory: Path, **changes: Any) -> None:
    """Changes run.json as somebody would who knows how its digests are made."""
    run = RunDirectory(directory)
    run.write_record({**run.read_record(), "digests": run.digests(), **changes})


def made(base: Path) -> Path:
    """A finished run, an interrupted one and a sweep."""
    where = base / "made"
    where.mkdir()
    rows = "".join(f"{i % 7},{i},{i % 2}\n" for i in range(40))
    (where / "rows.csv").write_text("a,b,kind\n" + rows)
    csv = ("dataset=csv", "dataset.path=rows.csv", "dataset.target=kind", "trainer.epochs=2",
           "figures=none", "trainer.checkpoint_every=1")  # fmt: skip
    for words in (
        (*SMALL, "hydra.run.dir=done"), (*SMALL, "hydra.run.dir=begun"),
        (*csv, "hydra.run.dir=table"), (*csv, "hydra.run.dir=table_begun"),
        ("-m", *SMALL, "seed=1,2", "sweep.n_jobs=1", "sweep.dir=swept"),
    ):  # fmt: skip
        code, _, err = commanded(where, list(words))
        assert code == 0, err
    for name in ("begun", "table_begun"):
        sealed(where / name, status="interrupted")
    return where


def leaves(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every path below a node, of mappings and lists too."""
    items = (
        node.items()
        if isinstance(node, dict)
        else enumerate(node)
        if isinstance(node, list)
        else ()
    )
    return [p for key, value in items for p in [(*path, key), *leaves(value, (*path, key))]]


def put(node: Any, path: tuple[Any, ...], value: Any) -> Any:
    """A copy of a node with another value at a path."""
    copy = json.loads(json.dumps(node))
    at = copy
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return copy


VALUES = (
    "${{oc.env:SECRET}}", "x-${{oc.env:SECRET}}", "${{oc.decode:${{oc.env:SECRET}}}}",
    "${{oc.env:NOTHING,${{oc.env:SECRET}}}}", "${{hydra:runtime.cwd}}", "${{hydra.env:SECRET}}",
    "{outside}/x", "../../outside/x", "canary_module:Thing", "canary_module.Thing",
    {"_target_": "canary_module.Thing"}, {"name": "canary_module.Thing"},
    {"name": "tensorboard", "dir": "{outside}/x"}, ["canary_module"],
    "sqlite:///{outside}/x.db", "http://127.0.0.1:9/x", "!!python/object/apply:os.system [x]",
    "${{oc.select:seed}}", "${{oc.create:{{a: 1}}}}", "${{exp.path:x}}", "\x1b[31m\n" + FORGED,
)  # fmt: skip
"""What a stranger may write into a config, of texts as `str.format` takes them."""
MORE: dict[str, Any] = {
    "logger": {
        "tensorboard": {"name": "tensorboard", "dir": "{outside}/t"},
        "mlflow": {"name": "mlflow", "uri": "http://127.0.0.1:9", "experiment": "${{oc.env:SECRET}}",
                   "files": True},
        "wandb": {"name": "wandb", "project": "p", "entity": None, "mode": "online",
                  "dir": "{outside}", "files": True},
    },
    "plugins": "canary_module",
    "components": ["canary_module"],
    "hydra": {"run": {"dir": "{outside}/x"}, "callbacks": {"x": {"_target_": "canary_module.T"}}},
    "figures": {"name": "standard", "draw": ["curves"], "format": ["png"], "folder": "{outside}"},
    "figures.draw": {"name": "standard", "draw": ["canary_module:draw"], "format": ["png"]},
    "name": "../../outside/x",
    "dataset": {"name": "csv", "path": "/etc/passwd", "target": "root"},
    "metrics": ["canary_module:metric"],
    "device": {"name": "canary_module:device"},
    "sweep": {"dir": "{outside}/x", "file": "{outside}/x"},
    "run": {"reuse": True, "dir": "{outside}"},
    "_target_": "canary_module.Thing",
    "defaults": [{"plugins": "canary_module"}],
}  # fmt: skip


def filled(value: Any, sandbox: Sandbox) -> Any:
    if isinstance(value, str):
        return value.format(outside=sandbox.outside)
    if isinstance(value, dict):
        return {key: filled(item, sandbox) for key, item in value.items()}
    return [filled(item, sandbox) for item in value] if isinstance(value, list) else value


VERBS = ("resume", "rerun", "predict", "export", "load", "compare", "report", "results")


def words_of(verb: str, run: str) -> tuple[list[str], str | None]:
    """A command line for a run, and the folder that it may write to."""
    return {
        "resume": (["resume", f"given/{run}"], f"given/{run}"),
        "rerun": (["rerun", f"given/{run}"], "outputs"),
        "predict": (
            ["predict", f"given/{run}", "given/rows.csv", "--output", "new.csv"],
            "new.csv",
        ),
        "export": (
            ["export", f"given/{run}", "--to", "state_dict", "--output", "new.st"],
            "new.st",
        ),
        "load": (["load", f"given/{run}"], None),
        "compare": (["compare", f"given/{run}", "given/done", "--figure", "new.png"], "new.png"),
        "results": (["results", f"given/{run}"], None),
        "report": (["report", f"given/{run}"], f"given/{run}/report.html"),
    }[verb]


def config_cases(tally: Tally, base: Path, drawn: random.Random) -> None:
    """Each value of a config replaced, and parts that were not there added."""
    source = base / "made"
    for run in ("done", "table"):
        config = yaml.safe_load((source / run / "config.yaml").read_text())
        cases: list[tuple[str, Any]] = []
        for path in leaves(config):
            for value in drawn.sample(VALUES, 2):
                cases.append((f"{'.'.join(map(str, path))}={value!r}", (path, value)))
        cases += [
            (f"{key}={value!r}", ((key.split(".")[0],), value)) for key, value in MORE.items()
        ]
        for case, (path, value) in cases:
            verbs = VERBS[:3] if path[0] in MORE else drawn.sample(VERBS[:6], 1)
            for verb in verbs:
                sandbox = Sandbox(base / "config", source)
                name = {"done": "begun", "table": "table_begun"}[run] if verb == "resume" else run
                content = put(config, path, filled(value, sandbox))
                (sandbox.given / name / "config.yaml").write_text(
                    yaml.safe_dump(content, sort_keys=False)
                )
                sealed(sandbox.given / name)
                words, named = words_of(verb, name)
                faults, code = watched(sandbox, words, named)
                tally.add("config", f"{verb} {run} {case}", faults, code)


WORDS = (
    "hydra.launcher.setup=[touch {outside}/x]", "++hydra.launcher.setup='touch {outside}/x'",
    "hydra/launcher=joblib", "hydra/launcher=submitit_slurm", "hydra/launcher=canary",
    "+hydra/callbacks=canary", "hydra/sweeper=optuna hydra", "hydra/sweeper=canary",
    "hydra/job_logging=canary", "hydra/hydra_logging=none", "hydra/output=x", "hydra/help=x",
    "hydra/env=x", "'hydra.sweep.dir={outside}/x'", "hydra.'sweep'.dir={outside}/x",
    "hydra[sweep][dir]={outside}/x", "+hydra@_global_:sweep={outside}/x", "sweep@hydra.sweep=default",
    "hydra/launcher@_global_=stacked", "hydra.sweeper.storage=sqlite:///{outside}/x.db",
    "hydra.sweeper.study_name=../../../outside/x", "hydra.sweeper.params={{plugins: canary_module}}",
    "hydra.sweeper.params.plugins=canary_module", "hydra.sweeper.params={{+plugins: '[canary_module]'}}",
    "++hydra.sweeper.params={{'hydra.run.dir': '{outside}/x'}}",
    "hydra.sweeper.params={{hydra.launcher.setup: '[x]'}}",
    "hydra.sweeper.sampler._target_=canary_module.Thing",
    "+hydra.sweeper.sampler={{_target_: canary_module.Thing}}",
    "hydra.sweeper.search_space={{x: {{_target_: canary_module.Thing}}}}",
    "hydra.sweeper.custom_search_space=canary_module.Thing",
    "hydra.sweeper.warm_start=canary_module.Thing", "hydra.sweeper.file={outside}/canary.txt",
    "hydra.sweep.subdir=${{oc.env:SECRET}}", "hydra.sweep.subdir=${{oc.decode:${{oc.env:SECRET}}}}",
    "hydra.sweep.subdir=${{hydra:runtime.cwd}}", "hydra.sweep.subdir=${{hydra.job.name}}/../../../x",
    "hydra.sweep.subdir='a\\n{forged}'", "hydra.sweep.subdir=x\x1b[31m", "hydra.sweep.subdir=/tmp/x",
    "hydra.sweep.subdir=${{name}}", "hydra.sweep.subdir=${{exp.slug:x}}",
    "hydra.sweep.subdir=${{now:%Y}}", "hydra.sweep.subdir=${{python_version:micro}}",
    "hydra.sweep.subdir=${{seed}}-${{dataset.name}}",
    "name=${{oc.env:SECRET}}", "+name=${{oc.env:SECRET}}", "name='${{oc.env:SECRET}}'",
    "++seeds.x=${{oc.env:SECRET}}", "dataset.name=${{oc.env:SECRET}}",
    "+x=${{oc.decode:${{oc.env:SECRET}}}}", "name=${{oc.select:x,${{oc.env:SECRET}}}}",
    "name=${{oc.env:NOTHING,${{oc.env:SECRET}}}}", "name=a,${{oc.env:SECRET}}",
    "name=${{y}} +y=${{oc.env:SECRET}}", "name=../../outside/x", "name='a\\n{forged}'", "name=\x1b]52;c;x\x07",
    "+logger=tensorboard", "logger@x=tensorboard", "+logger@_global_=tensorboard", "logger=[tensorboard,mlflow]",
    "++logger={{t: {{name: tensorboard, dir: '{outside}/x'}}}}", "+logger.t.name=tensorboard",
    "'logger=tensorboard'", "logger/x=tensorboard", "/logger=tensorboard", "+/logger=tensorboard",
    "~logger", "logger\t=tensorboard", "\u00a0logger=tensorboard", "experiment=canary", "+experiment=canary",
    "plugins=canary_module", "+plugins=[canary_module]", "'plugins=canary_module'", "++plugins.0=canary_module",
    "plugins@x=y", "~plugins", " plugins=canary_module", "/plugins=canary_module", "components=canary_module",
    "--components=canary_module", "--components", "--config-dir={outside}", "-cd", "-cn=x", "--info", "-cn",
    "--experimental-rerun=x", "--trust", "--trust-config", "--trust-c", "-mc", "-p", "--package=x", "--",
    "-h", "--resolve", "--shell-completion", "hydra.searchpath=[file://{outside}]",
    "hydra.job.env_set={{PATH: x}}", "hydra.job.chdir=true", "hydra.job.name=../x", "hydra.output_subdir=../x",
    "hydra.verbose=true", "hydra.mode=RUN", "hydra.runtime.output_dir={outside}", "hydra.job_logging.root.level=x",
    "sweep.dir={outside}/x", "++sweep={{dir: '{outside}/x'}}", "sweep={{n_jobs: 1, dir: '{outside}/x'}}",
    "'sweep.dir={outside}/x'", "sweep.'dir'={outside}/x", "sweep[dir]={outside}/x", "sweep.dir =x",
    "sweep.file={outside}/runs.txt", "sweep.theme={outside}", "sweep.figures={outside}/x", "sweep=canary",
    "figures=standard figures.folder={outside}", "+figures.folder={outside}", "figures.format=[../x]",
    "dataset=csv", "+dataset.path=/etc/passwd", "trainer.name=canary_module:T", "model=canary_module:Net",
    "run.reuse={outside}", "run.dir={outside}", "+run.x=1", "sweep.n_jobs=999999", "+a@hydra.launcher=b",
    "+hydra.callbacks.x._target_=canary_module.Thing", "+callbacks@hydra.callbacks=x",
    "optimizer@hydra.sweep=sgd", "seed=${{oc.env:SECRET}}", "seed=choice(1,2) name=${{oc.env:SECRET}}",
)  # fmt: skip
"""Words that a stranger may have put into a sweep.json."""


def words_cases(tally: Tally, base: Path, drawn: random.Random) -> None:
    """Words of sweep.json, one at a time and with others, and its other values."""
    source = base / "made"
    content = json.loads((source / "swept/sweep.json").read_text())
    command = [word for word in content["command"] if not word.startswith("sweep.dir=")]
    variants: list[tuple[str, dict[str, Any]]] = []
    for word in WORDS:
        parts = re.split(r" (?=[+\w]+[.=])", word)
        variants.append((word, {"command": [*command, *parts]}))
        if drawn.random() < 0.25:
            variants.append((f"first {word}", {"command": [*command[:3], *parts, *command[3:]]}))
    for name in ("../begun", "..", "/etc", "0-seed=1/../../begun", "a\n" + FORGED, "", ".", "\x00"):
        runs = [{**run, "directory": name} for run in content["runs"]]
        variants.append((f"directory {name!r}", {"runs": runs}))
    for folder in ("{outside}", "/proc/self/root", "given", "\x00", "x\n" + FORGED, "~", "$HOME"):
        variants.append((f"folder {folder!r}", {"folder": folder}))
    for at, word in ((0, "sh"), (1, "-c"), (2, "os"), (0, "{outside}/trap")):
        changed = [*content["command"]]
        changed[at] = word
        variants.append((f"command {changed[:3]}", {"command": changed}))
    for case, changes in variants:
        verbs = ("resume", drawn.choice(("rerun", "results", "report")))
        for verb in verbs if not case.startswith(("first", "folder")) else ("resume",):
            sandbox = Sandbox(base / "words", source, ("table*", "done", "begun"))
            (sandbox.outside / "runs.txt").write_text("logger=tensorboard plugins=canary_module\n")
            (sandbox.given / "conf").mkdir()
            new = filled_plain(changes, sandbox)
            new = {"folder": str(sandbox.given), **new}
            (sandbox.given / "swept/sweep.json").write_text(json.dumps({**content, **new}))
            for run in (sandbox.given / "swept").glob("1-*"):
                if verb == "resume":
                    shutil.rmtree(run)
            words, named = words_of(verb, "swept")
            faults, code = watched(sandbox, words, named)
            tally.add("words", f"{verb} {case}", faults, code)


def filled_plain(node: Any, sandbox: Sandbox) -> Any:
    if isinstance(node, str):
        text = node.replace("{outside}", str(sandbox.outside)).replace("{forged}", FORGED)
        return text.replace("{{", "{").replace("}}", "}")
    if isinstance(node, dict):
        return {key: filled_plain(item, sandbox) for key, item in node.items()}
    return [filled_plain(item, sandbox) for item in node] if isinstance(node, list) else node


LINKED = (
    "config.yaml", "run.json", "summary.json", "metrics.csv", "predictions.csv", "exp.log",
    "checkpoints", "checkpoints/last.safetensors", "checkpoints/best.json", "figures",
    "figures/curves.png", ".hydra", ".hydra/overrides.yaml", "report.html", "metrics.csv.part",
    "run.json.tmp", ".lock", "lock",
)  # fmt: skip


def link_cases(tally: Tally, base: Path, drawn: random.Random) -> None:
    """A link, to a file or to nothing, in place of each file of a run and of a sweep."""
    source = base / "made"
    cases = [("run", name) for name in LINKED]
    cases += [("sweep", name) for name in ("sweep.json", "runs.csv", "multirun.yaml", "1-seed=2",
              "0-seed=1/config.yaml", "report.html", "figures", "study.db", "sweep.json.tmp",
              "runs.csv.part", ".lock", "lock", "best")]  # fmt: skip
    for what, name in cases:
        for kind in ("copy", "new", "canary"):
            every = ("resume", "rerun", "report", "results", "export", "predict", "figures")
            for verb in ("resume", *drawn.sample(every[1:], 2)):
                if what == "sweep" and verb in ("export", "predict"):
                    continue
                run = "swept" if what == "sweep" else "begun" if verb == "resume" else "done"
                left = {"swept", "begun", "done"} - {run}
                sandbox = Sandbox(base / "links", source, ("table*", *left))
                place = sandbox.given / run / name
                target = sandbox.outside / "target"
                if kind == "copy" and place.exists():
                    shutil.move(place, target)
                elif kind == "copy":
                    continue
                elif kind == "canary":
                    target = sandbox.outside / "canary.txt"
                if place.is_dir():
                    shutil.rmtree(place)
                place.unlink(missing_ok=True)
                place.parent.mkdir(parents=True, exist_ok=True)
                place.symlink_to(target)
                if what == "sweep" and verb == "resume" and not name.startswith("1-"):
                    shutil.rmtree(sandbox.given / "swept/1-seed=2")
                words, named = words_of(verb, run) if verb != "figures" else (
                    ["results", f"given/{run}", "--figures"], f"given/{run}/figures")  # fmt: skip
                faults, code = watched(sandbox, words, named)
                tally.add("links", f"{verb} {what} {name} {kind}", faults, code)


# Texts


def text_cases(tally: Tally, base: Path, drawn: random.Random) -> None:
    """Every text and every name of a key, in each file of a run and of a sweep."""
    source = base / "made"
    for name, run in (("run.json", "done"), ("summary.json", "done"), ("sweep.json", "swept"),
                      ("config.yaml", "done"), ("checkpoints/last.json", "done")):  # fmt: skip
        raw = (source / run / name).read_text()
        content = yaml.safe_load(raw) if name.endswith("yaml") else json.loads(raw)
        for path in leaves(content):
            if path[0] in ("sha256",):
                continue
            at = content
            for key in path[:-1]:
                at = at[key]
            variants = [("value", put(content, path, HOSTILE))]
            if isinstance(at, dict):
                renamed = {(f"{k}{HOSTILE}" if k == path[-1] else k): v for k, v in at.items()}
                variants.append(("key", put(content, path[:-1], renamed) if path[:-1] else renamed))
            for kind, changed in variants:
                for verb in verbs_of(name, drawn):
                    left = (
                        "table*",
                        "begun" if verb != "resume" else "",
                        "swept" if run == "done" else "begun",
                    )
                    sandbox = Sandbox(base / "texts", source, left)
                    target = "begun" if verb == "resume" and run == "done" else run
                    place = sandbox.given / target / name
                    if name == "run.json":
                        if target == "begun" and path != ("status",):
                            changed = {**changed, "status": "interrupted"}
                        RunDirectory(place.parent).write_record(changed)
                    else:
                        place.write_text(
                            yaml.safe_dump(changed)
                            if name.endswith("yaml")
                            else json.dumps(changed)
                        )
                        if run == "done":
                            sealed(sandbox.given / target)
                    words, named = words_of(verb, target)
                    faults, code = watched(sandbox, words, named)
                    tally.add(
                        f"texts {name}", f"{verb} {kind} {'.'.join(map(str, path))}", faults, code
                    )
    message_cases(tally, base)
    table_cases(tally, base)
    named_cases(tally, base)


def verbs_of(name: str, drawn: random.Random) -> tuple[str, ...]:
    if name == "run.json":
        return (
            "compare",
            drawn.choice(("results", "resume", "rerun", "report", "predict", "load")),
        )
    if name == "sweep.json":
        return (drawn.choice(("resume", "results", "report", "rerun")),)
    return (drawn.choice(("compare", "results", "report", "rerun", "predict", "resume")),)


def message_cases(tally: Tally, base: Path) -> None:
    """Statuses that come with a message."""
    for status in ("failed", "diverged", "running", "interrupted"):
        for verb in VERBS:
            sandbox = Sandbox(base / "texts", base / "made")
            host = {
                "pid": 1,
                "host": HOSTILE,
                "begun": HOSTILE,
                "boot": HOSTILE,
                "container": HOSTILE,
            }
            sealed(sandbox.given / "done", status=status, message=HOSTILE, process=host, name=HOSTILE,
                   folder=HOSTILE)  # fmt: skip
            words, named = words_of(verb, "done")
            faults, code = watched(sandbox, words, named)
            tally.add("texts message", f"{verb} {status}", faults, code)
            RunDirectory(sandbox.given / "done").write_record(
                {"status": "failed", "message": HOSTILE}
            )
            words, named = words_of(verb, "done")
            faults, code = watched(sandbox, words, named)
            tally.add("texts message", f"{verb} {status} before it began", faults, code)


def table_cases(tally: Tally, base: Path) -> None:
    """Headers and cells of the csv files of a run and of a sweep."""
    for run, name in (("done", "metrics.csv"), ("done", "predictions.csv"), ("swept", "runs.csv"),
                      ("done", ".hydra/overrides.yaml"), ("swept", "multirun.yaml")):  # fmt: skip
        for at in ("header", "cell", "all"):
            for verb in ("compare", "results", "report", "rerun", "resume"):
                if run == "swept" and verb == "compare":
                    continue
                sandbox = Sandbox(base / "texts", base / "made")
                place = sandbox.given / run / name
                quoted = '"' + HOSTILE.replace('"', '""') + '"'
                if name.endswith("csv"):
                    lines = place.read_text().splitlines()
                    number = 0 if at == "header" else 1
                    fields = lines[number].split(",")
                    fields[-1] = quoted
                    lines[number] = ",".join(fields)
                    place.write_text("\n".join(lines) + "\n" if at != "all" else HOSTILE)
                elif place.exists():
                    place.write_text(
                        yaml.safe_dump([HOSTILE] if at == "cell" else {HOSTILE: HOSTILE})
                    )
                if run == "done":
                    sealed(sandbox.given / run)
                words, named = words_of(verb, run)
                faults, code = watched(sandbox, words, named)
                tally.add("texts tables", f"{verb} {name} {at}", faults, code)


def named_cases(tally: Tally, base: Path) -> None:
    """Directories, files, columns and classes with such names."""
    name = HOSTILE.replace("/", "|")
    for verb in VERBS:
        sandbox = Sandbox(base / "texts", base / "made")
        (sandbox.given / "done").rename(sandbox.given / name)
        shutil.copytree(sandbox.given / name, sandbox.given / "done")
        words, named = words_of(verb, name)
        faults, code = watched(sandbox, words, named)
        tally.add("texts names", f"{verb} a directory", faults, code)
        sandbox = Sandbox(base / "texts", base / "made")
        for folder in ("", "checkpoints", "figures"):
            (sandbox.given / "done" / folder).mkdir(exist_ok=True)
            (sandbox.given / "done" / folder / name).write_text("x")
        sealed(sandbox.given / "done")
        (sandbox.given / "done" / name).unlink()
        words, named = words_of(verb, "done")
        faults, code = watched(sandbox, words, named)
        tally.add("texts names", f"{verb} a file that is gone", faults, code)
    sandbox = Sandbox(base / "texts", base / "made")
    quoted = '"' + HOSTILE.replace('"', '""') + '"'
    rows = "".join(f'{i},"{HOSTILE}{i % 3}",{quoted[:-1]}{i % 2}"\n' for i in range(40))
    (sandbox.given / "rows.csv").write_text(f'"{HOSTILE}a","{HOSTILE}b",kind\n' + rows)
    common = ["dataset=csv", "dataset.path=given/rows.csv", "dataset.target=kind", "trainer.epochs=2",
              "trainer.checkpoint_every=1"]  # fmt: skip
    faults, code = watched(sandbox, [*common, "figures=none", "hydra.run.dir=new"], "new")
    tally.add("texts names", "a run of such a table", faults, code)
    for words, named in (
        (["results", "new"], None), (["report", "new"], "new/report.html"), (["rerun", "new"], "outputs"),
        (["compare", "new", "given/done"], None), (["predict", "new", "given/rows.csv", "--output", "n"], "n"),
        (["predict", "new", "given/done/metrics.csv"], None),
        ([*common, "figures=none", "dataset.target=knd", "hydra.run.dir=x"], "x"),
        ([*common, "figures=none", "dataset.positive=y", "hydra.run.dir=x"], "x"),
        ([*common, "figures=none", "+dataset.numeric=[b]", "hydra.run.dir=x"], "x"),
        ([*common, "figures=none", "loss=mse", "hydra.run.dir=x"], "x"),
        (["results", "given", "--by", "x"], None), (["results", "new", "--metric", "x"], None),
        (["export", "new", "--to", "state_dict", "--output", "m"], "m"),
    ):  # fmt: skip
        faults, code = watched(sandbox, words, named)
        tally.add("texts names", " ".join(words), faults, code)


KINDS = {
    "git": git_cases, "structure": structure_cases, "config": config_cases, "words": words_cases,
    "links": link_cases, "texts": text_cases,
}  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kinds", nargs="*", choices=[*KINDS, []], default=[])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path)
    args = parser.parse_args()
    os.environ["SECRET"] = SECRET
    sys.addaudithook(WATCH)
    socket.setdefaulttimeout(1)
    base = (
        Path(tempfile.mkdtemp(prefix="strangers-")) if args.keep is None else args.keep.absolute()
    )
    base.mkdir(exist_ok=True)
    os.environ["EXP_CACHE"] = os.path.realpath(base / "cache")
    tally = Tally()
    try:
        kinds = args.kinds or list(KINDS)
        if set(kinds) & {"config", "words", "links", "texts"}:
            made(base)
        for kind in kinds:
            KINDS[kind](tally, base, random.Random(args.seed))
            print(f"{kind}: {sum(tally.tried.values())} tried so far", flush=True)
    finally:
        if args.keep is None:
            shutil.rmtree(base, ignore_errors=True)
    for kind, count in tally.tried.items():
        codes = {
            k.partition(": ")[2]: n for k, n in tally.codes.items() if k.startswith(f"{kind}: ")
        }
        print(f"{kind}: {count} tried, ended {codes}")
    for fault, cases in tally.faults.items():
        print(f"FAULT {fault!a}: {len(cases)}, such as {cases[:3]!a}")
    return 1 if tally.faults else 0


if __name__ == "__main__":
    sys.exit(main())
