"""What `exp results` shows and writes with `--across` or `--target`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exp.report import across_export, across_text, results_text, table_export, target_text
from exp.report.across import Across, across
from exp.report.across_targets import TargetProfile, target_profile
from exp.report.results import Results
from exp.report.time_to_target import TargetTimes, times
from exp.util.errors import ExpError
from exp.util.serialize import json_text

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True)
class Report:
    """The results, and what was asked for besides.

    Attributes:
        across: the comparison over data sets, with `--across`.
        profile: the times to a target over data sets, with both.
        times: the times of each group, with `--target` alone.
    """

    results: Results
    across: Across | None = None
    profile: TargetProfile | None = None
    times: TargetTimes | None = None

    def text(self) -> str:
        """The table for a terminal."""
        if self.across is None:
            lines = [results_text.text(self.results)]
        else:
            lines = [across_text.text(self.across, self.results)]
        if self.profile is not None:
            lines += ["", *target_text.profile_text(self.profile)]
        if self.times is not None:
            lines += ["", *target_text.text(self.times)]
        return "\n".join(lines)

    def columns(self) -> dict[str, list[Any]]:
        """Name -> values, one for each group, or each method."""
        if self.across is not None:
            return across_export.across_columns(self.across, self.profile)
        found = table_export.columns(self.results)
        if self.times is None:
            return found
        rows = table_export.values(self.results, self.times.by)
        return across_export.target_columns(found, rows, self.times)

    def frame(self) -> DataFrame:
        """A row for each group, or each method, with every value as it is."""
        return table_export.frame(self.columns())

    def csv(self) -> str:
        return table_export.csv_of(self.frame())

    def parquet(self) -> bytes:
        """
        Raises:
            ExpError: pyarrow is not installed.
        """
        return table_export.parquet_of(self.frame())

    def json(self) -> str:
        """Everything: what `exp results --json` has, and what was asked for besides."""
        more: dict[str, Any] = {}
        if self.across is not None:
            more["across"] = across_export.across_json(self.across, self.profile)
        if self.profile is not None:
            more["target"] = across_export.profile_json(self.profile)
        if self.times is not None:
            more["target"] = across_export.target_json(self.times)
        return json_text({**table_export.content(self.results), **more})

    def draw(self, folder: Path, theme: str) -> list[Path]:
        """Draws the figures of what was asked for besides the results.

        Raises:
            OSError: a file cannot be written.
        """
        if self.across is None and self.times is None:
            return []
        from exp.report import across_figures  # matplotlib

        return across_figures.draw(
            folder, theme, across=self.across, profile=self.profile, times=self.times
        )


def report(
    found: Results,
    *,
    keys: Sequence[str] = (),
    by: Sequence[str] | None = None,
    test: str | None = None,
    target: str | None = None,
    ordered: bool = False,
) -> Report:
    """The results with the comparison over data sets and the times to a target.

    Args:
        keys: of `--across`; none: no comparison over data sets.
        by: keys that make a group or a method.
        test: of `--across`.
        target: such as `test/accuracy>=0.95`.
        ordered: whether another order or some of the groups were asked for.

    Raises:
        ExpError: an unknown key, test or target; nothing to compare.
    """
    if not keys:
        known = None if target is None else times(found.runs.rows, found.by, target)
        return Report(found, times=known)
    if ordered:
        raise ExpError("--sort and --top: not with --across, which shows all methods by mean rank")
    compared = across(found.runs, found.metric, keys, by=by, test=test, margin=found.margin)
    profile = None
    if target is not None:
        profile = target_profile(found.runs, list(keys), None if by is None else list(by), target)
    return Report(found, across=compared, profile=profile)
