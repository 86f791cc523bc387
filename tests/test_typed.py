"""Paths, names and columns are taken as typed: by a run, a sweep, a rerun and from Python."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

import exp
from commands import Ended, inside, runs
from custom_modules import forgotten
from exp.config import text_values

QUICK = ("figures=none", "trainer.epochs=1", "split.standardize=true")
NAME = "a, b/epoch=3 josé (1) 表#%.csv"


def table(place: Path, target: str = "y", delimiter: str = ",") -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"{x % 7}{delimiter}{x % 5}{delimiter}{'ab'[x % 2]}" for x in range(40)]
    header = delimiter.join(("u", "v", f'"{target}"'))
    place.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")


def config(ended: Ended) -> dict[str, str]:
    assert ended.code == 0, ended.err
    found = yaml.safe_load((ended.run / "config.yaml").read_text(encoding="utf-8"))["dataset"]
    assert isinstance(found, dict)
    return found


def read(word: str) -> object:
    (override,) = OverridesParser.create().parse_overrides([word])
    value: object = override.value()
    return value


@settings(max_examples=300, deadline=None)
@given(text=st.text(min_size=1, max_size=20))
@example("1_1")
@example("null")
@example("no")
@example("1e3")
@example("0x10")
@example("a,b")
@example("a]b[")
@example("C:\\data\\x.csv\\")
@example('it\'s "so"')
@example(" spaced ")
@example("range(3)")
def test_any_text_comes_through(text: str) -> None:
    assume("${" not in text and text != "???")
    assume(not text_values.ESCAPED.search(text) and not text_values.QUOTED.fullmatch(text.strip()))
    for key in ("dataset.target", "dataset.path", "hydra.run.dir"):
        (word,) = text_values.words([f"{key}={text}"], sweeps=False)
        assert read(word) == text
        assert text_values.words([word], sweeps=True) == [word]


@settings(max_examples=100, deadline=None)
@given(
    texts=st.lists(
        st.text(st.characters(exclude_characters="[](){},'\"\\$"), min_size=1), min_size=1
    )
)
def test_any_list_of_columns_comes_through(texts: list[str]) -> None:
    assume(all(text == text.strip() for text in texts))
    (word,) = text_values.words([f"dataset.features=[{','.join(texts)}]"], sweeps=False)
    assert read(word) == texts


LEFT = [
    "dataset.path='a b'",
    'dataset.path="a,b"',
    "dataset.path=${oc.env:HOME}/x.csv",
    "dataset.path=a\\,b",
    "dataset.test_path=null",
    "optimizer.lr=0.1",
    "seed=1_1",
    "dataset=csv",
    "dataset.missing=drop",
    "model.hidden=[8, 8]",
    "name=a=b",
]


@pytest.mark.parametrize("word", LEFT)
def test_what_is_no_text_or_says_how_it_is_read_is_left_to_hydra(word: str) -> None:
    assert text_values.words([word], sweeps=False) == [word]


@pytest.mark.parametrize("target", ["1_1", "2", "no", "null", "1e3", "größe", "a, b", "x=1", "#"])
def test_a_column_of_any_name_is_the_target(in_tmp: Path, target: str) -> None:
    table(in_tmp / "rows.csv", target)
    ended = inside(
        in_tmp, "dataset=csv", "dataset.path=rows.csv", f"dataset.target={target}", *QUICK
    )
    assert config(ended)["target"] == target


def test_a_file_of_any_name_by_run_rerun_and_python(
    in_tmp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table(in_tmp / NAME, "1_1")
    table(in_tmp / "other=1.csv", "1_1")
    words = ("dataset=csv", f"dataset.path={NAME}", "dataset.target=1_1", *QUICK)
    ended = inside(in_tmp, *words, "hydra.run.dir=out/josé=1, b")
    assert config(ended)["path"] == NAME
    made = ended.run
    assert made == in_tmp / "out/josé=1, b"
    stored = yaml.safe_load((made / ".hydra/overrides.yaml").read_text(encoding="utf-8"))
    assert [read(word) for word in stored[1:3]] == [NAME, "1_1"]
    again = inside(in_tmp, "rerun", str(made))
    assert again.out.splitlines()[-1] == "bit-identical"
    other = inside(
        in_tmp, "rerun", str(made), "dataset.path=other=1.csv", "dataset.target=1_1",
        "--into", "other",
    )  # fmt: skip
    assert other.code in (0, 1), other.err
    saved = yaml.safe_load((in_tmp / "other/config.yaml").read_text())["dataset"]
    assert (saved["path"], saved["target"]) == ("other=1.csv", "1_1")
    monkeypatch.chdir(in_tmp)
    run = exp.run(words)
    assert run.config["dataset"]["path"] == NAME
    assert run.record["signature"] == json.loads((made / "run.json").read_text())["signature"]


def test_a_comma_sweeps_files_only_with_m(in_tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("a b.csv", "c=1.csv")
    for name in names:
        table(in_tmp / name)
    (in_tmp / "runs.txt").write_text("'dataset.path=a b.csv'\ndataset.path=c=1.csv\n")
    words = ("dataset=csv", "dataset.target=y", *QUICK, "sweep.n_jobs=1", "sweep.figures=false")
    swept = [
        ("-m", f"dataset.path={','.join(names)}", "sweep.dir=one, two"),
        ("-m", "sweep.file=runs.txt", "sweep.dir=lines"),
    ]
    for each in swept:
        ended = inside(in_tmp, *words, *each)
        assert ended.code == 0, ended.err
    for place in ("one, two", "lines"):
        found = [
            yaml.safe_load((run / "config.yaml").read_text())["dataset"]["path"]
            for run in runs(in_tmp / place)
        ]
        assert found == list(names)
    monkeypatch.chdir(in_tmp)
    sweep = exp.sweep([*words, f"dataset.path={','.join(names)}"])
    assert [run.config["dataset"]["path"] for run in sweep] == list(names)
    ended = inside(in_tmp, *words[:-2], f"dataset.path={','.join(names)}")
    assert "no such file: 'a b.csv,c=1.csv'" in ended.err


@pytest.mark.parametrize("written", ["\\t", "tab", "\t"])
def test_a_tab_as_it_is_typed(in_tmp: Path, written: str) -> None:
    table(in_tmp / "rows.csv", delimiter="\t")
    words = ("dataset=csv", "dataset.path=rows.csv", "dataset.target=y", *QUICK)
    ended = inside(in_tmp, *words, f"dataset.delimiter={written}")
    assert config(ended)["delimiter"] == "\t"


OWN = '''
from pathlib import Path
from exp import register
from exp.data.dataset import Data

@register.dataset("labelled")
def labelled(seed: int, *, label: str = "x", place: Path = Path("."), count: int = 3) -> Data:
    """Rows."""
    rows = [[i, i % 3] for i in range(40)]
    return Data.checked(rows, [i % 2 for i in range(40)], classes=[label, str(place)])
'''


def test_texts_of_a_component_of_ones_own(in_tmp: Path) -> None:
    (in_tmp / "mine_typed.py").write_text(OWN)
    with forgotten("mine_typed"):
        ended = inside(
            in_tmp, "plugins=[mine_typed]", "dataset=labelled", "dataset.label=1_1",
            "dataset.place=a=b/ü", "dataset.count=5", *QUICK,
        )  # fmt: skip
        found = config(ended)
    assert (found["label"], found["place"], found["count"]) == ("1_1", "a=b/ü", 5)


def many(place: Path) -> None:
    (place / "conf/experiment").mkdir(parents=True)
    (place / "conf/experiment/many.yaml").write_text(
        "# @package _global_\ndefaults:\n  - override /dataset: csv\n"
        "dataset: {path: 'a, b.csv', target: '1_1'}\nhydra: {mode: MULTIRUN}\n"
        "sweep: {n_jobs: 1, figures: false}\n"
    )
    for name in ("a, b.csv", "c=1.csv"):
        table(place / name, "1_1")


def test_a_preset_that_sweeps_splits_texts_at_commas(in_tmp: Path) -> None:
    many(in_tmp)
    ended = inside(in_tmp, "experiment=many", "dataset.path='a, b.csv',c=1.csv", *QUICK)
    assert ended.code == 0, ended.err
    found = [yaml.safe_load((run / "config.yaml").read_text()) for run in runs(in_tmp)]
    assert [each["dataset"]["path"] for each in found] == ["a, b.csv", "c=1.csv"]
    assert {each["dataset"]["target"] for each in found} == {"1_1"}
    names = [run.name for run in runs(in_tmp)]
    assert names == ["0-dataset.path=a,_b.csv", "1-dataset.path=c=1.csv"]


def test_a_resumed_sweep_reads_texts_as_the_first_did(in_tmp: Path) -> None:
    many(in_tmp)
    words = ("-m", "experiment=many", "dataset.path='a, b.csv',c=1.csv", "sweep.dir=s", *QUICK)
    assert inside(in_tmp, *words).code == 0
    before = {run: (run / "config.yaml").read_bytes() for run in runs(in_tmp)}
    shutil.rmtree(max(before))
    ended = inside(in_tmp, "resume", "s")
    assert ended.code == 0, ended.err
    assert {run: (run / "config.yaml").read_bytes() for run in runs(in_tmp)} == before


@pytest.mark.parametrize("sweep", [(), ("-m", "sweep.n_jobs=1", "sweep.figures=false")])
def test_signs_as_they_are_typed(in_tmp: Path, sweep: tuple[str, ...]) -> None:
    lines = [f"{x % 7},5;{x % 5},25;{'ab'[x % 2]}" for x in range(40)]
    (in_tmp / "rows.csv").write_text("\n".join(["u;v;y", *lines]) + "\n")
    words = ("dataset=csv", "dataset.path=rows.csv", "dataset.target=y", *QUICK)
    ended = inside(in_tmp, *words, "dataset.delimiter=;", "dataset.decimal=,", *sweep)
    found = config(ended)
    assert (found["delimiter"], found["decimal"]) == (";", ",")


@pytest.mark.parametrize("written", ["override /optimizer", "/optimizer"])
def test_a_list_of_options_in_a_preset_is_refused(in_tmp: Path, written: str) -> None:
    (in_tmp / "conf/experiment").mkdir(parents=True)
    preset = f"# @package _global_\ndefaults:\n  - {written}: [sgd, adam]\n"
    (in_tmp / "conf/experiment/two.yaml").write_text(preset)
    ended = inside(in_tmp, "experiment=two", *QUICK)
    assert ended.code == 2
    assert "optimizer  expected one option, found ['sgd', 'adam']" in ended.err
    assert not runs(in_tmp)
