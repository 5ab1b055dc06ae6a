"""Cityscapes: a JSON file of polygons an image. Source: the file formats and label definitions of cityscapesScripts.

`gtFine/<split>/<city>/<name>_gtFine_polygons.json` belongs to `leftImg8bit/<split>/<city>/<name>_leftImg8bit.png`;
coarse labels are in `gtCoarse`. Later polygons are painted over earlier ones: the place of each is kept as `draw_order`
in the extra keys of its annotation, and they are written in this order. A label that ends in `group` stands for several
objects that nobody separated: it is read as the class without `group`, with `iscrowd` (`polegroup` is a class of its
own). Images of label ids and instance ids are drawn from the polygons; they are written, and not read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from calotype.datasets.model import Annotation, Kind, Sample
from calotype.folder_reading.folder import BACKGROUND, Reading, replaced, stem_of
from calotype.formats.base import Abilities, ExportSamples, Written
from calotype.formats.notices import Losses
from calotype.formats.passthrough import shown
from calotype.formats.survey import Certainty, Sighting, Survey
from calotype.formats.values import ParsedAnnotation, ParsedSource
from calotype.foundation.progress import Progress, silent
from calotype.public_formats.cityscapes_images import LABEL_IDS, Painted, id_images
from calotype.public_formats.numbers import LIMIT_PX
from calotype.public_formats.writing import FileWriter, FlatNames, is_labelled, lose_annotation, lose_sample
from calotype.vision import masks
from calotype.vision.polygons import ring_area, ring_problem, rings_bbox_xywh

ORDER = "draw_order"
_END = "_polygons.json"
_FINE, _COARSE = "gtFine", "gtCoarse"
_IMAGE_FOLDER, _IMAGE_END = "leftImg8bit", "_leftImg8bit"
_GROUP = "group"
_MAX_BYTES = 100_000_000
_SPLITS = ("train", "val", "test")


class Cityscapes:
    """Polygons of street scenes, painted over each other."""

    name = "cityscapes"
    title = "Cityscapes"
    suffixes = (".json",)
    abilities = Abilities(
        reads=frozenset({Kind.POLYGON}),
        writes=frozenset({Kind.BOX, Kind.ROTATED_BOX, Kind.POLYGON, Kind.MASK}),
        loses=(
            "boxes are written as their four corners (and read back as polygons)",
            "each part of a polygon becomes an object; masks become outlines without holes",
            "classes that are not of Cityscapes are missing in the images of label ids and instance ids",
            "ellipses, keypoints, lines, points, classes of whole images and captions",
            "folders in names of images; a missing split (train is written)",
            "id and score of annotations, attributes and extra keys other than draw_order",
            "metadata, licence, source and tags of samples",
            "images without labels and images without objects look the same where neither has a file",
        ),
        source="cityscapesScripts: file formats, labels and json2labelImg",
        coordinates="polygons of x, y in pixels, as they are",
        ids="images by city and file name; classes by name; annotations by their order",
    )

    def recognise(self, survey: Survey) -> Sighting | None:
        """Files `..._polygons.json` with `imgHeight` and `objects`."""
        for name in survey.with_suffix(".json"):
            head = survey.head(name) if name.endswith(_END) else b""
            if b'"objects"' in head or b'"imgHeight"' in head:
                return Sighting("a JSON file of polygons an image", (name,), Certainty.DESCRIBED)
        return None

    def open(
        self, path: Path, *, images: Path | None = None, progress: Progress = silent
    ) -> list[ParsedSource]:
        """Raises: LabelFileUnreadable when there is no file of polygons."""
        reading = Reading(path, images, self.title)
        names = [name for name in reading.files.names if name.endswith(_END)]
        names = names if reading.single is None else [reading.single]
        if not names:
            raise reading.refused(
                f"there is no file that ends in {_END}", "give the folder that holds gtFine"
            )
        fine = {_fine(name) for name in names if _COARSE not in name}
        for at, name in enumerate(names, 1):
            if _COARSE in name and _fine(name) in fine:
                reading.notices.add("label-not-used", name)
            else:
                _read_file(reading, name)
            progress("reading labels", at, len(names))
        others = reading.image_files.images
        if reading.has_own_images:
            others = [name for name in others if stem_of(name).endswith(_IMAGE_END)]
        reading.add_unlabelled(others)
        return [ParsedSource(path.name, reading.labels())]

    def write(self, samples: ExportSamples, out: Path, *, progress: Progress = silent) -> Written:
        """Writes `leftImg8bit/` and `gtFine/` by split and city: polygons and images of ids, always the same bytes."""
        losses, files, n_annotations = Losses(), FileWriter(out), 0
        flat = FlatNames(samples, losses)
        names = {c.id: c.name for c in samples.ontology.classes}
        unknown = [name for name in names.values() if name not in LABEL_IDS]
        has_ids = len(unknown) < len(names)
        for name in unknown:
            losses.add("class that is none of Cityscapes (its polygons are in the JSON files only)", name)
        for done, (sample, labels) in enumerate(samples.items(), 1):
            stem, suffix = flat.of(sample)
            stem = stem.removesuffix(_IMAGE_END)
            place = f"{_split(sample, losses)}/{_city(stem)}/{stem}"
            files.image(samples, sample, f"{_IMAGE_FOLDER}/{place}{_IMAGE_END}{suffix}")
            written = [
                (a, ring) for a in sorted(labels, key=_draw_order) for ring in _rings(a, losses, sample)
            ]
            n_annotations += len({id(a) for a, _ in written})
            for a in labels:
                lose_annotation(losses, a, sample.name, keeps=(ORDER, "iscrowd"))
            if is_labelled(sample, written):
                polygons = [_painted(a, ring, names, losses, sample) for a, ring in written]
                objects = [
                    {"label": name + (_GROUP if is_group else ""), "polygon": _points(ring)}
                    for name, is_group, ring in polygons
                ]
                value = {"imgHeight": sample.height_px, "imgWidth": sample.width_px, "objects": objects}
                base = f"{_FINE}/{place}_{_FINE}"
                files.text(base + _END, json.dumps(value, ensure_ascii=False, indent=1) + "\n")
                if has_ids:
                    ids = id_images(polygons, (sample.width_px, sample.height_px))
                    files.data(f"{base}_labelIds.png", ids[0])
                    files.data(f"{base}_instanceIds.png", ids[1])
            lose_sample(losses, sample)
            progress("writing labels", done, samples.n_samples)
        return Written(files.listed(), samples.n_samples, n_annotations, losses.listed())


def _fine(name: str) -> str:
    """The name of the fine labels of an image, whichever its own labels are."""
    return name.replace(_COARSE, _FINE).replace("/train_extra/", "/train/")


def _stems(reading: Reading, name: str) -> list[str]:
    """Where the image of a label file may lie, without its ending."""
    folder, _, last = name.rpartition("/")
    base = last.removesuffix(_END)
    base = next(
        (base.removesuffix(f"_{kind}") for kind in (_FINE, _COARSE) if base.endswith(f"_{kind}")), base
    )
    parts = folder.split("/") if folder else []
    at = next((at for at, part in enumerate(parts) if part in (_FINE, _COARSE)), None)
    beside = "/".join([*parts, base + _IMAGE_END])
    stems = [beside, "/".join([*parts, base])]
    if at is not None:
        stems = [replaced(beside, at, _IMAGE_FOLDER), *stems]
        # the images are often unpacked in a folder of their own beside that of the labels
        stems += [f"{_IMAGE_FOLDER}/{replaced(beside, at, _IMAGE_FOLDER)}"]
    if not reading.has_own_images and at is not None:
        below = "/".join([*parts[at + 1 :], base + _IMAGE_END])
        stems += [below, below.partition("/")[2], base + _IMAGE_END]
    return stems


def _read_file(reading: Reading, name: str) -> None:
    data = reading.data(name, max_bytes=_MAX_BYTES)
    if data is None:
        return
    value = _decoded(data)
    objects = value.get("objects") if isinstance(value, dict) else None
    if not isinstance(objects, list):
        reason = value if isinstance(value, str) else "it has no list of objects"
        reading.set_aside("image", name, reason, kind="unreadable")
        return
    stems = _stems(reading, name)
    image = reading.image_of(stems, name)
    if image is None and reading.is_ambiguous(name):
        return
    if not objects:
        reading.notices.add("image-empty", name)
    tags = () if objects else (BACKGROUND,)
    key = reading.add_image(image, f"{stems[0]}.png", name, tags=tags)
    for at, one in enumerate(objects):
        where = f"{name} objects[{at}]"
        if isinstance(one, dict) and one.get("deleted"):
            reading.notices.add("value-dropped", where, what="object that is marked as deleted: left out")
            continue
        annotation = _annotation(one, key, where, at)
        if isinstance(annotation, str):
            reading.set_aside("annotation", where, annotation)
        else:
            reading.add(annotation)


def _decoded(data: bytes) -> Any:
    """The value of a JSON text; the reason where it is none."""
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    try:  # the fast decoder stops at NaN and at half a surrogate pair, which cost their object only
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        return f"it is not JSON: {str(error)[:120]}"


def _annotation(value: Any, key: str, where: str, at: int) -> ParsedAnnotation | str:
    """The object, or why it is invalid."""
    if not isinstance(value, dict):
        return "it is not an object"
    label, polygon = value.get("label"), value.get("polygon")
    if not isinstance(label, str) or not label:
        return f"its label is {shown(label)}"
    ring = _ring(polygon)
    if isinstance(ring, str):
        return ring
    is_group = label.endswith(_GROUP) and len(label) > len(_GROUP) and label not in LABEL_IDS
    kept = {k: v for k, v in value.items() if k not in ("label", "polygon")}
    return ParsedAnnotation(
        key,
        label[: -len(_GROUP)] if is_group else label,
        Kind.POLYGON,
        where,
        bbox_xywh_px=rings_bbox_xywh((ring,)),
        rings_px=(ring,),
        area_px=ring_area(ring),
        iscrowd=is_group,
        extra={ORDER: at, **kept},
    )


def _ring(polygon: Any) -> tuple[float, ...] | str:
    """The points of a polygon flat, or why they are none."""
    if not isinstance(polygon, list):
        return "it has no polygon"
    flat: list[float] = []
    for point in polygon:
        if not isinstance(point, list) or len(point) != 2:
            return f"it holds the point {shown(point)}"
        for value in point:
            if type(value) not in (int, float) or not abs(value) <= LIMIT_PX:
                return f"it holds the point {shown(point)}"
            flat.append(float(value))
    return ring_problem(flat) or tuple(flat)


def _split(sample: Sample, losses: Losses) -> str:
    """The folder of a sample's split; readers know train, val and test only."""
    if sample.split in _SPLITS:
        return sample.split
    losses.add("split of a sample other than train, val and test (train is written)", sample.name)
    return "train"


