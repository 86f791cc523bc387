"""`exp check` finds what is wrong with a component, and nothing where nothing is."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from commands import inside
from exp.cli.check import failures
from exp.cli.check.subject import Subject
from exp.cli.check.suite import checks_of, tried
from exp.cli.new import USES, skeleton
from exp.registry.registry import register
from own import forgotten

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
        (
            "rows: expected an exp.data.Data: X [rows, features] float32, finite; y [rows] int64, "
            "0..K-1, or float32, found DataError: X has shape [600] and y [600], expected [rows, "
            "features] and [rows]"
        ),
    ),
    "float labels": (
        "dataset",
        (("(X, y,", "(X, y * 1.0,"),),
        "found DataError: y has dtype float64, expected integers 0..K-1",
    ),
    "a label out of range": (
        "dataset",
        (("% 3", "% 4"),),
        "label: 3 is outside 0..2 ",
    ),
    "a row that is not a number": (
        "dataset",
        (("    return", "    X[3, 1] = np.nan\n    return"),),
        "found DataError: the data cannot be used: row 3, column 'x2': nan is not a finite number",
    ),
    "no Data": (
        "dataset",
        (("return Data.checked(X, y, ", "return dict(rows=X, y=y, "),),
        "gave a mapping of 'rows', 'y'",
    ),
    "unseeded": (
        "dataset",
        ((RNG, "rng = np.random.default_rng()"),),
        (
            "seeded: expected the same rows from the same seed, whatever the global "
            "generators are, "
            "found X[0, 0] = "
        ),
    ),
    "drawn from the global generator": (
        "dataset",
        ((RNG, "rng = np.random"),),
        "global generators: expected no global random state touched, found numpy.random changed",
    ),
    "the global generator seeded": (
        "dataset",
        ((RNG, "np.random.seed(seed)\n    rng = np.random"),),
        "global generators: expected no global random state touched, found numpy.random changed",
    ),
    "a generator shared by all calls": (
        "dataset",
        (
            (RNG, "rng = KEPT.setdefault('rng', np.random.default_rng(seed))"),
            ("@register", "KEPT = {}\n\n\n@register"),
        ),
        "no shared state: expected the same rows again after those of other seeds, found X[0, 0] ",
    ),
    "rows in a buffer that is used again": (
        "dataset",
        (
            ("    return Data", "    BUFFER[:] = X\n    X = BUFFER\n    return Data"),
            ("@register", "BUFFER = np.empty((600, 2), np.float32)\n\n\n@register"),
        ),
        (
            "no shared state: expected the same rows again after those of other seeds, found "
            "rows of "
            "an earlier call that a later one has changed"
        ),
    ),
    "a value that its type accepts and it does not": (
        "dataset",
        (
            ("noise: NonNegative", "noise: float"),
            ("noise * rng.normal(size=n_samples)", "rng.normal(0, noise, n_samples)"),
        ),
        (
            "bad values: expected one clear error for a value that it cannot do with, found "
            "noise=-1.0 accepted by its type, then ValueError: scale < 0"
        ),
    ),
    "no annotation": (
        "dataset",
        (("noise: NonNegative = 0.05", "noise=0.05"),),
        (
            "annotations: expected a type for each parameter, so that a wrong value is "
            "refused, found "
            "none for noise"
        ),
    ),
    "no docstring": (
        "activation",
        (('"""x * sigmoid(slope * x): with', 'about = """'),),
        "docstring: expected a first paragraph that says what it is, found no docstring",
    ),
    "logits without the dimension of rows": (
        "model",
        ((FORWARD, FORWARD + "[:, 0]"),),
        (
            "shapes: expected rows [rows, in_features] to logits [rows, out_features], found "
            "logits "
            "[7] where [7, 1] are wanted of rows [7, 2]"
        ),
    ),
    "rows changed in place": (
        "model",
        ((FORWARD, f"rows.mul_(2.0)\n        {FORWARD}"),),
        "rows kept: expected the rows that it is given unchanged, found rows that it has changed",
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
        (
            "seeded: expected the same weights from the same seed of torch, whatever else is "
            "seeded, "
            "found other gate.bias"
        ),
    ),
    "torch seeded by a model": (
        "model",
        ((BUILT, "torch.manual_seed(0)\n    " + BUILT),),
        (
            "global generators: expected none seeded, and none drawn from but torch's, found "
            "torch's "
            "generator seeded by it"
        ),
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
        (
            "no shared state: expected weights of its own for each module that it builds, found "
            "value.weight shared by two modules"
        ),
    ),
    "dropout that eval() does not stop": (
        "model",
        ((FORWARD, f"rows = nn.functional.dropout(rows, 0.5)\n        {FORWARD}"),),
        (
            "evaluation: expected each row's logits by itself, and the same each time, in "
            "evaluation mode, "
            "found other logits the second time"
        ),
    ),
    "rows that see each other": (
        "model",
        ((FORWARD, f"rows = rows - rows.mean(dim=0)\n        {FORWARD}"),),
        (
            "evaluation: expected each row's logits by itself, and the same each time, in "
            "evaluation mode, "
            "found logits of a row that change by "
        ),
    ),
    "float64 lost": (
        "model",
        ((FORWARD, FORWARD + ".float()"),),
        (
            "dtype: expected logits in the type of its rows, float32 and float64, found "
            "torch.float32 "
            "from torch.float64"
        ),
    ),
    "a loss that is no loss of each run": (
        "loss",
        (
            (ENTROPY, ENTROPY.replace("(", "(").replace("return ", "return 1 * ")),
            ('reduction="none"', 'reduction="mean"'),
        ),
        (
            "per run and row: expected losses [runs, rows] of logits [runs, outputs, rows], found "
            "shape [] where [3, 32] is wanted"
        ),
    ),
    "a loss that mixes runs": (
        "loss",
        (("cooled = self.cooled(logits)", "cooled = self.cooled(logits) / logits.std()"),),
        (
            "runs apart: expected the same bits of a run's losses alone and in a stack, "
            "found other "
            "losses in a stack, with 2 classes"
        ),
    ),
    "a loss that mixes rows": (
        "loss",
        (
            (
                "cooled = self.cooled(logits)",
                "cooled = self.cooled(logits) - logits.mean(dim=-1, keepdim=True)",
            ),
        ),
        (
            "rows apart: expected the loss of a row whatever the other rows are, found a "
            "loss of row 0 "
            "that changes by "
        ),
    ),
    "probabilities that do not sum to 1": (
        "loss",
        (
            (
                "super().probabilities(self.cooled(logits))",
                "0.9 * super().probabilities(self.cooled(logits))",
            ),
        ),
        (
            "probabilities: expected [runs, classes, rows] in 0..1 that sum to 1 in each "
            "row, found a "
            "sum of 0.9"
        ),
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
        (
            "labels: expected the likeliest class of each row, int64, and correct() to say "
            "the same, "
            "found labels that are not the likeliest class"
        ),
    ),
    "a loss of the wrong sign": (
        "loss",
        ((ENTROPY, ENTROPY.replace("return ", "return -")),),
        "direction: expected a right answer that costs less than a wrong one, found ",
    ),
    "an optimizer that mixes runs": (
        "optimizer",
        (("mean.addcmul_(self.gradient()", "mean.addcmul_(self.gradient().mean(0)"),),
        (
            "runs apart: expected the same bits of each run alone and in a stack of three, "
            "found other "
            "values of run 0 in a stack of 3 than alone"
        ),
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
        (
            "resume: expected the same bits when it goes on from its saved state, found "
            "other values: "
            "`state` does not hold all it needs"
        ),
    ),
    "an optimizer that climbs": (
        "optimizer",
        (("value=-1", "value=1"),),
        "descends: expected a bowl that it goes down in",
    ),
    "an activation that sees other numbers": (
        "activation",
        ((SIGMOID, SIGMOID + " - x.mean()"),),
        (
            "one by one: expected the same bits for a run alone and in a stack of runs, "
            "found other "
            "values in a stack: it is marked elementwise and is not"
        ),
    ),
    "an activation in place": (
        "activation",
        ((SIGMOID, "return x.mul_(torch.sigmoid(self.slope * x))"),),
        (
            "input kept: expected the numbers that it is given unchanged, found numbers that "
            "it has "
            "changed (inplace?)"
        ),
    ),
    "an activation that overflows": (
        "activation",
        ((SIGMOID, "return x.exp() / (1 + x.exp())"),),
        "finite: expected finite values and slopes between -100 and 100, found value nan at x = ",
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
    assert any(line in each for each in found), found
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


FILE = "option file: expected conf/GROUP/NAME.yaml with valid parameters, or a default for each"


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
    told = f"FAIL  dataset={name}  {FILE}, found no {file}, and no default for n_samples"
    assert found[:1] == ([] if default else [told])


@pytest.mark.parametrize("kind", USES)
def test_a_sound_twin_passes(kind: str, in_tmp: Path) -> None:
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


def test_what_cannot_be_checked_is_told(in_tmp: Path) -> None:
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
    wrong = {check.name: tried(check, subject) for check in checks_of(kind)}
    assert {check: found for check, found in wrong.items() if found is not None} == {}
