"""Components of installed packages, and of folders: found, told in full where they break, and
remembered. The packages are real wheels, installed into folders of their own without a network."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml

from commands import Ended, inside, process, runs
from custom_modules import forgotten

RINGS = '''
import numpy as np

from exp import register
from exp.data.dataset import Data
from exp.registry.types import Rows


@register.dataset("wheel_rings")
def rings(seed: int, *, n_samples: Rows = 60) -> Data:
    """Two rings."""
    rng = np.random.default_rng(seed)
    y = np.arange(n_samples) % 2
    angle = rng.uniform(0, 6.28, n_samples)
    X = (1 + y)[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    return Data.checked(X, y, classes=["inner", "outer"])
'''
NET = '''
from torch import nn

from exp import register
from exp.registry.types import Width


@register.model("wheel_net")
def net(in_features: int, out_features: int, *, width: Width = 3) -> nn.Module:
    """One hidden layer."""
    return nn.Sequential(
        nn.Linear(in_features, width), nn.Tanh(), nn.Linear(width, out_features)
    )
'''
FILES = {
    "exp_wheel_rings/__init__.py": "",
    "exp_wheel_rings/data.py": RINGS,
    "exp_wheel_rings/net.py": NET,  # without an option file
    "exp_wheel_rings/conf/dataset/wheel_rings.yaml": "name: wheel_rings\nn_samples: 80\n",
    # A packaged option is never replaced by an installed package.
    "exp_wheel_rings/conf/dataset/moons.yaml": "name: moons\nn_samples: 4\n",
}
POINTS = "rings = exp_wheel_rings.data\nnet = exp_wheel_rings.net"
NET_CONFIG = {"name": "wheel_net", "width": 3}
SHORT = ("trainer.epochs=2", "figures=none")
CHOSEN = ("dataset=wheel_rings", *SHORT)


def wheel(where: Path, name: str, files: dict[str, str], points: str) -> Path:
    """A wheel of pure Python, as its specification has it."""
    stem = name.replace("-", "_")
    info = f"{stem}-1.2.dist-info"
    whole = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\n"
        "Tag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[exp.components]\n{points}\n",
    }
    record = [f"{info}/RECORD,,"]
    path = where / f"{stem}-1.2-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for member, text in whole.items():
            data = text.encode()
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            record.append(f"{member},sha256={digest},{len(data)}")
            archive.writestr(member, data)
        archive.writestr(f"{info}/RECORD", "\n".join(record) + "\n")
    return path


def installed(where: Path, name: str, files: dict[str, str], points: str) -> Path:
    """A folder with a wheel installed in it."""
    target = where / f"site-{name}"
    made = wheel(where, name, files, points)
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", "--no-index", "--no-deps",
         "--disable-pip-version-check", "--root-user-action=ignore", "--target", target, made],
        check=True, capture_output=True,
    )  # fmt: skip
    return target


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("wheels")
    return installed(where, "exp-wheel-rings", FILES, POINTS)


def on(path: Path, where: Path, *words: str) -> Ended:
    return process(where, *words, environment={"PYTHONPATH": str(path)})


def record(run: Path) -> dict[str, object]:
    found = json.loads((run / "run.json").read_text())
    assert isinstance(found, dict)
    return found


@pytest.fixture(scope="module")
def ended(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Ended:
    return on(site, tmp_path_factory.mktemp("work"), *CHOSEN)


def test_a_component_of_a_wheel_trains_with_the_options_of_the_wheel(ended: Ended) -> None:
    assert ended.code == 0, ended.err
    config = yaml.safe_load((ended.run / "config.yaml").read_text())
    assert config["dataset"] == {"name": "wheel_rings", "n_samples": 80, "positive": None}


def test_its_package_and_file_are_recorded(ended: Ended) -> None:
    assert record(ended.run)["components"] == {
        "exp_wheel_rings.data": {
            "sha256": hashlib.sha256(RINGS.encode()).hexdigest(),
            "package": "exp-wheel-rings",
            "version": "1.2",
        }
    }


def test_a_run_of_packaged_components_records_none(in_tmp: Path) -> None:
    ended = inside(in_tmp, *SHORT, "dataset.n_samples=40")
    assert "components" not in record(ended.run)


def test_a_model_of_a_wheel_needs_no_option_file(site: Path, in_tmp: Path) -> None:
    words = ("dataset=wheel_rings", "model=mlp,wheel_net", "seed=1,2", *SHORT)
    ended = on(site, in_tmp, "-m", *words, "sweep.n_jobs=2", "sweep.chunk=2")
    assert ended.code == 0, ended.err
    made = [yaml.safe_load((run / "config.yaml").read_text())["model"] for run in runs(in_tmp)]
    assert [each for each in made if each["name"] != "mlp"] == [NET_CONFIG, NET_CONFIG]
    assert on(site, in_tmp, "--cfg", "job", "model=wheel_net").out.count("width: 3") == 1
    wrong = on(site, in_tmp, "model=wheel_net", "model.width=0")
    assert wrong.err.splitlines()[1] == (
        "  model.width  expected a number greater than or equal to 1, found 0"
    )


def test_rerun_of_it_needs_no_trust_and_is_the_same(ended: Ended, site: Path) -> None:
    again = on(site, ended.where, "rerun", str(ended.run), "--into", "again")
    assert again.out.splitlines()[-1] == "bit-identical", again.err


def test_the_workers_of_a_sweep_have_it_too(site: Path, in_tmp: Path) -> None:
    ended = on(site, in_tmp, "-m", *CHOSEN, "seed=1,2,3,4", "sweep.n_jobs=2", "sweep.chunk=1")
    assert ended.code == 0, ended.err
    found = runs(in_tmp)
    assert len(found) == 4
    assert all(record(run)["status"] == "done" for run in found)
    assert all("exp_wheel_rings.data" in record(run)["components"] for run in found)  # type: ignore[operator]


def test_packaged_options_win(site: Path, in_tmp: Path) -> None:
    ended = on(site, in_tmp, "--cfg", "job", *CHOSEN)
    assert "name: wheel_rings" in ended.out
    assert "n_samples: 1000" in on(site, in_tmp, "--cfg", "job", "dataset=moons").out


def test_a_file_of_the_users_own_can_name_it(site: Path, in_tmp: Path) -> None:
    (in_tmp / "conf/dataset").mkdir(parents=True)
    (in_tmp / "conf/dataset/few.yaml").write_text("name: wheel_rings\nn_samples: 24\n")
    ended = on(site, in_tmp, "dataset=few", *SHORT)
    assert ended.code == 0, ended.err
    assert ended.out.startswith("wheel_rings-mlp-sgd: 24 rows")


def test_help_list_and_faults_name_it(site: Path, in_tmp: Path) -> None:
    helped = on(site, in_tmp, "--help").out
    assert " two_spirals, wheel_rings, wine, xor" in helped
    assert "\nmodel: linear, mlp, wheel_net\n" in helped
    listed = on(site, in_tmp, "list").out
    assert "wheel_rings, wine" in listed
    assert "\nmodel: linear, mlp, wheel_net\n" in listed
    assert "dataset.n_samples = 60" in on(site, in_tmp, "list", "dataset", "wheel_rings").out
    wrong = on(site, in_tmp, "dataset=wheel_ring")
    assert wrong.err.splitlines()[1].startswith(
        "  dataset  unknown option 'wheel_ring'. Did you mean 'wheel_rings'?"
    )


def test_it_is_imported_only_if_a_name_is_not_packaged(site: Path, in_tmp: Path) -> None:
    code = (
        "import sys\nfrom exp.cli.main import dispatch\n"
        "dispatch(['trainer.epochs=1', 'dataset.n_samples=20', 'figures=none'])\n"
        "assert 'torch' in sys.modules\n"
        "print([m for m in sys.modules if m.startswith('exp_wheel_rings')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=in_tmp, env={"PYTHONPATH": str(site)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_broken_package_is_told_in_full_by_its_name(tmp_path: Path, in_tmp: Path) -> None:
    files = {"exp_broken.py": "def inner():\n    raise LookupError('lost')\n\n\ninner()\n"}
    site = installed(tmp_path, "exp-broken", files, "broken = exp_broken")
    ended = on(site, in_tmp, "dataset=of_another_world")
    assert ended.code == 2
    assert ended.err == (
        "exp: entry point broken = exp_broken of package exp-broken 1.2 cannot be imported\n"
        "Traceback (most recent call last):\n"
        f'  File "{site}/exp_broken.py", line 5, in <module>\n'
        "    inner()\n"
        f'  File "{site}/exp_broken.py", line 2, in inner\n'
        "    raise LookupError('lost')\n"
        "LookupError: lost\n"
    )
    assert not (in_tmp / "outputs").exists()
    helped = on(site, in_tmp, "--help")
    assert helped.code == 0
    assert helped.err.splitlines()[0] == ended.err.splitlines()[0]
    # It stands in nobody's way who does not ask for it.
    assert on(site, in_tmp, *SHORT, "dataset.n_samples=40").code == 0


def test_the_working_directory_is_no_installed_package(in_tmp: Path) -> None:
    """A stranger's folder could name an entry point of its own."""
    info = in_tmp / "evil-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: evil\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[exp.components]\nevil = evil\n")
    (in_tmp / "evil.py").write_text("open('was_here', 'w')\n")
    ended = process(in_tmp, "dataset=evil")
    assert ended.code == 2
    assert not (in_tmp / "was_here").exists()


