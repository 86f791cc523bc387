"""Values as text: our JSON is Python's, only made faster."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from exp.util.serialize import finite, json_text

LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text() | st.integers(), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(VALUES)
def test_json_is_what_python_writes(value: Any) -> None:
    wanted = json.dumps(finite(value), indent=2, allow_nan=False, ensure_ascii=False)
    assert json_text(value) == wanted + "\n"


def test_json_of_numbers_that_json_cannot_hold_and_of_tuples() -> None:
    assert json_text((float("nan"), float("-inf"), 1e300, -0.0)) == (
        "[\n  null,\n  null,\n  1e+300,\n  -0.0\n]\n"
    )
    assert json_text({"ä\n": [], 1: {}}) == '{\n  "ä\\n": [],\n  "1": {}\n}\n'
