"""The pages of TensorBoard and MLflow, in Chromium: curves, figures, and runs below their sweep.

MLflow's server and page are in the package `mlflow`, which the tests do not need otherwise:
`pip install -c constraints.txt mlflow`.
"""

from __future__ import annotations

import contextlib
import csv
import importlib.util
import io
import os
import re
import socket
import struct
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from browser import PATIENCE, chromium
from commands import inside, runs
from exp.runs.loggers.log_runs import quiet

WORDS = (
    "-m", "seed=1,2", "dataset.n_samples=60", "trainer.epochs=12", "sweep.dir=s", "sweep.n_jobs=1",
    "figures.draw=[data,boundary]", "figures.dpi=40", "figures.resolution=16", "figures.frames=0",
    "sweep.figures=false",
)  # fmt: skip
COLUMNS = ("test/accuracy", "test/loss", "train/accuracy", "train/loss")
"""The curves of a run, in the order of the pages."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as found:
        yield found


def page(browser: Any, address: str) -> Any:
    found = browser.new_context(viewport={"width": 1300, "height": 1200}).new_page()
    found.set_default_timeout(PATIENCE)
    found.goto(address)
    return found


@contextlib.contextmanager
def served(where: Path, *words: str) -> Iterator[str]:
    """The address of a server on a free port of this machine, once it answers.

    Args:
        words: a module of Python and its arguments; the port is added.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", *words, "--host", "127.0.0.1", "--port", str(port)]
    with (where / "server.log").open("w") as log:
        server = subprocess.Popen(
            command, cwd=where, stdout=log, stderr=log, start_new_session=True
        )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(PATIENCE // 200):
            with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=5):
                break
            if server.poll() is not None:
                break
            time.sleep(0.2)
        else:
            server.kill()
        assert server.poll() is None, (where / "server.log").read_text()
        yield address
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, 15)  # with its workers
        server.wait(30)


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sweep in all trackers whose page can be opened here."""
    where = tmp_path_factory.mktemp("pages")
    there = [name for name in ("tensorboard", "mlflow") if importlib.util.find_spec(name)]
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        done = inside(where, *WORDS, f"logger=[{','.join(there)}]")
    assert done.code == 0, done.err
    return where


def curves(run: Path) -> dict[str, list[float]]:
    with (run / "metrics.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    return {name: [float(line[name]) for line in lines] for name in COLUMNS}


def size(path: Path) -> list[int]:
    """Width and height of a PNG file."""
    return list(struct.unpack(">II", path.read_bytes()[16:24]))


@pytest.mark.skipif(
    importlib.util.find_spec("tensorboard") is None, reason="pip install 'exp[tensorboard]'"
)
def test_tensorboards_page_shows_curves_and_figures(browser: Any, logged: Path) -> None:
    with served(logged, "tensorboard.main", "--logdir", "tensorboard") as address:
        found = page(browser, f"{address}/?tagFilter=%5E(test|train)/#timeseries")
        found.wait_for_selector("scalar-card canvas")
        cards = found.locator("scalar-card")
        titles = ["".join(text.split("\n")[:2]) for text in cards.all_inner_texts()]
        assert titles == list(COLUMNS)
        found.wait_for_timeout(1500)  # they are drawn after that
        for place in range(len(COLUMNS)):
            drawn = cards.nth(place).locator(".series-view").screenshot()
            rgb = np.asarray(Image.open(io.BytesIO(drawn)).convert("RGB")).astype(int)
            coloured = (rgb.max(axis=2) - rgb.min(axis=2) > 40).any(axis=0)
            assert coloured.mean() > 0.5, titles[place]  # a curve from one side to the other
        figures = page(browser, f"{address}/?tagFilter=figures#timeseries")
        figures.wait_for_function(
            "[...document.querySelectorAll('image-card img')].filter(e => e.naturalWidth).length"
            " == 4"
        )
        shown = figures.evaluate(
            "[...document.querySelectorAll('image-card img')]"
            ".map(e => [e.naturalWidth, e.naturalHeight])"
        )
        pictures = [path for run in runs(logged / "s") for path in run.glob("figures/*.png")]
        assert sorted(shown) == sorted(map(size, pictures))


@pytest.mark.skipif(
    importlib.util.find_spec("tensorboard") is None, reason="pip install 'exp[tensorboard]'"
)
def test_tensorboards_page_shows_a_curve_that_grows(browser: Any, tmp_path: Path) -> None:
    """While the run trains."""
    words = ("dataset=spirals", "figures=none", "trainer.epochs=1000000000",
             "trainer.eval_every=500", "trainer.print_every=1000000000", "hydra.run.dir=a",
             "logger=tensorboard")  # fmt: skip
    with (tmp_path / "output.txt").open("w") as output:
        run = subprocess.Popen(
            [sys.executable, "-m", "exp", *words], cwd=tmp_path, stdout=output, stderr=output
        )
    try:
        words = ("tensorboard.main", "--logdir", "tensorboard", "--reload_interval", "1")
        with served(tmp_path, *words) as address:
            found = page(browser, f"{address}/?tagFilter=test%2Floss#timeseries")
            card = found.locator("scalar-card").first
            steps: list[int] = []
            for _ in range(PATIENCE // 500):
                found.locator(".reload-button").first.click()
                found.wait_for_timeout(500)
                # The table below the curve has the last step, and how long ago the first was.
                text = card.inner_text() if card.count() else ""
                if last := re.search(r"([\d,]+)\s+[\d.]+ (sec|min)", text):
                    step = int(last[1].replace(",", ""))
                    steps += [step] if not steps or step > steps[-1] else []
                if len(steps) == 4:
                    break
            assert len(steps) == 4, steps
            rgb = np.asarray(
                Image.open(io.BytesIO(card.locator(".series-view").screenshot())).convert("RGB")
            ).astype(int)
            assert (rgb.max(axis=2) - rgb.min(axis=2) > 20).any(axis=0).mean() > 0.5
        assert run.poll() is None
        assert "running" in (tmp_path / "a/run.json").read_text()
    finally:
        run.kill()
        run.wait()


def has_mlflows_page() -> bool:
    spec = importlib.util.find_spec("mlflow")
    places = spec.submodule_search_locations or () if spec else ()
    return any(Path(place, "server/js/build/index.html").is_file() for place in places)


@pytest.mark.skipif(not has_mlflows_page(), reason="pip install -c constraints.txt mlflow")
def test_mlflows_page_shows_curves_figures_and_the_runs_of_a_sweep(
    browser: Any, logged: Path
) -> None:
    from mlflow import MlflowClient

    store = f"sqlite:///{logged}/mlflow.db"
    with quiet():  # SQLAlchemy warns of what MLflow still uses
        client = MlflowClient(store)
        experiment = client.get_experiment_by_name("exp").experiment_id
    ids = {run.info.run_name: run.info.run_id for run in client.search_runs([experiment])}
    words = ("mlflow", "server", "--backend-store-uri", store, "--workers", "1")
    with served(logged, *words) as address:
        start = f"{address}/#/experiments/{experiment}/runs"
        table = page(browser, start)
        table.wait_for_selector("text=3 matching runs")
        names = [run.name for run in runs(logged / "s")]
        assert table.locator(".ag-row >> text=seed=").count() == 0
        table.locator(".ag-row button").first.click()  # what is below the sweep
        for name in names:
            table.wait_for_selector(f".ag-row >> text={name}")

        run = runs(logged / "s")[0]
        charts = page(browser, f"{start}/{ids[run.name]}/model-metrics")
        # The first four charts, drawn with a mark at each epoch, and the numbers that they have.
        charts.wait_for_function(
            "document.querySelectorAll('.js-plotly-plot .points path').length >= 4 * 12"
        )
        drawn = charts.evaluate(
            "[...document.querySelectorAll('.js-plotly-plot')].slice(0, 4)"
            ".map(e => Array.from(e.data[0].y))"
        )
        assert drawn == list(curves(run).values())
        for picture in run.glob("figures/*.png"):
            shown = page(browser, f"{start}/{ids[run.name]}/artifacts/figures/{picture.name}")
            width, height = size(picture)
            shown.wait_for_function(
                "[...document.querySelectorAll('img')].some(e => e.src.startsWith('blob:') "
                f"&& e.naturalWidth == {width} && e.naturalHeight == {height})"
            )
