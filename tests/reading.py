"""Pages of the documentation as their readers follow them: files to write, commands to type."""

from __future__ import annotations

import re
import shlex
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGES = [
    ROOT / f"{name}.md" for name in ("README", "CONTRIBUTING", "CHANGELOG", "benchmarks/README")
]
PAGES += sorted(ROOT.glob("docs/**/*.md"))
BLOCK = re.compile(
    r"(?:^ *<!-- file: (?P<file>\S+) -->\n)?^ *```(?P<language>\w+)\n(?P<body>.*?)^ *```$"
    r"|`(?P<inline>(?:python -m )?exp [^`]+)`",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Written:
    """A file that a page tells its reader to write."""

    path: str
    content: str


@dataclass(frozen=True)
class Typed:
    """A command of a page and what the page says comes out; `python -m exp` is `exp` here."""

    words: list[str]
    output: str = ""
    inline: bool = False


def relative(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def steps(text: str) -> Iterator[Written | Typed]:
    """What a reader of a page would do, in its order."""
    for found in BLOCK.finditer(text):
        if found["inline"]:
            yield Typed(split(found["inline"]), inline=True)
            continue
        body, language = textwrap.dedent(found["body"]), found["language"]
        if found["file"]:
            yield Written(found["file"], body)
        if language in ("bash", "sh"):
            lines = re.split(r"&&|\n", body.replace("\\\n", " "))
            yield from (Typed(split(line)) for line in lines if line and line[0] != "#")
        elif language in ("console", "text"):
            for part in re.split(r"^\$ ", body.replace("\\\n", " "), flags=re.M)[1:]:
                command, _, output = part.partition("\n")
                yield Typed(split(command), output)


def split(command: str) -> list[str]:
    words = shlex.split(command)
    return words[2:] if words[:3] == ["python", "-m", "exp"] else words
