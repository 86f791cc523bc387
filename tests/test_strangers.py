"""What a run or a sweep directory of somebody else can make exp do: nothing without --trust."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import exp
from commands import SMALL, Ended, inside
from exp.api.run import Run
from exp.config.environment import unshown
from exp.runs.directory import RunDirectory
from exp.util.errors import ExpError, shown
from exp.util.terminal import one_line


def sealed(directory: Path, **changes: Any) -> None:
    """Changes run.json as somebody would who knows how its digests are made."""
    run = RunDirectory(directory)
    run.write_record({**run.read_record(), "digests": run.digests(), **changes})


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished run, an interrupted one and a sweep; not to be changed."""
    where = tmp_path_factory.mktemp("made")
    words = (*SMALL, "trainer.checkpoint_every=1")
    assert inside(where, *words, "hydra.run.dir=done").code == 0
    shutil.copytree(where / "done", where / "begun")
    sealed(where / "begun", status="interrupted")
    swept = ("-m", *SMALL, "seed=1,2", "sweep.n_jobs=1", "sweep.dir=swept")
    assert inside(where, *swept).code == 0
    return where


@pytest.fixture
def here(made: Path, tmp_path: Path) -> Path:
    """A folder of one's own, in which the things of a stranger lie in `given`."""
    shutil.copytree(made, tmp_path / "here" / "given")
    return tmp_path / "here"


def tree(where: Path) -> set[str]:
    return {path.relative_to(where).as_posix() for path in where.rglob("*")}


def texts(where: Path) -> bytes:
    """All that stands in the files of a folder, and their names."""
    files = [path for path in sorted(where.rglob("*")) if path.is_file()]
    names = "\n".join(path.relative_to(where).as_posix() for path in files).encode()
    return names + b"".join(path.read_bytes() for path in files)


# Loggers and the environment


TRACKERS = {
    "tensorboard": "  tensorboard:\n    name: tensorboard\n    dir: {outside}/${{oc.env:SECRET}}\n",
    "mlflow": (
        "  mlflow:\n    name: mlflow\n    uri: sqlite:///{outside}/x.db\n"
        "    experiment: ${{oc.env:SECRET}}\n    files: true\n"
    ),
    "wandb": (
        "  wandb:\n    name: wandb\n    project: ${{oc.env:SECRET}}\n    entity: null\n"
        "    mode: offline\n    dir: {outside}\n    files: true\n"
    ),
    "unset": "  tensorboard:\n    name: tensorboard\n    dir: ${{oc.env:NOT_SET}}/{outside}\n",
}


def with_loggers(directory: Path, tracker: str, outside: Path) -> None:
    config = (directory / "config.yaml").read_text()
    assert "\nlogger: {}\n" in config
    node = "\nlogger:\n" + TRACKERS[tracker].format(outside=outside)
    (directory / "config.yaml").write_text(config.replace("\nlogger: {}\n", node))
    sealed(directory)


@pytest.mark.parametrize("verb", ["resume", "rerun"])
@pytest.mark.parametrize("tracker", TRACKERS)
def test_the_loggers_of_a_strangers_run(
    here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verb: str, tracker: str
) -> None:
    monkeypatch.setenv("SECRET", "hunter2")
    outside = tmp_path / "outside"
    outside.mkdir()
    run = here / "given" / ("begun" if verb == "resume" else "done")
    with_loggers(run, tracker, outside)
    ended = inside(here, verb, str(run))
    assert ended.code == 0, ended.err
    name = "tensorboard" if tracker == "unset" else tracker
    assert f"the loggers of this run are not used: {name}. To use them: --trust\n" in ended.out
    assert not tree(outside)
    assert b"hunter2" not in texts(here)
    assert "hunter2" not in ended.out + ended.err


