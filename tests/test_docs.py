"""The documentation: what it says can be done is tried, what it points at is there.

`python tests/test_docs.py` writes docs/components.md anew.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import exp.registry.kinds  # declares the kinds
from exp.cli import list as listing
from exp.cli.verbs import VERBS
from exp.config.plan import GROUPS
from exp.registry.component import Component
from exp.registry.registry import register
from reading import PAGES, ROOT, Typed, relative, steps

README = ROOT / "README.md"
COMPONENTS = ROOT / "docs" / "components.md"


def test_the_main_job_leaves_what_the_readme_says(in_tmp: Path) -> None:
    text = README.read_text()
    job = next(step for step in steps(text) if isinstance(step, Typed) and step.words[0] == "exp")
    assert job.words == ["exp", "dataset=spirals", "optimizer=adam"]
    command = [sys.executable, "-m", "exp", *job.words[1:]]
    done = subprocess.run(command, cwd=in_tmp, timeout=300, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (run,) = in_tmp.glob("outputs/2*/*/")
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


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.is_relative_to(ROOT), target
        assert there.exists(), target
        assert not anchor or anchor in anchors(there.read_text()), target


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_a_link_to_a_module_shows_its_name(page: Path) -> None:
    links = re.findall(r"\[([\w/]+\.py)\]\(([^)\s]+)\)", page.read_text())
    assert [(text, target) for text, target in links if not f"/{target}".endswith(f"/{text}")] == []


def test_every_promise_of_security_has_a_test() -> None:
    text = (ROOT / "docs/security.md").read_text()
    promised, tested = text.split("## How it is tested")
    for name, test in re.findall(r"\[(\w+)\]\(\.\./tests/test_\1\.py\)::(\w+)", tested):
        assert f"\ndef test_{test}(" in (ROOT / f"tests/test_{name}.py").read_text(), (name, test)
    rows = re.findall(r"^\| (.+?) \| \[", tested, re.M)
    bold = re.findall(r"^- \*\*(.+?)\.?\*\*", promised, re.M)
    assert len(bold) > 10
    assert [name for name in bold if not any(name.startswith(row) for row in rows)] == []
    verbs = re.findall(
        r"`(\w+)(?: (?:RUN|SWEEP|--figure))?`", promised.split("| verb |")[1].split("\n\n")[0]
    )
    assert {verb for verb in verbs if verb in VERBS} <= set(re.findall(r"`(\w+)", " ".join(rows)))


def anchors(text: str) -> set[str]:
    """What the headings of a page are called in links."""
    headings = re.findall(r"^#+ (.*)$", text, re.M)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize(
    "page", [*PAGES, ROOT / ".ci/run", ROOT / ".pre-commit-config.yaml"], ids=relative
)
def test_no_path_of_one_machine(page: Path) -> None:
    places = r"(?<![\w.>)])/(?:home|root|tmp|work|Users|opt|var|mnt|data)/\w+"
    assert re.findall(places, page.read_text()) == []


def floors() -> str:
    """The picture of the floors in docs/architecture.md, from the import contract: highest first,
    with what the docstring of each package says."""
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    layers = contract["contracts"][0]["layers"]
    drawn = []
    for number, layer in zip(range(len(layers), 0, -1), layers, strict=True):
        for at, name in enumerate(layer.split(" | ")):
            about = ast.get_docstring(ast.parse((ROOT / f"src/exp/{name}/__init__.py").read_text()))
            assert about is not None, name
            drawn.append(f"{number if at == 0 else ' '}  {name:<12}{about.splitlines()[0]}")
    return "\n".join(drawn)


FLOORS = "<!-- floors: drawn from the import contract by `python tests/test_docs.py` -->\n```text\n"


def test_the_floors_are_those_of_the_import_contract() -> None:
    text = (ROOT / "docs/architecture.md").read_text()
    _, mark, rest = text.partition(FLOORS)
    assert mark
    assert rest.partition("\n```")[0] == floors()


def test_the_side_bar_names_pages_that_are_there() -> None:
    (found,) = [
        ast.literal_eval(node.value)
        for node in ast.parse((ROOT / "docs/site/conf.py").read_text()).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "NAVIGATION"
    ]
    assert len(found) > 5
    for pattern in {pattern for patterns in found.values() for pattern in patterns}:
        pages = [path.suffix for path in ROOT.glob(f"docs/{pattern}.*")]
        assert {".md", ".rst"} & set(pages), pattern


def test_the_reference_has_all_that_import_exp_gives() -> None:
    text = "".join(path.read_text() for path in ROOT.glob("docs/reference/*.rst"))
    for name in exp.__all__:
        assert re.search(rf"exp\.{name}\b", text), name


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
    page = ROOT / "docs/architecture.md"
    before, _, after = page.read_text().partition(FLOORS)
    page.write_text(f"{before}{FLOORS}{floors()}\n```{after.partition('```')[2]}")
