"""A user's own file: read exactly, or refused with all that is wrong in it."""

from __future__ import annotations

import contextlib
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import exp.registry.kinds  # noqa: F401 - declares the kinds
from exp.data.dataset import Data
from exp.data.read_table import read_table
from exp.data.reading_settings import Reading
from exp.registry.registry import register
from exp.util.errors import ConfigError, DataError

MIXED = " (if this column contains categories, name it in `categorical`)"
HINT = (
    "dataset.missing=drop leaves such rows out, dataset.missing=impute fills in the median or the "
    "most frequent value of the training rows"
)
GOOD = "a,b,kind\n1,2,cat\n3,4.5,dog\n-1e3,.5,cat\n"


def load(path: Path | str, target: str = "kind", **params: Any) -> Data:
    chosen = register.choose(
        "dataset", {"name": "csv", "path": str(path), "target": target, **params}
    )
    data: Data = chosen.build(0)
    return data


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder: Path, content: str | bytes) -> str:
    raw = content.encode() if isinstance(content, str) else content
    (folder / "rows.csv").write_bytes(raw)
    return "rows.csv"


def refusal(folder: Path, content: str | bytes, **params: Any) -> str:
    write(folder, content)
    with pytest.raises(DataError) as caught:
        load("rows.csv", **params)
    return str(caught.value)


def test_reads_numbers_and_labels(here: Path) -> None:
    data = load(write(here, GOOD))
    np.testing.assert_array_equal(data.X, np.array([[1, 2], [3, 4.5], [-1000, 0.5]], np.float32))
    assert data.y.tolist() == [0, 1, 0]
    assert data.classes == ("cat", "dog")
    assert data.features == ("a", "b")
    assert data.units == (None, None)


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf" + GOOD.encode(),
        GOOD.replace("\n", "\r\n").encode(),
        GOOD.replace("\n", "\r").encode(),
        GOOD.rstrip("\n").encode(),
        GOOD.replace("\n", "\n\n").encode(),
        GOOD.replace("cat", '"cat"').replace("4.5", '" 4.5"').encode(),
        GOOD.replace("a,b,kind", " a , b , kind ").replace("dog", " dog ").encode(),
    ],
    ids=["BOM", "CRLF", "CR", "no last newline", "blank lines", "quotes", "spaces"],
)
def test_ways_to_write_the_same(here: Path, content: bytes) -> None:
    expected = load(write(here, GOOD)).fingerprint
    assert load(write(here, content)).fingerprint == expected


@pytest.mark.parametrize("delimiter", [";", "\t", "|", " "])
def test_delimiters(here: Path, delimiter: str) -> None:
    expected = load(write(here, GOOD)).fingerprint
    path = write(here, GOOD.replace(",", delimiter))
    assert load(path, delimiter=delimiter).fingerprint == expected


