"""Functions of exp as plain functions of NumPy: the source itself, without what is of exp in it."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator, Mapping
from typing import Any

WRAPPERS = {"planar": 2, "Data.checked": 2, "Data.numbers": 2}
"""What exp's data sets return their rows in -> how many of its first arguments are the rows."""


def plain_function(function: Callable[..., Any], *, about: str, name: str = "") -> str:
    """The source of a function without decorators, annotations and defaults, which returns plain
    arrays where it returned an object of exp.

    Args:
        about: its docstring, a sentence.
        name: its name; "": as it is.
    """
    source = textwrap.dedent(inspect.getsource(inspect.unwrap(function)))
    tree = ast.parse(source).body[0]
    assert isinstance(tree, ast.FunctionDef)
    lines = source.split("\n")
    first = tree.body[1] if ast.get_docstring(tree) is not None else tree.body[0]
    begin = tree.body[0].end_lineno if first is not tree.body[0] else first.lineno - 1
    body = "\n".join(lines[begin : tree.end_lineno])
    for old, new in unwrapped(tree, source):
        body = body.replace(old, new)
    parameters = [each.arg for each in (*tree.args.args, *tree.args.kwonlyargs)]
    head = f"def {name or tree.name}({', '.join(parameters)}):"
    return f'{head}\n    """{about}"""\n{body}'


def unwrapped(tree: ast.AST, source: str) -> Iterator[tuple[str, str]]:
    """What a function returns -> the plain arrays of it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Return) and isinstance(node.value, ast.Call):
            count = WRAPPERS.get(ast.unparse(node.value.func), 0)
            if count:
                parts = [ast.get_source_segment(source, each) for each in node.value.args[:count]]
                old = ast.get_source_segment(source, node) or ""
                yield old, f"return {', '.join(part or '' for part in parts)}"


def names_in(function: Callable[..., Any]) -> dict[str, Any]:
    """The global names that a function uses in its body, with their values."""
    found = inspect.unwrap(function)
    tree = ast.parse(textwrap.dedent(inspect.getsource(found))).body[0]
    assert isinstance(tree, ast.FunctionDef)
    known: Mapping[str, Any] = found.__globals__
    used = {
        node.id
        for statement in tree.body
        for node in ast.walk(statement)
        if isinstance(node, ast.Name)
    }
    return {name: known[name] for name in sorted(used) if name in known}
