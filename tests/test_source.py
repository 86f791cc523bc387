"""What keeps the source easy to read: imports at the top of a module, and short files."""

from __future__ import annotations

import ast
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
