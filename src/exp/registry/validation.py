"""The parameters of a chosen component: every default filled in, every fault reported."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from exp.registry import docstrings
from exp.registry.annotations import plain
from exp.registry.component import NAME, Chosen, Component, infinite
from exp.registry.parameter_schema import checked, nested_kind
from exp.registry.user_code import calling
from exp.util.errors import ConfigError, Fault, shown

Choose = Callable[[str, object, str], Chosen]
"""`Registry.choose`: kind, value and key path of a nested component."""


def validated(
    component: Component, params: dict[str, Any], path: str, choose: Choose
) -> dict[str, Any]:
    """All parameters with defaults filled in.

    Raises:
        ConfigError: with every fault of `params`.
    """
    values, faults = checked(
        component.schema, params, path, f"parameter of {component.kind.name} {component.name}"
    )
    for name, parameter in component.parameters.items():
        kind = nested_kind(parameter)
        if kind is not None and (name in values or name in params):
            # `values` is empty after a fault; those of the nested component are reported as well.
            value = values.get(name, params.get(name))
            try:
                values[name] = choose(kind, value, f"{path}.{name}")
            except ConfigError as error:
                faults.extend(error.faults)
    faults = [explained(fault, component, params, path) for fault in faults]
    if not component.packaged:
        if NAME in component.declared:
            faults = [fault for fault in faults if fault.path != f"{path}.{NAME}"]
        faults += custom_faults(component, values, params, path)
    if not faults and component.check is not None:
        with calling(f"the check of {component.title}"):
            found = list(component.check(values))
        faults = [Fault(f"{path}.{key}", message) for key, message in found]
    if faults:
        raise ConfigError(faults)
    return values


def explained(fault: Fault, component: Component, params: Mapping[str, Any], path: str) -> Fault:
    """A fault with what helps to mend it."""
    name = fault.path.removeprefix(f"{path}.")
    if name in component.to_rename and name not in params:
        wanted = component.to_rename[name]
        what = f"exp passes {wanted!r} to each {component.kind.name}: rename this parameter to"
        return Fault(fault.path, f"{what} {wanted!r}, or give it a default")
    if type(params.get(name)) is bool and (
        means := docstrings.parameters(component.builder).get(name)
    ):
        # True of a parameter that counts: people take it for a switch.
        return Fault(fault.path, f"{fault.message.rstrip('.')}. Meaning: {means}")
    return fault


def custom_faults(
    component: Component, values: dict[str, Any], params: Mapping[str, Any], path: str
) -> list[Fault]:
    """Faults that only a custom component can have; its values become plain ones."""
    faults = []
    if NAME in component.declared:
        what = f"rename this parameter: {NAME!r} is the key that chooses the component"
        faults.append(Fault(f"{path}.{NAME}", what))
    for name, parameter in component.declared.items():
        if name not in values or isinstance(values[name], Chosen):
            continue
        if name in component.converters:
            values[name] = plain(values[name])
        if infinite(values[name]) and (name in params and values[name] != parameter.default):
            found = shown(values[name])
            faults.append(Fault(f"{path}.{name}", f"expected a finite number, found {found}"))
    return faults
