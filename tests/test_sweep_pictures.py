"""The pictures of a sweep: their pixels, their words, and that no sweep is too odd for them."""

import dataclasses
import json
import re
import time
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from commands import inside
from exp.plotting import contact_sheet, ensemble, group_curves, heat_map, layout
from exp.plotting.field import Dots, Field, common, union
from exp.plotting.frames import Frames
from exp.plotting.levels import Levels
from exp.plotting.metric import Metric
from exp.plotting.style import THEMES, settings
from exp.report.comparisons import ranking
from exp.report.effects import effect
from exp.report.ensemble_accuracy import ensemble_accuracy
from exp.report.groups import grouped
from exp.report.histories import history, mean_and_interval, on_common_epochs
from exp.report.maps import last_map
from exp.report.scored import Scored
from exp.report.sweep_figures import draw
from exp.runs.collection import Row, Runs

ACCURACY = Metric("test/accuracy", True)
ALL = ["contact_sheet", "curves", "parameters", "heat_map", "ensemble"]


# --- runs that were never trained ----------------------------------------------------------------


def frames(shift=0.0, window=(-1.0, 1.0, -1.0, 1.0), classes=("0", "1"), note="", G=12) -> bytes:
    """The map of a model whose boundary is the line x = shift."""
    xs, ys = np.linspace(*window[:2], G), np.linspace(*window[2:], G)
    p = np.broadcast_to(1 / (1 + np.exp(-8 * (xs - shift))), (G, G))
    if len(classes) > 2:
        rest = np.zeros((len(classes) - 2, G, G))
        p = np.stack([1 - p, p, *rest])
    else:
        p = p[None]
    return Frames(
        epochs=np.array([3]),
        xs=xs,
        ys=ys,
        probabilities=np.round(255 * p[None]).astype(np.uint8),
        classes=classes,
        axes=("x1", "x2"),
        note=note,
    ).to_bytes()


def one(place: Path, number: int, parameters, *, score=0.9, status="done", **kept) -> Row:
    """A run directory with what the pictures read, and its row."""
    path = place / str(number)
    path.mkdir(parents=True)
    metrics = {} if score is None else {"test/accuracy": score, "test/loss": 1 - score}
    if kept.get("map", True):
        (path / "frames.npz").write_bytes(frames(**kept.get("frames", {})))
    lines = ["epoch,train/loss,test/loss,test/accuracy,lr"]
    for epoch in range(kept.get("epochs", 20)):
        value = (score or 0.5) * (1 - 0.5 ** (epoch + 1))
        lines.append(f"{epoch},{1 - value:.6f},{1 - value:.6f},{value:.6f},0.1")
    if kept.get("history", True):
        (path / "metrics.csv").write_text(kept.get("metrics", "\n".join(lines) + "\n"))
    words = tuple(f"{key}={value}" for key, value in parameters.items())
    return Row(path, number, "moons-mlp-sgd", status, None, parameters, metrics, 1.0, words)


def runs_of(rows, keys=None) -> Runs:
    found = keys or list(dict.fromkeys(key for row in rows for key in row.parameters))
    return Runs((), tuple(found), tuple(rows))


def usual(place: Path, **changes) -> Runs:
    """Two optimizers, two rates, three seeds."""
    rows = []
    for optimizer in ("sgd", "adam"):
        for lr in (0.01, 0.1):
            for seed in range(3):
                values = {"optimizer": optimizer, "optimizer.lr": lr, "seed": seed}
                score = 0.8 + 0.1 * (optimizer == "adam") + 0.5 * lr + 0.01 * seed
                given = {"score": score, "frames": {"shift": 0.1 * seed}} | changes
                rows.append(one(place, len(rows), values, **given))
    return runs_of(rows)


def names(paths) -> list[str]:
    return [path.stem for path in paths]


def told(path: Path) -> list[str]:
    source = path.read_text(encoding="utf-8")
    ET.fromstring(source)
    return re.findall(r"<!-- (.*?) -->", source)


def words(runs: Runs, folder: Path, **options) -> dict[str, list[str]]:
    paths = draw(runs, folder, format=["svg"], **options)
    return {path.stem: told(path) for path in paths}


LIGHT = THEMES["light"]


def pixels(figure: Figure):
    """RGB `[rows, columns, 3]` of a figure, and what of it is shown, in inches."""
    with settings():
        size = figure.get_tightbbox().padded(layout.MARGIN)
        drawn = layout.image(layout.pixels(figure, size, dpi=100))
    return np.asarray(drawn).astype(int), size


