"""`exp list activations --plot`: the picture of all activations, by its file and its words."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import exp.components.activations  # noqa: F401 - registers them
from commands import Ended, inside
from exp.cli.plot_functions import function
from exp.plotting.activation_plot import Function, apart, draw
from exp.plotting.style import THEMES, settings
from exp.registry.registry import register

NAMES = (
    *("elu", "gelu", "identity", "leaky_relu", "relu", "selu", "sigmoid", "silu", "softplus"),
    *("tanh", "tanh_from_exp"),
)


def told(path: Path) -> list[str]:
    """All text of an svg, in the order in which it is drawn."""
    source = path.read_text(encoding="utf-8")
    ET.fromstring(source)
    return re.findall(r"<!-- (.*?) -->", source)


def faults(ended: Ended) -> str:
    assert (ended.code, ended.out) == (2, "")
    assert "Traceback" not in ended.err
    return ended.err


@pytest.mark.parametrize("group", ["activation", "activations"])
def test_both_spellings_draw_into_the_working_directory(group, tmp_path):
    ended = inside(tmp_path, "list", group, "--plot")
    assert (ended.code, ended.err) == (0, "")
    first, last = ended.out.splitlines()
    assert first == "activations.png: 11 activations with their derivatives"
    assert re.fullmatch(
        r"tanh and tanh_from_exp differ by at most \d\.\de-0[78] \(derivatives \d\.\de-0[78]\) "
        r"at 801 points from -4 to 4, in float32",
        last,
    )
    assert [path.name for path in tmp_path.iterdir()] == ["activations.png"]
    with Image.open(tmp_path / "activations.png") as image:
        assert image.convert("RGB").getpixel((2, 2)) == (255, 255, 255)


def test_a_panel_for_each_activation_and_the_twins_side_by_side(tmp_path):
    assert inside(tmp_path, "list", "activations", "--plot", "all.svg").code == 0
    words = told(tmp_path / "all.svg")
    titles = [word for word in words if word in (*NAMES, "difference")]
    assert titles == [*NAMES, "difference"]
    assert any(re.fullmatch("at most [0-9.]+·10⁻[⁷⁸]", word) for word in words)
    assert "negative_slope=0.01" in words


def test_the_theme_and_the_same_bytes_again(tmp_path):
    words = ("list", "activations", "--plot", "a.png", "--theme", "dark")
    assert inside(tmp_path, *words).code == 0
    before = (tmp_path / "a.png").read_bytes()
    assert inside(tmp_path, *words).code == 0  # a picture may be replaced
    assert (tmp_path / "a.png").read_bytes() == before
    with Image.open(tmp_path / "a.png") as image:
        assert image.convert("RGB").getpixel((2, 2)) == (20, 24, 31)


def test_what_is_no_picture_is_not_overwritten(tmp_path):
    for name in ("notes.png", "notes.pdf"):
        (tmp_path / name).write_text("dear diary")
        err = faults(inside(tmp_path, "list", "activations", "--plot", name))
        assert f"{name} exists and is no {name[-3:]} picture: it is not overwritten" in err
        assert (tmp_path / name).read_text() == "dear diary"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("activations", "--plot", "a.gif"), "a.gif: expected a name in .png, .svg or .pdf"),
        (("activations", "--plot", "."), ".: expected a name in .png"),
        (("activations", "--plot", "no/a.png"), "cannot write no/a.png: No such file"),
        (("activations", "--plot", "--theme", "drak"), "unknown theme 'drak'. Did you mean 'dark'"),
        (("datasets", "--plot"), "group 'dataset' has no picture; 'activations' has one"),
        (("activatoins", "--plot"), "unknown group 'activatoins'. Did you mean 'activation'?"),
        (("activations", "--plto"), "no such option --plto. Did you mean '--plot'?"),
        (("activations", "--theme", "dark"), "expected exp list activations --plot [FILE]"),
        (("activations", "tanh", "--plot"), "expected exp list activations --plot [FILE]"),
    ],
)
def test_errors(words, message, tmp_path):
    assert message in faults(inside(tmp_path, "list", *words))
    assert list(tmp_path.iterdir()) == []


def test_the_plural_lists_as_the_singular_does(tmp_path):
    for one, many in (("loss", "losses"), ("dataset", "datasets")):
        assert inside(tmp_path, "list", many).out == inside(tmp_path, "list", one).out != ""


def test_derivatives_are_those_of_the_registered_module():
    tanh = function(register.kinds["activation"].components["tanh"])
    np.testing.assert_allclose(tanh.slope, 1 - np.tanh(tanh.x.astype(float)) ** 2, atol=3e-7)
    relu = function(register.kinds["activation"].components["relu"])
    assert sorted(set(relu.slope.tolist())) == [0.0, 1.0]
    assert (relu.x == 0).sum() == 1


def test_twins_that_are_the_same_say_so(tmp_path):
    x = np.linspace(-4, 4, 9, dtype=np.float32)
    one = Function(name="a", about="", x=x, y=x, slope=np.ones_like(x))
    other = Function(name="b", about="", x=x, y=x + np.float32(0.5), slope=np.ones_like(x))
    assert apart(one, one) == (0.0, 0.0)
    assert apart(one, other) == (0.5, 0.0)
    # Three panels do not fit into what is left of the second row.
    with settings():
        figure = draw([one] * 6, THEMES["light"], same=(one, other))
    boxes = [axes.get_position() for axes in figure.axes]
    assert boxes[6].x0 == boxes[0].x0
    assert boxes[6].y0 == boxes[7].y0 == boxes[8].y0 < boxes[5].y0