FOLDER = {
    "parts/rings.py": RINGS.replace("wheel_rings", "folder_rings").replace(
        "import numpy as np", "import numpy as np\n\nfrom . import _shared"
    ),
    "parts/_shared.py": "HELPED = True\n",
    "parts/test_rings.py": "raise RuntimeError('a test is not a component')\n",
    "parts/random.py": "HIDES = 'no other module of this name'\n",
    "parts/conf/dataset/folder_rings.yaml": "name: folder_rings\nn_samples: 40\n",
}
NAMED = ("dataset=folder_rings", *SHORT)


def folder(where: Path) -> Path:
    for name, text in FOLDER.items():
        (where / name).parent.mkdir(parents=True, exist_ok=True)
        (where / name).write_text(text)
    return where


@pytest.mark.parametrize(
    "words", [("--components", "parts"), ("plugins=[parts/]",), ("plugins=['./parts']",)]
)
def test_a_folder_that_the_command_line_names_is_imported(
    in_tmp: Path, words: tuple[str, ...]
) -> None:
    with forgotten():
        ended = inside(folder(in_tmp), *words, *NAMED)
    assert ended.code == 0, ended.err
    assert ended.out.startswith("folder_rings-mlp-sgd: 40 rows")
    digest = hashlib.sha256((in_tmp / "parts/rings.py").read_bytes()).hexdigest()
    assert record(ended.run)["components"] == {"parts/rings.py": {"sha256": digest}}


