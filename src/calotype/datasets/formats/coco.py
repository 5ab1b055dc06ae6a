"""COCO instances: one JSON with images, annotations and categories. Source: the data format page of the
COCO dataset.
"""

from __future__ import annotations

import json
import math
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

from calotype.datasets.formats.base import (
    ExportSamples,
    Loss,
    Parsed,
    ParsedAnnotation,
    ParsedClass,
    ParsedImage,
    Problem,
    Written,
)
from calotype.datasets.formats.coco_files import (
    Unreadable,
    category_row,
    climbs,
    find_picture,
    label_files,
    load_json,
    picture_folder,
    refused,
    skeleton_of,
    split_of,
)
from calotype.datasets.model import Annotation, Kind, Sample
from calotype.foundation.progress import Progress, silent
from calotype.vision import masks, polygons

_ANNOTATION_KEYS = frozenset(
    {
        "id",
        "image_id",
        "category_id",
        "bbox",
        "segmentation",
        "area",
        "iscrowd",
        "score",
        "keypoints",
        "num_keypoints",
        "attributes",
    }
)
_IMAGE_KEYS = frozenset({"id", "file_name", "width", "height", "license"})
_LARGEST = 1e7


class Coco:
    """Boxes, polygons, masks and keypoints in one JSON file."""

    name = "coco"
    title = "COCO"
    holds = frozenset({Kind.BOX, Kind.POLYGON, Kind.MASK, Kind.KEYPOINTS})

    def detect(self, path: Path) -> bool:
        """A JSON file, or a folder with one that names images and annotations."""
        return any(b'"images"' in file.read_bytes()[:10_000_000] for file in label_files(path))

    def read(self, path: Path, *, images: Path | None = None, progress: Progress = silent) -> Parsed:
        """Raises: LabelFileUnreadable."""
        files = label_files(path)
        if not files:
            raise refused(path, "there is no JSON file", "give the JSON file, or the folder that holds it")
        reading = _Reading()
        for file in files:
            reading.take(file, images or picture_folder(file), split=split_of(file))
        return reading.parsed()

    def write(self, samples: ExportSamples, out: Path, *, progress: Progress = silent) -> Written:
        """Writes `annotations/instances[_split].json` and `images/`; the same input gives the same bytes."""
        losses: Counter[str] = Counter()
        by_split: dict[str, dict[str, list[Any]]] = {}
        licences: dict[str, int] = {}
        files, n_annotations, n_images = [], 0, 0
        for sample, labels in samples.items():
            n_images += 1
            rows = by_split.setdefault(sample.split, {"images": [], "annotations": []})
            place = samples.file_name(sample)
            (out / "images" / place).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(samples.media_path(sample), out / "images" / place)
            files.append(f"images/{place}")
            row = _image_row(sample, n_images, place)
            if sample.licence:
                row["license"] = licences.setdefault(sample.licence, len(licences) + 1)
            rows["images"].append(row)
            for a in labels:
                if a.bbox_xywh_px is None:
                    losses["annotation of kind classification"] += 1
                    continue
                n_annotations += 1
                losses["id of an annotation (numbered anew)"] += bool(a.source_id) and a.source_id != str(
                    n_annotations
                )
                rows["annotations"].append(_annotation_row(a, n_annotations, n_images))
            for what, lost in (("tags of a sample", sample.tags), ("source of a sample", sample.source)):
                losses[what] += 1 if lost else 0
        categories = [category_row(c) for c in samples.ontology.classes]
        listed_licences = [{"id": at, "name": name} for name, at in licences.items()]
        (out / "annotations").mkdir(parents=True, exist_ok=True)
        for split, listed in sorted(by_split.items()):
            place = f"annotations/instances_{split}.json" if split else "annotations/instances.json"
            body = {"info": {}, "licenses": listed_licences, **listed, "categories": categories}
            (out / place).write_text(json.dumps(body, ensure_ascii=False, allow_nan=False), encoding="utf-8")
            files.append(place)
        lost_kinds = tuple(Loss(what, count) for what, count in sorted(losses.items()) if count)
        return Written(tuple(sorted(files)), n_images, n_annotations, lost_kinds)


