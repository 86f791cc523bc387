"""One HTML page of a bench: no script, nothing beside it, the same bytes every time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from shlex import join

from exp.cli.bench.pictures import Picture, pictures
from exp.cli.bench.standings import Cell, Comparison, Standing
from exp.report.page.plain import address, plain_page
from exp.report.statistics.profiles import MOST_RATIO
from exp.util.packages import installed
from exp.util.text_tables import count

STYLE = """
figure { overflow-x: auto; } img { max-width: 100%; min-width: 36rem; height: auto; }
li { max-width: 48rem; margin: .3rem 0; }
td.best { font-weight: 700; color: var(--good); } td.worse { color: var(--soft); }
thead th { vertical-align: bottom; } .turned th:not(.name) span { writing-mode: vertical-rl;
  transform: rotate(180deg); }
code { overflow-wrap: anywhere; }
td code { white-space: normal; display: inline-block; min-width: 12rem; }
"""


def page(found: Comparison, command: str) -> str:
    """All of a bench.

    Args:
        command: that makes it.
    """
    suite = found.suite
    title = (
        f"{count(len(found.optimizers), 'optimizer')} on {count(len(found.datasets), 'data set')}, "
        f"{suite.seeds.count} seeds"
    )
    runs = len(found.datasets) * len(found.optimizers) * suite.seeds.count
    drawn = "\n".join(map(figure, pictures(found)))
    return plain_page(
        title,
        f"""<h1>{title}</h1>
<p>{runs:,} runs, each with a learning rate that was tuned for its optimizer and data set with other
seeds. All optimizers had the same model, rows, first weights, mini-batches and number of
epochs.</p>
<p class="soft">Made by <code>{escape(command)}</code>, exp {installed("exp")},
torch {installed("torch")}.</p>
<h2 id="standings">Over all data sets</h2>
{standings(found)}
{friedman(found)}
{drawn}
<h2 id="accuracy">Test accuracy in percent</h2>
<p>Means over {suite.seeds.count} seeds. The best of each data set is <b>bold</b>; those that are
shown to be worse than it are grey: paired t-tests over seeds at 5 %, corrected by Holm for their
number on the data set, and for the rows that splits of one table share (Nadeau and Bengio).</p>
{grid(found, accuracy)}
<h2 id="times">Time to target</h2>
<p>Gradients until the accuracy of validation rows reaches the target, in the median over seeds.
A dash: half of the runs never reach it. In brackets the percentage that do, where not all do.</p>
{grid(found, time, found.aimed)}
<h2 id="rates">Learning rates</h2>
<p>The chosen ones. A star marks the lowest or highest of those that were tried: a better one may
lie beyond.</p>
{grid(found, rate)}
<h2 id="setup">What was run</h2>
{datasets(found)}
{optimizers(found)}
<p>Every run: <code>{escape(join(suite.every))}</code></p>
{user(found)}
<h2 id="limits">What this can tell, and what not</h2>
{limits(found)}""",
        STYLE,
    )


def figure(each: Picture) -> str:
    light, dark = (address(each.encoded(theme)) for theme in ("light", "dark"))
    caption = escape(each.caption)
    return f"""<figure tabindex="0" id="{each.name}"><picture>
<source media="(prefers-color-scheme: dark)" srcset="{dark}">
<img alt="{caption}" src="{light}"></picture><figcaption>{caption}</figcaption></figure>"""


def table(
    header: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1, kind: str = ""
) -> str:
    """A table of cells that are HTML.

    Args:
        left: columns that are aligned to the left; the others are numbers.
        kind: CSS class.
    """
    head = "".join(
        f'<th scope="col"{" class=name" * (at < left)}><span>{text}</span></th>'
        for at, text in enumerate(header)
    )
    lines = []
    for row in rows:
        cells = (
            text if text.startswith("<td") else f"<td{' class=name' * (at < left)}>{text}</td>"
            for at, text in enumerate(row)
        )
        lines.append(f"<tr>{''.join(cells)}</tr>")
    return (
        f'<div class="wide" tabindex="0"><table class="{kind}"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )


def standings(found: Comparison) -> str:
    header = (
        "optimizer", "mean rank", "best on", "not worse on", "points lost (IQM)", "time score",
        "runs at target", "diverged", "rate at an edge",
    )  # fmt: skip
    explained = f"""<p class="soft">Ranks are by mean test accuracy. "Not worse on": data sets on
