"""exp results: which runs there are, what is said of them, and whether the statistics are right."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import math
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import QuotedString
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from commands import SMALL, Ended, inside
from exp.report.comparisons import ranking
from exp.report.conditions import Condition
from exp.report.groups import grouped
from exp.report.statistics.corrections import holm
from exp.report.statistics.means import Mean
from exp.report.statistics.paired import mcnemar, paired
from exp.report.statistics.power import needed
from exp.report.statistics.verdicts import spread
from exp.runs import process
from exp.runs.collection import Row, config_of, gather, natural
from exp.runs.config_values import leaves, typed, written
from exp.runs.directory import record_text
from exp.runs.manifest import Entry, manifest_lines
from exp.runs.varying import varying
from exp.sweeps import runs_table
from exp.sweeps.progress import closing
from exp.sweeps.sweep_directory import SweepDirectory
from exp.util.serialize import json_text, yaml_text

Run = Mapping[str, Any]


def write_run(
    path: Path, accuracy: float | None, seed: int = 0, status: str = "done", **more: Any
) -> None:
    """The files of a run that are read, as a run leaves them."""
    path.mkdir(parents=True)
    record = {
        "status": status,
        "name": more.get("name", "moons-mlp-sgd"),
        "signature": "0" * 64,
        "seeds": dict.fromkeys(("data", "split", "init", "shuffle"), seed),
        "process": more.get("process", {"pid": 1, "host": "elsewhere", "begun": "1"}),
        "timings": {"total": more.get("seconds", 1.5)},
        **{key: more[key] for key in ("message", "data") if key in more},
    }
    (path / "run.json").write_text(record_text(record))
    if accuracy is not None:
        final = {"test/loss": 1 - accuracy, "test/accuracy": accuracy, "test/confusion": [[1]]}
        summary = {"status": status, "final": final, "best": {"epoch": 3}, "epochs": 5}
        (path / "summary.json").write_text(json_text(summary))
    if "config" in more:
        (path / "config.yaml").write_text(yaml_text(more["config"]))


def write_sweep(
    path: Path, keys: Sequence[str], runs: Sequence[Run], skipped: Sequence[Any] = ()
) -> None:
    """A sweep of made-up runs: each says `words` and what `write_run` takes."""
    path.mkdir(parents=True)
    entries = []
    for number, run in enumerate(runs):
        entries.append(Entry(number, f"{number}-run", tuple(run["words"])))
        if run.get("status") != "pending":
            write_run(path / f"{number}-run", **{k: v for k, v in run.items() if k != "words"})
    content = {"keys": list(keys), "skipped": list(skipped)}
    (path / "sweep.json").write_text("".join(manifest_lines(content, entries)))


def scored(group: str, scores: Sequence[float | None]) -> list[Run]:
    """Runs of one optimizer, a seed each."""
    return [
        {"words": (f"optimizer={group}", f"seed={seed}"), "accuracy": score, "seed": seed}
        for seed, score in enumerate(scores)
    ]


ADAM = (0.95, 0.96, 0.94, 0.97, 0.93, 0.96)
SGD = (0.90, 0.93, 0.90, 0.94, 0.91, 0.92)
NADAM = (0.95, 0.95, 0.95, 0.96, 0.94, 0.95)


@pytest.fixture
def swept(in_tmp: Path) -> Path:
    """Three optimizers, six seeds."""
    runs = [*scored("sgd", SGD), *scored("adam", ADAM), *scored("nadam", NADAM)]
    write_sweep(in_tmp / "swept", ["optimizer", "seed"], runs)
    return in_tmp / "swept"


def results(where: Path, *words: str) -> Ended:
    return inside(where, "results", *words)


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


# What is said

TABLE = """\
test/accuracy (higher is better) of 18 runs, 3 groups by optimizer
Against the best: paired t-test over 6 seeds; it holds for these rows and this split only; \
two-sided; p corrected by Holm for the 3 pairs of 3 groups

rank  optimizer    mean      sd  95 % interval     seeds  against the best
   1  adam       0.9517  0.0147  0.9362 to 0.9671      6  best
   2  nadam      0.9500  0.0063  0.9434 to 0.9566      6  undecided: 0.002 (-0.009 to 0.012), \
p=1.00; about 368 seeds would tell
   3  sgd        0.9167  0.0163  0.8995 to 0.9338      6  worse by 0.035 (0.024 to 0.046), p=0.001

