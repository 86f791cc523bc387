"""Python code as `ruff format` writes it, in lines of at most 100 characters."""

from __future__ import annotations

import ast
import math
import re
import sys
from collections.abc import Iterable, Sequence
from typing import Any

WIDTH = 100
"""Largest length of a line."""
FORM = re.compile(r"from (?P<module>[\w.]+) import (?P<name>\w+)( as (?P<alias>\w+))?")


def text(value: object) -> str:
    """A text in double quotes, or in single ones if these need fewer escapes; a number; True, False
    or None."""
    if isinstance(value, float) and not math.isfinite(value):
        return f'float("{value}")'
    if not isinstance(value, str):
        return repr(value).replace("e+", "e")
    inner = repr(value + "'\"")[1:-4].replace("\\'", "'")  # its escapes, but not those of quotes
    quote = '"' if value.count('"') <= value.count("'") else "'"
    return quote + inner.replace(quote, f"\\{quote}") + quote


def literal(value: Any, before: str = "", after: str = "", indent: int = 0) -> str:
    """A value as code between two texts, on several lines if it does not fit on one.

    Args:
        value: texts, numbers, truth values, None, and lists, tuples and dicts of them.
        before: what comes before it on its line, such as `classes = `.
        after: what follows it.
        indent: of the line, in spaces.
    """
    if isinstance(value, dict):
        items = [f"{text(key)}: {literal(item)}" for key, item in value.items()]
        return bracketed(items, f"{before}{{", f"}}{after}", indent)
    if isinstance(value, list):
        return bracketed([literal(item) for item in value], f"{before}[", f"]{after}", indent)
    if isinstance(value, tuple):
        items = [literal(item) for item in value]
        if len(items) == 1:
            return f"{' ' * indent}{before}({items[0]},){after}"
        return bracketed(items, f"{before}(", f"){after}", indent)
    return f"{' ' * indent}{before}{text(value)}{after}"


def call(
    function: str,
    arguments: Sequence[str] = (),
    before: str = "",
    after: str = "",
    indent: int = 0,
    **named: Any,
) -> str:
    """A call as code, on several lines if it does not fit on one.

    Args:
        function: its name.
        arguments: positional arguments, and others that are code already.
        before: what comes before the call on its line, such as `model = `.
        after: what follows it.
        indent: of the line, in spaces.
        named: arguments by name, as values.
    """
    given = [*arguments, *(f"{name}={literal(value)}" for name, value in named.items())]
    return bracketed(given, f"{before}{function}(", f"){after}", indent)


def bracketed(items: Sequence[str], opening: str, closing: str, indent: int = 0) -> str:
    """Items in brackets: on one line, or between the brackets on one line, or on one line each."""
    margin = " " * indent
    whole = f"{margin}{opening}{', '.join(items)}{closing}"
    if len(whole) <= WIDTH or not items:
        return whole
    inner = f"{margin}    {', '.join(items)}"
    if len(inner) <= WIDTH and re.search(r"\w\($", opening):  # of a call
        return f"{margin}{opening}\n{inner}\n{margin}{closing}"
    listed = "".join(f"{margin}    {item},\n" for item in items)
    return f"{margin}{opening}\n{listed}{margin}{closing}"


def imports(statements: Iterable[str]) -> list[str]:
    """Import statements sorted and merged as ruff's rule I has them: the standard library, a blank
    line, all others."""
    plain: set[str] = set()
    names: dict[str, set[str]] = {}
    for statement in statements:
        if found := FORM.fullmatch(statement):
            alias = f" as {found['alias']}" if found["alias"] else ""
            names.setdefault(found["module"], set()).add(found["name"] + alias)
        else:
            plain.add(statement.removeprefix("import "))
    blocks = []
    for standard in (True, False):
        block = [f"import {each}" for each in sorted(plain) if is_standard(each) == standard]
        for module in sorted(names, key=str.lower):
            if is_standard(module) == standard:
                listed = sorted(names[module], key=order_of)
                whole = f"from {module} import {', '.join(listed)}"
                if len(whole) > WIDTH:
                    whole = bracketed(listed, f"from {module} import (", ")")
                block += whole.split("\n")
        blocks += [*block, ""] if block else []
    return blocks[:-1]


def is_standard(module: str) -> bool:
    """Whether a module, perhaps with `as` and another name, is one of Python's own."""
    return re.split(r"[ .]", module)[0] in sys.stdlib_module_names


def order_of(name: str) -> tuple[int, str, str]:
    """Where a name stands in an import: constants, classes, then functions and modules."""
    bare = name.split(" ")[0]
    kind = 0 if bare.isupper() and len(bare) > 1 else 1 if bare[0].isupper() else 2
    return kind, bare.lower(), bare


def spaced(code: str) -> str:
    """The code with two blank lines around functions and classes, and at most one elsewhere
    outside them.

    Args:
        code: its statements, with comments directly above what they belong to.
    """
    lines = code.split("\n")
    statements = ast.parse(code).body
    out: list[str] = []
    place = 0
    for number, statement in enumerate(statements):
        start, end = first_line(statement), statement.end_lineno or 0
        between = lines[place:start]
        before = statements[number - 1] if number else None
        if before is not None and any(isinstance(each, DEFINED) for each in (before, statement)):
            kept = [line for line in between if line.strip()]
            out += ["", "", *kept]
        else:
            out += between
        out += lines[start:end]
        place = end
    return "\n".join([*out, *lines[place:]])


DEFINED = (ast.FunctionDef, ast.ClassDef)


def first_line(statement: ast.stmt) -> int:
    """The place of the first line of a statement, decorators included, from 0."""
    lines: list[int] = [each.lineno for each in getattr(statement, "decorator_list", [])]
    return min([statement.lineno, *lines]) - 1
