"""`exp new KIND NAME`: a working component to begin with, its option file and its test."""

from __future__ import annotations

import keyword
import re
import sys
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from string import Template

from exp.util.errors import ExpError, unknown
from exp.util.files import reason_of, write_whole
from exp.util.verb_parser import Parser

USES = {
    "dataset": "dataset={name} optimizer=adam",
    "model": "model={name} optimizer=adam",
    "optimizer": "optimizer={name}",
    "loss": "loss={name} optimizer=adam",
    "activation": "model.activation={name} optimizer=adam",
    "metric": "trainer.monitor={name} trainer.restore_best=true optimizer=adam",
}
"""How a command line chooses a component of each kind that can be begun."""
MARK = "---\n"
"""Between the component and its option file, and that and its test, in a skeleton."""


def main(words: list[str]) -> int:
    """Writes three files into the working directory and says what to do next.

    Raises:
        ExpError: the name cannot be one, a file is there already, or one cannot be written.
    """
    parser = Parser(
        prog="exp new",
        description="Write a component that works, its option file and its test, into the working "
        "directory; nothing is overwritten.",
    )
    parser.add_argument("kind", metavar="|".join(USES))
    parser.add_argument("name", help="of the component, its module and its files")
    args = parser.parse_args(words)
    if args.kind not in USES:
        raise ExpError(f"exp new: {unknown('kind', args.kind, list(USES))}")
    check_name(args.kind, args.name)
    contents = skeleton(args.kind, args.name)
    write_all(contents)
    use = USES[args.kind].format(name=args.name)
    print(
        f"wrote {', '.join(map(str, contents))}\n"
        "next:\n"
        f"  python -m exp 'plugins=[{args.name}]' {use}\n"
        f"  exp check {args.name}\n"
        f"  python -m pytest test_{args.name}.py"
    )
    return 0


def check_name(kind: str, name: str) -> None:
    """
    Raises:
        ExpError: this can be no module's name, or is taken already.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,63}", name) or keyword.iskeyword(name):
        raise ExpError(
            f"exp new: {name!r} can be no name: expected a lower case letter, then at most 63 "
            "letters, digits and _, and no word of Python's own"
        )
    if (files("exp.conf") / kind / f"{name}.yaml").is_file():
        raise ExpError(f"exp new: there is a packaged {kind} {name!r}; choose another name")
    spec = find_spec(name)  # without an origin, it is but a folder of this name
    taken = name in sys.stdlib_module_names or (spec is not None and spec.origin is not None)
    if taken and not Path(f"{name}.py").exists():  # that one is told as a file that is there
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
        ExpError: a file is there already, and then none is written; or one cannot be written.
    """
    if there := [str(path) for path in contents if path.exists() or path.is_symlink()]:
        raise ExpError(f"exp new: nothing was written, since this is there: {', '.join(there)}")
    for path, text in contents.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, text.encode())
        except OSError as error:
            raise ExpError(f"exp new: cannot write {path}: {reason_of(error)}") from error
