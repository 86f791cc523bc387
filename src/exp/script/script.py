"""The plain PyTorch script of a config: one section after the other."""

from __future__ import annotations

from collections.abc import Callable

from exp.script import data_section
from exp.script.python import imports, spaced
from exp.script.section import Recipe, Section

SECTIONS: tuple[Callable[[Recipe], Section], ...] = (data_section.section,)
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
    blocks = [f'"""{command}"""', *imports(needed)]
    body = "\n\n".join("\n".join(section.lines) for section in sections)
    head = "\n".join([blocks[0], "", *blocks[1:]])
    return spaced(f"{head}\n\n{body}").rstrip("\n") + "\n"