def test_features_in_the_order_asked_for(here: Path) -> None:
    path = write(here, "id,a,b,kind\nx1,1,2,0\nx2,3,4,1\n")
    data = load(path, features=["b", "a"])
    assert data.features == ("b", "a")
    assert data.X.tolist() == [[2, 1], [4, 3]]


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        ("10 9 -1 9 10", ("-1", "9", "10")),
        ("b a c a b", ("a", "b", "c")),
        ("10 9 x 9 10", ("10", "9", "x")),
        ("0.0 1.0 0.0 1.0 1.0", ("0.0", "1.0")),
        ("01 02 10 02 01", ("01", "02", "10")),
        ("True False True False True", ("False", "True")),
        ("é É e é É", ("e", "É", "é")),
    ],
)
def test_labels_are_numbered_in_sorted_order(
    here: Path, labels: str, classes: tuple[str, ...]
) -> None:
    each = labels.split()
    data = load(write(here, "x,kind\n" + "".join(f"{i},{t}\n" for i, t in enumerate(each))))
    assert data.classes == classes
    assert [data.classes[label] for label in data.y] == each


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "rows.csv is empty, expected a header line and rows"),
        ("\n \n", "rows.csv is empty, expected a header line and rows"),
        ("\ufeff", "rows.csv is empty, expected a header line and rows"),
        ("a,kind\n", "rows.csv has a header and no rows"),
        ("a,kind\n1,x\n2,\0\n", "rows.csv, line 3: a NUL byte, so this is not a text file"),
        (
            b"a,kind\r\n1,x\r\n2,caf\xe9\r\n",
            "rows.csv, line 3: byte 0xe9 is not UTF-8; save the file as UTF-8",
        ),
        (
            GOOD.encode("utf-16"),
            "rows.csv is UTF-16 text, expected UTF-8: save it as UTF-8",
        ),
        (
            "a,b,kind\n1,x,cat\n,2,dog\n3,nan,cat\n4,inf,dog\n5,1e39,cat\n6,1_0,dog\n7,8,\n",
            (
                "7 faults in rows.csv; no row was used\n"
                "  line 2, column 'b'     'x' is not a number" + MIXED + "\n"
                "  line 3, column 'a'     missing value in 1 of 7 rows, here first\n"
                "  line 4, column 'b'     missing value in 1 of 7 rows, here first\n"
                "  line 5, column 'b'     'inf' is not finite\n"
                "  line 6, column 'b'     '1e39' does not fit float32 (at most 3.4e38)\n"
                "  line 7, column 'b'     '1_0' is not a number" + MIXED + "\n"
                "  line 8, column 'kind'  the label is missing in 1 of 7 rows, here first\n" + HINT
            ),
        ),
        (
            "a,b,kind\n1,2,cat\n3,dog\n\n4,5,6,cat\n7,NA,dog\n",
            (
                "3 faults in rows.csv; no row was used\n"
                "  line 3              2 fields, the header has 3\n"
                "  line 5              4 fields, the header has 3\n"
                "  line 6, column 'b'  missing value in 1 of 2 rows, here first\n" + HINT
            ),
        ),
        (
            'a,kind\n1,"two\nlines"\nx,cat\n2,"two\nlines"\n',
            "1 fault in rows.csv; no row was used\n"
            "  line 4, column 'a'  'x' is not a number" + MIXED,
        ),
        (
            'a,kind\n1,cat\n2,"dog\n3,cat\n',
            (
                "1 fault in rows.csv; no row was used\n"
                "  line 3  unexpected end of data: the row that begins here is not valid csv"
            ),
        ),
        (
            "a,b,a,kind\n1,2,3,x\n",
            (
                "1 fault in rows.csv; no row was used\n"
                "  line 1, column 'a'  columns 1, 3 have the same name"
            ),
        ),
        (
            ",a,kind\nm,2,x\nf,3,y\nm,3,y\n",
            (
                "1 fault in rows.csv; no row was used\n"
                "  line 1  column 1 has no name; if it is not a feature, "
                'dataset.exclude=["Unnamed: 0"]'
            ),
        ),
        (
            "kind\nx\ny\n",
            (
                "1 fault in rows.csv; no row was used\n"
                "  line 1  there is no column besides 'kind', so there are no features"
            ),
        ),
        (
            "a,b,kinds\n1,2,x\n",
            (
                "1 fault in rows.csv; no row was used\n"
                "  line 1  no column 'kind'. Did you mean 'kinds'? "
                "The columns are 'a', 'b', 'kinds'"
            ),
        ),
        (
            "a;b;kind\n1;2;x\n",
            (
                "1 fault in rows.csv; no row was used\n"
                "  line 1  no column 'kind'. Did you mean 'a;b;kind'? The columns are 'a;b;kind' "
                "(is the delimiter ';'?)"
            ),
        ),
        (
            "5.1,3.5,0\n4.9,3.0,1\n",
            (
                "1 fault in rows.csv; no row was used\n"
                "  line 1  no column 'kind'. The columns are '5.1', '3.5', '0' "
                "(only numbers: has the file no header line?)"
            ),
        ),
        (
            "a,kind\n1,x\n2,x\n",
            (
                "rows.csv, column 'kind' (the target): every row has the value 'x'; "
                "a classifier needs at least two classes"
            ),
        ),
        (
            "a,kind\n" + "".join(f"{i},person {i}\n" for i in range(30)),
            (
                "rows.csv, column 'kind' (the target): it seems to identify the rows (30 "
                "different texts in 30 rows, such as 'person 0'); a classifier needs classes"
            ),
        ),
        (
            "a,kind\n1,1\n2,01\n3,2\n4,2\n",
            (
                "rows.csv, column 'kind' (the target): '1' and '01' are the same number written in "
                "two ways"
            ),
        ),
    ],
)
def test_refused(here: Path, content: str | bytes, message: str) -> None:
    assert refusal(here, content) == message


