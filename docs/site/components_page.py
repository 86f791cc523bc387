"""A directive for the site, `{components}`: every packaged component of every group, from the
signatures and docstrings that `exp list GROUP OPTION` reads too."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

import exp.registry.kinds  # noqa: F401 - declares the kinds
from exp.cli import list as listing
from exp.registry import docstrings
from exp.registry.component import Component, Kind
from exp.registry.registry import register

SECTIONS = re.compile(r"^(?:Args|Attributes|Raises|Returns):\n(?: +.*(?:\n|$)|\n)*", re.MULTILINE)


def page() -> Iterator[str]:
    """Lines of Markdown."""
    for name in sorted(register.kinds):
        kind = register.kinds[name]
        yield from (f"## {name}", "", sentence(kind.about), "")
        for option in kind.names():
            if kind.components[option].builder.__module__.startswith("exp."):
                yield from described(kind, kind.components[option])


def described(kind: Kind, component: Component) -> Iterator[str]:
    text = inspect.getdoc(component.builder) or ""
    yield from (f"### `{kind.name}={component.name}`", "", SECTIONS.sub("", text).strip(), "")
    about = docstrings.parameters(component.builder)
    rows = [
        (f"`{kind.name}.{name}`", f"`{listing.default(parameter)}`", about.get(name, ""))
        for name, parameter in component.declared.items()
    ]
    if rows:
        yield from table(["key", "default", ""], rows)
    if component.common:
        keys = [f"`{kind.name}.{k} = {listing.default(p)}`" for k, p in component.common.items()]
        said = " ".join((inspect.getdoc(kind.common) or "").split())
        yield from (f"{', '.join(keys)}: {said}", "")


def table(heads: list[str], rows: list[tuple[str, str, str]]) -> Iterator[str]:
    """A table in Markdown, without a column that is empty."""
    width = 3 if any(said for _, _, said in rows) else 2
    for cells in (heads, ["---"] * 3, *rows):
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells[:width]) + " |"
    yield ""


def sentence(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".") + "." if text else ""


class Components(SphinxDirective):
    def run(self) -> list[nodes.Node]:
        return self.parse_text_to_nodes("\n".join(page()), allow_section_headings=True)


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("components", Components)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
