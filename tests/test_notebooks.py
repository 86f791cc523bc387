"""Notebooks, executed by a real kernel: what appears below a cell while it runs and afterwards."""

from __future__ import annotations

import base64
import os
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient

import exp
from exp.plotting import live
from exp.plotting.live import Moment
from exp.util import notebook

SETTINGS = "dataset='spirals', optimizer='adam', figures='none'"
CELLS = [
    "import exp",
    f"run = exp.run({SETTINGS}, trainer=dict(epochs=30000), model=dict(hidden=[16, 16]))",
    "run",
    f"exp.run({SETTINGS}, trainer=dict(epochs=5), progress=False).status",
    """sweep = exp.sweep(
        optimizer=['sgd', 'adam'], seed=range(2), trainer=dict(epochs=3), figures='none',
        sweep=dict(n_jobs=1),
    )""",
    "sweep",
    "sweep.results()",
    "exp.plot_boundary(run);",
    "exp.run(dataset='line', trainer=dict(epochs=3), figures='none').status",
]


class Watching(NotebookClient):  # type: ignore[misc]
    """Keeps each display, as a reader sees them one after the other."""

    def process_message(self, msg: Any, cell: Any, cell_index: int) -> Any:
        if msg["msg_type"] in ("display_data", "update_display_data"):
            seen.append((cell_index, msg["header"]["date"], msg["content"]["data"]))
        return super().process_message(msg, cell, cell_index)


seen: list[tuple[int, Any, dict[str, str]]] = []


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """The executed cells."""
    folder = tmp_path_factory.mktemp("notebook")
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    resources = {"metadata": {"path": str(folder)}}
    Watching(book, timeout=300, kernel_name="python3", resources=resources).execute()
    found: list[Any] = book.cells
    return found


def shown(cell: int) -> list[dict[str, str]]:
    return [data for at, _, data in seen if at == cell]


def epochs(text: str) -> int:
    found = re.search(r"epoch (\d+) of 30000", text)
    assert found is not None, text
    return int(found[1])


def test_a_figure_grows_while_a_run_trains(cells: list[Any]) -> None:
    """The loss curves and the map are drawn anew, at most four times a second."""
    figures = shown(1)
    assert len(figures) > 2
    counts = [epochs(figure["text/plain"]) for figure in figures]
    assert counts[0] == 0
    assert counts == sorted(set(counts))
    assert counts[-1] == 30000
    times = [when for at, when, _ in seen if at == 1]
    pauses = [(b - a).total_seconds() for a, b in pairwise(times)][:-1]
    assert min(pauses) > 0.2
    curves = [re.findall(r'stroke-width="2" [^>]*', each["text/html"]) for each in figures[:-1]]
    assert [len(each) for each in curves[:2]] == [0, 2]
    maps = {re.search(r"png;base64,([^\"]+)", each["text/html"])[1] for each in figures[:-1]}  # type: ignore[index]
    assert len(maps) == len(figures) - 1
    (output,) = cells[1].outputs  # one picture stays, without scripts, that any notebook may show
    assert output.data["text/html"].startswith('<img alt="spirals-mlp-adam, epoch 30000 of 30000')


def test_the_last_figure_has_the_scores_of_the_run(cells: list[Any]) -> None:
    (table,) = cells[2].outputs
    found = dict(re.findall(r"<th>(\w+)</th>\s*<td>([\d.e-]+)</td>", table.data["text/html"]))
    text = shown(1)[-1]["text/plain"]
    loss = re.search(r"train loss ([\d.]+)", text)
    assert loss is not None
    # Its train loss is that of the passes that made the steps, as in metrics.csv.
    assert float(loss[1]) == pytest.approx(float(found["loss"]), rel=0.05, abs=1e-3)


def test_progress_can_be_switched_off(cells: list[Any]) -> None:
    assert shown(3) == []
    assert [output.output_type for output in cells[3].outputs] == ["execute_result"]


def test_a_sweep_has_a_bar(cells: list[Any]) -> None:
    texts = [each["text/plain"] for each in shown(4)]
    assert texts[0] == "0 of 4 runs"
    assert texts[-1] == "4 of 4 runs"
    assert '<progress value="4" max="4"' in shown(4)[-1]["text/html"]
    assert len(cells[4].outputs) == 1
    assert len(cells[5].outputs) == 1


def test_results_fit_on_a_line(cells: list[Any]) -> None:
    (output,) = cells[6].outputs
    lines = output.data["text/plain"].splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].split() == [
        "rank", "optimizer", "mean", "low", "high", "seeds", "verdict", "sd"
    ]  # fmt: skip
    headers = re.findall(r"<th>([^<]+)</th>", output.data["text/html"].split("<tbody>")[0])
    assert headers == lines[0].split()


def test_a_boundary_is_shown_once(cells: list[Any]) -> None:
    kinds = [set(output.data) for output in cells[7].outputs]
    assert kinds == [{"text/plain", "image/png"}]


def test_numbers_have_curves_and_no_map(cells: list[Any]) -> None:
    assert "RMSE" in shown(8)[-1]["text/plain"]
    first = shown(8)[0]["text/html"]
    assert "<svg" in first
    assert "<image" not in first


def test_a_script_prints_nothing(in_tmp: Path) -> None:
    code = f"import exp; exp.run({SETTINGS}, trainer=dict(epochs=3))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="a terminal is needed")
@pytest.mark.parametrize("progress", [True, False])
def test_a_terminal_has_a_bar(in_tmp: Path, progress: bool) -> None:
    code = f"import exp; exp.run({SETTINGS}, trainer=dict(epochs=3), progress={progress})"
    ours, theirs = os.openpty()
    with subprocess.Popen([sys.executable, "-c", code], stderr=theirs, stdout=-1) as process:
        os.close(theirs)
        written = b""
        try:
            while part := os.read(ours, 1024):
                written += part
        except OSError:  # Linux, at the end
            pass
        assert process.stdout is not None
        assert process.stdout.read() == b""
    os.close(ours)
    assert process.returncode == 0
    assert (b"/3" in written) == progress


def test_a_watched_run_has_the_same_bits(in_tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one that a custom loss or dropout draws random numbers for."""

    class Shown(notebook.Output):
        def __init__(self) -> None:
            self.count = 0

        def show(self, html: str, text: str) -> None:
            self.count += 1

    output = Shown()
    settings: dict[str, Any] = {"model.dropout": 0.3, "trainer.epochs": 200, "figures": "none"}
    plain = exp.run(progress=False, **settings)
    monkeypatch.setattr(notebook, "output", lambda: output)
    watched = exp.run(**settings)
    assert output.count >= 2
    for name in ("metrics.csv", "predictions.csv"):
        assert (watched.path / name).read_bytes() == (plain.path / name).read_bytes()


def test_a_picture_contains_no_markup_of_names() -> None:
    moment = Moment(
        title="<script>alert(1)</script>", epoch=1, epochs=2, seen=np.arange(1.0),
        curves={"train": np.array([np.nan]), "test": np.array([0.5])},
    )  # fmt: skip
    assert "<script" not in live.html(moment)
    last = live.html(moment, last=True)
    assert "<script" not in last
    assert b"<script" not in base64.b64decode(last.split("base64,")[1].split('"')[0])
