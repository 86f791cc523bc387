"""Runs and sweeps that are killed at some moment: the small form of benchmarks/kills.py."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from fork_server import Forked

SCRIPT = Path(__file__).parents[1] / "benchmarks/kills.py"


@pytest.mark.parametrize(
    ("count", "kinds"), [(3, ["run", "sweep with workers"]), (2, ["shard"])], ids=["alone", "shard"]
)
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")
def test_what_is_killed_goes_on_to_the_same_bytes(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    count: int,
    kinds: list[str],
) -> None:
    spec = importlib.util.spec_from_file_location("kills", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    kills = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "kills", kills)
    spec.loader.exec_module(kills)

    def start(words: list[str], place: Path) -> Forked:
        with open(f"{place}.out", "ab") as out:
            environment = kills.environment()
            return Forked(words, tmp_path, environment, stdout=out, stderr=out, session=True)

    # A process that has imported torch forks, so that the moments drawn are those of its work;
    # strace cannot watch that.
    monkeypatch.setattr(kills, "start", start)
    monkeypatch.setattr(kills.shutil, "which", lambda program: None)
    code = kills.main(tmp_path / "kills", count, 5, kinds)
    assert code == 0, capsys.readouterr().out