class _Reading:
    def __init__(self) -> None:
        self._images: list[ParsedImage] = []
        self._annotations: list[ParsedAnnotation] = []
        self._classes: dict[str, ParsedClass] = {}
        self._problems: list[Problem] = []

    def parsed(self) -> Parsed:
        return Parsed(
            "coco",
            tuple(self._images),
            tuple(self._annotations),
            tuple(self._classes.values()),
            tuple(self._problems),
        )

    def take(self, file: Path, pictures: Path, *, split: str) -> None:
        value = load_json(file)
        sizes = self._take_images(file, value, pictures, split)
        names = self._take_classes(file, value)
        rows = value.get("annotations", [])
        if not isinstance(rows, list):
            raise refused(file, "`annotations` is no list", "export the file again")
        counted = Counter(str(row.get("id")) for row in rows if isinstance(row, dict) and "id" in row)
        for at, row in enumerate(rows):
            where = f"{file.name} annotations[{at}]"
            try:
                if isinstance(row, dict) and counted[str(row.get("id"))] > 1:
                    raise Unreadable(f"its id {row.get('id')} is given twice")
                self._annotations.append(_annotation(row, where, file.name, sizes, names))
            except (Unreadable, masks.RleInvalid) as error:
                self._problems.append(Problem("invalid", "annotation", where, str(error)))

    def _take_images(
        self, file: Path, value: dict[str, Any], pictures: Path, split: str
    ) -> dict[int, tuple[int, int]]:
        rows = value.get("images")
        if not isinstance(rows, list):
            raise refused(file, "the list `images` is missing", "export the file again with its images")
        licences = {entry.get("id"): str(entry.get("name", "")) for entry in _dicts(value.get("licenses"))}
        sizes: dict[int, tuple[int, int]] = {}
        for at, row in enumerate(rows):
            where = f"{file.name} images[{at}]"
            if (
                not isinstance(row, dict)
                or not _is_whole(row.get("id"))
                or not isinstance(row.get("file_name"), str)
            ):
                self._problems.append(
                    Problem("invalid", "image", where, "an image needs `id` and `file_name`")
                )
                continue
            if row["id"] in sizes:
                raise refused(
                    file, f"two images have the id {row['id']}", "give every image an id of its own"
                )
            sizes[row["id"]] = (
                (int(row.get("width") or 0), int(row.get("height") or 0)) if _sized(row) else (0, 0)
            )
            key, name = f"{file.name}:{row['id']}", row["file_name"]
            if climbs(name):
                self._problems.append(
                    Problem("invalid", "image", where, f"file name {name[:80]!r} leads out", None, key)
                )
                continue
            licence = licences.get(row.get("license"), "")
            self._images.append(_image(row, key, find_picture(pictures, name), split, licence, where))
        return sizes

    def _take_classes(self, file: Path, value: dict[str, Any]) -> dict[int, str]:
        names: dict[int, str] = {}
        for row in _dicts(value.get("categories")):
            if not _is_whole(row.get("id")) or not isinstance(row.get("name"), str) or not row["name"]:
                raise refused(file, "a category needs `id` and `name`", "name every category")
            if row["name"] in names.values() and names.get(row["id"]) != row["name"]:
                raise refused(
                    file, f"two categories are named {row['name'][:80]!r}", "give each a name of its own"
                )
            names[row["id"]] = row["name"]
            keypoints = tuple(k for k in row.get("keypoints") or () if isinstance(k, str))
            self._classes.setdefault(
                row["name"],
                ParsedClass(
                    row["name"],
                    row["id"],
                    str(row.get("supercategory") or ""),
                    keypoints,
                    skeleton_of(row.get("skeleton"), len(keypoints)),
                ),
            )
        return names


def _image(
    row: dict[str, Any], key: str, path: Path | None, split: str, licence: str, where: str
) -> ParsedImage:
    extra = {k: v for k, v in row.items() if k not in _IMAGE_KEYS}
    metadata = {k: v for k, v in extra.items() if _is_plain(v) and k.isidentifier() and k.isascii()}
    return ParsedImage(key, row["file_name"], path, split, licence, metadata, (), extra, where)


def _annotation(
    row: Any, where: str, file: str, sizes: dict[int, tuple[int, int]], names: dict[int, str]
) -> ParsedAnnotation:
    if not isinstance(row, dict):
        raise Unreadable("it is no object")
    if not _is_whole(row.get("image_id")) or row["image_id"] not in sizes:
        raise Unreadable(f"its image_id {row.get('image_id')!r} is not listed")
    if not _is_whole(row.get("category_id")) or row["category_id"] not in names:
        raise Unreadable(f"its category_id {row.get('category_id')!r} is not listed")
    width, height = sizes[row["image_id"]]
    rings, rle, size = _segmentation(row.get("segmentation"), width, height)
    keypoints = _numbers(row.get("keypoints") or [], "keypoints")
    box = _box(row, rings, width, height)
    kind = Kind.KEYPOINTS if keypoints else Kind.MASK if rle else Kind.POLYGON if rings else Kind.BOX
    identity = row.get("id")
    if identity is not None and (not _is_whole(identity) or abs(identity) >= 2**63):
        raise Unreadable(f"its id {str(identity)[:40]} is no whole number below 2**63")
    return ParsedAnnotation(
        image_key=f"{file}:{row['image_id']}",
        class_name=names[row["category_id"]],
        kind=kind,
        where=where,
        bbox_xywh_px=box,
        rings_px=rings,
        mask_rle=rle,
        mask_size_hw=size,
        keypoints_xyv=keypoints,
        area_px=_area(row, rings, box),
        score=_score(row.get("score")),
        iscrowd=bool(row.get("iscrowd", 0)),
        attributes=_mapping(row.get("attributes")),
        extra={k: v for k, v in row.items() if k not in _ANNOTATION_KEYS},
        source_id="" if identity is None else str(identity),
    )


