"""The HTML of a page: one text that needs nothing beside it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from html import escape
from importlib.resources import files
from string import Template

SCRIPTS = (
    "element", "blocks", "runs", "selection", "theme", "thumbnails", "table", "filters", "axis",
    "brush", "parallel", "scatter", "curves", "player", "rows", "boundary", "detail", "script",
    "figures", "main",
)  # fmt: skip
"""The files of the page's own script, in their order."""


def document(
    title: str, summary: str, blocks: Mapping[str, str], runs: int, figures: str = ""
) -> str:
    """The page.

    Args:
        title: plain text.
        summary: HTML.
        blocks: name -> base64.
        runs: how many: a page of one has no table and no charts over runs, and begins with the run.
        figures: HTML, the figures of a single run.
    """
    code = "\n".join(asset(f"{name}.js") for name in SCRIPTS)
    # One function: the page's names are not the libraries'.
    script = f'\n(() => {{\n"use strict";\n{code}}})();\n'
    run = Template(asset("run.html")).substitute(figures=figures) if runs else ""
    summary = clean(summary)
    if runs > 1:
        body = "\n".join([summary, Template(asset("sweep.html")).substitute(run=run)])
    else:
        body = "\n".join([run, summary])
    return Template(asset("page.html")).substitute(
        policy=escape(policy(script)),
        title=escape(clean(title)),
        style=asset("page.css"),
        first="runs" if runs > 1 else "run",
        body=body,
        blocks="\n".join(
            f'<script type="text/plain" id="block-{name}">{data}</script>'
            for name, data in blocks.items()
        ),
        script=f"<script>{script}</script>",
    )


def asset(name: str) -> str:
    return (files(__package__) / "assets" / name).read_text(encoding="utf-8")


def policy(script: str) -> str:
    """What a browser lets the page do: run this script and the libraries that it unpacks, show the
    pictures that are in it, and ask nobody for anything."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src 'sha256-{digest}' blob:",
            # Plotly puts its style sheet together as it goes.
            "style-src 'unsafe-inline'",
            "img-src data: blob:",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )


def clean(text: str) -> str:
    """Without single surrogates, which have no UTF-8."""
    return text.encode("utf-8", "replace").decode("utf-8")
