"""The registry: a name and parameters from a config become an object, or one clear error.

    @register.dataset("moons")
    def moons(seed, *, n_samples: Rows = 1000, noise: NonNegative = 0.03) -> Data: ...

The signature is the schema, and the first paragraph of the docstring is the help. Nothing in a
config is ever imported or evaluated: a name either stands in the registry or is refused.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping
from importlib.resources import files
from pathlib import Path
from types import FrameType
from typing import Any

from exp.registry import aliases, entry_points
from exp.registry.annotations import described, unwrapped
from exp.registry.component import Builder, Check, Chosen, Component, Kind
from exp.registry.validation import validated
from exp.util.errors import ConfigError, Fault, unknown


class Registry:
    """All kinds. `register.<kind>(name)` is the decorator that adds a component."""

    def __init__(self) -> None:
        self.kinds: dict[str, Kind] = {}

    def kind(
        self,
        name: str,
        *modules: str,
        injected: tuple[str, ...] = (),
        offered: tuple[str, ...] = (),
        about: str = "",
        aliases: Mapping[str, tuple[str, ...]] | None = None,
        adapter: str | None = None,
        internal: tuple[str, ...] = (),
    ) -> Kind:
        """Declares a kind and the modules that provide its components (imported when needed)."""
        kind = Kind(
            name, injected, offered, about, aliases or {}, adapter, internal, modules=list(modules)
        )
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
                self._add(self.kinds[kind], name, builder, check, caller())
                return builder

            return add

        return named

    def metric(self, name: str, **about: Any) -> Callable[[Builder], Builder]:
        """Decorator: adds a score, a function of (y_true, y_pred) or a class of torchmetrics.

        Args:
            name: what it is called in summary.json.
            about: `higher_is_better`, `probabilities` and `regression`, as for
                `exp.components.metrics.Metric`.
        """
        if "numbers" in about:
            about["regression"] = about.pop("numbers")  # its old name
        kind = self.kinds["metric"]
        kind.load()
        made: Any = sys.modules["exp.components.metrics"]
        frame = caller()

        def add(function: Builder) -> Builder:
            module = module_of(frame)
            metric = made.Metric(name, function, module=module, **about)
            self._put(kind, Component(kind, name, metric, None, module, place_of(frame)))
            return function

        return add

    def _add(
        self, kind: Kind, name: str, builder: Builder, check: Check | None, frame: FrameType
    ) -> None:
        """
        Raises:
            TypeError: this cannot be a component.
            ValueError: there is one of this name.
        """
        module, place = module_of(frame), place_of(frame)
        if module.partition(".")[0] == "exp":
            self._put(kind, Component(kind, name, builder, check, module, place))
            return
        check_registrable(kind.name, name, builder)
        local = None if frame.f_locals is frame.f_globals else dict(frame.f_locals)
        component = Component(kind, name, kind.adapted(builder, name), check, module, place, local)
        check_signature(component)
        if name in packaged_names(kind.name) or name in kind.internal:
            kind.load()
        self._put(kind, component)

    def _put(self, kind: Kind, component: Component) -> None:
        """
        Raises:
            ValueError: there is one of this name.
        """
        name = component.name
        there = kind.components.get(name)
        if there is not None and not same_definition(there, component):
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
        place.load()
        if isinstance(name, str) and name not in place.components:
            entry_points.load()
        if not isinstance(name, str) or name not in place.components:
            where = path if not isinstance(value, Mapping) else f"{path}.name"
            meant = aliases.option(kind, name)
            hint = f" Did you mean {meant!r}?" if meant in place.components else None
            raise ConfigError([Fault(where, unknown(kind, name, place.names(), hint=hint))])
        component = place.components[name]
        return Chosen(component, validated(component, params, path, self.choose))


register = Registry()


def check_registrable(kind: str, name: str, builder: object) -> None:
    """
    Raises:
        TypeError: this cannot be a component, and what can.
    """
    if not callable(builder):
        found = f"a {type(builder).__name__}"
        raise TypeError(f"{kind} {name!r}: register a function or a class, found {found}")
    target = unwrapped(builder)
    direct = inspect.isroutine(target) or inspect.isclass(target)
    called = target if direct else type(target).__call__
    if inspect.iscoroutinefunction(called) or inspect.isasyncgenfunction(called):
        raise TypeError(f"{kind} {name!r}: an async function cannot be a component: use `def`")
    torch = sys.modules.get("torch")
    module = torch is not None and isinstance(target, torch.nn.Module)
    if module and kind in ("model", "activation"):
        raise TypeError(
            f"{kind} {name!r}: all runs would share this module, as it is built already. Register "
            "its class, or a function that builds it"
        )


def check_signature(component: Component) -> None:
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


def packaged_names(kind: str) -> set[str]:
    """The names of exp's own components of a kind: each has a file."""
    folder = files("exp.conf") / kind
    names = [file.name for file in folder.iterdir()] if folder.is_dir() else []
    return {name.removesuffix(".yaml") for name in names}


def caller() -> FrameType:
    """The frame of the code that calls the function which calls this."""
    frame = inspect.currentframe()
    for _ in range(2):
        frame = frame and frame.f_back
    assert frame is not None
    return frame


def module_of(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", "__main__"))


def place_of(frame: FrameType) -> str:
    """File and line of the code that a frame runs."""
    return f"{Path(frame.f_code.co_filename).name}, line {frame.f_lineno}"


def same_definition(one: Component, other: Component) -> bool:
    """Whether two components are one definition that was run again: a module that is reloaded, a
    cell of a notebook."""
    if one.module != other.module:
        return False
    names = [getattr(each.builder, "__qualname__", None) for each in (one, other)]
    return one.place == other.place or (names[0] == names[1] and names[0] not in (None, "<lambda>"))
