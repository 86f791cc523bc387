"""Searching with Optuna: which trials are asked for, how they end, what is left to go on with."""

from __future__ import annotations

import csv
import json
import os
import re
import shlex
import signal
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import optuna
import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from commands import Ended, inside
from custom_modules import forgotten
from exp.config.plan import Plan
from exp.engine import Job, train
from exp.runs.manifest import read_json
from exp.runs.metrics_file import history_text
from exp.sweeps import search_settings
from exp.sweeps.search_space import space_of
from exp.util.errors import ConfigError
from test_sweep_again import started, until

SMALL = (
    "figures=none", "dataset.n_samples=60", "trainer.epochs=20", "split.validation=0.2",
    "sweep.n_jobs=1", "sweep.dir=swept", "hydra.sweeper.batch=4", "hydra.sweeper.n_trials=8",
)  # fmt: skip
LR = "optimizer.lr=tag(log,interval(0.001,1))"
HIDDEN = "model.hidden=[2],[4]"


def search(where: Path, *words: str) -> Ended:
    return inside(where, "-m", "hydra/sweeper=optuna", *SMALL, *words)


def study(where: Path) -> optuna.Study:
    """The file of a search, as Optuna itself reads it."""
    return optuna.load_study(study_name="exp", storage=f"sqlite:///{where / 'swept/study.db'}")


