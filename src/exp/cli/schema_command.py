"""`exp schema`: the config as JSON Schema (draft 2020-12), for editors that check while one types.

From the signatures and docstrings that exp itself goes by: names, types, ranges, defaults. What
two values must have in common is not in it, nor what only the data can tell.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from exp.cli.options import OUTPUT
from exp.config import plugins
from exp.config.plan import GROUPS
from exp.config.settings import RUNNING, SEEDS, SWEEPING, TOP, RunSettings, SweepSettings
from exp.registry import docstrings, entry_points
from exp.registry.component import Component
from exp.registry.parameter_schema import nested_kind
from exp.registry.registry import register
from exp.util.errors import ExpError, unknown
from exp.util.files import reason_of, write_through
from exp.util.terminal import write_data

if TYPE_CHECKING:
    from pydantic import BaseModel

DRAFT = "https://json-schema.org/draft/2020-12/schema"
START = '{\n  "$schema": '
Schema = dict[str, Any]
INTERPOLATION: Schema = {
    "type": "string",
    "pattern": r"\$\{|^\?\?\?$",
    "description": "an interpolation, ${key}, or ???: a value that must be given",
}


@click.command("schema")
@click.option(
    "--output",
    metavar="FILE",
    type=OUTPUT,
    help="Write the schema to this file; an earlier schema there is replaced.",
)
@click.option("--group", help="Schema of the option files of this group, conf/GROUP/*.yaml.")
@click.option(
    "--plugins",
    "modules",
    metavar="MODULE",
    multiple=True,
    help=(
        "Include the components of this module, or of this folder if it ends with /. Their "
        "code is executed."
    ),
)
def command(output: str | None, group: str | None, modules: tuple[str, ...]) -> int:
    """Print the config as JSON Schema. Editors use it to check YAML files."""
    plugins.import_all(modules)
    entry_points.load()
    groups = sorted(register.kinds.keys() - {"metric"})
    if group is not None and group not in groups:
        raise ExpError(f"exp schema: {unknown('group', group, groups)}")
    text = json.dumps(schema(group), indent=2, ensure_ascii=False) + "\n"
    if output is None:
        write_data(text)
    else:
        write(Path(output), text)
        print(f"{output}: JSON Schema of {group or 'the config'}")
    return 0


def write(path: Path, text: str) -> None:
    try:
        if path.is_file():
            with path.open("rb") as file:
                if file.read(len(START)) != START.encode():
                    what = "exists and is not a JSON Schema written by exp: it is not overwritten"
                    raise ExpError(f"exp schema: {path} {what}")
        write_through(path, text.encode())
    except OSError as error:
        raise ExpError(f"exp schema: cannot write {path}: {reason_of(error)}") from error


def schema(group: str | None = None) -> Schema:
    """Of the whole config and of presets, or of the option files of one group."""
    definitions: Schema = {"interpolation": INTERPOLATION}
    for kind in register.kinds.values():
        if kind.name == "metric":  # no part of a config
            continue
        names = kind.names()
        for name in names:
            definitions[f"{kind.name}.{name}"] = of_component(kind.components[name])
        definitions[kind.name] = of_kind(kind.name, names)
    root = whole()
    if group is not None:
        root = {"$ref": f"#/$defs/{group}", "required": ["name"]}
    if group == "logger":  # none of them is an empty mapping
        root = {"anyOf": [root, {"type": "object", "maxProperties": 0}]}
    title = "config of exp" if group is None else f"{group} of exp"
    return {"$schema": DRAFT, "title": title, **root, "$defs": definitions}


def whole() -> Schema:
    """A config or a preset: none of its keys need be there."""
    about = {group: register.kinds[group].about for group in GROUPS}
    groups = {
        group: {
            "description": about[group],
            "anyOf": [{"$ref": f"#/$defs/{group}"}, {"enum": register.kinds[group].names()}],
        }
        for group in GROUPS
    }
    top = of_model(TOP, "", {"seed": "the seed of the whole run"})
    seeds = of_model(SEEDS, "one seed for each source of randomness", {})
    nodes = {
        "run": of_model(RUNNING, "", docstrings.parameters(RunSettings)),
        "sweep": of_model(SWEEPING, "", docstrings.parameters(SweepSettings)),
    }
    hydras = {
        "defaults": {"type": "array", "description": "which option of each group is used"},
        "hydra": {"type": "object", "description": "settings of Hydra"},
    }
    # Several at once, each under a label.
    loggers = {
        "type": ["object", "null"],
        "description": register.kinds["logger"].about,
        "additionalProperties": {"$ref": "#/$defs/logger", "required": ["name"]},
    }
    nodes["logger"] = loggers
    properties = {**hydras, **top["properties"], "seeds": seeds, **nodes, **groups}
    return {"type": "object", "properties": properties, "additionalProperties": False}


def of_kind(kind: str, names: list[str]) -> Schema:
    """The parameters of whichever component `name` says; without a name, of any of them."""
    every = sorted(
        {key for name in names for key in register.kinds[kind].components[name].parameters}
    )
    return {
        "type": "object",
        "description": register.kinds[kind].about,
        "properties": {"name": {"enum": names}},
        "if": {"required": ["name"]},
        "then": {
            "allOf": [
                {
                    "if": {"properties": {"name": {"const": name}}},
                    "then": {"$ref": f"#/$defs/{kind}.{name}"},
                }
                for name in names
            ]
        },
        "else": {"propertyNames": {"enum": every}},
    }


def of_component(component: Component) -> Schema:
    """Its parameters, each with its type, range, default and what its docstring says."""
    nested = {name: nested_kind(p) for name, p in component.parameters.items()}
    about = docstrings.parameters(component.builder)
    found = of_model(component.schema, component.summary, about, nested=nested)
    found["properties"] = {
        "name": {"const": component.name, "description": component.summary},
        **found["properties"],
    }
    needed = [
        name
        for name, parameter in component.parameters.items()
        if parameter.default is inspect.Parameter.empty
    ]
    return {**found, "required": ["name", *needed]}


def of_model(
    model: type[BaseModel],
    description: str,
    about: Mapping[str, str],
    *,
    nested: Mapping[str, str | None] | None = None,
) -> Schema:
    """A pydantic model's fields, each of which may be an interpolation instead."""
    given = model.model_json_schema()
    shared = given.get("$defs", {})
    properties = {}
    for name, field in given.get("properties", {}).items():
        kind = (nested or {}).get(name)
        properties[name] = of_field(inlined(field, shared), about.get(name), kind)
    found: Schema = {"type": "object"}
    if description:
        found["description"] = description
    return {**found, "properties": properties, "additionalProperties": False}


def of_field(field: Schema, about: str | None, nested: str | None) -> Schema:
    """One parameter."""
    kept = {key: value for key, value in field.items() if key not in ("title", "default")}
    choices: list[Schema] = kept.pop("anyOf", None) or [kept]
    if nested is not None:
        names = register.kinds[nested].names()
        choices = [{"enum": names}, {"$ref": f"#/$defs/{nested}", "required": ["name"]}]
    found: Schema = {"description": about} if about else {}
    if "default" in field:
        found["default"] = field["default"]
    return {**found, "anyOf": [*choices, {"$ref": "#/$defs/interpolation"}]}


def inlined(value: Any, shared: Mapping[str, Any]) -> Any:
    """A schema with what it refers to in place of its references."""
    if isinstance(value, list):
        return [inlined(item, shared) for item in value]
    if not isinstance(value, dict):
        return value
    if "$ref" in value:
        return inlined(shared[value["$ref"].rpartition("/")[2]], shared)
    return {key: inlined(item, shared) for key, item in value.items()}