Intervals are Student's t, 95 %: of the mean over seeds, and in brackets of the mean difference to \
the best.
This ranking uses the test rows: the test score of the best is too good to expect of new rows. \
split.validation=0.2 reserves validation rows for the choice.
"""


def test_the_table(swept: Path, in_tmp: Path) -> None:
    ended = results(in_tmp, "swept")
    assert ended.code == 0, ended.err
    assert ended.out == TABLE


def test_lower_is_better_for_a_loss(swept: Path, in_tmp: Path) -> None:
    ended = results(in_tmp, "swept", "--metric", "loss", "--json", "-")
    found = json.loads(ended.out)
    assert (found["metric"], found["higher_is_better"]) == ("test/loss", False)
    assert [group["values"]["optimizer"] for group in found["groups"]] == ["adam", "nadam", "sgd"]
    assert found["groups"][2]["difference"] == pytest.approx(0.035)
    seconds = results(in_tmp, "swept", "--metric", "seconds").out
    assert seconds.startswith("seconds (lower is better) of 18 runs")


def test_one_seed_for_each_group_shows_runs(in_tmp: Path) -> None:
    runs = [
        {"words": (f"optimizer.lr={lr}",), "accuracy": score} for lr, score in ((0.1, 0.5), (1, 1))
    ]
    write_sweep(in_tmp / "swept", ["optimizer.lr"], runs)
    assert results(in_tmp, "swept").out == (
        "test/accuracy (higher is better) of 2 runs, 2 groups by optimizer.lr\n"
        "\n"
        "rank  optimizer.lr  test/accuracy  directory\n"
        "   1  1                    1.0000  1-run\n"
        "   2  0.1                  0.5000  0-run\n"
        "\n"
        "One seed for each group: no interval and no test. Several, such as seed=range(0,10), give "
        "both.\n"
        "This ranking uses the test rows: the test score of the best is too good to expect of new "
        "rows. split.validation=0.2 reserves validation rows for the choice.\n"
    )


def test_one_run(in_tmp: Path) -> None:
    write_run(in_tmp / "run", 0.5)
    ended = results(in_tmp, "run")
    assert ended.out == (
        "test/accuracy (higher is better) of 1 run\n"
        "\n"
        "rank  test/accuracy  directory\n"
        f"   1         0.5000  {in_tmp / 'run'}\n"
    )


def test_no_finished_run(in_tmp: Path) -> None:
    here = process.this()
    gone = {**here, "pid": 2**22, "begun": "0"}
    runs = [
        {"words": ("seed=1",), "accuracy": None, "status": "pending"},
        {"words": ("seed=2",), "accuracy": None, "status": "running", "process": here},
        {"words": ("seed=3",), "accuracy": None, "status": "running", "process": gone},
    ]
    write_sweep(in_tmp / "swept", ["seed"], runs)
    ended = results(in_tmp, "swept")
    assert ended.code == 0, ended.err
    assert ended.out == (
        "accuracy (higher is better) of 3 runs: none has finished\n"
        "\n"
        "rank  accuracy  not done                         against the best\n"
        "   -         -  1 crashed, 1 running, 1 pending  no finished run\n"
        "\n"
        "1 crashed (2-run)\n"
    )


def test_failures_are_counted_and_told(in_tmp: Path) -> None:
    """They never count as a score, whatever they have left, and none is dropped in silence."""
    runs = [
        *scored("adam", (0.9, 0.91, 0.92)),
        *scored("sgd", (0.8, 0.81)),
        {**scored("sgd", (0.99,))[0], "status": "diverged", "seed": 7},
        {**scored("sgd", (None,))[0], "status": "failed", "message": "no\nroom", "seed": 8},
        {**scored("sgd", (None,))[0], "status": "done", "seed": 9},
    ]
    skipped = [{"number": 9, "overrides": ["optimizer=x"], "reason": "it cannot be"}]
    write_sweep(in_tmp / "swept", ["optimizer", "seed"], runs, skipped)
    (in_tmp / "swept/1-run/run.json").write_text("{")
    ended = results(in_tmp, "swept")
    cells = [line.split("  ") for line in ended.out.splitlines()]
    lines = {line.split()[1]: line for line in ended.out.splitlines() if line[:4].strip().isdigit()}
    assert "1 crashed" in lines["adam"]
    assert "1 diverged, 1 failed, 1 without" in lines["sgd"]
    assert lines["sgd"].split()[2] == "0.8050"
    assert any(c[0].startswith("1 crashed: run.json is corrupted: ") for c in cells)
    assert ["1 diverged (5-run)"] in cells
    assert ["1 failed: no (6-run)"] in cells
    assert cells[-1] == ["1 run skipped: it cannot be"]
    found = json.loads(results(in_tmp, "swept", "--json", "-").out)
    assert [run["status"] for run in found["not_done"]] == ["crashed", "diverged", "failed"]
    assert found["skipped"][0]["message"] == "it cannot be"
    assert "skipped" not in results(in_tmp, "swept", "--where", "optimizer=adam").out


def test_too_few_seeds(in_tmp: Path) -> None:
    runs = [*scored("a", (0.9, 0.8, 0.85)), *scored("b", (0.8, 0.82, 0.7)), *scored("c", (0.7,))]
    write_sweep(in_tmp / "swept", ["optimizer", "seed"], runs)
    found = rows(results(in_tmp, "swept", "--csv", "-").out)
    assert [row["verdict"] for row in found] == ["best", "undecided", "undecided"]
    assert [row["seeds_needed"] for row in found] == ["", "13", ""]
    assert found[1]["comparison"].startswith("undecided: 0.08 (-0.14 to 0.29), p=0.27")
    assert found[1]["comparison"].endswith("; about 13 seeds would tell")
    assert found[2]["comparison"] == "undecided: 1 seed in common"


def test_wilcoxon_with_five_seeds_cannot_tell(in_tmp: Path) -> None:
    """Its smallest p is 2 / 2^5, more than 0.05, however large the difference."""
    runs = [*scored("a", (0.9, 0.8, 0.85, 0.7, 0.95)), *scored("b", (0.1, 0.2, 0.3, 0.05, 0.4))]
    write_sweep(in_tmp / "swept", ["optimizer", "seed"], runs)
    worse = rows(results(in_tmp, "swept", "--test", "wilcoxon", "--csv", "-").out)[1]
    assert float(worse["p"]) == 0.0625
    assert (worse["verdict"], worse["seeds_needed"]) == ("undecided", "6")
    told = rows(results(in_tmp, "swept", "--csv", "-").out)[1]
    assert told["comparison"].startswith("worse by 0.6")


def test_other_seeds_are_no_pairs(in_tmp: Path) -> None:
    runs = [*scored("a", (0.9, 0.8)), *scored("b", (0.8, 0.7))]
    runs[2:] = [{**run, "seed": 10 + n} for n, run in enumerate(runs[2:])]
    write_sweep(in_tmp / "swept", ["optimizer", "seed"], runs)
    assert "undecided: no seed in common" in results(in_tmp, "swept").out


# Which groups


def test_runs_of_one_seed_in_a_group_count_once(in_tmp: Path) -> None:
    runs = [
        {"words": (f"optimizer={o}", f"optimizer.lr={lr}", f"seed={s}"), "accuracy": a, "seed": s}
        for o, lr, s, a in [
            ("sgd", 1, 1, 0.5), ("sgd", 2, 1, 0.7), ("sgd", 1, 2, 0.6), ("sgd", 2, 2, 0.4),
            ("adam", 1, 1, 0.9), ("adam", 2, 1, 0.7), ("adam", 1, 2, 0.8), ("adam", 2, 2, 0.9),
        ]
    ]  # fmt: skip
    write_sweep(in_tmp / "swept", ["optimizer", "optimizer.lr", "seed"], runs)
    ended = results(in_tmp, "swept", "--by", "optimizer", "--json", "-")
    _, sgd = json.loads(ended.out)["groups"]
    assert [score["score"] for score in sgd["scores"]] == pytest.approx([0.6, 0.5])
    assert (sgd["seeds"], sgd["runs"]) == (2, 4)
    assert sgd["difference"] == pytest.approx((0.2 + 0.35) / 2)
    told = results(in_tmp, "swept", "--by", "optimizer").out
    assert told.endswith("Runs of one group with the same seed count once, by their mean.\n")


def test_groups_by_a_key_that_was_not_swept(in_tmp: Path) -> None:
    runs = [
        {**run, "config": {"seed": run["seed"], "dataset": {"name": "moons", "noise": noise}}}
        for run, noise in zip(scored("a", (0.9, 0.8, 0.7)), (0.1, 0.1, 0.2), strict=True)
    ]
    write_sweep(in_tmp / "swept", ["optimizer", "seed"], runs)
    found = rows(results(in_tmp, "swept", "--by", "dataset,dataset.noise", "--csv", "-").out)
    assert [(row["dataset"], row["dataset.noise"], row["seeds"]) for row in found] == [
        ("moons", "0.1", "2"), ("moons", "0.2", "1"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("condition", "left"),
    [
        ("optimizer=adam", 6), ("optimizer!=adam", 12), ("seed<2", 6), ("seed>=4", 6),
        ("accuracy>0.95", 4), ("test/loss<=0.045", 4), ("status=done", 18), ("run>=17", 1),
        ("seconds>1", 18), ("name=moons-mlp-sgd", 18), ("run=3", 1), ("run!=3", 17),
    ],
)  # fmt: skip
def test_where(swept: Path, in_tmp: Path, condition: str, left: int) -> None:
    found = json.loads(results(in_tmp, "swept", "--where", condition, "--json", "-").out)
    assert (found["runs"], found["left_out"]) == (left, 18 - left)


def test_several_conditions_hold_together(swept: Path, in_tmp: Path) -> None:
    words = ("--where", "optimizer=adam", "--where", "seed<3", "--json", "-")
    assert json.loads(results(in_tmp, "swept", *words).out)["runs"] == 3
    ended = results(in_tmp, "swept", "--where", "seed<0")
    assert (ended.code, ended.err) == (2, "exp: none of 18 runs satisfies seed<0\n")


def test_sort_and_top(swept: Path, in_tmp: Path) -> None:
    def order(*words: str) -> list[str]:
        return [r["optimizer"] for r in rows(results(in_tmp, "swept", *words, "--csv", "-").out)]

    assert order() == ["adam", "nadam", "sgd"]
    assert order("--sort", "optimizer") == ["adam", "nadam", "sgd"]
    assert order("--sort=-optimizer") == ["sgd", "nadam", "adam"]
    assert order("--sort", "sd") == ["nadam", "adam", "sgd"]
    assert order("--sort=-rank", "--top", "2") == ["sgd", "nadam"]
    assert "3 groups by optimizer; 2 shown\n" in results(in_tmp, "swept", "--top", "2").out


def test_sweeps_of_unlike_keys(in_tmp: Path) -> None:
    """What differs between two sweeps tells their groups apart, though neither has swept it."""
    for name, dataset, key, values in (
        ("one", "moons", "optimizer.lr", (0.1, 0.2)),
        ("two", "circles", "model.dropout", (0.0, 0.5)),
    ):
        runs = []
        for value in values:
            rate = value if key == "optimizer.lr" else 0.1
            config = {
                "seed": 0, "seeds": {"data": 0}, "name": None, "figures": {"name": name},
                "dataset": {"name": dataset}, "optimizer": {"name": "sgd", "lr": rate},
                "model": {"name": "mlp", "dropout": value if key == "model.dropout" else 0.0},
            }  # fmt: skip
            runs.append({"words": (f"{key}={value}",), "accuracy": value, "config": config})
        write_sweep(in_tmp / name, [key], runs)
    found = gather([in_tmp / "one", in_tmp / "two"])
    assert found.keys == ("optimizer.lr", "model.dropout", "dataset")
    assert [row.parameters for row in found.rows] == [
        {"optimizer.lr": 0.1, "model.dropout": 0.0, "dataset": "moons"},
        {"optimizer.lr": 0.2, "model.dropout": 0.0, "dataset": "moons"},
        {"optimizer.lr": 0.1, "model.dropout": 0.0, "dataset": "circles"},
        {"optimizer.lr": 0.1, "model.dropout": 0.5, "dataset": "circles"},
    ]
    assert [row.number for row in found.rows] == [0, 1, 2, 3]
    assert gather([in_tmp]) == gather([in_tmp / "one", in_tmp / "two"]).__class__(
        (in_tmp,), found.keys, found.rows
    )


def test_lone_runs_vary_in_what_their_configs_say(in_tmp: Path) -> None:
    for number in (2, 10, 1):
        optimizer = {"name": "adam", "beta1": 0.9} if number == 10 else {"name": "sgd", "m": 0.0}
        config = {
            "seed": number, "seeds": {"data": number, "init": number}, "name": f"run-{number}",
            "optimizer": {**optimizer, "lr": 0.1}, "model": {"hidden": [8, number]},
            "trainer": {"print_every": number},
        }  # fmt: skip
        write_run(in_tmp / f"runs/{number}-x", 0.5, seed=number, config=config)
    found = gather([in_tmp / "runs"])
    assert [row.path.name for row in found.rows] == ["1-x", "2-x", "10-x"]
    assert found.keys == ("seed", "optimizer", "model.hidden")
    assert found.rows[2].parameters == {
        "seed": 10, "optimizer": "adam", "model.hidden": "[8,10]",
    }  # fmt: skip
    assert found.rows[0].seeds == (1, 1, 1, 1)


# Files


def test_csv_and_json_say_the_same(swept: Path, in_tmp: Path) -> None:
    ended = results(in_tmp, "swept", "--csv", "out.csv", "--json", "out.json")
    assert ended.out.startswith("test/accuracy")
    table_of = rows((in_tmp / "out.csv").read_text())
    groups = json.loads((in_tmp / "out.json").read_text())["groups"]
    for row, group in zip(table_of, groups, strict=True):
        assert row["optimizer"] == group["values"]["optimizer"]
        for name in ("mean", "sd", "low", "high", "p", "p_holm", "difference", "effect"):
            assert row[name] == ("" if group[name] is None else repr(group[name])), name
    before = (in_tmp / "out.json").read_bytes()
    results(in_tmp, "swept", "--json", "out.json")
    assert (in_tmp / "out.json").read_bytes() == before


def test_parquet_says_the_same(swept: Path, in_tmp: Path) -> None:
    import pyarrow.parquet

    results(in_tmp, "swept", "--parquet", "out.parquet", "--csv", "out.csv")
    found = pyarrow.parquet.read_table(in_tmp / "out.parquet").to_pylist()
    for row, other in zip(rows((in_tmp / "out.csv").read_text()), found, strict=True):
        assert row == {key: "" if v is None else str(v) for key, v in other.items()}


def test_parquet_needs_pyarrow(swept: Path, in_tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("exp.report.table_export.find_spec", lambda name: None)
    ended = results(in_tmp, "swept", "--parquet", "out.parquet")
    told = "exp: --parquet: pyarrow is not installed: pip install 'exp[parquet]'\n"
    assert (ended.code, ended.err, ended.out) == (2, told, "")
    assert not (in_tmp / "out.parquet").exists()


# Bad input


KEYS = "optimizer, seed"
OTHERS = "run, status, name, seconds, best/epoch, epochs, test/accuracy, test/loss"
ORDERS = "optimizer, rank, mean, sd, seeds, runs, p"
COUNT = "expected a number greater than 0"
NO_RUN = "a run directory contains run.json, a sweep sweep.json"
HELP = "See exp results --help"
METRICS = "best/epoch, epochs, seconds, test/accuracy, test/loss"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--metric", "acuracy"],
         f"--metric: unknown metric 'acuracy'. Did you mean 'test/accuracy'? Known: {METRICS}"),
        (["--by", "optimiser"],
         f"--by: unknown key 'optimiser'. Did you mean 'optimizer'? Known: {KEYS}"),
        (["--where", "optimiser=adam"],
         f"--where: unknown key 'optimiser'. Did you mean 'optimizer'? Known: {KEYS}, {OTHERS}"),
        (["--where", "seed"],
         "--where: expected key=value, or one of != < > <= >= in place of =, found 'seed'"),
        (["--where", "seed<many"], "--where: expected a number after <, found 'seed<many'"),
        (["--sort", "men"], f"--sort: unknown key 'men'. Did you mean 'mean'? Known: {ORDERS}"),
        (["--top", "0"], f"--top: {COUNT}, found '0'"),
        (["--test", "wilcoxn"],
         "--test: unknown test 'wilcoxn'. Did you mean 'wilcoxon'? Known: t, wilcoxon"),
        (["--metrik", "loss"],
         f"exp results: no such option --metrik. Did you mean '--metric'? {HELP}"),
        (["none"], "there is no directory 'none'"),
        (["empty"], f"no runs found in {{here}}/empty: {NO_RUN}"),
        (["--csv", "none/out.csv"], f"exp results: --csv: there is no directory none. {HELP}"),
        (["--top", "0", "--test", "x"],
         f"--test: unknown test 'x'. Known: t, wilcoxon\n     --top: {COUNT}, found '0'"),
    ],
)  # fmt: skip
def test_a_bad_word(swept: Path, in_tmp: Path, words: list[str], told: str) -> None:
    (in_tmp / "empty").mkdir()
    ended = results(in_tmp, "swept", *words)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == f"exp: {told.format(here=in_tmp)}\n"


def test_a_key_to_sort_by_may_be_given_by_its_end(in_tmp: Path) -> None:
    words = ("-m", *SMALL, "optimizer.lr=0.1,0.2", "sweep.n_jobs=1", "sweep.dir=rates")
    assert inside(in_tmp, *words).code == 0
    ended = results(in_tmp, "rates", "--sort", "lr")
    assert ended.err == "exp: --sort: unknown key 'lr'. Did you mean 'optimizer.lr'?\n"
    assert results(in_tmp, "rates", "--sort", "optimizer.lr").code == 0


def test_a_manifest_that_leads_out_is_refused(swept: Path, in_tmp: Path) -> None:
    text = (swept / "sweep.json").read_text()
    (swept / "sweep.json").write_text(text.replace("0-run", "../0-run"))
    ended = results(in_tmp, "swept")
    assert ended.code == 2
    assert "'../0-run' is not a run directory inside the sweep directory" in ended.err


@pytest.mark.parametrize(
    "text", ["[]", "{}", '{"status": 3}', '{"status": "done", "seeds": [], "timings": 1}', "\x00"]
)
def test_whatever_stands_in_a_run_is_a_row(in_tmp: Path, text: str) -> None:
    write_run(in_tmp / "runs/a", 0.5)
    write_run(in_tmp / "runs/b", 0.5)
    (in_tmp / "runs/b/run.json").write_text(text)
    (in_tmp / "runs/b/summary.json").write_text('{"final": {"test/accuracy": 1e999, "x": "y"}}')
    (row,) = (row for row in gather([in_tmp / "runs"]).rows if row.path.name == "b")
    assert row.metrics == {}
    assert row.status in ("crashed", "pending", "done")
    assert results(in_tmp, "runs").code == 0


def test_a_stranger_s_names_cannot_steer_the_terminal(in_tmp: Path) -> None:
    run = {
        "words": ("a\x1b[2J=\x1b[31m",),
        "accuracy": 0.5,
        "status": "failed",
        "message": "\x1b]0;",
    }
    write_sweep(in_tmp / "swept", ["a\x1b[2J"], [run, {**run, "status": "done"}])
    (in_tmp / "swept/1-run/summary.json").write_text('{"final": {"\\u001b[5m": 1}}')
    for words in ((), ("--metric", "\x1b[5m"), ("--metric", "loss"), ("--by", "x", "--sort", "y")):
        ended = results(in_tmp, "swept", *words)
        assert "\x1b" not in ended.out + ended.err, words
        assert "\\x1b" in ended.out + ended.err


def test_nothing_heavy_is_imported(swept: Path) -> None:
    script = (
        "import sys; from exp.cli.group import run; run(['results', 'swept', '--where', 'seed<9']);"
        "heavy = {'torch', 'pandas', 'sklearn', 'matplotlib', 'hydra'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=swept.parent, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


# A real sweep, and scipy by hand


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two optimizers, two learning rates, six seeds."""
    where = tmp_path_factory.mktemp("real")
    words = ("optimizer=sgd,adam", "optimizer.lr=0.05,0.1", "seed=range(0,6)", "sweep.n_jobs=1")
    small = [w for w in SMALL if "epochs" not in w]
    ended = inside(where, "-m", *small, "trainer.epochs=20", *words, "sweep.dir=swept")
    assert ended.code == 0, ended.err
    (where / "closing.txt").write_text(ended.out)
    return where


