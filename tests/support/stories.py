"""What every journey starts from."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """24 noisy pictures with one box each as COCO, one copy, one file that is no picture."""
    return draw_raw(tmp_path)


def draw_raw(parent: Path) -> Path:
    """The folder that `raw` gives, for fixtures that outlive a test."""
    folder = parent / "raw"
    (folder / "images").mkdir(parents=True)
    rng = np.random.default_rng(3)
    images, annotations = [], []
    for at in range(24):
        pixels = rng.integers(0, 255, (48, 64, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / "images" / f"{at:02}.png")
        images.append(
            {
                "id": at,
                "file_name": f"{at:02}.png",
                "width": 64,
                "height": 48,
                "scene": f"s{at // 4}",
                "light": "night",
            }
        )
        annotations.append({"id": at, "image_id": at, "category_id": at % 2, "bbox": [4, 5, 20, 10 + at]})
    value = {"images": images, "annotations": annotations,
             "categories": [{"id": 0, "name": "car"}, {"id": 1, "name": "dog"}]}  # fmt: skip
    (folder / "instances.json").write_text(json.dumps(value))
    (folder / "images" / "copy.png").write_bytes((folder / "images" / "00.png").read_bytes())
    (folder / "images" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nno picture")
    return folder
