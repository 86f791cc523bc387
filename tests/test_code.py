"""`exp code`: the rows of its scripts are exp's, to the bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from exp.cli.code import planned, script_of
from exp.engine import Job
from exp.sweeps.from_python import composer

MODEL = "# 2. "
"""Where the section of the data ends."""


def rows_of_script(words: list[str]) -> dict[str, Any]:
    """The names that the first section of a script leaves."""
    names: dict[str, Any] = {}
    text = script_of(words, trust=False).partition(f"\n{MODEL}")[0]
    exec(compile(text, "script.py", "exec"), names)
    return names


def job_of(words: list[str]) -> Job:
    with composer(words, quiet=True) as (hydra, args):
        return Job.of(planned(hydra, args))


@pytest.mark.parametrize("dataset", ["moons", "spirals"])
def test_the_rows_of_a_script_are_those_of_the_run(dataset: str) -> None:
    words = [f"dataset={dataset}"]
    found, job = rows_of_script(words), job_of(words)
    for part, rows in job.data.split.parts.items():
        assert np.array_equal(found[f"X_{part}"].numpy(), job.data.X[rows])
        assert np.array_equal(found[f"y_{part}"].numpy(), job.data.targets[rows])
    assert found["classes"] == list(job.data.data.classes)
