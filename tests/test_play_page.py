"""`exp play`: the page in a browser, offline: each control, the points, and what is taken home."""

from __future__ import annotations

import csv
import io
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from browser import Opened, chromium, opened
from commands import Ended, inside, read_csv

LARGEST = 1_500_000
CONFIG = ("optimizer=adam", "trainer.epochs=300", "figures=none", "dataset.n_samples=200")
COLUMNS = {
    "train/loss": "trainLoss", "test/loss": "testLoss",
    "train/accuracy": "trainAccuracy", "test/accuracy": "testAccuracy",
}  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of 300 epochs, with its page."""
    where = tmp_path_factory.mktemp("play")
    ended = inside(where, *CONFIG)
    assert ended.code == 0, ended.err
    made = inside(where, "play", str(ended.run))
    assert made.code == 0, made.err
    assert "play.html" in made.out
    return ended.run


@pytest.fixture(scope="module")
def page_file(run: Path) -> Path:
    return run / "play.html"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as found:
        yield found


def well_behaved(found: Opened, page_file: Path) -> bool:
    outside = [url for url in found.requests if not url.startswith(("blob:", "data:"))]
    return found.complaints == [] and {url.partition("#")[0] for url in outside} == {
        page_file.as_uri()
    }


@pytest.fixture
def tab(browser: Any, page_file: Path) -> Iterator[Opened]:
    with opened(browser, page_file, accept_downloads=True) as found:
        yield found
        assert well_behaved(found, page_file), (found.complaints, found.requests)


def session(tab: Opened, expression: str) -> Any:
    return tab.page.evaluate(f"playing.session.{expression}")


def settings(tab: Opened) -> dict[str, Any]:
    return dict(session(tab, "settings"))


def train(tab: Opened, epochs: int) -> None:
    """Plays until an epoch, as a reader does."""
    if not tab.page.locator("#more-settings").is_visible():
        tab.page.click("summary:has-text('More settings')")
    tab.page.get_by_label("pause at epoch").fill(str(epochs))
    tab.page.get_by_label("pause at epoch").press("Tab")
    tab.page.get_by_label("Speed").fill("6")
    tab.page.get_by_role("button", name="Play", exact=True).click()
    tab.until(f"playing.session.trainer.epoch === {epochs} && !playing.loop.running")


def choose(tab: Opened, label: str, value: str) -> None:
    tab.page.get_by_label(label, exact=True).select_option(value)


def tool(tab: Opened, name: str) -> None:
    tab.page.get_by_role("radio", name=name, exact=True).check(force=True)


def test_the_page_is_one_file_and_small(page_file: Path, tab: Opened) -> None:
    assert page_file.stat().st_size <= LARGEST
    policy = tab.page.get_attribute("meta[http-equiv='Content-Security-Policy']", "content")
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'"
    asked = tab.page.evaluate(
        "() => fetch('data:text/plain,x').then(() => 'asked', () => 'refused')"
    )
    assert asked == "refused"
    tab.complaints.clear()  # the browser reports what it has refused


def test_300_epochs_are_those_of_metrics_csv(run: Path, tab: Opened) -> None:
    train(tab, 300)
    history, metrics = session(tab, "trainer.history"), read_csv(run / "metrics.csv")
    for column, name in COLUMNS.items():
        python = metrics[column].astype(float)[-300:]
        np.testing.assert_allclose(history[name], python, atol=1e-4, rtol=0)
    assert tab.text("#epoch") == "300"
    for key, name in (("train-loss", "train/loss"), ("test-loss", "test/loss")):
        assert abs(float(tab.text(f"#{key}")) - float(metrics[name][-1])) <= 1.5e-4
    shown = float(tab.text("#test-accuracy").removesuffix(" %")) / 100
    assert abs(shown - float(metrics["test/accuracy"][-1])) <= 1e-3


def test_play_pause_step_reset_and_speed(tab: Opened) -> None:
    page = tab.page
    page.get_by_role("button", name="Step").click()
    assert session(tab, "trainer.epoch") == 1
    page.get_by_role("button", name="Play", exact=True).click()
    tab.until("playing.session.trainer.epoch > 5")
    page.get_by_role("button", name="Pause").click()
    epoch = session(tab, "trainer.epoch")
    page.wait_for_timeout(100)
    assert session(tab, "trainer.epoch") == epoch
    tab.until(f"document.querySelector('#epoch').textContent === '{epoch}'")
    assert "Paused." in (tab.until("announcement.textContent") or tab.text("#announcement"))
    page.keyboard.press("r")
    assert session(tab, "trainer.epoch") == 0
    page.keyboard.press("s")
    assert session(tab, "trainer.epoch") == 1
    page.locator("body").press("k")
    assert page.evaluate("playing.loop.running")
    page.keyboard.press("k")
    page.get_by_label("Speed").fill("0")
    assert page.evaluate("playing.loop.rate") == 1
    assert page.get_by_label("Speed").get_attribute("aria-valuetext") == "1 epoch per second"


CONTROLS = (
    ("Activation", "tanh", "activation.name", "tanh"),
    ("Loss", "hinge", "loss.name", "hinge"),
    ("Optimizer", "sgd", "optimizer", "sgd"),
    ("Learning rate", "0.03", "lr", 0.03),
    ("L1 penalty", "0.001", "l1", 0.001),
    ("L2 penalty", "0.01", "l2", 0.01),
    ("Batch size", "32", "batch_size", 32),
)


def test_each_setting_does_what_it_says(tab: Opened) -> None:
    page = tab.page
    for label, value, key, expected in CONTROLS:
        choose(tab, label, value)
        assert session(tab, f"settings.{key}") == expected
        assert session(tab, f"trainer.settings.{key}") == expected
    assert settings(tab)["lr"] == 0.03  # that of sgd is 0.1, and of adam 0.01
    page.get_by_label("Seed", exact=True).fill("7")
    page.get_by_label("Seed", exact=True).press("Tab")
    assert settings(tab)["seeds"] == {"init": 7, "shuffle": 7}
    page.get_by_role("button", name="One hidden layer more").click()
    page.get_by_role("button", name="One unit less in hidden layer 1").click()
    page.get_by_role("button", name="One unit more in hidden layer 3").click()
    assert settings(tab)["hidden"] == [7, 8, 9]
    assert session(tab, "trainer.network.sizes") == [2, 7, 8, 9, 1]
    assert tab.count(".unit") == 7 + 7 + 8 + 9 + 1
    page.get_by_role("button", name="Feature x1^2").click()
    page.get_by_role("button", name="Feature x2", exact=True).click()
    assert settings(tab)["features"] == ["x1", "x1^2"]
    page.get_by_role("radio", name="blobs").check()
    assert settings(tab)["dataset"] == "blobs"
    assert settings(tab)["loss"]["name"] == "hinge"
    spread = np.std(session(tab, "trainer.rows.x"), axis=0)
    page.get_by_label("Noise").fill("4")
    assert (np.std(session(tab, "trainer.rows.x"), axis=0) > spread).all()
    tab.until("document.querySelector('#command-text').textContent.includes('cluster_std=4')")
    words = shlex.split(tab.text("#command-text"))
    assert {"dataset=blobs", "optimizer.lr=0.03", "loss=hinge", "loss.l1=0.001", "loss.l2=0.01",
            "trainer.batch_size=32", "seeds.init=7", "model.hidden=[7,8,9]",
            "features.use=[x,x2]", "model.activation=tanh"} <= set(words)  # fmt: skip


def test_rates_and_penalties_change_while_it_trains(tab: Opened) -> None:
    train(tab, 20)
    choose(tab, "Learning rate", "0.00001")
    choose(tab, "L2 penalty", "0.1")
    assert session(tab, "trainer.epoch") == 20
    before = session(tab, "trainer.network.layers[0].weight[0]")
    tab.page.get_by_role("button", name="Step").click()
    after = session(tab, "trainer.network.layers[0].weight[0]")
    assert 0 < abs(after - before) < 2e-5
    tab.until("document.querySelector('#command-note').textContent.includes('Reset')")


def test_a_setting_that_is_not_possible_is_one_sentence(tab: Opened) -> None:
    tab.page.get_by_label("Seed", exact=True).fill("1.5")
    tab.page.get_by_label("Seed", exact=True).press("Tab")
    assert tab.text("#fault") == ("Seed: expected a whole number from 0 to 2147483647, found 1.5.")
    assert settings(tab)["seeds"]["init"] == 42
    tab.page.get_by_role("radio", name="spirals", exact=True).check()
    assert settings(tab)["loss"]["name"] == "cross_entropy"
    assert "now cross_entropy" in tab.text("#note")
    assert tab.page.locator("option[value='bce']").is_disabled()


def at(tab: Opened, place: list[float]) -> tuple[float, float]:
    """Where a row is on the screen."""
    tab.page.locator("#plane").scroll_into_view_if_needed()
    box = tab.page.locator("#plane").bounding_box()
    x, y = tab.page.evaluate("(row) => playing.plane.toPixels(row)", place)
    return box["x"] + x, box["y"] + y


def test_points_are_moved_added_and_removed_with_a_mouse(tab: Opened) -> None:
    page, count = tab.page, len(session(tab, "points"))
    first = session(tab, "points[0]")
    tool(tab, "move")
    x, y = at(tab, first["x"])
    index = page.evaluate("([x, y]) => playing.points.nearest([x, y], 12)", plane_at(tab, x, y))
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 30, y - 40, steps=4)
    page.mouse.up()
    moved = session(tab, f"points[{index}]")
    scale = page.evaluate("(playing.plane.x[1] - playing.plane.x[0]) / playing.plane.size")
    np.testing.assert_allclose(
        moved["x"], [first["x"][0] + 30 * scale, first["x"][1] + 40 * scale], atol=3 * scale
    )
    tool(tab, "add")
    choose(tab, "Class", "1")
    box = page.locator("#plane").bounding_box()
    page.mouse.click(box["x"] + 5, box["y"] + 5)
    added = session(tab, "points.at(-1)")
    assert (added["y"], added["part"]) == (1, "train")
    assert len(session(tab, "points")) == count + 1
    tool(tab, "remove")
    page.mouse.click(box["x"] + 5, box["y"] + 5)
    assert len(session(tab, "points")) == count
    assert session(tab, "trainer.rows.y.length") == count
    page.get_by_role("button", name="Undo").click()
    assert session(tab, "points.at(-1)") == added
    page.get_by_role("button", name="Restore").click()
    assert session(tab, "points[0]") == first
    assert settings(tab)["points"] is None


def plane_at(tab: Opened, x: float, y: float) -> list[float]:
    box = tab.page.locator("#plane").bounding_box()
    return [x - box["x"], y - box["y"]]


def test_points_by_keyboard_and_by_touch(browser: Any, page_file: Path) -> None:
    size = {"width": 420, "height": 900}
    with opened(browser, page_file, viewport=size, has_touch=True) as tab:
        page, count = tab.page, len(session(tab, "points"))
        tool(tab, "add")
        page.locator("#plane").scroll_into_view_if_needed()
        box = page.locator("#plane").bounding_box()
        page.touchscreen.tap(box["x"] + 8, box["y"] + 60)
        assert len(session(tab, "points")) == count + 1
        page.locator("#plane").focus()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Shift+ArrowUp")
        page.keyboard.press("Enter")
        new = session(tab, "points.at(-1)")
        assert len(session(tab, "points")) == count + 2
        tool(tab, "move")
        page.locator("#plane").focus()
        page.evaluate("(row) => { playing.plane.cursor = row; }", new["x"])
        page.keyboard.press("Enter")
        page.keyboard.press("Shift+ArrowLeft")
        page.keyboard.press("Enter")
        assert session(tab, "points.at(-1).x[0]") < new["x"][0]
        tab.until("announcement.textContent.includes('put down')")
        page.keyboard.press("Delete")
        assert len(session(tab, "points")) == count + 1
        assert page.evaluate("document.documentElement.scrollWidth") <= 420
        assert well_behaved(tab, page_file), tab.complaints


def saved(tab: Opened, button: str) -> str:
    with tab.page.expect_download() as found:
        tab.page.get_by_role("button", name=button).click()
    return Path(found.value.path()).read_text()


def run_of(where: Path, command: str, *more: str) -> Ended:
    program, *words = shlex.split(command)
    assert program == "exp"
    ended = inside(where, *words, *more)
    assert ended.code == 0, ended.err
    return ended


def test_the_script_is_that_of_exp_code(tab: Opened, tmp_path: Path) -> None:
    page = tab.page

    def same() -> None:
        command, script = saved(tab, "Save the command"), saved(tab, "Save the script")
        assert script == inside(tmp_path, "code", *shlex.split(command)[1:]).out

    same()
    choose(tab, "Optimizer", "sgd")
    choose(tab, "Activation", "tanh")
    choose(tab, "Batch size", "32")
    choose(tab, "L2 penalty", "0.01")
    page.get_by_role("button", name="Feature x1^2").click()
    page.get_by_role("button", name="One unit less in hidden layer 1").click()
    page.get_by_label("Noise").fill("0.25")
    same()
    page.get_by_role("radio", name="spirals", exact=True).check()
    choose(tab, "Learning rate", "0.3")
    page.get_by_role("button", name="Step").click()
    same()


@pytest.mark.parametrize("edited", [False, True], ids=["data set", "points by hand"])
def test_what_is_taken_home_gives_the_losses_of_the_page(
    tab: Opened, tmp_path: Path, edited: bool
) -> None:
    page = tab.page
    choose(tab, "Optimizer", "rmsprop")
    choose(tab, "Activation", "leaky_relu")
    choose(tab, "Batch size", "20")
    page.get_by_label("Noise").fill("0.2")
    if edited:
        tool(tab, "add")
        box = page.locator("#plane").bounding_box()
        for x, y in ((90, 90), (120, 140)):
            page.mouse.click(box["x"] + x, box["y"] + y)
        tool(tab, "remove")
        page.mouse.click(*at(tab, session(tab, "points[3].x")))
    train(tab, 40)
    command, table = saved(tab, "Save the command"), saved(tab, "Save points.csv")
    assert "trainer.epochs=40" in command
    assert ("dataset=csv" in command) is edited
    rows = list(csv.DictReader(io.StringIO(table)))
    assert len(rows) == 200 + edited
    assert {row["part"] for row in rows} == {"train", "test"}
    (tmp_path / "points.csv").write_text(table)
    script = saved(tab, "Save the script")
    assert script == inside(tmp_path, "code", *shlex.split(command)[1:]).out
    ended = run_of(tmp_path, command, "figures=none")
    history, metrics = session(tab, "trainer.history"), read_csv(ended.run / "metrics.csv")
    for column, name in COLUMNS.items():
        np.testing.assert_allclose(history[name], metrics[column].astype(float)[-40:], atol=1e-4)


def test_a_link_opens_the_same_settings_and_points(
    browser: Any, page_file: Path, tab: Opened
) -> None:
    page = tab.page
    choose(tab, "Optimizer", "adagrad")
    page.get_by_role("radio", name="circles").check()
    page.get_by_role("button", name="One unit less in hidden layer 2").click()
    tool(tab, "add")
    page.locator("#plane").click(position={"x": 200, "y": 200})
    tab.until("location.hash.includes('points=')")
    expected, points = settings(tab), session(tab, "points")
    address = page.evaluate("location.href")
    page.goto("about:blank")
    page.goto(address)
    page.wait_for_selector("html[data-ready]")
    assert session(tab, "points") == points
    assert settings(tab) == expected
    tab.requests[:] = [url for url in tab.requests if url != "about:blank"]


IMPOSSIBLE = (
    "hidden=[99999999]", 'lr="<b>"', 'dataset="none"', "points=AAAA", "%%%", "hidden=[8",
    'seeds={"init":-1}', 'optimizer="adam"&momentum=1e99',
)  # fmt: skip


def test_a_link_that_is_not_possible_is_refused(tab: Opened) -> None:
    before = settings(tab)
    for words in IMPOSSIBLE:
        tab.page.evaluate("(words) => { fault.hidden = true; location.hash = words; }", words)
        tab.until("!fault.hidden")
        assert tab.text("#fault").startswith("The link cannot be used: "), words
        assert settings(tab) == before


def test_a_unit_and_a_weight_show_their_numbers(tab: Opened) -> None:
    page = tab.page
    page.get_by_role("button", name="Hidden layer 1, unit 3").focus()
    weights = session(tab, "trainer.network.layers[0].weight")
    text = tab.text("#reading").replace("\u2212", "-")
    found = [
        float(number)
        for number in re.findall(r"x.? (-?[\d.]+)", text.replace("₁", "").replace("₂", ""))
    ]
    np.testing.assert_allclose(found, [weights[4], weights[5]], rtol=0.06)
    drawn = "[...document.querySelector('#map').getContext('2d').getImageData(0, 0, 99, 99).data]"
    page.wait_for_timeout(100)
    unit = page.evaluate(drawn)
    page.get_by_role("button", name="Play", exact=True).focus()
    page.wait_for_timeout(100)
    assert page.evaluate(drawn) != unit
    edge = page.evaluate(
        "(() => { const e = playing.diagram.edges.list[0];"
        "return [(e.from.right + e.to.left) / 2, (e.from.y + e.to.y) / 2, e.weight]; })()"
    )
    box = page.locator("#lines").bounding_box()
    page.mouse.move(box["x"] + edge[0], box["y"] + edge[1])
    assert tab.text("#reading").startswith("Weight from Feature x1 to Hidden layer 1, unit 1: ")


@pytest.mark.parametrize("width", [420, 1280])
def test_axe_finds_nothing(browser: Any, page_file: Path, width: int) -> None:
    from axe_playwright_python.sync_playwright import Axe

    size = {"width": width, "height": 900}
    with opened(browser, page_file, viewport=size) as tab:
        tab.page.click("summary:has-text('More settings')")
        tab.page.click("summary:has-text('Keys')")
        tool(tab, "add")
        tab.page.get_by_role("button", name="Step").click()
        for scheme in ("light", "dark"):
            tab.page.emulate_media(color_scheme=scheme)
            found = Axe().run(tab.page)
            assert found.violations_count == 0, found.generate_report()
        assert tab.page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_switch_shows_train_or_test_rows(tab: Opened) -> None:
    drawn = "document.querySelector('#rows').toDataURL()"
    pictures = set()
    for part in ("all rows", "train", "test"):
        tab.page.get_by_role("radio", name=part, exact=True).check(force=True)
        pictures.add(tab.page.evaluate(drawn))
    assert len(pictures) == 3


@pytest.mark.parametrize(("words", "parts"), [
    (["play", "dataset=iris"], ["dataset", "two features"]),
    (["play", "scheduler=cosine"], ["scheduler", "exp play"]),
    (["play", "optimizer=muon"], ["optimizer", "exp play"]),
    (["play", "optimizer=adma"], ["Did you mean"]),
    (["play", "-m", "seed=1,2"], ["not from a sweep"]),
    (["play", "nowhere"], ["no directory"]),
    (["play", "seed=1", "nowhere"], ["expected overrides or one run directory"]),
    (["play", "--output", "no/such.html"], ["no directory"]),
])  # fmt: skip
def test_what_cannot_be_played_is_one_error(
    tmp_path: Path, words: list[str], parts: list[str]
) -> None:
    ended = inside(tmp_path, *words)
    assert ended.code == 2
    assert "Traceback" not in ended.err
    for part in parts:
        assert part in ended.err
    assert list(tmp_path.iterdir()) == []


def test_names_of_a_file_are_text(browser: Any, tmp_path: Path) -> None:
    """Columns and classes of a csv file may come from anyone."""
    names = ["<img src=x onerror=alert(1)>", "</script><script>alert(2)</script>"]
    lines = [f"{i % 7},{i % 5},{names[i % 2]}" for i in range(40)]
    header = ",".join([f'"{names[0]}"', "b", "label"])
    (tmp_path / "rows.csv").write_text("\n".join([header, *lines]) + "\n")
    words = ["dataset=csv", "dataset.path=rows.csv", "dataset.target=label"]
    ended = inside(tmp_path, "play", *words, "--output", "page.html")
    assert ended.code == 0, ended.err
    with opened(browser, tmp_path / "page.html") as tab:
        assert sorted(tab.text("#classes").splitlines()) == sorted(f"class {n}" for n in names)
        assert tab.count("img") == 0
        assert json.loads(json.dumps(session(tab, "dataset.classes"))) == sorted(names)
        assert well_behaved(tab, tmp_path / "page.html"), tab.complaints
