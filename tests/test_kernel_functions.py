"""The kernel's own exp, log, tanh and so on: how far off they are, and the same bits in every form.

Forms that this machine cannot compile or run are skipped; NEON runs in an emulator.
"""

from __future__ import annotations

import ctypes
import platform
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import scipy.special
from numpy.typing import NDArray

from conftest import make_plan
from exp.engine import Job, train
from exp.engine.kernel import structures
from exp.util.compiled import FOLDER, form
from exp.util.errors import ConfigError

SOURCE = Path(__file__).with_name("kernel_forms.c")
OPTIONS = ["-O2", "-ffp-contract=off", "-fno-math-errno", f"-I{FOLDER}"]
AVX512 = [f"-mavx512{part}" for part in ("f", "dq", "vl", "bw")]
FORMS: dict[str, list[str]] = {
    "avx2": ["cc", "-DFORM=2", "-mavx2", "-mfma"],
    "avx512": ["cc", "-DFORM=3", "-mfma", *AVX512],
    "clang, avx2": ["clang", "-DFORM=2", "-mavx2", "-mfma"],
    "clang, avx512": ["clang", "-DFORM=3", "-mfma", *AVX512],
    "neon": ["aarch64-linux-gnu-gcc", "-static", "-DFORM=1"],
    "neon, itself": ["cc", "-DFORM=1"],
}

Function = Callable[[NDArray[np.float64]], NDArray[np.float64]]
ACCURACY: dict[str, tuple[Function, float, float, float]] = {
    "exp": (np.exp, -87.3, 88.0, 1.0),
    "expm1": (np.expm1, -np.inf, 0.0, 1.5),
    "log": (np.log, np.finfo(np.float32).tiny, 3e38, 2.0),
    "log1p": (np.log1p, 0.0, 1.0, 2.0),
    "tanh": (np.tanh, -np.inf, np.inf, 1.5),
    "sigmoid": (scipy.special.expit, -87.3, np.inf, 2.5),
    "softplus": (lambda x: np.logaddexp(0.0, x), -87.3, 3e38, 3.0),
    "erf": (scipy.special.erf, -np.inf, np.inf, 1.0),
}
"""What it should be, between which arguments, and by how many units in the last place at most it is
off."""


def grid() -> NDArray[np.float32]:
    """Floats of every size and both signs, and special ones; a multiple of 16 of them."""
    bits = np.arange(0, 0x7F800000, 65521, dtype=np.uint32)
    sizes = bits.view(np.float32)
    near = np.linspace(-90, 90, 50_001, dtype=np.float32)
    special = np.array([np.inf, np.nan, 1e-45, 1.17549435e-38, 1.0, 88.0, 87.3], np.float32)
    every = np.concatenate([sizes, -sizes, near, special, -special])
    return np.concatenate([every, np.zeros(-len(every) % 16, np.float32)])


GRID = grid()


class Form:
    """Runs one form's program."""

    def __init__(self, name: str, folder: Path) -> None:
        compiler, *options = FORMS[name]
        machine = platform.machine()
        cross = name == "neon" and machine == "x86_64"
        native = machine in ("aarch64", "arm64") if "neon" in name else machine == "x86_64"
        emulator = shutil.which("qemu-aarch64-static") or shutil.which("qemu-aarch64")
        if not shutil.which(compiler) or not (cross or native) or (cross and not emulator):
            pytest.skip(f"{name} cannot be compiled and run here")
        if "avx512" in name and "avx512bw" not in Path("/proc/cpuinfo").read_text():
            pytest.skip("this processor has no AVX-512")
        program = folder / "form"
        command = [compiler, *options, *OPTIONS, str(SOURCE), "-o", str(program), "-lm"]
        subprocess.run(command, check=True)
        self.command = [*([emulator] if cross and emulator else []), str(program)]
        self.found: dict[str, NDArray[np.float32]] = {}

    def __call__(self, what: str) -> NDArray[np.float32]:
        """Of the whole grid; of `network` the numbers of two trained networks."""
        if what not in self.found:
            done = subprocess.run(
                [*self.command, what], input=GRID.tobytes(), check=True, capture_output=True
            )
            self.found[what] = np.frombuffer(done.stdout, np.float32)
        return self.found[what]


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Form:
    name = "avx2" if platform.machine() == "x86_64" else "neon, itself"
    return Form(name, tmp_path_factory.mktemp("form"))


@pytest.mark.parametrize("name", ACCURACY)
def test_accuracy_against_float64(name: str, first: Form) -> None:
    function, low, high, most = ACCURACY[name]
    inside = (low <= GRID) & (high >= GRID)
    found = first(name)[inside].astype(np.float64)
    right = function(GRID[inside].astype(np.float64))
    # The last place of a number that is too small to be normal is that of the smallest normal.
    units = np.spacing(np.maximum(np.abs(right), np.finfo(np.float32).tiny).astype(np.float32))
    off = np.abs(found - right) / units
    worst = int(off.argmax())
    assert off[worst] <= most, f"{off[worst]:.3f} at {GRID[inside][worst]!r}"


def test_no_number_stays_none(first: Form) -> None:
    nothing = np.isnan(GRID)
    assert nothing.sum() == 2
    for name in ("exp", "log", "tanh", "sigmoid", "softplus", "erf"):
        assert np.isnan(first(name)[nothing]).all(), name


@pytest.mark.parametrize("name", [name for name in FORMS if name != "avx2"])
def test_every_form_gives_the_same_bits(name: str, first: Form, tmp_path: Path) -> None:
    form = Form(name, tmp_path)
    for what in (*ACCURACY, "network"):
        ours, other = first(what), form(what)
        assert np.isfinite(ours).all() or what != "network"
        numbers = ~np.isnan(ours)  # which of the NaNs it is, IEEE 754 leaves open
        np.testing.assert_array_equal(numbers, ~np.isnan(other), what)
        np.testing.assert_array_equal(
            ours[numbers].view(np.int32), other[numbers].view(np.int32), what
        )


def test_clang_compiles_the_kernel(tmp_path: Path) -> None:
    if not shutil.which("clang"):
        pytest.skip("clang is not installed")
    library = tmp_path / "kernel.so"
    options = [*OPTIONS, "-Werror", "-fPIC", "-shared", "-fvisibility=hidden"]
    subprocess.run(
        ["clang", *options, str(FOLDER / "kernel.c"), "-o", str(library), "-lm"], check=True
    )
    assert ctypes.CDLL(str(library)).exp_level() in range(4)


@pytest.mark.skipif(form() is None, reason="exp was installed without a compiler")
def test_a_kernel_of_other_source_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """As after a pull without a new install."""
    monkeypatch.setattr(structures, "Stack", structures.Split)
    with pytest.raises(ConfigError, match=r"(?s)_kernel.*install exp again"):
        train([Job.of(make_plan(seed=1))])
