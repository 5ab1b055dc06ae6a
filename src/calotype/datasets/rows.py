"""Arrow schemas of the tables of samples, annotations and vectors, and conversion from and to values."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields as fields_of
from typing import Any, Protocol

import msgspec
import pyarrow as pa

from calotype.datasets.model import MAX_NAME, Annotation, Kind, Sample
from calotype.foundation.ids import canonical_json

SAMPLES = "samples"
VECTOR = "vector"
"""The column of vectors in the table of a model."""
_VECTORS = "vec/"

SAMPLE_SCHEMA = pa.schema(
    [
        pa.field("sample_id", pa.string(), nullable=False),
        pa.field("media_sha256", pa.string(), nullable=False),
        pa.field("name", pa.string(), nullable=False),
        pa.field("names", pa.list_(pa.string())),
        pa.field("width_px", pa.int32()),
        pa.field("height_px", pa.int32()),
        pa.field("mime", pa.string()),
        pa.field("n_bytes", pa.int64()),
        pa.field("source", pa.string()),
        pa.field("licence", pa.string()),
        pa.field("group", pa.string()),
        pa.field("split", pa.string()),
        pa.field("tags", pa.list_(pa.string())),
        pa.field("metadata", pa.string()),
        pa.field("extra", pa.string()),
        pa.field("parent_id", pa.string()),
        pa.field("recipe", pa.string()),
        pa.field("import_id", pa.string()),
        pa.field("created_at_us", pa.int64()),
    ]
)

ANNOTATION_SCHEMA = pa.schema(
    [
        pa.field("ann_id", pa.string(), nullable=False),
        pa.field("sample_id", pa.string(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("class_id", pa.int32(), nullable=False),
        pa.field("x", pa.float64()),
        pa.field("y", pa.float64()),
        pa.field("w", pa.float64()),
        pa.field("h", pa.float64()),
        pa.field("rings", pa.list_(pa.list_(pa.float64()))),
        pa.field("mask_rle", pa.string()),
        pa.field("mask_h", pa.int32()),
        pa.field("mask_w", pa.int32()),
        pa.field("keypoints", pa.list_(pa.float64())),
        pa.field("area_px", pa.float64()),
        pa.field("score", pa.float64()),
        pa.field("iscrowd", pa.bool_()),
        pa.field("attributes", pa.string()),
        pa.field("extra", pa.string()),
        pa.field("source_id", pa.string()),
        pa.field("author", pa.string()),
        pa.field("import_id", pa.string()),
        pa.field("created_at_us", pa.int64()),
    ]
)

DRAWN_FIELDS = [
    ANNOTATION_SCHEMA.field(position) for position in range(4, ANNOTATION_SCHEMA.get_field_index("source_id"))
]
DRAWN_FIELDS.insert(0, ANNOTATION_SCHEMA.field("kind"))
"""Columns of the geometry and attributes of an annotation, without its ids and provenance."""

PROVENANCE = frozenset({"import_id", "created_at_us"})
"""Columns that record how a row was added. Rows that differ only in these are equal in a diff."""


_SAMPLE_FIELDS = [field.name for field in fields_of(Sample)]
_ANNOTATION_FIELDS = [field.name for field in fields_of(Annotation)]


def annotation_table(label_set: str) -> str:
    """The table of a label set within its dataset. Any name is allowed; unsafe characters are escaped."""
    return f"ann/{_escaped(label_set)}"


def label_set_of(table: str) -> str:
    """The label set of a table `ann/...`."""
    return _unescaped(table.removeprefix("ann/"))


def vector_table(model: str) -> str:
    """The table of the vectors of a model within its dataset. Any name is allowed."""
    return f"{_VECTORS}{_escaped(model)}"


def models_of(tables: Iterable[str]) -> list[str]:
    """The models whose vectors are in these tables, ordered by name."""
    safe = [table.removeprefix(_VECTORS) for table in tables if is_vector_table(table)]
    return sorted(_unescaped(name) for name in safe)


def is_vector_table(table: str) -> bool:
    """Whether a table has the vectors of a model."""
    return table.startswith(_VECTORS)


def vector_schema(dim: int) -> pa.Schema:
    """The schema of the vectors of one model: a sample id and a vector of `dim` float32 values."""
    return pa.schema(
        [
            pa.field("sample_id", pa.string(), nullable=False),
            pa.field(VECTOR, pa.list_(pa.float32(), dim), nullable=False),
        ]
    )


def schema_of(table: str) -> pa.Schema:
    """The schema of `samples` or of a label set's table."""
    return SAMPLE_SCHEMA if table == SAMPLES else ANNOTATION_SCHEMA


def key_of(table: str) -> str:
    """The column that identifies a row of a table."""
    return "sample_id" if table == SAMPLES or is_vector_table(table) else "ann_id"


def samples_to_arrow(samples: Iterable[Sample]) -> pa.Table:
    """Samples as rows of `SAMPLE_SCHEMA`."""
    rows = list(samples)
    columns: dict[str, Any] = {
        name: [getattr(row, name) for row in rows]
        for name in SAMPLE_SCHEMA.names
        if name not in ("names", "tags", "metadata", "extra")
    }
    columns["names"] = [list(row.names) for row in rows]
    columns["tags"] = [list(row.tags) for row in rows]
    columns["metadata"] = [_dump(row.metadata) for row in rows]
    columns["extra"] = [_dump(row.extra) for row in rows]
    return pa.table(columns, schema=SAMPLE_SCHEMA)


