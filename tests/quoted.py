"""What a page quotes of a command, against what the command says.

A line `...` of a page stands for any lines. Whole numbers and words must be the same; times and
directories are not compared; numbers with decimals may differ by 0.03 (above 1 by 3 %), and
percentages by 2, as the last bits of another processor may put a run at the edge on the other side.
"""

from __future__ import annotations

import re

NUMBER = re.compile(r"-?\d+\.\d+(?:e-\d+)?%?")
VOLATILE = (
    (r"(?:outputs|multirun)/\S+", "DIRECTORY"),
    (r"\b\d{4}-\d\d-\d\d \d\d:\d\d\b", "WHEN"),
    (r"\b\d+(?:\.\d+)? s\b", "TIME"),
    (r"; about \d+ \w+ would tell|; more \w+ of this table cannot tell", ""),
    (r"p[=<]([\d.]+)", lambda p: "p=low" if float(p[1]) <= 0.05 else "p=high"),
)


def compare(said: str, shown: str) -> None:
    """Each shown line in its order, and where no `...` stands between two, none between them."""
    lines, at, gap = said.rstrip().splitlines(), 0, False
    for line in shown.rstrip().splitlines():
        if line == "...":
            gap = True
            continue
        rest = lines[at:] if gap else lines[at : at + 1]
        found = next((i for i, each in enumerate(rest) if alike(each, line)), None)
        assert found is not None, f"not said: {line}\nbut: {rest[:80]}"
        at, gap = at + found + 1, False
    assert gap or at == len(lines), f"said besides: {lines[at:]}"


def alike(said: str, shown: str) -> bool:
    one, other = masked(said), masked(shown)
    numbers = list(zip(NUMBER.findall(one), NUMBER.findall(other), strict=False))
    return bool(words(one) == words(other) and all(near(a, b) for a, b in numbers))


def masked(line: str) -> str:
    for pattern, instead in VOLATILE:
        line = re.sub(pattern, instead, line)
    return line


def words(line: str) -> list[str]:
    return NUMBER.sub("#", line).split()


def near(one: str, other: str) -> bool:
    far = abs(float(one.strip("%")) - float(other.strip("%")))
    return far <= (2 if other.endswith("%") else 0.03 * max(1.0, abs(float(other.strip("%")))))
