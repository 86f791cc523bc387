"""The figures as files: their pixels, their text (as SVG tells it) and their bytes."""

import dataclasses
import os
import re
import signal
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ET
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from PIL import Image

from drawn import draw
from exp.plotting import FigureError, FigureWorker, Picture, Plane
from exp.plotting.draw import drawings
from exp.plotting.frames import Frames
from exp.plotting.numbers import number, percent
from exp.util.files import write_whole

PAGES = {"light": (255, 255, 255), "dark": (20, 24, 31)}
INK = np.array([29, 37, 48])
NAMES = ("data", "boundary", "learning_curves", "confusion_matrix")
OTHERS = (
    "boundary_strip", "roc", "precision_recall", "calibration", "hidden_units", "network", "norms",
)  # fmt: skip


def history(epochs=20, **columns):
    epoch = np.arange(1.0, epochs + 1)
    made = {
        "epoch": epoch,
        "train/loss": 1.5 * 0.8**epoch,
        "train/accuracy": 1 - 0.5 * 0.8**epoch,
        "test/loss": 1.6 * 0.8**epoch,
        "test/accuracy": 1 - 0.6 * 0.8**epoch,
        "lr": np.full(epochs, 0.1),
    }
    return made | columns


def norms(epochs=20):
    epoch = np.arange(0.0, epochs)
    layers = {f"weight/{n}.weight": 1 + n + epoch / 10 for n in (0, 2)}
    return {"epoch": epoch, **layers, **{f"gradient/{n}.weight": 0.7**epoch + n for n in (0, 2)}}


def frames(classes, score, plane, limits, epochs=(0, 2, 9, 19)):
    """Frames that grow more certain."""
    xs, ys, points = plane.grid(limits, 12)
    certain = score(points).T.reshape(classes, 12, 12)
    maps = np.stack([1 / classes + (certain - 1 / classes) * (i + 1) / len(epochs)
                     for i in range(len(epochs))])  # fmt: skip
    maps = np.round(maps * 255).astype(np.uint8)
    return Frames(
        epochs=np.array(epochs), xs=xs, ys=ys, probabilities=maps[:, 1:] if classes == 2 else maps,
        classes=tuple(f"class {label}" for label in range(classes)), axes=("x1", "x2"),
    )  # fmt: skip