def _box(
    row: dict[str, Any], rings: tuple[tuple[float, ...], ...], width: int, height: int
) -> tuple[float, float, float, float]:
    if "bbox" not in row and rings:
        return polygons.rings_bbox_xywh(rings)
    values = _numbers(row.get("bbox"), "bbox")
    if len(values) != 4:
        raise Unreadable(f"its bbox has {len(values)} numbers, 4 are needed")
    x, y, w, h = values
    if w <= 0 or h <= 0:
        raise Unreadable(f"its box has no area ({w} x {h})")
    if width and height and (x >= width or y >= height or x + w <= 0 or y + h <= 0):
        raise Unreadable(f"its box lies outside the image of {width}x{height}")
    return x, y, w, h


def _segmentation(
    value: Any, width: int, height: int
) -> tuple[tuple[tuple[float, ...], ...], str, tuple[int, int] | None]:
    if value is None or value == []:
        return (), "", None
    if isinstance(value, dict):
        size, counts = value.get("size"), value.get("counts")
        if not isinstance(size, list) or len(size) != 2 or not all(_is_whole(side) for side in size):
            raise Unreadable("its mask has no size")
        if width and height and tuple(size) != (height, width):
            raise Unreadable(f"its mask is {size[1]}x{size[0]}, the image {width}x{height}")
        shape = (size[0], size[1])
        if isinstance(counts, str):
            return (), masks.to_string(masks.from_string(counts, shape)), shape
        if isinstance(counts, list):
            return (), masks.to_string(masks.from_counts(counts, shape)), shape
        raise Unreadable("its mask has no counts")
    if not isinstance(value, list):
        raise Unreadable("its segmentation is neither polygons nor a mask")
    rings = tuple(_numbers(ring, "polygon") for ring in value)
    for ring in rings:
        problem = polygons.ring_problem(ring)
        if problem:
            raise Unreadable(f"its polygon has {problem}")
    return rings, "", None


def _numbers(value: Any, what: str) -> tuple[float, ...]:
    if not isinstance(value, list):
        raise Unreadable(f"its {what} is no list of numbers")
    for number in value:
        if isinstance(number, bool) or not isinstance(number, int | float) or not abs(number) <= _LARGEST:
            raise Unreadable(f"its {what} holds {str(number)[:40]}")
    return tuple(float(number) for number in value)


def _area(row: dict[str, Any], rings: tuple[tuple[float, ...], ...], box: tuple[float, ...]) -> float:
    area = row.get("area")
    if isinstance(area, float) and not math.isfinite(area):
        raise Unreadable("its area is not finite")
    if isinstance(area, int | float) and not isinstance(area, bool) and math.isfinite(area):
        return float(area)
    return polygons.rings_area(rings) if rings else box[2] * box[3]


def _image_row(sample: Sample, identity: int, place: str) -> dict[str, Any]:
    size = {"id": identity, "file_name": place, "width": sample.width_px, "height": sample.height_px}
    return {**sample.metadata, **sample.extra, **size}


def _annotation_row(a: Annotation, identity: int, image_id: int) -> dict[str, Any]:
    own = int(a.source_id) if a.source_id.isdigit() else None
    row: dict[str, Any] = {
        **a.extra,
        "id": identity,
        "image_id": image_id,
        "category_id": a.class_id,
        "bbox": list(a.bbox_xywh_px or ()),
        "area": a.area_px or 0.0,
        "iscrowd": int(a.iscrowd),
    }
    if own is not None:
        row["source_id"] = own
    if a.rings_px:
        row["segmentation"] = [list(ring) for ring in a.rings_px]
    if a.mask_rle and a.mask_size_hw:
        row["segmentation"] = {"size": list(a.mask_size_hw), "counts": a.mask_rle}
    if a.keypoints_xyv:
        row |= {
            "keypoints": list(a.keypoints_xyv),
            "num_keypoints": sum(v > 0 for v in a.keypoints_xyv[2::3]),
        }
    if a.score is not None:
        row["score"] = a.score
    return {**row, "attributes": dict(a.attributes)} if a.attributes else row


def _score(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and 0 <= value <= 1 else None


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | int) or (isinstance(value, float) and math.isfinite(value))


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _sized(row: dict[str, Any]) -> bool:
    return all(_is_whole(row.get(side)) and row[side] > 0 for side in ("width", "height"))


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