def rows(where: Path) -> list[dict[str, str]]:
    with (where / "swept/runs.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def overrides(where: Path) -> list[list[str]]:
    runs = json.loads((where / "swept/sweep.json").read_text())["runs"]
    return [run["overrides"] for run in runs]


def results(where: Path) -> list[bytes]:
    """What every run has measured, by its number."""
    runs = json.loads((where / "swept/sweep.json").read_text())["runs"]
    return [(where / "swept" / run["directory"] / "metrics.csv").read_bytes() for run in runs]


@pytest.mark.parametrize(
    ("word", "wanted"),
    [
        ("optimizer.lr=interval(0.01,1)", FloatDistribution(0.01, 1.0)),
        ("optimizer.lr=tag(log,interval(0.01,1))", FloatDistribution(0.01, 1.0, log=True)),
        ("trainer.batch_size=int(interval(8,64))", IntDistribution(8, 64)),
        ("trainer.batch_size=tag(log,int(interval(8,64)))", IntDistribution(8, 64, log=True)),
        ("trainer.epochs=range(0,10)", IntDistribution(0, 9)),
        ("trainer.epochs=range(2,12,4)", IntDistribution(2, 10, step=4)),
        ("model.dropout=range(0,0.5,0.1)", FloatDistribution(0.0, 0.4, step=0.1)),
        ("optimizer=sgd,adam", CategoricalDistribution(["sgd", "adam"])),
        ("optimizer=choice(sgd,adam,sgd)", CategoricalDistribution(["sgd", "adam"])),
        ("model.hidden=[8,8],[16]", CategoricalDistribution(["[8,8]", "[16]"])),
    ],
)
def test_a_space_is_written_as_hydra_writes_it(word: str, wanted: Any) -> None:
    space = space_of(OverridesParser.create().parse_overrides([word]), grid=False)
    assert list(space.distributions.values()) == [wanted]


@pytest.mark.parametrize(
    ("word", "fault"),
    [
        ("optimizer.lr=tag(lgo,interval(0.1,1))", "unknown tag 'lgo'. Did you mean 'log'?"),
        ("optimizer.lr=tag(log,interval(0,1))", "the tag log needs numbers above 0, found 0.0"),
        ("optimizer.lr=interval(1,0.1)", "expected a first number below the second"),
        ("optimizer.lr=tag(log,choice(1,2))", "the tag log needs numbers"),
        ("seed=range(0,3)", "nothing varies: name what to search"),
        ("seed=interval(0,3)", "a trial trains a run for each seed: list them"),
        ("trainer.epochs=tag(log,range(1,9,2))", "the tag log needs steps of 1, found 2"),
        ("seed=1", "nothing varies: name what to search"),
    ],
)
def test_a_space_that_is_none(word: str, fault: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(fault)):
        space_of(OverridesParser.create().parse_overrides([word]), grid=False)


def test_a_search_is_a_sweep_like_any_other(in_tmp: Path) -> None:
    ended = search(in_tmp, LR, HIDDEN, "hydra.sweeper.metric=validation/accuracy")
    assert ended.code == 0, ended.err
    assert ended.err == ""
    told = rows(in_tmp)
    assert [row["status"] for row in told] == ["done"] * 8
    assert list(told[0])[:5] == ["run", "directory", "status", "optimizer.lr", "model.hidden"]
    there = study(in_tmp)
    assert there.direction.name == "MAXIMIZE"
    assert [t.number for t in there.trials] == list(range(8))
    for row, trial in zip(told, there.trials, strict=True):
        assert trial.state.name == "COMPLETE"
        assert trial.value == float(row["validation/accuracy"])
        assert trial.params["optimizer.lr"] == float(row["optimizer.lr"])
        assert trial.params["model.hidden"] == row["model.hidden"]
    best = there.best_trial
    content = json.loads((in_tmp / "swept/sweep.json").read_text())["search"]
    assert content["best"]["number"] == best.number
    assert content["metric"], content["direction"] == ("validation/accuracy", "maximize")
    assert f"Best trial: {best.number}, validation/accuracy {best.value:.4f}" in ended.out
    assert inside(in_tmp, "results", "swept").code == 0


def test_the_best_trial_is_repeated_by_its_command(in_tmp: Path) -> None:
    ended = search(in_tmp, LR, HIDDEN, "hydra.sweeper.pruner=median", "hydra.sweeper.prune_from=2")
    assert ended.code == 0, ended.err
    (line,) = [line for line in ended.out.splitlines() if line.startswith("Again: ")]
    words = shlex.split(line)[4:]
    assert inside(in_tmp, *words, "hydra.run.dir=alone").code == 0
    best = json.loads((in_tmp / "swept/sweep.json").read_text())["search"]["best"]["directory"]
    for name in ("metrics.csv", "predictions.csv", "checkpoints/last.safetensors"):
        assert (in_tmp / "alone" / name).read_bytes() == (
            in_tmp / "swept" / best / name
        ).read_bytes()


@pytest.mark.parametrize("sampler", ["tpe", "cmaes", "random"])
def test_a_search_that_goes_on_asks_for_what_it_would_have(in_tmp: Path, sampler: str) -> None:
    words = (LR, "optimizer.momentum=interval(0,0.9)", f"hydra.sweeper.sampler={sampler}")
    for name in ("whole", "parts", "other"):
        (in_tmp / name).mkdir()
    more = "hydra.sweeper.n_trials=12"
    assert search(in_tmp / "whole", *words, more).code == 0
    first = search(in_tmp / "parts", *words)
    assert first.code == 0, first.err
    before = results(in_tmp / "parts")
    again = search(in_tmp / "parts", *words, more)
    assert again.code == 0, again.err
    assert "8 trials of this search are already finished" in again.out
    assert overrides(in_tmp / "parts") == overrides(in_tmp / "whole")
    assert results(in_tmp / "parts") == results(in_tmp / "whole")
    assert results(in_tmp / "parts")[:8] == before
    assert len(set(map(tuple, overrides(in_tmp / "whole")))) == 12
    assert (
        search(in_tmp / "other", *words, "hydra.sweeper.seed=1", "hydra.sweeper.n_trials=4").code
        == 0
    )
    assert overrides(in_tmp / "other")[0] != overrides(in_tmp / "whole")[0]


@pytest.mark.parametrize(("sampler", "seeds"), [("tpe", 1), ("cmaes", 1), ("tpe", 4)])
def test_a_killed_search_loses_and_repeats_nothing(in_tmp: Path, sampler: str, seeds: int) -> None:
    trials = 16 // seeds
    words = (
        "-m", "hydra/sweeper=optuna", *SMALL, LR, "optimizer.momentum=interval(0,0.9)",
        f"hydra.sweeper.n_trials={trials}", f"hydra.sweeper.batch={4 // min(seeds, 2)}",
        *([f"seed=range(0,{seeds})"] if seeds > 1 else []),
        f"hydra.sweeper.sampler={sampler}", "trainer.epochs=600",
        "trainer.checkpoint_every=50", "trainer.print_every=null",
    )  # fmt: skip
    killed, whole = in_tmp / "killed", in_tmp / "whole"
    for place in (killed, whole):
        place.mkdir()
    process = started(killed, *words)

    def on_its_way() -> bool:
        """Trials are told, and others train."""
        statuses = [(read_json(p) or {}).get("status") for p in killed.glob("swept/*/run.json")]
        saved = list(killed.glob("swept/*/checkpoints/last.safetensors"))
        return statuses.count("done") >= 4 and len(saved) > statuses.count("done")

    until(on_its_way, 120)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    states = [trial.state.name for trial in study(killed).trials]
    assert "RUNNING" in states
    done = {
        path.parent: path.stat().st_mtime_ns
        for path in killed.glob("swept/*/run.json")
        if json.loads(path.read_text())["status"] == "done"
    }
    again = inside(killed, *words)
    assert again.code == 0, again.err
    assert inside(whole, *words).code == 0
    assert [trial.state.name for trial in study(killed).trials] == ["COMPLETE"] * trials
    assert [t.params for t in study(killed).trials] == [t.params for t in study(whole).trials]
    assert [t.value for t in study(killed).trials] == [t.value for t in study(whole).trials]
    assert results(killed) == results(whole)
    assert {path: (path / "run.json").stat().st_mtime_ns for path in done} == done
    assert len(list(killed.glob("swept/*/run.json"))) == 16


def test_broken_off_while_asking(in_tmp: Path) -> None:
    """A batch of which only some trials were asked for is completed to the same batch."""
    from exp.sweeps.search_study import Study

    ask = Study.ask

    def some(self: Study, count: int, batch: int, limits: list[list[float]]) -> Any:
        found = ask(self, min(count, 2) if batch == 1 else count, batch, limits)
        if batch == 1:
            raise KeyboardInterrupt
        return found

    for name in ("whole", "parts"):
        (in_tmp / name).mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Study, "ask", some)
        assert search(in_tmp / "parts", LR, HIDDEN).code == 130
    assert [t.state.name for t in study(in_tmp / "parts").trials] == (
        ["COMPLETE"] * 4 + ["RUNNING"] * 2
    )
    assert search(in_tmp / "parts", LR, HIDDEN).code == 0
    assert search(in_tmp / "whole", LR, HIDDEN).code == 0
    assert overrides(in_tmp / "parts") == overrides(in_tmp / "whole")


