"""A series of street images as files: JPEGs, COCO annotations, and the list of planted faults."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from PIL import Image

from calotype.demo.faults import FaultPlan, Planted, plant
from calotype.demo.streets.camera import HEIGHT, WIDTH
from calotype.demo.streets.layout import FRAMES_PER_SCENE
from calotype.demo.streets.people import KEYPOINTS
from calotype.demo.streets.render import CLASSES, Scene, render
from calotype.demo.streets.truth import StreetObject

JPEG_QUALITY = 90
_SKELETON = (
    (16, 14),
    (14, 12),
    (17, 15),
    (15, 13),
    (12, 13),
    (6, 12),
    (7, 13),
    (6, 7),
    (6, 8),
    (7, 9),
    (8, 10),
    (9, 11),
    (2, 3),
    (1, 2),
    (1, 3),
    (2, 4),
    (3, 5),
    (4, 6),
    (5, 7),
)
_CLASS_IDS = {name: i + 1 for i, (name, _) in enumerate(CLASSES)}


@dataclass(frozen=True, slots=True)
class StreetsTruth:
    """What was written.

    Args:
        folder: Where.
        annotations: Path of the COCO file, with the planted faults in it.
        n_images: Files in `images/`, planted copies included.
        n_annotations: Annotations in the COCO file.
        planted: Every planted fault, with the right value where there is one.
    """

    folder: Path
    annotations: Path
    n_images: int
    n_annotations: int
    planted: tuple[Planted, ...]


def write(
    folder: Path,
    *,
    n: int,
    seed: int,
    faults: FaultPlan | None = None,
    progress: Callable[[int, int], None] | None = None,
    workers: int = 1,
) -> StreetsTruth:
    """Render `n` images into `folder/images` with `instances.json` and `planted.json` beside them.

    The same n, seed and faults give the same files on the same Pillow and NumPy, with any number of workers.

    Args:
        folder: Created if it does not exist; files of the same names are replaced.
        n: Images before planted copies.
        seed: See `render`.
        faults: Number of faults of each kind to plant; by default none.
        progress: Called with (done, total) as images are finished.
        workers: Number of processes; 2 or more are spawned, so the caller's main module must be safe to import.
    """
    images = folder / "images"
    images.mkdir(parents=True, exist_ok=True)
    coco = _empty_coco()
    for done, (jpeg, record, labelled) in enumerate(_rendered(n, seed, workers), start=1):
        (images / str(record["file_name"])).write_bytes(jpeg)
        record["id"] = done
        coco["images"].append(record)
        for annotation in labelled:
            coco["annotations"].append({"id": len(coco["annotations"]) + 1, "image_id": done, **annotation})
        if progress is not None:
            progress(done, n)
    planted = plant(faults, coco, images, seed=seed) if faults is not None else ()
    target = folder / "instances.json"
    target.write_text(json.dumps(coco, separators=(",", ":")), encoding="utf-8")
    entries = [p.as_dict() for p in planted]
    (folder / "planted.json").write_text(json.dumps(entries, indent=1), encoding="utf-8")
    return StreetsTruth(folder, target, len(coco["images"]), len(coco["annotations"]), planted)


def _rendered(
    n: int, seed: int, workers: int
) -> Iterator[tuple[bytes, dict[str, Any], list[dict[str, Any]]]]:
    scenes = range((n + FRAMES_PER_SCENE - 1) // FRAMES_PER_SCENE)
    jobs = [(seed, s * FRAMES_PER_SCENE, min(n, (s + 1) * FRAMES_PER_SCENE)) for s in scenes]
    if workers < 2 or len(jobs) < 2:
        for job in jobs:
            yield from _render_span(job)
        return
    # Drawing makes no reference cycles, and looking for them takes time.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=gc.disable) as pool:
        for rows in pool.map(_render_span, jobs):
            yield from rows


def _render_span(job: tuple[int, int, int]) -> list[tuple[bytes, dict[str, Any], list[dict[str, Any]]]]:
    seed, first, end = job
    rows = []
    for index in range(first, end):
        scene = render(seed, index)
        buffer = BytesIO()
        Image.fromarray(scene.image).save(buffer, "JPEG", quality=JPEG_QUALITY)
        rows.append((buffer.getvalue(), _image_record(scene, index), [_annotation(o) for o in scene.objects]))
    return rows


def _empty_coco() -> dict[str, Any]:
    categories: list[dict[str, Any]] = []
    for name, group in CLASSES:
        category: dict[str, Any] = {"id": _CLASS_IDS[name], "name": name, "supercategory": group}
        if name == "person":
            category |= {"keypoints": list(KEYPOINTS), "skeleton": [list(pair) for pair in _SKELETON]}
        categories.append(category)
    return {
        "info": {
            "description": "Calotype streets: scenes rendered by Calotype's own code, with exact truth",
            "version": "1.0",
            "contributor": "Calotype",
            "year": 2025,
        },
        "licenses": [
            {"id": 1, "name": "CC0-1.0", "url": "https://creativecommons.org/publicdomain/zero/1.0/"}
        ],
        "images": [],
        "categories": categories,
        "annotations": [],
    }


def _image_record(scene: Scene, index: int) -> dict[str, Any]:
    return {
        "id": 0,
        "file_name": f"street-{index + 1:04d}.jpg",
        "width": WIDTH,
        "height": HEIGHT,
        "license": 1,
        "date_captured": scene.metadata["captured_at"],
        **scene.metadata,
    }


def _annotation(o: StreetObject) -> dict[str, Any]:
    row: dict[str, Any] = {
        "category_id": _CLASS_IDS[o.label],
        "bbox": list(o.bbox),
        "area": o.area,
        "iscrowd": 0,
        "segmentation": [[c for point in polygon for c in point] for polygon in o.polygons],
        "attributes": {"occluded": o.occluded, "truncated": o.truncated, **o.attributes},
    }
    if o.keypoints:
        row["keypoints"] = [c for point in o.keypoints for c in point]
        row["num_keypoints"] = sum(v > 0 for _, _, v in o.keypoints)
    return row
