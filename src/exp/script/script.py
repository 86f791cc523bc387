"""The plain PyTorch script of a config: one section after the other."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import wrap

from exp.script import boundary, data_section, learning, loop, model_section, scores
from exp.script.python import WIDTH, imports, spaced
from exp.script.section import Recipe, Section

SECTIONS: tuple[Callable[[Recipe], Section], ...] = (
    data_section.section,
    model_section.section,
    learning.section,
    loop.section,
    scores.section,
    boundary.section,
)
"""What a script consists of, in this order."""


def script(recipe: Recipe, *, command: str) -> str:
    """The whole script, as ruff formats it.

    Args:
        recipe: what the script does.
        command: the command that does the same with exp, for the first line.

    Raises:
        ImpossibleError: a part of the config that cannot be written as a plain script.
    """
    sections = [make(recipe) for make in SECTIONS]
    needed = {statement for section in sections for statement in section.imports}
    head = "\n".join([docstring(command), "", *imports(needed)])
    body = "\n\n".join("\n".join(section.lines) for section in sections)
    return spaced(f"{head}\n\n{body}").rstrip("\n") + "\n"


def docstring(command: str) -> str:
    """The first lines of a script, which name the command."""
    shown = "".join(sign if sign.isprintable() else "?" for sign in command)
    shown = shown.replace("\\", "\\\\").replace('"' * 3, "'" * 3)
    line = f'"""In plain PyTorch: {shown}"""'
    if len(line) <= WIDTH:
        return line
    wrapped = wrap(shown, WIDTH, break_long_words=False, break_on_hyphens=False)
    return "\n".join(['"""In plain PyTorch:', "", *wrapped, '"""'])
