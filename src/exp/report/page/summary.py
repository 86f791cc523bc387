"""The summary of all runs, as HTML that needs no script."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from html import escape

from exp.report.groups import direction, over_seeds, value
from exp.report.page.ranking import Ranking
from exp.report.results import Table, tables
from exp.report.results_text import named, tests
from exp.report.statistics.verdicts import spread
from exp.runs.collection import Row, Runs
from exp.util.statuses import STATUSES, WENT_WRONG
from exp.util.text_tables import cell

TABLES, GROUPS, FAILURES = 10, 10, 200
"""Most data sets, groups of each, and failures that are listed."""
UNFOLDED = 6
"""More of them are folded away, so that the table of runs is near."""
SEVERAL = (
    "The runs use {:,} data sets: {}. Scores of different data sets cannot be compared, so every "
    "table ranks each data set by itself."
)
MESSAGE = 2_000
"""Characters of a message."""


def summary(runs: Runs, ranking: Ranking, notes: Sequence[str]) -> str:
    """The section that a page begins with."""
    better = "higher" if direction(runs.rows, ranking.metric) else "lower"
    facts = [("Runs", statuses(runs))]
    facts += [(f"Varied: {key}", values(runs, key)) for key in runs.keys]
    if len(runs.rows) > 1:
        within = " within each data set" if ranking.data else ""
        facts.append(("Ranked by", f"{ranking.metric}{within}, {better} is better"))
    if positives := [name for row in runs.rows if (name := row.positive) is not None]:
        facts.append(("Positive class", ", ".join(map(cell, dict.fromkeys(positives)))))
    spent = sum(row.seconds or 0.0 for row in runs.rows)
    facts.append(("Training time" if len(runs.rows) > 1 else "Time", duration(spent)))
    if len(runs.rows) == 1:
        score = value(runs.rows[0], ranking.metric)
        facts.insert(0, (ranking.metric, "-" if score is None else f"{score:.4g}"))
    parts = ['<section aria-labelledby="summary-heading">', '<h2 id="summary-heading">Summary</h2>']
    listing = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in facts)
    parts.append(f'<dl class="facts">{listing}</dl>')
    if ranking.data:
        names = ranking.data_sets
        listed = "; ".join(names[:8]) + (f"; and {len(names) - 8:,} more" if len(names) > 8 else "")
        parts.append(f'<p class="notes">{escape(SEVERAL.format(len(names), listed))}</p>')
    if len(runs.rows) > 1:
        parts.append(best(runs, ranking))
    parts += [f'<p class="notes">{escape(note)}</p>' for note in notes]
    return "\n".join([*parts, "</section>", failures(runs)])


def statuses(runs: Runs) -> str:
    count = Counter(row.status for row in runs.rows)
    text = ", ".join(f"{count[status]:,} {status}" for status in STATUSES if count[status])
    skipped = f"; {len(runs.skipped):,} combinations were skipped" if runs.skipped else ""
    return f"{len(runs.rows):,}: {text}{skipped}" if len(runs.rows) > 1 else text + skipped


def values(runs: Runs, key: str) -> str:
    """The values of one key: all of them where they are few."""
    found = list(dict.fromkeys(row.parameters.get(key) for row in runs.rows))
    numbers = [v for v in found if isinstance(v, (int, float)) and not isinstance(v, bool)]
    if len(found) > 8 and len(numbers) == len(found):
        return f"{len(found):,} values from {min(numbers)} to {max(numbers)}"
    more = f" and {len(found) - 8:,} more" if len(found) > 8 else ""
    return ", ".join(cell(value) for value in found[:8]) + more


def duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def best(runs: Runs, ranking: Ranking) -> str:
    """The best groups over seeds with their intervals, a table for each data set."""
    return "\n".join(
        standings(each) for each in tables(runs, over_seeds(runs.keys), ranking.metric)[:TABLES]
    )


def standings(found: Table) -> str:
    """The best groups of a data set."""
    groups, rows = found.ranking.every, []
    for each in groups[:GROUPS]:
        score = each.score
        mean = "-"
        if score is not None:
            low, high = (score.mean if end is None else end for end in (score.low, score.high))
            mean = spread(score.mean, low, high)
        # A narrow screen shows the score before it scrolls.
        cells = [
            (mean, "number"),
            *((cell(value), "") for value in each.group.values),
            (str(score.n if score else 0), "number"),
            (each.verdict.text, "long"),
        ]
        rows.append("".join(td(*each) for each in cells))
    heading = f"{found.groups.metric}, mean and 95 % interval"
    heads = [(heading, "number"), *((key, "") for key in found.groups.by), ("seeds", "number")]
    heads.append(("against the best", ""))
    several = len(groups) > 1
    first = f"The best {GROUPS} of {len(groups):,} groups" if len(groups) > GROUPS else "All groups"
    caption = f"{first if several else 'All runs'} over seeds" + (
        f" of {named(found)}" if found.data else ""
    )
    for line in tests(found, "t", None):
        caption += f". {line}"
    return table(caption, heads, rows)


def failures(runs: Runs) -> str:
    """What went wrong, with its messages; nothing if nothing did."""
    wrong = [row for row in runs.rows if row.status in WENT_WRONG]
    parts = []
    if wrong:
        parts.append(listing("Failures", runs.keys, wrong, "message"))
    if runs.skipped:
        parts.append(listing("Skipped combinations", runs.keys, runs.skipped, "reason"))
    return "\n".join(parts)


def listing(title: str, keys: Iterable[str], rows: Sequence[Row], what: str) -> str:
    keys = list(keys)
    lines = []
    for row in rows[:FAILURES]:
        cells = [
            (str(row.number), "number"),
            (row.status, f"status-{row.status}" if row.status in STATUSES else ""),
            *((cell(row.parameters.get(key)), "") for key in keys),
            (cut(row.message or ""), "long"),
        ]
        lines.append("".join(td(*each) for each in cells))
    anchor = title.lower().replace(" ", "-")
    count = f"{len(rows):,}" if len(rows) <= FAILURES else f"The first {FAILURES} of {len(rows):,}"
    heads = [("run", "number"), *((name, "") for name in ("status", *keys, what))]
    caption = f"{count} runs" if len(rows) > 1 else "1 run"
    state = " open" if len(rows) <= UNFOLDED else ""
    listed = table(f"Table of {title.lower()}", heads, lines)
    return (
        f'<section aria-labelledby="{anchor}"><h2 id="{anchor}">{title}</h2>'
        f"<details{state}><summary>{caption}</summary>{listed}</details></section>"
    )


def cut(message: str) -> str:
    return message if len(message) <= MESSAGE else message[:MESSAGE] + " ..."


def table(caption: str, heads: Iterable[tuple[str, str]], rows: Iterable[str]) -> str:
    head = "".join(element('th scope="col"', *each) for each in heads)
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption)}"><table>'
        f"<caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
    )


def td(content: str, kind: str) -> str:
    return element("td", content, kind)


def element(tag: str, content: str, kind: str) -> str:
    """
    Args:
        tag: with attributes.
        content: plain text.
        kind: a class; may be empty.
    """
    opening = f'<{tag} class="{kind}">' if kind else f"<{tag}>"
    return f"{opening}{escape(content)}</{tag.partition(' ')[0]}>"
