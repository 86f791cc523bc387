"""Help that helps: descriptions, custom components, and completion in a real bash."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from commands import completions, inside
from custom_modules import forgotten
from exp.cli.completion import after_command
from exp.cli.verbs import VERBS
from exp.registry.registry import register


def test_help_says_what_each_group_is(in_tmp: Path) -> None:
    lines = inside(in_tmp, "--help").out.splitlines()
    for name, kind in register.kinds.items():
        if name == "metric":  # no part of a config
            continue
        at = next(i for i, line in enumerate(lines) if line.startswith(f"{name}: "))
        assert lines[at + 1] == f"    {kind.about}"
        assert kind.about
    at = next(i for i, line in enumerate(lines) if line.startswith("experiment: blog_moons, blog_"))
    assert lines[at + 1] == "    presets: files that set several options and values"


def test_inherited_parameters_are_described(in_tmp: Path) -> None:
    said = inside(in_tmp, "list", "figures", "all").out
    assert "  figures.dpi = 120\n      pixels per inch of PNG files.\n" in said
    assert "  figures.theme = light\n      light or dark.\n" in said
    # Said by its own docstring above already.
    said = inside(in_tmp, "list", "figures", "standard").out
    assert "  figures.dpi = 120\n  figures.resolution = 200\n" in said


@pytest.mark.parametrize(
    "words", [("--plugins", "spots"), ("--plugins=spots",), ("plugins=[spots]",)]
)
def test_list_has_components_of_ones_own(in_tmp: Path, words: tuple[str, ...]) -> None:
    inside(in_tmp, "new", "dataset", "spots")
    with forgotten("spots"):
        assert ", spots, " in inside(in_tmp, "list", *words).out
        assert (
            "\nspots            Rings of radius 1, 2 and 3"
            in inside(in_tmp, "list", *words, "dataset").out
        )
        said = inside(in_tmp, "list", "dataset", "spots", *words).out
    assert "Parameters:\n  dataset.n_samples = 600\n  dataset.noise = 0.05\n" in said
    assert "  dataset.positive = null\n" in said


def test_list_of_a_module_that_is_not_there(in_tmp: Path) -> None:
    assert "no module 'nowhere' in" in inside(in_tmp, "list", "--plugins", "nowhere").err
    ended = inside(in_tmp, "list", "--plugins", "no;module")
    assert "expected names of modules, found 'no;module'" in ended.err


@pytest.mark.parametrize("flag", ["--help", "-h"])
@pytest.mark.parametrize("verb", list(VERBS))
def test_every_verb_has_its_help(in_tmp: Path, verb: str, flag: str) -> None:
    ended = inside(in_tmp, verb, flag)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith(f"Usage: exp {verb} [OPTIONS]")
    assert ended.out.replace("\n", "").isprintable()


def test_help_begins_with_usage_and_verbs(in_tmp: Path) -> None:
    lines = inside(in_tmp, "--help").out.splitlines()
    assert lines[0].startswith("Usage: exp ")
    verbs = lines[lines.index("Verbs:") + 1 :]
    assert [line.split()[0] for line in verbs[: len(VERBS)]] == list(VERBS)
    assert lines.index("Overrides:") < lines.index("== Groups ==")


def test_a_verb_requires_only_what_it_cannot_do_without(in_tmp: Path) -> None:
    said = inside(in_tmp, "rerun").err
    assert said == "exp: exp rerun: Missing argument 'DIRECTORY'. See exp rerun --help\n"


@pytest.mark.parametrize(
    ("line", "rest"),
    [
        ("exp data", "data"),
        ("python -m exp data", "data"),
        ("/usr/bin/python3.11 -P -m exp -m seed=1 o", "-m seed=1 o"),
        ("exp ", ""),
        ("exp", ""),
    ],
)
def test_what_was_typed_after_the_command(line: str, rest: str) -> None:
    assert after_command(line) == rest


ANSWERS = {
    "exp re": ["resume", "rerun", "results", "reproduce", "report"],
    "python -m exp dataset=mo": ["dataset=moons"],
    "exp dataset=spirals dataset.no": ["dataset.noise="],
    "exp -m optimizer=ada": [
        "optimizer=adadelta", "optimizer=adagrad", "optimizer=adam", "optimizer=adamw",
    ],
    "exp list dataset mo": "moons",
    "exp list opt": "optimizer",
    "exp list experiment blog_m": ["blog_moons"],
    "exp reproduce cs231n_l": ["cs231n_linear"],
    "exp resume ": [],
    "exp results swept --metr": ["--metric"],
    "exp export a --to on": ["onnx"],
    "exp compare a b --theme d": ["dark"],
}  # fmt: skip


@pytest.mark.parametrize("line", ANSWERS)
def test_what_can_follow(in_tmp: Path, line: str) -> None:
    wanted, found = ANSWERS[line], completions(line)
    assert wanted in found if isinstance(wanted, str) else found == wanted


@pytest.mark.skipif(not Path("/bin/bash").exists(), reason="there is no bash here")
@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("exp dataset=mo", "moons"),
        ("python -m exp dataset=mo", "moons"),
        ("python -m exp sche", "schema scheduler. scheduler="),
        ("python some.py dataset=mo", ""),
        ("exp results --met", "--metric"),
    ],
)
def test_bash_completes(in_tmp: Path, line: str, wanted: str) -> None:
    printed = inside(in_tmp, "--shell-completion", "install=bash").out
    typed = f'COMP_LINE="{line}" COMP_POINT={len(line)}'
    script = f'{printed}\n{typed}\n_exp_complete\necho "${{COMPREPLY[*]}}"'
    place = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["/bin/bash", "--norc", "-c", script], cwd=in_tmp, env={**os.environ, "PATH": place},
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == wanted
    assert done.stderr == ""


SCREENS = {
    "zsh": (
        "autoload -Uz compinit; compinit -u; compadd() { print -l -- ${(P)@[-1]} }\n"
        "_describe() { print -l -- ${(P)@[-2]} }\n{script}\n"
        "words=({words}); CURRENT={count}; _exp_completion"
    ),
    "fish": "{script}\ncomplete --do-complete '{line}'",
}


@pytest.mark.parametrize("shell", SCREENS)
@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("exp dataset=moo", {"dataset=moons"}),
        ("exp resu", {"results", "resume"}),
        ("exp results --met", {"--metric"}),
        ("exp optimizer=adam optimizer.be", {"optimizer.beta1=", "optimizer.beta2="}),
    ],
)
def test_zsh_and_fish_complete(in_tmp: Path, shell: str, line: str, wanted: set[str]) -> None:
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"there is no {shell} here")
    printed = inside(in_tmp, "--shell-completion", f"install={shell}").out
    filled = {"{script}": printed, "{words}": line, "{count}": "$#words", "{line}": line}
    script = SCREENS[shell]
    for name, text in filled.items():
        script = script.replace(name, text)
    flag = "--no-rcs" if shell == "zsh" else "--no-config"
    place = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [program, flag, "-c", script], cwd=in_tmp, capture_output=True, text=True, timeout=120,
        check=True, env={**os.environ, "PATH": place, "HOME": str(in_tmp)},
    )  # fmt: skip
    found = {re.split(r"[\t:]", text)[0] for text in done.stdout.splitlines()}
    assert found == wanted, done.stderr


def test_another_shell_is_refused(in_tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_EXP_COMPLETE", "tcsh_source")
    ended = inside(in_tmp)
    assert (ended.code, ended.out) == (2, "")
    assert "no completion for 'tcsh'. One of: bash, zsh, fish" in ended.err


OUTPUTS = [
    ["predict", "run", "rows.csv", "--output"], ["export", "run", "--to", "onnx", "--output"],
    ["report", "run", "--output"], ["schema", "--output"], ["compare", "a", "b", "--figure"],
    ["results", "run", "--csv"], ["results", "run", "--json"], ["results", "run", "--parquet"],
    ["reproduce", "blog_moons", "--html"], ["reproduce", "blog_moons", "--markdown"],
]  # fmt: skip


@pytest.mark.parametrize("words", OUTPUTS, ids=" ".join)
def test_a_file_that_cannot_be_written_is_reported_first(in_tmp: Path, words: list[str]) -> None:
    option = words[-1]
    (in_tmp / "folder").mkdir()
    for path, why in (
        ("folder", "folder is a directory, expected a file"),
        ("nowhere/file.png", "there is no directory nowhere"),
    ):
        ended = inside(in_tmp, *words, path)
        assert (ended.code, ended.out) == (2, "")
        assert f"{option}: {why}" in ended.err


def test_help_and_completion_of_verbs_need_no_torch(tmp_path: Path) -> None:
    code = (
        "import os, sys; from exp.cli.main import dispatch; from exp.cli.verbs import VERBS\n"
        "for verb in VERBS:\n"
        "    dispatch([verb, '--help'])\n"
        "os.environ['_EXP_COMPLETE'] = 'bash_complete'\n"
        "for line in ('exp re', 'exp rerun --', 'exp list dat', 'exp optimizer='):\n"
        "    os.environ['COMP_LINE'] = line\n"
        "    dispatch([])\n"
        "print(sorted({'torch', 'sklearn', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    *shown, imported = done.stdout.splitlines()
    assert imported == "[]"
    assert {"rerun", "--trust", "dataset", "optimizer=adam"} <= set(shown)
