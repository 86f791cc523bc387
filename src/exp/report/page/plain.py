"""A page of text, tables and pictures: no script, and nothing beside the file."""

from __future__ import annotations

from base64 import b64encode
from html import escape

from exp.report.page.document import clean

POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'"
)
STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --soft: #59636e; --line: #d1d9e0;
  --link: #0969da; --bad: #cf222e; --good: #1a7f37; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --paper: #0d1117; --soft: #9198a1;
  --line: #3d444d; --link: #58a6ff; --bad: #ff7b72; --good: #56d364; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
h2 { margin: 3rem 0 .3rem; } p { max-width: 48rem; margin: .3rem 0; }
.soft { color: var(--soft); } a { color: var(--link); overflow-wrap: anywhere; }
.wide { overflow-x: auto; } table { border-collapse: collapse; margin: .8rem 0; font-size: 13px; }
th, td { padding: .2rem .7rem; border-bottom: 1px solid var(--line); text-align: right;
  white-space: nowrap; font-variant-numeric: tabular-nums; }
th.name, td.name { text-align: left; } figure { margin: .5rem 0; }
figcaption { color: var(--soft); font-size: 13px; }
"""


def plain_page(title: str, body: str, style: str = "") -> str:
    """A page.

    Args:
        title: of the window, plain text.
        body: HTML.
        style: CSS besides `STYLE`.
    """
    return clean(f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}">
<meta name="viewport" content="width=device-width">
<title>{escape(title)}</title>
<style>{STYLE}{style}</style>
</head>
<body>
{body}
</body>
</html>
""")


def address(svg: bytes) -> str:
    """An SVG as an address that a page can name."""
    return f"data:image/svg+xml;base64,{b64encode(svg).decode()}"
