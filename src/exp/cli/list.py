"""`exp list [GROUP [NAME]]`: what can be named, from signatures and docstrings.

`exp list activations --plot [FILE]` draws them. `--plugins MODULE`, or `plugins=[...]` as for a
run, lists the components of one's own as well.
"""

from __future__ import annotations

import inspect
import re
import textwrap
from importlib.resources import files
from typing import Any

import exp.registry.kinds  # noqa: F401 - declares the kinds
from exp.config import plugins, presets, suggestions
from exp.registry import docstrings, entry_points
from exp.registry.component import Chosen, Component, Kind
from exp.registry.registry import register
from exp.util.errors import ExpError, offer, unknown
from exp.util.metric_names import ABOUT, EVERY, higher_is_better
from exp.util.verb_parser import Parser

DRAWN = "activation"
"""The group of which there is a picture."""
USAGE = "exp list activations --plot [FILE] [--theme light|dark]"


def main(words: list[str]) -> int:
    """Prints all groups, one group, or one component; or draws a group.

    Raises:
        ExpError: there is no such group or component, or no picture of it.
    """
    words, own = with_own(words)
    args = parser().parse_args(words)
    words = [word for word in (args.group, args.name) if word is not None]
    plugins.import_all(own)
    if args.plot is not None:
        return drawn(words, args.plot, args.theme)
    if args.theme is not None:
        raise ExpError(f"exp list: --theme is for the picture; the command is {USAGE}")
    if not words:
        entry_points.load()
        known = {name: options(kind) for name, kind in register.kinds.items()}
        known[presets.GROUP] = list(presets.presets())
        for name in sorted(known):
            print(f"{name}: {', '.join(known[name])}")
        return 0
    if group(words[0]) == presets.GROUP:
        return listed_presets(words[1:])
    kind = register.kinds[group(words[0])]
    entry_points.load()
    names = kind.names()
    if kind.name == "metric" and (len(words) == 1 or words[1] in EVERY):
        shown = [*EVERY, *names] if len(words) == 1 else words[1:2]
        print("\n".join(scored(name) for name in shown))
        return 0
    if len(words) == 1:
        print("\n".join(outline(kind.components[name]) for name in names))
        return 0
    if words[1] not in names:
        raise ExpError(f"exp list {kind.name}: {unknown(kind.name, words[1], names)}")
    print(full(kind, kind.components[words[1]]))
    return 0


def parser() -> Parser:
    """`--plugins` is listed here for its help: `with_own` has read it before."""
    made = Parser(
        prog="exp list",
        description="What a config can name: all groups; the options of a group, with their "
        "parameters; or all about one option.",
        allow_abbrev=False,
    )
    made.add_argument("group", nargs="?", metavar="GROUP", help="such as dataset or experiment")
    made.add_argument("name", nargs="?", metavar="NAME", help="an option of the group")
    made.add_argument(
        "--plugins", action="append", metavar="MODULE",
        help="list the components of this module of yours too, or of a folder with a / in its name",
    )  # fmt: skip
    made.add_argument(
        "--plot", nargs="?", const="activations.png", metavar="FILE",
        help="draw the activations into a file (activations.png)",
    )  # fmt: skip
    made.add_argument("--theme", metavar="light|dark", help="of that picture; light by default")
    return made


def listed_presets(words: list[str]) -> int:
    """All presets, or the file of one.

    Raises:
        ExpError: there is no such preset.
    """
    if not words:
        print(presets.outline())
        return 0
    known = presets.presets()
    if words[0] not in known:
        raise ExpError(f"exp list experiment: {unknown('experiment', words[0], list(known))}")
    print(presets.text(known[words[0]]).rstrip())
    return 0


def with_own(words: list[str]) -> tuple[list[str], list[str]]:
    """The other words, and the modules and folders of components that some of them name.

    Raises:
        ExpError: one is no name of a module.
    """
    rest: list[str] = []
    own: list[str] = []
    waiting = iter(words)
    for word in waiting:
        flag, equals, value = word.partition("=")
        if flag == "--plugins":
            own.append(value if equals else next(waiting, ""))
        elif word.startswith("plugins="):
            own += plugins.named(word)
        else:
            rest.append(word)
    if strange := [name for name in own if not plugins.is_place(name)]:
        raise ExpError(f"exp list: --plugins: expected names of modules, found {strange[0]!r}")
    return rest, own


