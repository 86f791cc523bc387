"""From the parameters of a callable to a pydantic model that checks the values of a config."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic_core import ErrorDetails

from exp.registry.annotations import arguments_of
from exp.registry.parameter_errors import location, repair, sentence
from exp.registry.types import Nested
from exp.util.errors import Fault


def config_parameters(builder: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """The parameters of a callable that a config sets, annotations resolved."""
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return {
        each.name: each.parameter for each in arguments_of(builder) if each.parameter.kind in named
    }


def nested_kind(parameter: inspect.Parameter) -> str | None:
    """The kind of component that this parameter takes, if it takes one."""
    if get_origin(parameter.annotation) is Annotated:
        for extra in get_args(parameter.annotation)[1:]:
            if isinstance(extra, Nested):
                return extra.kind
    return None


def schema_of(title: str, parameters: Mapping[str, inspect.Parameter]) -> type[BaseModel]:
    """A pydantic model that refuses extra keys and does not guess: `"3"` is not an integer.

    A name that pydantic has a use for itself, such as `copy` or `model_config`, is the alias of a
    field.
    """
    fields: dict[str, Any] = {}
    for name, parameter in parameters.items():
        required = parameter.default is inspect.Parameter.empty
        annotation = Any if nested_kind(parameter) else parameter.annotation
        default = ... if required else parameter.default
        if name.startswith("_") or hasattr(BaseModel, name):
            fields[f"parameter_{name}"] = (annotation, Field(default, alias=name))
        else:
            fields[name] = (annotation, default)
    config = ConfigDict(extra="forbid", strict=True, protected_namespaces=())
    try:
        return create_model(title, __config__=config, **fields)
    except Exception:  # an annotation that pydantic has no check for: it checks nothing
        fields = {
            name: (checkable_or_any(name, kind, config), field)
            for name, (kind, field) in fields.items()
        }
        return create_model(title, __config__=config, **fields)


def checkable_or_any(name: str, annotation: Any, config: ConfigDict) -> Any:
    """The annotation if pydantic can check by it, else Any."""
    try:
        create_model(name, __config__=config, value=(annotation, ...))
    except Exception:
        return Any
    return annotation


def key_of(name: str, schema: type[BaseModel]) -> str:
    """The key of a config that a field of a schema stands for."""
    return schema.model_fields[name].alias or name


def checked(
    schema: type[BaseModel], params: Mapping[str, Any], path: str, what: str
) -> tuple[dict[str, Any], list[Fault]]:
    """Values of `params` by `schema`, and the faults found. Values are empty if there are any.

    Args:
        path: the key path of `params`.
        what: a key of it is, for messages: `parameter of dataset moons`.
    """
    try:
        model = schema.model_validate(dict(params))
    except ValidationError as error:
        known = [key_of(name, schema) for name in schema.model_fields]
        grouped: dict[str, list[ErrorDetails]] = {}
        for detail in error.errors():
            grouped.setdefault(location(path, detail, params), []).append(detail)
        faults = []
        for at, found in grouped.items():
            repaired = repair(schema, params, str(next(iter(found[0]["loc"]), "")), at)
            faults.append(Fault(at, sentence(found, what, known, at, repaired)))
        return {}, faults
    return {key_of(name, schema): getattr(model, name) for name in schema.model_fields}, []
