"""Changes files of run directories, as damage and strangers do, and tries what exp makes of them.

    python benchmarks/changed_files.py [--changes 10000] [--seed 0] [--keep FOLDER]

Each change is tried with one command, in this process, within 10 seconds of CPU and 2 GB. Every
outcome has to be a result or one error (exit code 2): no traceback, no hang. What is neither is
printed with the change that led to it, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import logging
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("MKL_CBWR", "AUTO")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("LOKY_MAX_CPU_COUNT", "1")

import numpy as np
import torch

from exp.cli import main as cli
from exp.runs import checkpoint
from exp.runs.directory import RunDirectory, record_text, sha256
from exp.util.npz import packed

SECONDS, MEMORY = 10, 2 << 30
SMALL = ("dataset.n_samples=40", "trainer.epochs=4", "trainer.checkpoint_every=1")
DRAWN = ("figures.draw=[norms]", "figures.frames=2", "figures.format=[png]")
RUNS: dict[str, tuple[str, ...]] = {
    "classes": (*SMALL, *DRAWN),
    "number": ("dataset=line", *SMALL, "figures=none"),
    "adam": (
        *SMALL, *DRAWN, "optimizer=adam", "scheduler=plateau", "scheduler.warmup=2",
        "model.dropout=0.2", "trainer.batch_size=8",
    ),
    "lbfgs": (*SMALL, "figures=none", "optimizer=lbfgs"),
}  # fmt: skip
BROKEN_OFF = ("adam", "lbfgs")
"""Runs that exp resume can go on with."""
COMMANDS = ("resume", "rerun", "compare", "results", "report", "predict", "export", "load")


class TooLongError(BaseException):
    """A command took too long, or did not end; no `except Exception` catches it."""


@dataclass(frozen=True)
class Outcome:
    """How a command has ended.

    Attributes:
        fault: what is wrong with that; None: nothing.
    """

    code: int
    error: str
    fault: str | None


def tried(where: Path, words: list[str]) -> Outcome:
    """A command in this process."""
    out, err = io.StringIO(), io.StringIO()
    code, fault = -1, None
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    signal.setitimer(signal.ITIMER_REAL, 6 * SECONDS)  # of a hang; the machine may be busy
    try:
        with (
            contextlib.chdir(where), contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err), loggers_kept(), warnings.catch_warnings(),
        ):  # fmt: skip
            warnings.simplefilter("ignore")
            code = cli.guarded(lambda: dispatched(words))
    except TooLongError:
        fault = f"no end after {SECONDS} s: {place(sys.exc_info()[2])}"
    except BaseException as error:
        fault = f"{type(error).__name__}: {str(error)[:200]} {place(error.__traceback__)}"
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
    said = err.getvalue()
    if fault is None and "Traceback (most recent call last)" in said + out.getvalue():
        fault = "a traceback was printed: " + (said + out.getvalue())[-400:]
    if fault is None and code == 2 and not said.startswith("exp: "):
        fault = f"an error without words: {said[:200]!r}"
    if fault is None and code not in (0, 1, 2, 3):
        fault = f"exit code {code}"
    return Outcome(code, said, fault)


def dispatched(words: list[str]) -> int:
    if words[0] != "load":
        return cli.dispatch(words)
    import exp

    run = exp.load(words[1])
    run.summary, run.config, repr(run), run._repr_html_()
    for table in ("history", "predictions"):
        run.arrays(table)
    return 0


def place(found: Any) -> str:
    """Where in exp, and where at last."""
    frames = traceback.extract_tb(found)
    own = [frame for frame in frames if "/exp/" in frame.filename] or frames[-1:]
    at = {f"{Path(f.filename).name}:{f.lineno} {f.name}": None for f in (own[-1:] + frames[-1:])}
    return "(" + ", ".join(at) + ")"


@contextlib.contextmanager
def loggers_kept() -> Iterator[None]:
    """Hydra gives the root logger other handlers."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        yield
    finally:
        for handler in root.handlers:
            if handler not in handlers:
                handler.close()
        root.handlers[:] = handlers
        root.setLevel(level)


