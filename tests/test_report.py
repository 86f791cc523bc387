"""`exp report`: a page that opens offline, can be used, and runs nothing that a run has named."""

from __future__ import annotations

import csv
import json
import re
import shlex
import shutil
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import exp.report.page as package
from browser import Opened, chromium, opened
from commands import Ended, inside, read_csv
from exp.plotting.names import EVERY
from exp.report.page import page_pictures
from exp.report.page.document import SCRIPTS
from exp.report.page.page_curves import curves
from exp.report.page.page_maps import frames_of
from exp.runs.directory import RunDirectory

ROOT = Path(__file__).resolve().parents[1]
ASSETS = Path(str(package.__file__)).parent / "assets"
NAME = "<script>alert(1)</script>"
FEATURES = ["<img src=x onerror=alert(1)>", "a \"quote\" & 'more' </script>"]
CLASSES = ["<b>good</b>", "</script><script>alert(2)</script>"]
MESSAGE = "</script><script>alert(3)</script> \"double\" 'single' & \u2028 <!-- ${x} %{y}"
SWEPT = ["optimizer=sgd,adam", "optimizer.lr=0.01,0.1", "seed=0,1,2"]


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """12 runs on a file of hostile names, which all claim to be called `NAME`; exp takes no such
    name, but their files may come from anyone. The last one claims to have failed."""
    where = tmp_path_factory.mktemp("report")
    rng = np.random.default_rng(0)
    with (where / "rows.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow([*FEATURES, "label"])
        for i in range(80):
            x, y = rng.normal(size=2)
            table.writerow([f"{x + 2 * (i % 2):.4f}", f"{y:.4f}", CLASSES[i % 2]])
    words = ["dataset=csv", "dataset.path=rows.csv", "dataset.target=label"]
    words += ["figures.draw=[boundary]", "trainer.epochs=30", "sweep.dir=swept"]
    ended = inside(where, "-m", *SWEPT, *words, "sweep.n_jobs=1")
    assert ended.code == 0, ended.err
    for path in (where / "swept").glob("*/run.json"):
        run = RunDirectory(path.parent)
        claimed = {}
        if run.path.name.startswith("11-"):
            claimed = {"status": "failed", "message": MESSAGE}
            summary = json.loads(run.summary.read_bytes())
            summary["final"]["test/accuracy"] = 1.0
            run.summary.write_text(json.dumps(summary))
        run.write_record({**run.read_record(), "name": NAME, **claimed})
        run.config.write_text(run.config.read_text() + f"# {NAME}\n")
    return where / "swept"


def report(place: Path, *words: str) -> Ended:
    return inside(place.parent, "report", place.name, *words)


@pytest.fixture(scope="module")
def page_file(sweep: Path) -> Path:
    ended = report(sweep)
    assert ended.code == 0, ended.err
    return sweep / "report.html"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as found:
        yield found


def well_behaved(found: Opened, page_file: Path) -> bool:
    """Whether it has not complained and asked for nothing."""
    outside = [url for url in found.requests if not url.startswith(("blob:", "data:"))]
    return found.complaints == [] and outside == [page_file.as_uri()]


@pytest.fixture
def tab(browser: Any, page_file: Path) -> Iterator[Opened]:
    """The page, just opened."""
    with opened(browser, page_file) as found:
        yield found
        assert well_behaved(found, page_file), (found.complaints, found.requests)


@pytest.fixture(scope="module")
def shared(browser: Any, page_file: Path) -> Iterator[Opened]:
    """The page once for all tests that leave it as they have found it: opening takes seconds."""
    with opened(browser, page_file) as found:
        yield found
        assert well_behaved(found, page_file), (found.complaints, found.requests)


def column(tab: Opened, title: str) -> list[str]:
    """What a column of the table shows, from the first row to the last."""
    titles = tab.page.locator("#runs thead .dt-column-title").all_inner_texts()
    at = titles.index(title) + 1
    cells = tab.page.locator(f"#runs tbody tr td:nth-child({at})").all_inner_texts()
    return [text.strip() for text in cells]


def choose(tab: Opened, name: str, label: str) -> None:
    tab.page.get_by_role("combobox", name=name, exact=True).select_option(label=label)


def listed(tab: Opened) -> str:
    return tab.text(".dt-info")


def test_what_runs_are_called_is_text(tab: Opened) -> None:
    page = tab.page
    assert tab.text("#run-heading").endswith(NAME)
    assert page.locator("img[src='x'], #boundary b, figcaption img").count() == 0
    assert tab.text(".classes").splitlines() == sorted(CLASSES)
    caption = tab.text("figcaption")
    assert all(" ".join(name.split()) in caption for name in FEATURES)
    failed = page.locator("section[aria-labelledby='failures'] td.long")
    assert failed.text_content() == MESSAGE
    choose(tab, "entries per page", "25")
    page.get_by_role("button", name="Show run 11").click()
    page.wait_for_selector("#run-message:not([hidden])")
    assert page.locator("#run-message").text_content() == MESSAGE
    page.click("#run-config summary")
    config = page.locator("#run-config pre").text_content()
    assert config.endswith(f"# {NAME}\n")


def test_a_policy_forbids_what_the_page_does_not_need(tab: Opened) -> None:
    policy = tab.page.get_attribute("meta[http-equiv='Content-Security-Policy']", "content")
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'"
    assert re.fullmatch(r"'sha256-[\w+/]{43}=' blob:", rules["script-src"])
    blocked = tab.page.evaluate(
        """async () => {
            const asked = await fetch("data:text/plain,x").then(() => "asked", () => "refused");
            const script = document.createElement("script");
            script.textContent = "window.ran = true";
            document.body.append(script);
            return [asked, window.ran === undefined];
        }"""
    )
    assert blocked == ["refused", True]
    assert len(tab.complaints) >= 2  # the browser says what it has blocked
    tab.complaints.clear()


def test_columns_are_sorted_by_pointer_and_by_key(tab: Opened) -> None:
    sorted_by = "#runs th[aria-sort='{}']:has-text('test/loss')"
    tab.page.locator("#runs th", has_text="test/loss").click()
    tab.page.wait_for_selector(sorted_by.format("ascending"))
    found = [float(text) for text in column(tab, "test/loss")[:10]]
    assert found == sorted(found)
    assert len(set(found)) == 10
    tab.page.get_by_role("button", name="test/loss").focus()
    tab.page.keyboard.press("Enter")
    tab.page.wait_for_selector(sorted_by.format("descending"))
    ended = zip(column(tab, "test/loss"), column(tab, "Status"), strict=True)
    turned = [float(text) for text, status in ended if status == "done"]
    assert turned == sorted(turned, reverse=True)


def test_the_best_run_stands_first_and_is_chosen(shared: Opened, sweep: Path) -> None:
    with (sweep / "runs.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["run"] != "11"]
    best = max(float(row["test/accuracy"]) for row in rows)
    assert column(shared, "Status")[0] == "done"
    assert float(column(shared, "test/accuracy")[0]) == pytest.approx(best, rel=1e-3)
    assert shared.text("#run-heading").startswith(f"Run {column(shared, 'Run')[0]}:")
    assert shared.page.locator("#runs tbody tr[aria-current]").count() == 1


def test_filters_keep_the_runs_that_were_asked_for(tab: Opened) -> None:
    page = tab.page
    assert "of 12" in listed(tab)
    choose(tab, "optimizer", "adam")
    assert set(column(tab, "optimizer")) == {"adam"}
    assert "of 6 " in listed(tab)
    choose(tab, "seed", "2")
    assert "of 2 " in listed(tab)
    choose(tab, "Status", "failed")
    assert column(tab, "Run") == ["11"]
    page.locator("#filters").get_by_role("button", name="Clear").click()
    tab.until("document.querySelector('.dt-info').textContent.endsWith('12 entries')")
    page.get_by_label("Search").fill("sgd")
    assert set(column(tab, "optimizer")) == {"sgd"}
    page.get_by_label("Search").fill("")
    scores = sorted(float(text) for text in column(tab, "test/accuracy") if text != "-")
    page.get_by_label("test/accuracy at least").fill(str(scores[-1]))
    kept = column(tab, "test/accuracy")
    assert kept
    assert all(float(text) >= scores[-1] for text in kept)


def test_pointing_at_a_row_shows_its_curves(shared: Opened) -> None:
    page = shared.page
    chosen, other = column(shared, "Run")[0], column(shared, "Run")[3]
    assert page.get_attribute("#curves", "data-runs") == chosen
    page.hover("#runs tbody tr:nth-child(4) td:nth-child(4)")
    page.wait_for_selector(f"#curves[data-runs='{chosen}, {other}']")
    page.hover("#run-heading")
    page.wait_for_selector(f"#curves[data-runs='{chosen}']")


def test_compared_runs_stay_on_the_curves(shared: Opened) -> None:
    page = shared.page
    numbers = column(shared, "Run")
    for number in numbers[1:3]:
        page.get_by_label(f"Compare the curves of run {number}", exact=True).check()
    page.hover("#run-heading")
    page.wait_for_selector(f"#curves[data-runs='{', '.join(numbers[:3])}']")
    page.click("#curves-clear")
    page.wait_for_selector(f"#curves[data-runs='{numbers[0]}']")
    assert page.locator("#runs tbody input:checked").count() == 0


def test_points_of_the_scatter_plot_show_and_choose_their_runs(tab: Opened) -> None:
    page = tab.page
    before = tab.text("#run-heading")
    page.locator("#scatter").scroll_into_view_if_needed()
    points = page.locator("#scatter .points path")
    assert points.count() == 13  # twelve runs, and a ring around the chosen one
    boxes = [points.nth(i).bounding_box() for i in range(11)]
    far = max(boxes, key=lambda box: box["y"])
    page.mouse.move(far["x"] + far["width"] / 2, far["y"] + far["height"] / 2, steps=4)
    page.wait_for_selector("#scatter .hoverlayer .hovertext")
    tab.until("document.getElementById('curves').dataset.runs.includes(', ')")
    run = page.get_attribute("#curves", "data-runs").split(", ")[1]
    page.mouse.down()
    page.mouse.up()
    tab.until(f"document.getElementById('run-heading').textContent !== {json.dumps(before)}")
    assert tab.text("#run-heading").startswith(f"Run {run}:")


def test_the_slider_goes_through_the_epochs(tab: Opened, sweep: Path) -> None:
    page = tab.page
    run = next(sweep.glob(f"{column(tab, 'Run')[0]}-*"))
    found = frames_of(run)
    assert found is not None
    page.focus("#epoch-slider")
    assert tab.text("#epoch") == str(found.epochs[-1])
    last = page.evaluate("document.querySelector('#boundary canvas').toDataURL()")
    page.keyboard.press("Home")
    assert tab.text("#epoch") == str(found.epochs[0])
    page.keyboard.press("ArrowRight")
    assert tab.text("#epoch") == str(found.epochs[1])
    assert page.get_attribute("#epoch-slider", "aria-valuetext") == f"epoch {found.epochs[1]}"
    assert page.evaluate("document.querySelector('#boundary canvas').toDataURL()") != last
    assert f"epoch {found.epochs[1]}" in page.get_attribute("#boundary canvas", "aria-label")


def test_the_map_has_the_model_s_classes(shared: Opened, sweep: Path) -> None:
    found = frames_of(next(sweep.glob(f"{column(shared, 'Run')[0]}-*")))
    assert found is not None
    chances = found.map(-1)
    shades = shared.page.evaluate(
        """() => {
            const canvas = document.querySelector("#boundary canvas");
            const pen = canvas.getContext("2d");
            const swatches = [...document.querySelectorAll(".swatch")];
            const colours = swatches.map((s) => s.style.background.match(/[0-9]+/g).map(Number));
            const far = canvas.width - 1;
            const corners = [[0, far], [far, far], [0, 0], [far, 0]];
            return [colours, corners.map(([x, y]) => [...pen.getImageData(x, y, 1, 1).data])];
        }"""
    )
    for (row, col), pixel in zip([(0, 0), (0, -1), (-1, 0), (-1, -1)], shades[1], strict=True):
        p = chances[:, row, col]
        strength = 0.42 * max(2 * p.max() - 1, 0)
        expected = 255 + (np.array(shades[0][int(p.argmax())]) - 255) * strength
        assert np.abs(np.array(pixel[:3]) - expected).max() <= 2  # float32 and rounding


def test_rows_lie_on_the_map_and_errors_are_crossed_out(tab: Opened, sweep: Path) -> None:
    page, run = tab.page, next(sweep.glob(f"{column(tab, 'Run')[0]}-*"))
    found = frames_of(run)
    assert found is not None
    with (run / "predictions.csv").open(newline="") as file:
        table = [(row["split"], row["label"] != row["predicted"]) for row in csv.DictReader(file)]
    assert len(table) == 80
    counts = {"none": ""}
    for part in ("train", "test", "all"):
        wrong = [bad for split, bad in table if part in (split, "all")]
        counts[part] = f"{len(wrong)} rows, {sum(wrong)} misclassified (crosses)"
    assert "0 misclassified" not in counts["all"]
    assert tab.text("#rows-counted") == counts["test"]
    images = {}
    for part, text in counts.items():
        page.select_option("#rows-shown", part)
        assert tab.text("#rows-counted") == text
        images[part] = page.evaluate(
            """() => {
                const canvas = document.querySelector("#boundary canvas");
                const pen = canvas.getContext("2d");
                return [...pen.getImageData(0, 0, canvas.width, canvas.height).data];
            }"""
        )
    side = int((len(images["none"]) / 4) ** 0.5)
    shown = {name: np.array(data).reshape(side, side, 4)[..., :3] for name, data in images.items()}
    size = np.array([found.xs[-1] - found.xs[0], found.ys[-1] - found.ys[0]])
    places = (found.points - [found.xs[0], found.ys[0]]) / size * (side - 1)
    marked = {name: (image != shown["none"]).any(axis=2) for name, image in shown.items()}
    swatches = page.evaluate(
        "[...document.querySelectorAll('.swatch')]"
        ".map((s) => s.style.background.match(/[0-9]+/g).map(Number))"
    )
    seen = 0
    for row, (across, up) in enumerate(places):
        others = np.delete(places, row, axis=0)
        if np.hypot(*(others - (across, up)).T).min() < 22:
            continue  # another may cover it
        x, y = round(across), round(side - 1 - up)
        part = "train" if found.split[row] == 0 else "test"
        assert marked[part][y, x]
        assert marked["all"][y, x]
        assert not marked["test" if part == "train" else "train"][y, x]
        filled = np.abs(shown[part][y, x] - swatches[found.labels[row]]).max() < 12
        assert filled == (part == "train"), "filled for train, hollow for test"
        arm = shown[part][y - 6, x - 6]
        crossed = np.abs(arm - (29, 37, 48)).max() < 90
        assert crossed == (found.labels[row] != found.predicted[row])
        seen += 1
    assert seen > 10


def test_an_axis_keeps_runs_by_key_and_by_pointer(shared: Opened) -> None:
    page = shared.page
    low = page.get_by_role("slider", name="optimizer.lr, lowest value")
    low.focus()
    page.keyboard.press("ArrowUp")
    assert low.get_attribute("aria-valuenow") == "2"
    assert "of 6 " in listed(shared)
    assert set(column(shared, "optimizer.lr")) == {"0.1"}
    page.keyboard.press("Escape")
    assert "of 12" in listed(shared)
    track = page.locator("#parallel .track").nth(0)
    track.scroll_into_view_if_needed()
    box = track.bounding_box()
    x = box["x"] + box["width"] / 2
    page.mouse.move(x, box["y"] + 0.2 * box["height"])
    page.mouse.down()
    page.mouse.move(x, box["y"] - 20, steps=5)
    page.mouse.up()
    assert "of 6 " in listed(shared)
    assert len(set(column(shared, "optimizer"))) == 1
    page.click("#parallel-clear")
    assert "of 12" in listed(shared)


def background(tab: Opened) -> str:
    return str(tab.page.evaluate("getComputedStyle(document.body).backgroundColor"))


CORNER = (
    "[...document.querySelector('#boundary canvas').getContext('2d').getImageData(0,0,1,1).data]"
)


def corner(tab: Opened) -> list[int]:
    return list(tab.page.evaluate(CORNER))


def test_light_and_dark(tab: Opened) -> None:
    light, map_light = background(tab), corner(tab)
    assert light == "rgb(255, 255, 255)"
    tab.page.emulate_media(color_scheme="dark")
    assert background(tab) == "rgb(20, 24, 31)"
    tab.until(f"{CORNER}.join() !== '{','.join(map(str, map_light))}'")
    chart = "document.querySelector('#scatter .bg, #scatter .main-svg').style.background"
    tab.until(f"{chart} === 'rgb(20, 24, 31)'")
    tab.page.select_option("#theme", "light")
    assert background(tab) == light
    assert corner(tab) == map_light
    tab.page.emulate_media(color_scheme="light")
    tab.page.select_option("#theme", "dark")
    assert background(tab) == "rgb(20, 24, 31)"


def test_the_keyboard_reaches_a_run(tab: Opened) -> None:
    page = tab.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the runs"
    page.keyboard.press("Enter")
    for _ in range(60):
        page.keyboard.press("Tab")
        label = page.evaluate("document.activeElement.getAttribute('aria-label') || ''")
        if label.startswith("Show run") and not label.startswith(
            f"Show run {column(tab, 'Run')[0]}:"
        ):
            break
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    page.keyboard.press("Enter")
    number = label.removeprefix("Show run ").partition(":")[0]
    tab.until(f"document.getElementById('run-heading').textContent.startsWith('Run {number}:')")
    assert tab.text("#announcement").startswith(f"Run {number}:")


def test_the_commands_do_the_run_again(shared: Opened, sweep: Path) -> None:
    number = column(shared, "Run")[0]
    rerun, again = shared.page.locator("#run-commands pre").all_text_contents()
    run = next(sweep.glob(f"{number}-*"))
    assert shlex.split(rerun) == ["exp", "rerun", f"{sweep.name}/{run.name}"]
    words = shlex.split(again)
    assert words[:3] == ["python", "-m", "exp"]
    composed = inside(sweep.parent, *words[3:], "--cfg", "job", "--resolve")
    assert composed.code == 0, composed.err
    assert "target: label" in composed.out
    assert f"seed: {column(shared, 'seed')[0]}\n" in composed.out


@pytest.mark.parametrize("width", [1280, 420])
@pytest.mark.parametrize("which", ["page_file", "single"])
def test_axe_finds_nothing(
    browser: Any, request: pytest.FixtureRequest, which: str, width: int
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = request.getfixturevalue(which)
    with opened(browser, page, viewport={"width": width, "height": 900}) as found:
        found.page.click("#code")
        # Nothing is cut off beside the page; what is wide scrolls by itself.
        assert found.page.evaluate("document.documentElement.scrollWidth") == width
        for scheme in ("light", "dark"):
            found.page.emulate_media(color_scheme=scheme)
            result = Axe().run(found.page)
            assert result.violations_count == 0, result.generate_report()
        assert found.complaints == []


def test_a_page_of_one_run(browser: Any, sweep: Path, tmp_path: Path) -> None:
    run = next(sweep.glob("3-*"))
    page = tmp_path / "one.html"
    ended = inside(sweep, "report", run.name, "--output", str(page))
    assert ended.code == 0, ended.err
    assert not (run / "report.html").exists()
    with opened(browser, page) as found:
        assert found.page.title() == NAME
        assert found.count("#runs") == 0
        assert found.text("h1") == NAME
        assert found.count("#boundary canvas") == 1
        assert found.page.get_attribute("#curves", "data-runs") == "0"
        assert found.complaints == []


@pytest.fixture(scope="module")
def single(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of one run with all figures, beside its directory `one`."""
    where = tmp_path_factory.mktemp("single")
    words = ["dataset.n_samples=60", "optimizer=adam", "optimizer.lr=0.05", "trainer.epochs=200"]
    words += [f"figures.draw=[{','.join(EVERY)}]", "figures.dpi=80", "hydra.run.dir=one"]
    ended = inside(where, *words)
    assert ended.code == 0, ended.err
    ended = inside(where, "report", "one", "--output", "page.html")
    assert ended.code == 0, ended.err
    return where / "page.html"


PIXELS = "document.querySelector('#boundary canvas').toDataURL()"
MARKERS = "document.querySelector('#curves').data.slice(-2).map(({ x, y }) => [x, y])"


def test_play_moves_the_frames_and_the_marker(browser: Any, single: Path) -> None:
    frames = frames_of(single.parent / "one")
    assert frames is not None
    assert frames.probabilities.shape == (60, 1, 80, 80)
    table = read_csv(single.parent / "one" / "metrics.csv")
    at = {int(epoch): row for row, epoch in enumerate(table["epoch"])}

    def marked(epoch: int) -> list[Any]:
        values = {
            name: float(f"{float(table[name][at[epoch]]):.3g}")
            for name in ("train/loss", "test/loss", "train/accuracy", "test/accuracy")
        }
        left, right = list(values.values())[:2], list(values.values())[2:]
        return [[[epoch] * 2, left], [[epoch] * 2, right]]

    with opened(browser, single) as found:
        page = found.page
        assert page.evaluate(MARKERS) == marked(199)
        last = page.evaluate(PIXELS)
        page.click("#play")
        assert found.text("#play") == "Pause"
        seen: dict[int, str] = {}
        places = set()
        for _ in range(400):
            if len(seen) >= 8:
                break
            epoch, pixels = page.evaluate(f"[+document.querySelector('#epoch').value, {PIXELS}]")
            seen[epoch] = pixels
            places.add(page.get_attribute("#curves .scatterlayer .point >> nth=-1", "transform"))
            page.wait_for_timeout(60)
        assert list(seen) == sorted(seen)
        assert set(seen) <= set(frames.epochs.tolist())
        assert len(set(seen.values())) > 4
        assert len(places) > 2
        page.click("#play")
        assert found.text("#play") == "Play"
        epoch = int(found.text("#epoch"))
        found.until(f"document.querySelector('#curves').dataset.epoch === '{epoch}'")
        page.wait_for_timeout(300)
        assert int(found.text("#epoch")) == epoch
        assert page.evaluate(MARKERS) == marked(epoch)
        # From the last frame but one it ends by itself, and from there begins at the first.
        page.focus("#epoch-slider")
        page.keyboard.press("End")
        page.keyboard.press("ArrowLeft")
        page.click("#play")
        found.until("document.querySelector('#play').textContent === 'Play'")
        assert page.evaluate(PIXELS) == last
        page.focus("#play")
        page.keyboard.press("Space")
        found.until("+document.querySelector('#epoch').value < 100")
        assert well_behaved(found, single)


def test_a_click_on_a_curve_shows_the_boundary_of_that_epoch(browser: Any, single: Path) -> None:
    with opened(browser, single) as found:
        found.page.locator("#curves").scroll_into_view_if_needed()
        x, y = found.page.locator("#curves path.js-line").first.evaluate(
            """(line) => {
                const middle = line.getPointAtLength(line.getTotalLength() / 2);
                const place = middle.matrixTransform(line.getScreenCTM());
                return [place.x, place.y];
            }"""
        )
        found.page.mouse.move(x - 30, y)
        found.page.mouse.move(x, y, steps=3)
        found.page.wait_for_selector("#curves .hoverlayer .hovertext")
        found.page.mouse.click(x, y)
        found.until("+document.querySelector('#epoch').value < 199")
        assert 20 < int(found.text("#epoch")) < 180
        assert found.complaints == []


def test_a_single_run_shows_all_its_figures(browser: Any, single: Path) -> None:
    files = {path.stem for path in (single.parent / "one" / "figures").glob("*.png")}
    assert len(files) == len(EVERY) - 1  # no `fit` where classes are predicted
    with opened(browser, single, viewport={"width": 420, "height": 900}) as found:
        page = found.page
        images = page.locator("#figures img")
        assert images.count() == len(files)
        for i in range(images.count()):
            assert images.nth(i).evaluate("(image) => image.complete && image.naturalWidth > 100")
        # The score is on the first screen, above everything wide.
        score = page.locator("#run-score").bounding_box()
        assert score["y"] + score["height"] < 250
        assert score["x"] + score["width"] <= 420
        assert found.text("#run-score").endswith(" test/accuracy")
        first = page.locator("#figures figure").first
        narrow = first.locator("img").bounding_box()["width"]
        first.get_by_role("button", name="Full size").click()
        assert first.locator("img").bounding_box()["width"] > narrow
        assert page.evaluate("document.documentElement.scrollWidth") == 420


def test_the_code_of_a_run_is_shown_and_saved(browser: Any, single: Path) -> None:
    expected = inside(single.parent, "code", "one").out
    with opened(browser, single) as found:
        page = found.page
        assert not page.locator("#script").is_visible()
        page.get_by_role("button", name="Code", exact=True).click()
        assert page.locator("#script-text").text_content() == expected
        with page.expect_download() as saved:
            page.click("#script-download")
        assert saved.value.suggested_filename == "run_0.py"
        assert Path(saved.value.path()).read_text() == expected
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.click("#script-copy")
        found.until("document.querySelector('#announcement').textContent !== ''")
        assert found.text("#announcement") in (
            "Copied.",
            "The text is selected: copy it with Ctrl-C.",
        )
        page.get_by_role("button", name="Hide code").click()
        assert not page.locator("#script").is_visible()
        assert found.complaints == []


def test_a_script_that_cannot_be_written_says_why(
    browser: Any, single: Path, tmp_path: Path
) -> None:
    """And nothing is imported, and no other data file is read out."""
    (tmp_path / "rows.csv").write_text("a,b,kind\n" + "1,2,x\n2,1,y\n" * 20)
    (tmp_path / "mine.py").write_text(f"open({str(tmp_path / 'sprung')!r}, 'w')\n")
    words = ["dataset=csv", "dataset.path=rows.csv", "dataset.target=kind", "trainer.epochs=2"]
    ended = inside(tmp_path, "-m", *words, "figures=none", "seed=range(0,4)", "sweep.dir=swept")
    assert ended.code == 0, ended.err
    runs = sorted((tmp_path / "swept").glob("*/config.yaml"))
    text = runs[1].read_text()
    assert "plugins: []" in text
    runs[1].write_text(text.replace("plugins: []", "plugins: [mine]"))
    runs[2].write_text(text.replace("seed: 1", "seed: ${oc.env:HOME}"))
    (tmp_path / "private.csv").write_text("secret,b\n1,2\n")
    runs[3].write_text(runs[3].read_text().replace("path: rows.csv", "path: private.csv"))
    (tmp_path / "rows.csv").write_text("a,b,kind\n" + "1,2,hunter\n2,1,y\n" * 20)
    ended = inside(tmp_path, "report", "swept")
    assert ended.code == 0, ended.err
    assert not (tmp_path / "sprung").exists()
    reasons = {
        "0": "its data have changed since it was trained",
        "1": "modules of its author (mine), and exp report runs no code of a run",
        "2": "read from the environment",
        "3": "or its data cannot be read as they were",
    }
    with opened(browser, tmp_path / "swept" / "report.html") as found:
        page = found.page
        for number, reason in reasons.items():
            page.get_by_role("button", name=f"Show run {number}:").click()
            found.until(f"document.querySelector('#code-why').textContent.includes({reason!r})")
            assert page.locator("#code").is_disabled()
        assert "hunter" not in page.content()
        assert "secret" not in page.content()
        assert found.complaints == []


def test_data_sets_are_ranked_apart(browser: Any, tmp_path: Path) -> None:
    for words in (["dataset=moons"], ["dataset=iris"], ["dataset=moons", "optimizer=adam"]):
        name = "-".join(word.partition("=")[2] for word in words)
        common = ["trainer.epochs=30", "figures=none", f"hydra.run.dir=runs/{name}"]
        ended = inside(tmp_path, *words, *common)
        assert ended.code == 0, ended.err
    ended = inside(tmp_path, "report", "runs")
    assert ended.code == 0, ended.err
    with opened(browser, tmp_path / "runs" / "report.html") as found:
        note = "The runs use 2 data sets: dataset=iris; dataset=moons."
        assert note in found.text("section[aria-labelledby='summary-heading']")
        assert "test/accuracy within each data set" in found.text(".facts")
        assert column(found, "dataset") == ["iris", "moons", "moons"]
        scores = [float(text) for text in column(found, "test/accuracy")]
        assert scores[1] >= scores[2]
        titles = found.page.locator("#runs thead .dt-column-title").all_inner_texts()
        assert titles[:3] == ["Run", "dataset", "test/accuracy"]


def test_thumbnails_follow_the_theme(tab: Opened) -> None:
    picture = "document.querySelector('#runs tbody canvas')"
    corner = f"[...{picture}.getContext('2d').getImageData(0, 0, 1, 1).data]"
    light = tab.page.evaluate(corner)
    tab.page.select_option("#theme", "dark")
    dark = tab.page.evaluate(corner)
    assert sum(light[:3]) > 450 > 300 > sum(dark[:3])
    # Of the same map as the boundary beside it, whose colours are those of the theme.
    map_corner = np.array(tab.page.evaluate(CORNER))
    assert np.abs(np.array(dark) - map_corner).max() <= 12  # 16 steps, and half a pixel


def test_without_frames_the_figure_is_shown(browser: Any, sweep: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(sweep, copy)
    for path in copy.glob("*/frames.npz"):
        path.unlink()
    for path in copy.glob("[1-9]*/figures"):
        shutil.rmtree(path)
    ended = report(copy)
    assert "12 runs have saved no decision maps over epochs (frames.npz); 1 show" in ended.out
    with opened(browser, copy / "report.html") as found:
        assert "12 runs have saved no decision maps" in found.text(".notes")
        choose(found, "entries per page", "25")
        found.page.get_by_role("button", name="Show run 0:").click()
        found.page.wait_for_selector("#boundary img[alt^='Decision boundary of run 0']")
        found.page.get_by_role("button", name="Show run 1:").click()
        found.page.wait_for_selector("#boundary figcaption")
        assert "no decision map of this run" in found.text("#boundary")
        assert found.complaints == []


def test_the_summary_needs_no_script(page_file: Path) -> None:
    text = page_file.read_text()
    static = text[text.index("<main>") : text.index("</main>")]
    assert "12: 11 done, 1 failed" in static
    assert re.search(r"0\.\d+ \(0\.\d+ to \d\.\d+\)", static)
    assert "alert(3)" in static
    assert "&lt;/script&gt;&lt;script&gt;alert(3)" in static


def test_nothing_of_a_run_stands_in_the_page_as_html(page_file: Path) -> None:
    text = page_file.read_text()
    for hostile in (NAME, *FEATURES, *CLASSES, MESSAGE, "\u2028<"):
        assert hostile not in text
    ends = re.findall(r"</script", text)
    assert len(ends) == len(re.findall(r"<script[ >]", text))


def test_the_same_runs_make_the_same_bytes(sweep: Path, page_file: Path, tmp_path: Path) -> None:
    other = tmp_path / "again.html"
    assert report(sweep, "--output", str(other)).code == 0
    assert other.read_bytes() == page_file.read_bytes()


def test_a_metric_ranks_the_runs(sweep: Path, tmp_path: Path) -> None:
    page = tmp_path / "loss.html"
    assert report(sweep, "--output", str(page), "--metric", "loss").code == 0
    assert "test/loss, lower is better" in page.read_text()
    ended = report(sweep, "--metric", "test/acuracy")
    assert ended.code == 2
    assert "--metric: unknown metric 'test/acuracy'. Did you mean 'test/accuracy'?" in ended.err


def test_what_cannot_be_is_told(sweep: Path, tmp_path: Path) -> None:
    assert inside(tmp_path, "report", "nowhere").err == "exp: there is no directory 'nowhere'\n"
    assert inside(tmp_path, "report", ".").err.startswith("exp: no runs found in .")
    ended = report(sweep, "--output", str(tmp_path / "none" / "page.html"))
    assert (ended.code, list(tmp_path.iterdir())) == (2, [])
    assert "--output: there is no directory" in ended.err


@pytest.mark.parametrize("missing", ["plotly", "itables"])
def test_missing_libraries_are_named(
    sweep: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    for name in [name for name in sys.modules if name.startswith(f"{missing}.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    ended = report(sweep)
    assert ended.code == 2
    assert "exp report needs the packages plotly and itables" in ended.err
    assert "pip install 'exp[report]'" in ended.err


def test_what_does_not_fit_is_said(
    sweep: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "small.html"
    whole = report(sweep, "--output", str(page))
    assert "do not" not in whole.out
    size = page.stat().st_size
    blocks = re.findall(r'id="block-\w+">([^<]*)<', page.read_text())
    monkeypatch.setattr(page_pictures, "SMALL", sum(map(len, blocks)) - 20_000)
    ended = report(sweep, "--output", str(page))
    assert ended.code == 0, ended.err
    told = re.search(r"the best (\d+) runs have decision maps over epochs; (\d+) do not", ended.out)
    assert told
    assert int(told[1]) + int(told[2]) == 12
    assert page.stat().st_size < size - 10_000
    monkeypatch.setattr(page_pictures, "MAPS", 3)
    said = report(sweep, "--output", str(page)).out
    assert "only the best 3 runs have thumbnails and decision maps." in said


def test_curves_are_thinned_evenly(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    rows = [f"{epoch},{1 / (epoch + 1)},0.5,0.1" for epoch in range(1000)]
    path.write_text("\n".join(["epoch,train/loss,train/accuracy,lr", *rows]) + "\n")
    found, thinned = curves(tmp_path, 10)
    assert found is not None
    assert thinned
    assert found["epoch"] == [0, 111, 222, 333, 444, 555, 666, 777, 888, 999]
    assert found["train/loss"][:2] == [1, 0.00893]
    assert list(found) == ["epoch", "train/loss", "train/accuracy"]
    path.write_text("epoch,train/loss\n0,nan\n1,inf\n2,\n")
    assert curves(tmp_path, 4) == ({"epoch": [0, 1, 2], "train/loss": [None] * 3}, False)
    for content in ("", "epoch,train/loss\n", "a,b\n1,2\n", "epoch,x\n1\n", "epoch,x\n1,x\n"):
        path.write_text(content)
        assert curves(tmp_path, 10) == (None, False)
    assert curves(tmp_path / "none", 10) == (None, False)


def arrays(**changed: Any) -> dict[str, Any]:
    whole = {
        "epochs": np.array([0, 5]),
        "xs": np.linspace(0, 1, 3),
        "ys": np.linspace(0, 1, 4),
        "probabilities": np.zeros((2, 1, 4, 3), np.uint8),
        "classes": np.array(["a", "b"]),
        "axes": np.array(["x", "y"]),
        "note": np.array(""),
    }
    return {**whole, **changed}


ROWS = {
    "points": np.zeros((2, 2), np.float32),
    "labels": np.zeros(2, np.uint16),
    "predicted": np.zeros(2, np.uint16),
    "split": np.zeros(2, np.uint8),
}


@pytest.mark.parametrize(
    "changed",
    [
        {"probabilities": np.zeros((2, 2, 4, 3), np.uint8)},
        {"probabilities": np.zeros((2, 1, 3, 4), np.uint8)},
        {"probabilities": np.zeros((2, 1, 4, 3))},
        {"probabilities": np.zeros((0, 1, 4, 3), np.uint8), "epochs": np.zeros(0, np.int64)},
        {"xs": np.array([0.0, np.nan, 1.0])},
        {"xs": np.array(["a", "b", "c"])},
        {"epochs": np.array([0.0, 5.0])},
        {"axes": np.array(["x"])},
        {"classes": np.array(["a"])},
        {"note": np.array(["a", "b"]), "axes": np.array([])},
        {"classes": np.array([{"a": 1}, "b"], dtype=object)},
        {"points": np.zeros((3, 2), np.float32)},
        {"labels": np.zeros(3, np.uint16)},
        {**ROWS, "labels": np.array([0, 2], np.uint16)},
        {**ROWS, "points": np.float32(1)},
        {**ROWS, "points": np.full((2, 2), np.nan, np.float32)},
    ],
)
def test_strange_frames_are_none(tmp_path: Path, changed: dict[str, Any]) -> None:
    np.savez(tmp_path / "frames.npz", **arrays(**ROWS))
    assert frames_of(tmp_path) is not None
    np.savez(tmp_path / "frames.npz", **arrays(**changed))
    assert frames_of(tmp_path) is None


def test_damaged_frames_are_none(tmp_path: Path) -> None:
    path = tmp_path / "frames.npz"
    assert frames_of(tmp_path) is None
    np.savez_compressed(path, **arrays(probabilities=np.zeros((2, 1, 4, 3), np.uint8)))
    data = path.read_bytes()
    inside_deflate = bytes([*data[:60], *(255 - byte for byte in data[60:90]), *data[90:]])
    for content in (b"", data[: len(data) // 2], b"PK" + data[2:50], b"no zip", inside_deflate):
        path.write_bytes(content)
        assert frames_of(tmp_path) is None


def test_frames_beyond_a_size_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.savez_compressed(tmp_path / "frames.npz", **arrays())
    monkeypatch.setattr("exp.runs.record.FRAMES_SIZE", 100)
    assert frames_of(tmp_path) is None


def test_the_package_holds_every_asset() -> None:
    there = {path.name for path in ASSETS.iterdir()}
    assert {name for name in there if name.endswith(".js")} == {f"{name}.js" for name in SCRIPTS}
    data = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    assert data["package-data"]["exp.report.page"] == ["assets/*"]
    assert all(path.is_file() for path in ASSETS.iterdir())