def at(drawn, x: float, y: float) -> np.ndarray:
    """The pixel at a point in inches from the lower left corner of the lower left panel."""
    picture, size = drawn
    return picture[round((size.y1 - y) * 100), round((x - size.x0) * 100)]


# --- what is drawn, and what is said -------------------------------------------------------------


def test_a_usual_sweep_has_all_five(tmp_path):
    runs = usual(tmp_path / "runs")
    paths = draw(runs, tmp_path / "figures", format=["png", "svg", "pdf"], dpi=40)
    assert [path.name for path in paths] == [
        f"{name}.{suffix}" for name in ALL for suffix in ("png", "svg", "pdf")
    ]
    for path in paths:
        start = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}[path.suffix[1:]]
        assert path.read_bytes().startswith(start)


def test_the_same_runs_give_the_same_bytes(tmp_path, monkeypatch):
    runs = usual(tmp_path / "runs")
    options = {"format": ["png", "svg", "pdf"], "dpi": 40}
    first = [path.read_bytes() for path in draw(runs, tmp_path / "a", **options)]
    monkeypatch.setattr(time, "time", lambda: 2e9)
    assert [path.read_bytes() for path in draw(runs, tmp_path / "b", **options)] == first


def test_themes(tmp_path):
    runs = usual(tmp_path / "runs")
    for theme, page in (("light", (255, 255, 255)), ("dark", (20, 24, 31))):
        for path in draw(runs, tmp_path / theme, theme=theme, dpi=40):
            with Image.open(path) as image:
                assert image.convert("RGB").getpixel((1, 1)) == page, path


def test_what_the_pictures_say(tmp_path):
    said = words(usual(tmp_path / "runs"), tmp_path / "figures")
    sheet = said["contact_sheet"]
    assert "Decision boundaries of 12 runs" in sheet
    titles = [text for text in sheet if text.startswith("optimizer=")]
    assert titles == [f"optimizer={o}, lr={lr}" for o in ("sgd", "adam") for lr in (0.01, 0.1)]
    assert [text for text in sheet if text.startswith("seed=")] == [
        "seed=0",
        "seed=1",
        "seed=2",
    ] * 4
    assert sheet.count("80.5 %") == 1
    assert "all maps: x1 from {0}1 to 1 and x2 from {0}1 to 1".format("\N{MINUS SIGN}") in sheet
    curves = said["curves"]
    assert "Learning curves of 4 groups" in curves
    assert "line: mean over the seeds; band: 95 % interval of that mean" in curves
    assert "96.0 %, 3 runs" in curves
    assert (
        next(text for text in curves if text.startswith("optimizer=")) == "optimizer=adam, lr=0.1"
    )
    assert "Test accuracy of 12 runs" in said["parameters"]
    assert {"optimizer", "optimizer.lr"} <= set(said["parameters"])
    assert "seed" not in said["parameters"]
    grid = said["heat_map"]
    assert "Mean test accuracy: optimizer and optimizer.lr" in grid
    assert "mean over seed, 3 runs in each cell" in grid
    assert [text for text in grid if text.endswith(" %")][:4] == [
        "81.5 %", "86.0 %", "91.5 %", "96.0 %",
    ]  # fmt: skip
    assert "3 runs together: optimizer=adam, lr=0.1" in said["ensemble"]


def test_another_metric_knows_its_direction(tmp_path):
    said = words(usual(tmp_path / "runs"), tmp_path / "figures", metric="loss")
    assert "3 runs together: optimizer=adam, lr=0.1" in said["ensemble"]
    assert "Mean test loss: optimizer and optimizer.lr" in said["heat_map"]
    assert "0.0400" in said["heat_map"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"theme": "pink"}, "theme: expected one of light, dark, found 'pink'"),
        ({"format": ["gif"]}, "format: expected some of png, svg, pdf, found 'gif'"),
        ({"dpi": 5}, "dpi: expected 20..2000, found 5"),
    ],
)
def test_what_cannot_be_asked_for(options, message, tmp_path):
    with pytest.raises(ValueError, match=re.escape(message)):
        draw(usual(tmp_path / "runs"), tmp_path / "figures", **options)
    assert not (tmp_path / "figures").exists()


# --- odd sweeps ----------------------------------------------------------------------------------


def test_one_run(tmp_path):
    runs = runs_of([one(tmp_path, 0, {})])
    said = words(runs, tmp_path / "figures")
    assert list(said) == ["contact_sheet", "curves"]
    assert "Decision boundaries of 1 run" in said["contact_sheet"]
    assert {"Learning curves of 1 run", "each run"} <= set(said["curves"])


