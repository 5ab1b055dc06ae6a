"""Darwin JSON 2.0 of V7: one file an image. Source: the Darwin JSON schema 2.0 and its page in the V7 documentation.

Coordinates are pixels; the angle of an ellipse is in radians. Of the paths of a polygon, those inside others are
holes. All masks of an image share one raster layer: pairs of value and run length, row by row; they cannot overlap.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import numpy.typing as npt

from calotype.datasets.model import Kind
from calotype.formats.base import Abilities, ExportSamples, LabelFileUnreadable, Written
from calotype.formats.fields import (
    BadItem,
    listing,
    mapping,
    number,
    size_or_none,
    text,
    whole,
    written_whole,
    xy_objects,
)
from calotype.formats.files_below import is_file, is_folder
from calotype.formats.json_text import load, refused
from calotype.formats.split_names import split_of_folder
from calotype.formats.survey import Certainty, Sighting, Survey
from calotype.formats.values import ParsedSource
from calotype.foundation.progress import Progress, silent
from calotype.tool_formats import darwin_writing, shapes
from calotype.tool_formats.collected import Collected, Entry, Facts
from calotype.tool_formats.frames import Frames
from calotype.tool_formats.mask_runs import rows_to_values
from calotype.tool_formats.poses import Pose, Poses
from calotype.tool_formats.shapes import Shape, Turned
from calotype.tool_formats.writing import Export

_TITLE = "Darwin JSON"
_LOOKED_AT = 200
_OWN = re.compile(rb'"slots"\s*:|"schema_ref"\s*:|"dataset"\s*:')
_ITEM = re.compile(rb'"item"\s*:\s*\{')
_LAYER = "__raster_layer__"


class Darwin:
    """All shapes of V7 on images, one JSON file an image."""

    name = "darwin"
    title = _TITLE
    suffixes = (".json",)
    abilities = Abilities(
        reads=frozenset(Kind) - {Kind.ROTATED_BOX},
        writes=frozenset(Kind) - {Kind.ROTATED_BOX},
        one_file=True,
        loses=(
            "rotated boxes (written as polygons)",
            "pixels of a mask that another mask covers",
            "parts of a line but the longest, points but the first",
            "iscrowd and extra keys of annotations; numbers as attributes become text",
            "ids and supercategories of classes, edges of skeletons",
            "metadata, licence, source and tags of samples",
        ),
        source="V7 Darwin JSON schema 2.0",
        coordinates="pixels; ellipses by centre, radii and an angle in radians",
        ids="images by path and name; annotations by id; `instance_id` becomes `track_id`",
    )

    def recognise(self, survey: Survey) -> Sighting | None:
        """JSON files with an item and its slots."""
        evidence = list(_files(survey))
        return (
            Sighting("a JSON file an image", tuple(evidence[:5]), Certainty.DESCRIBED) if evidence else None
        )

    def open(
        self, path: Path, *, images: Path | None = None, progress: Progress = silent
    ) -> list[ParsedSource]:
        """Raises: LabelFileUnreadable when no file can be read."""
        root = path if is_folder(path) else path.parent
        survey = Survey(path)
        files = [path] if is_file(path) else [root / name for name in survey.with_suffix(".json")]
        if not files:
            raise refused(path, _TITLE, "there is no JSON file", "give the folder of a release")
        collected = Collected(path.name, images or root)
        collected.notices.add_each("file-link", survey.links_out(".json"))
        poses, n_read = Poses(), 0
        for at, file in enumerate(files):
            where = file.relative_to(root).as_posix()
            if not is_file(path) and not _is_item(survey.head(where)):
                collected.notices.add("file-not-labels", where)
                continue
            with collected.item(where, "image"):
                try:
                    _read(mapping(load(file, _TITLE), "content"), where, collected, poses)
                    n_read += 1
                except LabelFileUnreadable as error:
                    raise BadItem(error.message) from None
            progress("reading labels", at + 1, len(files))
        if not n_read:
            detail = collected.problems[-1].reason if collected.problems else "it has no item"
            raise refused(path, _TITLE, detail[:200])
        poses.finish(collected)
        return [collected.source()]

    def write(self, samples: ExportSamples, out: Path, *, progress: Progress = silent) -> Written:
        """Writes `annotations/` and `images/`; the same input gives the same bytes."""
        export = Export(samples, out, progress)
        darwin_writing.write(export)
        return export.written()


def _is_item(head: bytes) -> bool:
    return head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{" and bool(_ITEM.search(head) and _OWN.search(head))


def _files(survey: Survey) -> Iterator[str]:
    return (name for name in survey.with_suffix(".json")[:_LOOKED_AT] if _is_item(survey.head(name)))


@dataclass(frozen=True, slots=True)
class _Layer:
    """The masks of an image: (H, W) values, and which annotation each value is."""

    values: npt.NDArray[np.int64]
    number_of: Mapping[str, int]

    def mask(self, identity: str, size_wh: tuple[int, int]) -> Shape:
        """The mask of an annotation. Raises: BadItem."""
        if identity not in self.number_of:
            raise BadItem("the raster layer of its image does not list it")
        return shapes.mask(self.values == self.number_of[identity], (0, 0), size_wh)


def _read(content: Mapping[str, Any], where: str, collected: Collected, poses: Poses) -> None:
    item = mapping(content.get("item"), "item")
    slots = [mapping(slot, "slot") for slot in listing(item.get("slots") or [], "slots")]
    slot = slots[0] if slots else {}
    is_video = slot.get("type") == "video"
    if not is_video and (
        slot.get("type", "image") not in ("image", "dicom") or slot.get("frame_count", 1) not in (1, None)
    ):
        raise BadItem("its item is a volume; export it as images")
    if len(slots) > 1:
        words = "further slots of an item: their annotations were left out"
        collected.notices.add("value-dropped", where, what=words)
    folder = str(item.get("path") or "/").strip("/")
    name = text(item.get("name"), "name")
    stated = f"{folder}/{name}" if folder else name
    size = size_or_none(slot.get("width"), slot.get("height"))
    listed = listing(content.get("annotations") or [], "annotations")
    if is_video:
        _read_frames(listed, Frames(collected, stated, size), where, collected, poses)
        return
    first = PurePosixPath(stated).parts[0] if folder else ""
    key = collected.add_image(Entry(stated, where, size, split_of_folder(first), within=["images"]))
    layer = None
    for at, one in enumerate(listed):
        if isinstance(one, dict) and "raster_layer" in one:
            with collected.item(f"{where} annotations[{at}]"):
                layer = _layer(mapping(one["raster_layer"], "raster_layer"), collected.size_of(key))
    for at, one in enumerate(listed):
        place = f"{where} annotations[{at}]"
        with collected.item(place):
            annotation = mapping(one, "annotation")
            names = listing(annotation.get("slot_names") or [], "slot_names")
            if "raster_layer" in annotation or (names and slot.get("slot_name", "0") not in names):
                continue
            _read_annotation(annotation, key, place, layer, collected, poses)


def _read_frames(
    listed: Sequence[Any], frames: Frames, where: str, collected: Collected, poses: Poses
) -> None:
    """The annotations of a video at each frame; a file lists the frames between keyframes too."""
    parts = [
        (f"{where} annotations[{at}] frame {index[:9]}", one, index, said)
        for at, one in enumerate(listed)
        if isinstance(one, dict) and isinstance(one.get("frames"), dict)
        for index, said in one["frames"].items()
        if isinstance(said, dict)
    ]
    rasters = {index: said["raster_layer"] for _, _, index, said in parts if "raster_layer" in said}
    for place, one, index, said in (part for part in parts if "raster_layer" not in part[3]):
        with collected.item(place):
            frame = written_whole(index, "frame", most=10_000_000)
            key = frames.image(frame, place)
            raster = mapping(rasters.get(index), "raster layer") if "mask" in said else None
            layer = _layer(raster, collected.size_of(key)) if raster is not None else None
            properties = [mapping(said, "property") for said in one.get("properties") or []]
            of_frame = [said for said in properties if said.get("frame_index") in (frame, "global", None)]
            merged = {"instance_id": {"value": one.get("id")}, **one, **said, "properties": of_frame}
            _read_annotation({**merged, "frame": frame}, key, place, layer, collected, poses)


def _read_annotation(
    one: Mapping[str, Any], key: str, where: str, layer: _Layer | None, collected: Collected, poses: Poses
) -> None:
    name = text(one.get("name"), "name")
    facts = _facts(one)
    if "tag" in one or "classification" in one:
        is_caption = isinstance(facts.attributes.get("text"), str) and name == darwin_writing.CAPTION
        shape = Shape(Kind.CAPTION) if is_caption else shapes.whole_image()
    elif "mask" in one:
        if layer is None:
            raise BadItem("its image has no raster layer that can be read")
        shape = layer.mask(str(one.get("id")), collected.size_of(key))
    elif "polygon" in one:
        shape = _polygon(mapping(one["polygon"], "polygon"), key, where, collected)
    elif "skeleton" in one or "eye" in one:  # an eye has the nodes of a skeleton: inner, outer, upper, lower
        part = "skeleton" if "skeleton" in one else "eye"
        box = _box(one).bbox_xywh_px if "bounding_box" in one else None
        poses.add(Pose(key, name, _nodes(mapping(one[part], part)), where, facts, box))
        return
    else:
        shape = _shape(one)
    collected.add(key, name, shape, where, facts)


def _shape(one: Mapping[str, Any]) -> Shape:
    if "ellipse" in one:
        said = mapping(one["ellipse"], "ellipse")
        (x, y), (rx, ry) = (xy_objects([said.get(part)], part)[0] for part in ("center", "radius"))
        angle = math.degrees(number(said.get("angle") or 0, "angle"))
        return shapes.ellipse(Turned(x, y, 2 * rx, 2 * ry, angle))
    if "keypoint" in one:
        return shapes.points(xy_objects([one["keypoint"]], "keypoint"))
    if "line" in one:
        return shapes.polyline([xy_objects(mapping(one["line"], "line").get("path"), "path")])
    if "bounding_box" in one:
        return _box(one)
    raise BadItem(f"it is of a kind that cannot be read, by its keys: {', '.join(sorted(one))[:100]}")


def _box(one: Mapping[str, Any]) -> Shape:
    said = mapping(one["bounding_box"], "bounding_box")
    x, y, w, h = (number(said.get(side), side) for side in "xywh")
    return shapes.box(x, y, w, h)


def _polygon(said: Mapping[str, Any], key: str, where: str, collected: Collected) -> Shape:
    """The paths as parts, or as a mask where some overlap and so are holes."""
    paths = listing(said["paths"] if "paths" in said else [said.get("path")], "paths")
    rings = [xy_objects(path, "path") for path in paths]
    shape = shapes.polygon(rings)
    if len(rings) == 1 or not shapes.overlap(shape.rings_px):
        return shape
    collected.notices.add("shape-converted", where, what="polygon with holes: read as a mask")
    return shapes.rings_mask(shape.rings_px, collected.size_of(key))


def _nodes(said: Mapping[str, Any]) -> dict[str, tuple[float, float, int]]:
    """The points of a skeleton by name. Raises: BadItem."""
    points: dict[str, tuple[float, float, int]] = {}
    for one in listing(said.get("nodes"), "nodes"):
        node = mapping(one, "node")
        name = text(node.get("name"), "name")
        if name in points:
            raise BadItem(f"its node {name[:40]!r} occurs twice")
        ((x, y),) = xy_objects([node], "node")
        points[name] = (x, y, 1 if node.get("occluded") is True else 2)
    return points


def _layer(said: Mapping[str, Any], size_wh: tuple[int, int]) -> _Layer:
    runs = [
        whole(part, "dense_rle", most=100_000_000) for part in listing(said.get("dense_rle"), "dense_rle")
    ]
    mapped = mapping(said.get("mask_annotation_ids_mapping"), "mask_annotation_ids_mapping")
    numbers = {identity: whole(value, "number of a mask") for identity, value in mapped.items()}
    return _Layer(rows_to_values(runs, size_wh), numbers)


def _facts(one: Mapping[str, Any]) -> Facts:
    attributes: dict[str, Any] = {}
    for said in listing(one.get("properties") or [], "properties"):
        known = mapping(said, "property")
        name, value = text(known.get("name"), "name"), known.get("value")
        value = {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value
        if name in attributes:
            former = attributes[name]
            value = [*(former if isinstance(former, list) else [former]), value]
        attributes[name] = value
    for flag in listing(one.get("attributes") or [], "attributes"):
        attributes[text(flag, "attribute")] = True
    if "instance_id" in one:
        attributes["track_id"] = mapping(one["instance_id"], "instance_id").get("value")
    if "text" in one:
        attributes["text"] = text(mapping(one["text"], "text").get("text"), "text")
    extra = {name: one[name] for name in ("annotators", "reviewers") if one.get(name)}
    identity = one.get("id") if isinstance(one.get("id"), str) and "frame" not in one else ""
    inference = one.get("inference")
    score = inference.get("confidence") if isinstance(inference, dict) else None
    return Facts(attributes, extra, str(identity), score)
