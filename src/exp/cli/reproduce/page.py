"""One HTML page of measured tables: no script, nothing beside it."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from html import escape

from exp.cli.reproduce.curves import pictures
from exp.cli.reproduce.measure import Reproduction
from exp.cli.reproduce.published import Table, verdict
from exp.cli.reproduce.table_cells import Grid, grids
from exp.report.page.document import clean

POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'"
)
STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --soft: #59636e; --line: #d1d9e0;
  --link: #0969da; --bad: #cf222e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --paper: #0d1117; --soft: #9198a1;
  --line: #3d444d; --link: #58a6ff; --bad: #ff7b72; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
h2 { margin: 3rem 0 .3rem; } p { max-width: 48rem; margin: .3rem 0; }
.soft { color: var(--soft); } a { color: var(--link); overflow-wrap: anywhere; }
.wide { overflow-x: auto; } table { border-collapse: collapse; margin: .8rem 0; font-size: 13px; }
th, td { padding: .2rem .7rem; border-bottom: 1px solid var(--line); text-align: right;
  white-space: nowrap; font-variant-numeric: tabular-nums; }
th.name, td.name { text-align: left; } tr.differs td:last-child, td.differs { color: var(--bad);
  font-weight: 600; } td.shown { color: var(--soft); }
.curves { display: flex; flex-wrap: wrap; gap: 1rem; } figure { margin: .5rem 0; }
figcaption { color: var(--soft); font-size: 13px; } img { width: 420px; max-width: 100%; }
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
    text = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}">
<meta name="viewport" content="width=device-width">
<title>Reproduced: {good} of {len(every)} tables</title>
<style>{STYLE}</style>
</head>
<body>
<h1>{good} of {len(every)} published tables reproduced</h1>
<p>Cells are <i>published / measured</i>; numbers in brackets are not compared. In the pictures
lines are measured and dots published. Epochs count from 0.</p>
<p class="soft">Runs: {escape(str(runs.path))}</p>
<div class="wide"><table>{rows}</table></div>
{body}
</body>
</html>
"""
    return clean(text)


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
    data = b64encode(svg).decode()
    return f'<img alt="{escape(caption)}" src="data:image/svg+xml;base64,{data}">'


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