def test_one_seed_for_each_group(tmp_path):
    rows = [
        one(tmp_path, i, {"optimizer.lr": lr}, score=0.5 + lr) for i, lr in enumerate((0.1, 0.2))
    ]
    said = words(runs_of(rows), tmp_path / "figures")
    assert list(said) == ["contact_sheet", "curves", "parameters"]
    assert "each run" in said["curves"]
    assert [text for text in said["contact_sheet"] if text in ("0.1", "0.2")] == ["0.1", "0.2"]


def test_only_seeds_vary(tmp_path):
    rows = [one(tmp_path, i, {"seed": i}, score=0.9 + 0.01 * i) for i in range(5)]
    said = words(runs_of(rows), tmp_path / "figures")
    assert list(said) == ["contact_sheet", "curves", "parameters", "ensemble"]
    assert any(text.endswith("thin: single runs") for text in said["curves"])
    assert said["parameters"].count("seed") == 1
    assert "5 runs together" in said["ensemble"]


def test_all_failed(tmp_path):
    rows = [
        one(tmp_path, i, {"seed": i}, score=None, status="failed", map=False, history=False)
        for i in range(3)
    ]
    said = words(runs_of(rows), tmp_path / "figures")
    assert list(said) == ["parameters"]
    assert "3 runs without a value: 3 failed" in said["parameters"]
    assert "no finite value" in said["parameters"]


def test_nothing_to_draw(tmp_path):
    rows = [one(tmp_path, 0, {}, score=None, status="pending", map=False, history=False)]
    assert draw(runs_of(rows), tmp_path / "figures") == []
    assert draw(Runs((), (), ()), tmp_path / "figures") == []


def test_diverged_and_failed_runs_are_told_and_not_counted(tmp_path):
    runs = usual(tmp_path / "runs")
    rows = list(runs.rows)
    rows[0] = dataclasses.replace(rows[0], status="diverged", metrics={"test/accuracy": 0.0})
    rows[1] = dataclasses.replace(rows[1], status="failed", metrics={})
    (rows[1].path / "frames.npz").unlink()
    head, *body = (rows[0].path / "metrics.csv").read_text().splitlines()
    body[5:] = [re.sub(r",[\d.]+,[\d.]+,", ",nan,inf,", line, count=1) for line in body[5:]]
    (rows[0].path / "metrics.csv").write_text("\n".join([head, *body]))
    said = words(dataclasses.replace(runs, rows=tuple(rows)), tmp_path / "figures")
    assert "test accuracy below each; 1 diverged, 1 failed" in said["contact_sheet"]
    assert said["contact_sheet"].count("diverged") == said["contact_sheet"].count("failed") == 1
    assert "no map" in said["contact_sheet"]
    assert "82.5 %, 3 runs, 1 diverged, 1 failed" in said["curves"]
    assert "2 runs without a value: 1 diverged, 1 failed" in said["parameters"]
    notes = "frame: the best mean; not in the means: 1 diverged, 1 failed"
    assert notes in " ".join(said["heat_map"])
    assert {"1 run", "3 runs"} <= set(said["heat_map"])


def test_means_and_intervals_are_those_of_exp_results(tmp_path):
    """Runs with the same seed are no independent draws: they are averaged first."""
    runs = usual(tmp_path / "runs")
    scored = Scored(runs)
    found = effect(scored, "optimizer.lr")
    standings = ranking(grouped(runs.rows, ("optimizer.lr",), "test/accuracy")).every
    spreads = {each.group.values[0]: each.score for each in standings}
    for place, rate in enumerate((0.01, 0.1)):
        spread = spreads[rate]
        assert spread.n == 3  # of six runs
        assert (found.mean[place], found.low[place], found.high[place]) == (
            spread.mean, spread.low, spread.high,
        )  # fmt: skip


def test_a_missing_cell_is_marked(tmp_path):
    runs = usual(tmp_path / "runs")
    said = words(dataclasses.replace(runs, rows=runs.rows[3:]), tmp_path / "figures")
    assert said["heat_map"].count("no run") == 1
    assert "frame: the best mean; hatched: no run with a value" in " ".join(said["heat_map"])


def test_200_groups_are_capped_and_that_is_said(tmp_path):
    rows = [
        one(tmp_path, i, {"optimizer.lr": 0.001 * (i + 1)}, score=0.3 + i / 300) for i in range(200)
    ]
    said = words(runs_of(rows), tmp_path / "figures")
    assert "Decision boundaries of the best 100 of 200 runs" in said["contact_sheet"]
    assert sum(text.endswith(" %") for text in said["contact_sheet"]) == 100
    assert "Learning curves: the best 6 of 200 groups" in said["curves"]
    assert "0.2" in said["curves"][-2:] or any("lr=0.2" in text for text in said["curves"])