def make(where: Path) -> None:
    """The runs whose files are changed."""
    for name, words in RUNS.items():
        done = tried(where, [*words, "run.reuse=false", f"hydra.run.dir={name}"])
        if done.code != 0:
            raise SystemExit(f"{name} could not be made: {done}")
    for name in BROKEN_OFF:
        directory = RunDirectory(where / name)
        for gone in (directory.metrics, directory.summary, directory.predictions):
            gone.unlink()
        last = directory.checkpoints / "last.safetensors"
        tensors, numbers = checkpoint.load(last)
        rows = tensors["history"][:2]
        numbers |= {"epoch": 2, "ended": None, "best_epoch": 1, "waited": 0}
        files = checkpoint.content(directory, "last", {**tensors, "history": rows}, numbers)
        directory.write_all(files)
        record = {**directory.read_record(), "status": "interrupted"}
        directory.write_record({**record, "digests": RunDirectory(where / name).digests()})


# --- changes -------------------------------------------------------------------------------------


def value(rng: random.Random) -> Any:
    """Something that stands where something else should."""
    return rng.choice(
        [
            None, True, False, 0, -1, 1, 3, 2**31, 2**63, 2**70, -(2**70), 10**400, 0.5, 1e9, 1e308,
            -1e308, float("nan"), float("inf"), "", "x", "1", "x" * 5000, "\ud800", "\x1b[31mred",
            "\0", "../../x", "/etc/passwd", "2026-13-45", "done", "running", [], {}, [[]], [None],
            {"": None}, ["x"] * 1000, deep(rng.choice([20, 60, 900])), {"x": {"x": {"x": 1}}},
        ]
    )  # fmt: skip


def deep(levels: int) -> Any:
    found: Any = 1
    for _ in range(levels):
        found = [found]
    return found


def changed_value(rng: random.Random, tree: Any) -> Any:
    """A nested value with one place of it changed, removed or added."""
    if not isinstance(tree, (dict, list)) or not tree or rng.random() < 0.15:
        return value(rng)
    keys = list(tree) if isinstance(tree, dict) else list(range(len(tree)))
    key = rng.choice(keys)
    how = rng.random()
    copy: Any = dict(tree) if isinstance(tree, dict) else list(tree)
    if how < 0.2:
        del copy[key]
    elif how < 0.3 and isinstance(copy, dict):
        copy[str(value(rng))[:50]] = value(rng)
    elif how < 0.4 and isinstance(copy, list):
        copy.insert(rng.randrange(len(copy) + 1), value(rng))
    else:
        copy[key] = changed_value(rng, tree[key])
    return copy


def json_changed(rng: random.Random, data: bytes) -> bytes:
    return json.dumps(changed_value(rng, json.loads(data)), indent=2).encode()


def csv_changed(rng: random.Random, data: bytes) -> bytes:
    rows = [line.split(",") for line in data.decode().split("\n")]
    at = rng.randrange(len(rows))
    how = rng.randrange(5)
    if how == 0:
        del rows[at]
    elif how == 1:
        rows.insert(at, rows[rng.randrange(len(rows))])
    elif how == 2:
        rows[at].append("1")
    else:
        field = rng.randrange(len(rows[at]))
        odd = ["", "nan", "inf", "-1", "1e999", "x", '"', "9" * 400, "x" * 200_000, "\0", "é",
               "1_0", "\r", "test", "epoch", "٣", "0x1"]  # fmt: skip
        rows[at][field] = rng.choice(odd)
    return "\n".join(map(",".join, rows)).encode()