def test_trials_that_go_wrong_do_not_end_a_search(in_tmp: Path) -> None:
    words = ("optimizer.lr=tag(log,interval(0.01,1e30))", "loss=bce,cross_entropy")
    words = (*words, "dataset=blobs", "dataset.centers=2,3")
    ended = search(in_tmp, *words, "hydra.sweeper.n_trials=16", "hydra.sweeper.sampler=random")
    assert ended.code == 0, ended.err
    trials = study(in_tmp).trials
    assert len(trials) == 16
    impossible = [
        t.number for t in trials if t.params["loss"] == "bce" and t.params["dataset.centers"] == "3"
    ]
    assert impossible
    failed = {t.number for t in trials if t.state.name == "FAIL"}
    assert failed > set(impossible)
    assert {t.state.name for t in trials} == {"COMPLETE", "FAIL"}
    for number in failed:
        assert trials[number].user_attrs["message"]
    content = json.loads((in_tmp / "swept/sweep.json").read_text())
    assert [each["number"] for each in content["skipped"]] == impossible
    assert {row["status"] for row in rows(in_tmp)} == {"done", "diverged"}
    assert f"trial {impossible[0]} failed: " in ended.out


def test_nothing_but_failures(in_tmp: Path) -> None:
    ended = search(in_tmp, "optimizer.lr=interval(1e25,1e30)", "hydra.sweeper.n_trials=4")
    assert ended.code == 1
    assert "4 trials: 4 failed\nNo trial was completed" in ended.out