def test_a_random_search_is_no_table(tmp_path):
    rows = [one(tmp_path, i, {"a": 0.123456789 * (i + 1), "b": i}, map=False) for i in range(9)]
    said = words(runs_of(rows), tmp_path / "figures")
    assert list(said) == ["curves", "parameters"]
    assert "a=0.1235, b=0" in said["curves"]


def test_a_heat_map_of_many_values_is_capped(tmp_path):
    rows = [
        one(tmp_path, 40 * j + i, {"a": f"name {i}", "b": j}, score=0.3 + i / 99, map=False)
        for i in range(40)
        for j in range(2)
    ]
    said = words(runs_of(rows), tmp_path / "figures")
    assert "the best 30 of 40 values of a" in " ".join(said["heat_map"])
    assert "name 39" in said["heat_map"]
    assert "name 0" not in said["heat_map"]


def test_very_long_names_stay_on_the_page(tmp_path):
    long = "a_name_that_does_not_end_" * 12
    rows = [
        one(tmp_path, 2 * i + s, {long: f"{long}{i}", "other": i, "seed": s}, score=0.5 + i / 10)
        for i in range(3)
        for s in range(2)
    ]
    for path in draw(runs_of(rows), tmp_path / "figures", dpi=60):
        with Image.open(path) as image:
            picture = np.asarray(image.convert("RGB")).astype(int)
        # Nothing is written up to the edge, or beyond it.
        for edge in (picture[0], picture[-1], picture[:, 0], picture[:, -1]):
            assert (edge == 255).all(), path
        assert max(picture.shape) < 60 * 20, path


def test_values_of_all_kinds(tmp_path):
    kinds = [None, True, False, 1, "[8,8]", "[16]", 0.5, "<b>&", "名前"]
    rows = [one(tmp_path, i, {"x": value, "y": i % 2}) for i, value in enumerate(kinds)]
    said = words(runs_of(rows), tmp_path / "figures")
    assert {"null", "true", "false", "1", "[8,8]", "0.5"} <= set(said["parameters"])
    assert any("x=[8,8], y=0" in text for text in said["curves"])


def test_scores_that_are_not_there(tmp_path):
    rows = [one(tmp_path, i, {"x": i, "seed": 0}, score=None) for i in range(3)]
    said = words(runs_of(rows), tmp_path / "figures")
    assert said["contact_sheet"].count("no value") == 3
    assert "3 runs without a value" in said["parameters"]
    said = words(usual(tmp_path / "more"), tmp_path / "figures", metric="test/nonsense")
    assert "12 runs without a value" in said["parameters"]


@pytest.mark.parametrize(
    "content",
    ["", "epoch\n", "epoch,test/loss\n1\n", "a,b\n1,2\n", "epoch,test/loss\n2,1\n1,1\n", "\0" * 50],
)
def test_a_history_that_cannot_be_read_is_left_out(content, tmp_path):
    row = one(tmp_path, 0, {}, metrics=content)
    assert "curves" not in words(runs_of([row]), tmp_path / "figures")


def test_a_damaged_map_is_no_map(tmp_path):
    rows = [one(tmp_path, i, {"seed": i}) for i in range(3)]
    whole = (rows[0].path / "frames.npz").read_bytes()
    (rows[0].path / "frames.npz").write_bytes(whole[:200])
    (rows[1].path / "frames.npz").write_bytes(b"no archive")
    said = words(runs_of(rows), tmp_path / "figures")
    assert said["contact_sheet"].count("no map") == 2
    assert "ensemble" not in said


# --- numbers -------------------------------------------------------------------------------------


def test_the_band_is_students_interval(tmp_path):
    values = np.array([[1.0, 2.0], [2.0, np.nan], [4.0, 4.0]])
    mean, low, high = mean_and_interval(values)
    assert mean.tolist() == [pytest.approx(7 / 3), 3.0]
    # scipy.stats.t.interval(0.95, 2, loc=7/3, scale=scipy.stats.sem([1, 2, 4]))
    assert (low[0], high[0]) == (pytest.approx(-1.461250), pytest.approx(6.127917))
    assert np.isnan([low[1], high[1]]).all()  # two runs tell next to nothing