def yaml_changed(rng: random.Random, data: bytes) -> bytes:
    import yaml

    tree = changed_value(rng, yaml.safe_load(data))
    if rng.random() < 0.1:
        return rng.choice(
            [b"!!bool x", b'!!int ""', b"!!timestamp x", b"a: &a [*a]", b"- - - -" * 99]
        )
    with contextlib.suppress(yaml.YAMLError, RecursionError):
        return yaml.safe_dump(tree, allow_unicode=True).encode("utf-8", "surrogatepass")
    return data[: len(data) // 2]


def tensors_changed(rng: random.Random, path: Path) -> bytes:
    """A checkpoint with other tensors or numbers, sealed as exp seals them."""
    tensors, numbers = checkpoint.load(path)
    name = rng.choice(sorted(tensors))
    tensor = tensors[name]
    how = rng.randrange(9)
    if how == 0:
        del tensors[name]
    elif how == 1:
        tensors[f"{name}x"] = tensor
    elif how == 2:
        tensors[name] = tensor[:-1] if tensor.dim() and len(tensor) else torch.zeros(3)
    elif how == 3:
        tensors[name] = tensor.to(rng.choice([torch.float64, torch.int64, torch.bool]))
    elif how == 4:
        numbers_of = [0, 1, 255] if tensor.dtype == torch.uint8 else [np.nan, np.inf, 0.0, 1e30]
        tensors[name] = torch.full_like(tensor, rng.choice(numbers_of))
    elif how == 5:
        tensors[name] = torch.zeros(rng.choice([(0,), (1,), (2, 2), (1000, 1000)]))
    else:
        numbers = changed_value(rng, numbers)
    # Without `finite`, which a stranger need not call.
    arrays = {key: np.asarray(tensors[key].numpy(), order="C") for key in sorted(tensors)}
    from safetensors.numpy import save

    try:
        known = {"numbers": numbers, "sha256": checkpoint.digest(arrays, numbers)}
    except ValueError:  # a number that is not finite has no digest
        known = {"numbers": numbers, "sha256": "0" * 64}
    return save(arrays, {"exp": json.dumps(known)})


def arrays_changed(rng: random.Random, path: Path) -> bytes:
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    name = rng.choice(sorted(arrays))
    array = arrays[name]
    how = rng.randrange(5)
    if how == 0:
        del arrays[name]
    elif how == 1:
        arrays[name] = array[..., :-1] if array.ndim else array[None]
    elif how == 2:
        arrays[name] = array.astype(rng.choice(["U8", "f4", "f8", "i4", "u1"]), casting="unsafe") \
            if array.dtype.kind != "U" else np.array(["\ud800", "b"])  # fmt: skip
    elif how == 3 and array.dtype.kind in "fi":
        arrays[name] = array * rng.choice([-1, 0, 10**9])
    else:
        arrays[name] = np.zeros(rng.choice([(0,), (1,), (2, 2, 2), (3000, 3000)]), array.dtype)
    return packed(arrays)


def flipped(rng: random.Random, data: bytes) -> bytes:
    found = bytearray(data)
    for _ in range(rng.choice([1, 1, 1, 8])):
        if found:
            found[rng.randrange(len(found))] ^= 1 << rng.randrange(8)
    return bytes(found)


def cut(rng: random.Random, data: bytes) -> bytes:
    return data[: rng.randrange(len(data) + 1)]


def other(rng: random.Random, data: bytes) -> bytes:
    return rng.choice(
        [b"", b"null", b"[]", b"{}", b"[" * 100_000, b'{"a":' * 50_000, b"\xff\xfe", b"0",
         b"\0" * 99, b"x" * 300_000, b'{"status": "\\ud800"}', b"PK\x03\x04" + data, data + data]
    )  # fmt: skip


def fifo(path: Path) -> None:
    os.mkfifo(path)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def endless(path: Path) -> None:
    path.symlink_to(path.name)


def sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 43)


def less_sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(3 << 30)


def nothing(path: Path) -> None:
    """The file is gone."""


INSTEAD: tuple[Callable[[Path], None], ...] = (
    fifo, device, endless, sparse, less_sparse, Path.mkdir, nothing,
)  # fmt: skip


def change(rng: random.Random, run: Path) -> str:
    """Changes one file of a run, and says how."""
    names = sorted(p.relative_to(run).as_posix() for p in run.rglob("*") if p.is_file())
    # Those that are read are drawn more often than those of which a digest is taken only.
    heavy = [n for n in names if n.startswith(("run.json", "summary", "checkpoints/last.s"))]
    name = rng.choice([*names, *heavy * 3])
    path = run / name
    if rng.random() < 0.12:
        how = rng.choice(INSTEAD)
        path.unlink()
        how(path)
        return f"{name}: {getattr(how, '__name__', how)}"
    shaped = {
        ".json": lambda: json_changed(rng, path.read_bytes()),
        ".csv": lambda: csv_changed(rng, path.read_bytes()),
        ".yaml": lambda: yaml_changed(rng, path.read_bytes()),
        ".safetensors": lambda: tensors_changed(rng, path),
        ".npz": lambda: arrays_changed(rng, path),
    }.get(path.suffix)
    plain: list[Callable[[random.Random, bytes], bytes]] = [flipped, cut, other]
    told = "shaped"
    if shaped is not None and rng.random() < 0.75:
        data = shaped()
    else:
        how_plain = rng.choice(plain)
        told, data = how_plain.__name__, how_plain(rng, path.read_bytes())
    path.write_bytes(data)
    if rng.random() < 0.7:
        sealed(run, name)
        told += ", sealed"
    return f"{name}: {told}"


