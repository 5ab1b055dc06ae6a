"""Rows of an export that are nothing but boxes, made by columns: most rows of most files."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc


class PlainRow(msgspec.Struct, gc=False):  # hundreds of thousands, none of them in a cycle
    """An object with a box, its keys in the order in which they are written. `bbox` is x, y, w, h in pixels."""

    id: int
    image_id: int
    category_id: int
    bbox: tuple[float, float, float, float]
    area: float
    iscrowd: int
    segmentation: tuple[()] = ()


def are_plain(table: pa.Table) -> bool:
    """Whether all rows are boxes with an id, without a score, attributes, other keys and shapes."""
    empty = ("score", "rings", "keypoints")
    return (
        all(table[name].null_count == len(table) for name in empty)
        and not any(
            pc.any(pc.not_equal(table[name], "")).as_py() for name in ("extra", "attributes", "mask_rle")
        )
        and bool(pc.all(pc.not_equal(pc.fill_null(table["source_id"], ""), ""), min_count=0).as_py())
    )


def plain_rows(table: pa.Table, image_ids: Iterable[int]) -> list[PlainRow]:
    """The rows in their order. Every `source_id` is a whole number."""
    x, y, w, h = (table[name].to_numpy() for name in "xywh")
    ids = as_numbers(table["source_id"])
    areas = pc.if_else(pc.is_valid(table["area_px"]), table["area_px"], pa.array(w * h))
    crowd = table["iscrowd"].fill_null(False).cast(pa.int8())
    return list(
        map(
            PlainRow,
            map(int, table["source_id"].to_pylist()) if ids is None else ids.tolist(),
            image_ids,
            table["class_id"].to_pylist(),
            zip(x.tolist(), y.tolist(), w.tolist(), h.tolist(), strict=True),
            areas.to_pylist(),
            crowd.to_pylist(),
        )
    )


def as_numbers(ids: pa.Array | pa.ChunkedArray) -> npt.NDArray[np.int64] | None:
    """Whole numbers written as texts; None where one of them is not below 2**63 or written in another way."""
    try:
        numbers = ids.cast(pa.int64())
    except pa.ArrowInvalid:
        return None
    if numbers.null_count or not pc.all(pc.equal(numbers.cast(pa.string()), ids), min_count=0).as_py():
        return None
    found: npt.NDArray[np.int64] = numbers.to_numpy()
    return found