def samples_from_arrow(table: pa.Table) -> list[Sample]:
    """Rows of `SAMPLE_SCHEMA` as samples."""
    columns = {name: table[name].to_pylist() for name in SAMPLE_SCHEMA.names}
    for name in ("names", "tags"):
        columns[name] = [tuple(values) if values else () for values in columns[name]]
    for name in ("metadata", "extra"):
        columns[name] = [_load(text) for text in columns[name]]
    if not _are_valid(columns):
        fields = (columns[name] for name in _SAMPLE_FIELDS)
        return [Sample(*values) for values in zip(*fields, strict=True)]
    # filled field by field: the constructor of a frozen class takes more than twice as long, for every read and export
    samples = [object.__new__(Sample) for _ in range(table.num_rows)]
    for name in _SAMPLE_FIELDS:
        set_field = Sample.__dict__[name].__set__
        deque(map(set_field, samples, columns[name]), maxlen=0)
    return samples


def _are_valid(columns: Mapping[str, list[Any]]) -> bool:
    """Whether the constructor of a sample would take all of these; where it would not, it says why."""
    sides = (*columns["width_px"], *columns["height_px"])
    return min(sides, default=1) >= 1 and all(0 < len(name) <= MAX_NAME for name in columns["name"])


def annotations_to_arrow(annotations: Sequence[Annotation]) -> pa.Table:
    """Annotations as rows of `ANNOTATION_SCHEMA`."""
    columns = _geometry_columns(annotations)
    for name in ("ann_id", "sample_id", "class_id", "source_id", "author", "import_id", "created_at_us"):
        columns[name] = [getattr(a, name) for a in annotations]
    return pa.table({name: columns[name] for name in ANNOTATION_SCHEMA.names}, schema=ANNOTATION_SCHEMA)


def drawn_to_arrow(annotations: Sequence[Drawn]) -> pa.Table:
    """Geometry and attributes of annotations: the columns of `ANNOTATION_SCHEMA` from `kind` to `extra`."""
    columns = _geometry_columns(annotations)
    return pa.table(
        {field.name: columns[field.name] for field in DRAWN_FIELDS}, schema=pa.schema(DRAWN_FIELDS)
    )


class Drawn(Protocol):
    """Anything with the geometry of an annotation."""

    @property
    def kind(self) -> Kind: ...
    @property
    def bbox_xywh_px(self) -> tuple[float, float, float, float] | None: ...
    @property
    def rings_px(self) -> tuple[tuple[float, ...], ...]: ...
    @property
    def mask_rle(self) -> str: ...
    @property
    def mask_size_hw(self) -> tuple[int, int] | None: ...
    @property
    def keypoints_xyv(self) -> tuple[float, ...]: ...
    @property
    def area_px(self) -> float | None: ...
    @property
    def score(self) -> float | None: ...
    @property
    def iscrowd(self) -> bool: ...
    @property
    def attributes(self) -> Mapping[str, Any]: ...
    @property
    def extra(self) -> Mapping[str, Any]: ...


def _geometry_columns(annotations: Sequence[Drawn]) -> dict[str, Any]:
    columns: dict[str, Any] = {
        name: [getattr(a, name) for a in annotations] for name in ("mask_rle", "area_px", "score", "iscrowd")
    }
    columns["kind"] = [str(a.kind) for a in annotations]
    for position, name in enumerate("xywh"):
        columns[name] = [
            None if a.bbox_xywh_px is None else float(a.bbox_xywh_px[position]) for a in annotations
        ]
    columns["rings"] = [[list(ring) for ring in a.rings_px] or None for a in annotations]
    columns["mask_h"] = [a.mask_size_hw[0] if a.mask_size_hw else None for a in annotations]
    columns["mask_w"] = [a.mask_size_hw[1] if a.mask_size_hw else None for a in annotations]
    columns["keypoints"] = [list(a.keypoints_xyv) or None for a in annotations]
    columns["attributes"] = [_dump(a.attributes) for a in annotations]
    columns["extra"] = [_dump(a.extra) for a in annotations]
    return columns


def annotations_from_arrow(table: pa.Table) -> list[Annotation]:
    """Rows of `ANNOTATION_SCHEMA` as annotations."""
    columns = {name: table[name].to_pylist() for name in ANNOTATION_SCHEMA.names}
    boxes = zip(*(columns[name] for name in "xywh"), strict=True)
    columns["bbox_xywh_px"] = [None if box[0] is None else box for box in boxes]
    sizes = zip(columns["mask_h"], columns["mask_w"], strict=True)
    columns["mask_size_hw"] = [None if size[0] is None else size for size in sizes]
    columns["kind"] = [Kind(kind) for kind in columns["kind"]]
    columns["rings_px"] = [tuple(map(tuple, rings)) if rings else () for rings in columns["rings"]]
    columns["keypoints_xyv"] = [tuple(points) if points else () for points in columns["keypoints"]]
    for name in ("attributes", "extra"):
        columns[name] = [_load(text) for text in columns[name]]
    for name in ("mask_rle", "source_id", "author", "import_id"):
        columns[name] = [text or "" for text in columns[name]]
    columns["iscrowd"] = [bool(value) for value in columns["iscrowd"]]
    columns["created_at_us"] = [value or 0 for value in columns["created_at_us"]]
    fields = [columns[name] for name in _ANNOTATION_FIELDS]
    return [Annotation(*values) for values in zip(*fields, strict=True)]


def _unescaped(safe: str) -> str:
    return re.sub(r"%([0-9a-f]+)\.", lambda match: chr(int(match[1], 16)), safe)


def _escaped(name: str) -> str:
    return "".join(c if c.isascii() and (c.isalnum() or c in "_-.") else f"%{ord(c):x}." for c in name)


def _dump(value: Mapping[str, Any]) -> str:
    return canonical_json(dict(value)) if value else ""


def _load(text: str | None) -> dict[str, Any]:
    if not text:
        return {}
    value: dict[str, Any] = msgspec.json.decode(text)
    return value
