"""The registry, through the one door that a config goes through."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

import exp.registry.kinds  # noqa: F401 - declares the kinds
from exp.registry.component import Chosen
from exp.registry.registry import register
from exp.registry.types import Finite, Nested, NonNegative, Positive, Probability, Rows, Width
from exp.util.errors import ConfigError

register.kind("shape", injected=("corner",))
register.kind("paint")


def not_too_flat(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if values["height"] * 100 < values["width"]:
        yield "height", f"expected at least width / 100, found {values['height']}"


@register.paint("plain")
@dataclass(frozen=True, kw_only=True)
class Plain:
    """One colour all over."""

    colour: Literal["red", "blue"] = "red"
    coats: Width = 1


@register.paint("striped")
def striped(*, widths: Annotated[list[Positive], Field(min_length=1)]) -> list[float]:
    """Stripes
    of given widths.

    Args:
        widths: of each.
    """
    return widths


@register.shape("box", check=not_too_flat)
def box(
    corner: int,
    *,
    width: Positive = 1.0,
    height: Positive = 1.0,
    paint: Annotated[Any, Nested("paint")] = "plain",
) -> tuple[Any, ...]:
    return corner, width, height, paint


@register.shape("numbers")
@dataclass(frozen=True)
class Numbers:
    corner: int
    _: KW_ONLY
    count: Rows = 10
    any_number: Finite = 0.0
    size: NonNegative = 0.0
    share: Probability = 0.0
    flag: bool = False
    maybe: Width | None = None
    many: list[Width] = field(default_factory=lambda: [8, 8])
    text: str = "x"


# No other test is to meet these kinds.
OURS = {name: register.kinds.pop(name) for name in ("shape", "paint")}


@pytest.fixture(autouse=True, scope="module")
def ours() -> Iterator[None]:
    register.kinds.update(OURS)
    yield
    for name in OURS:
        del register.kinds[name]


def choose(value: Any, kind: str = "shape") -> Chosen:
    return register.choose(kind, value)


def faults(value: Any, kind: str = "shape") -> list[str]:
    with pytest.raises(ConfigError) as caught:
        choose(value, kind)
    lines = str(caught.value).splitlines()
    count = len(lines) - 1
    heading = "1 fault" if count == 1 else f"{count} faults"
    assert lines[0] == f"{heading} in the config; nothing was started"
    return [" ".join(line.split()) for line in lines[1:]]


def number(**params: Any) -> list[str]:
    return faults({"name": "numbers", **params})


def test_a_name_or_a_mapping() -> None:
    assert choose("box").as_dict() == choose({"name": "box"}).as_dict()
    assert choose({"name": "box", "width": 2}).params["width"] == 2.0
    assert choose("box").build(7)[:3] == (7, 1.0, 1.0)


def test_a_nested_component() -> None:
    chosen = choose({"name": "box", "paint": {"name": "plain", "coats": 3}})
    paint = chosen.params["paint"]
    assert isinstance(paint, Chosen)
    assert paint.build() == Plain(coats=3)
    assert chosen.as_dict()["paint"] == {"name": "plain", "colour": "red", "coats": 3}
    assert choose(chosen.as_dict()).as_dict() == chosen.as_dict()
    assert choose("box").as_dict()["paint"] == {"name": "plain", "colour": "red", "coats": 1}


def test_summary_is_the_first_paragraph() -> None:
    components = register.kinds["paint"].components
    assert components["striped"].summary == "Stripes of given widths."


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ("bx", "shape unknown shape 'bx'. Did you mean 'box'? Known: box, numbers"),
        ("BOX", "shape unknown shape 'BOX'. Did you mean 'box'? Known: box, numbers"),
        ("zzz", "shape unknown shape 'zzz'. Known: box, numbers"),
        ("", "shape unknown shape ''. Known: box, numbers"),
        (None, "shape unknown shape None. Known: box, numbers"),
        (3, "shape unknown shape 3. Known: box, numbers"),
        ([], "shape unknown shape []. Known: box, numbers"),
        ({}, "shape.name unknown shape None. Known: box, numbers"),
        ({"name": 3}, "shape.name unknown shape 3. Known: box, numbers"),
        (
            {"name": "os.system"},
            "shape.name unknown shape 'os.system'. Known: box, numbers",
        ),
        (
            {"name": "box", "widht": 3},
            (
                "shape.widht unknown parameter of shape box 'widht'. Did you mean 'width'? "
                "It takes: width, height, paint"
            ),
        ),
        (
            {"name": "box", "corner": 3},
            "shape.corner unknown parameter of shape box 'corner'. It takes: width, height, paint",
        ),
        (
            {"name": "box", "_target_": "os.system"},
            (
                "shape._target_ unknown parameter of shape box '_target_'. "
                "It takes: width, height, paint"
            ),
        ),
        ({"name": "box", 3: 4}, "shape.3 expected a key that is a string, found 3"),
        (
            {"name": "box", "height": 0.001},
            "shape.height expected at least width / 100, found 0.001",
        ),
        (
            {"name": "box", "paint": "plane"},
            "shape.paint unknown paint 'plane'. Did you mean 'plain'? Known: plain, striped",
        ),
        (
            {"name": "box", "paint": "striped"},
            "shape.paint.widths expected a value, found none: set shape.paint.widths=VALUE",
        ),
        (
            {"name": "box", "paint": {"name": "striped", "widths": [1, -1]}},
            "shape.paint.widths.1 expected a number greater than 0, found -1",
        ),
        (
            {"name": "box", "paint": {"name": "plain", "colour": "green"}},
            "shape.paint.colour expected 'red' or 'blue', found 'green'",
        ),
    ],
)
def test_one_fault(value: Any, fault: str) -> None:
    assert faults(value) == [fault]


def test_all_faults_at_once() -> None:
    value = {
        "name": "box",
        "width": -1,
        "height": "tall",
        "depth": 3,
        "paint": {"name": "striped", "widths": [], "colour": "red"},
    }
    assert faults(value) == [
        (
            "shape.depth unknown parameter of shape box 'depth'. Did you mean 'width'? "
            "It takes: width, height, paint"
        ),
        "shape.height expected a number, found 'tall'",
        "shape.paint.colour unknown parameter of paint striped 'colour'. It takes: widths",
        "shape.paint.widths expected a list of at least 1 item, found []",
        "shape.width expected a number greater than 0, found -1",
    ]


def test_faults_carry_their_path() -> None:
    with pytest.raises(ConfigError) as caught:
        register.choose("shape", {"name": "numbers", "many": [1, "x"]}, "left.shape")
    assert [fault.path for fault in caught.value.faults] == ["left.shape.many.1"]


@pytest.mark.parametrize("value", ["10", True, 10.0, 10.5, None, [10], {"a": 10}, math.nan])
def test_an_integer_is_an_integer(value: Any) -> None:
    hint = ". Did you mean shape.count=10?" if value in (10.0, [10]) and value is not True else ""
    assert number(count=value) == [f"shape.count expected an integer, found {value!r}{hint}"]


@pytest.mark.parametrize("value", ["0.5", True, None, [0.5], {"a": 1}, b"1"])
def test_a_number_is_a_number(value: Any) -> None:
    hint = ". Did you mean shape.size=0.5?" if value == [0.5] else ""
    assert number(size=value) == [f"shape.size expected a number, found {value!r}{hint}"]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e999])
def test_numbers_are_finite(value: float) -> None:
    for name in ("any_number", "size", "share"):
        assert number(**{name: value}) == [
            f"shape.{name} expected a finite number, found {value!r}"
        ]


@pytest.mark.parametrize(
    ("params", "fault"),
    [
        ({"count": 3}, "shape.count expected a number greater than or equal to 4, found 3"),
        ({"size": -0.1}, "shape.size expected a number greater than or equal to 0, found -0.1"),
        ({"share": 1}, "shape.share expected a number less than 1, found 1"),
        ({"size": 1e39}, "shape.size expected a number of at most 3e+38, found 1e+39"),
        (
            {"any_number": -1e39},
            "shape.any_number expected a number of at least -3e+38, found -1e+39",
        ),
        ({"flag": 2}, "shape.flag expected a boolean, found 2"),
        ({"flag": 1}, "shape.flag expected a boolean, found 1. Did you mean shape.flag=true?"),
        (
            {"flag": "true"},
            "shape.flag expected a boolean, found 'true'. Did you mean shape.flag=true?",
        ),
        ({"text": 1}, "shape.text expected a string, found 1"),
        ({"many": 8}, "shape.many expected a list, found 8. Did you mean 'shape.many=[8]'?"),
        ({"many": 0}, "shape.many expected a list, found 0"),
        ({"many": "8"}, "shape.many expected a list, found '8'"),
        ({"many": {"0": 8}}, "shape.many expected a list, found {'0': 8}"),
        ({"many": [8, 0]}, "shape.many.1 expected a number greater than or equal to 1, found 0"),
        ({"maybe": 0}, "shape.maybe expected a number greater than or equal to 1, found 0"),
        (
            {"maybe": "null"},
            "shape.maybe expected an integer, found 'null'. Did you mean shape.maybe=null?",
        ),
    ],
)
def test_what_does_not_fit(params: dict[str, Any], fault: str) -> None:
    assert number(**params) == [fault]


def test_integers_beyond_all_bounds() -> None:
    (fault,) = number(count=10**400)
    assert fault.startswith(
        "shape.count expected a number less than or equal to 100000000, found 1"
    )
    assert fault.endswith("000...")
    (fault,) = number(size=10**5000)
    assert fault == "shape.size expected a number, found a int that is too long to show"


def test_what_fits() -> None:
    chosen = choose({"name": "numbers", "maybe": None, "any_number": -3, "many": [], "share": 0})
    assert chosen.params["maybe"] is None
    assert chosen.params["any_number"] == -3.0
    assert type(chosen.params["share"]) is float
    assert chosen.params["many"] == []


def test_a_default_is_made_anew() -> None:
    choose("numbers").params["many"].append(1)
    assert choose("numbers").params["many"] == [8, 8]


def test_names_are_registered_once() -> None:
    register.shape("box")(box)  # the same definition again, as a reloaded module brings it
    with pytest.raises(ValueError, match=r"shape 'box' is registered twice: in test_registry"):
        register.shape("box")(striped)


def test_kinds_are_declared() -> None:
    with pytest.raises(AttributeError) as caught:
        register.datasets("mine")
    assert str(caught.value).startswith(
        "unknown kind of component 'datasets'. Did you mean 'dataset'? Known: "
    )


def test_every_component_has_a_help_line_and_a_valid_default() -> None:
    for kind in ("dataset", "split"):
        for name in register.kinds[kind].names():
            component = register.kinds[kind].components[name]
            assert component.summary.endswith((".", ")")), name
            if name not in ("csv", "parquet", "npz"):  # they need a path
                assert register.choose(kind, name).as_dict()["name"] == name


PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["box", "numbers", "plain", "striped"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
KEYS = ["name", "width", "height", "paint", "count", "size", "many", "maybe", "text", "widths"]


@given(value=PLAIN | st.dictionaries(st.sampled_from(KEYS), PLAIN))
def test_any_value_is_a_component_or_a_config_error(value: Any) -> None:
    for kind in ("shape", "paint"):
        with contextlib.suppress(ConfigError):
            chosen = choose(value, kind)
            assert choose(chosen.as_dict(), kind).as_dict() == chosen.as_dict()