def group(word: str) -> str:
    """The group that a word names, in the singular or the plural.

    Raises:
        ExpError: there is none.
    """
    known = sorted([*register.kinds, presets.GROUP])
    names = {spelling: name for name in known for spelling in (name, plural(name))}
    if word not in names:
        found = suggestions.anywhere(word)
        kind, _, name = found[0].partition("=") if len(found) == 1 else ("", "", "")
        kind = "activation" if kind == "model.activation" else kind
        hint = offer("exp", "list", kind, name) if kind in known else None
        raise ExpError(f"exp list: {unknown('group', word, known, hint=hint)}")
    return names[word]


def plural(name: str) -> str:
    return name + ("es" if name.endswith("s") else "s")


def drawn(words: list[str], file: str, theme: str | None) -> int:
    """`exp list activations --plot [FILE] [--theme light|dark]`.

    Raises:
        ExpError: there is no picture of that group.
    """
    if len(words) > 1:
        raise ExpError(f"exp list: the command is {USAGE}")
    name = group(words[0]) if words else DRAWN
    if name != DRAWN:
        what = f"there is no picture of group {name!r}; there is one of {plural(DRAWN)!r}"
        raise ExpError(f"exp list --plot: {what}: {USAGE}")

    from exp.cli.plot_functions import plot, theme_of

    print("\n".join(plot(file, theme_of(theme or "light"))))
    return 0


def options(kind: Kind) -> list[str]:
    """The names of a kind. Each packaged component has a YAML file, so that nothing need be
    imported to know them: torch alone takes two seconds."""
    folder = files("exp.conf") / kind.name
    packaged = [file.name for file in folder.iterdir()] if folder.is_dir() else []
    for entry in entry_points.found():
        place = entry.folder()
        packaged += [file.name for file in (place / kind.name).glob("*.yaml")] if place else []
    scores = EVERY if kind.name == "metric" else ()
    names = {name.removesuffix(".yaml") for name in packaged}
    return sorted({*names, *kind.components, *scores})


def scored(name: str) -> str:
    """A score of exp's own, or a registered metric, on one line."""
    component = register.kinds["metric"].components.get(name)
    metric: Any = component.builder if component else None
    higher = metric.higher_is_better if metric else higher_is_better(name)
    about = component.summary if component else ABOUT[name]
    better = "higher is better" if higher else "lower is better"
    return f"{name:<20} {about} ({better})"


def outline(component: Component) -> str:
    """Name, summary and parameters of a component on two lines."""
    parameters = ", ".join(f"{k}={default(p)}" for k, p in component.parameters.items())
    return f"{component.name:<16} {component.summary}\n{'':<16} {parameters}".rstrip()


def full(kind: Kind, component: Component) -> str:
    """The whole docstring and every parameter with its default."""
    text = inspect.getdoc(component.builder) or ""
    lines = [f"{kind.name}={component.name}", "", text, "", "Parameters:"]
    own, every = docstrings.in_text(text), docstrings.parameters(component.builder)
    for name, parameter in component.parameters.items():
        lines.append(f"  {kind.name}.{name} = {default(parameter)}")
        if name in every and name not in own:  # said by what it inherits from
            lines += textwrap.wrap(
                every[name], 100, initial_indent=" " * 6, subsequent_indent=" " * 6
            )
    if component.common:
        shared = ", ".join(component.common)
        about = " ".join((inspect.getdoc(kind.common) or "").split())
        lines += ["", f"{shared}: {about}"]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines))


def default(parameter: inspect.Parameter) -> str:
    """A default as one would write it in a config."""
    value = parameter.default
    if value is inspect.Parameter.empty:
        return "(required)"
    if isinstance(value, Chosen):
        value = value.name
    return (
        {None: "null", True: "true", False: "false"}.get(value, str(value))
        if not isinstance(value, (list, dict, float, int)) or isinstance(value, bool)
        else str(value)
    )
