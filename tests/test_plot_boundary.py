"""`exp.plot_boundary` for any model, and `run.model`, the trained network by itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier
from torch import nn

import exp
from exp.plotting.style import THEMES, palette
from exp.util.errors import ExpError

RNG = np.random.default_rng(0)
X = RNG.normal(size=(80, 2))
Y = (X[:, 0] > 0.3).astype(int)
NAMED = np.array(["left", "right"])[Y]
FRAME = pd.DataFrame({"size": X[:, 0], "weight": X[:, 1], "colour": np.where(Y, "red", "blue")})


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    pyplot.switch_backend("agg")
    yield
    pyplot.close("all")


def where(axes: Axes, x: float, y: float = 0.0) -> int:
    """The class whose colour the map has at a point."""
    (image,) = axes.images
    left, right, low, high = image.get_extent()
    pixels = np.asarray(image.get_array())
    row = int((y - low) / (high - low) * pixels.shape[0])
    column = int((x - left) / (right - left) * pixels.shape[1])
    found = pixels[row, column, :3]
    page = np.array(to_rgb(THEMES["light"].page))
    tints = palette(len(legend(axes, classes=True)), THEMES["light"]) - page
    return int((tints @ (found - page) / np.linalg.norm(tints, axis=1)).argmax())


def legend(axes: Axes, *, classes: bool = False) -> list[str]:
    key = axes.get_legend()
    assert key is not None
    texts = [each.get_text() for each in key.get_texts()]
    others = ("misclassified", "decision boundary", "probability 0.9", "train, filled")
    return [each for each in texts if each not in (*others, "test, hollow")] if classes else texts


def step(rows: Any) -> Any:
    """Right of 0.3 is the second class, for sure."""
    values = rows["size"].to_numpy() if isinstance(rows, pd.DataFrame) else np.asarray(rows)[:, 0]
    return (values > 0.3).astype(int)


def network() -> nn.Sequential:
    """Logits of `step`, with dropout that would show in training mode."""
    net = nn.Sequential(nn.Dropout(0.5), nn.Linear(2, 1))
    with torch.no_grad():
        net[1].weight.copy_(torch.tensor([[10.0, 0.0]]))  # type: ignore[operator]
        net[1].bias.fill_(-3.0)  # type: ignore[operator, arg-type]
    return net


MODELS: list[Any] = [
    step,
    lambda rows: step(rows).astype(float),
    lambda rows: np.column_stack([1 - step(rows), step(rows)]).astype(float),
    lambda rows: np.array(["left", "right"])[step(rows)],
    network(),
    nn.Sequential(network(), nn.Sigmoid()),
    LogisticRegression().fit(X, NAMED),
    LinearSVC().fit(X, NAMED),
    exp.Classifier(optimizer="adam", lr=0.1, epochs=100).fit(X, NAMED),
]


@pytest.mark.parametrize("at", range(len(MODELS)))
def test_any_model_has_a_boundary(at: int) -> None:
    axes = exp.plot_boundary(MODELS[at], X, NAMED)
    assert legend(axes, classes=True) == ["left", "right"]
    assert [where(axes, -1.0), where(axes, 1.5)] == [0, 1]
    drawn = [line for line in axes.collections if len(line.get_paths())]
    middle = np.concatenate([path.vertices for path in drawn[-1].get_paths()])
    if at < len(MODELS) - 3:
        assert np.abs(middle[:, 0] - 0.3).max() < 0.03
        assert axes.get_title("left") == "80 rows, 0 misclassified (0 %)"


def test_a_module_stays_as_it_was() -> None:
    net = network()
    net[1].eval()
    state = [part.training for part in net.modules()]
    before = {name: value.clone() for name, value in net.state_dict().items()}
    exp.plot_boundary(net, torch.tensor(X), torch.tensor(Y)[:, None])
    assert [part.training for part in net.modules()] == state
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())


def test_many_classes_have_their_names() -> None:
    labels = (np.arctan2(X[:, 1], X[:, 0]) // (2 * np.pi / 3) + 2).astype(int)
    names = ["x", "y", "z", "w"]
    tree = DecisionTreeClassifier().fit(X, labels)
    axes = exp.plot_boundary(tree, X, labels)
    assert legend(axes, classes=True) == [str(each) for each in tree.classes_]
    axes = exp.plot_boundary(lambda rows: np.eye(4)[tree.predict(rows)], X, labels, classes=names)
    assert legend(axes, classes=True) == names
    assert where(axes, *X[0]) == labels[0]


def test_frames_keep_their_columns() -> None:
    """A model fitted with names warns where they are missing; texts are constant on the map."""
    numbers = FRAME[["size", "weight"]]
    axes = exp.plot_boundary(LogisticRegression().fit(numbers, NAMED), numbers, pd.Series(NAMED))
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("size", "weight")
    seen = []

    def chances(rows: pd.DataFrame) -> Any:
        seen.append(rows)
        return step(rows)

    axes = exp.plot_boundary(chances, FRAME, NAMED, features=["weight", "size"], resolution=20)
    assert axes.get_xlabel().startswith("weight")
    assert list(seen[0]["colour"].unique()) == ["blue"]
    assert list(seen[0].columns) == list(FRAME.columns)
    with pytest.raises(ExpError, match="column 'colour' contains texts"):
        exp.plot_boundary(step, FRAME, NAMED)


def test_more_features_lie_in_a_plane() -> None:
    """A feature of large numbers does not decide the plane, and rows lie where their points do."""
    wide = np.column_stack([X, 1e6 * X[:, 1], X[:, 0] + 5])
    axes = exp.plot_boundary(step, wide, Y)
    assert axes.get_xlabel().startswith("PC 1 (")
    assert axes.get_title("left") == "80 rows, 0 misclassified (0 %)"
    dots = [(line, line.get_xydata()) for line in axes.lines]
    for label, (_, places) in enumerate(dots[:2]):
        hits = [where(axes, *place) == label for place in np.asarray(places)]
        assert np.mean(hits) > 0.95


def test_own_axes(tmp_path: Path) -> None:
    figure, (left, right) = pyplot.subplots(1, 2)
    assert exp.plot_boundary(network(), X, Y, ax=right) is right
    assert not left.has_data()
    figure.savefig(tmp_path / "both.png")


@pytest.mark.parametrize(
    ("model", "changed", "says"),
    [
        (network(), {"y": X[:, 0]}, "different numbers: a boundary needs classes"),
        (network(), {"y": Y[:3]}, r"expected 80 classes, one for each row, found \[3\]"),
        (network(), {"y": None}, "y missing"),
        (network(), {"X": np.zeros((80, 3))}, "cannot take rows of 3 features"),
        (network(), {"X": np.full((80, 2), np.nan)}, "row 0 has no finite number in column 'x1'"),
        (network(), {"y": np.arange(80) % 3}, r"y has 3 classes \(0, 1, 2\), and the model only 2"),
        (network(), {"classes": ["a"]}, "classes: expected 2 names, found 1"),
        (network(), {"theme": "drak"}, "Did you mean 'dark'"),
        (network(), {"features": ["x1", "x3"]}, "unknown column 'x3'"),
        (network(), {"outputs": "probabilities"}, "For logits, use outputs='logits'"),
        (lambda rows: 9 * rows[:, 0], {}, "which are no probabilities"),
        (lambda rows: rows[:5, 0], {}, r"shape \[5\] for 40000 rows"),
        (lambda rows: network()(rows), {}, "raised TypeError with a NumPy array of shape"),
        (LogisticRegression, {}, "is a class: create a model of it"),
        (LinearRegression().fit(X, Y), {}, "LinearRegression predicts numbers"),
        ("mlp", {}, "expected a run, a torch.nn.Module"),
    ],
)
def test_errors_say_what_to_do(model: Any, changed: dict[str, Any], says: str) -> None:
    with pytest.raises(ExpError, match=says):
        exp.plot_boundary(model, **{"X": X, "y": Y, **changed})
    assert not pyplot.get_fignums()


def test_outputs_that_could_be_either_are_refused() -> None:
    class Small(nn.Module):
        def forward(self, rows: torch.Tensor) -> torch.Tensor:
            return torch.sigmoid(3 * (rows[:, :1] - 0.3))

    with pytest.raises(ExpError, match=r"outputs='probabilities' \(after a sigmoid\)"):
        exp.plot_boundary(Small(), X, Y)
    axes = exp.plot_boundary(Small(), X, Y, outputs="probabilities")
    assert [where(axes, -1.0), where(axes, 1.5)] == [0, 1]


CUSTOM = """
from torch import nn
from exp import register

