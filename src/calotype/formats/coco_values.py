"""COCO files in the neutral form that all formats share, for callers that want values and not columns."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from calotype.datasets import rows
from calotype.formats.base import Parsed, ParsedAnnotation, ParsedImage, Problem
from calotype.formats.coco_columns import Window, given_twice, without
from calotype.formats.coco_files import find_picture, picture_folder
from calotype.formats.coco_reading import CocoFile


def parsed(files: list[CocoFile], images: Path | None) -> Parsed:
    """All that the files say."""
    found: list[ParsedImage] = []
    annotations: list[ParsedAnnotation] = []
    problems: list[Problem] = []
    for file in files:
        problems += file.problems
        found += image_values(file, images or picture_folder(file.file))
        found_windows = list(file.windows())
        twice = given_twice([window.source_id for window in found_windows])
        for window in found_windows:
            kept = without(window, twice, file.file.name)
            annotations += _values(kept, file)
            problems += kept.problems
    classes = {made.name: made for file in reversed(files) for made in file.classes}
    info = files[0].info if len(files) == 1 else {}
    return Parsed(
        "coco", tuple(found), tuple(annotations), tuple(classes.values()), tuple(problems), info=info
    )


def image_values(file: CocoFile, pictures: Path, *, only: Sequence[int] | None = None) -> list[ParsedImage]:
    """The images of a file (or only those at some positions), each with the picture found for it."""
    listed = file.images
    chosen = np.arange(len(listed)) if only is None else np.array(only, np.int64)
    texts = (listed.names, listed.licences, listed.metadata, listed.extras)
    columns = [column.take(pa.array(chosen)).to_pylist() for column in texts]
    return [
        ParsedImage(
            f"{file.file.name}:{listed.ids[at]}",
            name,
            find_picture(pictures, name),
            file.split,
            licence,
            _decoded(metadata),
            (),
            _decoded(extra),
            listed.place(at),
        )
        for at, name, licence, metadata, extra in zip(chosen.tolist(), *columns, strict=True)
    ]


def _decoded(text: str) -> dict[str, Any]:
    value: dict[str, Any] = msgspec.json.decode(text) if text else {}
    return value


def _values(window: Window, file: CocoFile) -> list[ParsedAnnotation]:
    columns: dict[str, Any] = {**window.columns}
    n = len(window)
    for name in rows.ANNOTATION_SCHEMA.names:
        if name not in columns:
            kind = rows.ANNOTATION_SCHEMA.field(name).type
            columns[name] = pa.repeat("", n) if kind == pa.string() else pa.repeat(pa.scalar(0, kind), n)
    table = pa.table(
        {name: columns[name] for name in rows.ANNOTATION_SCHEMA.names}, schema=rows.ANNOTATION_SCHEMA
    )
    ids, images = window.source_id.to_pylist(), file.listed.image_ids[window.image].tolist()
    made = []
    for at, a in enumerate(rows.annotations_from_arrow(table)):
        made.append(
            ParsedAnnotation(
                image_key=f"{file.file.name}:{images[at]}",
                class_name=file.names[int(window.category[at])],
                kind=a.kind,
                where=f"{file.file.name} annotation {ids[at]}",
                bbox_xywh_px=a.bbox_xywh_px,
                rings_px=a.rings_px,
                mask_rle=a.mask_rle,
                mask_size_hw=a.mask_size_hw,
                keypoints_xyv=a.keypoints_xyv,
                area_px=a.area_px,
                score=a.score,
                iscrowd=a.iscrowd,
                attributes=a.attributes,
                extra=a.extra,
                source_id="" if ids[at] is None else str(ids[at]),
            )
        )
    return made
