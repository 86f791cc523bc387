"""What a wrong word of a command line was meant to be: the hint is right, and what it offers works.

Each test takes the `Did you mean ...?` of an error, types that instead, and has exp compose and
validate the new command line.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from commands import SMALL, inside, runs
from exp.config.suggestions import of_key, of_option, options, split_words
from exp.registry import aliases
from exp.registry.registry import register
from exp.sweeps.recompose import composed

OFFERED = re.compile(r"Did you mean (.+?)\?(?:$| [A-Z(])", re.MULTILINE)


def offered(text: str) -> list[str]:
    """The words of a message's one hint."""
    (hint,) = OFFERED.findall(text)
    return shlex.split(hint)


TYPED = {
    "run.dir=x": "hydra.run.dir=x",
    "n_samples=100": "dataset.n_samples=100",
    "lr=0.1": "optimizer.lr=0.1",
    "lr=0,1": "optimizer.lr=0.1",
    "optimizer.lr=0,05": "optimizer.lr=0.05",
    "epoch=100": "trainer.epochs=100",
    "max_iter=100": "trainer.epochs=100",
    "batch_size=32": "trainer.batch_size=32",
    "hidden=[8]": "model.hidden=[8]",
    "hidden_layer_sizes=(16,)": "model.hidden=[16]",
    "hidden_layer_sizes=8,8": "model.hidden=[8,8]",
    "learning_rate_init=0.1": "optimizer.lr=0.1",
    "random_state=3": "seed=3",
    "test_size=0.3": "split.test=0.3",
    "data.noise=0.1": "dataset.noise=0.1",
    "optim.lr=0.1": "optimizer.lr=0.1",
    "criterion=bce": "loss=bce",
    "optimizer.learning_rate=0.1": "optimizer.lr=0.1",
    "optimizer.epochs=5": "trainer.epochs=5",
    "optimizer.alpha=0.1": "loss.l2=0.1",
    "trainer.epoch=5": "trainer.epochs=5",
    "model.hidden=8,8": "model.hidden=[8,8]",
    "model.hidden=16": "model.hidden=[16]",
    "model.hidden=(8,4)": "model.hidden=[8,4]",
    "trainer.epochs=1e2": "trainer.epochs=100",
    "trainer.batch_size=None": "trainer.batch_size=null",
    "optimizer.nesterov=0": "optimizer.nesterov=false",
    "split.stratify=yes": "split.stratify=true",
    "figures=boundary": "figures.draw=[boundary]",
    "figures=[boundary,roc]": "figures.draw=[boundary,roc]",
    "figures.draw=boundary": "figures.draw=[boundary]",
    "model=adam": "optimizer=adam",
    "features=StandardScaler": "split.standardize=true",
    "optimizer=ReLU": "model.activation=relu",
    "optimizer.lr= 0.3": "optimizer.lr=0.3",
    "dataset = spirals": "dataset=spirals",
    "dataset= spirals": "dataset=spirals",
    "dataset =spirals": "dataset=spirals",
    "model.hidden=[8, 8]": "model.hidden=[8, 8]",
    "AdamW seed=1": "optimizer=adamw",
    "--lr 0.1": "optimizer.lr=0.1",
    "--epochs=5": "trainer.epochs=5",
    "-lr=0.1": "optimizer.lr=0.1",
    "--batch-size 32": "trainer.batch_size=32",
    "moons": "dataset=moons",
    "sgd": "optimizer=sgd",
    "LogisticRegression": "model=linear",
    "blog_moons": "experiment=blog_moons",
}
"""What is typed, split at spaces as by a shell -> what the hint has in its place."""


@pytest.mark.parametrize("typed", TYPED)
def test_the_command_line_that_is_offered_is_accepted(in_tmp: Path, typed: str) -> None:
    ended = inside(in_tmp, *typed.split(" "))
    assert ended.code == 2
    words = offered(ended.err)
    assert words == [TYPED[typed]]
    assert composed(words) is not None
    assert list(in_tmp.iterdir()) == []


FOREIGN = {
    "activation": {"ReLU": "relu", "nn.LeakyReLU()": "leaky_relu", "SiLU": "silu",
                   "swish": "silu", "GELU": "gelu", "logistic": "sigmoid", "Tanh": "tanh"},
    "dataset": {"make_moons": "moons", "make_circles": "circles", "make_blobs": "blobs",
                "load_iris": "iris", "load_wine": "wine", "load_digits": "digits"},
    "device": {"gpu": "cuda", "cuda:0": "cuda", "CPU": "cpu"},
    "features": {"PolynomialFeatures": "polynomial", "RBFSampler": "fourier"},
    "loss": {"BCEWithLogitsLoss": "bce", "nn.BCELoss": "bce", "CrossEntropyLoss": "cross_entropy",
             "NLLLoss": "cross_entropy", "MSELoss": "mse", "L1Loss": "l1", "log_loss": "bce"},
    "model": {"MLPClassifier": "mlp", "LogisticRegression": "linear", "Perceptron": "linear"},
    "optimizer": {"SGD": "sgd", "torch.optim.AdamW": "adamw", "Adam": "adam",
                  "RMSprop": "rmsprop", "RAdam": "radam", "LBFGS": "lbfgs"},
    "scheduler": {"StepLR": "step", "MultiStepLR": "multistep", "ExponentialLR": "exponential",
                  "CosineAnnealingLR": "cosine", "ReduceLROnPlateau": "plateau",
                  "OneCycleLR": "one_cycle", "constant": "none", "None": "none"},
    "split": {"train_test_split": "holdout", "StratifiedKFold": "kfold", "KFold": "kfold"},
}  # fmt: skip


