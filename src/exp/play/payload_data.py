"""The data sets that the page offers: rows, classes and split of each, as text for JSON."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exp.config.plan import Plan
from exp.data.prepared import Prepared
from exp.engine.job import Job
from exp.engine.prepare import prepare
from exp.play.payload_noise import SOURCES
from exp.registry.component import Chosen
from exp.registry.registry import register
from exp.util.errors import ConfigError, ExpError, Fault

MOST_ROWS = 10_000
"""A page with more would be too large, and too slow to look alive."""
FREE_SPLITS = {"holdout": "stratify", "last": None}
"""Packaged splits, and the parameter that makes them depend on the labels."""


def data_sets(plan: Plan, job: Job) -> list[dict[str, Any]]:
    """Every data set that the page offers, that of the config first.

    Raises:
        ConfigError: the data of the config cannot be shown on a plane, or have no classes.
    """
    check(job.data)
    first = plan["dataset"]
    found = [described(first, job.data, plan)]
    found += [described(other, rows, plan) for other, rows in other_data_sets(plan)]
    return found


def other_data_sets(plan: Plan) -> Iterator[tuple[Chosen, Prepared]]:
    """The data sets that the page offers besides that of the config, with the rows of its seeds."""
    for name in SOURCES:
        if name == plan["dataset"].name:
            continue
        other = register.choose("dataset", {"name": name}, "dataset")
        try:
            rows = prepare(
                other,
                plan["split"],
                data_seed=plan.seeds.data,
                split_seed=plan.seeds.split,
            )
        except ExpError:  # a split that only the data of the config can have, such as by a column
            continue
        yield other, rows


def check(rows: Prepared) -> None:
    """
    Raises:
        ConfigError: what the page cannot show or train on.
    """
    data, faults = rows.data, []
    if data.numeric:
        faults.append("expected classes, found a number as target")
    if len(rows.features) != 2 or rows.encoding is not None:
        faults.append(f"expected two features that are numbers, found {', '.join(rows.features)}")
    if data.weights is not None:
        faults.append("expected rows without weights")
    if len(data.y) > MOST_ROWS:
        faults.append(f"expected at most {MOST_ROWS:,} rows, found {len(data.y):,}")
    if len(data.classes) > 10:
        faults.append(f"expected at most 10 classes, found {len(data.classes)}")
    if faults:
        raise ConfigError([Fault("dataset", f"exp play: {fault}") for fault in faults])


def described(chosen: Chosen, rows: Prepared, plan: Plan) -> dict[str, Any]:
    """One data set."""
    source = SOURCES.get(chosen.name) if chosen.packaged else None
    data, split = rows.data, rows.split
    found = {
        "name": chosen.name,
        "about": chosen.component.summary,
        "classes": list(data.classes),
        "features": list(rows.features),
        "positive": rows.positive,
        "params": {k: v for k, v in chosen.as_dict().items() if k != "name"},
        "precise": data.X.dtype == np.float64,
        "labels": encoded(data.y, np.uint8),
        "parts": {name: encoded(getattr(split, name), np.uint32) for name in PARTS},
        "noise": None,
    }
    if source is None or (source.relabels and looks_at_labels(plan["split"])):
        return {**found, "clean": encoded(data.X, np.float64 if found["precise"] else np.float32)}
    values = chosen.declared
    noisy = source.rows(plan.seeds.data, values)
    default = values[source.key]
    noise = {
        "key": source.key,
        "form": noisy.form,
        "default": default,
        "low": 0.0,
        "high": max(source.high, default),
    }
    return {
        **found,
        "noise": noise,
        "clean": encoded(noisy.clean, np.float64),
        "draw": encoded(noisy.draw, np.float64),
    }


PARTS = ("train", "test", "validation")


def looks_at_labels(split: Chosen) -> bool:
    """Whether other labels may give other parts."""
    if not split.packaged or split.name not in FREE_SPLITS:
        return True
    key = FREE_SPLITS[split.name]
    return key is not None and bool(split.params[key])


def encoded(values: NDArray[Any], dtype: Any) -> str:
    """Numbers as base64, little-endian."""
    plain = np.ascontiguousarray(values, np.dtype(dtype).newbyteorder("<"))
    return base64.b64encode(plain.tobytes()).decode("ascii")
