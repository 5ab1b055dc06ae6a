"""COCO instances: one JSON with images, annotations and categories. Source: the data format page of the
COCO dataset.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

from calotype.datasets.formats.base import ExportSamples, Loss, Parsed, Written
from calotype.datasets.formats.coco_files import category_row, label_files, refused, split_of
from calotype.datasets.formats.coco_reading import CocoFile
from calotype.datasets.formats.coco_values import parsed
from calotype.datasets.model import Annotation, Kind, Sample
from calotype.foundation.progress import Progress, silent


class Coco:
    """Boxes, polygons, masks and keypoints in one JSON file."""

    name = "coco"
    title = "COCO"
    holds = frozenset({Kind.BOX, Kind.POLYGON, Kind.MASK, Kind.KEYPOINTS})

    def detect(self, path: Path) -> bool:
        """A JSON file, or a folder with one that names images and annotations."""
        return any(_looks_like(file) for file in label_files(path))

    def read(self, path: Path, *, images: Path | None = None, progress: Progress = silent) -> Parsed:
        """Raises: LabelFileUnreadable."""
        return parsed(self.files(path), images)

    def files(self, path: Path) -> list[CocoFile]:
        """The label files at a path, opened.

        Raises: LabelFileUnreadable.
        """
        files = label_files(path)
        if not files:
            raise refused(path, "there is no JSON file", "give the JSON file, or the folder that holds it")
        return [CocoFile(file, split=split_of(file)) for file in files]

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


def _looks_like(file: Path) -> bool:
    with file.open("rb") as handle:
        start = handle.read(10_000_000)
    return b'"images"' in start or (start.lstrip()[:1] == b"[" and b'"image_id"' in start)


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
