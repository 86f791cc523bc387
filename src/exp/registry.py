"""The registry: a name and parameters from a config become an object, or one clear error.

    @register.dataset("moons")
    def moons(seed, *, n_samples: Rows = 1000, noise: NonNegative = 0.03) -> Data: ...

The signature is the schema: what the framework hands over (`Kind.handed`) stays out of it, every
other parameter is a key of the component's YAML file, checked by its annotation. The first
paragraph of the docstring is its help. Nothing in a config is ever imported or evaluated: a name
either stands in the registry or is refused.
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import json
import re
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import SimpleNamespace
from typing import Annotated, Any, get_args, get_origin

from exp import entries
from exp.errors import ConfigError, Fault, nearest, shown, unknown
from exp.schema import PATTERNS, Nested

if typing.TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic_core import ErrorDetails

Builder = Callable[..., Any]
Check = Callable[[Mapping[str, Any]], Iterator[tuple[str, str]]]


@dataclass
class Kind:
    """A group of interchangeable components, such as all datasets.

    Attributes:
        name: the config group's name.
        about: what its components are, in a line.
        handed: parameters that the framework supplies by position, in this order.
        common: a callable whose parameters every component of this kind takes as well.
    """

    name: str
    handed: tuple[str, ...] = ()
    about: str = ""
    common: Builder | None = None
    modules: list[str] = field(default_factory=list)
    components: dict[str, Component] = field(default_factory=dict)

    def load(self) -> None:
        """Imports the modules that provide this kind, once each."""
        while self.modules:
            importlib.import_module(self.modules.pop(0))

    def names(self) -> list[str]:
        self.load()
        return sorted(self.components)


@dataclass(frozen=True)
class Component:
    """One registered builder and the schema that its signature states."""

    kind: Kind
    name: str
    builder: Builder
    check: Check | None = None

    @cached_property
    def own(self) -> dict[str, inspect.Parameter]:
        """Its own config parameters by name, in the order of the signature."""
        return config_parameters(self.builder, skip=self.kind.handed)

    @cached_property
    def shared(self) -> dict[str, inspect.Parameter]:
        """The parameters that every component of its kind takes; one that it declares itself is
        its own."""
        common = config_parameters(self.kind.common) if self.kind.common else {}
        return {name: each for name, each in common.items() if name not in self.own}

    @property
    def parameters(self) -> dict[str, inspect.Parameter]:
        return {**self.own, **self.shared}

    @cached_property
    def misnamed(self) -> dict[str, str]:
        """Required parameters in the places of those that the framework hands over, and the names
        that they should have: by another name, they are keys of the config."""
        given = list(inspect.signature(self.builder).parameters)
        places = zip(given, self.kind.handed, strict=False)
        empty = inspect.Parameter.empty
        return {
            name: handed
            for name, handed in places
            if handed not in given and name in self.own and self.own[name].default is empty
        }

    @cached_property
    def deaf(self) -> bool:
        """Whether a builder of the user's cannot be given what the framework hands over."""
        try:
            inspect.signature(self.builder).bind_partial(*self.kind.handed)
        except TypeError:
            return not self.builder.__module__.startswith("exp.")
        return False

    @cached_property
    def unwritable(self) -> dict[str, Any]:
        """Parameters with a default that no file of a run can hold."""
        found = {}
        for name, parameter in self.own.items():
            try:
                if parameter.default is not inspect.Parameter.empty and not nested_kind(parameter):
                    json.dumps(parameter.default)
            except (TypeError, ValueError, RecursionError):
                found[name] = parameter.default
        return found

    @property
    def summary(self) -> str:
        """The first paragraph of the docstring, on one line."""
        text = inspect.getdoc(self.builder) or ""
        return " ".join(text.split("\n\n")[0].split())

    @cached_property
    def schema(self) -> type[BaseModel]:
        return schema_of(self.name, self.parameters)


@dataclass(frozen=True)
class Chosen:
    """A component with validated parameters: what a config group has become."""

    component: Component
    params: dict[str, Any]

    @property
    def name(self) -> str:
        return self.component.name

    @property
    def own(self) -> dict[str, Any]:
        return {key: self.params[key] for key in self.component.own}

    @property
    def shared(self) -> dict[str, Any]:
        return {key: self.params[key] for key in self.component.shared}

    def build(self, *handed: Any) -> Any:
        return self.component.builder(*handed, **self.own)

    def as_dict(self) -> dict[str, Any]:
        """`name` and parameters as plain values; a nested component becomes a mapping."""
        plain = {k: v.as_dict() if isinstance(v, Chosen) else v for k, v in self.params.items()}
        return {"name": self.name, **plain}


