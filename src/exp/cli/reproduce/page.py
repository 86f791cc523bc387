"""One HTML page of measured tables: no script, nothing beside it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from exp.cli.reproduce.curves import pictures
from exp.cli.reproduce.measure import Reproduction
from exp.cli.reproduce.published import Table, verdict
from exp.cli.reproduce.table_cells import Grid, grids
from exp.report.page.plain import address, plain_page

STYLE = """
tr.differs td:last-child, td.differs { color: var(--bad); font-weight: 600; }
td.shown { color: var(--soft); } img { width: 420px; max-width: 100%; }
.curves { display: flex; flex-wrap: wrap; gap: 1rem; }
"""


def page(every: Sequence[Table], runs: Reproduction) -> str:
    """All tables, each with the curves of its losses."""
    good = sum(table.verdict == "reproduced" for table in every)
    rows = "".join(
        f'<tr class="{table.verdict}"><td class="name"><a href="#{table.name}">'
        f'{table.name}</a></td><td class="name">{escape(table.title)}</td>'
        f'<td class="name">{table.summary}</td></tr>'
        for table in every
    )
    body = "\n".join(section(table, runs) for table in every)
    return plain_page(
        f"Reproduced: {good} of {len(every)} tables",
        f"""<h1>{good} of {len(every)} published tables reproduced</h1>
<p>Cells are <i>published / measured</i>; numbers in brackets are not compared. In the pictures
lines are measured and dots published. Epochs count from 0.</p>
<p class="soft">Runs: {escape(str(runs.path))}</p>
<div class="wide"><table>{rows}</table></div>
{body}""",
        STYLE,
    )


def section(table: Table, runs: Reproduction) -> str:
    link = ""
    if table.url is not None:
        link = f' <a href="{escape(table.url)}">{escape(table.url)}</a>'
    figures = "".join(
        f"<figure><figcaption>{escape(caption)}</figcaption>{image(caption, svg)}</figure>"
        for caption, svg in pictures(table, runs)
    )
    grid = "\n".join(tabled(each) for each in grids(table))
    return f"""<section id="{table.name}">
<h2>{escape(table.title)}</h2>
<p class="soft">{table.name}. {escape(table.source)}{link}</p>
<p>{escape(table.note)}</p>
<p><b>{table.summary}</b></p>
<div class="curves">{figures}</div>
{grid}
</section>"""


def image(caption: str, svg: bytes) -> str:
    return f'<img alt="{escape(caption)}" src="{address(svg)}">'


def tabled(grid: Grid) -> str:
    def named(at: int) -> bool:
        return at < grid.first - 1 or at >= len(grid.header) - 2

    head = "".join(
        f'<th scope="col"{" class=name" * named(at)}>{escape(text)}</th>'
        for at, text in enumerate(grid.header)
    )
    lines = []
    for row, cells in zip(grid.rows, grid.lines, strict=True):
        kinds = dict(enumerate(row, grid.first))
        parts = []
        for at, text in enumerate(cells):
            number = kinds.get(at)
            kind = "name" if named(at) else number.verdict if number is not None else ""
            parts.append(f'<td class="{kind}">{escape(text)}</td>')
        lines.append(f'<tr class="{verdict(row)}">{"".join(parts)}</tr>')
    return f'<div class="wide"><table><tr>{head}</tr>{"".join(lines)}</table></div>'