def test_every_combination(in_tmp: Path) -> None:
    words = ("hydra.sweeper.sampler=grid", HIDDEN, "seed=range(0,3)")
    assert search(in_tmp, *words).code == 0
    assert [run[-2:] for run in overrides(in_tmp)] == [
        [f"model.hidden={hidden}", f"seed={seed}"] for hidden in ("[2]", "[4]") for seed in range(3)
    ]
    refused = search(in_tmp, "hydra.sweeper.sampler=grid", LR)
    assert refused.code == 2
    assert "optimizer.lr  sampler=grid needs values that can be listed" in refused.err


TWO_OR_THREE_CLASSES = """
import numpy as np
from exp import register

@register.dataset("parity")
def parity(seed=0):
    return np.random.default_rng(seed).normal(size=(30, 2)), np.arange(30) % (2 + seed % 2)
"""


def scores_by_trial(where: Path, seeds: int, score: str) -> list[list[float]]:
    """The final scores of the runs of each trial."""
    found = [float(row[score]) for row in rows(where)]
    return [found[first : first + seeds] for first in range(0, len(found), seeds)]


def test_a_trial_is_the_mean_of_its_seeds(in_tmp: Path) -> None:
    score = "hydra.sweeper.metric=validation/accuracy"
    ended = search(in_tmp, LR, HIDDEN, score, "seed=range(0,3)", "hydra.sweeper.n_trials=5")
    assert ended.code == 0, ended.err
    assert "for the highest validation/accuracy, the mean of 3 runs each" in ended.out
    assert [run[-1] for run in overrides(in_tmp)] == [f"seed={seed}" for seed in range(3)] * 5
    by_trial = scores_by_trial(in_tmp, 3, "validation/accuracy")
    trials = study(in_tmp).trials
    assert [sorted(trial.params) for trial in trials] == [["model.hidden", "optimizer.lr"]] * 5
    assert [trial.value for trial in trials] == pytest.approx([sum(s) / 3 for s in by_trial])
    assert [trial.user_attrs["scores"] for trial in trials] == by_trial
    for number, trial in enumerate(trials):
        here = rows(in_tmp)[3 * number : 3 * number + 3]
        assert {float(row["optimizer.lr"]) for row in here} == {trial.params["optimizer.lr"]}
        assert trial.user_attrs["directories"] == [row["directory"] for row in here]
    best = json.loads((in_tmp / "swept/sweep.json").read_text())["search"]["best"]
    assert best["score"] == max(trial.value or 0 for trial in trials)
    assert f"validation/accuracy {best['score']:.4f}" in ended.out
    # Its command is a sweep over the same seeds.
    (line,) = [line for line in ended.out.splitlines() if line.startswith("Again: ")]
    words = shlex.split(line)[4:]
    assert "seed=range(0,3)" in words
    again = inside(in_tmp, *words, "sweep.dir=again", "sweep.n_jobs=1", "run.reuse=false")
    assert again.code == 0, again.err
    runs = json.loads((in_tmp / "again/sweep.json").read_text())["runs"]
    for run, directory in zip(runs, best["directories"], strict=True):
        metrics = (in_tmp / "again" / run["directory"] / "metrics.csv").read_bytes()
        assert metrics == (in_tmp / "swept" / directory / "metrics.csv").read_bytes()


def test_a_search_over_folds_goes_on_as_it_would_have(in_tmp: Path) -> None:
    words = (LR, "split=kfold", "split.folds=3", "seed=0,1,2", "hydra.sweeper.batch=2")
    for name in ("whole", "parts"):
        (in_tmp / name).mkdir()
    whole = search(in_tmp / "whole", *words, "hydra.sweeper.n_trials=4")
    assert whole.code == 0
    assert "\nBest by validation/loss over seeds" in whole.out  # the score that was followed
    assert search(in_tmp / "parts", *words, "hydra.sweeper.n_trials=2").code == 0
    again = search(in_tmp / "parts", *words, "hydra.sweeper.n_trials=4")
    assert again.code == 0, again.err
    assert results(in_tmp / "parts") == results(in_tmp / "whole")
    assert len(results(in_tmp / "whole")) == 12
    values = [trial.value for trial in study(in_tmp / "whole").trials]
    by_trial = scores_by_trial(in_tmp / "whole", 3, "validation/loss")
    assert values == pytest.approx([sum(scores) / 3 for scores in by_trial])
    for other in ("seed=0,1", "seed=3"):
        refused = search(in_tmp / "parts", *words, other)
        assert refused.code == 2
        assert "belongs to a search with another" in refused.err


