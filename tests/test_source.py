"""What keeps the source easy to read: imports at the top of a module, short files, few private
names of other packages."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1] / "src"
MODULES = {path: path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.py")}


def inside_functions(text: str) -> set[int]:
    """The lines of imports that stand in a function."""
    functions = [
        node
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    return {
        node.lineno
        for function in functions
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }


def test_an_import_in_a_function_is_found() -> None:
    text = "import a\ndef f():\n    import b\n    def g():\n        from c import d\n"
    assert inside_functions(text) == {3, 5}


def test_modules_import_at_their_top() -> None:
    """But for what start-up must not wait for: torch, pandas, matplotlib, optional packages."""
    found = {
        path.name: len(lines) for path, text in MODULES.items() if (lines := inside_functions(text))
    }
    assert sum(found.values()) <= 60, found


def test_files_are_short() -> None:
    assert {path.name for path, text in MODULES.items() if text.count("\n") > 350} == set()


def test_every_package_is_installed() -> None:
    """An editable install finds the others too, a wheel does not."""
    listed = tomllib.loads((SOURCE.parent / "pyproject.toml").read_text())["tool"]["setuptools"]
    found = {path.parent.relative_to(SOURCE) for path in MODULES if path.name == "__init__.py"}
    assert {".".join(path.parts) for path in found} <= set(listed["packages"])


PUBLIC = {"_asdict", "_replace", "_exit"}
"""Names with an underscore that are documented: of a named tuple, and `os._exit`."""


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
    for text in MODULES.values():
        tree = ast.parse(text)
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
    text = (SOURCE.parent / "docs/architecture.md").read_text()
    section = text.split("## Private names of other libraries\n")[1].split("\n## ")[0]
    assert private_names() == set(re.findall(r"^\| `(\w+)` \|", section, re.M))
    assert len(private_names()) <= 10
