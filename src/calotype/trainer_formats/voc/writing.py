"""Writing Pascal VOC: XML, images of masks, lists of splits, and lists of classes of whole images."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import numpy.typing as npt

from calotype.datasets.model import AREAS, Annotation, Kind, Sample
from calotype.formats.base import ExportSamples, Written
from calotype.formats.notices import Losses
from calotype.foundation.progress import Progress
from calotype.trainer_formats.voc.objects import FLAGS, SIDES
from calotype.trainer_formats.voc.palette import LABEL_MAP, VOID, colour_map, label_map
from calotype.trainer_formats.voc.xml_files import leaf
from calotype.vision import masks, polygons
from calotype.vision.number_images import encode_palette

_OUTLINED = frozenset({Kind.MASK, Kind.POLYGON, Kind.ROTATED_BOX})
_BOXED = AREAS | {Kind.KEYPOINTS}
_SAFE_NAME = re.compile(r"[^\x00-\x1f/\\:*?\"<>|]{1,100}")


def write(samples: ExportSamples, out: Path, *, progress: Progress) -> Written:
    """Write `Annotations/`, `JPEGImages/`, `ImageSets/Main/`, and what masks and classes of images need."""
    return _Writing(samples, out, progress).write()


class _Writing:
    def __init__(self, samples: ExportSamples, out: Path, progress: Progress) -> None:
        self._samples = samples
        self._out = out
        self._progress = progress
        self._losses = Losses()
        self._files: list[str] = []
        self._names = {c.id: c.name for c in samples.ontology.classes}
        self._index = {c.id: at for at, c in enumerate(samples.ontology.classes, 1)}
        self._lists: dict[str, list[str]] = defaultdict(list)
        self._masked = False

    def write(self) -> Written:
        n_annotations = 0
        for at, (sample, labels) in enumerate(self._samples.items(), 1):
            place = self._samples.file_name(sample)
            stem = PurePosixPath(place).with_suffix("").as_posix()
            if self._samples.bring(sample, self._out / "JPEGImages" / place):
                self._files.append(f"JPEGImages/{place}")
            kept = [a for a in labels if a.kind in _BOXED]
            self._list_classes(sample, stem, labels)
            self._lose(sample, labels)
            has_masks = self._write_masks(sample, stem, kept)
            self._put(f"Annotations/{stem}.xml", _xml(sample, place, kept, self._names, has_masks))
            if sample.split:
                self._lists[f"Main/{sample.split}"].append(stem)
                if has_masks:
                    self._lists[f"Segmentation/{sample.split}"].append(stem)
            drawn = {a.class_id for a in kept}
            whole = [a for a in labels if a.kind is Kind.CLASSIFICATION]
            n_apart = sum(a.class_id not in drawn for a in whole)
            self._losses.add("class of a whole image beside an object of it", place, n=len(whole) - n_apart)
            n_annotations += len(kept) + n_apart
            self._progress("writing labels", at, self._samples.n_samples)
        for name, lines in sorted(self._lists.items()):
            self._put(f"ImageSets/{name}.txt", "".join(f"{line}\n" for line in lines).encode())
        if self._masked:
            names = [c.name.replace(":", "_") for c in self._samples.ontology.classes]
            self._put(LABEL_MAP, label_map(names).encode())
        files = tuple(sorted(self._files))
        return Written(files, self._samples.n_samples, n_annotations, self._losses.listed())

    def _put(self, place: str, data: bytes) -> None:
        target = self._out / place
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        self._files.append(place)

    def _write_masks(self, sample: Sample, stem: str, kept: list[Annotation]) -> bool:
        """The pixels of the n-th object have the value n; later objects cover earlier ones."""
        if not any(a.kind in _OUTLINED for a in kept):
            return False
        if len(self._names) >= VOID:
            self._losses.add(f"mask: more than {VOID - 1} classes", sample.name)
            return False
        size_hw = (sample.height_px, sample.width_px)
        objects, classes = np.zeros(size_hw, np.uint8), np.zeros(size_hw, np.uint8)
        areas: dict[int, int] = {}
        for number, a in enumerate(kept, 1):
            if a.kind not in _OUTLINED:
                continue
            mask = _mask_of(a, size_hw) if number < VOID else None
            if mask is None:
                self._losses.add("mask: of another size than its image, or beyond object 254", sample.name)
                continue
            objects[mask], classes[mask] = number, self._index[a.class_id]
            areas[number] = int(mask.sum())
        left = np.bincount(objects.ravel(), minlength=VOID)
        hidden = sum(left[number] < area for number, area in areas.items())
        self._losses.add("pixels of a mask that a later one covers", sample.name, n=int(hidden))
        colours = colour_map()
        self._put(f"SegmentationObject/{stem}.png", encode_palette(objects, colours))
        self._put(f"SegmentationClass/{stem}.png", encode_palette(classes, colours))
        self._masked = True
        return True

    def _list_classes(self, sample: Sample, stem: str, labels: list[Annotation]) -> None:
        """Lines of the lists of classes: only what is known of this image, so that nothing becomes a negative."""
        values = dict.fromkeys(_names_in(sample, "negative_classes"), -1)
        values |= dict.fromkeys(_names_in(sample, "difficult_classes"), 0)
        values |= {self._names[a.class_id]: 1 for a in labels if a.kind is Kind.CLASSIFICATION}
        for name, value in values.items():
            if _SAFE_NAME.fullmatch(name) and name not in (".", ".."):
                self._lists[f"Main/{name}_{sample.split or 'trainval'}"].append(f"{stem} {value:2d}")
            else:
                self._losses.add("class of a whole image: its name cannot be a file name", name[:80])

    def _lose(self, sample: Sample, labels: list[Annotation]) -> None:
        for a in labels:
            if a.kind is Kind.CLASSIFICATION:
                continue
            if a.kind not in _BOXED:
                self._losses.add(f"annotation of kind {a.kind}", sample.name)
                continue
            if a.kind not in (Kind.BOX, Kind.MASK):
                kept = "its pixels are kept" if a.kind in _OUTLINED else "its box is kept"
                self._losses.add(f"shape of a {a.kind} ({kept})", sample.name)
            extra = {key: value for key, value in a.extra.items() if key != "parts"}
            facts = {
                "id of an annotation": a.source_id,
                "score": a.score is not None,
                "iscrowd": a.iscrowd,
                "extra": extra,
            }
            for what, value in facts.items():
                self._losses.add(what, sample.name, n=1 if value else 0)
            lost = [name for name, value in a.attributes.items() if not isinstance(value, bool | str)]
            self._losses.add("attribute that is neither a text nor true or false", sample.name, n=len(lost))
        facts = {
            "metadata": sample.metadata,
            "licence": sample.licence,
            "source": sample.source,
            "tags": sample.tags,
        }
        for what, value in facts.items():
            self._losses.add(f"{what} of a sample", sample.name, n=1 if value else 0)


def _mask_of(a: Annotation, size_hw: tuple[int, int]) -> npt.NDArray[np.bool_] | None:
    """(H, W) pixels of a shape; None where its mask has another size."""
    if a.kind is not Kind.MASK:
        return polygons.rasterise(a.rings_px, size_hw=size_hw)
    if a.mask_size_hw != size_hw:
        return None
    return masks.decode(masks.from_string(a.mask_rle, size_hw))


def _names_in(sample: Sample, key: str) -> list[str]:
    value: Any = sample.extra.get(key)
    return [name for name in value if isinstance(name, str)] if isinstance(value, list | tuple) else []


def _xml(sample: Sample, place: str, kept: list[Annotation], names: dict[int, str], has_masks: bool) -> bytes:
    folder = PurePosixPath("JPEGImages", place).parent.as_posix()
    lines = ["<?xml version='1.0' encoding='utf-8'?>", "<annotation>", leaf("folder", folder, 1)]
    lines += [leaf("filename", place, 1), "  <size>"]
    sides = (("width", sample.width_px), ("height", sample.height_px), ("depth", 3))
    lines += [*(leaf(side, value, 2) for side, value in sides), "  </size>"]
    lines.append(leaf("segmented", int(has_masks), 1))
    for a in kept:
        lines += ["  <object>", *_object(a, names[a.class_id]), "  </object>"]
    return "\n".join([*lines, "</annotation>", ""]).encode("utf-8")


def _object(a: Annotation, name: str) -> list[str]:
    """The lines of an object in the order of the development kit; attributes that it lacks follow."""
    known = ("pose", *FLAGS)
    attributes = {key: value for key, value in a.attributes.items() if isinstance(value, bool | str)}
    lines = [leaf("name", name, 2)]
    lines += [leaf(key, _text(attributes[key]), 2) for key in known if key in attributes]
    lines += _box(a.bbox_xywh_px or (0.0, 0.0, 0.0, 0.0), 2)
    for part in _parts(a):
        lines += ["    <part>", leaf("name", part["name"], 3), *_box(part["bbox"], 3), "    </part>"]
    others = sorted(attributes.keys() - set(known))
    if others:
        lines.append("    <attributes>")
        for key in others:
            value = attributes[key]
            text = str(value).lower() if isinstance(value, bool) else value
            lines += ["      <attribute>", leaf("name", key, 4), leaf("value", text, 4), "      </attribute>"]
        lines.append("    </attributes>")
    return lines


def _text(value: bool | str) -> str:
    return str(int(value)) if isinstance(value, bool) else value


def _box(box: tuple[float, ...], depth: int) -> list[str]:
    x, y, w, h = box
    corners = zip(SIDES, (x, y, x + w, y + h), strict=True)
    indent = "  " * depth
    lines = [leaf(side, f"{number:.10g}", depth + 1) for side, number in corners]
    return [f"{indent}<bndbox>", *lines, f"{indent}</bndbox>"]


def _parts(a: Annotation) -> list[dict[str, Any]]:
    parts = a.extra.get("parts")
    usable = [part for part in parts if isinstance(part, dict)] if isinstance(parts, list | tuple) else []
    return [
        part
        for part in usable
        if isinstance(part.get("name"), str)
        and isinstance(part.get("bbox"), list | tuple)
        and len(part["bbox"]) == 4
        and all(isinstance(n, int | float) for n in part["bbox"])
    ]