def test_a_trial_without_one_of_its_runs_has_failed(in_tmp: Path) -> None:
    words = ("dataset=blobs", "dataset.centers=3", "loss=bce,cross_entropy", "seed=0,1")
    ended = search(in_tmp, *words, "hydra.sweeper.sampler=grid")
    assert ended.code == 0, ended.err
    assert [trial.state.name for trial in study(in_tmp).trials] == ["FAIL", "COMPLETE"]
    assert [row["loss"] for row in rows(in_tmp)] == ["cross_entropy"] * 2
    manifest = in_tmp / "swept/sweep.json"
    skipped = json.loads(manifest.read_text())["skipped"]
    assert [run["number"] for run in skipped] == [0, 1]
    assert search(in_tmp, *words, "hydra.sweeper.sampler=grid").code == 0
    assert json.loads(manifest.read_text())["skipped"] == skipped


def test_a_trial_starts_none_of_its_runs_if_one_cannot_start(in_tmp: Path) -> None:
    (in_tmp / "parity.py").write_text(TWO_OR_THREE_CLASSES)
    words = ("-m", "hydra/sweeper=optuna", "plugins=[parity]", "dataset=parity", "figures=none")
    words = (*words, "loss=bce,cross_entropy", "seed=0,1", "hydra.sweeper.sampler=grid")
    with forgotten("parity"):
        for _ in range(2):
            ended = inside(in_tmp, *words, "trainer.epochs=2", "sweep.dir=swept", "sweep.n_jobs=1")
            assert ended.code == 0, ended.err
            assert [trial.state.name for trial in study(in_tmp).trials] == ["FAIL", "COMPLETE"]
            assert [(run["loss"], run["seed"]) for run in rows(in_tmp)] == [
                ("cross_entropy", "0"), ("cross_entropy", "1")
            ]  # fmt: skip
            skipped = json.loads((in_tmp / "swept/sweep.json").read_text())["skipped"]
            assert [run["number"] for run in skipped] == [0, 1]
            assert all("bce needs two classes" in run["reason"] for run in skipped)


def test_the_command_of_a_search_with_one_listed_seed(in_tmp: Path) -> None:
    ended = search(in_tmp, LR, "seed=range(3,4)", "hydra.sweeper.n_trials=2")
    assert ended.code == 0, ended.err
    (line,) = [line for line in ended.out.splitlines() if line.startswith("Again: ")]
    again = inside(in_tmp, *shlex.split(line)[4:], "sweep.dir=again", "sweep.n_jobs=1")
    assert again.code == 0, again.err


def test_a_mean_over_some_of_the_folds_is_reported(in_tmp: Path) -> None:
    few = (LR, "split=kfold", "split.folds=3", "hydra.sweeper.n_trials=1")
    for seeds, wanted in (("0,1", True), ("0,1,2", False)):
        ended = search(in_tmp, *few, f"seed={seeds}", f"sweep.dir=folds{wanted}")
        assert ended.code == 0, ended.err
        assert ("the 2 seeds do not test on each of the 3 folds" in ended.out) == wanted


def test_pruning_by_the_worst_seed(in_tmp: Path) -> None:
    ended = pruned(in_tmp, "seed=0,1")
    assert ended.code == 0, ended.err
    trials = study(in_tmp).trials
    cut = [trial for trial in trials if trial.state.name == "PRUNED"]
    assert 0 < len(cut) < 12
    by_trial = scores_by_trial(in_tmp, 2, "validation/loss")
    assert [trial.value for trial in trials] == pytest.approx([sum(s) / 2 for s in by_trial])
    for trial in cut:
        limits = dict(trial.user_attrs["limits"])
        assert any(value > limits[int(step)] for step, value in trial.user_attrs["worst"].items())
    first = [t.user_attrs["worst"] for t in trials[:4]]
    for step, limit in trials[4].user_attrs["limits"]:
        assert limit == pytest.approx(median(worst[str(int(step))] for worst in first))


