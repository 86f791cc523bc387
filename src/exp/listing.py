"""`exp list [GROUP [NAME]]`: what can be named, from signatures and docstrings."""

from __future__ import annotations

import inspect
import re
from importlib.resources import files

import exp.components  # noqa: F401 - declares the kinds
from exp.errors import ConfigError, Fault, unknown
from exp.registry import Chosen, Component, Kind, register


def main(words: list[str]) -> int:
    """Prints all groups, one group, or one component.

    Raises:
        ConfigError: there is no such group or component.
    """
    if not words:
        for name in sorted(register.kinds):
            print(f"{name}: {', '.join(options(register.kinds[name]))}")
        return 0
    group = words[0]
    if group not in register.kinds:
        raise ConfigError([Fault("exp list", unknown("group", group, sorted(register.kinds)))])
    kind = register.kinds[group]
    names = kind.names()
    if len(words) == 1:
        print("\n".join(outline(kind.components[name]) for name in names))
        return 0
    if words[1] not in names:
        raise ConfigError([Fault(f"exp list {group}", unknown(group, words[1], names))])
    print(full(kind, kind.components[words[1]]))
    return 0


def options(kind: Kind) -> list[str]:
    """The names of a kind. Each packaged component has a YAML file, so that nothing need be
    imported to know them: torch alone takes two seconds."""
    folder = files("exp.conf") / kind.name
    packaged = [file.name for file in folder.iterdir()] if folder.is_dir() else []
    return sorted({name.removesuffix(".yaml") for name in packaged} | kind.components.keys())


def outline(component: Component) -> str:
    """Name, summary and parameters of a component on two lines."""
    parameters = ", ".join(f"{k}={default(p)}" for k, p in component.parameters.items())
    return f"{component.name:<16} {component.summary}\n{'':<16} {parameters}".rstrip()


def full(kind: Kind, component: Component) -> str:
    """The whole docstring and every parameter with its default."""
    text = inspect.getdoc(component.builder) or ""
    lines = [f"{kind.name}={component.name}", "", text, "", "Parameters:"]
    for name, parameter in component.parameters.items():
        lines.append(f"  {kind.name}.{name} = {default(parameter)}")
    if component.shared:
        shared = ", ".join(component.shared)
        about = " ".join((inspect.getdoc(kind.common) or "").split())
        lines += ["", f"{shared}: {about}"]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines))


def default(parameter: inspect.Parameter) -> str:
    """A default as one would write it in a config."""
    value = parameter.default
    if value is inspect.Parameter.empty:
        return "(required)"
    if isinstance(value, Chosen):
        value = value.name
    return (
        {None: "null", True: "true", False: "false"}.get(value, str(value))
        if not isinstance(value, (list, dict, float, int)) or isinstance(value, bool)
        else str(value)
    )
