"""docs/code.md: its commands give the script, and the script, which knows no exp, prints what the
page shows."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from commands import inside
from quoted import compare
from reading import ROOT, Typed, steps

WITHOUT_EXP = "import runpy, sys; sys.modules['exp'] = None; runpy.run_path(sys.argv[1])"


def test_the_page_shows_what_its_script_prints(in_tmp: Path) -> None:
    typed = [
        step
        for step in steps((ROOT / "docs/code.md").read_text())
        if isinstance(step, Typed) and not step.inline
    ]
    assert [step.words[0] for step in typed] == ["exp", "python"]
    made = inside(in_tmp, *typed[0].words[1:])
    assert made.code == 0, made.err
    compare(made.out, typed[0].output)
    words = [sys.executable, "-c", WITHOUT_EXP, *typed[1].words[1:]]
    done = subprocess.run(words, cwd=in_tmp, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    compare(done.stdout, typed[1].output)
    assert (in_tmp / "boundary.png").stat().st_size > 10_000
