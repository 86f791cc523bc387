"""The site: README.md, docs/ and what the docstrings say, as HTML pages that open offline.

    pip install -c constraints.txt -e '.[docs]'
    python -m sphinx -W --keep-going -c docs/site . build/site

Its source directory is the repository itself, so that every link of a page leads to the same place
here and where the files are read as they stand.
"""

from __future__ import annotations

import fnmatch
import importlib.metadata
import re
import shutil
import sys
from pathlib import Path
from typing import Any

from docutils import nodes
from pygments.lexers.special import TextLexer
from sphinx import addnodes
from sphinx.application import Sphinx

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE))

project = "exp"
author = "The exp authors"
version = release = importlib.metadata.version("exp")
root_doc = "README"
include_patterns = [
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "benchmarks/README.md",
    "docs/**",
]
exclude_patterns = [".git", ".venv", "build", "outputs", "multirun", "docs/site", "docs/images"]

extensions = [
    "components_page",
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
]
myst_heading_anchors = 4
smartquotes = False  # `--` is a flag here
default_role = "code"  # docstrings write `name`
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
napoleon_numpy_docstring = False
python_maximum_signature_line_length = 80
python_use_unqualified_type_names = True
add_module_names = False

html_theme = "furo"
html_title = "exp"
html_static_path: list[str] = []
html_show_copyright = False
html_copy_source = False
html_show_search_summary = False  # it fetches pages, which browsers refuse where there is no server
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#0b5cad", "color-brand-content": "#0b5cad"},
    "dark_css_variables": {"color-brand-primary": "#7db8ff", "color-brand-content": "#7db8ff"},
}
copybutton_prompt_text = "$ "
copybutton_line_continuation_character = "\\"

NAVIGATION = {
    "Start": ["quick_start", "tutorials/first_run", "tutorials/first_sweep",
              "tutorials/custom_data", "tutorials/custom_model", "cluster"],
    "Course": ["course/index", "course/*"],
    "Guides": ["play", "code", "fit", "data", "regression", "custom_components", "figures",
               "gallery", "sweeps", "results", "across", "report", "seeds", "search",
               "using_models", "python", "loggers", "runs", "security"],
    "Background": ["how_it_works", "architecture", "reproduced", "bench", "own_tables"],
    "Questions": ["questions", "errors"],
    "Reference": ["components", "reference/*"],
}  # fmt: skip
"""Captions of the side bar and the pages below them, of docs/; a page that is not named
stands under "More"."""


def navigation() -> str:
    """The side bar, as directives."""
    there = [path.relative_to(ROOT / "docs") for path in ROOT.glob("docs/**/*")]
    pages = {p.with_suffix("").as_posix() for p in there if p.suffix in (".md", ".rst")}
    listed: dict[str, list[str]] = {}
    for caption, patterns in NAVIGATION.items():
        for pattern in patterns:
            found = sorted(fnmatch.filter(pages, pattern))
            listed.setdefault(caption, []).extend(found)
            pages.difference_update(found)
    more = [f"/docs/{page}" for page in sorted(pages)]
    more += ["/CONTRIBUTING", "/CHANGELOG", "/benchmarks/README"]
    trees = {caption: [f"/docs/{page}" for page in found] for caption, found in listed.items()}
    return "\n".join(
        f"```{{toctree}}\n:hidden:\n:caption: {caption}\n\n" + "\n".join(found) + "\n```\n"
        for caption, found in {**trees, "More": more}.items()
        if found
    )


FILE = re.compile(r"^( *)<!-- file: (\S+) -->\n *```(\w+)\n", re.MULTILINE)
"""A file that a page tells its reader to write."""


def prepared(app: Sphinx, name: str, source: list[str]) -> None:
    """Files to write have their name above them; the first page has the side bar."""
    source[0] = FILE.sub(r"\1```{code-block} \3\n\1:caption: \2\n\n", source[0])
    if name == root_doc:
        source[0] += "\n" + navigation()


def folders(app: Sphinx, doctree: nodes.document) -> None:
    """A link to a folder leads to its README, or is plain text where it has none."""
    here = Path(app.env.doc2path(app.env.docname)).parent
    for link in list(doctree.findall(addnodes.pending_xref)):
        place = (ROOT / here / link["reftarget"]).resolve()
        if link["reftype"] != "myst" or not place.is_dir():
            continue
        page = app.env.path2doc(place / "README.md")
        if page in app.env.found_docs:
            link["refdomain"], link["reftarget"], link["reftargetid"] = "doc", page, None
        else:
            link.replace_self(link.children)


def entered(app: Sphinx, error: Exception | None) -> None:
    """A site is entered by index.html."""
    if error is None and app.builder.format == "html":
        shutil.copyfile(Path(app.outdir) / f"{root_doc}.html", Path(app.outdir) / "index.html")


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_lexer("csv", TextLexer)
    app.connect("source-read", prepared)
    app.connect("doctree-read", folders)
    app.connect("build-finished", entered)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
