"""`exp check` finds what is wrong with a component, and nothing where nothing is."""

from __future__ import annotations

import itertools
import os
import sys
from pathlib import Path

import pytest

from commands import inside
from custom_modules import forgotten
from exp.cli.check import failures
from exp.cli.check.subject import Subject
from exp.cli.check.suite import run
from exp.cli.new import USES, skeleton
from exp.registry.registry import register
from fork_server import forked

NUMBERS = itertools.count()


def planted(where: Path, kind: str, *changes: tuple[str, str], file: int = 0) -> str:
    """A sound component of a kind with changes in one of its files; the name of its module."""
    name = f"planted_{next(NUMBERS)}"
    contents = skeleton(kind, name)
    for number, (path, text) in enumerate(contents.items()):
        if number == file:
            for old, new in changes:
                assert old in text, old
                text = text.replace(old, new.replace("NAME", name), 1)
        if text:
            (where / path).parent.mkdir(parents=True, exist_ok=True)
            (where / path).write_text(text)
    return name


RNG = "rng = np.random.default_rng(seed)"
FORWARD = "return self.last(torch.tanh(self.value(rows)) * torch.sigmoid(self.gate(rows)))"
SIGMOID = "return x * torch.sigmoid(self.slope * x)"
BUILT = "return NAME(in_features, out_features, width)"
ENTROPY = "return F.binary_cross_entropy_with_logits("

