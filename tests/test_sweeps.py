"""Sweeps: which runs there are, what is told, and what each leaves behind."""

from __future__ import annotations

import csv
import errno
import json
import os
import re
import subprocess
import sys
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from commands import SMALL, Ended, inside, process
from custom_modules import forgotten
from exp.plotting.frames import SWEEP_FRAMES, SWEEP_GRID
from exp.plotting.names import OF_SWEEP
from exp.runs.manifest import read_json
from exp.runs.record import RunRecord
from exp.util.files import write_whole

HERE = "sweep.n_jobs=1"
"""Trains in this process: no worker has to start."""
SAME = (
    "metrics.csv", "predictions.csv", "config.yaml", "checkpoints/last.safetensors",
    "checkpoints/best.safetensors", "checkpoints/last.json", "checkpoints/best.json",
)  # fmt: skip


def sweep(where: Path, *words: str) -> Ended:
    return inside(where, "-m", *SMALL, HERE, "sweep.dir=swept", *words)


def names(where: Path) -> list[str]:
    return [
        run["directory"] for run in json.loads((where / "swept/sweep.json").read_text())["runs"]
    ]


def rows(where: Path) -> list[dict[str, str]]:
    with (where / "swept/runs.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_every_combination_the_last_key_fastest(in_tmp: Path) -> None:
    ended = sweep(in_tmp, "optimizer.lr=0.1,0.2", "seed=range(0,3)")
    assert ended.code == 0, ended.err
    assert names(in_tmp) == [
        f"{number}-optimizer.lr={lr},seed={seed}"
        for number, (lr, seed) in enumerate((lr, seed) for lr in (0.1, 0.2) for seed in range(3))
    ]
    told = rows(in_tmp)
    assert [row["status"] for row in told] == ["done"] * 6
    assert [row["seed"] for row in told] == ["0", "1", "2"] * 2
    assert list(told[0])[:5] == ["run", "directory", "status", "optimizer.lr", "seed"]
    assert "6 runs to do in swept/" in ended.out
    head = "Best by test/accuracy over seeds\nAgainst the best: paired t-test over 3 seeds"
    assert head in ended.out
    assert "\nrank  optimizer.lr " in ended.out
    assert ended.out.rstrip().endswith("Every run: swept/runs.csv")


def test_the_table_says_what_the_runs_say(in_tmp: Path) -> None:
    sweep(in_tmp, "seed=1,2")
    for row in rows(in_tmp):
        place = in_tmp / "swept" / row["directory"]
        final = json.loads((place / "summary.json").read_text())["final"]
        record = json.loads((place / "run.json").read_text())
        assert float(row["test/accuracy"]) == final["test/accuracy"]
        assert float(row["train/loss"]) == final["train/loss"]
        assert row["signature"] == record["signature"]


def test_linked_keys_advance_together(in_tmp: Path) -> None:
    words = ("optimizer=sgd,adam", "optimizer.lr=0.1,0.01", "seed=1,2")
    ended = sweep(in_tmp, *words, "sweep.zip=[optimizer,optimizer.lr]")
    assert ended.code == 0, ended.err
    assert names(in_tmp) == [
        "0-optimizer.lr=0.1,optimizer=sgd,seed=1",
        "1-optimizer.lr=0.1,optimizer=sgd,seed=2",
        "2-optimizer.lr=0.01,optimizer=adam,seed=1",
        "3-optimizer.lr=0.01,optimizer=adam,seed=2",
    ]


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (
            ["optimizer.lr=0.1,0.2", "seed=1,2,3", "sweep.zip=[optimizer.lr,seed]"],
            "sweep.zip  each key needs the same number of values, found optimizer.lr 2, seed 3",
        ),
        (
            ["optimizer.lr=0.1,0.2", "seed=1", "sweep.zip=[optimizer.lr,sed]"],
            "sweep.zip  'sed' is not swept by -m.",
        ),
        (
            ["optimizer.lr=0.1,0.2", "seed=1,2", "sweep.zip=[[optimizer.lr,seed],[seed]]"],
            "sweep.zip  'seed' is named twice",
        ),
        (
            ["optimizer.lr=interval(0,1)"],
            "optimizer.lr  expected values that can be listed (a,b or range(a,b)) for hydra/swee",
        ),
        (["seed=range(0,2000000)"], "seed  expected 1 to 1,000,000 values, found more"),
        (
            ["seed=range(0,2000)", "optimizer.lr=range(1,2000)"],
            "sweep  that would be 3,998,000 runs; at most 1,000,000",
        ),
        (
            ["sweep.n_jobs=0", "seed=1,2"],
            "sweep.n_jobs  expected a number greater than or equal to 1, found 0",
        ),
        (["sweep.file=none.txt"], "sweep.file  no such file: 'none.txt'"),
        pytest.param(
            ["sweep.backend=ray", "seed=1,2"],
            "sweep.backend  ray is not installed: pip install 'exp[ray]'",
            marks=pytest.mark.skipif(find_spec("ray") is not None, reason="ray is installed"),
        ),
    ],
)  # fmt: skip
def test_a_sweep_that_cannot_be(in_tmp: Path, words: list[str], fault: str) -> None:
    ended = inside(in_tmp, "-m", *SMALL, *words)
    assert ended.code == 2
    assert "1 fault in the config; nothing was started" in ended.err
    assert fault in ended.err
    assert list(in_tmp.iterdir()) == []


