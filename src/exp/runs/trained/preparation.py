"""What stands between a raw row and the model, as plain values: all that a model file needs to know
of the data, beside the weights.

The run directory has it as preparation.json, a model file in its metadata, and an ONNX file as a
graph.
"""

from __future__ import annotations

from dataclasses import asdict
from functools import cached_property
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field

from exp.components.features import from_values
from exp.data.dataset import Data, Split
from exp.data.encoding import EncodedColumn, Encoding
from exp.data.feature_map import FeatureMap
from exp.data.prepared import Prepared
from exp.data.reading_settings import Kind, Policy, Reading
from exp.data.target_scale import TargetScale
from exp.runs.file_schemas import Number, Stored, fault_of
from exp.util.errors import ExpError
from exp.util.serialize import finite, json_text


class Part(Stored):
    """A part of a preparation, which never changes."""

    model_config = ConfigDict(strict=True, frozen=True)


class RawColumn(Part):
    """A column of raw rows.

    Attributes:
        name, unit: of the column.
        kind: number; date (days since 1970-01-01 in the rows); or category.
        date_format: how texts are dates, as for `datetime.strptime`; None: ISO 8601.
        fill: the number or the category that stands for a missing value; None: none may be missing.
        low, high: of a number or a date, the range of the training rows.
        categories: those of the training rows, in their order.
        rare: those of them that share an encoded column, with all that are not known.
        marks: whether an encoded column says where the value is missing.
    """

    name: str
    kind: Kind
    unit: str | None = None
    date_format: str | None = None
    fill: Number | str | None = None
    low: Number = 0.0
    high: Number = 0.0
    categories: list[str] = Field(default_factory=list)
    rare: list[str] = Field(default_factory=list)
    marks: bool = False

    def encoded(self) -> EncodedColumn:
        """How the column becomes numbers."""
        if self.kind != "category":
            fill = None if self.fill is None else float(self.fill)
            return EncodedColumn(self.name, self.unit, fill, marks=self.marks)
        codes = tuple(range(len(self.categories)))
        fill = None if self.fill is None else float(self.categories.index(str(self.fill)))
        rare = frozenset(self.rare)
        known = tuple(self.categories)
        return EncodedColumn(self.name, None, fill, known, rare, codes, self.marks)


class Texts(Part):
    """How the texts of a file are read, as `Reading` has it."""

    delimiter: str = ","
    missing: Policy = "refuse"
    decimal: str = "."
    thousands: str | None = None
    na_values: list[str | float] | None = None


class Mapping(Part):
    """A feature map.

    Attributes:
        name: of the component.
        names: of the mapped features.
        values: as `FeatureMap` has them; None: a custom map, which its code makes again.
    """

    name: str
    names: list[str]
    values: dict[str, Any] | None = None


class Scale(Part):
    """The scale of a target that is a number, as `TargetScale` has it."""

    mean: Number
    scale: Number


