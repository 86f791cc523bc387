"""`exp.results`: what runs that are there have come to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from os import PathLike, fspath
from typing import Any

from exp.api.tables import frame
from exp.report.results import results as found_in
from exp.report.table_export import columns
from exp.util.folders import existing

Place = str | PathLike[str]


def results(
    directories: Place | Iterable[Place],
    *,
    by: Sequence[str] | None = None,
    metric: str | None = None,
    where: Sequence[str] = (),
    sort: str | None = None,
    top: int | None = None,
    test: str = "t",
    arrays: bool = False,
) -> Any:
    """What `exp results` says, a row for each group, best first: the numbers of its `--json`.

    Args:
        directories: of sweeps, of runs, or folders that hold some; one or several.
        by: keys that make a group; None: all that varies but the seeds.
        metric: such as "accuracy" or "test/loss".
        where: conditions such as "optimizer=adam"; only runs that meet them all.
        sort: a key; with a minus in front for the other direction.
        top: how many groups.
        test: t (paired) or wilcoxon.
        arrays: a dict of column -> list of values instead of a pandas DataFrame.

    Raises:
        ExpError: with all faults of the options.
        RunDirectoryError: there are no runs.
    """
    one = isinstance(directories, (str, PathLike))
    paths = [directories] if one else list(directories)  # type: ignore[arg-type]
    found = found_in(
        [existing(fspath(path)) for path in paths],  # type: ignore[arg-type]
        by=by, metric=metric, where=where, sort=sort, top=top, test=test,
    )  # fmt: skip
    return columns(found) if arrays else frame(columns(found))