def _city(stem: str) -> str:
    """The folder of a city: what comes before the first `_`, as in `aachen_000000_000019`."""
    city, line, _ = stem.partition("_")
    return city if line and city else "images"


def _draw_order(a: Annotation) -> float:
    order = a.extra.get(ORDER)
    return order if isinstance(order, int) else float("inf")


def _rings(a: Annotation, losses: Losses, sample: Sample) -> Iterator[Sequence[float]]:
    """The polygons that are written for an annotation."""
    if a.kind in (Kind.POLYGON, Kind.ROTATED_BOX):
        if a.kind is Kind.ROTATED_BOX:
            losses.add("rotated box (written as a polygon)", sample.name)
        elif len(a.rings_px) > 1:
            losses.add("parts of a polygon (each becomes an object)", sample.name)
        yield from a.rings_px
    elif a.kind is Kind.BOX and a.bbox_xywh_px is not None:
        losses.add("box (written as a polygon of its four corners)", sample.name)
        x, y, w, h = a.bbox_xywh_px
        yield (x, y, x + w, y, x + w, y + h, x, y + h)
    elif a.kind is Kind.MASK and a.mask_size_hw is not None:
        pixels = masks.decode(masks.from_string(a.mask_rle, a.mask_size_hw))
        rings = masks.rings_of(pixels)
        losses.add("mask (written as the outlines of its parts)", sample.name)
        if sum(ring_area(ring) for ring in rings) != pixels.sum():
            losses.add("hole in a mask (filled)", sample.name)
        yield from rings
    else:
        losses.add(f"annotation of kind {a.kind}", sample.name)


def _painted(
    a: Annotation, ring: Sequence[float], names: dict[int, str], losses: Losses, sample: Sample
) -> Painted:
    """Class name, whether it is written as a group, and the points."""
    name = names[a.class_id]
    is_group = a.iscrowd and name + _GROUP not in LABEL_IDS
    if a.iscrowd and not is_group:
        losses.add("iscrowd of an annotation", sample.name)
    return name, is_group, ring


def _points(ring: Sequence[float]) -> list[list[float]]:
    values = [int(v) if v == int(v) else v for v in ring]
    return [list(point) for point in zip(values[::2], values[1::2], strict=True)]
