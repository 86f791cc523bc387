"""The commit and the changes of a folder, read so that nothing a repository configures is run.

`git diff` runs what the config of a repository names: filters, a monitor of its files, the command
of a remote that has what is missing, and the same for each submodule. No list of switches turns all
of it off, as filters have names of their own. So the difference is taken by way of another, empty
repository made for it, which has the objects of the first, a copy of its index, as git writes there
while it compares, and no config but a few plain values. Finding the first and asking which commit
it is at only reads its config.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import subprocess
import tempfile
import time
from pathlib import Path
from typing import IO, Any, NamedTuple

from exp.util.untrusted import opened

LARGEST_DIFF = 2**16
"""Bytes of a diff that are kept."""
LARGEST_INDEX = 2**28
"""Bytes of an index that is copied; that of a million files has a hundred million."""
PATIENCE = 10.0
"""Seconds for all of it."""
PLAIN = re.compile(
    r"(core\.(filemode|autocrlf|eol|symlinks|ignorecase|precomposeunicode|trustctime|checkstat"
    r"|sparsecheckout|sparsecheckoutcone)|extensions\.objectformat) ([A-Za-z0-9]{1,20})"
)
"""Settings that say how files are compared; none names a file or a command."""
SAFE = (
    "--no-pager", "--no-optional-locks", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=",
    "-c", "protocol.allow=never",
)  # fmt: skip
NO_TRANSPORT = {
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
}
OUTSIDE = re.compile(rb'^diff --git "?a/(.*/)?\.\./', re.MULTILINE)


class Found(NamedTuple):
    """Where the parts of a repository are.

    Attributes:
        top: the folder of its files.
        common: its folder `.git`, of a worktree too.
        listing: its index, what git knows of the files of this worktree.
    """

    top: str
    common: str
    listing: str


def git() -> dict[str, Any] | None:
    """The commit of the working directory and its changes; None outside a repository.

    Returns:
        `commit`; `changed`, whether tracked files differ from it, None where that is not known;
        `diff`, the text of that difference, or None where there is none or it is larger than
        `LARGEST_DIFF`; and `diff_sha256`, of a difference of any size. Changes within submodules
        are not looked at, only which commit they are at.
    """
    deadline = time.monotonic() + PATIENCE
    answer = run_git("rev-parse", "--verify", "HEAD", until=deadline)
    if answer is None:
        return None
    commit = answer.strip()
    unknown = {"commit": commit, "changed": None, "diff": None, "diff_sha256": None}
    found = parts(deadline)
    if found is None:
        return unknown
    with tempfile.TemporaryDirectory(prefix="exp-git-") as folder, tempfile.TemporaryFile() as out:
        try:
            environment = made(Path(folder), commit, found, settings(deadline))
        except (OSError, ValueError):  # its index is not a regular file, for one
            return unknown
        compare = (
            "diff", "--no-ext-diff", "--no-textconv", "--no-color", "--ignore-submodules=dirty",
            "HEAD",
        )  # fmt: skip
        done = run_git(*compare, until=deadline, cwd=found.top, environment=environment, out=out)
        if done is None:
            return unknown
        return {"commit": commit, **difference(out)} if within(out) else unknown


def parts(deadline: float) -> Found | None:
    """Where the repository of the working directory has its parts; None where it has no files, or
    where they are not beside its `.git`: a repository may name any folder as that of its files."""
    wanted = ("--show-toplevel", "--git-common-dir", "--git-path", "index")
    answer = run_git("rev-parse", "--path-format=absolute", *wanted, until=deadline)
    lines = (answer or "").splitlines()
    if len(lines) != 3:  # a name with a line end in it, for one
        return None
    found = Found(*lines)
    beside = os.path.lexists(os.path.join(found.top, ".git")) or "GIT_DIR" in os.environ
    return found if beside else None


def settings(deadline: float) -> list[tuple[str, str]]:
    """The plain settings of the repository and of the user: section.key and value."""
    answer = run_git("config", "--get-regexp", r"^(core|extensions)\.", until=deadline) or ""
    matches = (PLAIN.fullmatch(line) for line in answer.splitlines())
    return [(match[1], match[3]) for match in matches if match]


def made(folder: Path, commit: str, found: Found, plain: list[tuple[str, str]]) -> dict[str, str]:
    """Makes a repository of a commit and plain settings, with the objects and the index of another.

    Returns:
        The environment in which git takes it for its own.

    Raises:
        OSError, ValueError: the index cannot be read.
    """
    text = {"core.repositoryformatversion": "1", "core.bare": "false", **dict(plain)}
    lines = []
    for key, value in text.items():
        section, _, name = key.partition(".")
        lines.append(f"[{section}]\n\t{name} = {value}\n")
    (folder / "config").write_text("".join(lines))
    (folder / "HEAD").write_text(f"{commit}\n")
    for name in ("refs", "objects", "home"):
        (folder / name).mkdir()
    index = Path(found.listing)
    copied(index, folder / "index")
    for part in index.parent.glob("sharedindex.*"):  # of an index in two files
        (folder / part.name).symlink_to(part)
    mine = {
        "GIT_DIR": str(folder),
        "GIT_OBJECT_DIRECTORY": os.path.join(found.common, "objects"),
        "GIT_INDEX_FILE": str(folder / "index"),
        "GIT_WORK_TREE": found.top,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "HOME": str(folder / "home"),
        "XDG_CONFIG_HOME": str(folder / "home"),
    }
    others = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    return {**others, **mine}


def copied(index: Path, place: Path) -> None:
    """Copies an index, if there is one. Its time is kept: git looks closer at files that are not
    older than that.

    Raises:
        OSError: it cannot be read.
        ValueError: it is not a regular file, or a very large one.
    """
    with contextlib.suppress(FileNotFoundError), opened(index) as file, place.open("wb") as copy:
        if os.fstat(file).st_size > LARGEST_INDEX:
            raise ValueError("it is too large")
        while piece := os.read(file, 1 << 20):
            copy.write(piece)
        copy.flush()
        status = os.fstat(file)
        os.utime(place, ns=(status.st_atime_ns, status.st_mtime_ns))


def within(out: IO[bytes]) -> bool:
    """Whether a difference is of files below the repository's folder: an index can name any."""
    out.seek(0)
    before = b""
    while piece := out.read(1 << 20):
        if OUTSIDE.search(before + piece):
            return False
        before = piece[piece.rfind(b"\n") + 1 :][-(1 << 16) :]
    return True


