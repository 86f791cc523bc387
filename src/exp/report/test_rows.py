"""A warning where the best of several groups is chosen by its test score."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from exp.runs.collection import Row


def chosen_by_test_rows(rows: Iterable[Row], metric: str, compared: int) -> Iterator[str]:
    """A line where groups or runs are ranked by a test score and some have no validation scores.

    Args:
        rows: the runs.
        metric: the score of the ranking.
        compared: how many groups or runs with a score are ranked.
    """
    if compared < 2 or not metric.removeprefix("best/").startswith("test/"):
        return
    scored = [row.metrics for row in rows if metric in row.metrics]
    if all(any(name.startswith("validation/") for name in metrics) for metrics in scored):
        return
    yield (
        "This ranking uses the test rows: the test score of the best is too good to expect of new "
        "rows. split.validation=0.2 reserves validation rows for the choice."
    )
