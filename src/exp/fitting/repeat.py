"""A finished fit once more: exactly the trainings that it did, so that no clock decides."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from exp.fitting.fit_table import fit
from exp.fitting.from_table import COLUMNS, finish
from exp.fitting.settings import FitSettings
from exp.runs.record import RunRecord
from exp.runs.stored_plan import start_folder
from exp.util.errors import DamagedError


def repeat(run: RunRecord, directory: Path, extra: dict[str, Any]) -> None:
    """Does a fit again.

    Args:
        run: the finished fit.
        directory: of the new run.
        extra: what else its run.json is to say.

    Raises:
        ExpError: its settings cannot be read, or its table cannot be used any more.
    """
    said = run.record["fit"]
    try:
        settings = TypeAdapter(FitSettings).validate_python(
            {**said["settings"], "directory": directory.absolute()}
        )
    except ValidationError as error:
        raise DamagedError(f"{run.directory.record} is corrupted: fit.settings") from error
    done = [(number, level) for number, level in said["trained"]]
    before = Path.cwd()
    try:
        # The path of the table is relative to the folder in which the fit was started.
        os.chdir(start_folder(run) or before)
        fit(settings, repeat=done, extra=extra)
        if (columns := run.path / COLUMNS).exists():  # of a fit by `exp fit`
            finish(RunRecord.at(directory.absolute()), settings, columns.read_text())
    finally:
        os.chdir(before)
