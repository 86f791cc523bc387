"""`.ci/run` on a machine that has nothing: it installs what the tests need."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TOOLS = ("bash", "cat", "chmod", "dirname", "env", "id", "mktemp", "rm", "sed")


def program(path: Path, *lines: str) -> None:
    path.write_text("\n".join([f"#!{shutil.which('bash')}", *lines]) + "\n")
    path.chmod(0o755)


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A folder for PATH: a few tools, an apt-get that writes down what it is asked for, and a
    python3.11 that makes no virtual environment, which ends the script."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in TOOLS:
        place = shutil.which(tool)
        assert place is not None
        (folder / tool).symlink_to(place)
    program(folder / "python3.11", 'echo "chromium: ${EXP_NEEDS_CHROMIUM:-none}"', "exit 1")
    program(folder / "sudo", 'exec "$@"')
    return folder


def ci(machine: Path) -> str:
    environment = {k: v for k, v in os.environ.items() if k != "EXP_NEEDS_CHROMIUM"}
    done = subprocess.run(
        ["bash", ROOT / ".ci/run"],
        env={**environment, "PATH": str(machine), "TMPDIR": str(machine)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    return done.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="apt-get is Linux's")
def test_what_is_missing_is_installed(machine: Path) -> None:
    program(
        machine / "apt-get",
        f'echo "$*" >> {machine}/asked',
        f'made="{machine}/${{*: -1}}"',
        '[ "$1" = update ] || { echo "#!/bin/sh" > "$made"; chmod +x "$made"; }',
    )
    assert ci(machine).endswith("chromium: 1\n")
    asked = (machine / "asked").read_text().splitlines()
    assert asked[0].startswith("update")
    names = [line.split()[-1] for line in asked[1:]]
    assert names == ["chromium", "git", "python3.11-venv"]


def test_nothing_is_installed_where_it_is_there(machine: Path) -> None:
    for name in ("git", "google-chrome"):
        program(machine / name)
    program(machine / "apt-get", "echo never asked >&2", "exit 9")
    program(machine / "python3.11", '[ "$1" = -c ] || { echo "$EXP_NEEDS_CHROMIUM"; exit 1; }')
    assert ci(machine) == "1\n"


def test_without_apt_get_the_tests_of_the_browser_are_skipped(machine: Path) -> None:
    out = ci(machine)
    assert "There is no Chromium: the tests that drive it are skipped\n" in out
    assert out.endswith("chromium: none\n")