def test_with_trust_they_are_used(
    here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", "hunter2")
    (tmp_path / "outside").mkdir()
    with_loggers(here / "given/done", "tensorboard", tmp_path / "outside")
    ended = inside(here, "rerun", "given/done", "--trust", "--into", "again")
    assert ended.code == 0, ended.err
    assert (tmp_path / "outside/hunter2").is_dir()
    assert "tensorboard: logged 1 run" in ended.out


def test_a_logger_of_ones_own_for_a_strangers_run(here: Path) -> None:
    """What is typed is one's own choice."""
    ended = inside(here, "rerun", "given/done", "logger=tensorboard", "--into", "again")
    assert ended.code == 0, ended.err
    assert "tensorboard: logged 1 run" in ended.out


def test_the_end_of_a_run_is_as_it_would_have_been(here: Path, tmp_path: Path) -> None:
    with_loggers(here / "given/begun", "unset", tmp_path)
    before = (here / "given/begun/config.yaml").read_bytes()
    assert inside(here, "resume", "given/begun").code == 0
    assert (here / "given/begun/config.yaml").read_bytes() == before


def resumed(here: Path, *words: str, folder: Path | None = None) -> Ended:
    """The sweep, with other words in its sweep.json and one run to do."""
    place = here / "given/swept/sweep.json"
    content = json.loads(place.read_text())
    command = [word for word in content["command"] if not word.startswith("sweep.dir=")]
    content = {**content, "command": [*command, *words], "folder": str(folder or here)}
    place.write_text(json.dumps(content))
    shutil.rmtree(next((here / "given/swept").glob("1-*")))
    return inside(here, "resume", "given/swept")


@pytest.mark.parametrize(
    "words",
    [
        ("logger=tensorboard", "logger.tensorboard.dir={outside}/${{oc.env:SECRET}}"),
        ("+logger@logger=tensorboard", "++logger.tensorboard.dir={outside}/${{oc.env:SECRET}}"),
        ("hydra.sweeper.params={{logger: tensorboard}}",),
        ("sweep.file={outside}/runs.txt",),
    ],
)
def test_the_loggers_of_a_strangers_sweep(
    here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.setenv("SECRET", "hunter2")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "runs.txt").write_text("logger=tensorboard seed=5\n")
    before = tree(outside)
    ended = resumed(here, *(word.format(outside=outside) for word in words))
    assert "Traceback" not in ended.err
    assert tree(outside) == before
    assert not (here / "tensorboard").exists()
    assert b"hunter2" not in texts(here)


# Where a sweep writes


@pytest.mark.parametrize(
    "words",
    [
        ("hydra/sweeper=basic", "hydra.sweep.dir=../x"),
        ("hydra.sweeper._target_=hydra._internal.core_plugins.basic_sweeper.BasicSweeper",),
        ("hydra/launcher=basic", "hydra.sweep.dir=../x"),
        ("+hydra/launcher=submitit_local", "hydra.launcher.submitit_folder=../x"),
        ("hydra.sweep={dir: ../x}",),
        ("hydra={sweep: {dir: ../x}}",),
        ("hydra.run.dir=../x",),
        ("++hydra.run={dir: ../x}",),
        ("hydra.job.chdir=true", "hydra.job_logging.handlers.file.filename=../../../x"),
        ("hydra.launcher.setup=[touch x]",),
        ("+dataset@hydra.launcher=moons",),
        (" hydra/sweeper=basic",),
        ("~hydra/sweeper",),
        ("hydra.sweep.subdir=${oc.env:HOME}",),
    ],
)
def test_a_strangers_sweep_says_where_it_writes(here: Path, words: tuple[str, ...]) -> None:
    ended = resumed(here, *words)
    assert ended.code == 2, ended.out
    assert "add --trust" in ended.err
    assert not list(here.parent.rglob("x"))


@pytest.mark.parametrize(
    "words",
    [
        ("sweep.dir=../x",), ("+sweep.dir=../x",), ("++sweep.dir=../x",), ("hydra.sweep.dir=../x",),
        ("++hydra.sweep.dir=../x",), ("sweep={dir: ../x}",), ("sweep.dir=../x,../y",),
        ("hydra.sweeper.params={hydra.sweep.dir: ../x}",), ("name=../../x",),
        ("hydra.sweep.subdir=../../x",), ("hydra.sweeper.params={sweep.dir: ../x}",),
    ],
)  # fmt: skip
def test_whatever_its_words_say_it_writes_below_the_directory_named(
    here: Path, words: tuple[str, ...]
) -> None:
    before = tree(here.parent)
    ended = resumed(here, *words)
    assert "Traceback" not in ended.err
    new = tree(here.parent) - before
    assert all(name.startswith("here/given/swept/") for name in new), new


def test_a_sweep_of_ones_own_goes_on(here: Path) -> None:
    ended = resumed(here)
    assert ended.code == 0, ended.err
    assert len(list((here / "given/swept").glob("*/run.json"))) == 2


# What is written without a place being named


def test_a_report_is_not_written_through_a_link(here: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside.html"
    outside.write_text("mine\n")
    (here / "given/done/report.html").symlink_to(outside)
    ended = inside(here, "report", "given/done")
    assert ended.code == 2
    assert "given/done/report.html is a link to" in ended.err
    assert "--output" in ended.err
    assert outside.read_text() == "mine\n"
    assert inside(here, "report", "given/done", "--output", "given/done/report.html").code == 0
    assert "<html" in outside.read_text()


def test_nor_are_the_figures_of_results(here: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (here / "given/swept/figures").symlink_to(tmp_path / "outside")
    ended = inside(here, "results", "given/swept", "--figures")
    assert ended.code == 2
    assert "given/swept/figures is a link to" in ended.err
    assert not tree(tmp_path / "outside")
    ended = inside(here, "results", "given/swept", "--figures", "given/swept/figures")
    assert ended.code == 0, ended.err
    assert tree(tmp_path / "outside")


@pytest.mark.usefixtures("remembering")
def test_what_came_of_a_strangers_checkpoint_is_nobody_elses_result(here: Path) -> None:
    """Of the same config, a run of one's own is trained."""
    assert inside(here, "resume", "given/begun").code == 0
    words = (*SMALL, "trainer.checkpoint_every=1", "run.reuse=true")
    ended = inside(here, *words, "hydra.run.dir=own")
    assert ended.code == 0, ended.err
    assert "finished already" not in ended.out
    assert (here / "own/run.json").exists()
    again = inside(here, *words, "hydra.run.dir=again")
    assert f"already finished, and run.reuse=true: {here / 'own'}" in again.out


# The folder that it was started in


def test_the_folder_of_a_strangers_run_is_not_entered(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its configs do not count, git does not look at it; its data files are found there."""
    evil = here / "given"
    (evil / "conf/optimizer").mkdir(parents=True)
    (evil / "conf/optimizer/sgd.yaml").write_text("name: sgd\nlr: 77\n")
    rows = "".join(f"{i},{i % 2}\n" for i in range(40))
    (evil / "rows.csv").write_text("a,kind\n" + rows)
    words = ("dataset=csv", "dataset.path=rows.csv", "dataset.target=kind", "figures=none",
             "trainer.epochs=2", "trainer.checkpoint_every=1", "optimizer=adam")  # fmt: skip
    assert inside(evil, *words, "hydra.run.dir=csv").code == 0
    asked: list[str] = []
    monkeypatch.setattr("exp.runs.provenance.git", lambda: asked.append(os.getcwd()))
    for verb, more in (("rerun", ("--into", "again")), ("predict", ("given/rows.csv",))):
        ended = inside(here, verb, "given/csv", *more)
        assert ended.code == 0, ended.err
    assert str(evil) not in asked
    record = RunDirectory(here / "again").read_record()
    assert (record["folder"], record["git"]) == (str(evil), None)
    ended = inside(here, "rerun", "again", "--into", "once_more")
    assert ended.out.splitlines()[-1] == "bit-identical"
    sealed(evil / "csv", status="interrupted")
    assert inside(here, "resume", "given/csv").code == 0
    assert str(evil) not in asked
    assert inside(here, "rerun", "given/csv", "--trust", "--into", "trusted").code == 0
    assert str(evil) in asked


def test_the_folder_of_a_strangers_sweep_is_not_entered(here: Path) -> None:
    evil = here / "given"
    (evil / "conf/optimizer").mkdir(parents=True)
    (evil / "conf/optimizer/sgd.yaml").write_text("name: sgd\nlr: 77\n")
    ended = resumed(here, folder=evil)
    assert ended.code == 0, ended.err
    assert f"this sweep was started in {evil}: " in ended.out
    assert b"lr: 77" not in texts(evil / "swept")


# Launchers and sweepers of others


@pytest.mark.parametrize(
    ("setting", "key"),
    [
        ("+hydra.launcher.setup=[touch canary]", "hydra.launcher.setup"),
        ("+hydra.launcher.submitit_folder=/tmp/canary", "hydra.launcher.submitit_folder"),
        ("+hydra.launcher.srun_args=[bcast]", "hydra.launcher.srun_args"),
        ("+hydra.launcher.additional_parameters={a: x}", "hydra.launcher.additional_parameters"),
        ("+hydra.launcher.python=./evil", "hydra.launcher.python"),
        ("+hydra.launcher.temp_folder=/tmp/canary", "hydra.launcher.temp_folder"),
        ("+hydra.launcher.partition='a\\ntouch canary'", "hydra.launcher.partition"),
        ("+hydra.launcher.comment='$(touch canary)'", "hydra.launcher.comment"),
        ("+hydra.launcher.name='${oc.env:HOME}'", "hydra.launcher.name"),
        ("+hydra.launcher.ray={init: {address: evil}}", "hydra.launcher.ray"),
    ],
)  # fmt: skip
def test_a_setting_that_may_be_a_command_or_a_path(in_tmp: Path, setting: str, key: str) -> None:
    ended = inside(in_tmp, "-m", *SMALL, "seed=1,2", "hydra/launcher=basic", setting)
    assert ended.code == 2
    assert f"{key}  " in ended.err.replace(key, f"{key} ", 1)
    assert "only with --trust-config" in ended.err
    assert not tree(in_tmp)


@pytest.mark.parametrize(
    ("setting", "key"),
    [
        ("+hydra.sweeper.storage=sqlite:////tmp/canary.db", "hydra.sweeper.storage"),
        ("+hydra.sweeper.custom_search_space=os.system", "hydra.sweeper.custom_search_space"),
    ],
)
def test_a_setting_of_anothers_sweeper(in_tmp: Path, setting: str, key: str) -> None:
    ended = inside(in_tmp, "-m", *SMALL, "seed=1,2", "hydra/sweeper=basic", setting)
    assert ended.code == 2
    assert key in ended.err
    assert not tree(in_tmp)


def test_a_preset_with_a_setup(in_tmp: Path) -> None:
    for name in ("experiment", "hydra/launcher"):
        (in_tmp / "conf" / name).mkdir(parents=True)
    (in_tmp / "conf/experiment/e.yaml").write_text(
        "# @package _global_\ndefaults:\n  - override /hydra/launcher: mine\n"
    )
    (in_tmp / "conf/hydra/launcher/mine.yaml").write_text(
        "_target_: hydra._internal.core_plugins.basic_launcher.BasicLauncher\n"
        "setup: ['touch canary']\n"
    )
    before = tree(in_tmp)
    ended = inside(in_tmp, "-m", *SMALL, "seed=1,2", "experiment=e")
    assert ended.code == 2
    assert "hydra.launcher.setup" in ended.err
    assert tree(in_tmp) == before


def test_plain_settings_and_a_plug_ins_own_are_let_through() -> None:
    from hydra.core.config_store import ConfigStore

    from exp.config.trust import settings_of_others

    target = "hydra_plugins.another.Launcher"
    node = {"_target_": target, "submitit_folder": "${hydra.sweep.dir}/.submitit/%j", "setup": None,
            "partition": None, "timeout_min": 60}  # fmt: skip
    ConfigStore.instance().store(group="hydra/launcher", name="another", node=node)
    good = {**node, "partition": "gpu,short", "gres": "gpu:a100:2", "constraint": "a|b&c"}
    found = {"launcher": good}
    from exp.config.trust import PLAIN_SETTINGS

    assert list(settings_of_others(found, "launcher", PLAIN_SETTINGS["launcher"])) == []
    found["launcher"]["submitit_folder"] = "/elsewhere"
    (fault,) = settings_of_others(found, "launcher", PLAIN_SETTINGS["launcher"])
    assert fault.path == "hydra.launcher.submitit_folder"


# Names from the environment


@pytest.mark.parametrize("name", ["${oc.env:SECRET}", "a-${oc.env:SECRET}"])
def test_a_name_from_the_environment_stays_a_name(
    in_tmp: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("SECRET", "hunter2")
    ended = inside(in_tmp, *SMALL, f"name={name}")
    assert ended.code == 0, ended.err
    assert b"hunter2" not in texts(in_tmp)
    assert "hunter2" not in ended.out
    assert "SECRET" in ended.run.name
    again = inside(in_tmp, "rerun", str(ended.run))
    assert again.code == 0, again.err
    words = ("-m", *SMALL, "seed=1,2", "sweep.n_jobs=1", "hydra.sweep.subdir=${seed}-${name}")
    assert inside(in_tmp, *words, f"name={name}").code == 0
    assert b"hunter2" not in texts(in_tmp)


def test_the_progress_of_a_sweep_shows_no_value_of_a_variable(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", "hunter2")
    ended = resumed(here, "name=${oc.env:SECRET}")
    assert ended.code == 0, ended.err
    assert "hunter2" not in ended.out + ended.err
    assert b"hunter2" not in texts(here)
    assert "oc.env:SECRET" in ended.out


def test_a_directory_from_the_environment_is_ones_own_choice(
    in_tmp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCRATCH", "fast")
    assert inside(in_tmp, *SMALL, "hydra.run.dir=${oc.env:SCRATCH}/run").code == 0
    assert (in_tmp / "fast/run/run.json").exists()


# Verbs that look only


LOOKS = {
    "predict": ("predict", "given/done", "given/done/metrics.csv", "--output", "new.csv"),
    "export": ("export", "given/done", "--to", "state_dict", "--output", "new.safetensors"),
    "compare --figure": ("compare", "given/done", "given/begun", "--figure", "new.png"),
    "compare": ("compare", "given/done", "given/begun"),
    "results": ("results", "given"),
    "report": ("report", "given/done", "--output", "new.html"),
    "log": ("log", "given/done", "--to", "tensorboard"),
}


@pytest.mark.parametrize("verb", LOOKS)
def test_a_look_imports_and_sends_nothing(
    here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    """Modules that the config names are there to be imported, here and in the run's folder."""
    monkeypatch.setenv("SECRET", "hunter2")
    outside = tmp_path / "outside"
    outside.mkdir()
    monkeypatch.syspath_prepend(str(outside))
    for folder in (here, here / "given", outside):
        (folder / "looked_at.py").write_text(f"open({str(tmp_path / 'sprung')!r}, 'w')\n")
    before = tree(outside)
    run = here / "given/done"
    with_loggers(run, "tensorboard", outside)
    config = (run / "config.yaml").read_text()
    assert "\nplugins: []\n" in config
    text = config.replace("\nplugins: []\n", "\nplugins: [looked_at]\n")
    (run / "config.yaml").write_text(text)
    sealed(run, folder=str(here / "given"))
    ended = inside(here, *LOOKS[verb])
    assert not (tmp_path / "sprung").exists()
    assert tree(outside) == before
    assert b"hunter2" not in texts(here)
    assert "hunter2" not in ended.out + ended.err
    if verb in ("predict", "export", "compare --figure"):
        assert ended.code == 2
        assert "needs modules that would be imported: looked_at" in ended.err
        assert "add --trust" in ended.err
        assert not list(here.glob("new*"))
    else:
        assert ended.code in (0, 1), ended.err


# Errors about values from the environment


SECRET = "hunter2-of-the-environment"
DATA = {"name": "csv", "path": "${oc.env:SECRET}/x.csv", "target": "kind"}
READ = {
    "text": ("seed", "${oc.env:SECRET}"),
    "part of a text": ("trainer.monitor", "x-${oc.env:SECRET}"),
    "name of an option": ("optimizer.name", "${oc.env:SECRET}"),
    "default of another": ("dataset", "${oc.env:NOT_SET,${oc.env:SECRET}}"),
    "decoded": ("split.test", "${oc.decode:${oc.env:SECRET}}"),
    "decoded mapping": ("trainer.epochs", "${oc.decode:${oc.env:MAPPING}}"),
    "decoded list": ("plugins", "${oc.decode:${oc.env:LIST}}"),
    "plugins": ("plugins", ["${oc.env:SECRET}"]),
    "number": ("split.test", "${oc.decode:${oc.env:NUMBER}}"),
    "file": ("dataset", DATA),
    "cut": ("loss.name", "${oc.env:LONG}"),
}


@pytest.fixture
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", SECRET)
    monkeypatch.setenv("LONG", "/" + SECRET * 20)
    monkeypatch.setenv("NUMBER", "20261128")
    monkeypatch.setenv("MAPPING", f"{{{SECRET}: {SECRET}}}")
    monkeypatch.setenv("LIST", f"[{SECRET}]")


def pieces(text: str) -> list[str]:
    """What of the values above stands in a text."""
    whole = [value for value in (SECRET, "20261128") if value in text]
    return whole + [SECRET[at : at + 8] for at in range(19) if SECRET[at : at + 8] in text]


@pytest.mark.parametrize("verb", ["resume", "rerun", "predict"])
@pytest.mark.parametrize("case", READ)
def test_an_error_of_a_strangers_run_shows_no_value(
    here: Path, secret: None, case: str, verb: str
) -> None:
    run = here / "given" / ("begun" if verb == "resume" else "done")
    key, value = READ[case]
    config = yaml.safe_load((run / "config.yaml").read_text())
    *above, last = key.split(".")
    node = config[above[0]] if above else config
    node[last] = value
    (run / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    sealed(run)
    more = (str(run / "metrics.csv"),) if verb == "predict" else ()
    ended = inside(here, verb, str(run), *more)
    assert ended.code == 2
    assert not pieces(ended.out + ended.err), ended.err
    name = next(
        name for name in ("LONG", "NUMBER", "MAPPING", "LIST", "SECRET") if name in f"{value}"
    )
    # `exp predict` reads no data, so that it only says that the config is another one.
    unread = verb == "predict" and "have changed since" in ended.err
    assert f"${{oc.env:{name}" in ended.err or unread
    if key != "plugins" and case != "file":
        assert f"\n  {key}" in ended.err


@pytest.mark.parametrize(
    "words",
    [
        ("seed=${oc.env:SECRET}",),
        ("dataset.name=${oc.env:SECRET}",),
        ("optimizer.lr='${${oc.env:SECRET}}'",),
        ("trainer.epochs='${oc.decode:${oc.env:SECRET}}'",),
        ("dataset=csv", "dataset.path=${oc.env:SECRET}/x.csv", "dataset.target=kind"),
    ],
)
def test_an_error_of_a_strangers_sweep_shows_no_value(
    here: Path, secret: None, words: tuple[str, ...]
) -> None:
    ended = resumed(here, *words)
    assert ended.code == 2, ended.out
    assert not pieces(ended.out + ended.err), ended.err
    assert "${oc.env:SECRET}" in ended.err


def test_the_same_from_python(here: Path, secret: None) -> None:
    config = yaml.safe_load((here / "given/done/config.yaml").read_text())
    config["dataset"] = DATA
    (here / "given/done/config.yaml").write_text(yaml.safe_dump(config))
    sealed(here / "given/done")
    run = exp.load(here / "given/done")
    assert isinstance(run, Run)
    with pytest.raises(ExpError, match="its config, its components"):
        run.predict([[0.0, 1.0]])


@given(st.text(min_size=1, max_size=200), st.integers(9, 120))
def test_no_message_shows_a_value(value: str, limit: int) -> None:
    """Quoted, escaped and cut as exp's messages are."""
    text = f"cannot read {shown(value, limit)}, {one_line(value)} nor {value!r}: a b c"
    found = unshown(text, {value: "${X}"})
    low, rest = value.lower(), found.replace("${X}", "\0").lower()
    assert not [at for at in range(len(low) - 7) if low[at : at + 8] in rest]


def test_a_short_value_is_replaced_where_it_is_quoted() -> None:
    text = "split.test: expected less than 1, found 5; 'a' is not an option of a 5"
    shown = "split.test: expected less than 1, found ${N}; '${A}' is not an option of a 5"
    assert unshown(text, {"5": "${N}", "a": "${A}"}) == shown


# What is written where a user says


OUTPUTS = {
    "csv": ("results", "{run}", "--csv"),
    "json": ("results", "{run}", "--json"),
    "parquet": ("results", "{run}", "--parquet"),
    "predict": ("predict", "{run}", "{run}/new.csv", "--output"),
    "export": ("export", "{run}", "--to", "state_dict", "--output"),
    "schema": ("schema", "--output"),
}


@pytest.fixture(scope="module")
def given(made: Path) -> Path:
    (made / "done/new.csv").write_text("x1,x2\n0.5,0.1\n")
    return made / "done"


@pytest.mark.parametrize("kind", OUTPUTS)
def test_outputs_replace_nothing_but_files(in_tmp: Path, given: Path, kind: str) -> None:
    words = [word.format(run=given) for word in OUTPUTS[kind]]
    if kind == "predict":
        (in_tmp / "new.csv").write_text("x1,x2\n0.5,0.1\n")
        words[2] = "new.csv"

    def into(place: str) -> None:
        ended = inside(in_tmp, *words, place)
        assert ended.code == 0, ended.err

    into("whole")
    expected = (in_tmp / "whole").read_bytes()
    assert expected
    os.mkfifo(in_tmp / "pipe")
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append((in_tmp / "pipe").read_bytes()))
    reader.start()
    into("pipe")
    reader.join(60)
    assert (in_tmp / "pipe").is_fifo()
    (in_tmp / "null").symlink_to("/dev/null")
    into("null")
    assert (in_tmp / "null").is_symlink()
    assert Path("/dev/null").is_char_device()
    (in_tmp / "below").mkdir()
    for target in ("below/there", "below/new"):
        link = in_tmp / f"link-{target[6:]}"
        link.symlink_to(target)
        if target.endswith("there"):
            shutil.copy(in_tmp / "whole", in_tmp / target)
        into(link.name)
        assert link.is_symlink()
    numbers = os.pipe()
    # Read meanwhile: a pipe holds 64 kB, and a schema of many components is larger.
    with os.fdopen(numbers[0], "rb") as file:
        other = threading.Thread(target=lambda: read.append(file.read()))
        other.start()
        into(f"/dev/fd/{numbers[1]}")
        os.close(numbers[1])
        other.join(60)
    if kind not in ("export", "parquet"):  # whose content names where they go, or when
        assert read == [expected, expected]
        for target in ("below/there", "below/new"):
            assert (in_tmp / target).read_bytes() == expected
    assert not list(in_tmp.rglob("*.tmp"))


def test_a_full_device_is_said(in_tmp: Path, given: Path) -> None:
    ended = inside(in_tmp, "results", str(given), "--csv", "/dev/full")
    assert (ended.code, ended.err) == (2, "exp: cannot write /dev/full: No space left on device\n")


# Folders that cannot be read


def test_an_unreadable_folder_hides_no_others(made: Path, in_tmp: Path) -> None:
    shutil.copytree(made / "done", in_tmp / "b")
    (in_tmp / "a/within").mkdir(parents=True)
    (in_tmp / "a").chmod(0)
    words = [sys.executable, "-m", "exp", "results", ".", "--csv", "-"]
    if os.geteuid() == 0:  # root reads all, unless it gives that up
        if (setpriv := shutil.which("setpriv")) is None:
            pytest.skip("root reads every folder, and there is no setpriv")
        words = [setpriv, "--bounding-set=-all", "--inh-caps=-all", *words]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    (in_tmp / "a").chmod(0o700)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 2
    assert done.stderr == f"left out: cannot read {in_tmp}/a: Permission denied\n"


# What waits for ever


@contextlib.contextmanager
def at_most(seconds: int) -> Iterator[None]:
    """Breaks off what waits for a FIFO, say."""

    def stop(*_: object) -> None:
        raise TimeoutError(f"it has not ended after {seconds} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


SWEPT = (
    "-m",
    *SMALL,
    "trainer.checkpoint_every=1",
    "seed=1,2",
    "sweep.n_jobs=1",
    "sweep.dir=given/swept",
)


@pytest.mark.parametrize("words", [("resume", "given/swept"), SWEPT], ids=["resume", "the command"])
@pytest.mark.parametrize(
    "name",
    [".lock", "sweep.json", "runs.csv", "multirun.yaml", ".1-abc-2.tmp", "0-seed=1/.1-a-2.tmp"],
)
def test_a_fifo_in_a_sweep_is_not_waited_for(here: Path, name: str, words: tuple[str, ...]) -> None:
    place = here / "given/swept" / name
    place.unlink(missing_ok=True)
    os.mkfifo(place)
    with at_most(10):
        ended = inside(here, *words)
    if words[0] == "resume" or ended.code != 0:
        assert ended.code == 2
        assert place.name in ended.err
        assert len(ended.err.splitlines()) == 1
    else:  # nothing is read from there
        assert name not in (".lock", "sweep.json")


@pytest.mark.parametrize("end", ["", "-journal", "-wal", "-shm"])
def test_a_fifo_in_a_search_is_not_waited_for(tmp_path: Path, end: str) -> None:
    words = ("-m", "hydra/sweeper=optuna", *SMALL, "optimizer.lr=tag(log,interval(1e-3,1))",
             "hydra.sweeper.n_trials=1", "sweep.n_jobs=1", "sweep.dir=swept")  # fmt: skip
    assert inside(tmp_path, *words).code == 0
    place = tmp_path / f"swept/study.db{end}"
    place.unlink(missing_ok=True)
    os.mkfifo(place)
    for command in (words, ("resume", "swept"), ("resume", "swept", "--trust")):
        with at_most(10):
            ended = inside(tmp_path, *command)
        assert ended.code == 2, command
        assert "study.db" in ended.err
        assert ended.err.count("exp: ") == 1


@pytest.mark.parametrize("name", [".lock", "checkpoints/.1-abc-2.tmp", "exp.log"])
def test_a_fifo_in_a_run_is_not_waited_for(here: Path, name: str) -> None:
    place = here / "given/begun" / name
    place.unlink(missing_ok=True)
    os.mkfifo(place)
    with at_most(10):
        ended = inside(here, "resume", "given/begun")
    assert ended.code == 2
    assert place.name in ended.err
