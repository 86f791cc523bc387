"""What the words of a sweep stand for: functions of Hydra's grammar, with Python's own answers."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from hypothesis import given
from hypothesis import strategies as st

from exp.config.grammar import values_of


def override(word: str) -> Override:
    (found,) = OverridesParser.create().parse_overrides([word])
    return found


def values(text: str) -> list[object]:
    """What the runs of a sweep are given, read from the words that each of them gets."""
    return [override(f"key={word}").value() for word in values_of(override(f"key={text}"))]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("sort(range(10,35,10),reverse=true)", [30, 20, 10]),
        ("sort(range(35,10,-10))", [15, 25, 35]),
        ("sort(range(5,0,-2),reverse=true)", [5, 3, 1]),
        ("sort(range(0.1,0.45,0.1),reverse=true)", [0.4, 0.3, 0.2, 0.1]),
        ("range(0.1,0.4,0.1)", [0.1, 0.2, 0.3]),
        ("range(0,1,0.1)", [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]),
        ("range(1,0,-0.25)", [1.0, 0.75, 0.5, 0.25]),
        ("range(3)", [0, 1, 2]),
        ("1,range(5,8)", [1, 5, 6, 7]),
        ("choice(range(1,3),7,null,choice(8,9))", [1, 2, 7, None, 8, 9]),
        ("sort(choice(3,range(1,3)))", [1, 2, 3]),
        ("float(range(1,3))", [1.0, 2.0]),
        ("str(1,2)", ["1", "2"]),
        ("choice('1',1,\"it's\",'a b','null',null)", ["1", 1, "it's", "a b", "null", None]),
        ("'ü',\"a,b\"", ["ü", "a,b"]),
        ("choice({a:[1,b]},{a:[2,'c d']})", [{"a": [1, "b"]}, {"a": [2, "c d"]}]),
    ],
)
def test_the_values_of_a_sweep(text: str, wanted: list[object]) -> None:
    found = values(text)
    assert found == wanted
    assert list(map(type, found)) == list(map(type, wanted))


@pytest.mark.parametrize("text", ["shuffle(range(1,30))", "int(shuffle(range(1.0,30)))"])
def test_shuffled_ranges_hold_the_same_values(text: str) -> None:
    assert sorted(map(str, values(text))) == sorted(map(str, range(1, 30)))
    assert len({tuple(values(text)) for _ in range(5)}) > 1


@given(
    start=st.integers(-20, 20),
    stop=st.integers(-20, 20),
    step=st.integers(-5, 5).filter(bool),
    tenths=st.booleans(),
    reverse=st.booleans(),
)
def test_sorting_a_range_keeps_its_values(
    start: int, stop: int, step: int, tenths: bool, reverse: bool
) -> None:
    scale = Decimal("0.1") if tenths else Decimal(1)
    given_as = ",".join(str(number * scale) for number in (start, stop, step))
    number = float if tenths else int
    wanted = [number(each * scale) for each in range(start, stop, step)]
    assert values(f"range({given_as})") == wanted
    order = f"sort(range({given_as}),reverse={str(reverse).lower()})"
    assert values(order) == sorted(wanted, reverse=reverse)


@given(st.text(st.characters(codec="utf-8", exclude_characters="\n\r"), max_size=8))
def test_a_quoted_text_stays_the_same_text(text: str) -> None:
    quoted = text.replace("'", "\\'")
    if "\\" in text or not text:
        return  # what a backslash before a quote means is Hydra's own affair
    assert values(f"choice('{quoted}',x)") == [text, "x"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("range(0,3,0)", "the step of a range must not be 0"),
        ("range(0,nan)", "must be finite"),
        ("0.1,interval(0,1)", "interval(...) cannot be combined with other values"),
        ("choice(glob(m*),1)", "glob(...) cannot be combined with other values"),
        ("[range(1,3)]", "a sweep cannot be inside a list or mapping"),
        ("{a:interval(0,1)}", "a sweep cannot be inside a list or mapping"),
        ("shuffle(range(0,10000000))", "more than 1,000,000"),
        ("choice()", "a choice needs values"),
        ("sort(3,reverse=true,1)", "positional argument follows keyword argument"),
        (f"interval(0,1{'0' * 400})", "must be numbers"),
    ],
)
def test_what_cannot_be_swept(text: str, told: str) -> None:
    with pytest.raises(HydraException) as caught:
        values(text)
    assert told in str(caught.value)


def test_functions_are_read_where_python_leaves_out_asserts() -> None:
    code = """
from hydra.core.override_parser.overrides_parser import OverridesParser
import exp.config.grammar
for text in ("range(1,4)", "{a:[1]},{b:2}"):
    (found,) = OverridesParser.create().parse_overrides(["key=" + text])
    print(list(exp.config.grammar.values_of(found)))
"""
    done = subprocess.run(
        [sys.executable, "-O", "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout == "['1', '2', '3']\n['{a:[1]}', '{b:2}']\n"
