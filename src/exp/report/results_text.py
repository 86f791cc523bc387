"""The table of `exp results`, as text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from exp.report.groups import Ranked, averages
from exp.report.statistics.corrections import pairs
from exp.report.statistics.paired import TESTS
from exp.runs.collection import Row
from exp.util.statuses import STATUSES, WENT_WRONG
from exp.util.text_tables import aligned, cell, count, number

if TYPE_CHECKING:
    from exp.report.results import Results

LISTED = 5
"""Messages of runs that went wrong; the others are counted."""


def text(results: Results) -> str:
    """Title, table, notes on the statistics, and what went wrong."""
    base = results.runs.paths[0] if len(results.runs.paths) == 1 else Path.cwd()
    lines = [title(results), "", *table(results.shown, results.groups.by, results.metric, base)]
    notes = [*statistics(results), *problems(results.runs.rows, base), *skips(results.runs.skipped)]
    return "\n".join([*lines, *([""] if notes else []), *notes])


def title(results: Results) -> str:
    better = "higher" if results.groups.higher else "lower"
    of = averages(results.runs.rows, results.metric)
    about = f"{better} is better{f'; {of[0]}' if len(of) == 1 else ''}"
    parts = [f"{cell(results.metric)} ({about}) of {count(len(results.runs.rows), 'run')}"]
    if results.left_out:
        parts[0] += f" ({results.left_out} left out by --where)"
    groups = len(results.groups.all)
    if results.groups.by:
        parts.append(f"{count(groups, 'group')} by {', '.join(map(cell, results.groups.by))}")
    shown = f"; {len(results.shown)} shown" if len(results.shown) < groups else ""
    return ", ".join(parts) + shown + (": none has finished" if results.best is None else "")


def table(groups: Sequence[Ranked], by: Sequence[str], metric: str, base: Path) -> list[str]:
    """A line for each group; single runs with their directory, several with mean and interval.

    Args:
        base: paths are shown relative to it.
    """
    scores = [each.score for each in groups]
    several = any(score is not None and score.n > 1 for score in scores)
    means = [number(score.mean if score else None) for score in scores]
    # Name, cells, and whether they are numbers.
    columns = [("rank", [str(each.rank or "-") for each in groups], True)]
    columns += [
        (cell(k), [cell(g.group.values[i]) for g in groups], False) for i, k in enumerate(by)
    ]
    if several:
        intervals = [
            f"{number(score.low)} to {number(score.high)}" if score and score.n > 1 else "-"
            for score in scores
        ]
        columns += [
            ("mean", means, True),
            ("sd", [number(score.sd if score else None) for score in scores], True),
            ("95 % interval", intervals, False),
            ("seeds", [str(score.n if score else 0) for score in scores], True),
        ]
    else:
        columns.append((cell(metric), means, True))
    if any(each.group.repeats for each in groups):
        columns.append(("runs", [str(each.group.runs) for each in groups], True))
    if any(missing := [unfinished(each) for each in groups]):
        columns.append(("not done", missing, False))
    if all(each.group.runs == 1 for each in groups):
        paths = [relative(each.group.first.path, base) for each in groups]
        columns.append(("directory", paths, False))
    elif any(each.verdict != "best" for each in groups):
        columns.append(("against the best", [each.verdict for each in groups], False))
    header = [name for name, _, _ in columns]
    rows = zip(*(cells for _, cells, _ in columns), strict=True)
    return aligned(
        [header, *rows], [at for at, (_, _, is_number) in enumerate(columns) if is_number]
    )


def unfinished(each: Ranked) -> str:
    """The runs of a group without a score: `2 diverged, 1 failed`."""
    statuses = each.group.statuses
    parts = [f"{statuses[s]} {s}" for s in STATUSES if s != "done" and statuses[s]]
    return ", ".join([*parts, *([f"{each.group.without} without"] if each.group.without else [])])


def relative(path: Path, base: Path) -> str:
    """A path relative to a directory that contains it, else whole."""
    below = path != base and path.is_relative_to(base)
    return cell(path.relative_to(base) if below else path)


def statistics(results: Results) -> Iterator[str]:
    """What the numbers of the table mean."""
    groups = results.groups.all
    if any(each.score is not None and each.score.n > 1 for each in results.shown):
        yield "The interval is Student's t of the mean over seeds."
    elif results.best is not None and len(groups) > 1:
        yield (
            "One seed for each group: no interval and no test. Several, such as "
            "seed=range(0,10), give both."
        )
    if results.tested:
        tested = results.tested + 1
        family = f" for the {pairs(tested)} pairs of {tested} groups" if tested > 2 else ""
        yield (
            f"Against the best: {TESTS[results.test]} over common seeds, two-sided"
            + (f", p corrected by Holm{family}" if family else "")
            + "; ± is the 95 % interval of the mean difference."
        )
    of = averages(results.runs.rows, results.metric)
    if len(of) > 1:
        yield f"The scores are not comparable: {'; '.join(of)}. dataset.positive names one class."
    if any(each.group.repeats for each in results.shown):
        yield "Runs of one group with the same seed count once, by their mean."
    if results.tested:
        yield from different_data(results)


def different_data(results: Results) -> Iterator[str]:
    """A warning where groups were trained on different data."""
    known = [group for group in results.groups.all if group.scores]
    unlike = [
        key
        for at, key in enumerate(results.groups.by)
        if key.split(".")[0] in ("dataset", "split")
        and len({group.values[at] for group in known}) > 1
    ]
    if unlike and results.best is not None:
        first = results.best.group.values[results.groups.by.index(unlike[0])]
        yield (
            f"Groups that differ in {', '.join(unlike)} used different data: --where selects "
            f"one, such as --where {unlike[0]}={cell(first)}."
        )


def problems(rows: Iterable[Row], base: Path) -> list[str]:
    """Runs that went wrong, those with one message together."""
    found: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        if row.status in WENT_WRONG:
            found.setdefault((row.status, row.message or ""), []).append(row)
    lines = []
    for (status, message), some in list(found.items())[:LISTED]:
        why = f": {cell(message.splitlines()[0])}" if message.strip() else ""
        where = relative(some[0].path, base)
        lines.append(f"{len(some)} {status}{why} ({'such as ' if len(some) > 1 else ''}{where})")
    rest = sum(len(some) for some in list(found.values())[LISTED:])
    return [*lines, *([f"{rest} more did not finish"] if rest else [])]


def skips(skipped: Sequence[Row]) -> list[str]:
    """Runs that were skipped, each reason once."""
    reasons = Counter(row.message or "no reason given" for row in skipped)
    return [f"{count(number, 'run')} skipped: {cell(reason)}" for reason, number in reasons.items()]