def difference(out: IO[bytes]) -> dict[str, Any]:
    """`changed`, `diff` and `diff_sha256` of the text that git has written."""
    size = out.seek(0, os.SEEK_END)
    out.seek(0)
    if size > LARGEST_DIFF:
        digest = hashlib.file_digest(out, "sha256").hexdigest()  # type: ignore[arg-type]
        return {"changed": True, "diff": None, "diff_sha256": digest}
    text = out.read().decode(errors="replace").strip()
    sha = hashlib.sha256(text.encode()).hexdigest() if text else None
    return {"changed": bool(text), "diff": text or None, "diff_sha256": sha}


def run_git(
    *arguments: str,
    until: float,
    cwd: str | None = None,
    environment: dict[str, str] | None = None,
    out: IO[bytes] | None = None,
) -> str | None:
    """The output of a git command that only reads, or None where it fails.

    Args:
        until: when it has failed, in the time of `time.monotonic`.
        out: where its output goes instead; the answer is then "".
    """
    try:
        done = subprocess.run(
            ["git", *SAFE, *arguments],
            cwd=cwd,
            env={**(os.environ if environment is None else environment), **NO_TRANSPORT},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if out is None else out,
            stderr=subprocess.DEVNULL,
            timeout=max(0.1, until - time.monotonic()),
            check=False,
        )
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    if done.returncode != 0:
        return None
    return os.fsdecode(done.stdout) if out is None else ""