@pytest.mark.parametrize("test", ["t", "wilcoxon"])
def test_agrees_with_scipy_called_by_hand(real: Path, test: str) -> None:
    with (real / "swept/runs.csv").open(newline="") as file:
        scores: dict[tuple[str, str], list[float]] = {}
        for row in csv.DictReader(file):
            key = (row["optimizer"], row["optimizer.lr"])
            scores.setdefault(key, []).append(float(row["test/loss"]))
    ended = results(real, "swept", "--metric", "loss", "--test", test, "--json", "-")
    found = json.loads(ended.out)["groups"]
    best = min(scores, key=lambda key: float(np.mean(scores[key])))
    ps = {}
    for group in found:
        key = (group["values"]["optimizer"], str(group["values"]["optimizer.lr"]))
        values = np.array(scores[key])
        assert group["mean"] == pytest.approx(values.mean(), rel=1e-12)
        assert group["sd"] == pytest.approx(values.std(ddof=1), rel=1e-9)
        low, high = stats.t.interval(0.95, 5, values.mean(), stats.sem(values))
        assert (group["low"], group["high"]) == pytest.approx((low, high), rel=1e-9)
        if key == best:
            assert (group["rank"], group["verdict"]) == (1, "best")
            continue
        by_hand = stats.ttest_rel(values, scores[best])
        interval = by_hand.confidence_interval(0.95)
        differences = values - scores[best]
        assert group["difference"] == pytest.approx(differences.mean(), rel=1e-9)
        assert group["difference_low"] == pytest.approx(interval.low, rel=1e-8, abs=1e-12)
        assert group["difference_high"] == pytest.approx(interval.high, rel=1e-8, abs=1e-12)
        assert group["effect"] == pytest.approx(differences.mean() / differences.std(ddof=1))
        p = by_hand.pvalue if test == "t" else stats.wilcoxon(values, scores[best]).pvalue
        assert group["p"] == pytest.approx(p, rel=1e-8)
        ps[key] = (group["p"], group["p_holm"])
    # Holm over the 6 pairs of 4 groups, of which these 3 are looked at.
    largest = 0.0
    for place, (p, adjusted) in enumerate(sorted(ps.values())):
        largest = max(largest, min(1.0, (6 - place) * p))
        assert adjusted == pytest.approx(largest)


