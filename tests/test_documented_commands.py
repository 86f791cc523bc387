"""Every command of README and of the pages of docs/ is executed, and says what its page shows.

A page is followed from its top to its end in one empty folder: its files are written, its commands
run in this process. Where the page shows no score of a command, the same command trains fewer
epochs and fewer seeds; figures are drawn small, or none. `affordable` changes the words for that.
What else is done otherwise stands in this module with its reason.
"""

from __future__ import annotations

import importlib.util
import math
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser

from commands import SMALL, Ended, inside
from exp.cli import main as cli
from exp.registry.registry import register
from quoted import compare
from reading import PAGES, ROOT, Typed, Written, relative, split, steps

EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
CI = (ROOT / ".ci/run").read_text()
MODULES = {"dask": "distributed"}
"""What an extra brings, where it is called otherwise."""

ELSEWHERE = {
    "docs/fit.md": "test_pages",
    "docs/python.md": "test_pages",
    "docs/using_models.md": "test_pages",
    "docs/course/index.md": "test_course",
    "docs/course/lessons.md": "test_course",
    "docs/seeds.md": "test_seeds_lesson",
}
"""Pages that are followed by another test, which has what they need already."""

LARGE = 40
"""Runs of a sweep. Of a larger one fewer are trained here, and what it says is not compared; a
search has fewer trials, and tests/test_search.py has whole ones."""
SEARCH = "hydra/sweeper=optuna"
FEWER = "range(0,2)"
"""Seeds of a sweep that is made smaller."""

GIVEN = {"DIR": "sweep", "DIR...": "sweep run", "RUN": "run", "A": "run", "B": "other",
         "FILE": "new.csv", "FILE.png": "apart.png", "NAME": "ours", "MODULE": "ours",
         "[RUN]": "run", "[DIR]": ".", "[FILTER...]": "", "[KEY=VALUE...]": "",
         "GROUP": "optimizer", "[GROUP]": "optimizer", "OPTION": "adam", "LOGGER": "tensorboard",
         "onnx|torchscript|state_dict": "state_dict", "key=value": "optimizer.lr=0.05", "...": "",
         "--json": "--json -"}  # fmt: skip
"""What stands for the placeholders of a command: `exp report DIR`."""

OTHERS = {
    r"python3\.11 -m venv .*|\. \.venv/bin/activate": "the folder of the packages is ours",
    r"pre-commit install": "its hooks are the lines that .ci/run has too",
    r"python -m sphinx .*|bash \.ci/run": ".ci/run builds the site",
    r"pytest -n 2": "this is it",
    r"python -m pytest -p exp\.cli\.check\.plugin .*": "test_check has it",
    r"python spirals\.py": "test_code_page executes it",
    r"python (docs|tests|benchmarks)/.*": "makes files of the repository anew",
}
"""Commands that are not exp's, and why they are not executed here."""

BESIDE = {
    "exp fit FILE --target COLUMN": "test_fit_command",
    "exp reproduce cs231n_linear": "test_reproduce",
    "exp export RUN --to onnx": "test_pages",
    "exp bench 'plugins=[mine]' --optimizers adam,mine": "test_bench",
}
"""Dear commands that another test executes."""