def test_ten_faults_are_told(here: Path) -> None:
    # Mostly numbers, so that the column is not taken for one of text.
    rows = "1,cat\n" * 5 + "x,dog\n" * 50 + "1,cat\n" * 50
    lines = refusal(here, f"a,kind\n{rows}").splitlines()
    assert lines[0] == "the first 10 faults in rows.csv; no row was used"
    assert [line.split(",")[0] for line in lines[1:]] == [f"  line {n}" for n in range(7, 17)]


def test_faults_beyond_the_first_batch_know_their_line(here: Path) -> None:
    rows = "".join(f"{i},{i % 2}\n" for i in range(25_000))
    message = refusal(here, f"a,kind\n{rows}x,1\n1\n")
    assert message.splitlines()[1:] == [
        "  line 25002, column 'a'  'x' is not a number" + MIXED,
        "  line 25003              1 field, the header has 2",
    ]


def test_unknown_features_are_told_together(here: Path) -> None:
    message = refusal(here, "alpha,beta,kind\n1,2,x\n", features=["alpa", "beta", "gamma"])
    assert message == (
        "2 faults in rows.csv; no row was used\n"
        "  line 1  no column 'alpa'. Did you mean 'alpha'? "
        "The columns are 'alpha', 'beta', 'kind'\n"
        "  line 1  no column 'gamma'. The columns are 'alpha', 'beta', 'kind'"
    )


def test_a_wide_header_is_not_listed_whole(here: Path) -> None:
    header = ",".join(f"c{i}" for i in range(1000))
    message = refusal(here, f"{header}\n{','.join('1' * 1000)}\n")
    assert message.endswith("'c18', 'c19' and 980 more")