def pruned(where: Path, *words: str) -> Ended:
    return search(
        where, "hydra.sweeper.pruner=median", "hydra.sweeper.prune_from=4",
        "hydra.sweeper.n_trials=16", "optimizer.lr=tag(log,interval(0.0001,1))", *words,
    )  # fmt: skip


def test_a_hopeless_trial_is_pruned(in_tmp: Path) -> None:
    ended = pruned(in_tmp)
    assert ended.code == 0, ended.err
    trials = study(in_tmp).trials
    cut = [trial for trial in trials if trial.state.name == "PRUNED"]
    assert cut
    assert all(trial.state.name == "COMPLETE" for trial in trials[:4])
    places = {int(row["run"]): in_tmp / "swept" / row["directory"] for row in rows(in_tmp)}
    for trial in trials:
        summary = json.loads((places[trial.number] / "summary.json").read_text())
        assert trial.value == summary["final"]["validation/loss"]
        assert (summary["status"] == "pruned") == (trial in cut)
        if trial in cut:
            assert summary["epochs"] < 20
            step = max(trial.intermediate_values)
            limits = dict(trial.user_attrs["limits"])
            assert min(trial.intermediate_values.values()) > limits[step]
    assert f"{len(cut)} pruned" in ended.out
    # By itself a pruned run ends where it ended among its neighbours, to the same bits.
    again = inside(in_tmp, "rerun", str(places[cut[0].number]))
    assert again.code == 0, again.err
    assert again.out.rstrip().splitlines()[-1] == "bit-identical"


def test_pruning_leaves_the_others_as_they_are(in_tmp: Path) -> None:
    for name in ("pruned", "plain"):
        (in_tmp / name).mkdir()
    assert pruned(in_tmp / "pruned", "hydra.sweeper.sampler=random").code == 0
    assert pruned(
        in_tmp / "plain", "hydra.sweeper.sampler=random", "hydra.sweeper.pruner=none"
    ).code == 0  # fmt: skip
    ends = [trial.state.name for trial in study(in_tmp / "pruned").trials]
    assert {*ends} == {"COMPLETE", "PRUNED"}
    for state, cut, whole in zip(
        ends, results(in_tmp / "pruned"), results(in_tmp / "plain"), strict=True
    ):
        assert whole.startswith(cut)
        assert (whole == cut) == (state == "COMPLETE")


def test_limits_of_one_run_in_a_stack(planned: Callable[..., Plan]) -> None:
    """Each run meets its own limits, alone and stacked, from above and from below."""
    limits: list[dict[str, Any] | None] = [
        None,
        {"train/loss": [[5, 0.0]]},
        {"test/accuracy": [[7, 1.1]]},
        {"train/loss": [[5, 9.0], [8, 9.0]]},
    ]
    jobs = [
        Job.of(
            planned(
                dataset={"n_samples": 40},
                trainer={"epochs": 12, "eval_every": 3, "prune": prune},
                seed=seed,
            )
        )
        for seed, prune in enumerate(limits)
    ]
    together = train(jobs)
    assert [(r.end_reason, r.epochs) for r in together] == [
        ("done", 12), ("pruned", 7), ("pruned", 7), ("done", 12),
    ]  # fmt: skip
    for job, stacked in zip(jobs, together, strict=True):
        (alone,) = train([job])
        assert history_text(alone.history) == history_text(stacked.history)


