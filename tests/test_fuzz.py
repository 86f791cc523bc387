"""Command lines that nobody would think of: each trains, or is refused in one clear error."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commands import Ended, inside
from exp.cli.verbs import VERBS
from exp.config.plan import GROUPS
from exp.registry.component import Component
from exp.registry.registry import register

EXAMPLES = int(os.environ.get("EXP_FUZZ", "10"))
"""EXP_FUZZ=2000 takes some minutes."""

NUMBERS = (
    "0", "1", "2", "3", "7", "-1", "0.5", "1.0", "0.99", "1e-3", "1e-300", "1e30", "3.4e38",
    "1e300", "-1e-9", "nan", "inf", "-inf", "1e999", "-1e999", "0x1", "1_0", "0b1", "007", "1e",
    ".5", "+1", "9999999999", "9223372036854775808", "1" + "0" * 40, "-1" + "0" * 40,
    "1" + "0" * 5000,
)  # fmt: skip
WORDS = (
    "", "null", "true", "false", "abc", "Null", "None", "~", "'1'", '"0.1"', "'", '"', "moons",
    "sgd", "relu", "auto", "float64", "ü", "数", "\u202e", "\ud800", "a b", "a/b", "../x", "/", ".",
    "a\tb", "a\nb", "\x1b[31m", "\x07", "x" * 3000, "SparseAdam", "LBFGS", "Optimizer", "adam",
    "lr_scheduler", "__class__", "rows.csv", "nan.csv", "/dev/zero", "nope.csv", "label", "a=b",
    "=", "a:b", ";",
)  # fmt: skip
SHAPES = (
    "[]", "[1]", "[8,8]", "[0]", "[[1]]", "[1,a]", "[null]", "[1e999]", "[true]", "[", "]", "{",
    "}", "[1", "{}", "{a:1}", "{name:relu}", "{name:nope}", "{name:[1]}", "{1:2}", "[relu,tanh]",
    "{name:null,a:{b:c}}", "{lr:1}", "{foreach:1}", "{betas:[1,2]}", "{weight_decay:-1}",
    "{weight_decay:nan}", "1,2", "range(1,3)", "choice(1,2)", "interval(0,1)", "glob(*)", "int(3)",
    "str(3)", "float(x)", "sort(3,1)", "shuffle(1,2)", "tag(a,1)", "extend_list(1)", "a,", ",",
    "[" * 200 + "]" * 200,
)  # fmt: skip
REFERENCES = (
    "???", "${seed}", "${nope}", "${optimizer.lr}", "${dataset}", "${optimizer}", "${seeds}", "${",
    "${}", "$", "$seed", "${oc.env:HOME}", "${oc.env:NOPE_}", "${exp.id:}", "${exp.nope:}",
    "${hydra:run.dir}", "${now:%Y}", "${.name}", "${..seed}", "${...seed}", "${name}",
    "${exp.slug:a/b}", "${oc.decode:'['}", "${oc.create:{a:1}}", "${hydra.job.num}", "\\${seed}",
    "${model.hidden}", "${oc.select:nope,3}",
)  # fmt: skip
VALUES = (*NUMBERS, *WORDS, *SHAPES, *REFERENCES)
NAMES = ("nope", "lr", "name", "0", "", ".", "a.b", "ü", "_target_", "hidden", "activation")
TOP = ("seed", "seeds", "seeds.init", "name", "plugins", "hydra.job.num", "sweep.chunk")
PREFIXES = ("", "", "", "", "", "", "+", "++", "~", "+++", "~~", "+~")
DRAWN = ("figures=standard", "figures.resolution=16", "figures.dpi=40", "figures.draw=[data]")
PRESETS = ("experiment=blog_moons", "experiment=blog_spirals", "activation=leaky_relu")

COMPONENTS = {
    group: {name: register.kinds[group].components[name] for name in register.kinds[group].names()}
    for group in GROUPS
}


def components(group: str) -> list[Component]:
    return list(COMPONENTS[group].values())


def literals(annotation: Any) -> Iterator[str]:
    """The texts that an annotation names."""
    for part in get_args(annotation):
        if isinstance(part, str):
            yield part
        else:
            yield from literals(part)


def fitting(component: Component, name: str) -> list[str]:
    """Values that a parameter may well take: its default, and others like it."""
    parameter = component.parameters[name]
    default = parameter.default
    found = list(literals(parameter.annotation)) or ["rows.csv", "label"]
    if isinstance(default, bool):
        found = ["true", "false"]
    elif isinstance(default, int):
        found = ["1", "2", "5", "40"]
    elif isinstance(default, float):
        found = ["0.0", "0.1", "0.5", "1", "1e-8", "1e30"]
    elif default is None:
        found = ["null", "1", "2", "0.5"]
    elif isinstance(default, list):
        found = ["[4,4]", "[]", "[png]", "[data]"]
    return [*found, json.dumps(default).replace(" ", "")] if hidden(default) else found


def hidden(default: Any) -> bool:
    """Whether a default is one number or text, small enough to train with."""
    return isinstance(default, (str, float, bool)) or default in (0, 1, 2)


@st.composite
def command_lines(draw: st.DrawFn) -> list[str]:
    """Words for `exp`: options of some groups, parameters of theirs, and trouble."""
    words = []
    for group in draw(st.lists(st.sampled_from(GROUPS), max_size=4, unique=True)):
        if group == "figures":  # drawing takes a second
            words += draw(st.sampled_from([*[["figures=none"]] * 9, [*DRAWN]]))
            continue
        component = draw(st.sampled_from(components(group)))
        words.append(f"{group}={component.name}")
        if component.parameters:
            for name in draw(st.lists(st.sampled_from(sorted(component.parameters)), max_size=2)):
                value = draw(st.sampled_from(fitting(component, name)))
                words.append(f"{group}.{name}={value}")
    chosen = next((word[8:] for word in words if word.startswith("dataset=")), "moons")
    if "n_samples" in COMPONENTS["dataset"][chosen].parameters:
        words.append("dataset.n_samples=40")
    words += ["trainer.epochs=2", *([] if DRAWN[0] in words else ["figures=none"])]
    words += draw(st.sampled_from([[], [], [], *([preset] for preset in PRESETS)]))
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 1, 1, 2, 3]))):
        words.append(draw(trouble()))
    return words


@st.composite
def trouble(draw: st.DrawFn) -> str:
    """One word that is likely to be wrong."""
    prefix, value = draw(st.sampled_from(PREFIXES)), draw(st.sampled_from(VALUES))
    group = draw(st.sampled_from([*GROUPS, "activation", "experiment", "seeds"]))
    kind = draw(st.sampled_from(["parameter"] * 5 + ["group", "top", "name", "text"]))
    if kind == "parameter" and group in GROUPS:
        component = draw(st.sampled_from(components(group)))
        name = draw(st.sampled_from([*component.parameters, "name", "nope"]))
        return f"{prefix}{group}.{name}={value}"
    if kind == "top":
        return f"{prefix}{draw(st.sampled_from(TOP))}={value}"
    if kind == "name":
        return f"{prefix}{group}.{draw(st.sampled_from(NAMES))}={value}"
    if kind == "text":
        word = draw(st.text(max_size=12))
        return "x" + word if word.startswith("-") or word in VERBS else word
    end = draw(st.sampled_from(["", f"={value}", f"@x={value}", f"/nope={value}"]))
    return f"{prefix}{group}{end}"


def rows(where: Path) -> None:
    """Two csv files to be named."""
    lines = [f"{x / 7:.3f},{x % 5},{'ab'[x % 2]}" for x in range(40)]
    (where / "rows.csv").write_text("\n".join(["u,v,label", *lines]) + "\n")
    (where / "nan.csv").write_text("u,v,label\n1,nan,a\n2,3,b\n")


def assert_ended_well(ended: Ended) -> None:
    left = sorted(path.name for path in ended.where.iterdir())
    if ended.code == 2:
        assert ended.err.startswith("exp: "), ended.err
        assert "Traceback" not in ended.err + ended.out
        assert ended.err.replace("\n", "").isprintable()
        assert left == ["nan.csv", "rows.csv"]
        return
    record = json.loads((ended.run / "run.json").read_text())
    assert (ended.code, record["status"]) in ((0, "done"), (3, "diverged"))
    assert all((ended.run / name).is_file() for name in record["digests"])
    assert ended.err == ""


@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(words=command_lines())
def test_every_command_line_trains_or_is_refused(words: list[str]) -> None:
    where = Path(tempfile.mkdtemp(prefix="exp-fuzz-"))
    try:
        rows(where)
        assert_ended_well(inside(where, *words))
    finally:
        shutil.rmtree(where)


LONG = "x" * 300
REFUSED = [
    ["-m", "seed=range(0,3,0)"],
    ["-m", "optimizer=range(1,3)"],
    ["-m", "optimizer=interval(0,1)"],
    ["-m", "optimizer@choice(a,b)=x"],
    ["-m", "optimizer=[choice(sgd,adam)]"],
    ["-m", "optimizer.lr=0.1,interval(0,1)"],
    ["-m", f"hydra.sweep.dir={LONG}", "seed=1,2"],
    ["-m", f"hydra.sweep.subdir={LONG}", "seed=1,2"],
    [f"hydra.run.dir={LONG}"],
    [f"hydra.job.name={LONG}"],
    [f"optimizer={LONG}"],
    ["-m", f"optimizer={LONG},sgd"],
    ["-m", f"{LONG}=glob(*)"],
    ["+hydra.callbacks:={a:1}"],
    ["-m", "+hydra.callbacks={a:1}", "seed=1,2"],
    ["--config-path", "x://"],
    ["--config-path", LONG],
    ["--config-dir", LONG],
    ["--hydra-help", "x:=1"],
    ["--cfg", "job", "-p", "x.y"],
    ["-sc", "query=bash", "++seed=${}"],
    ["-sc", "seed=["],
    ["hydra.verbose=1"],
    ["-m", "hydra.launcher=1", "seed=1,2"],
    ["-m", "hydra.sweep.dir=${x}", "seed=1,2"],
    ["-m", "hydra.sweep.subdir=${x}", "seed=1,2"],
    ["-m", "hydra/sweeper=basic", "seed=interval(0,1)"],
]


@pytest.mark.parametrize("words", REFUSED, ids=lambda words: " ".join(words)[:40])
def test_refused_in_one_error(in_tmp: Path, words: list[str]) -> None:
    ended = inside(in_tmp, *words, *(() if words[0] == "-sc" else ("figures=none",)))
    assert ended.code == 2, ended.err
    assert ended.err.startswith("exp: ")
    assert "Traceback" not in ended.err + ended.out
    assert list(in_tmp.iterdir()) == []


def test_drawn_command_lines(in_tmp: Path) -> None:
    """A small form of benchmarks/command_lines.py."""
    import random

    from random_command_lines import command_line, prepared, wrong

    model = in_tmp / "model"
    model.mkdir()
    prepared(model)
    for number in range(EXAMPLES):
        words = command_line(random.Random(number))
        where = in_tmp / str(number) / "a" / "b"
        shutil.copytree(model, where)
        assert wrong(words, inside(where, *words)) is None, words
