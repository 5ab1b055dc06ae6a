"""What a YOLO trainer makes of a folder, by the public rule of its dataset format and nothing of our code.

Rule (Ultralytics documentation, "Object Detection Datasets"): `data.yaml` lies in the folder it describes; `train`
and `val` name folders of images; the last `/images/` of an image's path becomes `/labels/` and its ending `.txt`. A
file has rows of one form: class and box, class and polygon, or class, box and keypoints (`kpt_shape`). Values are
shares. An image with a row outside these rules is thrown away.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import yaml

_IMAGES = {".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp"}


@dataclass(frozen=True)
class Seen:
    """What a trainer sees of one image: rows as lists of numbers, or why it throws the image away."""

    rows: list[list[float]]
    has_label_file: bool
    corrupt: str = ""
    are_poses: bool = False

    @property
    def boxes(self) -> list[tuple[int, float, float, float, float]]:
        """Class, left, top, width and height in shares of each row; those of a polygon are its bounds."""
        found = []
        for number, *rest in self.rows:
            if len(rest) == 4 or self.are_poses:
                cx, cy, w, h = rest[:4]
                found.append((int(number), cx - w / 2, cy - h / 2, w, h))
            else:
                xs, ys = rest[::2], rest[1::2]
                found.append((int(number), min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)))
        return found


def label_path(image: str) -> str:
    """Where the label file of an image lies."""
    return "/labels/".join(image.rsplit("/images/", 1)).rsplit(".", 1)[0] + ".txt"


def read_set(folder: Path) -> dict[str, dict[str, Seen]]:
    """Split -> image below the folder -> what a trainer sees."""
    described = yaml.safe_load((folder / "data.yaml").read_text("utf-8"))
    assert "path" not in described, "a relative path would depend on the working directory"
    assert described["nc"] == len(described["names"])
    assert sorted(described["names"]) == list(range(described["nc"]))
    seen: dict[str, dict[str, Seen]] = {}
    for split in ("train", "val", "test"):
        given = described.get(split) or ([] if split == "test" else [None])
        for place in given if isinstance(given, list) else [given]:
            assert place is not None, f"a trainer asks for {split}"
            for root, _, names in sorted(os.walk(folder / place)):
                for name in sorted(names):
                    if Path(name).suffix.lower() in _IMAGES:
                        image = f"{root}/{name}"
                        relative = os.path.relpath(image, folder)
                        seen.setdefault(split, {})[relative] = _read(label_path(image), described)
    return seen


def _read(path: str, described: dict[str, object]) -> Seen:
    if not os.path.isfile(path):
        return Seen([], has_label_file=False)
    lines = Path(path).read_text("utf-8").splitlines()
    rows = [[float(field) for field in line.split()] for line in lines if line.strip()]
    return Seen(rows, True, _corrupt(rows, described), "kpt_shape" in described)


def _corrupt(rows: list[list[float]], described: dict[str, object]) -> str:
    lengths = {len(row) for row in rows}
    shape = described.get("kpt_shape")
    if isinstance(shape, list):
        wanted = 5 + shape[0] * shape[1]
        if lengths - {wanted}:
            return f"a row of a pose has {wanted} columns"
        numbers = [v for row in rows for v in row[1:5]]
        numbers += [v for row in rows for i, v in enumerate(row[5:]) if i % shape[1] < 2]
    else:
        if 5 in lengths and any(n > 6 for n in lengths):
            return "boxes and polygons are mixed"
        if any(n != 5 and (n < 7 or n % 2 == 0) for n in lengths):
            return "a row is neither a box nor a polygon"
        numbers = [v for row in rows for v in row[1:]]
    if any(not 0 <= value <= 1 for value in numbers):
        return "a value is not between 0 and 1"
    if any(row[0] != int(row[0]) or int(row[0]) not in described["names"] for row in rows):  # type: ignore[operator]
        return "an unknown class"
    return ""
