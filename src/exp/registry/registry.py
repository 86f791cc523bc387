"""The registry: a name and parameters from a config become an object, or one clear error.

    @register.dataset("moons")
    def moons(seed, *, n_samples: Rows = 1000, noise: NonNegative = 0.03) -> Data: ...

The signature is the schema: what the framework passes (`Kind.handed`) is passed by its name and
stays out of it, every other parameter is a key of the component's YAML file, checked by its
annotation. The first paragraph of the docstring is its help. Nothing in a config is ever imported
or evaluated: a name either stands in the registry or is refused.
"""

from __future__ import annotations

import importlib
import inspect
import math
import re
import sys
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

from exp.registry import aliases, docstrings, entry_points
from exp.registry.annotations import Argument, arguments_of, described, plain, unwritable
from exp.registry.modules import calling
from exp.registry.types import PATTERNS, Nested
from exp.util.errors import ConfigError, Fault, nearest, offer, shown, unknown

if typing.TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic_core import ErrorDetails

Builder = Callable[..., Any]
Check = Callable[[Mapping[str, Any]], Iterator[tuple[str, str]]]


NAME = "name"
"""The key of a config by which a component is chosen: no parameter can have it."""
LIBRARIES = ("torch", "sklearn", "numpy", "functools", "builtins", "_functools")
"""Packages whose own functions and classes can be registered as they are."""


@dataclass
class Kind:
    """A group of interchangeable components, such as all datasets.

    Attributes:
        name: the config group's name.
        about: what its components are, in a line.
        handed: what the framework passes to a component, in this order.
        aliases: name of what is passed -> other names that a parameter for it may have.
        adapter: `module:function`, which makes a builder of this kind of what was registered.
        common: a callable whose parameters every component of this kind takes as well.
    """

    name: str
    handed: tuple[str, ...] = ()
    about: str = ""
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    adapter: str | None = None
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

    def adapted(self, builder: Builder, name: str) -> Builder:
        """What was registered, as a builder of this kind."""
        if self.adapter is None:
            return builder
        module, _, function = self.adapter.partition(":")
        found: Builder = getattr(importlib.import_module(module), function)(builder, name)
        return found


