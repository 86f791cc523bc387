"""The table of `exp results`, as text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from exp.report.groups import Standing, counted_as
from exp.report.statistics import TESTS, pairs
from exp.runs.collection import Row
from exp.util.statuses import STATUSES
from exp.util.text_tables import aligned, cell, number

if TYPE_CHECKING:
    from exp.report.results import Results

LISTED = 5
"""Messages of runs that went wrong; the rest is counted."""


def text(results: Results) -> str:
    """Title, table, what it rests on, and what went wrong."""
    base = results.runs.paths[0] if len(results.runs.paths) == 1 else Path.cwd()
    lines = [title(results)]
    if results.best is None:
        lines[0] += ": none has finished"
    lines += ["", *table(results.standings, results.groups.by, results.metric, base)]
    notes = [*rests_on(results), *troubles(results.runs.rows, base), *skips(results.runs.skipped)]
    return "\n".join([*lines, *([""] if notes else []), *notes])


def title(results: Results) -> str:
    better = "higher" if results.groups.higher else "lower"
    runs, groups = len(results.runs.rows), len(results.groups.all)
    of = counted_as(results.runs.rows, results.metric)
    about = f"{better} is better{f'; {of[0]}' if len(of) == 1 else ''}"
    said = f"{cell(results.metric)} ({about}) of {counted(runs, 'run')}"
    if results.left_out:
        said += f" ({results.left_out} left out by --where)"
    if results.groups.by:
        said += f", {counted(groups, 'group')} by {', '.join(map(cell, results.groups.by))}"
    if len(results.standings) < groups:
        said += f"; {len(results.standings)} shown"
    return said


def counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def table(standings: Sequence[Standing], by: Sequence[str], metric: str, base: Path) -> list[str]:
    """The groups, a line each; groups of one seed have no interval, but a directory.

    Args:
        base: paths are told from here.
    """
    several = any(each.spread is not None and each.spread.n > 1 for each in standings)
    repeated = any(each.group.repeats for each in standings)
    trouble = [unfinished(each) for each in standings]
    alone = all(each.group.runs == 1 for each in standings)
    scores = ("mean", "sd", "95 % interval", "seeds") if several else (cell(metric),)
    header = ["rank", *map(cell, by), *scores]
    header += ["runs"] if repeated else []
    header += ["not done"] if any(trouble) else []
    compared = any(each.verdict != "best" for each in standings)
    header += ["directory"] if alone else ["against the best"] if compared else []
    lines = [header]
    for each, bad in zip(standings, trouble, strict=True):
        spread = each.spread
        mean = spread.mean if spread else None
        line = [str(each.rank or "-"), *map(cell, each.group.values), number(mean)]
        if several:
            low, high = (spread.low, spread.high) if spread else (None, None)
            interval = "-" if low is None else f"{number(low)} to {number(high)}"
            line += [number(spread.sd if spread else None), interval]
            line.append(str(spread.n if spread else 0))
        line += [str(each.group.runs)] if repeated else []
        line += [bad] if any(trouble) else []
        line += [told(each.group.first.path, base)] if alone else [each.verdict] if compared else []
        lines.append(line)
    numeric = {"rank", "mean", "sd", "seeds", "runs", cell(metric)}
    return aligned(lines, [place for place, name in enumerate(header) if name in numeric])


def unfinished(each: Standing) -> str:
    """The runs of a group that gave no score: `2 diverged, 1 failed`."""
    statuses = each.group.statuses
    parts = [f"{statuses[s]} {s}" for s in STATUSES if s != "done" and statuses[s]]
    return ", ".join([*parts, *([f"{each.group.without} without"] if each.group.without else [])])


def told(path: Path, base: Path) -> str:
    """A path from here, where it lies below."""
    below = path != base and path.is_relative_to(base)
    return cell(path.relative_to(base) if below else path)


def rests_on(results: Results) -> Iterator[str]:
    """What the figures of the table mean, as far as it has them."""
    standings = results.standings
    if any(each.spread is not None and each.spread.n > 1 for each in standings):
        yield "The interval is Student's t of the mean over seeds."
    elif results.best is not None and len(results.groups.all) > 1:
        yield (
            "One seed for each group: no interval and no test. Several, such as "
            "seed=range(0,10), give both."
        )
    if results.tested:
        groups = results.tested + 1
        family = f" for the {pairs(groups)} pairs of {groups} groups" if groups > 2 else ""
        yield (
            f"Against the best: {TESTS[results.test]} over common seeds, two-sided"
            + (f", p corrected by Holm{family}" if family else "")
            + "; ± is the 95 % interval of the mean difference."
        )
    of = counted_as(results.runs.rows, results.metric)
    if len(of) > 1:
        yield f"The runs do not count the same: {'; '.join(of)}. dataset.positive names one class."
    if any(each.group.repeats for each in standings):
        yield "Runs of one group and one seed count once, by their mean."
    unlike = [
        key
        for place, key in enumerate(results.groups.by)
        if key.split(".")[0] in ("dataset", "split")
        and len({group.values[place] for group in results.groups.all if group.scores}) > 1
    ]
    if results.tested and unlike:
        yield (
            f"Groups that differ in {', '.join(unlike)} have not met the same rows: --where picks "
            "one, such as --where " + f"{unlike[0]}={cell(first_value(results, unlike[0]))}."
        )


def first_value(results: Results, key: str) -> object:
    assert results.best is not None
    return results.best.group.values[results.groups.by.index(key)]


def troubles(rows: Iterable[Row], base: Path) -> list[str]:
    """Runs that did not end well, those of one message together."""
    found: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        if row.status not in ("done", "running", "pending"):
            found.setdefault((row.status, row.message or ""), []).append(row)
    lines = []
    for (status, message), some in list(found.items())[:LISTED]:
        why = f": {cell(message.splitlines()[0])}" if message.strip() else ""
        where = told(some[0].path, base)
        lines.append(f"{len(some)} {status}{why} ({'such as ' if len(some) > 1 else ''}{where})")
    rest = sum(len(some) for some in list(found.values())[LISTED:])
    return [*lines, *([f"{rest} more did not end well"] if rest else [])]


def skips(skipped: Sequence[Row]) -> list[str]:
    """Runs that could not be, each reason once."""
    reasons = Counter(row.message or "no reason was kept" for row in skipped)
    return [f"{counted(count, 'run')} skipped: {cell(reason)}" for reason, count in reasons.items()]