which it is not shown to be worse than the best. Points lost: how much lower its accuracy is than
the mean of the best optimizer on the same data set, in percentage points, as interquartile mean
over all runs with its 95 % bootstrap interval. Time score: mean height of the profile below, up to
{MOST_RATIO:g} times the fastest optimizer, 1 at most (AlgoPerf).</p>"""
    return table(header, [line(each, len(found.datasets)) for each in found.standings]) + explained


def line(each: Standing, total: int) -> list[str]:
    lost = f"{each.lost.value:.2f}"
    if each.lost.low is not None and each.lost.high is not None:
        lost += f" ({each.lost.low:.2f} to {each.lost.high:.2f})"
    return [
        escape(each.name),
        f"{each.rank:.2f}",
        str(each.first),
        f"{each.near} of {total}",
        lost,
        "-" if each.score is None else f"{each.score:.2f}",
        "-" if each.reached is None else f"{100 * each.reached:.1f} %",
        str(each.diverged),
        f"{each.edge} of {total}",
    ]


def friedman(found: Comparison) -> str:
    test = found.friedman
    if test is None:
        return ""
    p = "p&lt;0.001" if test.p_f < 0.001 else f"p={test.p_f:.3f}"
    says = "differ" if test.p_f <= 0.05 else "are not shown to differ"
    return f"<p>Friedman's test (Iman and Davenport): the mean ranks {says}, {p}.</p>"


def grid(found: Comparison, shown: object, places: Sequence[int] | None = None) -> str:
    """A row for each data set, a column for each optimizer, the best mean rank first."""
    order = [found.optimizers.index(each.name) for each in found.standings]
    header = ["data set", *(escape(found.optimizers[place]) for place in order)]
    rows = []
    for at in range(len(found.datasets)) if places is None else places:
        cells = found.cells[at]
        best = max(cell.accuracy.mean for cell in cells)
        each = [shown(cells[place], best) for place in order]  # type: ignore[operator]
        rows.append([escape(found.datasets[at]), *each])
    return table(header, rows, kind="turned")


def accuracy(cell: Cell, best: float) -> str:
    kind = "best" if cell.accuracy.mean == best else "worse" if cell.worse else ""
    low, high = cell.accuracy.low, cell.accuracy.high
    about = "" if low is None or high is None else f' title="{100 * low:.2f} to {100 * high:.2f}"'
    return f'<td class="{kind}"{about}>{100 * cell.accuracy.mean:.1f}</td>'


def time(cell: Cell, best: float) -> str:
    text = "-" if cell.time is None else f"{cell.time:,.0f}"
    if cell.reached is not None and cell.reached < 1:
        text += f" ({100 * cell.reached:.0f})"
    return text


def rate(cell: Cell, best: float) -> str:
    return "-" if cell.rate is None else f"{cell.rate:g}{'*' if cell.edge else ''}"


def datasets(found: Comparison) -> str:
    rows = []
    for each, shapes, epochs, steps, fixed in zip(
        found.suite.datasets, found.rows, found.epochs, found.steps, found.tables, strict=True
    ):
        rows.append(
            [
                escape(each.name),
                f"<code>{escape(join(each.words))}</code>",
                "one table, split anew" if fixed else "drawn anew",
                *map(str, shapes), str(epochs), f"{steps:,}",
                "-" if each.target is None else f"{each.target:g}",
            ]
        )  # fmt: skip
    header = (
        "data set", "overrides", "rows of each seed", "training", "validation", "test", "epochs",
        "steps", "target",
    )  # fmt: skip
    return table(header, rows, 3)


def optimizers(found: Comparison) -> str:
    rows = []
    for place, each in enumerate(found.suite.optimizers):
        rates = found.tried[place]
        note = "" if each.gradients == 1 else f" {each.gradients} gradients for each step"
        rows.append(
            [
                escape(each.name),
                f"<code>{escape(join(each.words))}</code>{note}",
                ", ".join(f"{rate:g}" for rate in rates) or "-",
            ]
        )
    return table(("optimizer", "overrides", "learning rates tried"), rows, 3)


def user(found: Comparison) -> str:
    words = found.suite.user
    return f"<p>And for this bench: <code>{escape(join(words))}</code></p>" if words else ""


def limits(found: Comparison) -> str:
    return f"<ul>{''.join(f'<li>{escape(text)}</li>' for text in sentences(found))}</ul>"


def sentences(found: Comparison) -> Iterator[str]:
    """What a reader must know before believing any of it."""
    tuning = found.suite.tuning
    yield (
        "It compares optimizers for small networks and small tables on a CPU. It says nothing "
        "about large networks, images or texts."
    )
    yield (
        "Only the learning rate is tuned. Everything else, such as momentum or weight decay, is as "
        "listed or exp's default, and the rate is constant unless the overrides above name a "
        "schedule. An optimizer that lives from a schedule or from another setting can do better "
        "than it does here."
    )
    yield (
        f"A rate is chosen by its mean validation loss over {count(tuning.count, 'run')}, at the "
        "epoch with the lowest one. That is little, and the same for all: a neighbouring rate is "
        "often as good. Where many of an optimizer's rates stand at an edge, it was tuned too "
        "narrowly."
    )
    yield (
        "The budget is a number of epochs, not of seconds: a step of muon or soap takes several "
        "times as long as one of sgd, and one of sam takes two gradients, which the time to target "
        "counts."
    )
    if found.aimed:
        yield (
            "Times to target are whole epochs, and rates are tuned for the lowest loss, not for "
            "the shortest time: with a larger one an optimizer may get there sooner and end worse."
        )
    yield (
        "Test accuracy is that of the epoch with the lowest validation loss, so that overfitting "
        "after it does not count against an optimizer."
    )
    if any(found.tables):
        yield (
            "Of a table that is split anew for each seed, rows of the tuning runs are test rows of "
            "others; that favours no optimizer, but the accuracies are slightly too high. What is "
            "said holds for this table."
        )
    yield (
        "Ranks over data sets take each data set as one observation. These were chosen because "
        "they are at hand, not drawn from what people work on, and several are alike: a "
        "difference over them need not hold elsewhere."
    )
    yield (
        "A difference that is shown need not matter: with this many seeds, tenths of a percentage "
        "point are."
    )