def test_runs_that_stopped_early_keep_their_last_value(tmp_path):
    long, short = (one(tmp_path, i, {}, epochs=n) for i, n in enumerate((20, 5)))
    found = [history(row.path, ["test/accuracy"]) for row in (long, short)]
    epochs, values = on_common_epochs(found, "test/accuracy")
    assert epochs.tolist() == list(range(20))
    assert values[1, 4:].tolist() == [values[1, 4]] * 16
    assert values[0, -1] > values[0, 4]


def test_runs_that_did_not_end_well_have_no_value_after_their_last(tmp_path):
    long, short = (one(tmp_path, i, {}, epochs=n) for i, n in enumerate((20, 5)))
    found = [
        history(row.path, ["test/accuracy"], finished=finished)
        for row, finished in ((long, True), (short, False))
    ]
    _, values = on_common_epochs(found, "test/accuracy")
    assert np.isfinite(values[1, :5]).all()
    assert np.isnan(values[1, 5:]).all()


def test_empty_fields_are_no_numbers(tmp_path):
    row = one(tmp_path, 0, {}, metrics="epoch,test/loss,test/accuracy\n0,,0.5\n1,0.25,\n")
    found = history(row.path, ["test/loss", "test/accuracy"])
    np.testing.assert_array_equal(found.columns["test/loss"], [np.nan, 0.25])
    np.testing.assert_array_equal(found.columns["test/accuracy"], [0.5, np.nan])


def test_long_histories_are_thinned_and_keep_their_ends(tmp_path):
    row = one(tmp_path, 0, {}, epochs=5000)
    epochs = history(row.path, []).epochs
    assert (len(epochs), epochs[0], epochs[-1]) == (400, 0, 4999)


def test_levels():
    def levels(values):
        rows = tuple(
            Row(Path(), i, "", "done", None, {"x": value}, {}, None, ())
            for i, value in enumerate(values)
        )
        return Scored(Runs((), ("x",), rows)).levels("x")

    powers = levels([1, 0.01, 0.1, 1.0])
    assert (powers.labels, powers.codes.tolist(), powers.log) == (
        ("0.01", "0.1", "1"), [2, 0, 1, 2], True,
    )  # fmt: skip
    np.testing.assert_allclose(powers.places, [-2, -1, 0])
    assert not levels([1, 2, 3, 4, 5]).log
    assert levels([8, 16, 32, 64]).log
    assert not levels([0, 0.1, 1]).log
    named = levels([None, "[8,8]", True, "[8,8]"])
    assert (named.labels, named.codes.tolist()) == (("null", "[8,8]", "true"), [0, 1, 2, 1])
    assert named.numbers is None
    assert levels([2, 1, None]).labels == ("2", "1", "null")


# --- pixels --------------------------------------------------------------------------------------


def field(shift: float, window=(-1.0, 1.0, -1.0, 1.0), G=24) -> Field:
    xs, ys = np.linspace(*window[:2], G), np.linspace(*window[2:], G)
    p = np.broadcast_to(1 / (1 + np.exp(-20 * (xs - shift))), (G, G)).astype(np.float32)
    return Field(xs=xs, ys=ys, probabilities=np.stack([1 - p, p]))


def test_tiles_share_their_limits():
    left, right = field(-0.5, (-2.0, 0.0, -1.0, 1.0)), field(0.5, (0.0, 2.0, -1.0, 1.0))
    tiles = tuple(contact_sheet.Tile(caption="", value="", field=each) for each in (left, right))
    section = contact_sheet.Section(title="", tiles=tiles)
    with settings():
        figure = contact_sheet.draw([section], LIGHT, classes=("a", "b"))
    drawn = pixels(figure)
    (one, other), _ = contact_sheet.places([section])
    y = figure.axes[0].get_position().y1 - one.top - one.width / 2
    # The first map fills the left half of its tile only: blue, then orange, then nothing.
    colours = [at(drawn, one.left + share * one.width, y) for share in (0.1, 0.45, 0.75)]
    assert colours[0][2] > colours[0][0] + 40
    assert colours[1][0] > colours[1][2] + 40
    assert colours[2].tolist() == [255, 255, 255]
    assert at(drawn, other.left + 0.25 * other.width, y).tolist() == [255, 255, 255]