def test_the_closing_table_is_the_same_in_short(real: Path) -> None:
    told = (real / "closing.txt").read_text()
    whole = results(real, "swept").out.splitlines()
    at = whole.index("") + 1
    head = ["Best by test/accuracy over seeds", whole[at - 2]]
    assert "\n".join([*head, *whole[at : at + 5], ""]) in told


def test_a_broken_off_sweep_is_told_as_it_stands(real: Path, in_tmp: Path) -> None:
    """runs.csv is of the time before: what the directories say counts."""
    import shutil

    shutil.copytree(real / "swept", in_tmp / "swept")
    shutil.rmtree(in_tmp / "swept/0-optimizer.lr=0.05,optimizer=sgd,seed=0")
    found = gather([in_tmp / "swept"])
    assert [row.status for row in found.rows] == ["pending", *["done"] * 23]
    assert found.rows[0].parameters == {"optimizer": "sgd", "optimizer.lr": 0.05, "seed": 0}


def test_the_best_split_is_ranked_by(in_tmp: Path) -> None:
    """Validation rows before test rows, also where only some runs have any."""
    runs = scored("a", (0.9, 0.8, 0.7))
    write_sweep(in_tmp / "swept", ["optimizer", "seed"], runs)
    path = in_tmp / "swept/1-run/summary.json"
    summary = json.loads(path.read_text())
    summary["final"]["validation/accuracy"] = 0.6
    path.write_text(json.dumps(summary))
    entries = [Entry(n, f"{n}-run", run["words"]) for n, run in enumerate(runs)]
    found = runs_table.write(SweepDirectory(in_tmp / "swept"), ["optimizer", "seed"], entries)
    assert found.metric == "validation/accuracy"
    assert "Best by validation/accuracy\n" in closing(found, Path("swept"), 1.0)
    assert results(in_tmp, "swept").out.startswith("validation/accuracy (higher is better)")


