"""The pages about Python and trained models: every block is run, in its order, as it stands."""

from __future__ import annotations

import doctest
import re
import shlex
from pathlib import Path

import pytest

from commands import inside

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(
    r"^(?:<!-- file: (?P<file>\S+) -->\n)?```(?P<language>\w+)\n(?P<body>.*?)^```$", re.M | re.S
)


@pytest.mark.parametrize("page", ["fit.md", "python.md", "using_models.md"])
def test_every_block_of_a_page_works(page: str, in_tmp: Path) -> None:
    names: dict[str, object] = {}
    runner = doctest.DocTestRunner(verbose=False)
    languages = set()
    for block in BLOCK.finditer((ROOT / "docs" / page).read_text()):
        body, language = block["body"], block["language"]
        languages.add(language)
        if block["file"]:
            (in_tmp / block["file"]).write_text(body)
        elif language == "python":
            exec(compile(body, page, "exec"), names)
        elif language == "pycon":
            examples = doctest.DocTestParser().get_doctest(body, names, page, page, 0)
            runner.run(examples, clear_globs=False)
            names.update(examples.globs)
        elif language == "console":
            for line in re.findall(r"^\$ (.*)$", body, re.M):
                words = shlex.split(line.replace("python -m exp", "exp"))
                assert words[0] == "exp", line
                ended = inside(in_tmp, *words[1:])
                assert ended.code == 0, ended.err
    assert {"python", "pycon"} <= languages
    assert runner.failures == 0
    assert runner.tries > 0
