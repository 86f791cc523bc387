"""`exp new KIND NAME`: writes a working component, its option file and its test."""

from __future__ import annotations

import keyword
import re
import sys
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from string import Template

import click

from exp.cli.options import Choice
from exp.util.errors import ExpError
from exp.util.files import reason_of, write_whole

USES = {
    "dataset": "dataset={name} optimizer=adam",
    "model": "model={name} optimizer=adam",
    "optimizer": "optimizer={name}",
    "loss": "loss={name} optimizer=adam",
    "activation": "model.activation={name} optimizer=adam",
    "metric": "trainer.monitor={name} trainer.restore_best=true optimizer=adam",
}
"""How a command line chooses a component of each kind."""
MARK = "---\n"
"""Between the component and its option file, and that and its test, in a skeleton."""


@click.command("new")
@click.argument("kind", type=Choice(tuple(USES)))
@click.argument("name")
def command(kind: str, name: str) -> int:
    """Write a working component, its option file and its test into the current folder.

    NAME is the name of the component and of its module. No file is overwritten.
    """
    check_name(kind, name)
    contents = skeleton(kind, name)
    write_all(contents)
    use = USES[kind].format(name=name)
    print(
        f"wrote {', '.join(map(str, contents))}\n"
        "next:\n"
        f"  python -m exp 'plugins=[{name}]' {use}\n"
        f"  exp check {name}\n"
        f"  python -m pytest test_{name}.py"
    )
    return 0


def check_name(kind: str, name: str) -> None:
    """
    Raises:
        ExpError: this cannot be the name of a module, or it is in use.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,63}", name) or keyword.iskeyword(name):
        raise ExpError(
            f"exp new: {name!r} cannot be the name of a Python module. A name begins "
            "with a lower case letter and has at most 64 lower case letters, digits and "
            "_. Keywords of Python are not allowed"
        )
    if (files("exp.conf") / kind / f"{name}.yaml").is_file():
        raise ExpError(f"exp new: there is a packaged {kind} {name!r}; choose another name")
    spec = find_spec(name)  # without an origin, it is but a folder of this name
    taken = name in sys.stdlib_module_names or (spec is not None and spec.origin is not None)
    if taken and not Path(f"{name}.py").exists():  # write_all reports it
        raise ExpError(f"exp new: {name!r} is an installed module; choose another name")


def skeleton(kind: str, name: str) -> dict[Path, str]:
    """The files of a new component: path -> content."""
    text = (files("exp.cli.skeletons") / f"{kind}.txt").read_text(encoding="utf-8")
    title = "".join(part.capitalize() for part in name.split("_"))
    parts = Template(text).substitute(name=name, Title=title).split(MARK)
    paths = (Path(f"{name}.py"), Path(f"conf/{kind}/{name}.yaml"), Path(f"test_{name}.py"))
    contents = dict(zip(paths, parts, strict=True))
    return {path: text for path, text in contents.items() if text}  # a metric has no option file


def write_all(contents: dict[Path, str]) -> None:
    """
    Raises:
        ExpError: a file exists already (then none is written), or one cannot be written.
    """
    if there := [str(path) for path in contents if path.exists() or path.is_symlink()]:
        raise ExpError(f"exp new: nothing was written, since these files exist: {', '.join(there)}")
    for path, text in contents.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, text.encode())
        except OSError as error:
            raise ExpError(f"exp new: cannot write {path}: {reason_of(error)}") from error
