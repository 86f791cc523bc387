"""Inputs of a stranger: each ends in one clear error, nothing is executed, nothing strays."""

from __future__ import annotations

import json
import pickle
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from commands import SMALL, Ended, inside
from exp.config.plan import GROUPS
from exp.runs.directory import RunDirectory

CANARY = "canary"
TOUCH = f"open('{CANARY}','w')"


def tree(where: Path) -> list[str]:
    return sorted(path.relative_to(where).as_posix() for path in where.rglob("*"))


def refused(where: Path, *words: str) -> Ended:
    """A command line that is refused, and leaves the folder as it was."""
    before = tree(where)
    ended = inside(where, *words)
    assert ended.code == 2, (words, ended.out[-300:], ended.err[-300:])
    assert ended.err.startswith("exp: ")
    assert "Traceback" not in ended.err
    assert not list(where.rglob(CANARY))
    assert tree(where) == before
    return ended


@pytest.mark.parametrize("group", GROUPS)
def test_a_target_in_a_group(in_tmp: Path, group: str) -> None:
    ended = refused(in_tmp, *SMALL[1:2], f"+{group}._target_=os.system")
    assert f"{group}._target_  unknown parameter of" in ended.err
    assert "os.system" not in ended.out


@pytest.mark.parametrize(
    ("words", "path"),
    [
        (["+hydra.callbacks.x={_target_: os.system, command: touch canary}"], "hydra.callbacks.x"),
        (["+hydra.callbacks.x._target_=builtins.exec"], "hydra.callbacks.x._target_"),
        (["+hydra.callbacks.x={a: [{_target_: builtins.print}]}"], "hydra.callbacks.x.a"),
        (["+hydra.callbacks.x={_target_: exp.cli.main.main}"], "hydra.callbacks.x._target_"),
        (["-m", "seed=1,2", "hydra.launcher._target_=os.system"], "hydra.launcher._target_"),
        (["-m", "seed=1,2", "hydra.sweeper._target_=os.system"], "hydra.sweeper._target_"),
        (
            ["hydra.job_logging.handlers.file.class=subprocess.Popen"],
            "hydra.job_logging.handlers.file.class",
        ),
        (
            ["+hydra.job_logging.handlers.file.stream=ext://os.system"],
            "hydra.job_logging.handlers.file.stream",
        ),
        (
            ["+hydra.job_logging.formatters.x={'()': os.system}"],
            "hydra.job_logging.formatters.x",
        ),
        (
            ["hydra.job_logging.handlers.file.filename=/tmp/canary"],
            "hydra.job_logging.handlers.file.filename",
        ),
        (
            ["hydra.job_logging.handlers.file.filename=../../canary"],
            "hydra.job_logging.handlers.file.filename",
        ),
        (["+hydra.job.env_set.LD_PRELOAD=evil.so"], "hydra.job.env_set.LD_PRELOAD"),
        (["hydra.searchpath=[pkg://antigravity]"], "hydra.searchpath"),
        (["hydra.output_subdir=../../canary"], "hydra.output_subdir"),
        (["hydra.job.name=../canary"], "hydra.job.name"),
        (["-m", "seed=1,2", "hydra.sweep.subdir=../../canary"], "hydra.sweep.subdir"),
        (["-m", "seed=1,2", "hydra.sweep.subdir=/tmp/canary"], "hydra.sweep.subdir"),
        (["name=../../canary"], "name"),
        (["name=/tmp/canary"], "name"),
        (['name="a\\tb"'], "name"),
        ([f"name={'x' * 300}"], "name"),
        (["name='a\x00b'"], "name"),
        (["seed=1" + "0" * 5000], "seed"),
        (["trainer.epochs=99999999999999999999"], "trainer.epochs"),
        (["optimizer.lr=1e999"], "optimizer.lr"),
        (["dataset.n_samples=1e12"], "dataset.n_samples"),
        (["model.hidden=[1000000000]"], "model.hidden"),
        (["plugins=[os;system]"], "plugins"),
        (["plugins=['../evil']"], "plugins"),
        (["name=${oc.decode:'__import__(1)'}"], "name"),
        (["seed=${oc.env:NOT_THERE}"], "seed"),
    ],
)
def test_a_command_line(in_tmp: Path, words: list[str], path: str) -> None:
    whole = [*words, *SMALL] if words[0] == "-m" else [*SMALL, *words]
    ended = refused(in_tmp, *whole)
    assert path in ended.err


def laughs() -> str:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    for one, other in zip("abcdefgh", "bcdefghi", strict=True):
        lines.append(f"{other}: &{other} [{', '.join([f'*{one}'] * 10)}]")
    return "\n".join(lines)


