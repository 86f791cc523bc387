"""The network as one diagram, the strip's choice of frames, and names too long for a line."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from commands import inside
from drawn import draw
from exp.plotting import Picture
from exp.plotting.boundary_strip import different
from exp.plotting.frames import Frames
from exp.plotting.style import THEMES, wrapped
from test_figures import picture, pixels, words


def network(first: Any, second: Any, **changes: Any) -> Picture:
    """Two inputs, two hidden units, one output; the units are 1 and -1 everywhere."""
    units = np.stack([np.ones((9, 9)), -np.ones((9, 9))])
    given = {
        "units": units, "unit_names": ("1.1", "1.2"), "inputs": units * 0,
        "input_names": ("length", "width"), "weights": (np.array(first), np.array(second)),
        "names": ("network",), "dpi": 100, "rows": 0, "frames": None,
    }  # fmt: skip
    return picture(**{"classes": 2, **given, **changes})


def rgb(colour: str) -> np.ndarray:
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_line_is_as_thick_as_its_weight_and_has_its_sign(tmp_path: Path, theme: str) -> None:
    given = network([[2.0, 0.0], [0.0, 0.0]], [[0.0, -1.0]], theme=theme)
    (path,) = draw(given, tmp_path)
    image = pixels(path)
    text = words(tmp_path, given, "network").split("\n")
    assert {"inputs", "layer 1", "2 units", "output", "prediction", "length", "width"} <= set(text)
    page = rgb(THEMES[theme].page) * 255
    inked = np.abs(image - page).max(axis=2) > 40
    tall = np.flatnonzero(inked.sum(axis=0) > 120)  # frames, and units that are full of colour
    blocks = np.split(tall, np.flatnonzero(np.diff(tall) > 1) + 1)
    # The inputs are empty, so they are two frames; then come the units, and then the output.
    gaps = [(blocks[1][-1], blocks[2][0]), (blocks[2][-1], blocks[3][0])]
    thick = []
    for (left, right), positive in zip(gaps, (True, False), strict=True):
        assert right - left > 90  # the lines between two columns
        column = image[60:, (left + right) // 2]  # below the heading
        strength = np.abs(column - page).max(axis=1)
        red, _, blue = column[strength.argmax()]
        assert red > blue + 60 if positive else blue > red + 40
        thick.append(int((strength > 60).sum()))
    assert thick[0] > thick[1] >= 2  # of the weights 2 and -1


def test_the_diagram_of_a_run_has_its_weights_and_of_others_says_why(in_tmp: Path) -> None:
    common = ("trainer.epochs=2", "figures.draw=[network]", "figures.format=[svg]")

    def drawn(*more: str) -> str:
        ended = inside(in_tmp, *common, *more, "run.reuse=false", f"hydra.run.dir={more[0]}")
        assert ended.code == 0, ended.err
        return (in_tmp / more[0] / "figures" / "network.svg").read_text()

    source = drawn("model.hidden=[20,3]")
    for said in ("16 of 20 units", "3 units", "not drawn: 4 units", "x1", "decision boundary"):
        assert said in source, said
    for more, reason in (
        (("dataset=iris",), "and there are 4 features"),
        (("model=linear",), "no hidden layers"),
    ):
        assert reason in drawn(*more)


def frames(shifts: list[float]) -> Frames:
    """Maps of a boundary that lies at these places."""
    xs = np.linspace(-1.0, 1.0, 20)
    p = [np.broadcast_to(1 / (1 + np.exp(-9 * (xs - shift))), (20, 20)) for shift in shifts]
    return Frames(
        epochs=np.arange(len(shifts)), xs=xs, ys=xs, classes=("a", "b"), axes=("x", "y"),
        probabilities=np.round(255 * np.array(p)[:, None]).astype(np.uint8),
    )  # fmt: skip


def test_a_strip_has_frames_that_look_different() -> None:
    # For a long time nothing changes, then the boundary walks, then nothing changes.
    still, walk = [-0.8] * 20, np.linspace(-0.8, 0.8, 12).tolist()
    chosen = different(frames([*still, *walk, *[0.8] * 30]), 8)
    assert (chosen[0], chosen[-1]) == (0, 61)
    assert len(chosen) == 8
    assert all(20 < place < 32 for place in chosen[1:-1])
    # What looks the same is shown once, and the last epoch is the one that stays.
    assert different(frames([0.1] * 9), 8) == [0, 8]
    assert different(frames([-0.5] * 4 + [0.5] * 5), 8) == [0, 8]
    assert different(frames([0.3]), 8) == [0]


def test_long_names_are_wrapped_and_never_cut_in_the_middle(tmp_path: Path) -> None:
    name = "Iris versicolor, cultivated in greenhouses"
    assert wrapped(name).split("\n") == ["Iris versicolor,", "cultivated in", "greenhouses"]
    assert wrapped("W" * 500, 10, 2) == "W" * 10 + "\n" + "W" * 9 + "…"
    names = ("data", "boundary", "confusion_matrix", "roc")
    given = picture(classes=2, rows=20, frames=None, names=names)
    given = dataclasses.replace(given, classes=(name, "short"))
    for figure in names:
        text = words(tmp_path, given, figure)
        assert "…" not in text
        assert "greenhouses" in text
        assert name not in text.replace("\n", " ") or "\n" in text


def test_two_runs_are_named_by_what_differs(in_tmp: Path) -> None:
    from exp.report.compared_boundaries import different as differences
    from exp.runs.record import RunRecord

    common = ("trainer.epochs=2", "figures=none", "dataset.n_samples=40")
    runs = {
        "a": (), "b": ("optimizer=adam", "optimizer.lr=0.01", "seed=7"), "c": ("seed=7",),
        "d": ("model.hidden=[4]", "logger=none", "figures.dpi=50", "figures=standard"),
    }  # fmt: skip
    for name, more in runs.items():
        ended = inside(in_tmp, *common, *more, "run.reuse=false", f"hydra.run.dir={name}")
        assert ended.code == 0, ended.err
    found = {name: RunRecord.at(in_tmp / name) for name in runs}
    assert differences(found["a"], found["b"]) == (
        "optimizer=sgd, lr=0.1", "optimizer=adam, lr=0.01",
    )  # fmt: skip
    assert differences(found["a"], found["c"]) == ("seed=42", "seed=7")
    assert differences(found["a"], found["d"]) == ("hidden=[8,8]", "hidden=[4]")
    ended = inside(in_tmp, "compare", "a", "b", "--figure", "both.png")
    assert (in_tmp / "both.png").exists(), ended.err


def luminance(colour: np.ndarray) -> float:
    linear = np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def test_no_target_is_as_dark_as_a_dark_page() -> None:
    from exp.plotting.fit import _colours

    page = rgb(THEMES["dark"].page)
    for colour in _colours(np.linspace(-1, 1, 21), (-1.0, 1.0), THEMES["dark"]):
        assert (luminance(colour) + 0.05) / (luminance(page) + 0.05) > 3  # WCAG, for graphics