def test_all_faults_of_all_runs_at_once(in_tmp: Path) -> None:
    words = ("optimizer.lr=-1,0.1,nan", "optimiser=adam", "seed=0,1", "dataset=moons,mons")
    ended = inside(in_tmp, "-m", *SMALL, *words)
    assert ended.code == 2
    told = [line.split(maxsplit=1) for line in ended.err.splitlines()[1:]]
    assert [path for path, _ in told] == ["dataset", "optimiser", "optimizer.lr", "optimizer.lr"]
    assert told[0][1].startswith("unknown option 'mons'. Did you mean 'moons'?")
    assert told[2][1] == "expected a finite number, found nan (2 of 12 runs)"
    assert told[3][1] == "expected a number greater than 0, found -1 (2 of 12 runs)"
    assert list(in_tmp.iterdir()) == []


def test_a_file_of_runs(in_tmp: Path) -> None:
    (in_tmp / "runs.txt").write_text(
        "# what we thought of\n\noptimizer=adam optimizer.lr=0.01\n'model.hidden=[4]'  # small\n"
        "model.hidden=[2],[3]\n"
    )
    ended = sweep(in_tmp, "sweep.file=runs.txt", "seed=1,2")
    assert ended.code == 0, ended.err
    assert len(names(in_tmp)) == 8
    assert names(in_tmp)[0] == "0-optimizer.lr=0.01,optimizer=adam,seed=1"
    assert names(in_tmp)[7] == "7-model.hidden=_3_,seed=2"


def test_every_bad_line_of_a_file_is_told(in_tmp: Path) -> None:
    (in_tmp / "runs.txt").write_text("seed=1\nseed='2\nseed=1,,2\n")
    ended = sweep(in_tmp, "sweep.file=runs.txt")
    assert ended.code == 2
    assert "2 faults in the config; nothing was started" in ended.err
    assert "sweep.file  runs.txt, line 2: No closing quotation" in ended.err
    assert "sweep.file  runs.txt, line 3: 'seed=1,,2': " in ended.err


def test_repeated_runs_are_done_once(in_tmp: Path) -> None:
    ended = sweep(in_tmp, "optimizer.lr=0.1,0.10,1e-1,0.2")
    assert len(names(in_tmp)) == 2
    assert "2 of 4 runs are the same as an earlier one: left out" in ended.out


def test_impossible_combinations_are_skipped_with_their_reason(in_tmp: Path) -> None:
    ended = sweep(in_tmp, "dataset=moons,spirals", "loss=bce,hinge", "seed=1")
    assert ended.code == 0, ended.err
    assert len(names(in_tmp)) == 3
    reason = "loss bce needs two classes, and these data have 3."
    assert f"dataset=spirals loss=bce seed=1: {reason}" in ended.out
    skipped = json.loads((in_tmp / "swept/sweep.json").read_text())["skipped"]
    assert [entry["number"] for entry in skipped] == [2]


def test_a_sweep_of_impossible_runs_starts_nothing(in_tmp: Path) -> None:
    ended = sweep(in_tmp, "dataset=spirals", "loss=bce", "seed=1,2")
    assert ended.code == 2
    assert ended.err == "exp: no run of this sweep is possible; nothing was started\n"
    assert list(in_tmp.iterdir()) == []


