"""`exp list [GROUP [NAME]]`: what can be named, from signatures and docstrings; `exp list runs`.

`exp list activations --plot [FILE]` draws them. `--plugins MODULE`, or `plugins=[...]` as for a
run, includes the components of your modules.
"""

from __future__ import annotations

import inspect
import re
import textwrap
from importlib.resources import files
from typing import Any

import click

import exp.registry.kinds  # noqa: F401 - declares the kinds
from exp.cli import list_runs
from exp.cli.options import FILE, Choice
from exp.config import plugins, presets, suggestions
from exp.registry import docstrings, entry_points
from exp.registry.component import Chosen, Component, Kind
from exp.registry.registry import register
from exp.runs.config_values import written
from exp.util.errors import ExpError, offer, unknown
from exp.util.metric_names import ABOUT, EVERY, higher_is_better

DRAWN = "activation"
"""The group of which there is a picture."""
INDENT = 17
"""Of what is said of a component, below its name."""
USAGE = "exp list activations --plot [FILE] [--theme light|dark]"


def completed(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """What can follow `list`: a group, then one of its components."""
    before = context.params.get("words") or ()
    known: list[str] = []
    if not before:
        known = sorted([*register.kinds, presets.GROUP, list_runs.WORD])
    elif len(before) == 1 and before[0] == presets.GROUP:
        known = list(presets.presets())
    elif len(before) == 1 and before[0] in register.kinds:
        known = options(register.kinds[before[0]])
    return [name for name in known if name.startswith(incomplete)]


@click.command("list")
@click.argument(
    "words",
    metavar="[GROUP [NAME] | runs [FILTER...] [DIR]]",
    nargs=-1,
    shell_complete=completed,
)
@click.option(
    "--plugins",
    "modules",
    metavar="MODULE",
    multiple=True,
    help=(
        "Include the components of this module, or of this folder if it ends with /. Their "
        "code is executed."
    ),
)
@click.option(
    "--plot",
    is_flag=False,
    flag_value="activations.png",
    metavar="[FILE]",
    type=FILE,
    help="Draw the activations into a file. Default: activations.png.",
)
@click.option(
    "--theme", type=Choice(("light", "dark")), help="Theme of this picture. Default: light."
)
def command(
    words: tuple[str, ...], modules: tuple[str, ...], plot: str | None, theme: str | None
) -> int:
    """List the components that a config can use, or the runs that there are.

    Without arguments, list all groups. With GROUP, list its options and their parameters. With
    GROUP and NAME, explain one component.

    With runs, list the runs in outputs/ and multirun/, or in DIR, the newest first. A FILTER is a
    key or a score with a value, such as dataset=moons or 'accuracy>0.9'; also != < <= >=.
    """
    if words[:1] == (list_runs.WORD,):
        if plot is not None or theme is not None or modules:
            raise ExpError("exp list runs: expected filters such as dataset=moons, and a directory")
        print("\n".join(list_runs.listed(words[1:])))
        return 0
    typed = [name for word in words for name in plugins.named(word)]
    import_all([*modules, *typed])
    return listed([word for word in words if not word.startswith("plugins=")], plot, theme)


def import_all(modules: list[str]) -> None:
    """
    Raises:
        ExpError: one is not a name of a module, or cannot be imported.
    """
    if strange := [name for name in modules if not plugins.is_place(name)]:
        raise ExpError(f"exp list: --plugins: expected names of modules, found {strange[0]!r}")
    plugins.import_all(modules)


def listed(words: list[str], plot: str | None, theme: str | None) -> int:
    """Prints all groups, one group, or one component; or draws a group.

    Raises:
        ExpError: there is no such group or component, or no picture of it.
    """
    if len(words) > 2:
        raise ExpError(f"exp list: expected GROUP and NAME, found {' '.join(words)}")
    if plot is not None:
        return drawn(words, plot, theme)
    if theme is not None:
        raise ExpError(f"exp list: --theme needs --plot; expected {USAGE}")
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
        print(f"exp list {kind.name} NAME explains one with its parameters")
        return 0
    if words[1] not in names:
        raise ExpError(f"exp list {kind.name}: {unknown(kind.name, words[1], names)}")
    print(full(kind, kind.components[words[1]]))
    return 0


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
        every = [*known, list_runs.WORD]
        raise ExpError(f"exp list: {unknown('group', word, every, hint=hint)}")
    return names[word]


def plural(name: str) -> str:
    return name + ("es" if name.endswith("s") else "s")


def drawn(words: list[str], file: str, theme: str | None) -> int:
    """`exp list activations --plot [FILE] [--theme light|dark]`.

    Raises:
        ExpError: there is no picture of that group.
    """
    if len(words) > 1:
        raise ExpError(f"exp list: expected {USAGE}")
    name = group(words[0]) if words else DRAWN
    if name != DRAWN:
        what = f"group {name!r} has no picture; {plural(DRAWN)!r} has one"
        raise ExpError(f"exp list --plot: {what}: {USAGE}")

    from exp.cli.plot_functions import plot

    print("\n".join(plot(file, theme or "light")))
    return 0


def options(kind: Kind) -> list[str]:
    """The names of a kind, from the packaged YAML files: importing torch takes two seconds."""
    folder = files("exp.conf") / kind.name
    packaged = [file.name for file in folder.iterdir()] if folder.is_dir() else []
    for entry in entry_points.found():
        place = entry.folder()
        packaged += [file.name for file in (place / kind.name).glob("*.yaml")] if place else []
    scores = EVERY if kind.name == "metric" else ()
    names = {name.removesuffix(".yaml") for name in packaged}
    return sorted({*names, *kind.components, *scores} - set(kind.internal))


def scored(name: str) -> str:
    """A score of exp, or a registered metric, on one line."""
    component = register.kinds["metric"].components.get(name)
    metric: Any = component.builder if component else None
    higher = metric.higher_is_better if metric else higher_is_better(name)
    about = component.summary if component else ABOUT[name]
    better = "higher is better" if higher else "lower is better"
    return f"{name:<20} {about} ({better})"


def outline(component: Component) -> str:
    """Name, summary and parameters of a component, wrapped to the width of a terminal."""
    parameters = ", ".join(f"{k}={default(p)}" for k, p in component.parameters.items())
    lines = presets.wrapped(f"{component.name:<16} {component.summary}", INDENT)
    return "\n".join([*lines, *presets.wrapped(" " * INDENT + parameters, INDENT)])


def full(kind: Kind, component: Component) -> str:
    """The whole docstring and every parameter with its default."""
    text = inspect.getdoc(component.builder) or ""
    lines = [f"{kind.name}={component.name}", "", text, "", "Parameters:"]
    described, every = docstrings.in_text(text), docstrings.parameters(component.builder)
    for name, parameter in component.parameters.items():
        lines.append(f"  {kind.name}.{name} = {default(parameter)}")
        if name in every and name not in described:  # described by its base class
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
    return written(value)
