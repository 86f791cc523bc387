"""Hydra's own suites for launchers and sweepers, on ours."""

from __future__ import annotations

from pathlib import Path

import pytest
from hydra import version
from hydra.core.global_hydra import GlobalHydra
from hydra.core.plugins import Plugins
from hydra.plugins.launcher import Launcher
from hydra.plugins.sweeper import Sweeper
from hydra.test_utils.launcher_common_tests import (
    BatchedSweeperTestSuite,
    IntegrationTestSuite,
    LauncherTestSuite,
)

from fork_server import forked

# The suites run under Hydra's oldest defaults, of which Hydra itself warns.
pytestmark = pytest.mark.filterwarnings("default::UserWarning")


@pytest.fixture(autouse=True)
def as_a_process_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command line of another test has set the version, or left its Hydra."""
    GlobalHydra.instance().clear()
    monkeypatch.setattr(version.VersionBase.instance(), "version_base", version._UNSPECIFIED_)


@pytest.fixture
def forking(monkeypatch: pytest.MonkeyPatch) -> None:
    """The suite's applications fork from a process that has imported torch and Hydra."""

    def check_call(command: list[str], env: dict[str, str]) -> None:
        ended = forked(command, Path.cwd(), env)
        assert ended.returncode == 0, ended.stderr

    monkeypatch.setattr("hydra.test_utils.test_utils.subprocess.check_call", check_call)


def test_hydra_finds_both() -> None:
    plugins = Plugins.instance()
    assert "StackedLauncher" in [plugin.__name__ for plugin in plugins.discover(Launcher)]
    assert "GridSweeper" in [plugin.__name__ for plugin in plugins.discover(Sweeper)]


@pytest.mark.parametrize(
    ("launcher_name", "overrides"),
    [("stacked", []), ("stacked", ["hydra/sweeper=grid"]), ("basic", ["hydra/sweeper=grid"])],
)
class TestLauncher(LauncherTestSuite):  # type: ignore[misc]
    """Our launcher under Hydra's sweeper and ours, and our sweeper over Hydra's launcher."""


@pytest.mark.parametrize(
    ("launcher_name", "overrides"),
    [("stacked", ["hydra.sweeper.max_batch_size=2"])],
)
class TestBatches(BatchedSweeperTestSuite):  # type: ignore[misc]
    """Batches are Hydra's basic sweeper's own: ours validates and trains a sweep as a whole."""


@pytest.mark.parametrize(
    ("task_launcher_cfg", "extra_flags"),
    [
        ({}, ["-m", "hydra/launcher=stacked"]),
        ({}, ["-m", "hydra/launcher=stacked", "hydra/sweeper=grid"]),
    ],
)
@pytest.mark.usefixtures("forking")
class TestIntegration(IntegrationTestSuite):  # type: ignore[misc]
    """Whole applications in separate processes."""
