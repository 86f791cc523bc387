"""The gallery: its page is what its script writes, it leaves nothing out, and it is small.

tests/test_docs.py tries the commands of the page.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import get_args

import pytest
from PIL import Image

from exp.plotting.names import Name

MAPS = ("boundary", "fit")
ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def gallery() -> ModuleType:
    spec = importlib.util.spec_from_file_location("gallery", ROOT / "docs" / "gallery.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["gallery"] = module
    spec.loader.exec_module(module)
    return module


def test_the_page_is_what_the_script_writes(gallery: ModuleType) -> None:
    assert (ROOT / "docs" / "gallery.md").read_text() == gallery.page()
    names = [shown.name for shown in gallery.every()]
    assert len(set(names)) == len(names)
    assert sorted(path.name for path in gallery.IMAGES.iterdir()) == sorted(names)


def test_every_data_set_and_every_figure_is_there_and_both_themes(gallery: ModuleType) -> None:
    shown = gallery.every()
    datasets = {path.stem for path in (ROOT / "conf" / "dataset").glob("*.yaml")}
    datasets -= {"csv", "parquet", "npz", "sklearn"}  # rows of one's own, or any of scikit-learn's
    found = {each.words[0].removeprefix("dataset=") for each in shown if each.figure in MAPS}
    assert found == datasets
    assert {each.figure for each in shown} == set(get_args(Name))
    assert any(each.suffix == "webp" for each in shown)
    for theme in ("light", "dark"):
        assert sum(each.theme == theme for each in shown) > 10


def test_its_images_are_small(gallery: ModuleType) -> None:
    paths = list(gallery.IMAGES.iterdir())
    assert sum(path.stat().st_size for path in paths) < 3_000_000
    for path in paths:
        with Image.open(path) as image:
            assert image.width < 1000, path.name