def picture(classes=3, rows=60, resolution=40, **changes) -> Picture:
    """Rows around centres, with the probabilities of the model that knows the centres."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(classes, 2)) * 2
    labels = np.arange(rows) % classes
    X = (centres[labels] + rng.normal(size=(rows, 2)) * 0.5).astype(np.float32)

    def score(points):
        logits = -((points[:, None] - centres) ** 2).sum(axis=-1)
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        return odds / odds.sum(axis=1, keepdims=True)

    plane = Plane.fit(np.vstack([X, centres]), ["x1", "x2"])
    xs, ys, points = plane.grid(plane.limits(np.vstack([X, centres])), resolution)
    content = {
        "dataset": "blobs",
        "model": "mlp",
        "optimizer": "sgd",
        "seed": "42",
        "metric": "test accuracy 97.5 %",
        "classes": tuple(f"class {label}" for label in range(classes)),
        "axes": plane.axes,
        "points": plane.project(X),
        "labels": labels,
        "predicted": score(X).argmax(axis=1) if rows else labels,
        "split": np.where(np.arange(rows) % 5 == 4, 2, 0),
        "xs": xs,
        "ys": ys,
        "probabilities": score(points).T.reshape(classes, resolution, resolution),
        "history": history(),
        "scores": score(X),
        "frames": frames(classes, score, plane, plane.limits(np.vstack([X, centres]))),
        "norms": norms(),
        "units": np.stack(
            [np.maximum(points @ [i, 1 - i], -i).reshape(resolution, -1) for i in range(5)]
        ),
        "unit_names": ("1.1", "1.2", "1.3", "2.1", "2.2"),
        "best_epoch": 15,
        "names": NAMES,
        "dpi": 60,
    }
    return Picture(**(content | changes))


def pixels(path: Path):
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def words(folder: Path, given: Picture, name: str) -> str:
    """All text of a figure, one line each."""
    (path,) = draw(dataclasses.replace(given, names=(name,), format=("svg",)), folder)
    source = path.read_text(encoding="utf-8")
    ET.fromstring(source)
    return "\n".join(re.findall(r"<!-- (.*?) -->", source))


# --- files -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def standard() -> dict[str, bytes]:
    """The files of `picture()` in every format, by name."""
    return dict(drawings(picture(format=("png", "svg", "pdf"))))


def pngs(files: dict[str, bytes], names=NAMES) -> list[bytes]:
    return [files[f"{name}.png"] for name in names]


def test_names_formats_and_order(standard):
    assert list(standard) == [
        f"{name}.{suffix}" for name in NAMES for suffix in ("png", "svg", "pdf")
    ]
    for name, content in standard.items():
        start = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}[name.rpartition(".")[2]]
        assert content.startswith(start)


def test_the_same_picture_gives_the_same_bytes(standard, monkeypatch):
    monkeypatch.setattr(time, "time", lambda: 2e9)
    given = picture(format=("png", "svg", "pdf"))
    assert dict(drawings(given)) == standard
    # nor does a file depend on which others are asked for
    ((name, alone),) = drawings(dataclasses.replace(given, names=("boundary",), format=("svg",)))
    assert alone == standard[name]


def test_a_png_says_its_resolution_and_nothing_else(tmp_path):
    path = draw(picture(dpi=72), tmp_path)[0]
    with Image.open(path) as image:
        image.load()
        assert image.info == {"dpi": pytest.approx((72, 72), abs=0.01)}


def test_a_canvas_used_before_leaves_no_trace(standard, tmp_path):
    draw(picture(classes=6, theme="dark", rows=300), tmp_path)
    assert list(dict(drawings(picture())).values()) == pngs(standard)


def test_no_label_is_cut_however_long_it_is(tmp_path):
    given = picture(dataset="W" * 200, model="W" * 200, metric="W" * 200, note="W " * 300, dpi=100)
    wide = dataclasses.replace(
        given, names=("boundary",), classes=("W" * 200, "b", "c"), frames=None
    )
    for given in (wide, dataclasses.replace(wide, names=("confusion_matrix",))):
        (path,) = draw(given, tmp_path)
        image = pixels(path)
        drawn = (image != 255).any(axis=-1)
        margins = np.flatnonzero(drawn.any(axis=0)), np.flatnonzero(drawn.any(axis=1))
        for places, size in zip(margins, (image.shape[1], image.shape[0]), strict=True):
            assert (places[0], size - 1 - places[-1]) == (18, 18)  # 0.18 inches
    # and a figure is not larger than it needs to be
    (path,) = draw(
        dataclasses.replace(given, names=("boundary",), dataset="d", model="m"), tmp_path
    )
    assert pixels(path).shape[1] < image.shape[1]


def test_threads_take_turns(standard):
    names = ("boundary", "confusion_matrix")
    drawn: list[dict[str, bytes]] = []
    threads = [
        threading.Thread(target=lambda: drawn.append(dict(drawings(picture(names=names)))))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [list(files.values()) for files in drawn] == [pngs(standard, names)] * 4


def test_foreign_settings_neither_show_nor_are_lost(standard):
    foreign = {"lines.linewidth": 9.0, "font.size": 30.0, "text.usetex": True, "path.simplify": 0}
    with matplotlib.rc_context(foreign):
        before = dict(matplotlib.rcParams)
        assert list(dict(drawings(picture())).values()) == pngs(standard)
        assert dict(matplotlib.rcParams) == before


def test_a_failed_write_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "file"
    write_whole(path, b"first")

    def full(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="disk full"):
        write_whole(path, b"second")
    assert path.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [path]


def test_the_main_process_never_imports_matplotlib():
    code = (
        "import sys, exp.plotting; "
        "print([m for m in ('matplotlib', 'torch', 'sklearn', 'hydra', 'omegaconf', 'pydantic')"
        " if m in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


# --- pixels ------------------------------------------------------------------------------------


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_page_has_its_theme_s_colour(tmp_path, theme):
    for path in draw(picture(theme=theme), tmp_path):
        image = pixels(path)
        for corner in (image[0, 0], image[0, -1], image[-1, 0], image[-1, -1]):
            assert tuple(corner) == PAGES[theme]
        share = (image == PAGES[theme]).all(axis=-1).mean()
        assert 0.2 < share < 0.97, path.name


def binary(logits, **changes) -> Picture:
    """A model of two classes over the window [-3, 3] x [-2, 2], and no rows."""
    xs, ys = np.linspace(-3, 3, 81), np.linspace(-2, 2, 81)
    z = logits(xs[None, :], ys[:, None]) + np.zeros((81, 81))
    with np.errstate(over="ignore"):
        p = np.stack([1 / (1 + np.exp(z)), 1 / (1 + np.exp(-z))])
    return picture(
        classes=2, rows=0, xs=xs, ys=ys, probabilities=p, names=("boundary",), axes=("", ""),
        dpi=100, **changes,
    )  # fmt: skip


def panels(image):
    """The pixel boxes (left, right, top, bottom) of the two maps: where rows are mostly tinted."""
    tinted = (image != 255).any(axis=-1)
    tall = np.flatnonzero(tinted.mean(axis=0) > 0.5)
    runs = np.split(tall, np.flatnonzero(np.diff(tall) > 1) + 1)
    boxes = []
    for run in runs:
        if len(run) > 100:
            high = np.flatnonzero(tinted[:, run].mean(axis=1) > 0.5)
            boxes.append((run[0], run[-1] + 1, high[0], high[-1] + 1))
    assert len(boxes) == 2
    return boxes


@pytest.mark.parametrize("steep", [1.5, 6.0, 1000.0])
def test_the_boundary_lies_where_the_model_is_undecided(tmp_path, steep):
    # p = sigmoid(steep * (x + y - 0.5)): undecided on the line y = 0.5 - x
    (path,) = draw(binary(lambda x, y: steep * (x + y - 0.5)), tmp_path)
    image = pixels(path)
    for left, right, top, bottom in panels(image):
        for y in np.linspace(-1.3, 1.3, 9):
            row = round(bottom - (y + 2) / 4 * (bottom - top))
            column = left + (0.5 - y + 3) / 6 * (right - left)
            dark = np.abs(image[row, left + 4 : right - 4] - INK).sum(axis=1) < 60
            found = np.flatnonzero(dark) + left + 4 + 0.5
            assert len(found), "the boundary is missing"
            assert np.abs(found - column).max() < (3.5 if steep < 100 else 6.0)


def test_the_map_is_white_when_undecided_and_the_class_s_colour_when_certain(tmp_path):
    (path,) = draw(binary(lambda x, y: 4.0 * x), tmp_path)
    image = pixels(path)
    left, right, top, bottom = panels(image)[0]
    row = image[(top + bottom) // 2]
    blue, orange = row[left + 5], row[right - 6]
    assert blue[2] > blue[0] + 40
    assert orange[0] > orange[2] + 40
    middle = (left + right) // 2
    assert row[middle + 4].min() > 235  # beside the line
    # the scale is absolute: a model that is nowhere sure stays pale
    (path,) = draw(binary(lambda x, y: 0.2 * x), tmp_path)
    pale = pixels(path)[(top + bottom) // 2]
    assert 0 < 255 - pale[left + 5].min() < (255 - blue.min()) / 2


def test_dashed_contours_stand_at_nine_tenths(tmp_path):
    (path,) = draw(binary(lambda x, y: 2.0 * y), tmp_path)
    image = pixels(path)
    left, right, top, bottom = panels(image)[1]
    for sign in (1, -1):
        y = sign * np.log(9) / 2
        row = round(bottom - (y + 2) / 4 * (bottom - top))
        around = image[row - 2 : row + 3, left + 5 : right - 5].sum(axis=-1)
        share = (around.min(axis=0) < around.max() - 150).mean()
        assert 0.35 < share < 0.85, "dashes"


def test_rows_are_filled_for_train_and_hollow_for_test(tmp_path):
    kw = {
        "classes": 2, "rows": 2, "points": [[0.0, 0.0], [0.5, 0.0]], "labels": [0, 0],
        "predicted": [0, 0], "split": [0, 2], "xs": [-1, 1], "ys": [-1, 1],
        "probabilities": np.full((2, 2, 2), 0.5), "names": ("data",), "dpi": 200,
    }  # fmt: skip
    (path,) = draw(picture(**kw), tmp_path)
    image = pixels(path)
    blue = (np.abs(image - (87, 144, 252)).sum(axis=-1) < 30).nonzero()
    panel = blue[1] < 980
    xs, ys = blue[1][panel], blue[0][panel]
    middle = np.median(ys).astype(int)
    train, test = xs[xs < xs.mean()], xs[xs > xs.mean()]
    for columns, filled in ((train, True), (test, False)):
        centre = image[middle, (columns.min() + columns.max()) // 2]
        assert bool(np.abs(centre - (87, 144, 252)).sum() < 30) is filled
        assert filled or centre.min() > 240


def test_misclassified_rows_are_crossed_and_counted(tmp_path):
    right = picture(names=("boundary",), dpi=100)
    labels = right.labels.copy()
    labels[:5] = (labels[:5] + 1) % 3  # rows 0..3 are of train, row 4 is of test
    right = dataclasses.replace(right, predicted=right.labels)
    wrong = dataclasses.replace(right, predicted=labels)
    text = words(tmp_path, wrong, "boundary")
    assert "48 rows, 4 misclassified (8.3 %)" in text
    assert "12 rows, 1 misclassified (8.3 %)" in text
    assert "48 rows, 0 misclassified (0 %)" in words(tmp_path, right, "boundary")
    (path,) = draw(right, tmp_path)
    before = pixels(path)
    (path,) = draw(wrong, tmp_path)
    changed = (pixels(path) != before).any(axis=-1)
    changed[:110] = False  # the titles
    assert 5 * 30 < changed.sum() < 5 * 400


def test_a_misclassified_row_still_shows_its_class(tmp_path):
    """A cross stands behind its row and above all others."""
    kw = {
        "classes": 3, "rows": 3, "points": [[0.0, 0.0], [0.0, 0.0], [1.0, 1.0]],
        "labels": [0, 2, 1], "predicted": [1, 2, 1], "split": [0, 0, 0], "xs": [-2, 2],
        "ys": [-2, 2], "probabilities": np.full((3, 2, 2), 1 / 3), "dpi": 200,
        "names": ("boundary",),
    }  # fmt: skip
    (path,) = draw(picture(**kw), tmp_path)
    image = pixels(path)[:, :800]
    blue = np.abs(image - (87, 144, 252)).sum(axis=-1) < 30
    rows, columns = blue[230:, 200:].nonzero()
    assert len(rows) > 50  # over the red triangle of the row that is right
    y, x = rows.mean() + 230, columns.mean() + 200
    for dy, dx in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
        arm = image[round(y + 12 * dy), round(x + 12 * dx)]
        assert np.abs(arm - INK).sum() < 90


def test_a_confusion_matrix_shows_counts_and_shares(tmp_path):
    given = picture(
        classes=2, rows=10, labels=[0] * 6 + [1] * 4, predicted=[0] * 5 + [1] * 5,
        split=[0] * 8 + [2] * 2,
    )  # fmt: skip
    lines = words(tmp_path, given, "confusion_matrix").split("\n")
    assert {"5", "1", "2", "83.3 %", "16.7 %", "100 %"} <= set(lines)
    assert "7 of 8 right (87.5 %)" in lines
    assert "2 of 2 right (100 %)" in lines


# --- text --------------------------------------------------------------------------------------


def test_the_heading_says_what_was_run(tmp_path):
    for name in NAMES[1:]:
        text = words(tmp_path, picture(), name)
        assert "blobs · mlp · sgd · seed 42" in text
        assert "test accuracy 97.5 %" in text


def test_the_data_are_titled_as_data_without_a_model(tmp_path):
    text = words(tmp_path, picture(rows=60, features=7), "data")
    assert "blobs · data · seed 42" in text
    assert "60 rows, 7 features, 3 classes" in text
    assert not {"mlp", "sgd", "accuracy"} & set(re.findall(r"\w+", text))


def test_axes_note_and_classes_are_told(tmp_path):
    given = picture(axes=("length [cm]", "width [cm]"), note="plane of two components")
    for name in ("data", "boundary"):
        text = words(tmp_path, given, name)
        for part in ("length [cm]", "width [cm]", "plane of two components", "class 2"):
            assert part in text


def test_what_concerns_the_map_is_told_beside_the_map(tmp_path):
    given = picture(note="a plane", map_note="a slice")
    assert "a plane; a slice" in words(tmp_path, given, "boundary")
    assert "a plane" in (text := words(tmp_path, given, "data"))
    assert "slice" not in text


HOSTILE = (
    "$\\frac{1}{$ x_2",
    "<script>alert('--> ]]>')</script>",
    "\u540d\u524d \U0001f600 \u202eabc\n\tnew\x00\x1b[31m \ud800",
    "W" * 5000,
    "",
    "\u2800",
    "e" + "\u0301" * 300,
)


def test_hostile_names_are_drawn_as_they_are(tmp_path):
    given = picture(classes=len(HOSTILE), format=("png", "svg", "pdf"))
    film = dataclasses.replace(given.frames, classes=HOSTILE)
    given = dataclasses.replace(
        given, classes=HOSTILE, axes=HOSTILE[:2], dataset=HOSTILE[3], model=HOSTILE[0],
        optimizer=HOSTILE[2], seed="$", metric="$\\bad", note=" ".join(HOSTILE) * 3, frames=film,
        names=(*NAMES, *OTHERS), unit_names=HOSTILE[:5], no_units="",
        norms={"epoch": [0, 1], f"weight/{HOSTILE[1]}": [1, 2], f"gradient/{HOSTILE[1]}": [1, 2]},
    )  # fmt: skip
    assert len(draw(given, tmp_path)) == 33
    text = words(tmp_path, given, "boundary")
    assert "$\\frac{1}{$ x_2" in text
    assert "(empty)" in text
    assert "WWWWWW" in text
    assert "W" * 401 not in text


# --- sizes and gaps ----------------------------------------------------------------------------


@pytest.mark.parametrize("classes", [2, 7, 11, 64])
def test_any_number_of_classes(tmp_path, classes):
    given = picture(classes=classes, rows=4 * classes)
    draw(given, tmp_path)
    text = words(tmp_path, given, "data").split("\n")
    listed = [line for line in text if line.startswith("class ")]
    more = [line for line in text if line.startswith("and ")]
    assert len(set(listed)) == len(listed)
    assert len(listed) + (int(more[0].split()[1]) if more else 0) == classes


def test_every_class_has_its_own_colour():
    from exp.plotting.style import THEMES, palette

    for theme in THEMES.values():
        for count in (2, 6, 10, 50, 200):
            colours = palette(count, theme)
            assert colours.shape == (count, 3)
            assert (colours >= 0).all()
            assert (colours <= 1).all()
            assert len(np.unique(colours.round(4), axis=0)) == count


def test_very_many_rows_are_thinned_and_it_says_so(tmp_path):
    rows = 50_000
    given = picture(rows=rows)
    text = words(tmp_path, given, "boundary")
    assert "5,000 of 40,000 rows drawn" in text
    assert "5,000 of 10,000 rows drawn" in text
    assert f"10,000 of {rows:,} rows drawn" in words(tmp_path, given, "data")


NAN = np.full(20, np.nan)
CURVES, MAP = {"names": ("learning_curves",)}, {"names": ("boundary",)}
GAPS = {
    "no test rows": {"split": np.zeros(60)},
    "no rows": {"rows": 0},
    "four rows": {"rows": 4},
    "no grid": {"xs": [], "ys": [], "probabilities": np.zeros((0, 0, 0))},
    "no history": {"history": {}, "best_epoch": None},
    "one epoch": {"history": history(1), "best_epoch": 1, **CURVES},
    "two epochs": {"history": history(2), "best_epoch": 2, **CURVES},
    "long": {"history": history(30_000), **CURVES},
    "nothing finite": {
        **CURVES,
        "history": history(**{"train/loss": NAN, "test/loss": NAN * np.inf, "train/accuracy": NAN}),
    },
    "enormous": {"history": history(**{"train/loss": np.geomspace(1, 1.7e308, 20)}), **CURVES},
    "constant": {
        **CURVES,
        "history": history(**{"train/loss": np.ones(20), "test/loss": np.zeros(20)}),
    },
    "schedule": {"history": history(lr=np.geomspace(1, 1e-5, 20)), **CURVES},
    "validation": {"split": np.arange(60) % 3},
    "no probabilities": {"probabilities": np.full((3, 40, 40), np.nan), **MAP},
    "undecided": {"probabilities": np.full((3, 40, 40), 1 / 3), **MAP},
    "one class everywhere": {
        **MAP,
        "probabilities": np.eye(3)[0][:, None, None] * np.ones((3, 40, 40)),
    },
    "coarse": {"dpi": 20},
    "fine": {"dpi": 300, **MAP},
}


@pytest.mark.parametrize("gap", GAPS)
def test_gaps_are_drawn_too(tmp_path, gap):
    for path in draw(picture(**GAPS[gap]), tmp_path):
        image = pixels(path)
        assert len(np.unique(image @ [65536, 256, 1])) > 5


def test_gaps_are_named(tmp_path):
    assert "no rows" in words(tmp_path, picture(split=np.zeros(60)), "boundary")
    assert "no rows" in words(tmp_path, picture(split=np.zeros(60)), "confusion_matrix")
    assert "no epochs" in words(tmp_path, picture(history={}), "learning_curves")
    assert "the probability is not finite" in words(
        tmp_path, picture(probabilities=np.full((3, 40, 40), np.nan)), "boundary"
    )


def test_a_diverged_run_says_from_when_on(tmp_path):
    loss = np.where(np.arange(20) < 9, 1.0, np.inf)
    text = words(tmp_path, picture(history=history(**{"train/loss": loss})), "learning_curves")
    assert "not finite from epoch 10 on" in text
    assert "not finite" in text.split("\n")


def test_the_best_epoch_and_the_last_are_told(tmp_path):
    text = words(tmp_path, picture(best_epoch=15), "learning_curves").split("\n")
    assert "last epoch, 20" in text
    assert "best epoch, 15" in text
    assert "0.0563" in text
    assert "97.9 %" in text
    text = words(tmp_path, picture(best_epoch=20), "learning_curves").split("\n")
    assert "last and best epoch, 20" in text


def test_the_best_epoch_says_by_what(tmp_path):
    given = picture(best_epoch=15, monitor="validation/loss")
    assert "by validation loss" in words(tmp_path, given, "learning_curves").split("\n")


@pytest.mark.parametrize(
    ("rates", "log"),
    [
        (np.geomspace(1, 1e-4, 20), True),
        (np.repeat([1e-1, 1e-2, 1e-3, 1e-4], 5), True),
        (0.5 + 0.5 * np.cos(np.linspace(0, 3.1, 20)), False),
        (np.linspace(1, 1e-4, 20), False),
    ],
    ids=["exponential", "steps", "cosine", "linear"],
)
def test_a_learning_rate_s_scale_suits_its_schedule(tmp_path, rates, log):
    text = words(tmp_path, picture(history=history(lr=rates)), "learning_curves")
    assert text.split("\n").count("log scale") == 1 + log  # the loss has one as well


# --- numbers -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"), (0.012345, "0.0123"), (12.0, "12"), (-1.5, "\N{MINUS SIGN}1.5"),
        (1234.5, "1,234"), (123456.0, "1.23·10⁵"), (1.2e-7, "1.2·10⁻⁷"),
    ],
)  # fmt: skip
def test_numbers_are_written_as_people_write_them(value, text):
    assert number(value) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0, "0 %"), (1, "100 %"), (0.5, "50.0 %"), (0.9996, "99.9 %"), (0.0001, "<0.1 %"),
        (0.0004999, "<0.1 %"), (0.001, "0.1 %"),
    ],
)  # fmt: skip
def test_nothing_and_all_are_never_rounded_to(share, text):
    assert percent(share) == text


# --- the picture -------------------------------------------------------------------------------


@pytest.mark.parametrize("table", ["history", "norms"])
def test_columns_of_different_lengths_are_refused(table):
    with pytest.raises(ValueError, match=f"{table}: expected columns of one length"):
        picture(**{table: {"epoch": [1], "weight/a": [1, 2]}})


def test_frames_of_another_run_are_refused():
    with pytest.raises(ValueError, match="frames: expected the same classes"):
        picture(frames=picture(classes=4).frames)


# --- curves of scores, norms, units, frames ----------------------------------------------------


def test_every_figure_has_bytes_that_repeat(tmp_path, monkeypatch):
    given = picture(names=OTHERS, format=("png", "svg", "pdf"), animation=True)
    first = draw(given, tmp_path / "a")
    assert first[-1].name == "boundary.webp"
    monkeypatch.setattr(time, "time", lambda: 2e9)
    again = draw(given, tmp_path / "b")
    assert [path.name for path in first] == [path.name for path in again]
    for one, other in zip(first, again, strict=True):
        assert one.read_bytes() == other.read_bytes(), one.name


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", OTHERS)
def test_new_pages_have_their_theme_s_colour(tmp_path, theme, name):
    (path,) = draw(picture(theme=theme, names=(name,)), tmp_path)
    image = pixels(path)
    for corner in (image[0, 0], image[0, -1], image[-1, 0], image[-1, -1]):
        assert tuple(corner) == PAGES[theme]
    assert 0.2 < (image == PAGES[theme]).all(axis=-1).mean() < 0.98


def test_areas_and_precisions_stand_in_the_key(tmp_path):
    scores = np.eye(3)[np.arange(60) % 3] * 0.8 + 0.05
    scores[[4, 9]] = [0.05, 0.05, 0.9]  # test rows of the classes 1 and 0
    given = picture(scores=scores)
    text = words(tmp_path, given, "roc").split("\n")
    assert "area under the curve, test" in text
    # Of class 2 all four rows score high, and so do two of the eight others.
    assert {"0.750  class 2", "0.875  class 0", "0.875  class 1"} <= set(text)
    text = words(tmp_path, given, "precision_recall").split("\n")
    assert "average precision, test" in text
    assert "0.667  class 2" in text
    assert sum("  class " in line for line in text) == 3


def test_the_roc_curve_of_chance_is_the_diagonal(tmp_path):
    rows = 40
    kw = {
        "classes": 2, "rows": rows, "labels": np.arange(rows) % 2, "split": np.zeros(rows),
        "scores": np.full((rows, 2), 0.5), "names": ("roc",), "dpi": 100,
    }  # fmt: skip
    (path,) = draw(picture(**kw), tmp_path)
    image = pixels(path)
    blue = np.argwhere(np.abs(image[:, :440] - (87, 144, 252)).sum(axis=-1) < 60)
    assert len(blue) > 100
    slope = np.polyfit(blue[:, 1], -blue[:, 0], 1)[0]
    assert slope == pytest.approx(1.0, abs=0.01)


def test_calibration_says_its_error_and_its_counts(tmp_path):
    scores = np.tile([0.25, 0.75], (60, 1))
    given = picture(classes=2, scores=scores, predicted=np.ones(60), positive=1)
    text = words(tmp_path, given, "calibration").split("\n")
    assert "48 rows, calibration error 25.0 %" in text
    assert "12 rows, calibration error 25.0 %" in text
    assert "probability of class class 1" in text
    assert "probability of the predicted class" in words(tmp_path, picture(), "calibration")


def test_norms_name_their_layers(tmp_path):
    text = words(tmp_path, picture(), "norms").split("\n")
    assert {"hidden layer 1", "output layer", "norm of weights", "norm of gradients"} <= set(text)
    table = {"epoch": [0], "weight/encoder.weight": [1.5], "gradient/encoder.weight": [np.nan]}
    text = words(tmp_path, picture(norms=table), "norms").split("\n")
    assert {"encoder", "weights 1.50", "gradients not finite", "no finite value"} <= set(text)
    assert "not recorded" in words(tmp_path, picture(norms={}), "norms")


def test_a_hidden_unit_is_blue_below_zero_and_orange_above(tmp_path):
    values = np.linspace(-2, 1, 30)[None, :] + np.zeros((30, 1))
    units = np.stack([values, values * 0, np.full_like(values, np.nan)])
    given = picture(units=units, unit_names=("1.1", "1.2", "1.3"), names=("hidden_units",), dpi=100)
    text = words(tmp_path, given, "hidden_units").split("\n")
    assert {"1.1", "to \N{MINUS SIGN}2", "always 0", "not finite"} <= set(text)
    (path,) = draw(dataclasses.replace(given, format=("png",)), tmp_path)
    image = pixels(path)
    blue = image[..., 2] > image[..., 0] + 100  # of the first map, where it is -2
    y = round(np.argwhere(blue[:, : image.shape[1] // 4])[:, 0].mean())
    left = int(np.flatnonzero(blue[y])[0])
    row = image[y, left + 1 : left + 95]
    assert row[0][2] > row[0][0] + 100
    assert row[-1][0] > row[-1][2] + 50
    assert row[62].min() > 240  # where it is 0


def test_hidden_units_that_cannot_be_shown_say_why(tmp_path):
    given = picture(units=np.zeros((0, 0, 0)), unit_names=(), no_units="here are 4 features")
    assert "here are 4 features" in words(tmp_path, given, "hidden_units")
    many = picture(units=np.zeros((100, 9, 9)), unit_names=[f"1.{i + 1}" for i in range(100)])
    assert "not drawn: 36 more units" in words(tmp_path, many, "hidden_units")


def test_a_strip_shows_first_and_last_frame_with_accuracy(tmp_path):
    given = picture(history=history(epoch=np.arange(20.0)))
    text = words(tmp_path, given, "boundary_strip").split("\n")
    assert [line for line in text if line.startswith("epoch ")] == [
        "epoch 0", "epoch 2", "epoch 9", "epoch 19",
    ]  # fmt: skip
    assert {"52.0 %", "99.3 %", "percent: test accuracy"} <= set(text)
    assert "figures.frames=0" in words(tmp_path, picture(frames=None), "boundary_strip")


def test_an_animation_has_a_picture_for_each_frame(tmp_path):
    given = picture(names=(), animation=True)
    (path,) = draw(given, tmp_path)
    with Image.open(path) as moving:
        assert moving.n_frames == 4
        assert moving.info["loop"] == 0
        shown = []
        for index in range(4):
            moving.seek(index)
            shown.append(np.asarray(moving.convert("RGB")).astype(int))
    tint = [255 - image[100:300, 80:280].mean() for image in shown]
    assert tint == sorted(tint)  # more certain from frame to frame
    assert tint[-1] > tint[0] + 20
    assert draw(dataclasses.replace(given, frames=None), tmp_path) == []


def test_terraces_of_a_flat_map_are_smoothed_and_a_steep_one_is_left_alone():
    from exp.plotting.boundary_strip import still

    def frames(column):
        maps = np.round(column * 255)[None, None, :, None] * np.ones((1, 1, 1, 40))
        return Frames(
            epochs=np.array([0]), xs=np.arange(40.0), ys=np.arange(40.0),
            probabilities=maps.astype(np.uint8), classes=("a", "b"), axes=("x", "y"),
        )  # fmt: skip

    x = np.linspace(0.49, 0.51, 40, dtype=np.float32)
    flat, smooth = np.round(x * 255) / 255, still(frames(x), 0).probabilities[1, :, 5]
    assert np.abs(np.diff(smooth)).max() < np.abs(np.diff(flat)).max() / 3
    assert np.abs(smooth - x).max() < 0.0025
    steep = frames((x > 0.5).astype(np.float32))
    assert (still(steep, 0).probabilities == steep.map(0)).all()


@pytest.mark.parametrize("classes", [2, 11, 40])
def test_new_figures_take_any_number_of_classes(tmp_path, classes):
    given = picture(classes=classes, rows=4 * classes)
    for name in ("roc", "precision_recall", "calibration", "boundary_strip"):
        text = words(tmp_path, given, name).split("\n")
        if name in ("roc", "precision_recall"):
            more = [line for line in text if line.startswith("and ")]
            listed = sum("  class " in line for line in text)
            assert listed + (int(more[0].split()[1]) if more else 0) == classes


# --- the worker --------------------------------------------------------------------------------


def test_the_worker_draws_the_same_bytes(standard):
    with FigureWorker() as worker:
        worker.submit(picture(format=("png", "svg", "pdf")))
        assert worker.finish() == standard


def test_without_a_picture_the_worker_has_no_files():
    with FigureWorker() as worker:
        assert worker.finish() == {}
    worker.close()


def test_what_fails_in_the_helper_is_an_error():
    given = picture()
    object.__setattr__(given, "theme", "pink")  # what a picture itself refuses
    with FigureWorker() as worker:
        worker.submit(given)
        with pytest.raises(FigureError, match="pink") as error:
            worker.finish()
    assert "Traceback" in error.value.stderr
    assert "Traceback" not in str(error.value)


@pytest.mark.skipif(sys.platform == "win32", reason="no such signals")
def test_a_dead_helper_is_an_error():
    with FigureWorker() as worker:
        assert os.getpgid(worker.pid) != os.getpgid(0)  # Ctrl-C does not reach it
        os.kill(worker.pid, signal.SIGKILL)
        worker.submit(picture())
        with pytest.raises(FigureError, match="helper process ended with code -9"):
            worker.finish()


def test_a_current_folder_of_the_same_name_is_not_imported(tmp_path, monkeypatch):
    (tmp_path / "exp").mkdir()
    (tmp_path / "exp" / "__init__.py").write_text("raise SystemExit('the wrong exp')")
    (tmp_path / "json.py").write_text("raise SystemExit('the wrong json')")
    monkeypatch.chdir(tmp_path)
    with FigureWorker() as worker:
        worker.submit(picture(names=("data",)))
        assert list(worker.finish()) == ["data.png"]


def test_closing_ends_the_helper_at_once():
    worker = FigureWorker()
    worker.submit(picture())
    worker.close()
    assert not alive(worker.pid)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_helper_does_not_outlive_a_killed_parent():
    code = (
        "import time; from exp.plotting import FigureWorker; w = FigureWorker(); "
        "print(w.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    with parent:
        pid = int(parent.stdout.readline())
        assert alive(pid)
        parent.kill()
    wait_for(lambda: not alive(pid))


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended but is not yet collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_for(condition, seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)
