"""A user's component in a script: its source with all that it uses of its module, and its call."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from exp.registry.component import Chosen, Component
from exp.registry.user_code import is_users
from exp.script.python import call, literal
from exp.script.section import Section
from exp.util.errors import ImpossibleError, shown

PLAIN = (str, int, float, bool, type(None))
DEFINED = (ast.FunctionDef, ast.ClassDef)


@dataclass(frozen=True)
class Code:
    """A registered component in the code of a script.

    Attributes:
        function: the expression that was registered, such as `Net` or `torch.sin`.
        text: its call.
        direct: whether it has no arguments.
    """

    function: str
    text: str
    direct: bool


def called(chosen: Chosen, *injected: Any, **values: Any) -> tuple[Code, Section]:
    """The call of a custom component, and the source that it needs.

    Args:
        injected: what exp passes to each component of its kind, as code or as plain values.
        values: of its parameters.

    Raises:
        ImpossibleError: the source is not found, needs exp, or a parameter cannot be written.
    """
    component = chosen.component
    for name, value in values.items():
        if not plain(value):
            raise refused(component, f"its parameter {name} is {shown(value)}")
    source = Source.of(component)
    expression = source.registered()
    positional: list[str] = []
    keywords: dict[str, Any] = dict(values)
    if component.kind.adapter is None and injected:
        some, keywords = component.call(injected, values)
        positional = [literal(value) for value in some]
    text = source.code(expression)
    simple = isinstance(expression, (ast.Name, ast.Attribute, ast.Call))
    made = call(text if simple else f"({text})", positional, **keywords)
    code = Code(text, made, not keywords)
    return code, source.section(expression)


def plain(value: Any) -> bool:
    """Whether a value can be written as a literal."""
    if isinstance(value, (list, tuple)):
        return all(map(plain, value))
    if isinstance(value, dict):
        return all(isinstance(key, str) and plain(item) for key, item in value.items())
    return type(value) in PLAIN


def refused(component: Component, why: str) -> ImpossibleError:
    """The error of a component that cannot be part of a script."""
    return ImpossibleError(f"{component.title} cannot be written as a script: {why}")


@dataclass(frozen=True)
class Source:
    """The module that registers a component.

    Attributes:
        text: its source.
    """

    component: Component
    text: str

    @classmethod
    def of(cls, component: Component) -> Source:
        file = getattr(sys.modules.get(component.module), "__file__", None)
        try:
            return cls(component, Path(str(file)).read_text("utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            why = f"the source of {component.module} cannot be read"
            raise refused(component, why) from error

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    def registered(self) -> ast.expr:
        """The expression that is registered; for a decorated function or class its name."""
        for statement in self.tree.body:
            if isinstance(statement, DEFINED):
                if any(self.registers(each) for each in statement.decorator_list):
                    return ast.parse(statement.name, mode="eval").body
            elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
                outer = statement.value
                if self.registers(outer.func) and len(outer.args) == 1:
                    return outer.args[0]
        where = f"{self.component.module} does not register it by a decorator or a call of its own"
        raise refused(self.component, where)

    def code(self, expression: ast.expr) -> str:
        """The source of what `registered` has found."""
        if isinstance(expression, ast.Name):
            return expression.id
        return ast.get_source_segment(self.text, expression) or ""

    def registers(self, node: ast.expr) -> bool:
        """Whether this is `register.KIND(NAME, ...)` of the component."""
        return (
            registration(node) == self.component.kind.name
            and isinstance(node, ast.Call)
            and bool(node.args)
            and isinstance(node.args[0], ast.Constant)
            and node.args[0].value == self.component.name
        )

    @cached_property
    def bound(self) -> dict[str, ast.stmt]:
        """Name -> the statement of the module that defines it."""
        found: dict[str, ast.stmt] = {}
        for statement in self.tree.body:
            for name in names_bound(statement):
                found[name] = statement
        return found

    def section(self, expression: ast.expr) -> Section:
        """All statements that an expression needs, in their order."""
        needed: list[ast.stmt] = []
        out, names = Section(), used(expression)
        if isinstance(expression, ast.Name):
            names = {expression.id}
        while names:
            name = names.pop()
            statement = self.bound.get(name)
            if statement is None or statement in needed:
                continue
            if isinstance(statement, (ast.Import, ast.ImportFrom)):
                out.use(self.imported(statement, name))
                continue
            needed.append(statement)
            names |= used(statement, self.of_exp)
        for statement in sorted(needed, key=lambda each: each.lineno):
            out.add(*(["", ""] if out.lines else []), self.rewritten(statement))
        return out

    @cached_property
    def of_exp(self) -> set[str]:
        """The names that are imported from exp."""
        return {
            name
            for name, statement in self.bound.items()
            if isinstance(statement, ast.ImportFrom)
            and (statement.module or "").partition(".")[0] == "exp"
        }

    def imported(self, statement: ast.Import | ast.ImportFrom, name: str) -> str:
        """The import of one name as a statement of its own."""
        alias = next(each for each in statement.names if bound_by(each) == name)
        renamed = f" as {alias.asname}" if alias.asname else ""
        if isinstance(statement, ast.Import):
            module, text = alias.name, f"import {alias.name}{renamed}"
        else:
            module = statement.module or ""
            text = f"from {module} import {alias.name}{renamed}"
            if statement.level:
                raise refused(self.component, f"it imports {alias.name} of a file beside it")
        if module.partition(".")[0] == "exp":
            raise refused(self.component, f"it uses {name} of {module}, which needs exp")
        spec = find_spec(module.partition(".")[0])
        place = "" if spec is None else spec.origin or ""
        if place.endswith(".py") and is_users(place):
            raise refused(self.component, f"it imports {name} of {module}, another file")
        return text

    def rewritten(self, statement: ast.stmt) -> str:
        """The source of a statement without what is of exp: the decorator that registers it, and
        annotations."""
        lines = self.text.split("\n")
        start = statement.lineno
        kept: list[str] = []
        if isinstance(statement, DEFINED):
            for each in statement.decorator_list:
                if registration(each) is None:
                    kept += lines[each.lineno - 1 : each.end_lineno]
        for line, begin, end in sorted(self.annotations(statement), reverse=True):
            raw = lines[line - 1].encode()
            after = (
                raw[end:].replace(b" = ", b"=", 1) if raw[end:].startswith(b" = ") else raw[end:]
            )
            lines[line - 1] = (raw[:begin] + after).decode()
        return "\n".join([*kept, *lines[start - 1 : statement.end_lineno]])

    def annotations(self, statement: ast.stmt) -> Iterator[tuple[int, int, int]]:
        """Line, begin and end in bytes of the annotations that name something of exp."""
        for node in ast.walk(statement):
            if isinstance(node, ast.arg) and node.annotation is not None:
                found = node.annotation
                begin = node.col_offset + len(node.arg.encode())
            elif isinstance(node, ast.FunctionDef) and node.returns is not None:
                found = node.returns
                line = self.text.split("\n")[found.lineno - 1].encode()
                begin = line.rindex(b")", 0, found.col_offset) + 1
            else:
                continue
            if used(found) & self.of_exp and found.lineno == found.end_lineno:
                yield found.lineno, begin, found.end_col_offset or begin


def registration(node: ast.expr) -> str | None:
    """The kind that `register.KIND(...)` registers; None: this is no such call."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        owner = node.func.value
        named = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
        return node.func.attr if named == "register" else None
    return None