def test_a_folder_works_in_workers_and_rerun_wants_trust(in_tmp: Path) -> None:
    folder(in_tmp)
    words = ("-m", "--components", "parts", *NAMED, "seed=1,2", "sweep.n_jobs=2", "sweep.chunk=1")
    ended = process(in_tmp, *words)
    assert ended.code == 0, ended.err
    first, second = runs(in_tmp)
    with forgotten():
        refused = inside(in_tmp, "rerun", str(first))
        assert refused.code == 2
        assert refused.err == (
            f"exp: {first} needs modules that would be imported: ./parts. If you trust whoever "
            "made this run, add --trust\n"
        )
        again = inside(in_tmp, "rerun", str(first), "--trust", "--into", "again")
    assert again.out.splitlines()[-1] == "bit-identical", again.err
    sweep = second.parent
    refused = inside(in_tmp, "resume", str(sweep))
    assert (
        "contains '--components'. If you trust whoever made this sweep, add --trust" in refused.err
    )


def test_another_file_is_another_run(in_tmp: Path) -> None:
    """The component's file counts in the signature: a finished run is not taken for another."""
    folder(in_tmp)
    with forgotten():
        first = inside(in_tmp, "--components", "parts", *NAMED)
    one = record(first.run)["signature"]
    path = in_tmp / "parts/rings.py"
    path.write_text(path.read_text() + "\n# changed\n")
    with forgotten():
        inside(in_tmp, "--components", "parts", *NAMED)
    assert len({record(run)["signature"] for run in runs(in_tmp)}) == 2
    assert one in {record(run)["signature"] for run in runs(in_tmp)}


FOLDERS = {
    ("--components", "nowhere"): "plugins  there is no folder './nowhere'",
    ("--components", "empty"): "plugins  no Python file in './empty' to import",
}


@pytest.mark.parametrize("words", FOLDERS)
def test_a_folder_with_nothing_to_import_is_told(in_tmp: Path, words: tuple[str, ...]) -> None:
    (in_tmp / "empty").mkdir()
    ended = inside(in_tmp, *words)
    assert ended.code == 2
    assert ended.err.splitlines()[1] == f"  {FOLDERS[words]}"


def test_a_file_cannot_name_a_folder(in_tmp: Path) -> None:
    folder(in_tmp)
    (in_tmp / "parts/evil.py").write_text("open('was_here', 'w')\n")
    (in_tmp / "conf/experiment").mkdir(parents=True)
    preset = "# @package _global_\nplugins: ['./parts']\n"
    (in_tmp / "conf/experiment/e.yaml").write_text(preset)
    inside(in_tmp, "experiment=e", *SHORT, "dataset.n_samples=40")
    assert not (in_tmp / "was_here").exists()
