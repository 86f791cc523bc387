"""Published against measured as one HTML page that needs nothing beside it."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape

from exp.published.text import LEGEND, first_picture, grids
from exp.published.verdict import Verdict

STYLE = """
:root { color-scheme: light dark; --line: #8884; --bad: #b3261e; --good: #1b6e3c; }
@media (prefers-color-scheme: dark) { :root { --bad: #ffb4ab; --good: #8fd8a8; } }
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { border-bottom: 1px solid var(--line); padding: .2rem .8rem .2rem 0; text-align: left; }
.wide { overflow-x: auto; }
.good { color: var(--good); } .bad { color: var(--bad); font-weight: bold; }
img { max-width: 100%; height: auto; } code { overflow-wrap: anywhere; }
"""


def page(verdicts: Sequence[Verdict]) -> str:
    """The HTML of all tables: a summary, then each with its numbers and a boundary."""
    met = sum(verdict.reproduced for verdict in verdicts)
    lines = "".join(
        f'<tr><td><a href="#{name}">{name}</a></td><td>{escape(verdict.table.title)}</td>'
        f"<td{mark(verdict.reproduced)}>{escape(verdict.sentence)}</td></tr>"
        for verdict in verdicts
        for name in [escape(verdict.table.name)]
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "img-src data:; style-src 'unsafe-inline'\">"
        f"<title>Published tables, reproduced</title><style>{STYLE}</style></head><body><main>"
        f"<h1>Published tables, reproduced</h1><p>{met} of {len(verdicts)} tables. {LEGEND}</p>"
        f'<div class="wide" tabindex="0"><table><thead><tr><th>table</th><th>what</th>'
        f"<th>verdict</th></tr></thead><tbody>{lines}</tbody></table></div>"
        f"{''.join(map(section, verdicts))}</main></body></html>\n"
    )


def section(verdict: Verdict) -> str:
    table = verdict.table
    source = escape(table.source)
    if table.url:
        source = f'<a href="{escape(table.url)}">{source}</a>'
    pieces = [
        (
            f'<section id="{escape(table.name)}"><h2>{escape(table.title)}</h2>'
            f"<p>{source}. Tolerance: {escape(table.tolerance)}.</p>"
            f"<p><code>python -m exp experiment={escape(table.name)}</code></p>"
        )
    ]
    for heading, (header, *rows) in grids(verdict):
        if heading:
            pieces.append(f"<p><code>{escape(heading)}</code></p>")
        head = "".join(f"<th>{escape(cell)}</th>" for cell in header)
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row[:-1])
            + f"<td{mark(row[-1] == 'ok')}>{row[-1]}</td></tr>"
            for row in rows
        )  # fmt: skip
        pieces.append(
            f'<div class="wide" tabindex="0"><table><thead><tr>{head}</tr></thead>'
            f"<tbody>{body}</tbody></table></div>"
        )
    pieces.append(f"<p{mark(verdict.reproduced)}>{escape(verdict.sentence)}</p>")
    if (place := first_picture(verdict, table.parts[0])) is not None:
        data = base64.b64encode(place.read_bytes()).decode()
        alt = escape(f"Decision boundary of {table.name}")
        pieces.append(f'<img alt="{alt}" src="data:image/png;base64,{data}">')
    return "".join([*pieces, "</section>"])


def mark(good: bool) -> str:
    return f' class="{"good" if good else "bad"}"'