@pytest.mark.parametrize(
    ("group", "word"), [(group, word) for group, names in FOREIGN.items() for word in names]
)
def test_a_name_of_pytorch_or_scikit_learn_leads_to_the_option(group: str, word: str) -> None:
    hint = of_option(group, word, options(group))
    assert hint == f" Did you mean {FOREIGN[group][word]!r}?"


def test_every_alias_names_an_option_that_there_is() -> None:
    for group, table in aliases.OPTIONS.items():
        assert set(table) <= set(register.kinds[group].names()), group


@pytest.mark.parametrize("line", aliases.OVERRIDES)
def test_overrides_that_stand_for_a_foreign_name_are_accepted(in_tmp: Path, line: str) -> None:
    assert composed(line.split()) is not None


def test_every_alias_of_a_key_leads_to_a_key_that_some_option_has(in_tmp: Path) -> None:
    for path, names in aliases.KEYS.items():
        group, _, key = path.rpartition(".")
        if group in register.kinds:
            kind = register.kinds[group]
            owners = [name for name in kind.names() if key in kind.components[name].parameters]
            assert owners, path
            config = {group: {key: None}}
            assert of_key(config, names[0]) == f" Did you mean {path!r}?"


def test_a_sweep_is_offered_where_several_options_are_named(in_tmp: Path) -> None:
    for typed, wanted in (
        ("optimizer=[sgd,adam]", "optimizer=sgd,adam"),
        ("optimizer=[adam,adamw]", "optimizer=adam,adamw"),  # which Hydra would merge into one
        ("seed=1,2", "seed=1,2"),
    ):
        ended = inside(in_tmp, typed, *SMALL)
        assert ended.code == 2
        assert offered(ended.err) == ["-m", wanted]
    ended = inside(in_tmp, *offered(ended.err), *SMALL, "sweep.n_jobs=1")
    assert ended.code == 0
    assert len(runs(in_tmp)) == 2


def test_several_loggers_are_no_mistake(in_tmp: Path) -> None:
    ended = inside(in_tmp, "logger=[none]", *SMALL)
    assert ended.code == 0, ended.err


def test_a_table_is_offered_with_the_option_that_reads_it(in_tmp: Path) -> None:
    (in_tmp / "my flowers.csv").write_text("a,kind\n" + "1,x\n2,y\n" * 10)
    for typed in ("dataset=my\\ flowers.csv", "dataset='my flowers.csv'"):
        words = offered(inside(in_tmp, typed, "figures=none").err)
        assert words == ["dataset=csv", "dataset.path=my flowers.csv", "dataset.target=COLUMN"]
    assert offered(inside(in_tmp, "dataset=a.parquet").err)[0] == "dataset=parquet"
    assert offered(inside(in_tmp, "dataset=a.npz").err) == ["dataset=npz", "dataset.path=a.npz"]


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("run", "A run has no verb: exp by itself trains"),
        ("trian", "A run has no verb: exp by itself trains"),
        ("train dataset=moons", "'train'  expected key=value"),
        ("train dataset=moons", "A run has no verb: leave this word out"),
        ("runs", "Did you mean results?"),
        ("help", "Did you mean --help?"),
        ("version", "Did you mean --version?"),
        ("evaluate runs", "Did you mean predict runs?"),
        ("ls dataset", "Did you mean list dataset?"),
        ("epochs", "A setting needs a value: trainer.epochs=VALUE."),
        ("flowers.csv", "Did you mean dataset=csv dataset.path=flowers.csv"),
    ],
)
def test_a_lone_word(in_tmp: Path, typed: str, told: str) -> None:
    ended = inside(in_tmp, *typed.split())
    assert ended.code == 2
    assert told in ended.err


def test_a_flag_that_there_is_not(in_tmp: Path) -> None:
    ended = inside(in_tmp, "--multirunn", "seed=1,2", "--foo")
    assert ended.code == 2
    assert "  --multirunn  there is no such flag. Did you mean '--multirun'?" in ended.err
    assert "  --foo        there is no such flag. Settings are written key=value" in ended.err
    ended = inside(in_tmp, "--cfg", "everything")
    assert (ended.code, ended.out) == (2, "")
    assert "invalid choice: 'everything'" in ended.err


def test_list_knows_the_group_of_an_option(in_tmp: Path) -> None:
    for word, wanted in (("moons", "dataset moons"), ("ReLU", "activation relu")):
        words = offered(inside(in_tmp, "list", word).err)
        assert words == ["exp", "list", *wanted.split()]
        assert inside(in_tmp, *words[1:]).code == 0


def test_words_in_the_wrong_order(in_tmp: Path) -> None:
    (in_tmp / "a run").mkdir()
    (in_tmp / "new.csv").write_text("a\n1\n")
    told = inside(in_tmp, "predict", "new.csv", "a run").err
    assert offered(told) == ["exp", "predict", "a run", "new.csv"]
    told = inside(in_tmp, "rerun", "seed=1", "a run").err
    assert offered(told) == ["exp", "rerun", "a run", "seed=1"]
    assert "'new.csv' is a file, expected a directory" in inside(in_tmp, "resume", "new.csv").err
    assert "Did you mean 'a run'?" in inside(in_tmp, "resume", "a_run").err


@pytest.mark.parametrize(
    "words",
    [
        ("seed=", "dataset=moons"),
        ("seed=", "--cfg", "job"),
        ("model.hidden=[8,8]", "8]"),
        ("name=a]", "b"),
        ("x", "y", "z"),
    ],
)
def test_what_no_shell_has_split_is_left_as_it_is(words: tuple[str, ...]) -> None:
    assert list(split_words(words)) == []
