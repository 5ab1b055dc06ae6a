"""FiftyOne datasets as JSON: `metadata.json`, `samples.json` and `data/`, or a `labels.json` of detections or classes.

Source: "Exporting FiftyOne datasets" of the FiftyOne documentation (FiftyOneDataset, LegacyFiftyOneDataset,
FiftyOneImageDetectionDataset, FiftyOneImageClassificationDataset) and its classes of labels. Coordinates are shares of
the image, from 0 to 1. A mask is a NumPy array inside its box, compressed and in base 64; it is never unpickled.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from calotype.datasets.model import Kind
from calotype.formats.base import Abilities, ExportSamples, LabelFileUnreadable, Written
from calotype.formats.fields import BadItem, listing, mapping, number, size_or_none, text
from calotype.formats.files_below import is_file, is_folder, is_own_file
from calotype.formats.json_text import load, refused
from calotype.formats.passthrough import Broken
from calotype.formats.split_names import split_of_folder
from calotype.formats.survey import Certainty, Sighting, Survey
from calotype.formats.values import ParsedSource
from calotype.foundation.progress import Progress, silent
from calotype.tool_formats import fiftyone_masks, fiftyone_writing, shapes
from calotype.tool_formats.collected import Collected, Entry, Facts, read_each
from calotype.tool_formats.shapes import Point, Shape
from calotype.tool_formats.writing import Export

_TITLE = "FiftyOne dataset"
_LOOKED_AT = 200
_TRUTH = "ground_truth"
_SAMPLES = re.compile(rb'"samples"\s*:\s*\[')
_LABELS = re.compile(rb'"labels"\s*:\s*\{')
_LISTS = {"Detections": "detections", "Polylines": "polylines", "Keypoints": "keypoints",
          "Classifications": "classifications"}  # fmt: skip
_SINGLE = frozenset({"Detection", "Polyline", "Keypoint", "Classification"})
_LEFT_OUT = frozenset({"Heatmap", "TemporalDetection", "TemporalDetections", "GeoLocation"})
_OWN_OF_SAMPLE = frozenset({"filepath", "tags", "metadata", "id", "created_at", "last_modified_at"})


class FiftyOne:
    """Detections, polylines, keypoints and classes of samples, in one JSON file."""

    name = "fiftyone"
    title = _TITLE
    suffixes = (".json",)
    abilities = Abilities(
        reads=frozenset(Kind) - {Kind.ROTATED_BOX, Kind.ELLIPSE},
        writes=frozenset(Kind) - {Kind.ROTATED_BOX, Kind.ELLIPSE},
        one_file=True,
        loses=(
            "rotated boxes and ellipses (written as polygons)",
            "boxes of skeletons that are not the bounds of their points",
            "id and extra keys of annotations",
            "ids and supercategories of classes",
            "licence and source of samples",
        ),
        source="FiftyOne documentation: dataset types on disk, label classes",
        coordinates="shares of the image, from 0 to 1; boxes by top-left corner, width and height",
        ids="images by `filepath`; annotations by `_id`; `index` becomes `track_id`; tags may be splits",
    )

    def recognise(self, survey: Survey) -> Sighting | None:
        """A `samples.json` with paths of files, or a `labels.json` with classes and labels."""
        evidence = list(_files(survey))
        if not evidence:
            return None
        kind = "samples" if PurePosixPath(evidence[0]).stem == "samples" else "labels"
        return Sighting(f"a JSON file of {kind} beside the images", tuple(evidence[:5]), Certainty.DESCRIBED)

    def open(
        self, path: Path, *, images: Path | None = None, progress: Progress = silent
    ) -> list[ParsedSource]:
        """Raises: LabelFileUnreadable."""
        root = path if is_folder(path) else path.parent
        files = [path] if is_file(path) else [root / name for name in _files(Survey(path))]
        if not files:
            raise refused(path, _TITLE, "there is no samples.json or labels.json", "give the exported folder")
        return read_each(files, path, images, progress, _read)

    def write(self, samples: ExportSamples, out: Path, *, progress: Progress = silent) -> Written:
        """Writes `metadata.json`, `samples.json` and `data/`; the same input gives the same bytes."""
        export = Export(samples, out, progress)
        fiftyone_writing.write(export)
        return export.written()


def _read(file: Path, collected: Collected) -> None:
    content = load(file, _TITLE)
    known = content if isinstance(content, dict) else {}
    if isinstance(known.get("samples"), list):
        _Samples(collected, _metadata(file.parent)).read(known["samples"])
    elif isinstance(known.get("labels"), dict):
        _read_labels(known, collected)
    else:
        raise refused(file, _TITLE, "it lists neither samples nor labels")


def _files(survey: Survey) -> Iterator[str]:
    for name in survey.with_suffix(".json")[:_LOOKED_AT]:
        head = survey.head(name)
        if head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] != b"{":
            continue
        is_samples = _SAMPLES.search(head) and b'"filepath"' in head
        is_labels = _LABELS.search(head) and (b'"bounding_box"' in head or b'"classes"' in head)
        if is_samples or (is_labels and PurePosixPath(name).name.lower() == "labels.json"):
            yield name


def _metadata(folder: Path) -> Mapping[str, Any]:
    """What `metadata.json` says about the dataset; nothing where it cannot be read."""
    file = folder / "metadata.json"
    try:
        value = load(file, _TITLE) if is_own_file(file, folder) else {}
    except LabelFileUnreadable:
        return {}
    return value if isinstance(value, dict) else {}


class _Samples:
    """Reads the samples of one file."""

    def __init__(self, collected: Collected, metadata: Mapping[str, Any]) -> None:
        self._collected = collected
        found = metadata.get("skeletons")
        self._skeletons = found if isinstance(found, dict) else {}
        self._default_skeleton = metadata.get("default_skeleton")
        targets, default = metadata.get("mask_targets"), metadata.get("default_mask_targets")
        self._targets = targets if isinstance(targets, dict) else {}
        self._default_targets = default if isinstance(default, dict) else {}
        of_fields = metadata.get("classes")
        lists = [
            metadata.get("default_classes"),
            *(of_fields.values() if isinstance(of_fields, dict) else ()),
        ]
        listed = (name for names in lists if isinstance(names, list) for name in names)
        self._classes = [name for name in dict.fromkeys(map(str, listed)) if name]
        self._skipped: set[str] = set()

    def read(self, samples: Sequence[Any]) -> None:
        """All samples. Fields whose labels all have a confidence are predictions, read where no other has labels."""
        guesses: set[str] = set()
        others: set[str] = set()
        for one in samples:
            for name, field in one.items() if isinstance(one, dict) else ():
                for _, label in _labels(field, self._collected, "", quiet=True):
                    is_guess = isinstance(label, dict) and label.get("confidence") is not None
                    (guesses if is_guess and not name.startswith(_TRUTH) else others).add(name)
        self._skipped = guesses - others if others else set()
        for at, one in enumerate(samples):
            where = f"{self._collected.file} samples[{at}]"
            with self._collected.item(where, "image"):
                self._read_sample(mapping(one, "sample"), where)
        for name in self._classes:
            if name.strip():
                self._collected.declare(name)
        self._collected.sort_classes(self._classes)

    def _read_sample(self, one: Mapping[str, Any], where: str) -> None:
        listed = one.get("tags")
        tags = [tag for tag in listed if isinstance(tag, str)] if isinstance(listed, list) else []
        split = next((split_of_folder(tag) for tag in tags if split_of_folder(tag)), "")
        said = one.get("metadata") if isinstance(one.get("metadata"), dict) else {}
        size = size_or_none(said.get("width"), said.get("height")) if isinstance(said, dict) else None
        if one.get("_media_type") not in (None, "image") or "frames" in one:
            raise BadItem("it is not an image")
        kept = tuple(tag for tag in tags if not split_of_folder(tag))
        metadata = {
            name: value
            for name, value in one.items()
            if isinstance(value, str | int | float | bool) and name not in _OWN_OF_SAMPLE and name[:1] != "_"
            and name != fiftyone_writing.CAPTIONS
        }  # fmt: skip
        entry = Entry(text(one.get("filepath"), "filepath"), where, size, split, kept, metadata)
        key = self._collected.add_image(entry)
        captions = one.get(fiftyone_writing.CAPTIONS)
        for caption in (
            [captions] if isinstance(captions, str) else captions if isinstance(captions, list) else []
        ):
            with self._collected.item(f"{where} {fiftyone_writing.CAPTIONS}"):
                said_text = {"text": text(caption, "caption")}
                self._collected.add(key, "caption", Shape(Kind.CAPTION), where, Facts(said_text))
        for name, field in one.items():
            if name in _OWN_OF_SAMPLE or not isinstance(field, dict):
                continue
            place = f"{where} {name[:40]}"
            if name in self._skipped:
                self._collected.notices.add(
                    "label-not-used", place, what="predictions beside labels: left out"
                )
                continue
            if field.get("_cls") == "Segmentation":
                with self._collected.item(place):
                    targets = self._targets.get(name) or self._default_targets
                    fiftyone_masks.add_classes(field, targets, key, place, self._collected)
            for at, label in _labels(field, self._collected, place):
                with self._collected.item(f"{place}[{at}]"):
                    self._read_label(mapping(label, "label"), key, name, f"{place}[{at}]")

    def _read_label(self, one: Mapping[str, Any], key: str, field: str, where: str) -> None:
        name = text(one.get("label"), "label")
        if "bounding_box" in one:
            shape = _detection(one, key, self._collected)
        elif "closed" in one or "filled" in one or one.get("_cls") == "Polyline":
            shape = _polyline(one, self._collected.size_of(key))
        elif "points" in one:
            shape = self._keypoints(one, field, name, self._collected.size_of(key))
        else:
            shape = shapes.whole_image()
        self._collected.add(key, name, shape, where, _facts(one))

    def _keypoints(self, one: Mapping[str, Any], field: str, name: str, size_wh: tuple[int, int]) -> Shape:
        points = [_point_or_none(point, size_wh) for point in listing(one.get("points"), "points")]
        skeleton: Any = self._skeletons.get(field) or self._default_skeleton
        names = skeleton.get("labels") if isinstance(skeleton, dict) else None
        if not isinstance(names, list) or len(names) != len(points):
            return shapes.points(point for point in points if point is not None)
        edges = skeleton["edges"] if isinstance(skeleton.get("edges"), list) else []
        pairs = [(a, b) for edge in edges if isinstance(edge, list) for a, b in pairwise(edge)]
        whole = {*range(len(points))}
        joined = tuple((a, b) for a, b in pairs if type(a) is int and type(b) is int and {a, b} <= whole)
        self._collected.declare(name, keypoints=tuple(map(str, names)), skeleton=joined)
        seen = one.get("visibility")
        states = seen if isinstance(seen, list) and len(seen) == len(points) else [2] * len(points)
        return shapes.pose(
            (0.0, 0.0, 0) if point is None else (*point, 1 if state == 1 else 2)
            for point, state in zip(points, states, strict=True)
        )


def _labels(
    field: Any, collected: Collected, where: str, *, quiet: bool = False
) -> Iterator[tuple[int, Any]]:
    """The labels of a field of a sample."""
    kind = str(field.get("_cls")) if isinstance(field, dict) else ""
    if kind in _SINGLE:
        yield 0, field
    elif kind in _LISTS:
        listed = field.get(_LISTS[kind])
        yield from enumerate(listed if isinstance(listed, list) else [])
    elif kind in _LEFT_OUT and not quiet:
        collected.notices.add("value-dropped", where, what=f"field of kind {kind}: left out")


def _detection(one: Mapping[str, Any], key: str, collected: Collected) -> Shape:
    width, height = collected.size_of(key)
    sides = listing(one.get("bounding_box"), "bounding_box")
    if len(sides) != 4:
        raise BadItem(f"its bounding_box has {len(sides)} numbers")
    x, y, w, h = (
        _share(side) * scale for side, scale in zip(sides, (width, height, width, height), strict=True)
    )
    values = fiftyone_masks.values_of(one, key, collected)
    if values is None:
        return shapes.box(x, y, w, h)
    inside = values != 0
    left, top = round(x), round(y)
    size = (max(1, round(x + w) - left), max(1, round(y + h) - top))
    if size != (inside.shape[1], inside.shape[0]):
        if max(size) > 2 * max(width, height):
            raise BadItem("its box is far larger than its image")
        rows = (np.arange(size[1]) * inside.shape[0]) // size[1]
        columns = (np.arange(size[0]) * inside.shape[1]) // size[0]
        inside = inside[np.ix_(rows, columns)]
    return shapes.mask(inside, (left, top), (width, height))


def _polyline(one: Mapping[str, Any], size_wh: tuple[int, int]) -> Shape:
    parts = []
    for part in listing(one.get("points"), "points"):
        points = [_point_or_none(point, size_wh) for point in listing(part, "points")]
        if None in points:
            raise BadItem("one of its points is not a number")
        parts.append([point for point in points if point is not None])
    return shapes.polygon(parts) if one.get("closed") or one.get("filled") else shapes.polyline(parts)


def _point_or_none(point: Any, size_wh: tuple[int, int]) -> Point | None:
    """A point in pixels; None where it is not a number, which means that it is not labelled. Raises: BadItem."""
    axes = listing(point, "point")
    if len(axes) != 2:
        raise BadItem(f"its point has {len(axes)} numbers")
    if any(axis is None or isinstance(axis, Broken | dict) for axis in axes):
        return None
    return _share(axes[0]) * size_wh[0], _share(axes[1]) * size_wh[1]


def _share(value: Any) -> float:
    return number(value, "coordinate", most=1e4)


def _facts(one: Mapping[str, Any]) -> Facts:
    attributes: dict[str, Any] = {}
    former = one.get("attributes")
    for name, value in (former if isinstance(former, dict) else {}).items():
        attributes[name] = value.get("value") if isinstance(value, dict) else value
    for name, value in one.items():
        if name not in fiftyone_writing.OWN_OF_LABEL and name[:1] != "_" and value is not None:
            attributes[name] = value
    if one.get("index") is not None:
        attributes["track_id"] = one["index"]
    tags = one.get("tags")
    if isinstance(tags, list) and tags:
        attributes["tags"] = tags
    identity = one.get("_id")
    oid = identity.get("$oid") if isinstance(identity, dict) else identity
    return Facts(
        attributes, {}, oid if isinstance(oid, str) else "", one.get("confidence"), bool(one.get("iscrowd"))
    )


def _read_labels(content: Mapping[str, Any], collected: Collected) -> None:
    """The layout of one file of labels: detections or a class for each image, by its name without extension."""
    listed = content.get("classes")
    classes = [name for name in listed if isinstance(name, str)] if isinstance(listed, list) else []
    for name in classes:
        if name.strip():
            collected.declare(name)
    for stem, labels in content["labels"].items():
        where = f"{collected.file} {stem[:80]!r}"
        with collected.item(where, "image"):
            path = collected.search.find_stem(stem.rpartition("/")[2])
            key = collected.add_image(Entry(stem, where), path=path)
            many = labels if isinstance(labels, list) else [] if labels is None else [labels]
            for at, label in enumerate(many):
                with collected.item(f"{where} [{at}]"):
                    _read_one(label, classes, key, f"{where} [{at}]", collected)


def _read_one(label: Any, classes: Sequence[str], key: str, where: str, collected: Collected) -> None:
    one = label if isinstance(label, dict) else {"label": label}
    name = one.get("label", one.get("target"))
    if isinstance(name, int) and not isinstance(name, bool):
        if not 0 <= name < len(classes):
            raise BadItem(f"its class {name} is not in the list of {len(classes)}")
        name = classes[name]
    shape = _detection(one, key, collected) if "bounding_box" in one else shapes.whole_image()
    facts = _facts({key: value for key, value in one.items() if key != "target"})
    collected.add(key, text(name, "label"), shape, where, facts)
