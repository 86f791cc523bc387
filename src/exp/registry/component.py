"""A kind of component, one component with the schema of its signature, and a chosen one.

What exp passes to a component (`Kind.injected`) goes to the parameter of that name and stays out
of the schema. Every other parameter is a key of the config, checked by its annotation.
"""

from __future__ import annotations

import importlib
import inspect
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from exp.registry.annotations import Argument, arguments_of, unwritable
from exp.registry.parameter_schema import config_parameters, nested_kind, schema_of
from exp.registry.user_code import calling

if TYPE_CHECKING:
    from pydantic import BaseModel

Builder = Callable[..., Any]
Check = Callable[[Mapping[str, Any]], Iterator[tuple[str, str]]]
"""Of the values of a component: keys, and what is wrong with the value of each."""

NAME = "name"
"""The key of a config that chooses a component: no parameter can have this name."""
LIBRARIES = ("torch", "sklearn", "numpy", "functools", "builtins", "_functools")
"""Packages whose functions and classes can be registered as they are."""


@dataclass
class Kind:
    """A group of interchangeable components, such as all datasets.

    Attributes:
        name: the config group's name.
        injected: what exp passes to a component, in this order.
        offered: what exp passes, too, to a component that has a parameter of that name.
        about: what its components are, in a line.
        aliases: name of what is passed -> other names that a parameter for it may have.
        internal: names of components that exp itself puts into configs: they are no options.
        adapter: `module:function`, which makes a builder of this kind of what was registered.
        common: a callable whose parameters every component of this kind takes as well.
        modules: those that register its components, until they are imported.
        components: by name.
    """

    name: str
    injected: tuple[str, ...] = ()
    offered: tuple[str, ...] = ()
    about: str = ""
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    adapter: str | None = None
    internal: tuple[str, ...] = ()
    common: Builder | None = None
    modules: list[str] = field(default_factory=list)
    components: dict[str, Component] = field(default_factory=dict)

    def load(self) -> None:
        """Imports the modules that provide this kind, once each."""
        while self.modules:
            importlib.import_module(self.modules.pop(0))

    def names(self) -> list[str]:
        self.load()
        return sorted(self.components.keys() - set(self.internal))

    def adapted(self, builder: Builder, name: str) -> Builder:
        """What was registered, as a builder of this kind."""
        if self.adapter is None:
            return builder
        module, _, function = self.adapter.partition(":")
        found: Builder = getattr(importlib.import_module(module), function)(builder, name)
        return found


@dataclass(frozen=True)
class Component:
    """One registered builder and the schema of its signature.

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
        """Whether it is part of exp."""
        return self.module.partition(".")[0] == "exp"

    @property
    def title(self) -> str:
        return f"{self.kind.name} {self.name}"

    @property
    def modules(self) -> tuple[str, ...]:
        """The modules that it is made of, as far as that is known."""
        defined = getattr(self.builder, "__module__", None) or self.module
        known = defined == self.module or defined.partition(".")[0] in (*LIBRARIES, "exp")
        return (self.module,) if known else (self.module, defined)

    @cached_property
    def signature(self) -> list[Argument]:
        """Every parameter of the builder."""
        return arguments_of(self.builder, self.local)

    @cached_property
    def injected(self) -> dict[str, str]:
        """The parameters by which exp passes something, and what that is."""
        varying = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
        given = {each.name for each in self.signature if each.parameter.kind not in varying}
        found = {}
        for what in (*self.kind.injected, *self.kind.offered):
            known = (what, *self.kind.aliases.get(what, ()))
            name = next((name for name in known if name in given), None)
            if name is not None:
                found[name] = what
        return found

    @cached_property
    def declared(self) -> dict[str, inspect.Parameter]:
        """The config parameters of its signature by name, in their order."""
        named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
        return {
            each.name: each.parameter
            for each in self.signature
            if each.parameter.kind in named
            and each.name not in self.injected
            and (nested_kind(each.parameter) or not unwritable(each.parameter.default))
            and (each.name != NAME or each.parameter.default is inspect.Parameter.empty)
        }

    @cached_property
    def common(self) -> dict[str, inspect.Parameter]:
        """The parameters that every component of its kind takes, and that it does not declare."""
        return {name: each for name, each in self.of_kind.items() if name not in self.declared}

    @cached_property
    def of_kind(self) -> dict[str, inspect.Parameter]:
        """The parameters that every component of its kind takes."""
        self.kind.load()  # one of its modules declares them
        return config_parameters(self.kind.common) if self.kind.common else {}

    @property
    def parameters(self) -> dict[str, inspect.Parameter]:
        return {**self.declared, **self.common}

    @cached_property
    def to_rename(self) -> dict[str, str]:
        """Required parameters that stand where exp passes something -> the names that they need:
        under another name they would be keys of the config."""
        names = [each.name for each in self.signature]
        return {
            name: wanted
            for name, wanted in zip(names, self.kind.injected, strict=False)
            if wanted not in self.injected.values()
            and name in self.declared
            and self.declared[name].default is inspect.Parameter.empty
        }

    @cached_property
    def converters(self) -> dict[str, Callable[[Any], Any]]:
        """Parameter -> what turns a config's value into what the code expects."""
        return {each.name: each.convert for each in self.signature if each.convert is not None}

    def make(self, *injected: Any, **values: Any) -> Any:
        """Calls the builder.

        Args:
            injected: what exp passes to this kind.
            values: of the declared parameters, and what is offered to the component.

        Raises:
            CustomCodeError: whatever a custom component raises.
        """
        if self.packaged:
            return self.builder(*injected, **values)
        with calling(self.title):
            positional, keywords = self.call(injected, values)
            return self.builder(*positional, **keywords)

    def call(
        self, injected: tuple[Any, ...], declared: Mapping[str, Any]
    ) -> tuple[list[Any], dict[str, Any]]:
        """The arguments of a call: by name where the signature has that name, the rest by position
        or by keyword where the signature takes any."""
        given = dict(zip(self.kind.injected, injected, strict=True))
        values = {key: self.converters.get(key, same)(value) for key, value in declared.items()}
        rest = {key: value for key, value in given.items() if key not in self.injected.values()}
        values |= {name: given[what] for name, what in self.injected.items() if what in given}
        parameters = [each.parameter for each in self.signature]
        spreads = any(each.kind is each.VAR_POSITIONAL for each in parameters)
        positional: list[Any] = []
        keywords: dict[str, Any] = {}
        for each in parameters:
            if each.kind is each.POSITIONAL_ONLY:
                if each.name in values:
                    positional.append(values[each.name])
                elif rest:
                    positional.append(rest.pop(next(iter(rest))))
            elif each.kind is each.VAR_POSITIONAL:
                positional += rest.values()
                rest = {}
            elif each.kind is each.VAR_KEYWORD:
                keywords |= rest
            elif each.name in values:
                if spreads and each.kind is each.POSITIONAL_OR_KEYWORD:
                    positional.append(values[each.name])
                else:
                    keywords[each.name] = values[each.name]
        return positional, keywords

    @property
    def summary(self) -> str:
        """The first paragraph of the docstring, on one line."""
        text = inspect.getdoc(self.builder) or ""
        return " ".join(text.split("\n\n")[0].split())

    @cached_property
    def schema(self) -> type[BaseModel]:
        return schema_of(self.name, self.parameters)


