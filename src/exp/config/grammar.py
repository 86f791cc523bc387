"""Hydra's grammar of overrides, with what is wrong in it mended.

Hydra 1.3 sorts `range(10,35,10)` to 25, 15, 5, gives `range(0.1,0.4,0.1)` a fourth value, loses
the quotes inside `choice('1')`, fails at `1,range(5,8)`, and reads functions and mappings with the
help of `assert`, which `PYTHONOPTIMIZE=1` takes out. Importing this module replaces those parts.
"""

# No postponed annotations: Hydra compares arguments with the annotations of its functions.

import decimal
import math
import re
from collections.abc import Iterator
from copy import copy
from types import SimpleNamespace
from typing import Any, cast

from hydra.core.override_parser import types
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.overrides_visitor import HydraOverrideVisitor
from hydra.core.override_parser.types import (
    ChoiceSweep,
    FloatRange,
    Glob,
    IntervalSweep,
    Override,
    Quote,
    QuotedString,
    RangeSweep,
    Sweep,
)
from hydra.errors import HydraException
from hydra.grammar.gen.OverrideParser import OverrideParser

from exp.config.hydra_internal import grammar_functions

MOST = 1_000_000
"""Values that are listed at once; more is a slip of the pen."""
PLAIN = re.compile(r"(?!(?:null|true|false|nan|inf)$)[a-z_][\w./-]*", re.ASCII | re.IGNORECASE)
"""Texts that are read as they are written, whatever stands around them."""


def choice(*args: Any) -> ChoiceSweep:
    """A sweep over the given values; those of a range or of another choice are taken one by one."""
    if not args:
        raise ValueError("a choice needs values")
    return ChoiceSweep(list=flat(args))


def range_of(
    start: int | float,
    stop: int | float | None = None,
    step: int | float = 1,
) -> RangeSweep:
    """A sweep over start, start + step and so on, up to the stop, which is left out."""
    first, last = (0, start) if stop is None else (start, stop)
    if not all(math.isfinite(number) for number in (first, last, step)):
        raise ValueError("the numbers of a range must be finite")
    if step == 0:
        raise ValueError("the step of a range must not be 0")
    return RangeSweep(start=first, stop=last, step=step)


def interval(start: int | float, end: int | float) -> IntervalSweep:
    """A sweep over all numbers between two."""
    try:
        return IntervalSweep(start=float(start), end=float(end))
    except OverflowError:
        raise ValueError("the ends of an interval must be numbers below 1.8e308") from None


def sort_sweep(sweep: Any, reverse: bool) -> Any:
    """A choice or a range in another order: the same values."""
    sweep = copy(sweep)
    if isinstance(sweep, ChoiceSweep):
        sweep.list = sorted(sweep.list, reverse=reverse)
        return sweep
    if (sweep.step < 0) == reverse:
        return sweep
    count = length(sweep)
    # In decimals, as `FloatRange` counts: the last value is met exactly.
    start, step = (decimal.Decimal(repr(number)) for number in (sweep.start, sweep.step))
    whole = isinstance(sweep.range(), range)
    number = int if whole else float
    sweep.start = number(start + (count - 1) * step)
    sweep.stop, sweep.step = number(start - step), -sweep.step
    return sweep


