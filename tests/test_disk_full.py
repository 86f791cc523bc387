"""A disk that is full at some moment: one clear error, and what was saved before still goes on."""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from commands import SMALL, inside

WORDS = (
    "dataset.n_samples=200", "trainer.epochs=40", "trainer.checkpoint_every=5", "figures.dpi=40",
    "model.hidden=[32,32]", "trainer.batch_size=50",
)  # fmt: skip
FILES = ("metrics.csv", "predictions.csv", "checkpoints/last.safetensors", "figures/boundary.png")


def mounted(place: Path, *options: str) -> bool:
    command = ["mount", *options, str(place)]
    done = subprocess.run(command, capture_output=True, check=False)
    return done.returncode == 0


@pytest.fixture
def small(in_tmp: Path) -> Iterator[Path]:
    """A file system of its own, whose size can be changed."""
    place = in_tmp / "small"
    place.mkdir()
    if os.geteuid() != 0 or not mounted(place, "-t", "tmpfs", "-o", "size=1m", "tmpfs"):
        pytest.skip("only root can mount a small file system")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=False)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same run with room enough."""
    where = tmp_path_factory.mktemp("whole")
    assert inside(where, *WORDS, f"hydra.run.dir={where / 'run'}").code == 0
    return where / "run"


def sized(path: Path) -> int:
    """Pages of 4 kB that a tree takes, folders included."""
    return sum(
        1 if item.is_dir() else -(-item.stat().st_size // 4096) for item in [path, *path.rglob("*")]
    )


@pytest.mark.parametrize("moment", range(10))
def test_at_ten_moments(small: Path, whole: Path, moment: int) -> None:
    # From a disk that holds nothing to one that lacks a page at the very end.
    pages = 2 + round((sized(whole) - 12) * moment / 9)
    assert mounted(small, "-o", f"remount,size={pages * 4}k")
    ended = inside(small.parent, *WORDS, f"hydra.run.dir={small / 'run'}")
    assert ended.code in (1, 2), ended.out
    assert "Traceback" not in ended.err
    assert "No space left on device" in ended.err
    assert not list((small / "run").rglob("*.tmp"))
    assert mounted(small, "-o", "remount,size=4m")
    if (small / "run/run.json").exists():
        again = inside(small.parent, "resume", str(small / "run"))
        assert again.code == 0, again.err
    else:  # what it has left is not an obstacle
        assert inside(small.parent, *WORDS, f"hydra.run.dir={small / 'run'}").code == 0
    for name in FILES:
        assert (small / "run" / name).read_bytes() == (whole / name).read_bytes(), name


def test_a_file_beyond_a_limit_names_that_limit(in_tmp: Path) -> None:
    """Not a full disk, although the system writes a part of it here too."""
    import resource

    from exp.util.errors import RunDirectoryError
    from exp.util.files import write_output

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, hard))
    try:
        with pytest.raises(RunDirectoryError, match=r"File too large: .*ulimit -f"):
            write_output(in_tmp / "large.csv", b"0" * 10_000)
        assert list(in_tmp.iterdir()) == []
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


WHY = {
    errno.EDQUOT: "Disk quota exceeded: your disk quota is used up",
    errno.EFBIG: "File too large: the file is larger than this system allows (ulimit -f)",
    errno.ENOSPC: "No space left on device",
    errno.EROFS: "Read-only file system: the disk is mounted for reading only",
}


@pytest.mark.parametrize(
    ("call", "number", "sweep"),
    [
        *(("fsync", number, False) for number in WHY),
        *((call, errno.EDQUOT, False) for call in ("replace", "mkdir")),
        *((call, errno.EDQUOT, True) for call in ("fsync", "replace", "mkdir")),
    ],
)
def test_what_the_system_refuses_is_called_what_it_is(
    in_tmp: Path, monkeypatch: pytest.MonkeyPatch, call: str, number: int, sweep: bool
) -> None:
    """An error of the system below the directory of a run or of a sweep, from some call on."""
    original, begun = getattr(os, call), in_tmp / "new"

    def refused(*args: Any, **more: Any) -> Any:
        if any("new" in Path(place_of(each)).parts for each in args[:2]):
            raise OSError(number, os.strerror(number))
        return original(*args, **more)

    monkeypatch.setattr(os, call, refused)
    words = (
        ["-m", "seed=1,2", "sweep.n_jobs=1", "sweep.dir=new"] if sweep else ["hydra.run.dir=new"]
    )
    ended = inside(in_tmp, *SMALL, *words)
    monkeypatch.undo()
    assert ended.code in ((1, 2) if sweep else (2,)), ended.out
    assert WHY[number] in ended.out + ended.err
    assert "Traceback" not in ended.err
    assert not list(begun.rglob("*.tmp"))


def place_of(value: object) -> str:
    """The path that an argument of a system's call is, or is a descriptor of."""
    if isinstance(value, int):
        with contextlib.suppress(OSError):
            return os.readlink(f"/proc/self/fd/{value}")
    return os.fsdecode(value) if isinstance(value, (str, Path)) else ""