@register.model("scaled")
def scaled(in_features: int, out_features: int) -> nn.Module:
    "A linear model behind a norm."
    return nn.Sequential(nn.BatchNorm1d(in_features), nn.Linear(in_features, out_features))
"""
SETTINGS: list[dict[str, Any]] = [
    {"dataset": "moons"},
    {"dataset": "spirals", "model": {"hidden": []}, "split.standardize": True},
    {"dataset": "moons", "model": "scaled", "plugins": ["./scaled.py"]},
    {"dataset": "iris", "features": "polynomial", "device": {"dtype": "float64"}},
    {
        "dataset": "moons", "split.validation": 0.2, "optimizer.lr": 0.5,
        "trainer": {"early_stopping": 3, "restore_best": True, "epochs": 60},
    },
]  # fmt: skip


@pytest.mark.parametrize("at", range(len(SETTINGS)))
def test_the_model_of_a_run_has_its_final_scores(
    in_tmp: Path, at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    (in_tmp / "scaled.py").write_text(CUSTOM)
    monkeypatch.syspath_prepend(str(in_tmp))
    given = {"optimizer": "adam", "trainer.epochs": 20, "figures": "none", **SETTINGS[at]}
    if "trainer" in given:
        del given["trainer.epochs"]
    if given.get("plugins"):
        given["plugins"] = ["scaled"]
    run = exp.run(progress=False, **given)
    test = run.predictions[run.predictions["split"] == "test"]
    rows, names = test[list(run.predictor.features)], list(run.predictor.classes)
    truth = torch.tensor([names.index(str(label)) for label in test["label"]])
    for loaded in (run, exp.load(run.path, trust=True)):
        assert isinstance(loaded, exp.api.run.Run)
        logits = loaded.model(loaded.inputs(rows))
        if len(names) == 2:
            loss = nn.functional.binary_cross_entropy_with_logits(logits[:, 0], truth.to(logits))
            right = (logits[:, 0] > 0) == truth
        else:
            loss, right = nn.functional.cross_entropy(logits, truth), logits.argmax(1) == truth
        final = run.summary["final"]
        assert float(loss.detach()) == pytest.approx(final["test/loss"], abs=1e-6)
        assert float(right.float().mean()) == pytest.approx(final["test/accuracy"], abs=1e-6)
        loss.backward()  # it can be trained further
    before = run.predict_proba(rows)
    with torch.no_grad():
        for parameter in run.model.parameters():
            parameter.zero_()
    assert (run.predict_proba(rows) == before).all()
    assert (exp.load(run.path, trust=True).predict_proba(rows) == before).all()  # type: ignore[union-attr]


def test_a_run_draws_its_own_rows(in_tmp: Path) -> None:
    run = exp.run(
        dataset="spirals", optimizer="adam", figures="none", progress=False,
        **{"split.standardize": True, "trainer.epochs": 300, "model.hidden": [16, 16]},
    )  # fmt: skip
    axes = exp.plot_boundary(run)
    assert "test, hollow" in legend(axes)
    wrong = int((run.predictions["predicted"] != run.predictions["label"]).sum())
    assert axes.get_title("left").startswith(f"300 rows, {wrong} misclassified")
    again = exp.plot_boundary(run, run.predictions[["x2", "x1"]], run.predictions["label"])
    assert again.get_title("left") == axes.get_title("left")
    regression = exp.run(dataset="line", figures="none", progress=False, **{"trainer.epochs": 2})
    with pytest.raises(ExpError, match="a regression: a boundary needs classes"):
        exp.plot_boundary(regression)
