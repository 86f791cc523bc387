"""Python's annotations and defaults as values of a config, and back to what the code expects.

A config has numbers, strings, lists and mappings. A parameter that is annotated with a path, an
enumeration, a dataclass, an array, a tuple or a set is written as one of those, and is converted
when the component is called. An annotation that cannot be resolved checks nothing.
"""

from __future__ import annotations

import dataclasses
import enum
import inspect
import sys
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePath
from types import SimpleNamespace
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BeforeValidator, Strict, TypeAdapter, ValidationError

from exp.util.errors import shown

EMPTY = inspect.Parameter.empty
CALLABLE: Any = Callable
SCALARS = (bool, int, float, str, bytes, complex, type(None))
CONTAINERS = (list, dict, tuple, set, frozenset)


Converter = Callable[[Any], Any]


@dataclass(frozen=True)
class Argument:
    """One parameter of a callable.

    Attributes:
        parameter: its annotation in pydantic's terms, its default as a config holds it.
        convert: turns a value of a config into what the code expects; None: the value itself.
    """

    parameter: inspect.Parameter
    convert: Converter | None

    @property
    def name(self) -> str:
        return self.parameter.name


def arguments_of(
    builder: Callable[..., Any], local: Mapping[str, Any] | None = None
) -> list[Argument]:
    """All parameters of a callable, in their order.

    Args:
        local: names that annotations may use besides those of the callable's module.

    Raises:
        TypeError, ValueError: it has no signature that can be read.
    """
    found = inspect.signature(builder)
    hints = hints_of(builder, local)
    fields = getattr(builder, "__dataclass_fields__", {}) if inspect.isclass(builder) else {}
    made = {field.name: field.default_factory for field in fields.values()}

    def resolved(name: str, parameter: inspect.Parameter) -> Argument:
        factory = made.get(name, dataclasses.MISSING)
        default = parameter.default if factory is dataclasses.MISSING else factory()
        written = parameter.annotation
        written = hints.get(name, Any if isinstance(written, str) else written)
        written = Any if written is EMPTY else written
        return Argument(
            parameter.replace(annotation=annotation_of(written, default), default=plain(default)),
            converter(written, default),
        )

    return [resolved(name, parameter) for name, parameter in found.parameters.items()]