# Statistics


def test_a_spread_by_hand() -> None:
    found = Mean.of([1.0, 2.0, 3.0, 4.0])
    sd = math.sqrt(5 / 3)
    half = 3.182446305284263 * sd / 2  # the 97.5 % quantile of Student's t with 3 degrees
    assert (found.n, found.mean) == (4, 2.5)
    assert found.sd == pytest.approx(sd, rel=1e-14)
    assert (found.low, found.high) == pytest.approx((2.5 - half, 2.5 + half), rel=1e-12)
    assert Mean.of([0.1] * 3) == Mean(3, 0.1, 0.0, 0.1, 0.1)
    assert Mean.of([0.1]) == Mean(1, 0.1)


def test_a_paired_t_test_by_hand() -> None:
    """Differences 1 to 5: t = 3 / sqrt(2.5 / 5), and p from the closed form for 4 degrees."""
    found = paired([2, 4, 6, 8, 10], [1, 2, 3, 4, 5])
    t = 3 / math.sqrt(0.5)
    share = t / math.sqrt(4 + t * t)
    p = 1 - 1.5 * (share - share**3 / 3)
    assert found.p == pytest.approx(p, rel=1e-12)
    assert found.effect == pytest.approx(3 / math.sqrt(2.5))
    assert found.difference is not None
    assert found.difference.mean == 3