def test_rows_lie_on_their_tile_and_errors_are_crossed_out():
    """Two rows at (0.5, 0.5) and (0.5, -0.5) of the second tile, class 1, the upper one wrong."""
    points, labels = np.array([[0.5, 0.5], [0.5, -0.5]]), np.array([1, 1])
    dots = Dots(points, labels, np.array([True, False]))
    tiles = tuple(
        contact_sheet.Tile(caption="", value="", field=field(0.0), dots=each)
        for each in (None, dots)
    )
    with settings():
        figure = contact_sheet.draw(
            [contact_sheet.Section(title="", tiles=tiles)], LIGHT, classes=("a", "b"),
            rows="test rows",
        )  # fmt: skip
    drawn = pixels(figure)
    (plain, other), _ = contact_sheet.places([contact_sheet.Section(title="", tiles=tiles)])
    top = figure.axes[0].get_position().y1 - other.top
    for share, wrong in ((0.25, True), (0.75, False)):
        x, y = 0.75 * other.width, top - share * other.width
        steps = np.arange(-0.05, 0.051, 0.01)
        near = np.array([at(drawn, other.left + x + dx, y + dy) for dx in steps for dy in steps])
        orange = np.abs(near - (248, 156, 32)).max(axis=1) < 25
        assert orange.sum() >= 4, "a row has the full colour of its class"
        assert (near.max(axis=1) < 130).any() == wrong
        assert np.abs(at(drawn, plain.left + x, y) - (248, 156, 32)).max() > 100
    texts = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert texts == ["a", "b", "decision boundary", "test rows", "misclassified"]


def test_sections_stand_beside_each_other_while_they_fit():
    tile = contact_sheet.Tile(caption="", value="")
    three = contact_sheet.Section(title="t", tiles=(tile,) * 3)
    tiles, _ = contact_sheet.places([three] * 3)
    assert tiles[0].top == tiles[3].top < tiles[6].top
    assert tiles[3].left > tiles[2].left + tiles[2].width
    ten = contact_sheet.Section(title="t", tiles=(tile,) * 10)
    tiles, _ = contact_sheet.places([three, ten])
    assert len({(each.left, each.top) for each in tiles}) == 13
    assert tiles[3].top > tiles[0].top + tiles[0].width


def test_the_heat_map_shows_the_highest_in_yellow_and_the_lowest_in_blue():
    def levels(name, labels):
        return Levels(name=name, labels=labels, numbers=None, codes=np.zeros(0, int))

    mean = np.array([[0.5, np.nan], [0.75, 1.0]])
    with settings():
        figure = heat_map.draw(
            levels("across", ("a", "b")), levels("up", ("c", "d")), mean,
            np.array([[1, 0], [1, 1]]), ACCURACY, LIGHT, best=(1, 1),
        )  # fmt: skip
    drawn = pixels(figure)
    box = figure.axes[0].get_position()

    def cell(row, column):
        return at(drawn, (column + 0.2) * box.width / 2, box.height - (row + 0.2) * box.height / 2)

    assert cell(0, 0)[2] > cell(0, 0)[0] + 40  # dark blue
    assert cell(1, 1)[0] > cell(1, 1)[2] + 100  # yellow
    grey = cell(0, 1)
    assert grey.max() - grey.min() < 20


def test_the_spread_is_largest_where_the_runs_disagree():
    both = np.stack([field(-0.5).probabilities, field(0.5).probabilities])
    sd = ensemble.spread(both)
    assert sd[12, 12] == pytest.approx(0.5, abs=1e-3)
    assert sd[12, 0] == pytest.approx(0.0, abs=1e-3)
    with settings():
        fields = [field(-0.5), field(0.5)]
        figure = ensemble.draw(fields, LIGHT, classes=("a", "b"), axes=("x", "y"))
    drawn = pixels(figure)
    box = figure.axes[1].get_position()
    middle = at(drawn, box.x0 + 0.45 * box.width, 0.4 * box.height)
    edge = at(drawn, box.x0 + 0.05 * box.width, 0.4 * box.height)
    assert middle[0] > 200 > 60 > edge[0]


def test_windows():
    one, other = (0.0, 2.0, 0.0, 1.0), (1.0, 3.0, -1.0, 0.5)
    assert union([one, other]) == (0.0, 3.0, -1.0, 1.0)
    assert common([one, other]) == (1.0, 2.0, 0.0, 0.5)
    assert common([one, (2.0, 3.0, 0.0, 1.0)]) is None


def test_resampling_is_bilinear():
    xs, ys = np.array([0.0, 1.0, 2.0]), np.array([0.0, 2.0])
    plane = (xs[None, :] + 10 * ys[:, None]).astype(np.float32)
    given = Field(xs=xs, ys=ys, probabilities=plane[None])
    new_x, new_y = np.array([0.0, 0.25, 1.5, 2.0]), np.array([0.0, 0.5, 2.0])
    np.testing.assert_allclose(
        given.on(new_x, new_y)[0], new_x[None, :] + 10 * new_y[:, None], rtol=1e-6
    )


