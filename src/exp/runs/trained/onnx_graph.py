"""A trained model in ONNX: raw rows in, probabilities and labels out.

torch exports the part from encoded rows on (`Deployed`). Where rows have categories, this adds what
stands before it, as skl2onnx does: an input for each column, and a lookup of each category.
"""

from __future__ import annotations

import itertools
import json
import logging
import re
import warnings
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pandas as pd
import torch
from numpy.typing import NDArray
from onnx import TensorProto, compose, helper, numpy_helper

from exp.data.encoding import EncodedColumn
from exp.data.labels import key
from exp.data.reading_settings import MISSING, NaValues, Reading
from exp.runs.trained.example_rows import trial_rows
from exp.runs.trained.output_names import names_of_outputs
from exp.runs.trained.plain_module import TRIED, compare, deployed, encoded_rows
from exp.runs.trained.predictor import Trained

INNER = "model/"
"""How the names of values within the graph begin."""


def model_of(trained: Trained) -> Any:
    """The model as a `ModelProto`, for any number of rows.

    Raises:
        ImpossibleError: it cannot be exported.
    """
    classes = list(trained.classes)
    proto = torch_part(trained)
    if any(column.kind == "category" for column in trained.preparation.columns):
        with_columns(proto.graph, trained)
        proto.opset_import.append(helper.make_opsetid("ai.onnx.ml", 3))
    if classes:
        names = numpy_helper.from_array(np.array(classes, object), f"{INNER}classes")
        proto.graph.initializer.append(names)
    described = {"features": list(trained.features), "classes": classes}
    for name, value in described.items():
        proto.metadata_props.add(key=name, value=json.dumps(value, ensure_ascii=False))
    onnx.checker.check_model(proto)
    return proto


def torch_part(trained: Trained) -> Any:
    """The model from encoded rows on, with the outputs of the whole."""
    labelled, answers = bool(trained.classes), trained.predictor.objective.loss.answers
    module = deployed(trained, labelled=labelled)
    rows = torch.from_numpy(encoded_rows(trained, trial_rows(trained.preparation, 4)))
    quiet = logging.getLogger("torch.onnx")
    level = quiet.level
    quiet.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            # The exporter's own use of what torch deprecates; nothing that a user could change.
            warnings.simplefilter("ignore")
            program: Any = torch.onnx.export(
                module,
                (rows,),
                dynamo=True,
                input_names=["rows"],
                output_names=[answers, "place"] if labelled else [answers],
                dynamic_shapes=({0: torch.export.Dim("n", min=1)},),
                verbose=False,
            )
    finally:
        quiet.setLevel(level)
    proto = compose.add_prefix(program.model_proto, INNER)
    graph = proto.graph
    outputs = names_of_outputs(trained)
    graph.node.append(helper.make_node("Identity", [INNER + answers], [outputs[0]]))
    kept = graph.output[0]
    kept.name = outputs[0]
    found = [kept]
    if labelled:
        place = INNER + "place"
        graph.node.append(helper.make_node("Gather", [f"{INNER}classes", place], [outputs[1]]))
        count = kept.type.tensor_type.shape.dim[0].dim_param
        found.append(helper.make_tensor_value_info(outputs[1], TensorProto.STRING, [count]))
    del graph.output[:]
    graph.output.extend(found)
    graph.input[0].name = "rows"
    graph.node.insert(0, helper.make_node("Identity", ["rows"], [f"{INNER}rows"]))
    return proto