def test_differences_that_do_not_vary() -> None:
    """By flipping signs: n equal differences have p = 2^(1 - n), not 0; rounding is no variance."""
    one, other = [0.985, 0.98, 0.975, 0.97, 0.91], [0.98, 0.975, 0.97, 0.965, 0.905]
    found = paired(one, other)
    assert (found.p, found.effect) == (2**-4, None)
    same = paired(one, one)
    assert same.p == 1.0
    assert same.difference == Mean(5, 0.0, 0.0, 0.0, 0.0)
    assert paired([1.0], [0.5]).p is None
    assert paired([], []).p is None
    with pytest.raises(ValueError, match="zip"):
        paired([1.0], [])


def test_equal_differences_share_a_rank() -> None:
    """Also where rounding has made them unlike; those of 0 are left out."""
    one, other = [0.985, 0.98, 0.975, 0.99, 0.9, 0.91], [0.98, 0.975, 0.97, 0.985, 0.9, 0.92]
    # |d| = .005 four times, .01 once and against: ranks 2.5 and 5. Of the 32 flips those with a
    # sum of negative ranks up to 5, or from 10 on, are as far off.
    near = sum(
        1 for flips in range(32)
        if min(s := sum(r for k, r in enumerate([2.5] * 4 + [5]) if flips >> k & 1), 15 - s) <= 5
    )  # fmt: skip
    assert paired(one, other, "wilcoxon").p == pytest.approx(near / 32)
    assert paired(one, one, "wilcoxon").p == 1.0


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 60), st.integers(1, 10**6), st.integers(0, 2**32 - 1))
def test_signed_ranks_as_scipy_has_them(n: int, kinds: int, seed: int) -> None:
    """Rounding makes no ranks of its own, and p is exact where scipy's is."""
    differences = np.random.default_rng(seed).integers(1, kinds + 1, n).astype(float)
    differences *= np.random.default_rng(seed + 1).choice([-1.0, 1.0], n)
    found = paired(differences / 7 + 3, np.full(n, 3.0), "wilcoxon").p
    if n == 1:
        assert found is None
    else:
        assert found == pytest.approx(stats.wilcoxon(differences).pvalue)
    if 1 < n <= 9:
        flips = stats.PermutationMethod(n_resamples=np.inf)
        assert found == pytest.approx(stats.wilcoxon(differences, method=flips).pvalue)


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.01, 0.04, 0.03], family=6) == pytest.approx([0.06, 0.16, 0.15])
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert holm([]) == []


