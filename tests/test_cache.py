"""The cache of prepared data: the same bytes, and never in the way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import exp.registry.kinds  # noqa: F401 - declares the kinds
from exp.data import cache
from exp.data.dataset import Data, Split
from exp.data.prepared import Prepared
from exp.engine.prepare import prepare
from exp.registry.component import Chosen
from exp.registry.registry import register
from exp.util.errors import ComponentError, DataError
from exp.util.files import write_whole
from fork_server import forked

SPIRALS = {"name": "spirals", "n_samples": 60}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EXP_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def ready(
    dataset: Any = SPIRALS, split: Any = "holdout", data_seed: int = 1, split_seed: int = 2
) -> Prepared:
    chosen = register.choose("dataset", dataset), register.choose("split", split)
    return prepare(*chosen, data_seed=data_seed, split_seed=split_seed)


def everything(prepared: Prepared) -> list[Any]:
    split, data = prepared.split, prepared.data
    arrays: list[Any] = [prepared.X, data.X, data.y, split.train, split.test, split.validation]
    names = [data.classes, data.features, data.units]
    digests = [prepared.fingerprint, prepared.split_digest]
    return [[array.tobytes() for array in arrays], [a.dtype for a in arrays], names, digests]


def entries(place: Path) -> list[Path]:
    return sorted(place.iterdir()) if place.exists() else []


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the components that were built, not taken from the cache."""
    names: list[str] = []
    build = Chosen.build

    def counting(self: Chosen, *handed: Any, **more: Any) -> Any:
        names.append(self.name)
        return build(self, *handed, **more)

    monkeypatch.setattr(Chosen, "build", counting)
    return names


@pytest.mark.parametrize("name", ["moons", "blobs", "spirals", "iris", "digits"])
def test_a_hit_gives_the_same_bytes(place: Path, built: list[str], name: str) -> None:
    split = {"name": "holdout", "validation": 0.1, "stratify": True, "standardize": True}
    first = ready(name, split)
    assert built == [name, "holdout"]
    again = ready(name, split)
    assert built == [name, "holdout"]
    assert everything(again) == everything(first)
    assert len(entries(place)) == 1


def test_a_hit_and_the_default_data_import_no_scikit_learn(place: Path) -> None:
    # pandas is for files of rows only.
    names, split = ("moons", "iris"), {"name": "holdout", "stratify": True}
    made = [ready(name, split) for name in names]
    script = (
        "import sys\n"
        "import exp.registry.kinds\n"
        "from exp.engine.prepare import prepare\n"
        "from exp.registry.registry import register\n"
        "prepare(register.choose('dataset', 'moons'), register.choose('split', 'holdout'),\n"
        "        data_seed=7, split_seed=2)\n"
        f"split = register.choose('split', {split})\n"
        f"for name in {names}:\n"
        "    made = prepare(register.choose('dataset', name), split, data_seed=1, split_seed=2)\n"
        "    print(made.fingerprint, made.split_digest)\n"
        "print(*(name in sys.modules for name in ('sklearn', 'scipy', 'pandas')))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120
    )
    filled = [f"{each.fingerprint} {each.split_digest}" for each in made]
    assert done.stdout.splitlines() == [*filled, "False False False"]