def test_bad_data_are_told_before_anything_starts(in_tmp: Path) -> None:
    (in_tmp / "rows.csv").write_text("a,label\n1,x\n2,\n3,y\n4,x\n")
    words = ("dataset=moons,csv", "++dataset.path=rows.csv", "++dataset.target=label")
    ended = inside(in_tmp, "-m", "figures=none", "dataset=csv", *words[1:], "seed=1,2")
    assert ended.code == 2
    assert "rows.csv" in ended.err
    assert "line 3" in ended.err
    assert sorted(path.name for path in in_tmp.iterdir()) == ["rows.csv"]


def test_a_diverging_run_is_told_and_the_others_go_on(in_tmp: Path) -> None:
    ended = sweep(in_tmp, "optimizer.lr=0.1,1e30,0.2", "trainer.epochs=20")
    assert ended.code == 3
    assert [row["status"] for row in rows(in_tmp)] == ["done", "diverged", "done"]
    assert "run 1 diverged: figures=none dataset.n_samples=40" in ended.out
    log = (in_tmp / "swept/1-optimizer.lr=1e+30/exp.log").read_text()
    assert "WARNING The loss is no longer finite" in log


PLUGIN = """
import torch
from exp import register

class Odd(torch.nn.Module):
    steps = 0

    def forward(self, x):
        self.steps += self.training
        return x / (1 // (self.steps < 2))

@register.model("fragile")
def fragile(in_features, out_features, *, works: bool = True):
    line = torch.nn.Linear(in_features, out_features)
    return torch.nn.Sequential(line) if works else torch.nn.Sequential(line, Odd())
"""


def test_a_failing_run_is_told_and_the_others_go_on(in_tmp: Path) -> None:
    (in_tmp / "fragile_model.py").write_text(PLUGIN)
    (in_tmp / "conf/model").mkdir(parents=True)
    (in_tmp / "conf/model/fragile.yaml").write_text("name: fragile\nworks: true\n")
    words = ("plugins=[fragile_model]", "model=fragile", "model.works=true,false", "seed=1,2")
    with forgotten("fragile_model"):
        ended = sweep(in_tmp, *words)
    assert ended.code == 1, ended.out + ended.err
    assert [row["status"] for row in rows(in_tmp)] == ["done", "done", "failed", "failed"]
    assert "trained one by one (run 2, 3): model fragile: exp cannot stack" in ended.out
    assert "run 2 failed: " in ended.out
    failed = in_tmp / "swept" / names(in_tmp)[2]
    assert "division" in json.loads((failed / "run.json").read_text())["message"]
    assert "fragile_model.py" in (failed / "exp.log").read_text()


def test_fail_fast_starts_nothing_more(in_tmp: Path) -> None:
    words = ("optimizer.lr=1e30,0.1,0.2,0.3,0.4,0.5", "trainer.epochs=20", "sweep.chunk=1")
    ended = sweep(in_tmp, *words, "sweep.fail_fast=true")
    assert ended.code == 1
    statuses = [row["status"] for row in rows(in_tmp)]
    assert statuses[0] == "diverged"
    assert statuses[-1] == "pending"
    assert "sweep.fail_fast: " in ended.out


def test_a_run_of_a_sweep_is_the_run_alone(in_tmp: Path) -> None:
    """Every file but the log and what says when and where, figures included."""
    common = ("dataset.n_samples=50", "trainer.epochs=12", "trainer.batch_size=16")
    words = ("optimizer=sgd,adam", "seed=1,2", "dataset=moons,spirals")
    ended = inside(in_tmp, "-m", *common, *words, "sweep.dir=swept", HERE)
    assert ended.code == 0, ended.err
    listing = json.loads((in_tmp / "swept/sweep.json").read_text())["runs"]
    # One of the two runs of each stack, and both of the first.
    for run in listing[:1] + [run for run in listing if "seed=2" in run["overrides"]]:
        alone = in_tmp / f"alone-{run['number']}"
        inside(
            in_tmp,
            *run["overrides"],
            f"figures.draw=[{','.join(OF_SWEEP)}]",
            f"figures.frames={SWEEP_FRAMES}",
            f"figures.frame_resolution={SWEEP_GRID}",
            f"hydra.run.dir={alone}",
        )
        place = in_tmp / "swept" / run["directory"]
        listed = [
            sorted(path.relative_to(top).as_posix() for path in top.rglob("*") if path.is_file())
            for top in (alone, place)
        ]
        assert listed[0] == listed[1]
        for name in [*SAME, *(name for name in listed[0] if name.endswith(".png"))]:
            assert (alone / name).read_bytes() == (place / name).read_bytes(), (run, name)
        one, other = (json.loads((top / "run.json").read_text()) for top in (alone, place))
        assert one["signature"] == other["signature"]
        for record in (one, other):  # these two say when and where
            for name in (
                "exp.log",
                *(f".hydra/{n}.yaml" for n in ("hydra", "config", "overrides")),
            ):
                del record["digests"][name]
        assert one["digests"] == other["digests"]
        lines = [
            [
                line.split(" INFO    ", 1)[1]
                for line in text.splitlines()
                if " INFO    Epoch" in line
            ]
            for text in ((top / "exp.log").read_text() for top in (alone, place))
        ]
        assert lines[0] == lines[1]
        assert lines[0]