def test_mcnemar_by_hand() -> None:
    assert mcnemar(1, 9) == pytest.approx(2 * (1 + 10) / 2**10)
    assert mcnemar(9, 1) == mcnemar(1, 9)
    assert mcnemar(5, 5) == 1.0
    assert mcnemar(0, 0) == 1.0


@pytest.mark.parametrize(
    ("effect", "pairs"), [(0.2, 199), (0.5, 34), (0.8, 15), (0.0, None), (0.05, None)]
)
def test_seeds_needed(effect: float, pairs: int | None) -> None:
    """Small, middle and large effects need as many pairs as G*Power says."""
    assert needed(effect) == needed(-effect) == pairs


@settings(deadline=None)
@given(st.floats(0.1, 50), st.sampled_from([0.05, 0.01, 0.05 / 45]))
def test_one_seed_less_would_not_do(effect: float, alpha: float) -> None:
    """By scipy.stats' noncentral t, which is another's code."""

    def power(n: int) -> float:
        bound, centre = stats.t.ppf(1 - alpha / 2, n - 1), effect * math.sqrt(n)
        return float(stats.nct.sf(bound, n - 1, centre))

    found = needed(effect, alpha)
    assert found is None or power(found) > 0.8 - 1e-6
    assert found in (None, 5) or power(found - 1) < 0.8 + 1e-6
    assert found is not None or power(1000) < 0.8 + 1e-6


def row(group: int, seed: int, score: float) -> Row:
    words = {"g": group, "seed": seed}
    scores = {"test/accuracy": score}
    return Row(Path("x"), 0, "x", "done", None, dict(words), scores, None, (), (seed,) * 4)


def alike(groups: int, seeds: int, repetitions: int, test: str = "t") -> float:
    """How often some group is told from the best though all are alike: accuracies on 200 test rows
    that are more or less hard under each seed."""
    rng = np.random.default_rng(20261125)
    told = 0
    for _ in range(repetitions):
        hard = rng.beta(90, 10, seeds)
        found = ranking(
            grouped(
                [
                    row(group, seed, float(score))
                    for group in range(groups)
                    for seed, score in enumerate(rng.binomial(200, hard) / 200)
                ],
                ["g"],
                "test/accuracy",
            ),
            test,
        ).every
        told += any(each.verdict.word == "worse" for each in found)
    return told / repetitions


def test_two_groups_that_are_alike() -> None:
    assert 0.03 <= alike(2, 10, 500) <= 0.07
    assert 0.02 <= alike(2, 8, 200, "wilcoxon") <= 0.07


@pytest.mark.parametrize("groups", [5, 12])
def test_the_best_of_many_that_are_alike_was_chosen(groups: int) -> None:
    """Without counting every pair, 8 % and 14 % of such tables would call some group worse."""
    assert alike(groups, 10, 300) <= 0.07


FLOATS = st.floats(-1e6, 1e6, allow_subnormal=False)


@settings(deadline=None, max_examples=150)
@given(st.lists(st.tuples(FLOATS, FLOATS), min_size=2, max_size=30))
def test_any_pairs(pairs: list[tuple[float, float]]) -> None:
    one, other = zip(*pairs, strict=True)
    found = paired(one, other)
    assert found.p is not None
    assert found.difference is not None
    assert 0.0 <= found.p <= 1.0
    back = paired(other, one)
    assert back.p == found.p
    assert back.difference is not None
    assert back.difference.mean == -found.difference.mean
    differences = np.subtract(one, other)
    # Where the differences hardly vary, scipy itself warns of lost digits.
    if differences.std() > 1e-6 * np.abs(pairs).max():
        assert found.p == pytest.approx(stats.ttest_rel(one, other).pvalue, rel=1e-5, abs=1e-12)