def same(value: Any) -> Any:
    return value


@dataclass(frozen=True)
class Chosen:
    """A component with validated parameters: what a config group has become."""

    component: Component
    params: dict[str, Any]

    @property
    def name(self) -> str:
        return self.component.name

    @property
    def nested(self) -> list[Chosen]:
        """The components among its parameters."""
        return [value for value in self.params.values() if isinstance(value, Chosen)]

    @property
    def packaged(self) -> bool:
        """Whether it and all that is nested in it are part of exp."""
        return self.component.packaged and all(each.packaged for each in self.nested)

    @property
    def at_fault(self) -> str:
        """Kind and name of the component that an exception in a user's code is reported for: where
        a packaged component nests one custom component, that one."""
        custom = [each for each in self.nested if not each.packaged]
        inside = self.component.packaged and len(custom) == 1
        return custom[0].at_fault if inside else self.component.title

    @property
    def declared(self) -> dict[str, Any]:
        """The values of the parameters that its signature declares."""
        parameters = self.component.declared
        return {key: self.params.get(key, each.default) for key, each in parameters.items()}

    @property
    def common(self) -> dict[str, Any]:
        """The values of what every component of its kind takes; the default where the component
        declares a parameter of that name itself."""
        return {
            key: self.params[key] if key in self.component.common else each.default
            for key, each in self.component.of_kind.items()
        }

    def build(self, *injected: Any, **offered: Any) -> Any:
        """Calls the builder with the parameters.

        Args:
            injected: what exp passes to every component of the kind.
            offered: what it passes only to components that have a parameter of that name.
        """
        names = self.component.injected.items()
        wanted = {name: offered[what] for name, what in names if what in offered}
        return self.component.make(*injected, **wanted, **self.declared)

    def as_dict(self) -> dict[str, Any]:
        """`name` and parameters as plain values; a nested component becomes a mapping. A default
        that is not finite stays out: a config cannot hold it."""
        values = {k: v.as_dict() if isinstance(v, Chosen) else v for k, v in self.params.items()}
        if not self.component.packaged:
            values = {key: value for key, value in values.items() if not infinite(value)}
        return {"name": self.name, **values}


def infinite(value: Any) -> bool:
    """Whether a value is, or holds, a number that is not finite."""
    if isinstance(value, float):
        return not math.isfinite(value)
    if isinstance(value, (list, tuple)):
        return any(infinite(item) for item in value)
    return isinstance(value, dict) and any(infinite(item) for item in value.values())