FAULTS: dict[str, tuple[str, tuple[tuple[str, str], ...], str]] = {
    "rows of one dimension": (
        "dataset",
        (("checked(X,", "checked(X[:, 0],"),),
        "rows: | DataError: X has shape [600] and y [600], expected [rows, features] and [rows]",
    ),
    "float labels": (
        "dataset",
        (("(X, y,", "(X, y * 1.0,"),),
        "rows: | DataError: y has dtype float64, expected integers 0..K-1",
    ),
    "a label out of range": (
        "dataset",
        (("% 3", "% 4"),),
        "rows: | label: 3 is outside 0..2 ",
    ),
    "a row that is not a number": (
        "dataset",
        (("    return", "    X[3, 1] = np.nan\n    return"),),
        "rows: | DataError: the data cannot be used: row 3, column 'x2': nan is not a finite",
    ),
    "no Data": (
        "dataset",
        (("return Data.checked(X, y, ", "return dict(rows=X, y=y, "),),
        "rows: | returned a mapping of 'rows', 'y'",
    ),
    "unseeded": (
        "dataset",
        ((RNG, "rng = np.random.default_rng()"),),
        "seeded: | X[0, 0] = ",
    ),
    "drawn from the global generator": (
        "dataset",
        ((RNG, "rng = np.random"),),
        "global generators: | numpy.random changed",
    ),
    "the global generator seeded": (
        "dataset",
        ((RNG, "np.random.seed(seed)\n    rng = np.random"),),
        "global generators: | numpy.random changed",
    ),
    "a generator shared by all calls": (
        "dataset",
        (
            (RNG, "rng = KEPT.setdefault('rng', np.random.default_rng(seed))"),
            ("@register", "KEPT = {}\n\n\n@register"),
        ),
        "no shared state: | X[0, 0] ",
    ),
    "rows in a buffer that is used again": (
        "dataset",
        (
            ("    return Data", "    BUFFER[:] = X\n    X = BUFFER\n    return Data"),
            ("@register", "BUFFER = np.empty((600, 2), np.float32)\n\n\n@register"),
        ),
        "no shared state: | rows of the first call that a later call has changed",
    ),
    "a value that its type accepts and it does not": (
        "dataset",
        (
            ("noise: NonNegative", "noise: float"),
            ("noise * rng.normal(size=n_samples)", "rng.normal(0, noise, n_samples)"),
        ),
        "bad values: | noise=-1.0 accepted by its type, then ValueError: scale < 0",
    ),
    "no annotation": (
        "dataset",
        (("noise: NonNegative = 0.05", "noise=0.05"),),
        "annotations: | none for noise",
    ),
    "no docstring": (
        "activation",
        (('"""x * sigmoid(slope * x): with', 'about = """'),),
        "docstring: | no docstring",
    ),
    "logits without the dimension of rows": (
        "model",
        ((FORWARD, FORWARD + "[:, 0]"),),
        "shapes: | logits [7] where [7, 1] are expected from rows [7, 2]",
    ),
    "rows changed in place": (
        "model",
        ((FORWARD, f"rows.mul_(2.0)\n        {FORWARD}"),),
        "rows kept: | rows that it has changed",
    ),
    "weights from NumPy": (
        "model",
        (
            (
                BUILT,
                (
                    "import numpy as np\n\n    found = NAME(in_features, out_features, width)\n"
                    "    found.gate.bias.data.fill_(np.random.rand())\n    return found"
                ),
            ),
        ),
        "seeded: | other gate.bias",
    ),
    "torch seeded by a model": (
        "model",
        ((BUILT, "torch.manual_seed(0)\n    " + BUILT),),
        "global generators: | torch's generator seeded by it",
    ),
    "one module for all": (
        "model",
        (
            (
                BUILT,
                (
                    "key = in_features, out_features\n    if key not in KEPT:\n        KEPT[key] = "
                    "NAME(in_features, out_features, width)\n    return KEPT[key]"
                ),
            ),
            ("class ", "KEPT = {}\n\n\nclass "),
        ),
        "no shared state: | value.weight shared by two modules",
    ),
    "dropout that eval() does not stop": (
        "model",
        ((FORWARD, f"rows = nn.functional.dropout(rows, 0.5)\n        {FORWARD}"),),
        "evaluation: | different logits the second time",
    ),
    "rows that see each other": (
        "model",
        ((FORWARD, f"rows = rows - rows.mean(dim=0)\n        {FORWARD}"),),
        "evaluation: | logits of a row that change by ",
    ),
    "float64 lost": (
        "model",
        ((FORWARD, FORWARD + ".float()"),),
        "dtype: | torch.float32 from torch.float64",
    ),
    "a loss that is no loss of each run": (
        "loss",
        (
            (ENTROPY, ENTROPY.replace("(", "(").replace("return ", "return 1 * ")),
            ('reduction="none"', 'reduction="mean"'),
        ),
        "per run and row: | shape [] where [3, 32] is expected",
    ),
    "a loss that mixes runs": (
        "loss",
        (("cooled = self.cooled(logits)", "cooled = self.cooled(logits) / logits.std()"),),
        "runs apart: | different losses in a stack, with 2 classes",
    ),
    "a loss that mixes rows": (
        "loss",
        (
            (
                "cooled = self.cooled(logits)",
                "cooled = self.cooled(logits) - logits.mean(dim=-1, keepdim=True)",
            ),
        ),
        "rows apart: | a loss of row 0 that changes by ",
    ),
    "probabilities that do not sum to 1": (
        "loss",
        (
            (
                "super().probabilities(self.cooled(logits))",
                "0.9 * super().probabilities(self.cooled(logits))",
            ),
        ),
        "probabilities: | a sum of 0.9",
    ),
    "labels of the other class": (
        "loss",
        (
            (
                "    def probabilities",
                (
                    "    def labels(self, logits: Tensor) -> Tensor:\n"
                    "        return 1 - super().labels(logits).clamp_max(1)\n\n"
                    "    def probabilities"
                ),
            ),
        ),
        "labels: | labels that are not the most probable class",
    ),
    "a loss of the wrong sign": (
        "loss",
        ((ENTROPY, ENTROPY.replace("return ", "return -")),),
        "direction: | ",
    ),
    "an optimizer that mixes runs": (
        "optimizer",
        (("mean.addcmul_(self.gradient()", "mean.addcmul_(self.gradient().mean(0)"),),
        "runs apart: | different values of run 0 in a stack of 3 than alone",
    ),
    "a state that is not saved": (
        "optimizer",
        (
            (
                'return {"mean": self.zeros()}',
                'self.hidden = {"mean": self.zeros()}\n        return {}',
            ),
            ('self.state["mean"]', 'self.hidden["mean"]'),
        ),
        "resume: | different values: `state` does not contain everything that it needs",
    ),
    "an optimizer that climbs": (
        "optimizer",
        (("value=-1", "value=1"),),
        "descends: | ",
    ),
    "an activation that sees other numbers": (
        "activation",
        ((SIGMOID, SIGMOID + " - x.mean()"),),
        "one by one: | different values in a stack: it is marked elementwise, but it is not",
    ),
    "an activation in place": (
        "activation",
        ((SIGMOID, "return x.mul_(torch.sigmoid(self.slope * x))"),),
        "input kept: | numbers that the activation has changed (inplace?)",
    ),
    "an activation that overflows": (
        "activation",
        ((SIGMOID, "return x.exp() / (1 + x.exp())"),),
        "finite: | value nan at x = ",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_named(fault: str, in_tmp: Path) -> None:
    kind, changes, line = FAULTS[fault]
    title = "".join(part.capitalize() for part in f"planted_{next(NUMBERS) + 1}".split("_"))
    changes = tuple(
        (old.replace("NAME", title), new.replace("NAME", title)) for old, new in changes
    )
    name = planted(in_tmp, kind, *changes)
    with forgotten(name):
        found = failures(name)
    check, fragment = line.split("| ")
    assert any(f"  {check}" in each and fragment in each for each in found), found
    assert all(each.startswith(f"FAIL  {kind}={name}  ") for each in found)


OPTION_FILES = {
    "another name": (("name: ", "name: x"), "found no `name: {name}` in conf/dataset/{name}.yaml"),
    "a bad value": (
        ("noise: 0.05", "noise: -1"),
        "found dataset.noise: expected a number greater than or equal to 0, found -1",
    ),
    "a strange key": (
        ("noise: 0.05", "nose: 1"),
        (
            "found dataset.nose: unknown parameter of dataset {name} 'nose'. Did you mean "
            "'noise'? It "
            "takes: n_samples, noise, positive"
        ),
    ),
}


FILE = (
    "option file: expected an option file conf/GROUP/NAME.yaml with valid parameters, or a default "
    "for each"
)


@pytest.mark.parametrize("fault", OPTION_FILES)
def test_an_option_file_that_is_not_right_is_named(fault: str, in_tmp: Path) -> None:
    change, line = OPTION_FILES[fault]
    name = planted(in_tmp, "dataset", change, file=1)
    with forgotten(name):
        found = failures(name)
    assert found[0] == f"FAIL  dataset={name}  {FILE}, {line.format(name=name)}"


@pytest.mark.parametrize("default", [True, False])
def test_without_an_option_file_the_defaults_are_tried(default: bool, in_tmp: Path) -> None:
    changes = [] if default else [("n_samples: Rows = 600", "n_samples: Rows")]
    name = planted(in_tmp, "dataset", *changes)
    file = f"conf/dataset/{name}.yaml"
    (in_tmp / file).unlink()
    with forgotten(name):
        found = failures(name)
    line = f"FAIL  dataset={name}  {FILE}, found no {file}, and no default for n_samples"
    assert found[:1] == ([] if default else [line])


@pytest.mark.parametrize("kind", USES)
def test_a_sound_component_passes(kind: str, in_tmp: Path) -> None:
    name = planted(in_tmp, kind)
    with forgotten(name):
        ended = inside(in_tmp, "check", name)
    lines = ended.out.splitlines()
    assert ended.code == 0, ended.out
    assert all(line.startswith(f"ok    {kind}={name}  ") for line in lines[:-1])
    assert lines[-1] == f"{len(lines) - 1} checks, 0 failed"
    assert len(lines) > (5 if kind == "metric" else 8)


def test_the_exit_code_says_that_a_check_has_failed(in_tmp: Path) -> None:
    name = planted(in_tmp, "dataset", (RNG, "rng = np.random.default_rng()"))
    with forgotten(name):
        ended = inside(in_tmp, "check", name)
    assert ended.code == 1
    assert ended.out.splitlines()[-1].endswith("checks, 3 failed")


def test_what_cannot_be_checked_is_refused(in_tmp: Path) -> None:
    name = planted(in_tmp, "dataset")
    (in_tmp / "empty_module.py").write_text("")
    with forgotten(name, "empty_module"):
        assert inside(in_tmp, "check", "empty_module").err == (
            "exp: exp check: empty_module registers no component\n"
        )
        ended = inside(in_tmp, "check", name, "--name", "other")
    assert ended.code == 2
    assert ended.err == f"exp: exp check: unknown component of {name} 'other'. Known: {name}\n"
    assert "no module 'nowhere' in" in inside(in_tmp, "check", "nowhere").err


PACKAGED = {
    "dataset": ("moons", "two_spirals", "wine", "line"),
    "split": ("holdout", "last"),
    "model": ("linear", "mlp"),
    "activation": ("relu", "gelu", "tanh_from_exp", "identity"),
    "loss": ("bce", "cross_entropy", "focal", "mse", "l1"),
    "optimizer": ("sgd", "adam", "adagrad", "rmsprop", "rprop", "radam", "lbfgs"),
}


@pytest.mark.parametrize(("kind", "name"), [(k, n) for k, names in PACKAGED.items() for n in names])
def test_what_exp_ships_keeps_its_own_promises(kind: str, name: str, in_tmp: Path) -> None:
    assert name in register.kinds[kind].names()
    subject = Subject(register.kinds[kind].components[name])
    outcomes = run([subject])
    assert [each.line for each in outcomes if each.found is not None] == []
    assert len(outcomes) > 8


def test_pytest_runs_the_same_tests(in_tmp: Path) -> None:
    name = planted(in_tmp, "dataset", (RNG, "rng = np.random.default_rng()"))
    words = ["-p", "exp.cli.check.plugin", "--pyargs", "exp.cli.check", "--components", name]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *words]
    done = forked(command, in_tmp, os.environ)
    assert done.returncode == 1, done.stdout
    assert "3 failed, 6 passed" in done.stdout
    assert f"test_dataset.py::test_seeded[dataset={name}]" in done.stdout


def test_the_settings_of_the_user_s_project_do_not_count(
    in_tmp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (in_tmp / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n")
    (in_tmp / "conftest.py").write_text("raise SystemError\n")
    monkeypatch.setenv("PYTEST_ADDOPTS", "--no-such-option")
    name = planted(in_tmp, "metric")
    with forgotten(name):
        assert failures(name) == []


def test_without_pytest_it_says_what_to_install(
    in_tmp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exp.cli.check.importable", lambda module: False)
    ended = inside(in_tmp, "check", "anything")
    assert ended.code == 2
    assert ended.err == "exp: exp check needs pytest: pip install 'exp[check]'\n"
