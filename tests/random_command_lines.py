# ruff: noqa: E501 - lists of odd words
"""Command lines drawn by chance from a grammar, and changed by chance: what a user may type."""

from __future__ import annotations

import random
import re
from pathlib import Path

from commands import Ended, inside
from exp.cli.verbs import VERBS
from test_fuzz import COMPONENTS, GROUPS, PREFIXES, VALUES, fitting, rows

TINY = ("figures=none", "dataset.n_samples=40", "trainer.epochs=1", "sweep.n_jobs=1")
"""Training that takes no time to speak of."""
SWEPT = (
    "1,2", "0.1,0.2", "range(1,3)", "range(0,3,0)", "range(3,1,-1)", "sort(range(1,3),reverse=true)",
    "shuffle(range(1,3))", "1,range(2,4)", "0.1,interval(0,1)", "interval(0,1)", "choice(1,2)",
    "choice('a','it\\'s')", "choice(a'b,c)", "choice('1')", "glob(*)", "glob([a*],exclude=x)", "tag(log,interval(0.1,1))",
    "[1],[2]", "{a:1},{a:2}", "a,b", "sgd,adam", "moons,blobs", "x" * 300 + ",b", "null,1", ",", "1,,2",
    "choice()", "choice(choice(1,2),3)", "range(nan)", "range(1,2,inf)", "int(1.5,2)", "str(1,2)", "json_str(1)",
    "extend_list(1)", "${seed},${name}", "'a b',c", "[range(1,3)]", "{a:choice(1,2)}",
)  # fmt: skip
HYDRAS = (
    "hydra.mode=MULTIRUN", "hydra.mode=RUN", "hydra.mode=x", "hydra/launcher=basic", "hydra/launcher=x",
    "hydra/sweeper=basic", "hydra/sweeper=optuna", "hydra.run.dir=out", "hydra.run.dir=${hydra:runtime.cwd}/o",
    "hydra.sweep.dir=s", "hydra.sweep.dir=${hydra:runtime.cwd}/s", "hydra.sweep.subdir=${hydra:job.num}",
    "hydra.sweep.subdir=x", "hydra.sweep.subdir=" + "y" * 300, "hydra.run.dir=" + "z" * 300, "hydra.job.chdir=true",
    "hydra.job.name=" + "n" * 300, "+hydra.callbacks:={a:1}", "+hydra.callbacks={a:1}", "hydra.callbacks=1",
    "hydra.verbose=true", "hydra.verbose=[a]", "hydra.verbose=1", "hydra.output_subdir=null", "hydra.output_subdir=x",
    "hydra.searchpath=[file://x]", "hydra.searchpath=1", "hydra/job_logging=none", "hydra.job_logging=null",
    "hydra.job_logging=1", "hydra/help=x", "~hydra", "~hydra.run", "hydra=null", "+hydra.x=1", "hydra.x=1",
    "hydra.sweeper.params={seed: '1,2'}", "++hydra.sweeper.params={seed: 1}", "hydra.launcher.x=1",
    "hydra.sweeper.n_trials=2", "hydra.job.id=3", "hydra.job.num=a", "hydra.runtime.cwd=x", "hydra.overrides.task=[a]",
    "hydra.job.config.override_dirname.kv_sep=/", "hydra.job.config.override_dirname.item_sep=[1]",
    "hydra.job.env_set={A: b}", "hydra.job.env_copy=[NOPE_]", "hydra.env=1", "hydra.mode=null",
)  # fmt: skip
SWEEPS = (
    "sweep.dir=s", "sweep.dir=" + "q" * 300, "sweep.dir=a/b", "sweep.dir=/dev/null/x", "sweep.dir=rows.csv",
    "sweep.zip=[optimizer,seed]", "sweep.zip=[[seed],[seed]]", "sweep.zip=1", "sweep.file=lines.txt",
    "sweep.file=rows.csv", "sweep.file=/dev/null", "sweep.file=.", "sweep.file=nope", "sweep.chunk=1",
    "sweep.fail_fast=true", "sweep.backend=x", "sweep.figures=false", "sweep=1", "sweep={}", "run.reuse=true",
    "run.reuse=x", "run=null",
)  # fmt: skip
FLAGS = (
    ["-m"], ["--multirun"], ["-c", "job"], ["--cfg", "hydra"], ["--cfg", "all"], ["--cfg"], ["--cfg", "x"],
    ["--resolve"], ["-p", "optimizer"], ["-p", "x.y"], ["-h"], ["--help"], ["--hydra-help"], ["--version"],
    ["--info"], ["--info", "defaults"], ["--info", "defaults-tree"], ["--info", "config"], ["--info", "plugins"],
    ["--info", "searchpath"], ["--config-path", "x://"], ["--config-path", "nope"], ["--config-path", "."],
    ["--config-path", "pkg://nope"], ["--config-path", "file://nope"], ["--config-path", "\x00"], ["-cn", "x"],
    ["--config-name", "a/../b"], ["--config-name", "config"], ["-cd", "."], ["--config-dir", "nope"],
    ["--config-dir", "rows.csv"], ["-sc", "query=bash"], ["-sc", "install=bash"], ["-sc"], ["-sc", "query=x"],
    ["-sc", "seed=${}"], ["-sc", "x"], ["--run"], ["--package", ""], ["--experimental-rerun", "x"], ["--components", "."],
    ["--components", "nope"], ["--components", "a'b/"], ["--trust-config"], ["-x"], ["--nope"], ["--", "seed=1"],
    ["--lr", "0.1"], ["-"], ["--"],
)  # fmt: skip
ARGUMENTS = (
    "run", "sweep", "nope", ".", "..", "/dev/null", "rows.csv", "nan.csv", "moons", "dataset", "optimizer", "adam",
    "--help", "-h", "--trust", "--json", "--csv", "--csv=out.csv", "--output=o", "-o", "--metric", "test/accuracy",
    "x/y", "--by", "seed", "--where", "a=b", "--epochs", "2", "--to", "mlflow", "--set", "logger.x=1", "--figures",
    "--format", "onnx", "model", "loss", "experiment", "ü", "", "\x1b[31m", "\ud800", "a b", "-1", "=", "x" * 300,
    "run/run.json", "run/metrics.csv", "sweep/runs.csv", "--split", "--seeds", "0", "--yes", "name", "a/b",
)  # fmt: skip
KEYS = (
    "seed",
    "seeds.init",
    "name",
    "plugins",
    "optimizer.lr",
    "optimizer.beta1",
    "dataset.noise",
    "x" * 300,
)
QUIET = [verb for verb in VERBS if verb not in ("reproduce", "check")]
"""Verbs that are given any argument; the others take minutes with some."""


