"""Limits of the house that the import contract does not hold: lazy imports and private names."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from reading import ROOT

SOURCE = ROOT / "src"
FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef
PUBLIC = {"_asdict", "_replace", "_exit"}
"""Names with an underscore that are documented: of a named tuple, and `os._exit`."""


def modules() -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted(SOURCE.rglob("*.py")):
        yield path, ast.parse(path.read_text())


def is_private(name: str) -> bool:
    return re.match(r"_[^_]", name) is not None and name not in PUBLIC


def own_names(tree: ast.AST) -> set[str]:
    """What a module defines itself, be it as an attribute of `self`."""
    found = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
    }
    named = (ast.FunctionDef, ast.ClassDef)
    return found | {node.name for node in ast.walk(tree) if isinstance(node, named)}


def private_names() -> set[str]:
    """Private names of other packages: imported ones, and attributes of anything but `self`."""
    found = set()
    for _, tree in modules():
        own = own_names(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                where = node.module or ""
                inside = any(is_private(part) for part in where.split("."))
                found |= {a.name for a in node.names if inside or is_private(a.name)}
            elif isinstance(node, ast.Import):
                names = [each.name for each in node.names]
                found |= {n for n in names if any(map(is_private, n.split(".")))}
            elif isinstance(node, ast.Attribute) and is_private(node.attr):
                of_self = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
                overridden = isinstance(node.value, ast.Call)  # super()._name
                if not of_self and (overridden or node.attr not in own):
                    found.add(node.attr)
    return found


def test_private_names_of_other_packages_are_few_and_each_has_its_reason() -> None:
    text = (ROOT / "docs/architecture.md").read_text()
    section = text.split("## Private names of other libraries\n")[1].split("\n## ")[0]
    assert private_names() == set(re.findall(r"^\| `(\w+)` \|", section, re.M))
    assert len(private_names()) <= 10


def test_few_imports_stand_inside_functions() -> None:
    found = {
        (path, each.lineno)
        for path, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, FUNCTIONS)
        for each in ast.walk(node)
        if isinstance(each, ast.Import | ast.ImportFrom)
    }
    assert len(found) <= 60
