"""Fixtures that many tests share."""

from __future__ import annotations

import gc
import os
import sys

# As `exp.cli.main` does before torch is imported: the promise of same bits rests on it.
os.environ.setdefault("MKL_CBWR", "AUTO")
# Before NumPy and torch are: pytest-xdist has a process for each core already, and threads that
# wait for one another take twice the processor time.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from exp.config.plan import GROUPS, Plan, plan
from exp.registry.registry import register


@pytest.fixture(autouse=True, scope="session")
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test reads or fills the user's cache of data sets."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EXP_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
        yield


@pytest.fixture(autouse=True, scope="session")
def no_power_failure() -> Iterator[None]:
    """Nobody waits for the disk: what a killed process has written is there all the same."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda file: None)
        yield


def pytest_collection_finish() -> None:
    """What all the modules hold is there until the end: nobody looks for garbage among it."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True, scope="session")
def one_core() -> Iterator[None]:
    """A sweep trains in its own process, unless sweep.n_jobs asks for workers: each of those
    takes seconds to import what the process of the tests has already."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOKY_MAX_CPU_COUNT", "1")
        yield


DEFAULTS = {
    "dataset": "moons",
    "split": "holdout",
    "features": "none",
    "model": "mlp",
    "optimizer": "sgd",
    "loss": "auto",
    "scheduler": "none",
    "device": "cpu",
    "trainer": "standard",
    "figures": "none",
}


def make_plan(**parts: Any) -> Plan:
    """A plan from group=name or group={name: ..., ...}; a mapping may leave out the name."""
    config: dict[str, Any] = {"seed": 42}
    for group in GROUPS:
        part = parts.pop(group, DEFAULTS[group])
        if isinstance(part, Mapping):
            part = {"name": DEFAULTS[group], **part}
        config[group] = {"name": part} if isinstance(part, str) else part
    return plan({**config, **parts})


@pytest.fixture
def planned() -> Callable[..., Plan]:
    return make_plan


@pytest.fixture
def in_tmp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty directory to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(autouse=True)
def figures_drawn_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run in this process draws its figures in it too: a helper imports matplotlib once more."""
    for module in ("start_run", "train_run"):
        monkeypatch.setattr(f"exp.sweeps.{module}.FigureWorker", lambda: None)


@pytest.fixture(autouse=True)
def hydra_as_it_comes() -> Iterator[None]:
    """A command line in this process sets the version whose defaults Hydra follows."""
    from hydra.version import VersionBase

    before = VersionBase.instance().version_base
    yield
    VersionBase.instance().version_base = before


@pytest.fixture(autouse=True)
def nothing_remembered(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that another test has finished is not taken over, except where that is tested."""
    if "remembering" not in request.fixturenames:
        monkeypatch.setattr("exp.runs.reuse.pointer", lambda signature: None)


@pytest.fixture(scope="module", autouse=True)
def own_components(request: pytest.FixtureRequest) -> Iterator[None]:
    """What the tests of a file register is gone after them; its modules can be imported anew."""
    before = {kind: set(each.components) for kind, each in register.kinds.items()}
    yield
    for kind, each in register.kinds.items():
        for name in set(each.components) - before[kind]:
            if not each.components[name].packaged:
                module = each.components.pop(name).module
                if module != request.module.__name__:
                    sys.modules.pop(module, None)


@pytest.fixture
def remembering(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Finished runs are remembered, in a cache of the test's own."""
    monkeypatch.setenv("EXP_CACHE", str(tmp_path / "cache"))