class Registry:
    """All kinds. `register.<kind>(name)` is the decorator that adds a component."""

    def __init__(self) -> None:
        self.kinds: dict[str, Kind] = {}

    def kind(self, name: str, *modules: str, handed: tuple[str, ...] = (), about: str = "") -> Kind:
        """Declares a kind and the modules that provide its components (imported when needed)."""
        return self.kinds.setdefault(name, Kind(name, handed, about, modules=list(modules)))

    def common(self, kind: str) -> Callable[[Builder], Builder]:
        """Decorator: the parameters of this callable belong to every component of `kind`."""

        def add(builder: Builder) -> Builder:
            self.kinds[kind].common = builder
            return builder

        return add

    def __getattr__(self, kind: str) -> Callable[..., Callable[[Builder], Builder]]:
        if kind.startswith("_"):
            raise AttributeError(kind)
        if kind not in self.kinds:
            raise AttributeError(unknown("kind of component", kind, sorted(self.kinds)))

        def named(name: str, *, check: Check | None = None) -> Callable[[Builder], Builder]:
            def add(builder: Builder) -> Builder:
                components = self.kinds[kind].components
                if name in components and not same_place(components[name].builder, builder):
                    place = components[name].builder.__module__
                    raise ValueError(f"{kind} {name!r} is already registered by {place}")
                components[name] = Component(self.kinds[kind], name, builder, check)
                return builder

            return add

        return named

    def choose(self, kind: str, value: object, path: str = "") -> Chosen:
        """A component with validated parameters from a name or a `{name: ..., ...}` mapping.

        Raises:
            ConfigError: naming every unknown name or key and every value that does not fit.
            PluginError: the name is not packaged, and an installed package's components cannot be
                imported.
        """
        path = path or kind
        place = self.kinds[kind]
        params = dict(value) if isinstance(value, Mapping) else {"name": value}
        name = params.pop("name", None)
        if isinstance(name, str) and name not in place.names():
            entries.load()
        if not isinstance(name, str) or name not in place.names():
            where = path if not isinstance(value, Mapping) else f"{path}.name"
            raise ConfigError([Fault(where, unknown(kind, name, place.names()))])
        component = place.components[name]
        return Chosen(component, validated(component, params, path))


def same_place(one: Builder, other: Builder) -> bool:
    """Whether two builders are one definition, met again when its module is reloaded."""
    return (one.__module__, one.__qualname__) == (other.__module__, other.__qualname__)


def config_parameters(builder: Builder, skip: tuple[str, ...] = ()) -> dict[str, inspect.Parameter]:
    """The parameters of a callable that a config sets, annotations resolved."""
    target = builder.__init__ if inspect.isclass(builder) else builder
    # What it returns is no parameter: its annotation need not lead anywhere.
    written = {k: v for k, v in getattr(target, "__annotations__", {}).items() if k != "return"}
    hints = typing.get_type_hints(
        SimpleNamespace(__annotations__=written),
        globalns=getattr(target, "__globals__", {}),
        include_extras=True,
    )
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    made = {
        f.name: f.default_factory for f in getattr(builder, "__dataclass_fields__", {}).values()
    }

    def default(name: str, parameter: inspect.Parameter) -> Any:
        factory = made.get(name, dataclasses.MISSING)
        return parameter.default if factory is dataclasses.MISSING else factory()

    return {
        name: parameter.replace(annotation=hints.get(name, Any), default=default(name, parameter))
        for name, parameter in inspect.signature(builder).parameters.items()
        if parameter.kind in named and name not in skip
    }


def schema_of(title: str, parameters: Mapping[str, inspect.Parameter]) -> type[BaseModel]:
    """A pydantic model that refuses extra keys and does not guess: `"3"` is no integer."""
    from pydantic import ConfigDict, Strict, create_model

    fields: dict[str, Any] = {}
    for name, parameter in parameters.items():
        required = parameter.default is inspect.Parameter.empty
        annotation = Any if nested_kind(parameter) else parameter.annotation
        if get_origin(annotation) is tuple:  # YAML has lists only
            annotation = Annotated[annotation, Strict(False)]
        fields[name] = (annotation, ... if required else parameter.default)
    config = ConfigDict(extra="forbid", strict=True, protected_namespaces=())
    return create_model(title, __config__=config, **fields)


def nested_kind(parameter: inspect.Parameter) -> str | None:
    """The kind of component that this parameter takes, if it takes one."""
    if get_origin(parameter.annotation) is Annotated:
        for extra in get_args(parameter.annotation)[1:]:
            if isinstance(extra, Nested):
                return extra.kind
    return None


