"""What every component promises, whatever its kind."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

from exp.cli.check.finding import Checks
from exp.cli.check.subject import Subject
from exp.registry.component import Chosen
from exp.registry.parameter_schema import nested_kind
from exp.registry.registry import register
from exp.util.errors import ConfigError, ExpError, OwnCodeError
from exp.util.untrusted import read, yaml_of

CHECKS = Checks()
HANDED: dict[str, tuple[Any, ...]] = {"dataset": (0,), "model": (2, 1), "loss": (2,)}
"""What the builders of these kinds are given; others are built in checks of their own."""
EXTREMES = {int: (-1, 0), float: (-1.0, 0.0, 1e30, float("inf"), float("nan"))}
"""Numbers that a schema should refuse if the component cannot do with them."""


@CHECKS.add("docstring", "a first paragraph that says what it is")
def docstring(subject: Subject) -> str | None:
    builder = subject.component.builder
    own = builder.__doc__ if not inspect.isclass(builder) else vars(builder).get("__doc__")
    return None if (own or "").strip() else "no docstring"


@CHECKS.add("option file", "conf/GROUP/NAME.yaml with valid parameters, or a default for each")
def option_file(subject: Subject) -> str | None:
    name = subject.component.name
    if subject.file is None:
        bare = [
            parameter
            for parameter, each in subject.component.parameters.items()
            if each.default is inspect.Parameter.empty
        ]
        file = f"conf/{subject.kind}/{name}.yaml"
        return f"no {file}, and no default for {', '.join(bare)}" if bare else None
    values = yaml_of(read(subject.file))
    if not isinstance(values, dict) or values.get("name") != name:
        return f"no `name: {name}` in {subject.file}"
    try:
        register.choose(subject.kind, values, subject.kind)
    except ConfigError as error:
        return "; ".join(f"{fault.path}: {fault.message}" for fault in error.faults)
    return None


@CHECKS.add("annotations", "a type for each parameter, so that a wrong value is refused")
def annotated(subject: Subject) -> str | None:
    bare = [
        name
        for name, parameter in subject.component.declared.items()
        if parameter.annotation in (Any, inspect.Parameter.empty) and not nested_kind(parameter)
    ]
    return f"none for {', '.join(bare)}" if bare else None


@CHECKS.add("bad values", "one clear error for a value that it cannot do with")
def bad_values(subject: Subject) -> str | None:
    for name, value in extremes(subject):
        try:
            values = {**subject.values, "name": subject.component.name, name: value}
            chosen = register.choose(subject.kind, values, subject.kind)
            if subject.kind in (*HANDED, "activation"):
                chosen.build(*HANDED.get(subject.kind, ()))
        except OwnCodeError as error:
            return accepted(name, value, error.__cause__ or error)
        except ExpError:
            continue
        except Exception as error:
            return accepted(name, value, error)
    return None


def accepted(name: str, value: object, error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{name}={value} accepted by its type, then {type(error).__name__}: {text}"


def extremes(subject: Subject) -> Iterator[tuple[str, Any]]:
    """Parameters that are numbers, with values at the ends of their type."""
    for name, default in subject.chosen.declared.items():
        if type(default) in EXTREMES and not isinstance(default, (bool, Chosen)):
            for value in EXTREMES[type(default)]:
                yield name, value