def hints_of(builder: Any, local: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The annotations of a callable's parameters by name, without those that cannot be resolved."""
    target = builder = unwrapped(builder)
    if inspect.isclass(builder):
        target = builder.__init__
    elif not inspect.isroutine(builder):
        target = type(builder).__call__
    target = inspect.unwrap(target)
    # The return value is not a parameter: its annotation need not be resolved.
    written = {k: v for k, v in getattr(target, "__annotations__", {}).items() if k != "return"}
    space = {**getattr(target, "__globals__", {}), **(local or {})}

    def evaluated(some: dict[str, Any]) -> dict[str, Any]:
        names = SimpleNamespace(__annotations__=some)
        return typing.get_type_hints(names, globalns=space, include_extras=True)

    try:
        return evaluated(written)
    except Exception:
        found: dict[str, Any] = {}
        for name, annotation in written.items():
            try:
                found |= evaluated({name: annotation})
            except Exception:  # a name that only a type checker knows
                continue
        return found


def annotation_of(annotation: Any, default: Any) -> Any:
    """What a value in a config must be: the annotation in terms that pydantic can check.

    Args:
        default: None makes None an allowed value. Without an annotation the type of an array, an
            enumeration, a path or a tuple stands in for it.
    """
    if annotation is Any:
        kind = type(default)
        if is_array(kind) or isinstance(default, (enum.Enum, PurePath)):
            annotation = kind
        elif kind is tuple:
            return Annotated[Any, BeforeValidator(_as_tuple)]
    found = checkable(annotation)
    return found | None if default is None and not takes_none(annotation) else found


def checkable(annotation: Any) -> Any:
    """An annotation with every type that YAML does not have replaced by a check of its form."""
    origin, args = get_origin(annotation), get_args(annotation)
    if isinstance(annotation, TypeVar) or annotation is object:
        return Any
    if origin is Annotated:
        inner = checkable(args[0])
        return annotation if inner is args[0] else Annotated[inner, *args[1:]]
    if origin in (Union, types.UnionType):
        # A tensor or a number: torch takes both, a config has numbers.
        number = any(arg in (int, float) for arg in args)
        kept = [arg for arg in args if not (number and is_tensor(arg))]
        inner = [checkable(arg) for arg in kept]
        same = len(kept) == len(args) and all(a is b for a, b in zip(inner, args, strict=True))
        return annotation if same else Union[tuple(inner)]  # noqa: UP007 - made of a list
    if origin is Literal or annotation in SCALARS or annotation in (Any, None):
        return annotation
    if origin in CONTAINERS or annotation in (tuple, set, frozenset):
        return _container(annotation, origin, args)
    kind = origin or annotation
    if is_array(kind):
        return Annotated[Any, BeforeValidator(_array_like)]
    if is_tensor(kind):
        return Annotated[Any, BeforeValidator(_tensor_like)]
    if not inspect.isclass(kind) or annotation in CONTAINERS:
        return annotation
    if issubclass(kind, PurePath):
        return Annotated[kind if kind is not PurePath else Path, Strict(False)]
    if issubclass(kind, enum.Enum):
        return Annotated[kind, Strict(False), BeforeValidator(partial(_member, kind))]
    if dataclasses.is_dataclass(kind):
        return Annotated[Any, BeforeValidator(partial(_built, kind))]
    if kind is not CALLABLE and (
        kind.__module__ in ("collections.abc", "typing") or typing.is_typeddict(kind)
    ):
        return annotation
    return Annotated[Any, BeforeValidator(partial(_instance, kind))]


def _container(annotation: Any, origin: Any, args: tuple[Any, ...]) -> Any:
    inner = tuple(arg if arg is Ellipsis else checkable(arg) for arg in args)
    same = all(a is b for a, b in zip(inner, args, strict=True))
    found = annotation if same or origin is None else origin[inner]
    if (origin or annotation) in (tuple, set, frozenset):  # YAML has lists only
        return Annotated[found, Strict(False)]
    return found


def _member(kind: type[enum.Enum], value: Any) -> Any:
    if isinstance(value, str) and value in kind.__members__:
        return kind[value]
    try:
        return kind(value)
    except ValueError:
        known = " or ".join(repr(plain(member)) for member in kind)
        raise ValueError(known) from None


def _built(kind: type, value: Any) -> Any:
    try:
        return TypeAdapter(kind).validate_python(value)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        fields = ", ".join(field.name for field in dataclasses.fields(kind))
        raise ValueError(f"a mapping of {fields} ({where}: {first['msg']})") from error


def _instance(kind: type, value: Any) -> Any:
    try:
        fits = value is not None and isinstance(value, kind)
    except TypeError:  # a protocol without isinstance
        return value
    if not fits:
        raise ValueError(f"a {kind.__name__}, which a config cannot contain")
    return value


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _array_like(value: Any) -> Any:
    try:
        if sys.modules["numpy"].asarray(value).dtype.kind in "biuf":
            return plain(value)
    except ValueError:
        pass
    raise ValueError("a list of numbers, or of lists of equal length")


def _tensor_like(value: Any) -> Any:
    return value if is_tensor(type(value)) else _array_like(value)


def is_array(kind: Any) -> bool:
    numpy = sys.modules.get("numpy")
    return numpy is not None and inspect.isclass(kind) and issubclass(kind, numpy.ndarray)


def is_tensor(kind: Any) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and inspect.isclass(kind) and issubclass(kind, torch.Tensor)


def takes_none(annotation: Any) -> bool:
    origin, args = get_origin(annotation), get_args(annotation)
    if annotation in (Any, None, type(None), object) or isinstance(annotation, TypeVar):
        return True
    if origin is Annotated:
        return takes_none(args[0])
    if origin in (Union, types.UnionType):
        return any(takes_none(arg) for arg in args)
    return origin is Literal and None in args


def plain(value: Any) -> Any:
    """A value in the form that a config has; any other object stays as it is."""
    if type(value) in SCALARS or value is EMPTY:
        return value
    if isinstance(value, enum.Enum):
        return value.value if type(value.value) in (bool, int, float, str) else value.name
    if isinstance(value, PurePath):
        return str(value)
    if type(value).__module__ == "numpy" and hasattr(value, "tolist"):
        return value.tolist()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if type(value) in (list, tuple):
        return type(value)(plain(item) for item in value)
    if type(value) in (set, frozenset):
        return sorted((plain(item) for item in value), key=repr)
    if type(value) is dict:
        return {plain(key): plain(item) for key, item in value.items()}
    return value


def converter(written: Any, default: Any) -> Converter | None:
    """What turns a value of a config into what the code expects; None: the value itself.

    Args:
        written: the annotation in the code; Any where there is none.
        default: of the parameter in the code.
    """
    kinds = [written, *_inside(written)]
    if written is Any:
        kinds = [type(default)]
    if any(is_array(get_origin(kind) or kind) for kind in kinds):
        return _to_array
    if any(is_tensor(kind) for kind in kinds):
        numbers = {int, float} & set(kinds)
        return _to_tensor if not numbers else None
    special = (PurePath, enum.Enum, set, frozenset)
    classes = [kind for kind in ((get_origin(k) or k) for k in kinds) if inspect.isclass(kind)]
    if not any(issubclass(k, special) or dataclasses.is_dataclass(k) for k in classes):
        return None
    return partial(_adapted, [], written, default)


def _adapted(made: list[Any], written: Any, default: Any, value: Any) -> Any:
    """The value converted by pydantic; the adapter is built at the first call."""
    if not made:
        made.append(TypeAdapter(annotation_of(written, default)))
    return made[0].validate_python(value)


def _inside(annotation: Any) -> list[Any]:
    """Every type that an annotation is made of."""
    if get_origin(annotation) is Literal:
        return []
    args = [arg for arg in get_args(annotation) if arg is not Ellipsis]
    return [kind for arg in args for kind in (arg, *_inside(arg))]


def _to_array(value: Any) -> Any:
    # The module with this annotation has imported NumPy: commands without arrays start faster.
    return None if value is None else sys.modules["numpy"].asarray(value)


def _to_tensor(value: Any) -> Any:
    torch = sys.modules["torch"]  # the module with this annotation has imported it
    if value is None or isinstance(value, torch.Tensor):
        return value
    return torch.tensor(value, dtype=torch.get_default_dtype())


def unwritable(default: Any) -> bool:
    """Whether a config cannot store this default: an object, a function, a class."""
    if default is EMPTY or type(default) in SCALARS[:4] or default is None:
        return False
    if type(default) in (list, tuple):
        return any(unwritable(item) for item in default)
    if type(default) is dict:
        texts = all(type(key) is str for key in default)
        return not texts or any(unwritable(item) for item in default.values())
    return True


def unwrapped(builder: Any) -> Any:
    """The callable inside of `functools.partial`."""
    while isinstance(builder, partial):
        builder = builder.func
    return builder


def described(builder: Any) -> str:
    """A callable in words, for messages."""
    builder = unwrapped(builder)
    name = getattr(builder, "__qualname__", None) or type(builder).__qualname__
    return shown(name)