def word(rng: random.Random) -> str:
    """One override, or what looks like one."""
    kind = rng.random()
    group = rng.choice([*GROUPS, "activation", "experiment", "logger", "hydra/launcher"])
    value = rng.choice(SWEPT if rng.random() < 0.3 else VALUES)
    if kind < 0.15:
        return rng.choice(HYDRAS)
    if kind < 0.25:
        return rng.choice(SWEEPS)
    if kind < 0.45 and group in COMPONENTS:
        name = rng.choice(sorted(COMPONENTS[group]))
        return f"{rng.choice(PREFIXES)}{group}={name}"
    if kind < 0.6 and group in COMPONENTS:
        component = COMPONENTS[group][rng.choice(sorted(COMPONENTS[group]))]
        if component.parameters:
            name = rng.choice(sorted(component.parameters))
            fit = rng.choice(fitting(component, name)) if rng.random() < 0.6 else value
            return f"{rng.choice(PREFIXES)}{group}.{name}={fit}"
    if kind < 0.75:
        return f"{rng.choice(PREFIXES)}{rng.choice(KEYS)}={value}"
    if kind < 0.85:
        end = rng.choice(["", f"={value}", f"@x={value}", f"/{value}={value}", f":={value}"])
        return f"{rng.choice(PREFIXES)}{group}{end}"
    if kind < 0.95:
        names = rng.sample(sorted(COMPONENTS["optimizer"]), 2)
        return f"optimizer={','.join(names)}"
    return "".join(
        rng.choice("ab=+~-.,[]{}()'\"$/@: \\ü\n\x00\ud800") for _ in range(rng.randint(1, 12))
    )


def changed(rng: random.Random, words: list[str]) -> list[str]:
    """A command line with a slip: a letter more, less or another; a word twice or elsewhere."""
    words = list(words)
    at = rng.randrange(len(words))
    kind, text = rng.randrange(5), words[at]
    place = rng.randint(0, len(text))
    if kind == 0:
        words[at] = text[:place] + rng.choice("=,.'\"[{($~+-@ xü\t") + text[place:]
    elif kind == 1:
        words[at] = text[:place] + text[place + 1 :]
    elif kind == 2:
        words.append(text)
    elif kind == 3:
        rng.shuffle(words)
    else:
        words[at] = re.sub("=", rng.choice(["==", "", ":", " = "]), text, count=1)
    return words


def command_line(rng: random.Random) -> list[str]:
    """The words of one command line."""
    if rng.random() < 0.15:
        verb = rng.choice(QUIET)
        arguments = [rng.choice(ARGUMENTS) for _ in range(rng.randint(0, 3))]
        if verb == "new" and not arguments:
            arguments = ["--help"]
        return [verb, *arguments]
    words = [word(rng) for _ in range(rng.choice([0, 1, 1, 1, 2, 2, 3]))]
    if rng.random() < 0.45:
        words.insert(rng.randint(0, len(words)), "-m")
    if rng.random() < 0.2:
        at = rng.randint(0, len(words))
        words[at:at] = rng.choice(FLAGS)
    if words and rng.random() < 0.2:
        words = changed(rng, words)
    tiny = [each for each in TINY if "-m" in words or not each.startswith("sweep.")]
    if not re.search(r"n_samples", " ".join(words)) and re.search(r"dataset[@=]", " ".join(words)):
        tiny.remove(TINY[1])
    at = rng.choice([0, len(words)]) if words[:1] != ["-sc"] else len(words)
    words[at:at] = tiny
    return words


def prepared(where: Path) -> None:
    """Files and directories that command lines name."""
    rows(where)
    (where / "lines.txt").write_text("optimizer=adam optimizer.beta1=0.8\nseed=1,2  # two\n")
    for words in (["hydra.run.dir=run"], ["-m", "sweep.dir=sweep", "seed=1,2"]):
        tiny = [each for each in TINY if "-m" in words or not each.startswith("sweep.")]
        ended = inside(where, *tiny, *words)
        assert ended.code == 0, ended.err


def wrong(words: list[str], ended: Ended) -> str | None:
    """What is wrong with how a command line ended; None: a result, or one clear error."""
    said = ended.out + ended.err
    if "Traceback (most recent call last)" in said or "Logging error" in said:
        return "a traceback"
    if ended.code not in (0, 1, 2, 3):
        return f"exit code {ended.code}"
    if (
        ended.code == 1
        and words[:1] not in (["compare"], ["rerun"], ["check"])
        and "-m" not in words
    ):
        return "exit code 1"
    if (
        ended.code == 2
        and not ended.err.lstrip().startswith("exp: ")
        and "\nexp: " not in ended.err
    ):
        return "exit code 2 without an error"
    return None
