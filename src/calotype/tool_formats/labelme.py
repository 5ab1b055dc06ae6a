"""LabelMe JSON: one file beside each image. Source: the label file of the LabelMe project (versions 4 to 6).

Coordinates are pixels. A circle is given by its centre and a point on its rim, a mask as a PNG in base 64 inside a box.
Polygons of the same label and `group_id` are parts of one object, as in LabelMe's own conversion to COCO. The keys
`score`, `difficult` and `attributes` of a shape, which other tools add, are kept. This is not the XML of the web tool.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from calotype.datasets.model import Annotation, Kind, Sample
from calotype.formats.base import Abilities, ExportSamples, LabelFileUnreadable, Written
from calotype.formats.fields import BadItem, listing, mapping, pairs, size_or_none, text
from calotype.formats.files_below import files_below, is_file, is_folder
from calotype.formats.image_finder import sample_split
from calotype.formats.json_text import load, refused
from calotype.formats.survey import Certainty, Sighting, Survey
from calotype.formats.values import ParsedAnnotation, ParsedSource
from calotype.foundation.progress import Progress, silent
from calotype.tool_formats import shapes
from calotype.tool_formats.collected import BACKGROUND, Collected, Entry, Facts
from calotype.tool_formats.mask_runs import image_to_grey, mask_to_image
from calotype.tool_formats.shapes import Point, Shape, Turned
from calotype.tool_formats.writing import Export, json_bytes, keeps_split, split_folder
from calotype.vision.polygons import rings_area, rings_bbox_xywh

_TITLE = "LabelMe JSON"
_VERSION = "5.5.0"
_SHOWN_FILES = 5
_LOOKED_AT = 200
_OWN = re.compile(rb'"shapes"\s*:\s*\[')
_BESIDE = re.compile(rb'"(?:imagePath|imageData|shape_type)"\s*:')
_SHAPE_KEYS = frozenset(
    ("label", "points", "group_id", "shape_type", "flags", "description", "mask", "score", "difficult")
) | {"attributes"}
_TOP_KEYS = frozenset({"version", "flags", "shapes", "imagePath", "imageData", "imageHeight", "imageWidth"})
_KINDS = frozenset(Kind) - {Kind.KEYPOINTS, Kind.CAPTION}
_NAMES = {Kind.POLYGON: "polygon", Kind.POLYLINE: "linestrip", Kind.ROTATED_BOX: "oriented_rectangle"}


class LabelMe:
    """Shapes, one JSON file an image."""

    name = "labelme"
    title = _TITLE
    suffixes = (".json",)
    abilities = Abilities(
        reads=_KINDS,
        writes=_KINDS,
        one_file=True,
        loses=(
            "ellipses that are not circles (written as a polygon)",
            "keypoints (their box is kept) and captions",
            "parts of a line but the longest",
            "id, iscrowd and extra keys of annotations",
            "ids, supercategories and keypoints of classes; classes without annotations",
            "metadata, licence, source and tags of samples",
        ),
        source="LabelMe: label files (`shapes`, `flags`, `imagePath`)",
        coordinates="pixels; circles by centre and rim; masks as a PNG inside a box",
        ids="images by `imagePath`, relative to the label file; the folder of a split gives the split",
    )

    def recognise(self, survey: Survey) -> Sighting | None:
        """JSON files with shapes and the path of an image."""
        looked_at = survey.with_suffix(".json")[:_LOOKED_AT]
        evidence = [name for name in looked_at if _is_label_file(survey.head(name))]
        if not evidence:
            return None
        return Sighting("a JSON file an image", tuple(evidence[:_SHOWN_FILES]), Certainty.DESCRIBED)

    def open(
        self, path: Path, *, images: Path | None = None, progress: Progress = silent
    ) -> list[ParsedSource]:
        """Raises: LabelFileUnreadable when no file can be read."""
        files = [path] if is_file(path) else files_below(path, {".json"}, [], hidden=False)
        if not files:
            raise refused(path, _TITLE, "there is no JSON file", "give the folder of the label files")
        root = path if is_folder(path) else path.parent
        collected = Collected(path.name, images or root)
        n_read = 0
        for at, file in enumerate(files):
            where = file.relative_to(root).as_posix()
            with collected.item(where, "image"):
                try:
                    _read(mapping(load(file, _TITLE), "content"), where, collected)
                    n_read += 1
                except LabelFileUnreadable as error:
                    if len(files) == 1:
                        raise
                    raise BadItem(error.message) from None
            progress("reading labels", at + 1, len(files))
        if not n_read:
            detail = collected.problems[-1].reason if collected.problems else "it has no shapes"
            raise refused(path, _TITLE, f"no file can be read; the last one: {detail}"[:200])
        _add_unlabelled(collected)
        return [collected.source()]

    def write(self, samples: ExportSamples, out: Path, *, progress: Progress = silent) -> Written:
        """Writes a JSON file beside each image, in the folder of its split; the same input gives the same bytes."""
        export = Export(samples, out, progress)
        export.lose_of_classes()
        taken: set[str] = set()
        for sample, labels in samples.items():
            place = split_folder(sample, samples.file_name(sample))
            export.add_image(sample, place)
            export.lose_of_sample(
                sample, keeps={"split", BACKGROUND} if keeps_split(sample) else {BACKGROUND}
            )
            label_file = PurePosixPath(place).with_suffix(".json").as_posix()
            label_file = label_file if label_file not in taken else f"{place}.json"
            taken.add(label_file)
            if labels or BACKGROUND in sample.tags:
                export.write(
                    label_file, json_bytes(_content(export, sample, labels, PurePosixPath(place).name))
                )
        return export.written()


def _is_label_file(head: bytes) -> bool:
    return head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{" and bool(
        _OWN.search(head) and _BESIDE.search(head)
    )


def _read(content: Mapping[str, Any], where: str, collected: Collected) -> None:
    listed = listing(content.get("shapes"), "shapes")
    stated = _image_path(content, where)
    folder = PurePosixPath(where).parent
    size = size_or_none(content.get("imageWidth"), content.get("imageHeight"))
    entry = Entry(stated, where, size, extra=_others(content, _TOP_KEYS), within=_folders(stated, folder))
    key = collected.add_image(entry)
    image = collected.images[key]
    split = sample_split(key if image.path is not None else where)
    collected.images[key] = replace(image, split=image.split or split)
    if image.path is None and isinstance(content.get("imageData"), str):
        words = "image that is embedded in the label file, which is not read: put it beside"
        collected.notices.add("value-dropped", where, what=words)
    flags = content.get("flags") or {}
    n_before = len(collected.annotations)
    for name, value in mapping(flags, "flags").items():
        if value is True and name:
            collected.add(key, name, shapes.whole_image(), f"{where} flags")
    grouped: set[int] = set()
    for at, one in enumerate(listed):
        place = f"{where} shapes[{at}]"
        with collected.item(place):
            shape = mapping(one, "shape")
            _read_shape(shape, key, place, collected)
            if shape.get("group_id") is not None:
                grouped.add(len(collected.annotations) - 1)
    if not listed and len(collected.annotations) == n_before:
        collected.with_tag(key, BACKGROUND)
    _join_parts(collected.annotations, grouped)


def _image_path(content: Mapping[str, Any], where: str) -> str:
    """The path of the image; where a label file names itself, its own without the ending. Raises: BadItem."""
    stated = text(content.get("imagePath"), "imagePath")
    if PurePosixPath(stated).suffix.lower() == ".json":
        return PurePosixPath(where).with_suffix("").as_posix()
    return stated


def _folders(stated: str, folder: PurePosixPath) -> list[str]:
    """The folder that a path relative to the label file leads to, as long as that is below the root."""
    parts = list(folder.parts)
    for step in stated.replace("\\", "/").split("/")[:-1]:
        if step == "..":
            if not parts:
                return []
            parts.pop()
        elif step not in ("", "."):
            break
    return ["/".join(parts)] if parts else []


def _read_shape(one: Mapping[str, Any], key: str, where: str, collected: Collected) -> None:
    name = text(one.get("label"), "label")
    attributes: dict[str, Any] = {}
    for kept in (one.get("attributes"), one.get("flags")):
        attributes |= mapping(kept or {}, "flags")
    if one.get("group_id") is not None:
        attributes["group_id"] = one["group_id"]
    if one.get("description"):
        attributes["description"] = text(one["description"], "description")
    if one.get("difficult"):
        attributes["difficult"] = True
    shape = _shape(one, key, collected)
    facts = Facts(attributes, _others(one, _SHAPE_KEYS), score=one.get("score"))
    collected.add(key, name, shape, where, facts)


def _shape(one: Mapping[str, Any], key: str, collected: Collected) -> Shape:
    kind = one.get("shape_type") or "polygon"
    points = pairs(one.get("points"), "points")
    if kind == "polygon":
        return shapes.polygon([points])
    if kind == "rectangle":
        return _rectangle(points)
    if kind in ("oriented_rectangle", "rotation"):
        if len(points) != 4:
            raise BadItem(f"it has {len(points)} points, a rotated rectangle needs 4")
        return shapes.box_of_corners(shapes.flattened(points))
    if kind == "circle":
        if len(points) != 2:
            raise BadItem(f"it has {len(points)} points, a circle needs 2")
        diameter = 2 * math.dist(*points)
        return shapes.ellipse(Turned(*points[0], diameter, diameter, 0.0))
    if kind in ("line", "linestrip"):
        return shapes.polyline([points])
    if kind in ("point", "points"):
        return shapes.points(points)
    if kind == "mask":
        left, top = (min(values) for values in zip(*points, strict=True)) if points else (0.0, 0.0)
        inside = image_to_grey(text(one.get("mask"), "mask")) > 0
        return shapes.mask(inside, (round(left), round(top)), collected.size_of(key))
    raise BadItem(f"{str(kind)[:40]!r} is not a shape of this format")


def _rectangle(points: Sequence[Point]) -> Shape:
    """A box by two opposite corners in any order, or by four."""
    if len(points) not in (2, 4):
        raise BadItem(f"it has {len(points)} points, a rectangle needs 2")
    (x1, y1), (x2, y2) = ((pick(p[0] for p in points), pick(p[1] for p in points)) for pick in (min, max))
    return shapes.box_by_corners(x1, y1, x2, y2)


def _join_parts(annotations: list[ParsedAnnotation], grouped: set[int]) -> None:
    """Join polygons of one group, class and attributes to one annotation of several parts."""
    first_of: dict[str, int] = {}
    start = min(grouped, default=len(annotations))
    kept = annotations[:start]
    for place, one in enumerate(annotations[start:], start):
        if one.kind is not Kind.POLYGON or place not in grouped:
            kept.append(one)
            continue
        same = repr((one.class_name, sorted(one.attributes.items(), key=repr), one.score))
        at = first_of.setdefault(same, len(kept))
        if at == len(kept):
            kept.append(one)
            continue
        rings = (*kept[at].rings_px, *one.rings_px)
        bounds = rings_bbox_xywh(rings)
        kept[at] = replace(kept[at], rings_px=rings, bbox_xywh_px=bounds, area_px=rings_area(rings))
    annotations[:] = kept


def _add_unlabelled(collected: Collected) -> None:
    """Images without a label file: LabelMe writes none until something is labelled."""
    listed = {image.path for image in collected.images.values()}
    for file in collected.search.files:
        path = collected.search.find(file)
        if path is not None and path not in listed:
            collected.add_image(Entry(file, file, split=sample_split(file)), path=path)


def _others(value: Mapping[str, Any], known: frozenset[str]) -> dict[str, Any]:
    return {key: part for key, part in value.items() if key not in known and part is not None}


def _content(export: Export, sample: Sample, labels: Sequence[Annotation], image: str) -> dict[str, Any]:
    flags: dict[str, bool] = {}
    listed: list[dict[str, Any]] = []
    polygons = Counter(
        (a.class_id, repr(a.attributes.get("group_id"))) for a in labels if a.kind is Kind.POLYGON
    )
    for a in labels:
        name = export.names[a.class_id]
        export.lose_of_annotation(a, keeps={"score"} if a.bbox_xywh_px else ())
        if a.kind is Kind.CLASSIFICATION:
            export.count(0 if name in flags else 1)
            export.losses.add("the same class of an image given twice", a.ann_id, n=int(name in flags))
            flags[name] = True
        elif a.kind is Kind.CAPTION or a.bbox_xywh_px is None:
            export.lose(f"annotation of kind {a.kind}", a)
        else:
            alone = polygons[a.class_id, repr(a.attributes.get("group_id"))] <= 1
            listed += _shapes(export, a, name, sample, alone)
            export.count()
    return {
        "version": _VERSION,
        "flags": flags,
        "shapes": listed,
        "imagePath": image,
        "imageData": None,
        "imageHeight": sample.height_px,
        "imageWidth": sample.width_px,
    }


def _shapes(export: Export, a: Annotation, name: str, sample: Sample, alone: bool) -> list[dict[str, Any]]:
    """The shapes of one annotation: one, or a polygon for each of its parts, held together by a group.

    Args:
        alone: No other polygon of the class has its group; polygons that share one would be read as parts.
    """
    group = a.attributes.get("group_id")
    is_group = (
        isinstance(group, int) and not isinstance(group, bool) and (alone or a.kind is not Kind.POLYGON)
    )
    flags = {
        key: value for key, value in a.attributes.items() if isinstance(value, bool) and key != "difficult"
    }
    text_of = a.attributes.get("description")
    said: dict[str, Any] = {
        "label": name,
        "group_id": group if is_group else None,
        "description": text_of if isinstance(text_of, str) else "",
        "flags": flags,
        "mask": None,
    }
    kept = {"group_id" if is_group else "", "description" if isinstance(text_of, str) else "", *flags}
    others = {key: value for key, value in a.attributes.items() if key not in kept and key != "difficult"}
    if a.attributes.get("difficult") is True:
        said["difficult"] = True
    elif "difficult" in a.attributes:
        others["difficult"] = a.attributes["difficult"]
    if others:
        said["attributes"] = others
    if a.score is not None:
        said["score"] = a.score
    if a.kind is Kind.POLYGON and len(a.rings_px) > 1 and not is_group:
        said["group_id"] = _own_group(a)
    drawn = _drawn(export, a, (sample.width_px, sample.height_px))
    return [{**said, **one} for one in drawn]


def _drawn(export: Export, a: Annotation, size_wh: tuple[int, int]) -> list[dict[str, Any]]:
    if a.kind is Kind.ELLIPSE:
        at = shapes.turned(a.rings_px[0])
        if math.isclose(at.width, at.height, rel_tol=1e-9, abs_tol=1e-9):
            return [_typed("circle", [(at.x, at.y), (at.x + at.width / 2, at.y)])]
        export.lose("ellipse that is not a circle (written as a polygon)", a)
        return [_typed("polygon", shapes.paired(shapes.outline(at)))]
    if a.kind is Kind.MASK:
        return [_mask(a, size_wh)]
    if a.kind is Kind.POINT:
        points = shapes.paired(a.rings_px[0])
        return [_typed("point" if len(points) == 1 else "points", points)]
    if a.kind is Kind.POLYGON:
        return [_typed("polygon", shapes.paired(ring)) for ring in a.rings_px]
    if a.kind in _NAMES:
        return [_typed(_NAMES[a.kind], shapes.paired(export.longest_part(a)))]
    if a.kind is not Kind.BOX:
        export.lose(f"shape of a {a.kind} (its box is kept)", a)
    x, y, w, h = a.bbox_xywh_px or (0.0, 0.0, 0.0, 0.0)
    return [_typed("rectangle", [(x, y), (x + w, y + h)])]


def _mask(a: Annotation, size_wh: tuple[int, int]) -> dict[str, Any]:
    inside = shapes.mask_of(a, size_wh)
    x, y, w, h = (int(value) for value in shapes.pixel_bounds(inside))
    part = inside[y : y + h, x : x + w]
    return {**_typed("mask", [(x, y), (x + w - 1, y + h - 1)]), "mask": mask_to_image(part)}


def _typed(kind: str, points: Sequence[Point]) -> dict[str, Any]:
    return {"shape_type": kind, "points": [list(point) for point in points]}


def _own_group(a: Annotation) -> int:
    return int.from_bytes(a.ann_id.encode()[-6:], "big")
