"""Data inside an HTML page: packed, so that nothing in it can be taken for HTML."""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

from exp.util.serialize import finite


def packed(data: bytes) -> str:
    """Base64 of the zlib stream of `data`: letters, digits, `+`, `/` and `=` only."""
    return base64.b64encode(zlib.compress(data, 6)).decode("ascii")


def json_block(value: Any) -> str:
    """A packed JSON text; numbers that are not finite become null."""
    try:
        text = written(value)
    except ValueError:  # seldom: to look for such a number takes longer than to write all
        text = written(finite(value))
    # A lone surrogate, which JSON from a stranger can hold, has no UTF-8.
    return packed(text.encode("utf-8", "backslashreplace"))


def written(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
