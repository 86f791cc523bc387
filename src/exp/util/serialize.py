"""Plain values as the text of a file: YAML, JSON, CSV."""

from __future__ import annotations

import csv
import itertools
import json
import math
from collections.abc import Iterable, Iterator, Sequence
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


def json_text(value: Any) -> str:
    """JSON that any reader takes, indented: numbers that are not finite become null."""
    return json.dumps(finite(value), indent=2, ensure_ascii=False) + "\n"


def finite(value: Any) -> Any:
    """Plain values as JSON can hold them: keys are texts, numbers that are not finite are None."""
    if isinstance(value, dict):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


class _UnixLines(list[str]):
    """Takes the lines of `csv.writer`. Python 3.11's quotes a carriage return only where that is
    part of a line's end, so lines are written with both characters and lose the first here."""

    def write(self, line: str) -> None:
        self.append(line.removesuffix("\r\n") + "\n")


def csv_text(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A CSV table with Unix line ends; quotes only where they are needed."""
    return "".join(csv_parts(header, rows))


def csv_parts(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """The same in parts of some lines, for tables that would fill the memory."""
    lines = _UnixLines()
    writer = csv.writer(lines, lineterminator="\r\n")
    for row in itertools.chain([header], rows):
        writer.writerow(row)
        if len(lines) == 200:
            yield "".join(lines)
            lines.clear()
    yield "".join(lines)
