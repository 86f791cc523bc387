"""The source of classes and functions of exp as a script contains it: without types."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from typing import Any

from exp.script.python import bracketed

IGNORED = re.compile(r"  # (type: ignore\[.*\]|so that the engine stacks it)")
LEFT_OUT = re.compile(r"\n    elementwise = True.*\n")
"""What only exp reads."""


def source_of(thing: Any) -> str:
    """The source of a class or function without annotations of types."""
    source = LEFT_OUT.sub("", textwrap.dedent(inspect.getsource(thing)))
    source = IGNORED.sub("", source)
    lines = source.rstrip("\n").split("\n")
    functions = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)]
    for node in sorted(functions, key=lambda each: each.lineno, reverse=True):
        for argument in ast.walk(node.args):
            if isinstance(argument, ast.arg):
                argument.annotation = None
        arguments = ast.unparse(node.args).replace("'", '"').split(", ")
        head = bracketed(arguments, f"def {node.name}(", "):", node.col_offset)
        lines[node.lineno - 1 : node.body[0].lineno - 1] = head.split("\n")
    return "\n".join(lines)