def test_every_fault_at_once(in_tmp: Path) -> None:
    ended = search(
        in_tmp, "hydra.sweeper.sampler=tpa", "hydra.sweeper.batch=0", "sweep.zip=[a,b]",
        "hydra.sweeper.metric=validation/acuracy", "optimizer.lr=interval(-1,1)",
        "model.dropout=interval(0,2)", "+hydra.sweeper.n_trails=3",
    )  # fmt: skip
    assert ended.code == 2
    assert ended.err.startswith("exp: ")
    for part in (
        "hydra.sweeper.sampler",
        "hydra.sweeper.batch",
        "unknown setting of hydra/sweeper=optuna 'n_trails'. Did you mean 'n_trials'?",
        "sweep.zip",
        "optimizer.lr",
        "model.dropout",
    ):
        assert part in ended.err
    assert not (in_tmp / "swept").exists()
    ended = search(in_tmp, LR, "hydra.sweeper.metric=validation/acuracy")
    assert "unknown score 'validation/acuracy'. Did you mean 'validation/accuracy'?" in ended.err
    ended = search(in_tmp, LR, "hydra.sweeper.n_trails=4")
    assert "Did you mean hydra.sweeper.n_trials=" in ended.err
    words = ("hydra.sweeper.metric=validation/f1", "hydra.sweeper.pruner=median")
    assert "a pruner needs a score that is measured" in search(in_tmp, LR, *words).err
    words = ("split.validation=0", "hydra.sweeper.metric=validation/loss")
    assert "validation/loss needs validation rows" in search(in_tmp, LR, *words).err


@pytest.mark.parametrize("name", ["optuna", "cmaes"])
def test_what_is_not_installed_is_told(
    in_tmp: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(search_settings, "find_spec", lambda found: None if found == name else 1)
    ended = search(in_tmp, LR, "hydra.sweeper.sampler=cmaes")
    assert ended.code == 2
    assert f"{name} is not installed: pip install 'exp[optuna]'" in ended.err


def test_a_search_by_test_rows_is_warned_of(in_tmp: Path) -> None:
    ended = search(in_tmp, LR, "hydra.sweeper.metric=test/accuracy", "hydra.sweeper.n_trials=1")
    assert ended.code == 0
    assert ended.err.startswith(
        "warning: this search optimizes test/accuracy, so the test score of"
    )
    ended = search(in_tmp, LR, "hydra.sweeper.n_trials=1", "split.validation=0", "sweep.dir=other")
    assert ended.code == 0
    assert ended.err.startswith("warning: this search optimizes train/loss")


def test_another_search_is_not_mixed_in(in_tmp: Path) -> None:
    assert search(in_tmp, LR, "hydra.sweeper.n_trials=2").code == 0
    before = (in_tmp / "swept/study.db").read_bytes()
    for words, what in (
        ((LR, HIDDEN), "another space"),
        ((LR, "hydra.sweeper.metric=validation/accuracy"), "another metric"),
        ((LR, "seed=7"), "another fixed"),
    ):
        ended = search(in_tmp, *words)
        assert ended.code == 2
        assert what in ended.err
    assert (in_tmp / "swept/study.db").read_bytes() == before
    (in_tmp / "swept/study.db").write_bytes(before[:1000])
    ended = search(in_tmp, LR)
    assert ended.code == 2
    assert "study.db" in ended.err


def test_no_pickle_of_a_study_is_read(in_tmp: Path) -> None:
    """Optuna keeps the state of CMA-ES as a pickle in a trial's attributes."""
    words = (LR, "optimizer.momentum=interval(0,0.9)", "hydra.sweeper.sampler=cmaes")
    assert search(in_tmp, *words, "hydra.sweeper.n_trials=4").code == 0
    storage = study(in_tmp)._storage
    assert not any("optimizer" in key for t in study(in_tmp).trials for key in t.system_attrs)
    code = b"cos\nsystem\n(S'touch pwned'\ntR."
    for key in ("cma:optimizer:0", "cma:generation"):
        with storage._backend.engine.begin() as connection:  # type: ignore[attr-defined]
            value = json.dumps(code.hex() if "optimizer" in key else 0)
            text = "insert into trial_system_attributes (trial_id, key, value_json) values (1,?,?)"
            connection.exec_driver_sql(text, (key, value))
    again = search(in_tmp, *words)
    assert again.code == 0, again.err
    assert not list(in_tmp.rglob("pwned"))


def test_exp_resume_goes_on(in_tmp: Path) -> None:
    words = ("-m", "hydra/sweeper=optuna", *SMALL, LR)
    assert inside(in_tmp, *words, "hydra.sweeper.n_trials=4").code == 0
    again = inside(in_tmp, "resume", "swept")
    assert again.code == 0, again.err
    assert "4 trials of this search are already finished" in again.out
