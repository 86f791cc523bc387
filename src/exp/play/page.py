"""The HTML of `exp play`: the engine, the drawing, and a config with its rows, in one text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

import yaml

from exp.config.plan import Plan
from exp.play.engine import engine
from exp.play.payload import payload
from exp.play.script_texts import script_texts
from exp.plotting.style import THEMES
from exp.report.page import document
from exp.report.page.content import json_block, shades

SHARED = ("element", "blocks", "theme")
"""Files of the page of `exp report` that this page has too."""
SCRIPTS = (
    "dom", "session", "link", "loop", "colours", "contour", "plane", "points", "diagram", "edges",
    "curves", "fields", "settings", "thumbnails", "overrides", "table",
    "python-script", "home", "keys", "main",
)  # fmt: skip
"""The files of the page's own script, in their order."""


def page_of(plan: Plan) -> str:
    """The page that starts from a plan.

    Raises:
        ConfigError: with every setting that the page cannot play.
        ExpError: as for `Job.of`.
    """
    found = payload(plan)
    extra = {"usual": usual_options(found, plan), "texts": script_texts(plan)}
    return page(found, title=f"exp play: {plan.name}", extra=extra)


def page(found: Mapping[str, Any], *, title: str, extra: Mapping[str, Any]) -> str:
    """The page.

    Args:
        found: what `exp.play.payload.payload` returns.
        title: plain text.
        extra: what the page needs besides, by name: `usual_options` and the scripts' texts.
    """
    code = "\n".join(
        [
            engine(),
            *(document.asset(f"{name}.js") for name in SHARED),
            *(asset(f"{name}.js") for name in SCRIPTS),
        ]
    )
    script = f'\n(() => {{\n"use strict";\n{code}}})();\n'
    colours = {name: {**shades(name), **curve_colours(name)} for name in THEMES}
    block = json_block({**found, **extra, "colours": colours})
    return Template(asset("play.html")).substitute(
        policy=escape(document.policy(script)),
        title=escape(document.clean(title)),
        style=document.asset("page.css").partition(".facts {")[0] + asset("play.css"),
        block=f'<script type="text/plain" id="block-play">{block}</script>',
        script=f"<script>{script}</script>",
    )


def asset(name: str) -> str:
    return (files(__package__) / "assets" / name).read_text(encoding="utf-8")


def curve_colours(name: str) -> dict[str, str]:
    """The colours of the learning curves in one theme, as the figures have them."""
    theme = THEMES[name]
    return {"train": theme.train, "test": theme.test, "validation": theme.validation}


def usual_options(found: Mapping[str, Any], plan: Plan) -> dict[str, dict[str, Any]]:
    """What each option of a group sets where a command line does not: kind -> option -> values.

    The page's command leaves out what it would set anyway.

    Args:
        found: what `exp.play.payload.payload` returns.
    """
    offers = found["offers"]
    names: dict[str, Sequence[str]] = {
        "dataset": [each["name"] for each in offers["datasets"]],
        "activation": [each["name"] for each in offers["activations"]],
        "loss": ["auto", *(each["name"] for each in offers["losses"])],
        "optimizer": [each["name"] for each in offers["optimizers"]],
        "split": [plan["split"].name, "holdout"],
        "model": ["mlp", "linear"],
        "device": [plan["device"].name],
        "trainer": ["standard"],
    }
    return {kind: {name: option(kind, name) for name in some} for kind, some in names.items()}


def option(kind: str, name: str) -> dict[str, Any]:
    """The values of a packaged option; none of a custom one, so that all of its are written."""
    file = files("exp.conf") / kind / f"{name}.yaml"
    found = yaml.safe_load(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return dict(found)
