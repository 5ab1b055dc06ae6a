"""One large image under thousands of polygons, drawn by numbers that are the same in every run."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image

SIZE_WH = (2400, 1600)


def write_crowd(folder: Path, n: int, *, vertices: int = 24, seed: int = 7) -> tuple[Path, Path]:
    """Write an image (2400 x 1600 px) and `n` polygons of it in COCO form.

    Returns: the folder of the image and the label file.
    """
    rng = np.random.default_rng(seed)
    width, height = SIZE_WH
    images = folder / "images"
    images.mkdir(parents=True)
    y, x = np.mgrid[0:height, 0:width]
    waves = 96 + 40 * np.sin(x / 90) + 40 * np.cos(y / 70)
    pixels = np.clip(
        np.stack([waves, waves + 12, 200 - waves / 2], -1) + rng.normal(0, 9, (height, width, 1)), 0, 255
    )
    Image.fromarray(pixels.astype(np.uint8)).save(images / "crowd.jpg", quality=88)
    angle = np.linspace(0, 2 * np.pi, vertices, endpoint=False)
    annotations = []
    for number in range(n):
        radius = rng.gamma(3.0, 6.0) + 5
        cx, cy = (
            rng.uniform(radius * 1.4, width - radius * 1.4),
            rng.uniform(radius * 1.4, height - radius * 1.4),
        )
        reach = radius * (1 + 0.25 * rng.standard_normal(vertices).clip(-1.5, 1.5))
        ring = np.stack([cx + reach * np.cos(angle), cy + reach * np.sin(angle)], -1).round(1)
        low, high = ring.min(0), ring.max(0)
        annotations.append(
            {
                "id": number + 1,
                "image_id": 1,
                "category_id": 1 + number % 6,
                "segmentation": [ring.ravel().tolist()],
                "bbox": [*low.tolist(), *(high - low).tolist()],
                "area": float((high - low).prod()),
                "iscrowd": 0,
            }
        )
    names = ("cell", "nucleus", "debris", "fibre", "bubble", "dust")
    labels = {
        "images": [{"id": 1, "file_name": "crowd.jpg", "width": width, "height": height}],
        "categories": [{"id": at + 1, "name": name} for at, name in enumerate(names)],
        "annotations": annotations,
    }
    path = folder / "instances.json"
    path.write_text(json.dumps(labels))
    return images, path