def test_the_band_is_drawn_between_its_ends():
    epochs = np.arange(11.0)
    curve = group_curves.Curve(
        epochs=epochs, mean=np.full(11, 0.5), low=np.full(11, 0.4), high=np.full(11, 0.6),
        runs=np.array([np.full(11, 0.1), np.full(11, 0.9)]),
    )  # fmt: skip
    group = group_curves.Group(name="g", about="", curves={"loss": curve})
    with settings():
        figure = group_curves.draw([group], [Metric("loss", False)], LIGHT)
    drawn = pixels(figure)
    box = figure.axes[0].get_position()
    low, high = Metric("loss", False).limits(np.array([0.1, 0.9]))

    def colour(value):
        return at(drawn, 0.43 * box.width, (value - low) / (high - low) * box.height)

    band = colour(0.56)
    assert band[2] > band[0] + 20
    assert (colour(0.44) == band).all()
    assert (colour(0.5) < band - 50)[0]
    assert colour(0.7).tolist() == [255, 255, 255]


# --- ensembles -----------------------------------------------------------------------------------


def predictions(path: Path, chances, labels=(0, 1, 1), rows=(5, 7, 9), x=0.5) -> Path:
    path.mkdir(exist_ok=True)
    lines = ["split,row,x1,label,logit,probability:0,probability:1,predicted"]
    lines.append("train,1,0.1,0,0,0.9,0.1,0")
    for row, label, p in zip(rows, labels, chances, strict=True):
        lines.append(f"test,{row},{x},{label},0,{1 - p},{p},{int(p > 0.5)}")
    (path / "predictions.csv").write_text("\n".join(lines) + "\n")
    return path


def test_the_accuracy_of_runs_together(tmp_path):
    one = predictions(tmp_path / "a", (0.1, 0.4, 0.9))  # right, wrong, right
    other = predictions(tmp_path / "b", (0.6, 0.9, 0.3))  # wrong, right, wrong
    assert ensemble_accuracy([one, other]) == (1.0, pytest.approx(0.5))
    # in another order these are the same rows
    turned = predictions(tmp_path / "c", (0.9, 0.4, 0.1), labels=(1, 1, 0), rows=(9, 7, 5))
    assert ensemble_accuracy([one, turned]) == (pytest.approx(2 / 3), pytest.approx(2 / 3))


@pytest.mark.parametrize("change", [{"rows": (5, 7, 8)}, {"labels": (0, 1, 0)}, {"x": 0.6}])
def test_other_rows_have_no_accuracy_together(change, tmp_path):
    one = predictions(tmp_path / "a", (0.1, 0.4, 0.9))
    assert ensemble_accuracy([one, predictions(tmp_path / "b", (0.1, 0.4, 0.9), **change)]) is None
    assert ensemble_accuracy([one, tmp_path / "nowhere"]) is None


def test_planes_of_their_own_make_no_ensemble(tmp_path):
    windows = [(-1.0, 1.0, -1.0, 1.0), (-1.0, 1.5, -1.0, 1.0)]
    rows = [
        one(tmp_path, i, {"seed": i}, frames={"window": window, "note": "principal plane"})
        for i, window in enumerate(windows)
    ]
    said = words(runs_of(rows), tmp_path / "figures")
    assert "ensemble" not in said
    assert "that run's training rows" in " ".join(said["contact_sheet"])
    plain = [
        one(tmp_path / "b", i, {"seed": i}, frames={"window": w}) for i, w in enumerate(windows)
    ]
    assert "ensemble" in words(runs_of(plain), tmp_path / "figures")


def test_the_last_map_of_several_classes(tmp_path):
    row = one(tmp_path, 0, {}, frames={"classes": ("a", "b", "c")})
    found = last_map(row.path)
    assert found.classes == ("a", "b", "c")
    assert found.field.probabilities.shape == (3, 12, 12)


# --- a sweep draws itself ------------------------------------------------------------------------

TINY = ("dataset.n_samples=60", "trainer.epochs=3", "figures.draw=[data]", "figures.dpi=40")