def test_no_such_file(here: Path) -> None:
    write(here, GOOD)
    with pytest.raises(DataError) as caught:
        load("row.csv")
    assert str(caught.value) == (
        f"no such file: 'row.csv', which is '{here}/row.csv' from the working directory. "
        "Did you mean 'rows.csv'?"
    )
    with pytest.raises(DataError) as caught:
        load(here / "data" / "rows.csv")
    assert str(caught.value) == (
        f"no such file: '{here}/data/rows.csv'; its directory does not exist either"
    )


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (".", "'.' is a directory, expected a csv file"),
        ("/dev/null", "'/dev/null' is not a regular file, expected a csv file"),
        ("x" * 300, "File name too long"),
        ("a\0b", "'a\\x00b'"),
        ("~no-such-user/rows.csv", "cannot read '~no-such-user/rows.csv'"),
    ],
)
def test_no_file(here: Path, path: str, message: str) -> None:
    with pytest.raises(DataError) as caught:
        load(path)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"features": ["a", "kind", "a"]}, "names 'a' 2 times"),
        ({"features": ["a", "kind"]}, "names 'kind', which is the target"),
        ({"features": []}, "dataset.features  expected a list of at least 1 item, found []"),
        ({"delimiter": "::"}, "dataset.delimiter  expected ',', ';', '\\t', '|' or ' ', found"),
    ],
)
def test_parameters_at_odds(params: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load("rows.csv", **params)
    assert message in str(caught.value)


def test_nothing_is_evaluated(here: Path) -> None:
    text = "__import__('os').system('touch evaluated')"
    refusal(here, f"a,b,kind\n{text},1,x\n2,3,y\n")
    refusal(here, f"{text},b,kind\n1,1,x\n2,x,y\n")
    data = load(write(here, f"a,b,kind\n1,1,{text}\n2,3,=1+1\n"))
    assert data.classes == ("=1+1", text)
    assert not (here / "evaluated").exists()


def test_rows_without_a_target(here: Path) -> None:
    table = read_table(write(here, GOOD), "csv", Reading(features=["b"]))
    assert table.frame["b"].tolist() == [2, 4.5, 0.5]
    assert list(table.kinds) == ["b"]
    assert table.labels is None


def calls_of(work: Callable[[], object]) -> int:
    """How many Python functions are called meanwhile."""
    count = 0

    def note(frame: object, event: str, _: object) -> None:
        nonlocal count
        count += event == "call"

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


def test_no_function_is_called_for_each_cell(here: Path) -> None:
    """What makes a large file quick to read, whatever the machine."""
    line = ",".join(["-1.23456789"] * 10)
    counts = []
    for rows in (10_000, 20_000):
        text = ",".join("abcdefghij") + ",kind\n" + f"{line},0\n{line},1\n" * (rows // 2)
        path = write(here, text)
        assert load(path).X.shape == (rows, 10)
        counts.append(calls_of(lambda path=path: load(path)))
    assert counts[1] - counts[0] < 3 * 10_000  # of 110,000 cells


@settings(max_examples=400, deadline=None)
@given(content=st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode)))
@example(content=b'""')
@example(content=b"kind\n\xff")
@example(content=b"\xef\xbb\xbf\xef\xbb\xbfa,kind\n1,x")
def test_any_bytes_are_data_or_a_data_error(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    for raw in (content, b"a,kind\n1,x\n2,y\n" + content):
        path.write_bytes(raw)
        with contextlib.suppress(DataError):
            assert load(path).classes


FIELDS = st.one_of(
    st.sampled_from(["1", "-2.5", "1e5", "", "nan", "inf", "x", "1_0", '"', "1e39", " 3 ", "٣"]),
    st.floats().map(repr),
    st.text(alphabet='ab1.,"\n\r -_é', max_size=5),
)


@settings(max_examples=300, deadline=None)
@given(rows=st.lists(st.lists(FIELDS, min_size=3, max_size=3), max_size=12))
@example(rows=[["_", "1", "1"], ["_", "1", "1e5"]])
def test_what_is_read_is_what_stands_there(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]
) -> None:
    path = tmp_path_factory.getbasetemp() / "fields.csv"
    content = "a,b,kind\n" + "".join(",".join(row) + "\n" for row in rows)
    path.write_bytes(content.encode())
    try:
        data = load(path)
    except DataError:
        return
    assert np.isfinite(data.X).all()
    plain = all(set(field).isdisjoint(',"\n\r') for row in rows for field in row)
    if plain:
        kinds = [row[2].strip() for row in rows]
        if data.classes:
            assert [data.classes[label] for label in data.y] == kinds
        else:
            np.testing.assert_allclose(data.y, [float(kind) for kind in kinds], 1e-6, 1e-44)
        for values, row in zip(data.X.tolist(), rows, strict=True):
            for value, text, categories in zip(values, row, data.categories, strict=False):
                if categories is None:
                    assert math.isclose(value, float(text), rel_tol=1e-6, abs_tol=1e-44)
                else:  # a column of text
                    assert categories[int(value)] == text.strip()
