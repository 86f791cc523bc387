"""The documentation: what it says can be done is tried, what it points at is there.

`python tests/test_docs.py` writes docs/components.md anew.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import yaml
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.types import RunMode
from hydra.version import VersionBase, setbase

import exp.components  # noqa: F401 - declares the kinds
from exp import app, cli, listing, plugins
from exp.compose import compose, resolved, resolvers
from exp.config import GROUPS, plan
from exp.registry import Component, register

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
COMPONENTS = ROOT / "docs" / "components.md"
COURSE = sorted(ROOT.glob("docs/course/*.md"))
"""tests/test_course.py runs these, so that here only their links and paths are looked at."""
PAGES = [README, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted(ROOT.glob("docs/*.md"))]
BLOCK = re.compile(
    r"(?:^<!-- file: (?P<file>\S+) -->\n)?^```(?P<language>\w+)\n(?P<body>.*?)^```$"
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
    """A command line of a page, the words after `exp`, and what the page says comes out."""

    words: list[str]
    output: str


def steps(text: str) -> Iterator[Written | Typed]:
    """What a reader of a page would do, in its order."""
    for found in BLOCK.finditer(text):
        if found["inline"]:
            yield from typed(" ".join(found["inline"].split()))
        elif found["file"]:
            yield Written(found["file"], found["body"])
        elif found["language"] in ("bash", "sh"):
            for line in re.split(r"&&|\n", found["body"].replace("\\\n", " ")):
                yield from typed(line)
        elif found["language"] in ("console", "text"):
            shown = found["language"] == "console"
            for part in re.split(r"^\$ ", found["body"].replace("\\\n", " "), flags=re.M)[1:]:
                command, _, output = part.partition("\n")
                yield from typed(command, output if shown else "")


def typed(command: str, output: str = "") -> Iterator[Typed]:
    words = shlex.split(command)
    for start in (["python", "-m", "exp"], ["exp"]):
        if words[: len(start)] == start:
            yield Typed(words[len(start) :], output)


def relative(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.fixture
def workplace(in_tmp: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty directory. What a command line leaves in Hydra's singletons is forgotten afterwards,
    and so are the components that modules of this directory have registered."""
    version_base = VersionBase.instance()
    monkeypatch.setattr(version_base, "version_base", version_base.version_base)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    before = set(sys.modules)
    yield in_tmp
    for name in set(sys.modules) - before:
        if Path(getattr(sys.modules[name], "__file__", None) or "/").is_relative_to(in_tmp):
            del sys.modules[name]
            for kind in register.kinds.values():
                for key, component in list(kind.components.items()):
                    if component.builder.__module__ == name:
                        del kind.components[key]
    GlobalHydra.instance().clear()
    HydraConfig.instance().cfg = None


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_what_a_page_says_can_be_typed(
    page: Path, workplace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for step in steps(page.read_text()):
        if isinstance(step, Written):
            path = workplace / step.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(step.content)
        else:
            works(step, capsys)


def test_so_can_what_the_help_says(workplace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    footer = yaml.safe_load((ROOT / "conf/hydra/help/exp.yaml").read_text())["footer"]
    commands = re.findall(r"python -m exp.*", footer)
    assert commands
    for command in commands:
        for step in typed(command):
            works(step, capsys)


def works(step: Typed, capsys: pytest.CaptureFixture[str]) -> None:
    """A command that is said to fail fails with that text; any other one could start."""
    words, command = step.words, shlex.join(step.words)
    if words and re.fullmatch(r"[a-z]+", words[0]):
        assert words[0] in cli.VERBS, command
        if words[0] == "list" and not any(word.strip("[]").isupper() for word in words):
            assert listing.main(words[1:]) == 0
            capsys.readouterr()
        elif words[0] in ("new", "check", "schema") and step.output:
            says(step, capsys)
    elif step.output.startswith("exp: "):
        import torch

        if "device=cuda" in words and torch.version.cuda:
            return  # the page has what a torch without CUDA says
        capsys.readouterr()
        assert cli.guarded(lambda: cli.dispatch(words)) == 2, command
        assert capsys.readouterr().err == step.output, command
    else:
        for job in jobs(words):
            assert job.data.split.parts, command


def says(step: Typed, capsys: pytest.CaptureFixture[str]) -> None:
    """A command of which a page shows what it prints; a line `...` stands for any lines, and one
    that a FAIL is shown of may go on."""
    capsys.readouterr()
    assert cli.guarded(lambda: cli.dispatch(step.words)) == ("FAIL" in step.output)
    said, shown = capsys.readouterr().out.splitlines(), step.output.splitlines()
    if "..." not in shown:
        assert said == shown
    for line in shown:
        assert line == "..." or any(each.startswith(line) for each in said), line


def jobs(words: list[str]) -> Iterator[Any]:
    """Composes, validates and loads what a command line would train; of a sweep, a few runs.

    A launcher that is not installed is left out.

    Raises:
        ExpError: it could not start.
    """
    from exp.engine import Job

    args = app.flags().parse_args(words)
    setbase("1.3")
    resolvers()
    args.overrides = plugins.with_folders(args.overrides, args.components)
    plugins.load(args.overrides)
    loader = app.create(args).config_loader
    words = args.overrides
    launchers = loader.get_group_options("hydra/launcher")
    if any(w.startswith("hydra/launcher=") and w.split("=")[1] not in launchers for w in words):
        words = [word for word in words if not re.match(r"hydra[/.]launcher[=.]", word)]
    for overrides in settings(words, loader):
        config, faults = compose(loader, "config", overrides, RunMode.RUN)
        yield Job.of(plan(resolved(config, faults), faults))


def settings(overrides: list[str], loader: Any) -> Iterator[list[str]]:
    """The overrides of runs of a sweep that between them have each value, or the first four of
    each key; without a sweep, `overrides`."""
    parsed = OverridesParser.create(config_loader=loader).parse_overrides(overrides)
    choices = [
        [f"{each.get_key_element()}={each._value.start}"]
        if each.is_interval_sweep()
        else [f"{each.get_key_element()}={v}" for v in islice(each.sweep_string_iterator(), 4)]
        if each.is_sweep_override()
        else [str(each.input_line)]
        for each in parsed
    ]
    for run in range(max((len(values) for values in choices), default=1)):
        yield [values[run % len(values)] for values in choices]


def test_the_main_job_leaves_what_the_readme_says(in_tmp: Path) -> None:
    text = README.read_text()
    (job,) = [step for step in steps(text) if isinstance(step, Typed)][:1]
    assert job.words == ["dataset=spirals", "optimizer=adam"]
    command = [sys.executable, "-m", "exp", *job.words]
    done = subprocess.run(command, cwd=in_tmp, timeout=300, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (run,) = in_tmp.glob("outputs/*/*/")
    made = {f"{path.name}/" if path.is_dir() else path.name for path in run.iterdir()}
    assert made == set(re.findall(r"^\| `(\S+)` \|", text, re.M))


def test_the_readme_has_two_headline_commands() -> None:
    text = README.read_text()
    assert re.findall(r"^```(?:bash|sh)$", text, re.M) == ["```bash"] * 2
    assert text.count("<!-- test command -->\n```bash\n") == 1
    assert text.count("<!-- test command -->") == 1


def test_ci_runs_the_test_command_and_nothing_else() -> None:
    (marked,) = re.findall(
        r"^<!-- test command -->\n```bash\n(.*?)\n```$", README.read_text(), re.M | re.S
    )
    (extract,) = re.findall(r"^tests=.*$", (ROOT / ".ci/run").read_text(), re.M)
    script = f'{extract}\nprintf %s "$tests"'
    done = subprocess.run(
        ["bash", "-euc", script], cwd=ROOT, check=True, capture_output=True, text=True
    )
    assert done.stdout == marked


@pytest.mark.parametrize("page", [*PAGES, *COURSE], ids=relative)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.is_relative_to(ROOT), target
        assert there.exists(), target
        assert not anchor or anchor in anchors(there.read_text()), target


def anchors(text: str) -> set[str]:
    """What the headings of a page are called in links."""
    headings = re.findall(r"^#+ (.*)$", text, re.M)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize(
    "page", [*PAGES, *COURSE, ROOT / ".ci/run", ROOT / ".pre-commit-config.yaml"], ids=relative
)
def test_no_path_of_one_machine(page: Path) -> None:
    places = r"(?<![\w.>)])/(?:home|root|tmp|work|Users|opt|var|mnt|data)/\w+"
    assert re.findall(places, page.read_text()) == []


def test_the_floors_are_those_of_the_import_contract() -> None:
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    layers = contract["contracts"][0]["layers"]
    floors = [name for layer in layers for name in layer.split(" | ")]
    text = (ROOT / "docs/architecture.md").read_text()
    _, _, rest = text.partition("<!-- floors -->\n```text\n")
    drawn = [line.split()[0] for line in rest.partition("```")[0].splitlines()]
    assert [name for name in drawn if name in floors] == floors


INTRODUCTION = """# Components

Every group and its options: `group=option` chooses one, `group.parameter=value` sets a parameter.
`exp list GROUP OPTION` has more on each. This page is generated: `python tests/test_docs.py` writes
it, and a test compares it with the code."""


def components_page() -> str:
    """docs/components.md, from the registry and the experiments of conf/."""
    lines = [INTRODUCTION]
    for group in (*GROUPS[:4], "activation", *GROUPS[4:], "logger"):
        lines += ["", f"## {group}", "", "| option | what it is | parameters |", "|---|---|---|"]
        kind = register.kinds[group]
        options = [kind.components[name] for name in kind.names()]
        lines += [
            f"| `{option.name}` | {cell(option.summary)} | {parameters(option)} |"
            for option in options
            if option.builder.__module__.startswith("exp.")
        ]
    lines += ["", "## experiment", "", "| option | what it is |", "|---|---|"]
    for path in sorted((ROOT / "conf/experiment").glob("*.yaml")):
        said = re.findall(r"^# (?!@)(.*)$", path.read_text(), re.M)
        lines.append(f"| `{path.stem}` | {cell(' '.join(said).split('. ')[0].rstrip('.'))}. |")
    return "\n".join(lines) + "\n"


def parameters(component: Component) -> str:
    given = [f"{name}={listing.default(p)}" for name, p in component.parameters.items()]
    return ", ".join(f"`{cell(text)}`" for text in given)


def cell(text: str) -> str:
    return text.replace("|", "\\|")


def test_the_page_of_components_is_what_the_code_has() -> None:
    assert COMPONENTS.read_text() == components_page(), "run python tests/test_docs.py"


@pytest.mark.parametrize("group", [*GROUPS, "activation", "logger"])
def test_each_component_is_an_option(group: str) -> None:
    ours = register.kinds[group]
    names = [n for n in ours.names() if ours.components[n].builder.__module__.startswith("exp.")]
    assert sorted(path.stem for path in (ROOT / "conf" / group).glob("*.yaml")) == names


if __name__ == "__main__":
    COMPONENTS.write_text(components_page())
