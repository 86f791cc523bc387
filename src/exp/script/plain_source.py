"""Functions of exp as plain functions of NumPy: the source itself, without what is of exp in it."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

WRAPPERS = {
    "planar": slice(0, 2),
    "Data.checked": slice(0, 2),
    "Data.numbers": slice(0, 2),
    "from_values": slice(2, 3),
}
"""What functions of exp return their arrays in -> which of its arguments these are."""


def tree_of(function: Callable[..., Any]) -> tuple[ast.FunctionDef, str]:
    """The syntax tree of a function, and its source."""
    source = textwrap.dedent(inspect.getsource(inspect.unwrap(function)))
    tree = ast.parse(source).body[0]
    assert isinstance(tree, ast.FunctionDef)
    return tree, source


def plain_function(function: Callable[..., Any], *, about: str, name: str = "") -> str:
    """The source of a function without decorators, annotations and defaults, which returns plain
    arrays where it returned an object of exp.

    Args:
        about: its docstring, a sentence.
        name: its name; "": as it is.
    """
    tree, source = tree_of(function)
    first = tree.body[0]
    begin = first.lineno - 1 if ast.get_docstring(tree) is None else first.end_lineno
    body = "\n".join(source.split("\n")[begin : tree.end_lineno])
    for old, new in replaced(tree, source):
        body = body.replace(old, new)
    parameters = [each.arg for each in (*tree.args.args, *tree.args.kwonlyargs)]
    head = f"def {name or tree.name}({', '.join(parameters)}):"
    return returned_at_once(f'{head}\n    """{about}"""\n{body}')


def returned_at_once(code: str) -> str:
    """A function that ends with `name = value`, `return name` -> one that ends with `return value`:
    exp's own functions name the value for its type."""
    tree = ast.parse(code).body[0]
    assert isinstance(tree, ast.FunctionDef)
    before, last = tree.body[-2:]
    if not (isinstance(before, ast.Assign) and isinstance(last, ast.Return) and last.value):
        return code
    name = ast.unparse(last.value)
    if [ast.unparse(target) for target in before.targets] != [name]:
        return code
    lines = code.split("\n")[: before.end_lineno]
    lines[before.lineno - 1] = lines[before.lineno - 1].replace(f"{name} =", "return", 1)
    return "\n".join(lines)


def replaced(tree: ast.AST, source: str) -> Iterator[tuple[str, str]]:
    """What stands in a function -> what stands there in a script."""

    def text(node: ast.AST) -> str:
        return ast.get_source_segment(source, node) or ""

    for node in ast.walk(tree):
        if isinstance(node, ast.Return) and isinstance(node.value, ast.Call):
            arguments = WRAPPERS.get(ast.unparse(node.value.func))
            if arguments is not None:
                yield text(node), f"return {', '.join(map(text, node.value.args[arguments]))}"
        if isinstance(node, ast.AnnAssign) and node.value is not None:
            yield text(node), f"{text(node.target)} = {text(node.value)}"


def names_in(function: Callable[..., Any]) -> dict[str, Any]:
    """The global names that a function uses in its body, in the order of their use, with their
    values."""
    found = inspect.unwrap(function)
    tree, _ = tree_of(found)
    names: dict[str, Any] = {}
    for statement in tree.body:
        annotations = {
            id(part)
            for node in ast.walk(statement)
            if isinstance(node, ast.AnnAssign)
            for part in ast.walk(node.annotation)
        }
        for node in ast.walk(statement):
            known = isinstance(node, ast.Name) and node.id in found.__globals__
            if known and id(node) not in annotations:
                assert isinstance(node, ast.Name)
                names[node.id] = found.__globals__[node.id]
    return names
