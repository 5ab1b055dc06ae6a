"""Shapes among rows of annotations that are put as a table: their boxes, areas and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from calotype.acquire.labels.model import RowsInvalid
from calotype.datasets import rows
from calotype.datasets.model import AREAS, CORNERED, RINGED, AnnotationInvalid, Kind
from calotype.foundation.errors import CalotypeError
from calotype.vision import corners, masks
from calotype.vision.shape_problems import shape_problem

FLAT = frozenset({Kind.POLYLINE, Kind.POINT})
"""Kinds whose box may have no width or height."""


def is_kind(table: pa.Table, kinds: Iterable[Kind]) -> npt.NDArray[np.bool_]:
    """(N,) rows of some kinds."""
    named = pa.array([str(kind) for kind in kinds], pa.string())
    return np.asarray(pc.is_in(table["kind"], value_set=named).to_numpy(), bool)


def completed(table: pa.Table) -> pa.Table:
    """The table with the box around each shape of rings that came without one."""
    if not {"kind", "rings"} <= set(table.column_names):
        return table
    given = [side for side in "xywh" if side in table.column_names]
    lacks_box = table["x"].is_null().to_numpy() if len(given) == 4 else np.full(table.num_rows, not given)
    places = np.flatnonzero(is_kind(table, RINGED) & lacks_box)
    if not len(places):
        return table
    part = table.take(places)
    found = np.full((table.num_rows, 4), np.nan)
    for place, kind, rings in zip(places, part["kind"].to_pylist(), part["rings"].to_pylist(), strict=True):
        found[place] = _bounds(kind, rings)
    for at, side in enumerate("xywh"):
        boxes = pa.array(found[:, at], pa.float64(), mask=~np.isfinite(found[:, at]))
        if given:
            column = pc.coalesce(table[side], boxes)
            table = table.set_column(table.column_names.index(side), side, column)
        else:
            table = table.append_column(side, boxes)
    return table


def check(row: pa.Table, place: int) -> None:
    """Check the shape of one row. Raises: RowsInvalid."""
    try:
        (annotation,) = rows.annotations_from_arrow(row)
    except AnnotationInvalid as error:
        raise RowsInvalid(where=f"row {place}", detail=str(error)) from error
    problem = shape_problem(str(annotation.kind), annotation.rings_px, annotation.keypoints_xyv)
    if problem:
        raise RowsInvalid(where=f"row {place}", detail=problem)


def areas(columns: Mapping[str, pa.Array]) -> pa.Array:
    """(N,) the area of each row in square pixels: of its shape, else of its box; null where it covers none."""
    boxes = pc.multiply(columns["w"].cast(pa.float64()), columns["h"].cast(pa.float64()))
    kinds = columns.get("kind")
    if kinds is None or pc.all(pc.equal(kinds, "box")).as_py():
        return boxes
    values = boxes.to_numpy(zero_copy_only=False).copy()
    shaped = pc.is_in(kinds, value_set=pa.array(sorted((AREAS | RINGED) - {Kind.BOX})))
    for place in np.flatnonzero(shaped.to_numpy(zero_copy_only=False)).tolist():
        row = {
            name: columns[name][place].as_py() for name in ("kind", "rings", "mask_rle") if name in columns
        }
        size = [columns[name][place].as_py() for name in ("mask_h", "mask_w") if name in columns]
        values[place] = _area(row, size, float(values[place]))
    return pa.array(values, pa.float64(), mask=~np.isfinite(values))


def _area(row: Mapping[str, Any], size_hw: list[int | None], of_box: float) -> float:
    if row["kind"] == Kind.MASK:
        try:
            return float(masks.from_string(row["mask_rle"] or "", (size_hw[0] or 0, size_hw[1] or 0)).area_px)
        except (CalotypeError, IndexError):
            return of_box
    area = corners.area_of(row["kind"], row["rings"])
    return np.nan if area is None else area


def _bounds(kind: str, rings: list[list[float]] | None) -> tuple[float, float, float, float]:
    """The box around rings; NaN where they are not of points, which `check` refuses."""
    rings = [ring for ring in rings or () if ring and len(ring) % 2 == 0]
    if not rings or (kind in CORNERED and len(rings[0]) != 8):
        return (np.nan, np.nan, np.nan, np.nan)
    return corners.bounds_of(kind, rings)