def test_everything_that_matters_is_in_the_key(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready()
    variants: list[dict[str, Any]] = [
        {"dataset": {**SPIRALS, "noise": 0.1}},
        {"dataset": {**SPIRALS, "n_samples": 61}},
        {"dataset": {"name": "xor", "n_samples": 60}},
        {"split": {"name": "holdout", "test": 0.3}},
        {"data_seed": 3},
        {"split_seed": 3},
    ]
    for count, variant in enumerate(variants, start=2):
        ready(**variant)
        assert len(entries(place)) == count
    monkeypatch.setattr("exp.engine.prepare.installed", lambda package: "99.0")
    ready()
    assert len(entries(place)) == len(variants) + 2
    monkeypatch.setattr("exp.engine.prepare.source", lambda module: f"other code of {module}")
    ready()
    assert len(entries(place)) == len(variants) + 3


def damaged(content: bytes) -> list[bytes]:
    flipped = [bytearray(content) for _ in range(60)]
    for n, copy in enumerate(flipped):
        copy[n * (len(content) - 1) // 59] ^= 1 << (n % 8)
    return [b"", b"\n", content[:10], content[:-1], content + b"x", *map(bytes, flipped)]


def test_damaged_files_are_ignored_and_rewritten(place: Path, built: list[str]) -> None:
    expected = everything(ready())
    (entry,) = entries(place)
    content = entry.read_bytes()
    for number, broken in enumerate(damaged(content), start=2):
        entry.write_bytes(broken)
        assert everything(ready()) == expected
        assert len(built) == 2 * number
        assert everything(ready()) == expected
        assert len(built) == 2 * number


def test_another_entry_under_this_name_is_ignored(place: Path) -> None:
    expected = everything(ready())
    (entry,) = entries(place)
    ready(data_seed=7)
    (other,) = set(entries(place)) - {entry}
    entry.write_bytes(other.read_bytes())
    assert everything(ready()) == expected


def test_nothing_in_it_is_unpickled(place: Path) -> None:
    ready()
    (entry,) = entries(place)
    _, _, rest = entry.read_bytes().partition(b"\n")
    header, _, archive = rest.partition(b"\n")
    assert json.loads(header)["names"]["classes"] == ["0", "1", "2"]
    assert archive.startswith(b"PK")
    recipe = {"a": 1}
    with pytest.raises(ValueError, match="allow_pickle=False"):
        cache.save(recipe, {"X": np.array([object()])}, {})


def test_a_folder_that_cannot_be_written_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("a file, where the cache wants a folder")
    for folder in (blocked, blocked / "cache", Path("/proc/nowhere"), Path("\0")):
        monkeypatch.setattr(cache, "folder", lambda folder=folder: folder)
        assert len(ready().X) == 60
    assert blocked.read_text() == "a file, where the cache wants a folder"


def test_a_folder_in_the_place_of_an_entry(place: Path) -> None:
    ready()
    (entry,) = entries(place)
    entry.unlink()
    entry.mkdir()
    assert len(ready().X) == 60
    assert entries(place) == [entry], "no temp file is left"


def test_where_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("EXP_CACHE")
    assert cache.folder() == tmp_path / ".cache" / "exp"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert cache.folder() == tmp_path / ".cache" / "exp"
    monkeypatch.setenv("XDG_CACHE_HOME", "/var/tmp/x")
    assert cache.folder() == Path("/var/tmp/x/exp")
    monkeypatch.setenv("EXP_CACHE", "mine")
    assert cache.folder() == Path("mine")


def test_csv_is_never_cached(place: Path, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    dataset = {"name": "csv", "path": str(path), "target": "kind"}
    split = {"name": "holdout", "test": 0}
    for value in ("1", "3"):
        path.write_text(f"a,kind\n{value},x\n2,y\n")
        assert ready(dataset, split).X[0, 0] == float(value)
    assert entries(place) == []


def test_large_data_are_not_cached(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "LARGEST_ENTRY", 1000)
    ready()
    assert entries(place) == []


def test_the_folder_does_not_grow_without_end(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ready()
    size = entries(place)[0].stat().st_size
    monkeypatch.setattr(cache, "LARGEST_FOLDER", 6 * size)
    (place / "not ours").write_bytes(b"x" * 100 * size)
    for seed in range(20):
        ready(data_seed=seed)
        ours = [path for path in entries(place) if path.suffix == ".data"]
        assert sum(path.stat().st_size for path in ours) <= 6 * size
    assert (place / "not ours").exists()
    newest = len(entries(place))
    ready(data_seed=19)
    assert len(entries(place)) == newest


def test_many_processes_at_once(place: Path) -> None:
    script = (
        "import exp.registry.kinds\n"
        "from exp.engine.prepare import prepare\n"
        "from exp.registry.registry import register\n"
        "chosen = register.choose('dataset', 'xor'), register.choose('split', 'holdout')\n"
        "for seed in range(20):\n"
        "    print(prepare(*chosen, data_seed=seed % 4, split_seed=1).fingerprint)\n"
    )

    def run(_: int) -> str:
        done = forked([sys.executable, "-c", script], place.parent, os.environ)
        assert done.returncode == 0, done.stderr
        return done.stdout

    with ThreadPoolExecutor(4) as pool:
        outputs = set(pool.map(run, range(6)))
    assert len(outputs) == 1
    assert len(entries(place)) == 4


def test_components_of_a_user_are_cached_only_if_they_say_so(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    components = register.kinds["dataset"].components
    monkeypatch.setitem(components, "mine", None)  # so that it is gone after the test
    del components["mine"]

    @register.dataset("mine")
    def mine(seed: int) -> Data:
        return Data.checked(np.arange(20.0)[:, None], np.arange(20) % 2, classes=["a", "b"])

    ready("mine")
    assert entries(place) == []
    cache.repeatable(mine)
    ready("mine")
    assert len(entries(place)) == 1


def test_components_that_break_their_contract(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for kind, name in (("dataset", "bad"), ("dataset", "huge"), ("split", "bad")):
        components = register.kinds[kind].components
        monkeypatch.setitem(components, name, None)
        del components[name]

    @register.dataset("bad")
    def bad(seed: int) -> list[int]:
        return [seed]

    @register.dataset("huge")
    def huge(seed: int) -> Data:
        raise MemoryError("Unable to allocate 1 EiB")

    @register.split("bad")
    def bad_split(labels: Any, seed: int) -> tuple[Any, Any]:
        return labels, labels

    with pytest.raises(ComponentError) as broken:
        ready("bad")
    assert str(broken.value).startswith("dataset bad returned a list of 1. Return an exp.data.Data")
    with pytest.raises(ComponentError) as broken:
        ready(split="bad")
    assert str(broken.value) == "split bad must return an exp.data.Split, found tuple"
    with pytest.raises(DataError) as caught:
        ready("huge")
    assert str(caught.value) == "dataset huge does not fit in memory: Unable to allocate 1 EiB"
    with pytest.raises(DataError):
        Split(np.arange(3, dtype=np.int32))


def test_write_whole(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_whole(path, b"one")
    write_whole(path, b"two")
    assert path.read_bytes() == b"two"
    with pytest.raises(OSError, match="No such file"):
        write_whole(tmp_path / "missing" / "file", b"")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="directory"):
        write_whole(tmp_path / "folder", b"")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["file", "folder"]