FILES: dict[str, tuple[str, str | bytes]] = {
    "laughs": ("experiment", "# @package _global_\n" + laughs()),
    "deep": ("experiment", "# @package _global_\nname: " + "[" * 5000 + "]" * 5000),
    "callback": (
        "experiment",
        "# @package _global_\nhydra:\n  callbacks:\n    x:\n      _target_: os.system\n",
    ),
    "python": ("experiment", "# @package _global_\nname: !!python/object/apply:os.system [id]\n"),
    "binary": ("experiment", b"\x00\x01\x02\xff"),
    "doubling": (
        "experiment",
        "# @package _global_\nname: ${x30}\n"
        + "\n".join(f"x{i + 1}: ${{x{i}}}${{x{i}}}" for i in range(30))
        + "\nx0: y\n",
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_a_config_directory(in_tmp: Path, name: str) -> None:
    group, text = FILES[name]
    place = in_tmp / "conf" / group / f"{name}.yaml"
    place.parent.mkdir(parents=True)
    place.write_bytes(text if isinstance(text, bytes) else text.encode())
    refused(in_tmp, *SMALL, f"{group}={name}")


def test_a_config_directory_that_names_modules(in_tmp: Path) -> None:
    """Only the command line may name modules: a config file is not asked."""
    (in_tmp / "evil.py").write_text(TOUCH)
    (in_tmp / "conf/experiment").mkdir(parents=True)
    (in_tmp / "conf/experiment/e.yaml").write_text("# @package _global_\nplugins: [evil]\n")
    for words in ([], ["-m", "seed=1,2", "sweep.n_jobs=1"]):
        inside(in_tmp, *words, *SMALL, "experiment=e")
        assert not (in_tmp / CANARY).exists()


CSV = {
    "ragged": ("a,b,y\n1,2,p\n1,q\n", "line 3"),
    "empty": ("", "is empty"),
    "header only": ("a,b,y\n", "rows"),
    "twice": ("a,a,y\n1,2,p\n3,4,q\n", "'a'"),
    "formula": ("a,y\n=HYPERLINK(1),p\n2,q\n", "=HYPERLINK(1)"),
    "nul": ("a,y\n1\x00,p\n", "NUL"),
    "huge": ("a,y\n1e400,p\n2,q\n", "1e400"),
    "one class": ("a,y\n1,p\n2,p\n", "class"),
    "missing": ("a,y\n,p\n2,q\n", "line 2"),
    "wide": (",".join(f"c{i}" for i in range(3_000)) + ",y\n1,p\n", "line 2"),
}


@pytest.mark.parametrize("name", CSV)
def test_a_csv_file(in_tmp: Path, name: str) -> None:
    text, told = CSV[name]
    (in_tmp / "rows.csv").write_text(text)
    words = ("figures=none", "trainer.epochs=2", "dataset=csv", "dataset.path=rows.csv")
    assert told in refused(in_tmp, *words, "dataset.target=y").err


@pytest.mark.parametrize("columns", [1, 3_000])
def test_a_harmless_csv_file_is_read(in_tmp: Path, columns: int) -> None:
    """A byte order mark, labels that look like code, and very many columns."""
    header = ",".join([*(f"c{i}" for i in range(columns)), "y"])
    rows = [
        ",".join([*(str(i + r) for i in range(columns)), f"__import__('os')#{r % 2}"])
        for r in range(8)
    ]
    (in_tmp / "rows.csv").write_text("\ufeff" + "\n".join([header, *rows]) + "\n")
    words = ("figures=none", "trainer.epochs=2", "dataset=csv", "dataset.path=rows.csv")
    ended = inside(in_tmp, *words, "dataset.target=y", "hydra.run.dir=run", "split.stratify=true")
    assert ended.code == 0, ended.err
    assert sorted(path.name for path in in_tmp.iterdir()) == ["rows.csv", "run"]


class Bomb:
    """A pickle that writes a file when it is opened."""

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str, str]]:
        return open, (CANARY, "w")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was broken off; not to be changed."""
    where = tmp_path_factory.mktemp("stranger")
    words = (*SMALL, "trainer.epochs=4", "trainer.checkpoint_every=1", "hydra.run.dir=run")
    assert inside(where, *words).code == 0
    directory = RunDirectory(where / "run")
    record = directory.read_record()
    directory.write_record({**record, "status": "interrupted", "digests": {}})
    return where / "run"


def evil(run: Path, where: Path, name: str, content: bytes) -> Path:
    place = where / "run"
    shutil.copytree(run, place)
    (place / name).write_bytes(content)
    return place


@pytest.mark.parametrize("verb", ["resume", "rerun"])
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("checkpoints/last.safetensors", pickle.dumps(Bomb())),
        ("checkpoints/last.safetensors", b"\xff" * 8 + b"{}"),
        ("run.json", pickle.dumps(Bomb())),
        ("run.json", b"[" * 100_000),
        ("config.yaml", pickle.dumps(Bomb())),
        ("config.yaml", b"!!python/object/apply:builtins.open [canary, w]\n"),
        ("config.yaml", laughs().encode()),
        ("config.yaml", b"seed: 1\nplugins: [antigravity]\n"),
        ("config.yaml", b"# " + b"x" * (5 << 20)),
    ],
)
def test_a_run_directory(run: Path, in_tmp: Path, verb: str, name: str, content: bytes) -> None:
    evil(run, in_tmp, name, content)
    if verb == "rerun":  # of a finished run; checkpoints are compared, never loaded
        directory = RunDirectory(in_tmp / "run")
        if name == "run.json" or name.startswith("checkpoints"):
            pytest.skip("tried with resume")
        directory.write_record({**directory.read_record(), "status": "done"})
    ended = refused(in_tmp, verb, "run")
    assert "run" in ended.err


def test_a_link_in_a_run_directory(run: Path, in_tmp: Path) -> None:
    place = evil(run, in_tmp, "exp.log", b"")
    (place / "exp.log").unlink()
    (in_tmp / "precious").write_text("mine")
    (place / "exp.log").symlink_to(in_tmp / "precious")
    assert "is a symbolic link" in refused(in_tmp, "resume", "run").err
    assert (in_tmp / "precious").read_text() == "mine"


@pytest.mark.parametrize(
    "change",
    [
        {"command": ["sh", "-c", "touch canary"]},
        {"command": ["python", "-m", "exp", "-m", "--trust-config", "seed=1"]},
        {"command": ["python", "-m", "exp", "-m", "--config-dir=/tmp", "seed=1"]},
        {"command": ["python", "-m", "exp", "-m", "plugins=[antigravity]", "seed=1"]},
        {"command": ["python", "-m", "exp", "-m", "+hydra.callbacks.x._target_=os.system"]},
        {"command": "touch canary"},
        {"runs": [{"number": 0, "directory": "../../etc", "overrides": []}]},
        {"runs": 7},
    ],
)  # fmt: skip
def test_a_sweep_directory(in_tmp: Path, change: dict[str, Any]) -> None:
    words = ("-m", *SMALL, "seed=1", "sweep.n_jobs=1", "sweep.dir=swept")
    assert inside(in_tmp, *words).code == 0
    manifest = in_tmp / "swept/sweep.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), **change}))
    verb = "rerun" if "runs" in change else "resume"
    refused(in_tmp, verb, "swept")


def test_a_secret_is_stored_as_its_name(in_tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_SECRET", "hunter2")
    words = (*SMALL, "name=${oc.env:MY_SECRET}", "hydra.run.dir=run")
    assert inside(in_tmp, *words).code == 0
    assert "${oc.env:MY_SECRET}" in (in_tmp / "run/config.yaml").read_text()
    for name in ("config.yaml", "run.json", ".hydra/config.yaml"):
        assert "hunter2" not in (in_tmp / "run" / name).read_text(), name


def test_a_variable_may_be_the_default_of_another(
    in_tmp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_DATA", "moons")
    text = "${oc.env:NOT_SET_,${oc.env:NOT_SET_EITHER_,${oc.env:MY_DATA}}}"
    assert inside(in_tmp, *SMALL, f'dataset.name="{text}"', "hydra.run.dir=run").code == 0
    assert f"\n  name: {text}\n" in (in_tmp / "run/config.yaml").read_text()
    again = inside(in_tmp, "rerun", "run", "--into", "new")
    assert again.code == 0, again.err
    monkeypatch.setenv("NOT_SET_", "nothing")
    wrong = inside(in_tmp, "rerun", "run", "--into", "newer")
    assert wrong.code == 2
    assert f"  dataset.name  unknown dataset '{text}'." in wrong.err


def test_no_source_reads_a_pickle() -> None:
    root = Path(__file__).parents[1] / "src"
    # exp's own helper processes talk in pickles, over pipes that only they and their parent hold;
    # the composer, the loader and the packaged options copy their own configs in memory.
    names = (
        "sweeps/composer.py", "runs/processes/worker_pool.py", "runs/processes/worker_process.py",
        "plotting/worker.py", "config/guarded_loader.py", "config/registered_options.py",
    )  # fmt: skip
    pipes = {root / "exp" / name for name in names}
    assert all(path.exists() for path in pipes)
    for path in root.rglob("*.py"):
        text = path.read_text()
        if path in pipes:
            text = text.replace("import pickle\n", "", 1)
            assert not re.search(r"\bopen\(|read_bytes|read_text", text), path  # no file is read
        for word in (
            "torch.load",
            "import pickle\n",
            "from pickle ",
            "allow_pickle=True",
            "joblib.load",
            "eval(",
        ):
            assert word not in text.replace(".eval(", ""), (path, word)