def test_hydra_s_folder_is_there(in_tmp: Path) -> None:
    sweep(in_tmp, "optimizer=adam", "seed=7,8")
    place = in_tmp / "swept" / names(in_tmp)[1] / ".hydra"
    assert yaml.safe_load((place / "overrides.yaml").read_text()) == [
        *SMALL, "optimizer=adam", "seed=8",
    ]  # fmt: skip
    config = yaml.safe_load((place / "config.yaml").read_text())
    assert config["seed"] == 8
    assert config["seeds"]["data"] == "${seed}"
    hydra = yaml.safe_load((place / "hydra.yaml").read_text())["hydra"]
    assert hydra["mode"] == "MULTIRUN"
    assert hydra["job"]["num"] == 1
    assert hydra["job"]["override_dirname"] == "seed=8"
    assert hydra["overrides"]["task"] == [*SMALL, "optimizer=adam", "seed=8"]
    assert hydra["runtime"]["output_dir"] == str(in_tmp / "swept" / names(in_tmp)[1])
    assert hydra["runtime"]["choices"]["optimizer"] == "adam"


def test_workers_leave_what_this_process_leaves(in_tmp: Path) -> None:
    words = ("-m", *SMALL, "optimizer=sgd,adam", "seed=range(0,4)")
    one = inside(in_tmp, *words, "sweep.dir=here", HERE)
    other = process(in_tmp, *words, "sweep.dir=workers", "sweep.n_jobs=2")
    assert one.code == other.code == 0, other.err
    assert other.err == ""
    for run in json.loads((in_tmp / "here/sweep.json").read_text())["runs"]:
        for name in SAME:
            paths = [in_tmp / top / run["directory"] / name for top in ("here", "workers")]
            assert paths[0].read_bytes() == paths[1].read_bytes(), name


@pytest.mark.parametrize("launcher", ["basic"])
def test_hydra_s_own_launcher_leaves_the_same(in_tmp: Path, launcher: str) -> None:
    words = ("-m", *SMALL, "optimizer.lr=0.1,1e30", "seed=1,2", "trainer.epochs=20")
    one = inside(in_tmp, *words, "sweep.dir=ours", HERE)
    other = inside(in_tmp, *words, "sweep.dir=theirs", f"hydra/launcher={launcher}")
    assert one.code == other.code == 3, other.err
    for run in json.loads((in_tmp / "ours/sweep.json").read_text())["runs"]:
        for name in SAME:
            paths = [in_tmp / top / run["directory"] / name for top in ("ours", "theirs")]
            assert paths[0].read_bytes() == paths[1].read_bytes(), name
    tables = [(in_tmp / top / "runs.csv").read_text().splitlines() for top in ("ours", "theirs")]
    assert len(tables[0]) == len(tables[1]) == 5


def test_ours_under_hydra_s_sweeper(in_tmp: Path) -> None:
    words = ("hydra/sweeper=basic", "hydra.sweep.dir=swept", "seed=1,2")
    ended = inside(in_tmp, "-m", *SMALL, HERE, *words)
    assert ended.code == 0, ended.err
    found = sorted((in_tmp / "swept").glob("*/run.json"))
    assert len(found) == 2
    assert all((read_json(path) or {})["status"] == "done" for path in found)