@dataclass(frozen=True)
class Component:
    """One registered builder and the schema that its signature states.

    Attributes:
        module: that registered it.
        place: file and line of that, for messages.
        local: names that its annotations may use besides those of its module.
    """

    kind: Kind
    name: str
    builder: Builder
    check: Check | None = None
    module: str = ""
    place: str = ""
    local: Mapping[str, Any] | None = field(default=None, repr=False, compare=False)

    @property
    def packaged(self) -> bool:
        """Whether it is exp's."""
        return self.module.partition(".")[0] == "exp"

    @property
    def title(self) -> str:
        return f"{self.kind.name} {self.name}"

    @property
    def modules(self) -> tuple[str, ...]:
        """The modules that it is made of, as far as that is known."""
        made = getattr(self.builder, "__module__", None) or self.module
        apart = made != self.module and made.partition(".")[0] not in (*LIBRARIES, "exp")
        return (self.module, made) if apart else (self.module,)

    @cached_property
    def signature(self) -> list[Argument]:
        """Every parameter of the builder."""
        return arguments_of(self.builder, self.local)

    @cached_property
    def passed(self) -> dict[str, str]:
        """Parameters by which the framework passes something, and what that is."""
        given = {
            each.name
            for each in self.signature
            if each.parameter.kind
            not in (each.parameter.VAR_POSITIONAL, each.parameter.VAR_KEYWORD)
        }
        found = {}
        for handed in self.kind.handed:
            known = (handed, *self.kind.aliases.get(handed, ()))
            name = next((name for name in known if name in given), None)
            if name is not None:
                found[name] = handed
        return found

    @cached_property
    def own(self) -> dict[str, inspect.Parameter]:
        """Its own config parameters by name, in the order of the signature."""
        return {
            each.name: each.parameter
            for each in self.signature
            if each.parameter.kind
            in (each.parameter.POSITIONAL_OR_KEYWORD, each.parameter.KEYWORD_ONLY)
            and each.name not in self.passed
            and (nested_kind(each.parameter) or not unwritable(each.parameter.default))
            and (each.name != NAME or each.parameter.default is inspect.Parameter.empty)
        }

    @cached_property
    def shared(self) -> dict[str, inspect.Parameter]:
        """The parameters that every component of its kind takes, but for its own of such a name."""
        return {name: each for name, each in self._common.items() if name not in self.own}

    @cached_property
    def _common(self) -> dict[str, inspect.Parameter]:
        self.kind.load()  # what they are stands in a module of the kind's
        return config_parameters(self.kind.common) if self.kind.common else {}

    @property
    def parameters(self) -> dict[str, inspect.Parameter]:
        return {**self.own, **self.shared}

    @cached_property
    def misnamed(self) -> dict[str, str]:
        """Required parameters in the places of what the framework passes, and the names that they
        should have: by another name, they are keys of the config."""
        given = [each.name for each in self.signature]
        empty = inspect.Parameter.empty
        return {
            name: handed
            for name, handed in zip(given, self.kind.handed, strict=False)
            if handed not in self.passed.values()
            and name in self.own
            and self.own[name].default is empty
        }

    @cached_property
    def converters(self) -> dict[str, Callable[[Any], Any]]:
        """By parameter, what makes of a config's value what the code is given."""
        return {each.name: each.convert for each in self.signature if each.convert is not None}

    def make(self, *handed: Any, **own: Any) -> Any:
        """Calls the builder.

        Args:
            handed: what the framework passes to this kind.
            own: its own parameters.

        Raises:
            OwnCodeError: whatever the code of a user's raises.
        """
        if self.packaged:
            return self.builder(*handed, **own)
        with calling(self.title):
            arguments, keywords = self.bound(handed, own)
            return self.builder(*arguments, **keywords)

    def bound(
        self, handed: tuple[Any, ...], own: Mapping[str, Any]
    ) -> tuple[list[Any], dict[str, Any]]:
        """The arguments of a call: what the signature names by its name, and the rest by position
        or by keyword where the signature takes any."""
        given = dict(zip(self.kind.handed, handed, strict=True))
        values = {key: self.converted(key, value) for key, value in own.items()}
        rest = {key: value for key, value in given.items() if key not in self.passed.values()}
        values |= {name: given[what] for name, what in self.passed.items()}
        parameters = [each.parameter for each in self.signature]
        spreads = any(each.kind is each.VAR_POSITIONAL for each in parameters)
        arguments: list[Any] = []
        keywords: dict[str, Any] = {}
        for each in parameters:
            if each.kind is each.POSITIONAL_ONLY:
                if each.name in values:
                    arguments.append(values[each.name])
                elif rest:
                    arguments.append(rest.pop(next(iter(rest))))
            elif each.kind is each.VAR_POSITIONAL:
                arguments += rest.values()
                rest = {}
            elif each.kind is each.VAR_KEYWORD:
                keywords |= rest
            elif each.name in values:
                if spreads and each.kind is each.POSITIONAL_OR_KEYWORD:
                    arguments.append(values[each.name])
                else:
                    keywords[each.name] = values[each.name]
        return arguments, keywords

    def converted(self, name: str, value: Any) -> Any:
        convert = self.converters.get(name)
        return value if convert is None else convert(value)

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
    def packaged(self) -> bool:
        """Whether it and all that is nested in it are exp's."""
        nested = (value for value in self.params.values() if isinstance(value, Chosen))
        return self.component.packaged and all(each.packaged for each in nested)

    @property
    def at_fault(self) -> str:
        """Kind and name of what an exception in a user's code is reported for. A packaged component
        has no such code: what is nested in it has."""
        nested = (value for value in self.params.values() if isinstance(value, Chosen))
        own = [each for each in nested if not each.packaged]
        inside = self.component.packaged and len(own) == 1
        return own[0].at_fault if inside else self.component.title

    @property
    def own(self) -> dict[str, Any]:
        return {key: self.params.get(key, each.default) for key, each in self.component.own.items()}

    @property
    def shared(self) -> dict[str, Any]:
        """What every component of its kind takes; the default where its own has that name."""
        every = self.component._common
        return {
            key: self.params[key] if key in self.component.shared else each.default
            for key, each in every.items()
        }

    def build(self, *handed: Any) -> Any:
        return self.component.make(*handed, **self.own)

    def as_dict(self) -> dict[str, Any]:
        """`name` and parameters as plain values; a nested component becomes a mapping. A default
        that is not finite stays out: a config cannot hold it."""
        values = {k: v.as_dict() if isinstance(v, Chosen) else v for k, v in self.params.items()}
        if not self.component.packaged:
            values = {key: value for key, value in values.items() if not infinite(value)}
        return {"name": self.name, **values}