def test_a_finished_sweep_is_drawn(in_tmp):
    ended = inside(
        in_tmp, "-m", *TINY, "figures.theme=dark", "figures.format=[svg]", "sweep.n_jobs=1",
        "optimizer.lr=0.1,1", "seed=1,2", "sweep.dir=s",
    )  # fmt: skip
    assert (ended.code, ended.err) == (0, "")
    assert "Pictures of the sweep: s/figures/ (contact_sheet, curves, parameters, ensemble)" in (
        ended.out
    )
    files = sorted(path.name for path in (in_tmp / "s" / "figures").iterdir())
    assert files == ["contact_sheet.svg", "curves.svg", "ensemble.svg", "parameters.svg"]
    assert "Decision boundaries of 4 runs" in told(in_tmp / "s/figures/contact_sheet.svg")
    # Once more: nothing is to do, and what does not belong there is taken away.
    (in_tmp / "s/figures/heat_map.svg").write_text("of an earlier part")
    again = inside(
        in_tmp, "-m", *TINY, "figures.theme=dark", "figures.format=[svg]", "sweep.n_jobs=1",
        "optimizer.lr=0.1,1", "seed=1,2", "sweep.dir=s",
    )  # fmt: skip
    assert again.code == 0
    assert sorted(path.name for path in (in_tmp / "s" / "figures").iterdir()) == files


def test_exp_results_draws_what_it_looks_at(in_tmp):
    words = ("-m", *TINY, "sweep.n_jobs=1", "sweep.figures=false", "optimizer.lr=0.1,1", "seed=1,2")
    assert inside(in_tmp, *words, "sweep.dir=s").code == 0
    ended = inside(in_tmp, "results", "s", "--figures")
    assert (ended.code, ended.err) == (
        0,
        "s/figures/: contact_sheet, curves, parameters, ensemble\n",
    )
    assert ended.out == inside(in_tmp, "results", "s").out
    some = ("results", "s", "--where", "optimizer.lr=1", "--figures", "here", "--theme", "dark")
    ended = inside(in_tmp, *some)
    assert (ended.code, ended.err) == (0, "here/: contact_sheet, curves, parameters, ensemble\n")
    with Image.open(in_tmp / "here" / "curves.png") as image:
        assert image.convert("RGB").getpixel((1, 1)) == (20, 24, 31)
    for more, message in (
        (("--figures", "no/such"), "cannot draw into no/such: No such file or directory"),
        (
            ("--figures", "f", "--theme", "drak"),
            "--theme: unknown theme 'drak'. Did you mean 'dark'",
        ),
    ):
        ended = inside(in_tmp, "results", "s", *more)
        assert (ended.code, ended.out) == (2, "")
        assert message in ended.err


@pytest.mark.parametrize("word", ["sweep.figures=false", "figures=none"])
def test_a_sweep_that_wants_no_pictures(word, in_tmp):
    words = ("dataset.n_samples=60", "trainer.epochs=3", word, "sweep.n_jobs=1", "seed=1,2")
    ended = inside(in_tmp, "-m", *words, "sweep.dir=s")
    assert (ended.code, ended.err) == (0, "")
    assert "ictures" not in ended.out
    assert not (in_tmp / "s" / "figures").exists()


def test_a_fault_while_drawing_loses_nothing(in_tmp):
    words = ("-m", *TINY, "sweep.n_jobs=1", "optimizer.lr=1e30,1e31", "seed=1", "sweep.dir=s")
    assert inside(in_tmp, *words, "sweep.figures=false").code == 3
    (in_tmp / "s" / "figures").write_text("in the way")
    ended = inside(in_tmp, *words)
    assert ended.code == 3  # both have diverged: the code stays
    last = ended.out.splitlines()[-1]
    assert last.startswith("The pictures of the sweep could not be drawn: ")
    assert "File exists" in last
    assert (in_tmp / "s" / "figures").read_text() == "in the way"
    statuses = [json.loads(p.read_text())["status"] for p in in_tmp.glob("s/*/run.json")]
    assert statuses == ["diverged", "diverged"]


def test_a_very_large_sweep_is_not_drawn_unasked(in_tmp, monkeypatch):
    monkeypatch.setattr("exp.sweeps.draw_sweep.MOST", 2)
    ended = inside(in_tmp, "-m", *TINY, "sweep.n_jobs=1", "seed=1,2,3", "sweep.dir=s")
    assert ended.code == 0
    assert ended.out.splitlines()[-1] == (
        "No figures were drawn, because the sweep has more than 2 "
        "runs: exp results s --figures draws them"
    )
    assert not (in_tmp / "s" / "figures").exists()


def test_no_such_setting(in_tmp):
    ended = inside(in_tmp, "-m", *TINY, "seed=1,2", "sweep.figures=maybe")
    assert ended.code == 2
    assert "sweep.figures" in ended.err