def test_a_disk_that_fills_up_while_figures_are_written(
    in_tmp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, data: bytes) -> None:
        if path.parent.name == "figures":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write_whole(path, data)

    monkeypatch.setattr("exp.runs.directory.write_whole", full)
    words = ["trainer.epochs=4", "trainer.checkpoint_every=2", "dataset.n_samples=60", "seed=1,2"]
    assert inside(in_tmp, "-m", *words, "sweep.dir=here", HERE).code == 1
    monkeypatch.undo()
    for run in sorted((in_tmp / "here").glob("*/run.json")):
        saved = RunRecord.at(run.parent)
        assert saved.status == "failed"
        assert "No space left on device" in saved.record["message"]
        assert saved.damaged == []


def test_a_value_that_only_the_runs_give(in_tmp: Path) -> None:
    (in_tmp / "conf").mkdir()
    packaged = (files("exp.conf") / "config.yaml").read_text()
    mandatory = re.sub(r"(?m)^seed: .*$", "seed: ???", packaged)
    assert mandatory != packaged
    (in_tmp / "conf" / "config.yaml").write_text(mandatory)
    done = process(in_tmp, "-m", *SMALL, "seed=1,2", "sweep.dir=here", "sweep.n_jobs=1")
    assert done.code == 0, done.err
    assert "2 runs" in done.out


def test_a_sweep_goes_on_as_often_as_one_likes(in_tmp: Path) -> None:
    assert sweep(in_tmp, "seed=1,2").code == 0
    for _ in range(2):
        again = inside(in_tmp, "resume", "swept")
        assert again.code == 0, again.err
        assert "2 of 2 runs are already finished" in again.out
    words = json.loads((in_tmp / "swept/sweep.json").read_text())["command"]
    assert words[:4] == ["python", "-m", "exp", "-m"]


def test_a_figure_that_cannot_be_drawn_leaves_the_results(
    in_tmp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[str] = []

    def once(figure: object, suffix: str, *, dpi: int) -> bytes:
        drawn.append(suffix)
        if len(drawn) == 1:
            raise RuntimeError("no such colour")
        return b"a picture"

    monkeypatch.setattr("exp.plotting.layout.encode", once)
    words = ["trainer.epochs=4", "dataset.n_samples=60", "seed=1,2"]
    assert inside(in_tmp, "-m", *words, "sweep.dir=here", HERE).code == 1
    saved = [RunRecord.at(run.parent) for run in sorted((in_tmp / "here").glob("*/run.json"))]
    assert [run.status for run in saved] == ["failed", "done"]
    assert saved[0].record["message"] == "no such colour"
    for run in saved:
        assert run.damaged == []
        for name in ("metrics.csv", "predictions.csv", "checkpoints/last.safetensors"):
            assert (run.directory.path / name).is_file()


def test_a_checkpoint_that_cannot_be_made_is_a_failure(
    in_tmp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> None:
        raise TypeError("no such number")

    monkeypatch.setattr("exp.runs.checkpoint.content", never)
    words = ["trainer.epochs=2", "dataset.n_samples=60", "seed=1,2", "figures=none"]
    assert inside(in_tmp, "-m", *words, "sweep.dir=here", HERE).code == 1
    for run in (in_tmp / "here").glob("*/run.json"):
        saved = RunRecord.at(run.parent)
        assert saved.status == "failed"
        assert saved.record["message"] == "no such number"
        assert saved.damaged == []


def test_a_run_in_the_folder_it_is_started_in(in_tmp: Path) -> None:
    words = ["trainer.epochs=2", "dataset.n_samples=60", "figures=none", "hydra.run.dir=."]
    ended = process(in_tmp, *words)
    assert ended.code == 0, ended.err
    saved = RunRecord.at(in_tmp)
    assert saved.status == "done"
    assert saved.damaged == []
    assert "metrics.csv" in saved.record["digests"]


def test_a_copy_of_a_process_waits_for_no_thread_of_it() -> None:
    """A pool of OpenMP threads that the first process has started is not there in its copy."""
    code = (
        "import os, torch\n"
        "from exp.runs.processes.forked import Forked\n"
        "torch.set_num_threads(2)\n"
        "many = torch.ones(1_000_000)\n"
        "(many + 1).exp().sum()\n"
        "def work():\n"
        "    assert float((many + 1).sum()) == 2_000_000\n"
        "copy = Forked(work)\n"
        "print(copy.wait(20))\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False
    )
    assert (ended.returncode, ended.stdout) == (0, "0\n"), ended.stderr