def length(sweep: RangeSweep) -> int:
    """How many values a range has."""
    values = sweep.range()
    if isinstance(values, range):
        return max(0, -((values.start - values.stop) // values.step))
    return int(max(0, math.ceil((values.stop - values.start) / values.step)))


def shuffle(*args: Any, sweep: Any = None, list: Any = None) -> Any:  # noqa: A002
    """A list or a sweep in an order drawn by chance."""
    given = next((each for each in (sweep, list, *args) if each is not None), None)
    if isinstance(given, RangeSweep) and length(given) > MOST:
        raise ValueError(f"a range of more than {MOST:,} values cannot be shuffled")
    return _shuffle(*args, sweep=sweep, list=list)


def simple(*args: Any) -> ChoiceSweep:
    """A sweep over values that stand beside each other."""
    return ChoiceSweep(list=flat(args), simple_form=True)


def cast_choice(value: ChoiceSweep, function: Any) -> ChoiceSweep:
    """Every value of a choice as another type; it stays shuffled and tagged."""
    other = copy(value)
    other.list = [function(item) for item in value.list]
    return other


def cast_range(value: RangeSweep, function: Any) -> RangeSweep:
    """A range of integers or of floats; it stays shuffled and tagged."""
    if function not in (grammar_functions.cast_int, grammar_functions.cast_float):
        raise ValueError("a range can be made of integers or floats only")
    other = copy(value)
    checked = range_of(function(value.start), function(value.stop), function(value.step))
    other.start, other.stop, other.step = checked.start, checked.stop, checked.step
    return other


def flat(values: Any) -> list[Any]:
    """The values of a choice, those of ranges and choices among them one by one.

    Raises:
        ValueError: something among them has no values that could be listed.
    """
    found: list[Any] = []
    for value in values:
        if isinstance(value, (IntervalSweep, Glob)):
            name = "interval" if isinstance(value, IntervalSweep) else "glob"
            raise ValueError(f"{name}(...) cannot be combined with other values")
        if isinstance(value, RangeSweep) and length(value) > MOST:
            raise ValueError(f"a range of more than {MOST:,} values")
        if isinstance(value, RangeSweep):
            found += shuffled(value.range(), value)
        elif isinstance(value, ChoiceSweep):
            found += shuffled(value.list, value)
        else:
            found.append(value)
    return found


def shuffled(values: Any, sweep: Any) -> list[Any]:
    """Values, in an order drawn by chance where the sweep that they come from asks for it."""
    listed = list(values)
    return grammar_functions.shuffle(listed) if sweep.shuffle else listed


def written(value: Any) -> str:
    """A value of a sweep as the value of an override: what is read from it is the same again."""
    if type(value) is not str:
        return str(_written(value))
    if PLAIN.fullmatch(value):
        return value
    text = str(_written(value))
    try:
        (read,) = OverridesParser.create().parse_overrides([f"key={text}"])
        same = type(read.value()) is str and read.value() == value
    except HydraException:
        same = False
    return text if same else QuotedString(text=value, quote=Quote.single).with_quotes()


def values_of(override: Override) -> Iterator[str]:
    """The values of a sweep that can be listed, each as the value of an override."""
    return cast(Iterator[str], override.sweep_iterator(transformer=written))


def simple_choice(visitor: HydraOverrideVisitor, ctx: Any) -> ChoiceSweep:
    """`a,b`."""
    try:
        return simple(*(visitor.visitElement(element) for element in ctx.element()))
    except ValueError as error:
        raise HydraException(str(error)) from error


def list_of(visitor: HydraOverrideVisitor, ctx: Any) -> list[Any]:
    """`[a,b]`."""
    return [without_sweep(visitor.visitElement(element)) for element in ctx.element()]


def mapping_of(visitor: HydraOverrideVisitor, ctx: Any) -> dict[Any, Any]:
    """`{a:b}`."""
    return {
        visitor.visitDictKey(pair.dictKey()): without_sweep(visitor.visitElement(pair.element()))
        for pair in ctx.dictKeyValuePair()
    }


def function_of(visitor: HydraOverrideVisitor, ctx: Any) -> Any:
    """`f(a,name=b)`."""
    args: list[Any] = []
    named: dict[str, Any] = {}
    name = None
    for child in ctx.getChildren():
        if isinstance(child, OverrideParser.ArgNameContext):
            name = child.getChild(0).getText()
        elif isinstance(child, OverrideParser.ElementContext) and name is not None:
            named[name], name = visitor.visitElement(child), None
        elif isinstance(child, OverrideParser.ElementContext):
            if named:
                raise HydraException("positional argument follows keyword argument")
            args.append(visitor.visitElement(child))
    call = SimpleNamespace(name=ctx.getChild(0).getText(), args=args, kwargs=named)
    try:
        return visitor.functions.eval(call)
    except Exception as error:
        raise HydraException(f"{call.name}(...): {error}") from error


def override_of(visitor: HydraOverrideVisitor, ctx: Any) -> Override:
    """A whole override."""
    found: Override = _override_of(visitor, ctx)
    if found.is_delete() and found.is_sweep_override():
        raise HydraException("a deletion (~) cannot be swept")
    return found


def without_sweep(value: Any) -> Any:
    """
    Raises:
        HydraException: a sweep stands inside a list or a mapping.
    """
    if isinstance(value, (Sweep, Glob)):
        raise HydraException(
            "a sweep cannot be inside a list or mapping: sweep over the whole value"
        )
    return value


class DecimalRange(FloatRange):  # type: ignore[misc]
    """A range of floats that counts in decimals, as they are written: 0.1, 0.2, 0.3."""

    def __post_init__(self) -> None:
        for name in ("start", "stop", "step"):
            setattr(self, name, decimal.Decimal(repr(getattr(self, name))))


_written, _shuffle = types.Transformer.str, grammar_functions.shuffle
_override_of = HydraOverrideVisitor.visitOverride


def mend() -> None:
    """Puts all this in the place of what Hydra has."""
    functions = {
        "choice": choice, "range": range_of, "interval": interval, "_sort_sweep": sort_sweep,
        "shuffle": shuffle, "cast_choice": cast_choice, "cast_range": cast_range,
        "_list_to_simple_choice": simple,
    }  # fmt: skip
    for name, function in functions.items():
        setattr(grammar_functions, name, function)
    types.FloatRange = DecimalRange
    types.Transformer.str = staticmethod(written)
    readers = {
        "visitSimpleChoiceSweep": simple_choice, "visitListContainer": list_of,
        "visitDictContainer": mapping_of, "visitFunction": function_of,
        "visitOverride": override_of,
    }  # fmt: skip
    for name, reader in readers.items():
        setattr(HydraOverrideVisitor, name, reader)


mend()