def sealed(run: Path, name: str) -> None:
    """Has run.json say what the files are now, as a stranger would."""
    path = run / "run.json"
    with contextlib.suppress(
        ValueError, RecursionError, UnicodeError, AttributeError, KeyError, TypeError
    ):
        record = json.loads(path.read_bytes())
        record.pop("sha256", None)
        if name != "run.json":
            record["digests"][name] = sha256((run / name).read_bytes())
        path.write_text(record_text(record), encoding="utf-8")


def words_of(rng: random.Random, command: str, name: str) -> list[str]:
    x = "x"
    return {
        "resume": ["resume", x],
        "rerun": ["rerun", x, "--into", "new"],
        "compare": ["compare", *rng.choice([(x, name), (name, x)])],
        "results": ["results", x],
        "report": ["report", x, "--output", "page.html"],
        "predict": ["predict", x, "rows.csv", "--output", "out.csv"],
        "export": ["export", x, "--to", "state_dict", "--output", "model.safetensors"],
        "load": ["load", x],
    }[command]


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--changes", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="where directories that led to a fault are kept")
    args = parser.parse_args(argv)
    signal.signal(signal.SIGALRM, stop)
    signal.signal(signal.SIGPROF, stop)
    with tempfile.TemporaryDirectory() as folder:
        where = Path(folder)
        os.environ["EXP_CACHE"] = str(where / "cache")
        make(where)
        (where / "rows.csv").write_text("x1,x2,x\n0.1,0.2,0.3\n1,2,3\n")
        if resource.getrlimit(resource.RLIMIT_AS)[0] == resource.RLIM_INFINITY:
            used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, resource.RLIM_INFINITY))
        return draw(where, args.changes, args.seed, args.keep)


def stop(*_: object) -> None:
    raise TooLongError


def draw(where: Path, changes: int, seed: int, keep: Path | None = None) -> int:
    """Tries so many changes.

    Returns:
        0 if each led to a result or to one error, else 1.
    """
    begun, codes, kinds = time.perf_counter(), Counter[str](), Counter[str]()
    slowest = 0.0
    for number in range(changes):
        rng = random.Random(f"{seed}-{number}")
        command = rng.choice(COMMANDS)
        name = rng.choice(BROKEN_OFF if command == "resume" else ["classes", "number", *RUNS])
        shutil.copytree(where / name, where / "x")
        told = change(rng, where / "x")
        kept = keep / str(number) if keep is not None else None
        if kept is not None:
            shutil.copytree(where / "x", kept, symlinks=True, copy_function=copied)
        since = time.perf_counter()
        outcome = tried(where, words_of(rng, command, name))
        slowest = max(slowest, time.perf_counter() - since)
        codes[f"{command} {outcome.code}"] += 1
        if outcome.fault is not None:
            if not kinds[outcome.fault.rpartition("(")[2]]:
                print(f"{number}: {command} {name}, {told}: {outcome.fault}", flush=True)
            kinds[outcome.fault.rpartition("(")[2]] += 1
        elif kept is not None:
            shutil.rmtree(kept)
        for gone in ("x", "new"):
            shutil.rmtree(where / gone, ignore_errors=True)
    took = time.perf_counter() - begun
    print(", ".join(f"{text}: {count}" for text, count in sorted(codes.items())))
    print(
        f"{changes:,} changes in {took:.0f} s (the slowest took {slowest:.1f} s): "
        f"{kinds.total()} neither a result nor one error, of {len(kinds)} kinds"
    )
    return 1 if kinds else 0


def copied(source: str, target: str) -> object:
    """Of what is kept, regular files of some size only."""
    if os.path.isfile(source) and os.path.getsize(source) < 1 << 24:
        return shutil.copy(source, target)
    return None


if __name__ == "__main__":
    sys.exit(main())
