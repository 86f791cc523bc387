"""What every component with parameters in a config promises."""

from __future__ import annotations

import inspect
from typing import Any

from exp.cli.check.subject import Subject
from exp.registry.component import Chosen
from exp.registry.parameter_schema import nested_kind
from exp.registry.registry import register
from exp.util.errors import ConfigError, CustomCodeError, ExpError
from exp.util.untrusted import read, yaml_of

ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "dataset": (0,), "model": (2, 1), "loss": (2,), "activation": (),
}  # fmt: skip
"""What the builders of these kinds are called with; other kinds have tests that build them."""
EXTREMES = {int: (-1, 0), float: (-1.0, 0.0, 1e30, float("inf"), float("nan"))}


def test_option_file(subject: Subject) -> None:
    """an option file conf/GROUP/NAME.yaml with valid parameters, or a default for each"""
    name, file = subject.component.name, subject.file
    if file is None:
        required = [
            parameter
            for parameter, each in subject.component.parameters.items()
            if each.default is inspect.Parameter.empty
        ]
        place = f"conf/{subject.kind}/{name}.yaml"
        assert not required, f"no {place}, and no default for {', '.join(required)}"
        return
    values = yaml_of(read(file))
    named = isinstance(values, dict) and values.get("name") == name
    assert named, f"no `name: {name}` in {file}"
    faults = ""
    try:
        register.choose(subject.kind, values, subject.kind)
    except ConfigError as error:
        faults = "; ".join(f"{fault.path}: {fault.message}" for fault in error.faults)
    assert not faults, faults


def test_annotations(subject: Subject) -> None:
    """a type for each parameter, so that a wrong value is refused"""
    missing = [
        name
        for name, parameter in subject.component.declared.items()
        if parameter.annotation in (Any, inspect.Parameter.empty) and not nested_kind(parameter)
    ]
    assert not missing, f"none for {', '.join(missing)}"


def test_bad_values(subject: Subject) -> None:
    """one clear error for an invalid value"""
    for name, default in subject.chosen.declared.items():
        if isinstance(default, (bool, Chosen)):
            continue
        for value in EXTREMES.get(type(default), ()):
            error = error_of(subject, {name: value})
            what = f"{name}={value} accepted by its type, then {type(error).__name__}: "
            assert error is None, what + " ".join(str(error).split())


def error_of(subject: Subject, values: dict[str, Any]) -> BaseException | None:
    """The error of its code; None: it can be built, or exp refuses the values."""
    try:
        chosen = register.choose(
            subject.kind, {**subject.values, "name": subject.component.name, **values}, subject.kind
        )
        if subject.kind in ARGUMENTS:
            chosen.build(*ARGUMENTS[subject.kind])
    except CustomCodeError as error:
        return error.__cause__ or error
    except ExpError:
        return None
    except Exception as error:
        return error
    return None
