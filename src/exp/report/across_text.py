"""The comparison over data sets as text."""

from __future__ import annotations

from collections.abc import Iterator

from exp.report.across import TESTS, Across, Method
from exp.report.cells import some_of
from exp.report.results import Results
from exp.report.results_text import problems, skips
from exp.report.statistics.corrections import pairs
from exp.report.statistics.verdicts import p_text, spread
from exp.report.test_rows import chosen_by_test_rows
from exp.util.text_tables import aligned, cell, count


def text(found: Across, results: Results) -> str:
    """Title, tests, a line for each method, notes, and which runs went wrong.

    Args:
        results: of the same runs.
    """
    base = results.runs.paths[0]
    runs = results.runs
    more = [*problems(runs.rows, base), *skips(runs.skipped), *runs.notes]
    head = [title(found, results), *tests(found)]
    warned = chosen_by_test_rows(results.runs.rows, found.cells.metric, len(found.methods))
    return "\n".join([*head, "", *table(found), "", *notes(found), *warned, *more])


def title(found: Across, results: Results) -> str:
    made = found.cells
    better = "higher" if made.higher else "lower"
    left = f" ({results.left_out} left out by --where)" if results.left_out else ""
    runs = count(len(results.runs.rows), "run")
    return (
        f"{cell(made.metric)} ({better} is better) of {runs}{left}: "
        f"{count(len(found.methods), 'method')} by {', '.join(map(cell, made.by))} over "
        f"{count(len(made.blocks), made.noun)} by {', '.join(map(cell, made.unit))}"
    )


def tests(found: Across) -> list[str]:
    """The tests, their unit and its number."""
    n, k = found.scores.shape
    sizes = sorted({len(block.scores) for block in found.cells.blocks})
    plural = "s" if sizes[-1] > 1 else ""
    kinds = dict.fromkeys(f"{block.design.unit}{plural}" for block in found.cells.blocks)
    each = f"{sizes[0]} to {sizes[-1]}" if sizes[1:] else f"{sizes[0]}"
    unit = f"each the mean over {each} {' or '.join(kinds)}"
    family = pairs(k)
    corrected = f"; p corrected by Holm for the {family} pairs of {k} methods"
    if found.test == "nemenyi":
        corrected = f"; for all {family} pairs; critical difference {found.critical:.3f}"
    over = count(n, found.cells.noun)
    lines = [
        f"Against the best: {TESTS[found.test]} over {over}, {unit}; two-sided"
        + (corrected if family > 1 else "")
    ]
    if found.friedman is not None:
        f = found.friedman
        lines.append(
            f"All alike: Friedman chi2({k - 1}) = {f.chi2:.3g}, {p_text(f.p)}; Iman-Davenport "
            f"F({k - 1}, {(k - 1) * (n - 1)}) = {f.f:.3g}, {p_text(f.p_f)}"
        )
    if found.margin is not None:
        lines.append(
            f"Equivalent: within {found.margin:g}, by two one-sided t-tests of the mean difference"
        )
    return lines


def table(found: Across) -> list[str]:
    """A line for each method."""
    by = [cell(key) for key in found.cells.by]
    header = [*by, "mean rank", "first", "wins/ties/losses", "interquartile", "against the best"]
    rows = [
        [
            *map(cell, each.values),
            f"{each.mean_rank:.2f}",
            str(each.first),
            f"{each.wins}/{each.ties}/{each.losses}" if each.effect else "-",
            middle(each),
            each.verdict.text,
        ]
        for each in found.methods
    ]
    return aligned([header, *rows], [len(by), len(by) + 1])


def middle(each: Method) -> str:
    """The interquartile mean of the differences and its interval."""
    if each.middle is None:
        return "-"
    if each.middle.low is None or each.middle.high is None:
        return f"{each.middle.value:.3g}"
    return spread(each.middle.value, each.middle.low, each.middle.high)


def notes(found: Across) -> Iterator[str]:
    """What the numbers mean, and what was not compared."""
    made = found.cells
    yield (
        f"Mean rank: 1 is the best on each {made.noun}; first: {made.noun}s on which no method is "
        "better; wins, ties and losses: against the best method."
    )
    yield (
        "Differences are positive where the best method is better, with 95 % intervals: behind the "
        f"verdict the mean over {made.noun}s (random effects), before it the interquartile mean."
    )
    if made.left_out:
        parts = [
            f"{name} (no score of {some_of(lacking)})" if lacking else f"{name} (no common seed)"
            for name, lacking in made.left_out.items()
        ]
        yield f"Left out: {some_of(parts)}."
    if made.without:
        yield f"Not compared, as they have no score on any {made.noun}: {some_of(made.without)}."
    unused = [
        f"{total} of {method} on {block.name}"
        for block in made.blocks
        for method, total in block.unused.items()
    ]
    if unused:
        yield f"Scores not used, as not every method has them: {some_of(unused)}."
    if incomplete := sum(block.incomplete for block in made.blocks):
        yield (
            f"{count(incomplete, 'seed')} not used: a round of folds counts once all its folds are "
            "there."
        )
    if made.other:
        sizes = sorted({block.settings for block in made.blocks})
        number = f"{sizes[0]} to {sizes[-1]}" if sizes[1:] else f"{sizes[0]}"
        keys = ", ".join(map(cell, made.other))
        yield f"Compared within each value of {keys} ({number} on a {made.noun}), then averaged."