def validated(component: Component, params: dict[str, Any], path: str) -> dict[str, Any]:
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
            # `values` is empty after a fault; the nested component's own are to be told as well.
            value = values.get(name, params.get(name))
            try:
                values[name] = register.choose(kind, value, f"{path}.{name}")
            except ConfigError as error:
                faults.extend(error.faults)
    if component.deaf:
        handed = component.kind.handed
        named, many = " and ".join(handed), "s" if len(handed) > 1 else ""
        what = f"exp hands a {component.kind.name} {named}, to be its first parameter{many}"
        faults.append(Fault(f"{path}.name", what))
    for at, fault in enumerate(faults):
        name = fault.path.removeprefix(f"{path}.")
        if name in component.misnamed and name not in params:
            wanted, kind_name = component.misnamed[name], component.kind.name
            what = f"exp hands a {kind_name} {wanted!r} here: call the parameter that"
            faults[at] = Fault(fault.path, what)
    for name, default in component.unwritable.items():
        if name not in params:
            what = f"the signature has {shown(default)} as its default, which no config can hold"
            hint = "Numbers, texts, lists and mappings can be written"
            faults.append(Fault(f"{path}.{name}", f"{what}. {hint}"))
    if not faults and component.check is not None:
        faults = [Fault(f"{path}.{key}", message) for key, message in component.check(values)]
    if faults:
        raise ConfigError(faults)
    return values


def checked(
    schema: type[BaseModel], params: Mapping[str, Any], path: str, what: str
) -> tuple[dict[str, Any], list[Fault]]:
    """Values of `params` by `schema`, and the faults found. Values are empty if there are any."""
    from pydantic import ValidationError

    try:
        model = schema.model_validate(dict(params))
    except ValidationError as error:
        known = list(schema.model_fields)
        grouped: dict[str, list[ErrorDetails]] = {}
        for detail in error.errors():
            grouped.setdefault(location(path, detail, params), []).append(detail)
        return {}, [Fault(at, sentence(found, what, known)) for at, found in grouped.items()]
    return {name: getattr(model, name) for name in schema.model_fields}, []


def location(path: str, detail: ErrorDetails, params: Mapping[str, Any]) -> str:
    """The key path of a pydantic error, without the union branches that pydantic appends."""
    parts: list[str] = []
    value: Any = params
    for step in detail["loc"]:
        if isinstance(value, Mapping) and (step in value or not parts):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            break
        parts.append(str(step))
    return ".".join([path, *parts]) if path else ".".join(parts)


WORDING = (
    (r"^(String|List) should have ", lambda found: f"a {found[1].lower()} of "),
    (r"^Keys should be strings", "a key that is a string"),
    (r" after validation, not \d+", ""),
)
"""What pydantic says, and what follows "expected"."""


def sentence(details: list[ErrorDetails], what: str, known: list[str]) -> str:
    """What was expected and what was found, from one or more pydantic errors at one place."""
    first = details[0]
    if first["type"] == "extra_forbidden":
        return unknown(what, first["loc"][-1], known, allowed="It takes")
    if first["type"] == "missing":
        return "expected a value, found none: this parameter has no default"
    wanted: list[str] = []
    for detail in details:
        text = detail["msg"].removeprefix("Input should be ").removeprefix("Value error, ")
        text = text.replace("a valid ", "a ").replace("a integer", "an integer")
        for said, meant in WORDING:
            text = re.sub(said, meant, text)
        if detail["type"] in ("float_type", "int_type", "int_from_float", "float_parsing"):
            text = "an integer" if detail["type"].startswith("int") else "a number"
        if detail["type"] in ("greater_than", "greater_than_equal", "less_than", "less_than_equal"):
            bound = next(iter(detail["ctx"].values()))
            most = "most" if detail["type"].startswith("less") else "least"
            text = f"a number {text}" if abs(bound) < 1e16 else f"a number of at {most} {bound:g}"
        if detail["type"] == "string_pattern_mismatch":
            pattern = detail["ctx"]["pattern"]
            text = PATTERNS.get(pattern, f"a string that matches {pattern!r}")
        if text not in wanted:
            wanted.append(text)
    found = f"expected {' or '.join(wanted)}, found {shown(first['input'])}"
    names = re.findall(r"'([^']*)'", str(first.get("ctx", {}).get("expected", "")))
    hint = nearest(first["input"], names) if isinstance(first["input"], str) else ""
    return f"{found}.{hint}" if hint else found


register = Registry()