class Registry:
    """All kinds. `register.<kind>(name)` is the decorator that adds a component."""

    def __init__(self) -> None:
        self.kinds: dict[str, Kind] = {}

    def kind(
        self,
        name: str,
        *modules: str,
        handed: tuple[str, ...] = (),
        about: str = "",
        aliases: Mapping[str, tuple[str, ...]] | None = None,
        adapter: str | None = None,
    ) -> Kind:
        """Declares a kind and the modules that provide its components (imported when needed)."""
        kind = Kind(name, handed, about, aliases or {}, adapter, modules=list(modules))
        return self.kinds.setdefault(name, kind)

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
                self._add(self.kinds[kind], name, builder, check, sys._getframe(1))
                return builder

            return add

        return named

    def metric(self, name: str, **about: Any) -> Callable[[Builder], Builder]:
        """Decorator: adds a score, a function of (y_true, y_pred) or a class of torchmetrics.

        Args:
            name: what it is called in summary.json.
            about: `higher_is_better`, `probabilities` and `numbers`, as for
                `exp.components.metrics.Metric`.
        """
        kind = self.kinds["metric"]
        kind.load()
        made: Any = sys.modules["exp.components.metrics"]
        frame = sys._getframe(1)

        def add(function: Builder) -> Builder:
            module = str(frame.f_globals.get("__name__", "__main__"))
            metric = made.Metric(name, function, module=module, **about)
            self._put(kind, Component(kind, name, metric, None, module, written_at(frame)))
            return function

        return add

    def _add(
        self, kind: Kind, name: str, builder: Builder, check: Check | None, frame: Any
    ) -> None:
        """
        Raises:
            TypeError: this can be no component.
            ValueError: there is one of this name.
        """
        module = str(frame.f_globals.get("__name__", "__main__"))
        place = written_at(frame)
        if module.partition(".")[0] == "exp":
            component = Component(kind, name, builder, check, module, place)
        else:
            inside = frame.f_locals is not frame.f_globals
            local = dict(frame.f_locals) if inside else None
            able(kind.name, name, builder)
            component = Component(
                kind, name, kind.adapted(builder, name), check, module, place, local
            )
            readable(component)
            if name in packaged(kind.name):
                kind.load()
        self._put(kind, component)

    def _put(self, kind: Kind, component: Component) -> None:
        """
        Raises:
            ValueError: there is one of this name.
        """
        name = component.name
        there = kind.components.get(name)
        if there is not None and not same_place(there, component):
            raise ValueError(
                f"{kind.name} {name!r} is registered twice: in {there.module} ({there.place}) and "
                f"in {component.module} ({component.place}). Register one of them under another "
                "name"
            )
        kind.components[name] = component

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
            entry_points.load()
        if not isinstance(name, str) or name not in place.names():
            where = path if not isinstance(value, Mapping) else f"{path}.name"
            ours = aliases.option(kind, name)
            hint = f" Did you mean {ours!r}?" if ours in place.components else None
            raise ConfigError([Fault(where, unknown(kind, name, place.names(), hint=hint))])
        component = place.components[name]
        return Chosen(component, validated(component, params, path))


def able(kind: str, name: str, builder: object) -> None:
    """
    Raises:
        TypeError: this can be no component, and what can.
    """
    if not callable(builder):
        found = f"a {type(builder).__name__}"
        raise TypeError(f"{kind} {name!r}: register a function or a class, found {found}")
    target: Any = builder
    while isinstance(target, partial):
        target = target.func
    routine = (
        target if inspect.isroutine(target) or inspect.isclass(target) else type(target).__call__
    )
    if inspect.iscoroutinefunction(routine) or inspect.isasyncgenfunction(routine):
        raise TypeError(f"{kind} {name!r}: an async function cannot be a component: use `def`")
    torch = sys.modules.get("torch")
    module = torch is not None and isinstance(target, torch.nn.Module)
    if module and kind in ("model", "activation"):
        raise TypeError(
            f"{kind} {name!r}: a module that is built already would be shared by all runs. "
            "Register its class, or a function that builds it"
        )


def readable(component: Component) -> None:
    """
    Raises:
        TypeError: the signature cannot be read.
    """
    try:
        _ = component.signature
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"{component.kind.name} {component.name!r}: the parameters of "
            f"{described(component.builder)} cannot be read ({error}). Register a function that "
            "calls it"
        ) from error


def packaged(kind: str) -> set[str]:
    """The names of exp's own components of a kind: each has a file."""
    folder = files("exp.conf") / kind
    names = [file.name for file in folder.iterdir()] if folder.is_dir() else []
    return {name.removesuffix(".yaml") for name in names}


def written_at(frame: Any) -> str:
    """File and line at which a frame is."""
    return f"{Path(frame.f_code.co_filename).name}, line {frame.f_lineno}"


def same_place(one: Component, other: Component) -> bool:
    """Whether two components are one definition that was run again: a module that is reloaded, a
    cell of a notebook."""
    if one.module != other.module:
        return False
    names = [getattr(each.builder, "__qualname__", None) for each in (one, other)]
    return one.place == other.place or (names[0] == names[1] and names[0] not in (None, "<lambda>"))


def infinite(value: Any) -> bool:
    """Whether a value is, or holds, a number that is not finite."""
    if isinstance(value, float):
        return not math.isfinite(value)
    if isinstance(value, (list, tuple)):
        return any(infinite(item) for item in value)
    return isinstance(value, dict) and any(infinite(item) for item in value.values())