executed: set[tuple[str, ...]] = set()
drawn: set[tuple[str, ...]] = set()
"""Words on figures that a command has had."""


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what placeholders stand for."""
    where = tmp_path_factory.mktemp("stock")
    (where / "new.csv").write_text("x1,x2\n0.5,-1\n")
    for words in (
        [*SMALL, "seed=0", "hydra.run.dir=run"],
        [*SMALL, "seed=1", "hydra.run.dir=other"],
        ["-m", *SMALL, "seed=0,1", "sweep.n_jobs=1", "sweep.dir=sweep"],
        ["new", "dataset", "ours"],
    ):
        done = inside(where, *words)
        assert done.code == 0, done.err
    return where


@pytest.fixture
def workplace(in_tmp: Path, stock: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty directory. What a command line leaves in Hydra's singletons is forgotten afterwards,
    and so are the components that modules of this directory and of the stock have registered."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "1")  # as in a job array
    before = set(sys.modules)
    yield in_tmp
    for name in set(sys.modules) - before:
        file = Path(getattr(sys.modules[name], "__file__", None) or "/")
        if file.is_relative_to(in_tmp) or file.is_relative_to(stock):
            del sys.modules[name]
            for kind in register.kinds.values():
                for key, component in list(kind.components.items()):
                    if component.module == name:
                        del kind.components[key]
    GlobalHydra.instance().clear()
    HydraConfig.instance().cfg = None


@pytest.mark.parametrize("page", [p for p in PAGES if relative(p) not in ELSEWHERE], ids=relative)
def test_what_a_page_says_can_be_done(page: Path, workplace: Path, stock: Path) -> None:
    todo = list(steps(page.read_text()))
    for at, step in enumerate(todo):
        if isinstance(step, Written):
            path = workplace / step.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(step.content)
        elif step.words[0] == "exp":
            tried(step, workplace, stock, quoted(step, todo[at:]))
        else:
            other(step, workplace)


def test_so_can_what_the_help_says(workplace: Path, stock: Path) -> None:
    footer = yaml.safe_load((ROOT / "conf/hydra/help/exp.yaml").read_text())["footer"]
    commands = re.findall(r"python -m exp.*", footer)
    assert commands
    for command in commands:
        tried(Typed(split(command), inline=True), workplace, stock)


def quoted(step: Typed, todo: list[Written | Typed]) -> str:
    """What the page shows of a command, and of the later ones that name its directory."""
    named = {word.partition("=")[2] for word in step.words if re.match(r".*\.dir=", word)}
    typed = [each for each in todo if isinstance(each, Typed)]
    return "".join(each.output for each in typed if each is step or named & set(each.words))


def tried(step: Typed, where: Path, stock: Path, shown: str = "") -> None:
    """Executes a command of exp, and compares what it says."""
    words = step.words[1:]
    verb = verb_of(words)
    assert verb is None or verb in cli.VERBS, step
    if step.inline and (words == [verb] or words[-1].startswith("--")) and verb != "list":
        return  # speaks of a verb, and is not a command
    if shlex.join(step.words) in BESIDE:
        return
    if any(word in GIVEN for word in words):
        where, words = stock, filled(words)
    elif verb is None and not step.output and not list(where.iterdir()):
        if tuple(words) in executed:
            return  # another page has had the same, in an empty folder too
        executed.add(tuple(words))
    ended = inside(where, *affordable(words, shown))
    if missing(ended):
        return
    wanted = 2 if step.output.startswith("exp: ") else 3 if "diverged" in step.output else 0
    wanted = 1 if re.search("FAIL|unfinished", step.output) else wanted
    if verb in ("compare", "rerun") and wanted == 0:
        wanted = int("not the same bytes" in ended.out)  # as docs/errors.md says
    if "device=cuda" in words and wanted == 2 and ended.code == 0:
        return  # the page has what a torch without CUDA says
    assert ended.code == wanted, f"{shlex.join(words)}\n{ended.out[-500:]}{ended.err}"
    says(step, ended)


def verb_of(words: list[str]) -> str | None:
    return words[0] if words and re.fullmatch(r"[a-z]+", words[0]) else None


def affordable(words: list[str], shown: str) -> list[str]:
    """The words, but for what takes long or is not here; `shown` is what must come out of it."""
    # Where there is no Slurm: the same sweep without it. In no other process: the same bytes.
    words = [word for word in words if not re.match(r"hydra[/.]launcher[=.]|sweep\.n_jobs=", word)]
    sweep = words[:1] == ["-m"]
    if sweep:
        words += ["sweep.n_jobs=1"]
    if verb_of(words) or "--cfg" in words or shown.startswith("exp: "):
        return words
    # What is drawn in one way is drawn so once, but where the page shows what was written.
    drawing = tuple(word for word in words if word.startswith("figures"))
    wanted = drawing not in {(), ("figures=none",)}
    new = wanted and (drawing not in drawn or "figures" in shown)
    drawn.add(drawing)
    if new:
        words += ["figures.dpi=40"]
    else:
        words = [*(word for word in words if word not in drawing), "figures=none"]
    if large(words) or (sweep and not re.search(r"\d+ runs|diverged|finished", shown)):
        words = [re.sub(r"^(seed[\w.]*)=range\(.*\)$", rf"\1={FEWER}", word) for word in words]
    if SEARCH in words:
        words += ["hydra.sweeper.n_trials=8"]
    scored = re.search(r"\d\.\d+(?!\d* s\b)|diverged", shown) and not large(words)
    return words if scored else [*words, "trainer.epochs=3"]


def large(words: list[str]) -> bool:
    """Whether a command line is that of a search, or of a sweep of many runs."""
    if words[:1] != ["-m"]:
        return False
    parsed = OverridesParser.create().parse_overrides(words[1:])
    swept = [each for each in parsed if each.is_sweep_override() and not each.is_interval_sweep()]
    runs = math.prod(len(list(each.sweep_string_iterator())) for each in swept)
    return runs > LARGE or SEARCH in words


def missing(ended: Ended) -> bool:
    """Whether a package is missing, as the one line says that ends such a command."""
    found = re.findall(r"is not installed: pip install 'exp\[(\w+)\]'", ended.err)
    for extra in found:
        assert extra in EXTRAS
        assert importlib.util.find_spec(MODULES.get(extra, extra)) is None
    return bool(found) and ended.code == 2


def says(step: Typed, ended: Ended) -> None:
    """Lines of progress depend on the machine, what a large sweep says is of all its runs, and a
    line that a FAIL is shown of may go on."""
    if step.output.startswith("exp: "):
        assert ended.err == step.output, step.words
    elif step.output and not large(step.words[1:]):
        shown = "".join(re.sub(r"^\[.*", "...", line) for line in step.output.splitlines(True))
        said = ended.out + ended.err
        for start in re.findall(r"^FAIL.*", shown, re.M):
            said = re.sub(rf"^{re.escape(start)}.*", lambda _, s=start: s, said, flags=re.M)
        compare(said, shown)


def filled(words: list[str]) -> list[str]:
    if words[0] == "new":
        words = [word.replace("NAME", f"another_{words[1]}") for word in words]
    return [each for word in words for each in GIVEN.get(word, word).split()]


def other(step: Typed, where: Path) -> None:
    """A command that is not exp's."""
    command = " ".join(step.words)
    if step.words[:2] == ["pip", "install"]:
        for extras in re.findall(r"\[([\w,]+)\]", command):
            assert set(extras.split(",")) <= set(EXTRAS), command
    elif step.words[0] == "eval":
        (inner,) = re.findall(r"\$\((.*)\)", command)
        ended = inside(where, *split(inner)[1:])
        assert ended.code == 0
        assert (
            subprocess.run(["bash", "-n"], input=ended.out, text=True, check=False).returncode == 0
        )
    elif len(step.words) == 2 and (where / step.words[1]).is_file():
        program = sys.executable if step.words[0] == "python" else step.words[0]
        subprocess.run([program, step.words[1]], cwd=where, check=True, timeout=60)
    elif f"\n{command}\n" not in CI:
        assert any(re.fullmatch(pattern, command) for pattern in OTHERS), command