class Preparation(Part):
    """From a raw row to the inputs of a model, and from its outputs to a class or a number.

    Attributes:
        columns: of raw rows, in the order of the model's features.
        dtype: of raw rows; float64 where float32 cannot distinguish them.
        gaps: whether values may be missing.
        encodes: whether columns are encoded or filled in.
        mean, scale: of each encoded column, in float64; None: not standardized.
        mapping: the feature map, or None.
        target: name of the column of a file that the model predicts.
        classes: their names; [] where the target is a number.
        target_scale: how a number is scaled for the model; None: it is not.
        positive: the positive class of two, 0 or 1.
        texts: how files are read; None: the rows did not come from a file.
    """

    columns: list[RawColumn]
    dtype: Literal["float32", "float64"] = "float32"
    gaps: bool = False
    encodes: bool = False
    mean: list[Number] | None = None
    scale: list[Number] | None = None
    mapping: Mapping | None = None
    target: str | None = None
    classes: list[str] = Field(default_factory=list)
    target_scale: Scale | None = None
    positive: int | None = None
    texts: Texts | None = None

    @classmethod
    def of(cls, prepared: Prepared) -> Self:
        """The preparation of the rows of a run."""
        data, mapping, scale = prepared.data, prepared.mapping, prepared.target_scale
        return cls(
            columns=[raw_column(prepared, at) for at in range(len(data.features))],
            dtype="float64" if data.X.dtype == np.float64 else "float32",
            gaps=data.gaps,
            encodes=prepared.encoding is not None,
            mean=None if prepared.mean is None else prepared.mean.tolist(),
            scale=None if prepared.scale is None else prepared.scale.tolist(),
            mapping=None if mapping is None else mapping_of(mapping),
            target=None if data.reading is None else data.reading.target,
            classes=list(data.classes),
            target_scale=None if scale is None else Scale(**asdict(scale)),
            positive=prepared.positive,
            texts=None if data.reading is None else texts_of(data.reading),
        )

    @classmethod
    def parsed(cls, content: object) -> Self:
        """From the values of a JSON text.

        Raises:
            ValueError: it is no preparation.
        """
        if fault := fault_of(cls, content):
            raise ValueError(fault)
        found = cls.model_validate(content)
        try:
            _ = found.encoding, found.data
            widths = {len(found.encoding.names)} | {
                len(each) for each in (found.mean, found.scale) if each is not None
            }
            if len(widths) != 1 or (found.mean is None) != (found.scale is None):
                raise ValueError("mean and scale do not have a number for each encoded column")
            row = np.zeros((1, *widths))
            if found.mapping is not None and found.mapping.values is not None:
                found.feature_map(None)(row)  # type: ignore[misc]
        except (ExpError, ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise ValueError(f"the preparation does not fit together: {error}") from error
        return found

    @property
    def content(self) -> dict[str, Any]:
        """The values of its JSON text, without those that are defaults."""
        values: dict[str, Any] = finite(self.model_dump(exclude_defaults=True))
        return values

    @property
    def text(self) -> str:
        """The content of preparation.json."""
        return json_text(self.content)

    @cached_property
    def encoding(self) -> Encoding:
        return Encoding(tuple(column.encoded() for column in self.columns), ())

    @property
    def reading(self) -> Reading | None:
        """How a file of rows is read."""
        if self.texts is None:
            return None
        kinds: dict[str, Kind] = {column.name: column.kind for column in self.columns}
        formats = {c.name: c.date_format for c in self.columns if c.date_format is not None}
        dates = [column.name for column in self.columns if column.kind == "date"]
        return Reading(
            target=self.target,
            features=tuple(kinds),
            categorical=[name for name in kinds if kinds[name] == "category"],
            dates=formats or dates or False,
            kinds=kinds,
            **self.texts.model_dump(),
        )

    @cached_property
    def data(self) -> Data:
        """A data set like that of the run, without its rows: a row of zeros for each class."""
        count = max(1, len(self.classes))
        named = [tuple(c.categories) if c.kind == "category" else None for c in self.columns]
        return Data(
            X=np.zeros((count, len(self.columns)), self.dtype),
            y=np.arange(count, dtype=np.int64 if self.classes else np.float32),
            classes=tuple(self.classes),
            features=tuple(column.name for column in self.columns),
            units=tuple(column.unit for column in self.columns),
            categories=tuple(named) if any(each is not None for each in named) else (),
            gaps=self.gaps,
            reading=self.reading,
            positive=self.positive,
        )

    def feature_map(self, custom: FeatureMap | None) -> FeatureMap | None:
        """The feature map.

        Args:
            custom: what the code of a custom map has made.
        """
        if self.mapping is None or self.mapping.values is None:
            return custom
        return from_values(self.mapping.name, self.mapping.names, self.mapping.values)

    def prepared(self, custom: FeatureMap | None = None) -> Prepared:
        """The preparation at work; its data have no rows (see `data`)."""
        scale = self.target_scale
        return Prepared(
            self.data,
            Split(np.arange(len(self.data.y), dtype=np.int64)),
            mean=None if self.mean is None else np.array(self.mean),
            scale=None if self.scale is None else np.array(self.scale),
            encoding=self.encoding if self.encodes else None,
            mapping=self.feature_map(custom),
            target_scale=None if scale is None else TargetScale(scale.mean, scale.scale),
        )


def raw_column(prepared: Prepared, at: int) -> RawColumn:
    """A column of the rows of a run."""
    data, encoding = prepared.data, prepared.encoding
    name, reading = data.features[at], data.reading
    encoded = None if encoding is None else encoding.columns[at]
    if encoded is not None and encoded.categories is not None:
        known = dict(zip(encoded.codes, encoded.categories, strict=True))
        return RawColumn(
            name=name,
            kind="category",
            fill=None if encoded.fill is None else known[int(encoded.fill)],
            categories=list(encoded.categories),
            rare=[text for text in encoded.categories if text in encoded.rare],
            marks=encoded.marks,
        )
    values: NDArray[Any] = data.X[prepared.split.train, at]
    return RawColumn(
        name=name,
        kind="number" if reading is None else reading.kinds.get(name, "number"),
        unit=data.units[at],
        date_format=None if reading is None else reading.date_format(name),
        fill=None if encoded is None else encoded.fill,
        marks=encoded is not None and encoded.marks,
        low=float(np.nanmin(values)),
        high=float(np.nanmax(values)),
    )


def texts_of(reading: Reading) -> Texts:
    na = None if reading.na_values is None else list(reading.na_values)
    return Texts(
        delimiter=reading.delimiter,
        missing=reading.missing,
        decimal=reading.decimal,
        thousands=reading.thousands,
        na_values=na,
    )


def mapping_of(mapping: FeatureMap) -> Mapping:
    values = mapping.values
    return Mapping(
        name=mapping.name,
        names=list(mapping.names),
        values=None if values is None else {key: plain(value) for key, value in values.items()},
    )


def plain(value: Any) -> Any:
    """Arrays, also in lists, as lists of numbers."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value