def config_parameters(builder: Builder, skip: tuple[str, ...] = ()) -> dict[str, inspect.Parameter]:
    """The parameters of a callable that a config sets, annotations resolved."""
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return {
        each.name: each.parameter
        for each in arguments_of(builder)
        if each.parameter.kind in named and each.name not in skip
    }


def schema_of(title: str, parameters: Mapping[str, inspect.Parameter]) -> type[BaseModel]:
    """A pydantic model that refuses extra keys and does not guess: `"3"` is no integer.

    A name that pydantic has a use for itself, such as `copy` or `model_config`, is the alias of a
    field.
    """
    from pydantic import BaseModel, ConfigDict, Field, create_model

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
            name: (checks(name, kind, config), field) for name, (kind, field) in fields.items()
        }
        return create_model(title, __config__=config, **fields)


def checks(name: str, annotation: Any, config: Any) -> Any:
    """The annotation if pydantic can check by it, else Any."""
    from pydantic import create_model

    try:
        create_model(name, __config__=config, value=(annotation, ...))
    except Exception:
        return Any
    return annotation


def key_of(name: str, schema: type[BaseModel]) -> str:
    """The key of a config that a field of a schema stands for."""
    return schema.model_fields[name].alias or name


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
    for at, fault in enumerate(faults):
        name = fault.path.removeprefix(f"{path}.")
        if type(params.get(name)) is bool and (
            means := docstrings.parameters(component.builder).get(name)
        ):
            # True of a parameter that counts: people take it for a switch.
            faults[at] = Fault(fault.path, f"{fault.message.rstrip('.')}. What it sets: {means}")
        if name in component.misnamed and name not in params:
            wanted, kind_name = component.misnamed[name], component.kind.name
            what = f"exp passes a {kind_name} {wanted!r}: rename this parameter to {wanted!r}"
            faults[at] = Fault(fault.path, f"{what}, or give it a default")
    if not component.packaged:
        if NAME in component.own:
            faults = [fault for fault in faults if fault.path != f"{path}.{NAME}"]
        faults += own_faults(component, values, params, path)
    if not faults and component.check is not None:
        with calling(f"the check of {component.title}"):
            found = list(component.check(values))
        faults = [Fault(f"{path}.{key}", message) for key, message in found]
    if faults:
        raise ConfigError(faults)
    return values


def own_faults(
    component: Component, values: dict[str, Any], params: Mapping[str, Any], path: str
) -> list[Fault]:
    """Faults that only a component of a user's can have; its values become plain ones."""
    faults = []
    if NAME in component.own:
        what = f"a parameter cannot be called {NAME!r}, which chooses the component: rename it"
        faults.append(Fault(f"{path}.{NAME}", what))
    for name, parameter in component.own.items():
        if name not in values or isinstance(values[name], Chosen):
            continue
        if name in component.converters:
            values[name] = plain(values[name])
        if infinite(values[name]) and (name in params and values[name] != parameter.default):
            found = shown(values[name])
            faults.append(Fault(f"{path}.{name}", f"expected a finite number, found {found}"))
    return faults


def checked(
    schema: type[BaseModel], params: Mapping[str, Any], path: str, what: str
) -> tuple[dict[str, Any], list[Fault]]:
    """Values of `params` by `schema`, and the faults found. Values are empty if there are any."""
    from pydantic import ValidationError

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


def repair(schema: type[BaseModel], params: Mapping[str, Any], key: str, at: str) -> str:
    """` Did you mean KEY=VALUE?`, where a value that fits is written a little differently."""
    from pydantic import ValidationError

    if key not in params or not f".{at}".endswith(f".{key}"):
        return ""
    for value in aliases.rewritten(params[key]):
        try:
            schema.model_validate({**params, key: value})
        except ValidationError as error:
            if any(detail["loc"][0] == key for detail in error.errors()):
                continue
        return offer(f"{at}={aliases.written(value)}")
    return ""


def sentence(
    details: list[ErrorDetails], what: str, known: list[str], at: str = "", repaired: str = ""
) -> str:
    """What was expected and what was found, from one or more pydantic errors at one place.

    Args:
        at: the key path of the place.
        repaired: what was probably meant.
    """
    first = details[0]
    if first["type"] == "extra_forbidden":
        word, group = str(first["loc"][-1]), at.partition(".")[0]
        named = [key.partition(".")[2] for key in aliases.keys(word) if key.startswith(f"{group}.")]
        ours = next((name for name in named if name in known), None)
        hint = f" Did you mean {ours!r}?" if ours else None
        return unknown(what, word, known, allowed="It takes", hint=hint)
    if first["type"] == "missing":
        return f"expected a value, found none: set {at}=VALUE"
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
    return f"{found}.{hint or repaired}" if hint or repaired else found


register = Registry()