def with_columns(graph: Any, trained: Trained) -> None:
    """Puts an input for each column in the place of the input `rows`, and what encodes them before
    the nodes that are there."""
    (rows,) = graph.input
    kind, count = rows.type.tensor_type.elem_type, rows.type.tensor_type.shape.dim[0].dim_param
    encoding = trained.job.data.encoding
    assert encoding is not None
    reading = trained.job.data.data.reading or Reading(na_values=[])
    inputs, parts = [], []
    nodes = graph.node[1:]
    del graph.input[:], graph.node[:]
    for at, column in enumerate(encoding.columns):
        if column.categories is None:
            inputs.append(helper.make_tensor_value_info(column.name, kind, [count, 1]))
            parts.append(column.name)
            continue
        inputs.append(helper.make_tensor_value_info(column.name, TensorProto.STRING, [count, 1]))
        inner = f"{INNER}column {at} "
        places = np.arange(len(column.names), dtype=np.int64)[None]
        graph.initializer.append(numpy_helper.from_array(places, f"{inner}places"))
        texts = lookup(column, reading.na)
        found = helper.make_node(
            "LabelEncoder", [column.name], [f"{inner}place"], domain="ai.onnx.ml",
            keys_strings=list(texts), values_int64s=list(texts.values()),
            default_int64=int(column.places[-1]),
        )  # fmt: skip
        equal = helper.make_node("Equal", [f"{inner}place", f"{inner}places"], [f"{inner}is"])
        cast = helper.make_node("Cast", [f"{inner}is"], [f"{inner}encoded"], to=kind)
        graph.node.extend([found, equal, cast])
        parts.append(f"{inner}encoded")
    graph.node.append(helper.make_node("Concat", parts, [f"{INNER}rows"], axis=1))
    graph.node.extend(nodes)
    graph.input.extend(inputs)


def lookup(column: EncodedColumn, na: NaValues) -> dict[str, int]:
    """Text -> the encoded column that is 1 for it (-1: none), for every known category and for
    texts that mean a missing value."""
    found: dict[str, int] = {}
    if column.fill is not None:
        found |= dict.fromkeys(missing_texts(na), column.of_missing)
    for code, text in zip(column.codes, column.categories or (), strict=True):
        for way in spellings(text):
            found.setdefault(way, int(column.places[code]))
    # exp leaves blanks around a text out; ONNX has no operator for that.
    for text, place in list(found.items()):
        for way in (f" {text}", f"{text} ", f" {text} "):
            found.setdefault(way, place)
    return found


def missing_texts(na: NaValues) -> Iterator[str]:
    """The texts that mean a missing value, in every case of letters where that does not matter."""
    for text in sorted(na.texts | (MISSING if na.any_case else set())):
        cases = [{c.lower(), c.upper()} if na.any_case else {c} for c in text]
        yield from map("".join, itertools.product(*map(sorted, cases)))
    for number in na.numbers.tolist():
        yield from (*spellings(key(repr(number))), repr(number))


def spellings(text: str) -> list[str]:
    """A category as texts that are the same one: ONNX compares texts as they are. Of a whole number
    the usual ways to write it; there are more, such as 1.000."""
    known = key(text)
    ways = [text, known]
    if known in ("True", "False"):
        ways += [known.lower(), known.upper()]
    if re.fullmatch(r"-?(0|[1-9]\d*)", known):
        ways += [f"{known}.0", f"{known}."]
        sign, digits, exponent = Decimal(known).normalize().as_tuple()
        power = int(exponent) + len(digits) - 1
        head, rest = str(digits[0]), "".join(map(str, digits[1:]))
        mantissa = f"{'-' if sign else ''}{head}{'.' if rest else ''}{rest}"
        ways += [f"{mantissa}{e}{p}" for e in "eE" for p in (power, f"+{power}", f"+{power:02d}")]
        ways += [f"+{way}" for way in ways if not way.startswith(("-", "+"))]
    return list(dict.fromkeys(ways))


def content(trained: Trained) -> bytes:
    """The bytes of the file, whose answers in ONNX Runtime were compared with those of the run.

    Raises:
        ImpossibleError: the model cannot be exported, or does not say the same.
    """
    found: bytes = model_of(trained).SerializeToString(deterministic=True)
    rows = trial_rows(trained.preparation, TRIED)
    session = onnxruntime.InferenceSession(found, providers=["CPUExecutionProvider"])
    answers, *_ = session.run(names_of_outputs(trained), inputs_of(trained, rows))
    compare(answers, trained.answers(rows), trained.predictor.objective.loss.answers)
    return found


def inputs_of(trained: Trained, rows: pd.DataFrame) -> dict[str, NDArray[Any]]:
    """The inputs of the file for rows in which dates are days."""
    columns, kind = trained.preparation.columns, trained.job.data.data.X.dtype
    if not trained.job.data.data.categorical:
        return {"rows": rows.to_numpy(kind, na_value=np.nan)}
    return {
        c.name: rows[[c.name]].fillna("").to_numpy(object)
        if c.kind == "category"
        else rows[[c.name]].to_numpy(kind, na_value=np.nan)
        for c in columns
    }
