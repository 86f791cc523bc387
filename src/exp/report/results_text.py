"""The table of `exp results`, as text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from exp.report.comparisons import Ranked
from exp.report.groups import Cell, Group, Groups, averages, over_seeds
from exp.report.statistics.corrections import pairs
from exp.report.statistics.paired import TESTS
from exp.report.statistics.verdicts import BEST
from exp.report.test_rows import chosen_by_test_rows
from exp.runs.collection import Row, Runs
from exp.util.statuses import STATUSES, WENT_WRONG
from exp.util.text_tables import aligned, cell, count, number

if TYPE_CHECKING:
    from exp.report.results import Results, Table

LISTED = 5
"""Messages of runs that went wrong; the others are counted."""


def text(results: Results) -> str:
    """Title, a table for each data set, notes on the statistics, and what went wrong."""
    runs = results.runs
    base = runs.paths[0] if len(runs.paths) == 1 else Path.cwd()
    blocks = []
    for each in results.tables:
        lines = table(each.shown, each.groups.by, results.metric, base)
        blocks += [[*heading(each), *tests(each, results.test, results.margin)], lines]
        blocks.append(list(unlike(each, runs)))
    if len(results.tables) == 1:  # its test stands below the title
        blocks[0] = [title(results), *blocks[0]]
    else:
        blocks.insert(0, [title(results)])
    wrong = [*problems(runs.rows, base), *skips(runs.skipped)]
    blocks.append([*statistics(results), *wrong, *runs.notes])
    return "\n\n".join("\n".join(block) for block in blocks if block)


def title(results: Results) -> str:
    better = "higher" if results.higher else "lower"
    of = averages(results.runs.rows, results.metric)
    about = f"{better} is better{f'; {of[0]}' if len(of) == 1 else ''}"
    parts = [f"{cell(results.metric)} ({about}) of {count(len(results.runs.rows), 'run')}"]
    if results.left_out:
        parts[0] += f" ({results.left_out} left out by --where)"
    if len(results.tables) > 1:
        parts.append(f"{len(results.tables)} data sets, each in its own table")
        return ", ".join(parts)
    (only,) = results.tables
    groups = len(only.groups.all)
    if only.groups.by:
        parts.append(f"{count(groups, 'group')} by {', '.join(map(cell, only.groups.by))}")
    shown = f"; {len(only.shown)} shown" if len(only.shown) < groups else ""
    return ", ".join(parts) + shown + ("" if only.scored else ": none has finished")


def heading(table: Table) -> list[str]:
    """What names the data set of a table."""
    if not table.data:
        return []
    groups = len(table.groups.all)
    by = f" by {', '.join(map(cell, table.groups.by))}" if table.groups.by else ""
    shown = f"; {len(table.shown)} shown" if len(table.shown) < groups else ""
    none = "" if table.scored else ": none has finished"
    return [f"{named(table)}: {count(groups, 'group')}{by}{shown}{none}"]


def named(table: Table) -> str:
    """The data set of a table: `dataset=moons, dataset.noise=0.3`."""
    values = [(key, value) for key, value in table.data.items() if value is not None]
    return ", ".join(f"{cell(key)}={cell(value)}" for key, value in values) or "dataset"


def tests(table: Table, test: str, margin: float | None) -> list[str]:
    """The test, its unit and their number; nothing where none was made."""
    tested = [each for each in table.ranking.every if each.test is not None and each.test.n > 1]
    if not tested:
        return []
    lines = dict[str, None]()
    for design in dict.fromkeys(each.design for each in tested):
        sizes = sorted({each.test.n for each in tested if each.test and each.design == design})
        words = design.words(TESTS[test], sizes[-1])
        some = f" (of {sizes[0]} to {sizes[-1]} where some are missing)" if sizes[1:] else ""
        lines[words + some] = None
    groups = len(tested) + 1
    family = f"; p corrected by Holm for the {pairs(groups)} pairs of {groups} groups"
    first = f"Against the best: {'; '.join(lines)}; two-sided{family if groups > 2 else ''}"
    if margin is None:
        return [first]
    return [first, f"Equivalent: within {margin:g}, by two one-sided t-tests"]


def unlike(table: Table, runs: Runs) -> Iterator[str]:
    """In what groups of a table are not alike, so that their means do not compare by themselves."""
    groups, ranking = table.groups, table.ranking
    known = [group for group in groups.all if group.cells]
    cells = list(dict.fromkeys(each for group in known for each in group.cells))
    keys = ", ".join(map(cell, groups.within))
    if len(known) > 1 and len(cells) > 1 and not table.best:
        yield f"No two groups have a value of {keys} in common, so they are not ranked."
    elif len(known) > 1 and len(cells) > 1:
        if missing := [each for each in cells if each not in ranking.cells]:
            yield (
                f"Compared over the {len(ranking.cells)} of {len(cells)} values of {keys} that all "
                f"ranked groups have with enough seeds; left out: {listed(groups, missing, known)}."
            )
        else:
            yield f"Compared over the {len(cells)} values of {keys}, which all groups have."
        if ranking.uneven:
            yield (
                f"{count(ranking.uneven, 'run')} not used: their seeds do not have a "
                f"score for every value of {keys}."
            )
    if len(known) > 1 and table.best is not None:
        yield from along(table, runs)
    if ranking.incomplete:
        yield (
            f"{count(ranking.incomplete, 'run')} not used: a round of folds counts only "
            "when all its folds are present."
        )


def along(table: Table, runs: Runs) -> Iterator[str]:
    """Keys that are no factor and yet differ between the groups, each with its one value."""
    groups = table.groups
    known = [group for group in groups.all if group.cells]
    given = {*groups.by, *groups.within, *table.data}
    for key in over_seeds(runs.keys):
        values = [group.first.parameters.get(key) for group in known]
        if key not in given and len({repr(value) for value in values}) > 1:
            pairs = zip(known, values, strict=True)
            texts = [f"{' '.join(map(cell, group.values))} {cell(value)}" for group, value in pairs]
            more = f" and {len(texts) - LISTED} more" if len(texts) > LISTED else ""
            yield f"The groups differ in {cell(key)} too: {', '.join(texts[:LISTED])}{more}."


def listed(groups: Groups, cells: Sequence[Cell], known: Sequence[Group]) -> str:
    """Values that some groups lack, with those that have them."""
    texts = []
    for each in cells[:LISTED]:
        values = zip(groups.within, each, strict=True)
        cells_of = ", ".join(f"{cell(key)}={cell(value)}" for key, value in values)
        having = [group for group in known if each in group.cells]
        names = " and ".join(
            " ".join(map(cell, group.values)) or "all" for group in having[:LISTED]
        )
        texts.append(f"{cells_of} (only {names})")
    more = len(cells) - LISTED
    return "; ".join(texts) + (f"; and {more} more" if more > 0 else "")


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
    if any(each.group.repeated for each in groups):
        columns.append(("runs", [str(each.group.runs) for each in groups], True))
    if any(missing := [unfinished(each) for each in groups]):
        columns.append(("not done", missing, False))
    if all(each.group.runs == 1 for each in groups):
        paths = [relative(each.group.first.path, base) for each in groups]
        columns.append(("directory", paths, False))
    elif any(each.verdict.text not in ("", BEST) for each in groups):
        columns.append(("against the best", [each.verdict.text for each in groups], False))
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
    """What the numbers of the tables mean."""
    shown = [each for table in results.tables for each in table.shown]
    if any(each.score is not None and each.score.n > 1 for each in shown):
        against = any(each.test and each.test.n > 1 for each in shown)
        pairs_too = ", and in brackets of the mean difference to the best" if against else ""
        yield f"Intervals are Student's t, 95 %: of the mean over seeds{pairs_too}."
    elif any(table.best is not None and len(table.groups.all) > 1 for table in results.tables):
        yield (
            "One seed for each group: no interval and no test. Several, such as "
            "seed=range(0,10), give both."
        )
    of = averages(results.runs.rows, results.metric)
    if len(of) > 1:
        yield f"The scores are not comparable: {'; '.join(of)}. dataset.positive names one class."
    scored = max(sum(g.rank is not None for g in t.ranking.every) for t in results.tables)
    yield from chosen_by_test_rows(results.runs.rows, results.metric, scored)
    if any(each.group.repeated for each in shown):
        yield "Runs of one group with the same seed count once, by their mean."
    every = [each.verdict.text for table in results.tables for each in table.ranking.every]
    if not any(every) and any(table.scored for table in results.tables):
        yield "Scores of different data sets are not ranked."
    if any(table.ranking.tested for table in results.tables):
        yield from different_splits(results)
        if results.runs.until:
            yield (
                "The sweep stopped when it was decided (sweep.until). The p values here are too "
                "small for that: they assume a fixed number of seeds. sweep.json has its verdicts."
            )


def different_splits(results: Results) -> Iterator[str]:
    """A warning where groups were trained or tested on different rows."""
    for table in results.tables:
        known = [group for group in table.groups.all if group.cells]
        keys = [
            key
            for at, key in enumerate(table.groups.by)
            if key.split(".")[0] == "split" and len({group.values[at] for group in known}) > 1
        ]
        if keys and table.best is not None:
            first = table.best.group.values[table.groups.by.index(keys[0])]
            yield (
                f"Groups that differ in {', '.join(keys)} used different rows: --where selects "
                f"one, such as --where {keys[0]}={cell(first)}."
            )
            return


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
