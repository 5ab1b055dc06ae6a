"""A made-up set of labels of the size of a well-known one: 50,000 images of photos' sizes, 6.5 boxes on each."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

N_IMAGES, N_BOXES, N_CLASSES = 50_000, 326_222, 80
_SIZES = np.array([(640, 480), (480, 640), (640, 427), (500, 375), (1280, 720)])


def write_coco(path: Path, *, n_images: int = N_IMAGES, n_boxes: int = N_BOXES) -> dict[str, int]:
    """Write `path`, and results beside it as `results.json`; the same arguments give the same bytes.

    Returns: The number of images and boxes.
    """
    random = np.random.default_rng(7)
    sizes = _SIZES[random.integers(0, len(_SIZES), n_images)]
    image_of = np.sort(random.integers(0, n_images, n_boxes))
    within = sizes[image_of]
    sides = np.maximum(np.round(within * random.beta(1.2, 4, (n_boxes, 2)), 2), 1.0)
    corners = np.round((within - sides) * random.random((n_boxes, 2)), 2)
    boxes = np.concatenate([corners, sides], axis=1).tolist()
    classes = random.integers(1, N_CLASSES + 1, n_boxes).tolist()
    images = [
        {"id": at + 1, "file_name": f"{at + 1:012d}.jpg", "width": width, "height": height}
        for at, (width, height) in enumerate(sizes.tolist())
    ]
    annotations = [
        {
            "id": at + 1,
            "image_id": image + 1,
            "category_id": class_id,
            "bbox": box,
            "area": round(box[2] * box[3], 2),
            "iscrowd": 0,
            "segmentation": [],
        }
        for at, (image, class_id, box) in enumerate(zip(image_of.tolist(), classes, boxes, strict=True))
    ]
    categories = [{"id": n, "name": f"class {n:02d}"} for n in range(1, N_CLASSES + 1)]
    value = {"images": images, "annotations": annotations, "categories": categories}
    path.write_text(json.dumps(value), "utf-8")
    results = [
        {key: row[key] for key in ("image_id", "category_id", "bbox")} | {"score": 0.5} for row in annotations
    ]
    path.with_name("results.json").write_text(json.dumps(results), "utf-8")
    return {"images": n_images, "boxes": n_boxes}
