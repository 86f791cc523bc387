"""Plain values as the text of a file: YAML, JSON, CSV."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from json.encoder import encode_basestring
from typing import Any

import yaml


class Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    """The C library's, where PyYAML has it: four times as fast, the same text."""

    def ignore_aliases(self, data: Any) -> bool:
        """A list that stands in two places is written twice: `*id001` is nothing for a reader."""
        return True


def yaml_text(value: Any) -> str:
    """YAML of plain values, keys in their order."""
    text: str = yaml.dump(value, Dumper=Dumper, sort_keys=False, allow_unicode=True)
    return text


_parts: dict[str, str] = {}


def config_text(config: Mapping[str, Any]) -> str:
    """What `yaml_text` makes of a config that has a key: part by part, as the runs of a sweep share
    most of theirs, and a part that was written before is known."""
    if len(_parts) > 10_000:
        _parts.clear()
    texts = []
    for part in config.items():
        if (known := repr(part)) not in _parts:
            _parts[known] = yaml_text(dict([part]))
        texts.append(_parts[known])
    return "".join(texts)


def json_text(value: Any) -> str:
    """JSON that any reader takes, indented: numbers that are not finite become null."""
    return indented(value, "\n") + "\n"


def indented(value: Any, line: str) -> str:
    """What `json.dumps` makes of `finite(value)`, with an indent of 2 and other letters than those
    of ASCII as they are; Python's own takes twice as long, and a sweep writes many.

    Args:
        line: what begins a line at this depth.
    """
    kind = type(value)
    if kind is str:
        return encode_basestring(value)
    if kind is float:
        return float.__repr__(value) if math.isfinite(value) else "null"
    if kind is int:
        return int.__repr__(value)
    inner = line + "  "
    if isinstance(value, dict):
        items = [f"{encode_basestring(str(k))}: {indented(v, inner)}" for k, v in value.items()]
        return f"{{{inner}{f',{inner}'.join(items)}{line}}}" if items else "{}"
    if isinstance(value, (list, tuple)):
        items = [indented(item, inner) for item in value]
        return f"[{inner}{f',{inner}'.join(items)}{line}]" if items else "[]"
    return json.dumps(finite(value), ensure_ascii=False)


def finite(value: Any) -> Any:
    """Plain values as JSON can hold them: keys are texts, numbers that are not finite are None."""
    if isinstance(value, dict):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def csv_text(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A CSV table with Unix line ends; quotes only where they are needed."""
    buffer, lines = io.StringIO(), [header, *rows]
    csv.writer(buffer, lineterminator="\n").writerows(lines)
    if "\r" not in buffer.getvalue():
        return buffer.getvalue()
    # Python's writer leaves a carriage return without quotes, which then ends the line.
    buffer = io.StringIO()
    plain = csv.writer(buffer, lineterminator="\n")
    quoted = csv.writer(buffer, lineterminator="\n", quoting=csv.QUOTE_ALL)
    for line in lines:
        (quoted if any("\r" in str(field) for field in line) else plain).writerow(line)
    return buffer.getvalue()