@given(st.lists(st.floats(0, 1), max_size=20), st.integers(0, 50))
def test_any_p_values(ps: list[float], more: int) -> None:
    found = holm(ps, len(ps) + more)
    assert all(p <= adjusted <= 1.0 for p, adjusted in zip(ps, found, strict=True))
    order = sorted(range(len(ps)), key=lambda index: ps[index])
    assert [found[i] for i in order] == sorted(found)


@settings(deadline=None)
@given(st.lists(st.lists(st.floats(0, 1), max_size=6), min_size=1, max_size=6))
def test_any_groups(scores: list[list[float]]) -> None:
    """Every group is there once, the best first, and each has a verdict."""
    rows_of = [
        row(group, seed, score)
        for group, some in enumerate(scores)
        for seed, score in enumerate(some)
    ]
    found = ranking(grouped(rows_of, ["g"], "test/accuracy")).every
    assert len(found) == sum(bool(some) for some in scores)
    means = [each.score.mean for each in found if each.score is not None]
    assert means == sorted(means, reverse=True)
    words = [each.verdict.word for each in found]
    assert words[:1] == ["best"] * bool(found)
    assert set(words[1:]) <= {"worse", "better", "undecided"}


@pytest.mark.parametrize(
    ("value", "half", "text"),
    [
        (0.0117, 0.004, "0.0117 (0.0077 to 0.0157)"), (0.045, 0.0151, "0.045 (0.030 to 0.060)"),
        (12.3, 15, "12 (-3 to 27)"), (1.234, 0.98, "1.23 (0.25 to 2.21)"), (0.005, 0, "0.005"),
        (-0.004, 0.1, "-0.00 (-0.10 to 0.10)"),
    ],
)  # fmt: skip
def test_a_value_has_as_many_digits_as_its_interval(value: float, half: float, text: str) -> None:
    assert spread(value, value - half, value + half) == text.replace("-0.00 ", "0.00 ")


# Values


PARSER = OverridesParser.create()


@settings(deadline=None, max_examples=300)
@given(
    st.one_of(
        st.integers(-(10**19), 10**19).map(str),
        st.floats(allow_nan=False, allow_infinity=False).map(repr),
        st.sampled_from(
            ["true", "False", "null", "NULL", "1_000", "007", "1e3", ".5", "1.", "-0", "1e", "+3",
             "1__0", "0x10", "adam", "'a b'", '"x"', "'7'", "'it\\'s'", "1e-07", "0e5", "1_0.5"]
        ),
    )
)  # fmt: skip
def test_an_override_has_the_value_that_hydra_gives_it(text: str) -> None:
    value: Any = PARSER.parse_override(f"key={text}").value()
    wanted = value.text if isinstance(value, QuotedString) else value
    if isinstance(wanted, float) and not math.isfinite(wanted):
        wanted = text
    found = typed(text)
    assert (type(found), found) == (type(wanted), wanted)


@given(st.text(max_size=30))
def test_any_text_is_a_value_or_a_condition(text: str) -> None:
    typed(text)
    natural(text)
    with contextlib.suppress(ValueError):
        Condition.of(text).holds(row(1, 2, 0.5))


LEAF = st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.text("abc: ${'", max_size=5))
CONFIGS = st.dictionaries(
    st.text("abc_", min_size=1, max_size=4),
    st.one_of(LEAF, st.dictionaries(st.text("abcname", min_size=1, max_size=4), LEAF, max_size=3)),
    max_size=5,
)


@settings(deadline=None)
@given(CONFIGS)
def test_any_config_is_read_flat(
    tmp_path_factory: pytest.TempPathFactory, config: dict[str, Any]
) -> None:
    path = tmp_path_factory.mktemp("run")
    (path / "config.yaml").write_text(yaml_text(config))
    assert config_of(path) == (leaves(config) if config else {})


def test_what_differs_is_told_in_few_keys() -> None:
    base = {"seed": 1, "seeds": {"data": 1, "init": 1}, "name": "x", "figures": {"theme": "light"}}
    configs = [
        {**base, "optimizer": {"name": "sgd", "lr": 0.1, "momentum": 0.0}},
        {**base, "optimizer": {"name": "sgd", "lr": 0.2, "momentum": 0.0}, "name": "y"},
        {**base, "optimizer": {"name": "adam", "lr": 0.1, "beta1": 0.9}, "figures": {}},
    ]
    assert varying([leaves(config) for config in configs]) == ["optimizer", "optimizer.lr"]
    other = {**base, "seed": 2, "seeds": {"data": 2, "init": 2}}
    assert varying([leaves(base), leaves(other)]) == ["seed"]
    other = {**base, "seeds": {"data": 1, "init": 7}}
    assert varying([leaves(base), leaves(other)]) == ["seeds.init"]
    assert varying([{"a": 1}, {"a": True}]) == ["a"]
    assert varying([]) == []


def test_written_as_on_a_command_line() -> None:
    assert written([8, [True, None], {"a": 1.5}]) == "[8,[true,null],{a:1.5}]"