def names_bound(statement: ast.stmt) -> Iterator[str]:
    """The names that a statement of a module defines."""
    if isinstance(statement, DEFINED):
        yield statement.name
    elif isinstance(statement, (ast.Import, ast.ImportFrom)):
        yield from map(bound_by, statement.names)
    elif isinstance(statement, (ast.Assign, ast.AnnAssign)):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        for target in targets:
            yield from (node.id for node in ast.walk(target) if isinstance(node, ast.Name))


def bound_by(alias: ast.alias) -> str:
    """The name that an import defines."""
    return alias.asname or alias.name.partition(".")[0]


def used(node: ast.AST, of_exp: set[str] | None = None) -> set[str]:
    """The names in a piece of code.

    Args:
        of_exp: names that annotations and decorators may use without being needed.
    """
    if of_exp is None:
        return {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
    found: set[str] = set()
    for child in ast.walk(node):
        if isinstance(child, DEFINED):
            child.decorator_list = [d for d in child.decorator_list if registration(d) is None]
    notes = {
        id(inner)
        for each in ast.walk(node)
        for note in (getattr(each, "annotation", None), getattr(each, "returns", None))
        if isinstance(note, ast.AST) and used(note) & of_exp
        for inner in ast.walk(note)
    }
    for each in ast.walk(node):
        if isinstance(each, ast.Name) and id(each) not in notes:
            found.add(each.id)
    return found
