"""Faults planted on purpose, with exact identities, so that the findings of checks can be compared with the truth.

Every fault is planted on an image of its own: no image carries two. Label faults change the COCO dictionary,
image faults change or add files. The entry's `detail` keeps the correct values.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

Coco = dict[str, Any]
Row = dict[str, Any]
_CONFUSED_WITH = {
    "car": "bus",
    "bus": "truck",
    "truck": "bus",
    "motorcycle": "bicycle",
    "bicycle": "motorcycle",
    "person": "dog",
    "dog": "person",
    "traffic light": "person",
}
_CLEAR_SIDE_PX = 28.0
"""Label faults are planted on things at least this large and at most a quarter hidden, so they show."""


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """Number of faults of each kind to plant."""

    exact_duplicate: int = 0  # the same bytes under another name
    near_duplicate: int = 0  # re-encoded, cropped by 2 pixels, or 3 % brighter
    leakage: int = 0  # a near copy that claims another scene
    mislabel: int = 0  # a wrong class
    shifted_box: int = 0  # moved by 40 to 80 % of its width
    degenerate_box: int = 0  # a box less than 2 pixels wide or high
    box_outside: int = 0  # more than a tenth of it outside the image
    unlabelled: int = 0  # all annotations of an image removed
    blur: int = 0  # whole frame out of focus
    dark: int = 0  # whole frame under-exposed
    overexposed: int = 0  # whole frame over-exposed
    unreadable: int = 0  # a truncated file
    missing_licence: int = 0  # an image without a licence

    @classmethod
    def for_images(cls, n: int) -> FaultPlan:
        """A plan in proportion to `n` images; every kind at least once from 24 images on."""
        usual = {
            "exact_duplicate": 5,
            "near_duplicate": 6,
            "leakage": 4,
            "mislabel": 8,
            "shifted_box": 6,
            "degenerate_box": 4,
            "box_outside": 4,
            "unlabelled": 3,
            "blur": 5,
            "dark": 4,
            "overexposed": 3,
            "unreadable": 3,
            "missing_licence": 3,
        }
        return cls(
            **{kind: max(1, round(count * n / 240)) if n >= 24 else 0 for kind, count in usual.items()}
        )

    @property
    def total(self) -> int:
        return sum(asdict(self).values())


@dataclass(frozen=True, slots=True)
class Planted:
    """One planted fault: its kind, the file, the annotation if it is in one, and what was changed."""

    kind: str
    file: str
    annotation_id: int | None = None
    detail: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as in `planted.json`."""
        return asdict(self)


@dataclass(slots=True)
class _Work:
    """The annotations and files that faults are planted in."""

    coco: Coco
    images: Path
    rng: np.random.Generator

    def of(self, image: Row) -> list[Row]:
        return [a for a in self.coco["annotations"] if a["image_id"] == image["id"]]

    def next_annotation_id(self) -> int:
        return max((int(a["id"]) for a in self.coco["annotations"]), default=0) + 1

    def class_name(self, annotation: Row) -> str:
        return next(str(c["name"]) for c in self.coco["categories"] if c["id"] == annotation["category_id"])

    def class_id(self, name: str) -> int:
        return next(int(c["id"]) for c in self.coco["categories"] if c["name"] == name)

    def clear(self, image: Row) -> list[Row]:
        """Annotations of an image on which a label fault can be seen."""
        return [
            a
            for a in self.of(image)
            if min(a["bbox"][2:]) >= _CLEAR_SIDE_PX and a["attributes"]["occluded"] <= 0.25
        ]


def plant(faults: FaultPlan, coco: Coco, images: Path, *, seed: int) -> tuple[Planted, ...]:
    """Plant faults into a COCO dictionary and its image files, both changed in place.

    Args:
        faults: The number of each kind; fewer are planted when the images run out.
        coco: As written by `streets.write`; copies are appended to its images and annotations.
        images: Folder of the files.
        seed: The same seed plants the same faults.
    Returns:
        One entry per planted fault, in the order of `FaultPlan`'s fields.
    """
    work = _Work(coco, images, np.random.default_rng([seed, 77]))
    free = [coco["images"][i] for i in work.rng.permutation(len(coco["images"]))]
    planted: list[Planted] = []
    for kind, count in asdict(faults).items():
        for number in range(count):
            fault = next(
                (p for image in free if (p := _PLANTERS[kind](work, image, number)) is not None), None
            )
            if fault is None:
                break
            planted.append(fault)
            used = fault.detail.get("copy_of", fault.file)
            free = [image for image in free if image["file_name"] != used]
    return tuple(planted)


def _copy(work: _Work, image: Row, *, scene: str | None = None) -> Row:
    """Another image entry with copies of the annotations; the file itself is not written."""
    number = len(work.coco["images"]) + 1
    copy = {**image, "id": number, "file_name": f"street-{number:04d}.jpg"}
    if scene is not None:
        copy["scene"] = scene
    work.coco["images"].append(copy)
    for annotation in work.of(image):
        work.coco["annotations"].append({**annotation, "id": work.next_annotation_id(), "image_id": number})
    return copy


def _exact_duplicate(work: _Work, image: Row, number: int) -> Planted | None:
    copy = _copy(work, image)
    shutil.copyfile(work.images / image["file_name"], work.images / copy["file_name"])
    return Planted("exact_duplicate", copy["file_name"], None, {"copy_of": image["file_name"]})


def _near_duplicate(work: _Work, image: Row, number: int) -> Planted | None:
    copy = _copy(work, image)
    way = ("re-encoded", "cropped", "brightened")[number % 3]
    with Image.open(work.images / image["file_name"]) as opened:
        pixels = opened.convert("RGB")
    if way == "cropped":
        pixels = pixels.crop((2, 2, pixels.width, pixels.height))
        copy["width"], copy["height"] = pixels.size
        for annotation in work.of(copy):
            _crop_annotation(annotation, 2.0)
    elif way == "brightened":
        pixels = ImageEnhance.Brightness(pixels).enhance(1.03)
    pixels.save(work.images / copy["file_name"], "JPEG", quality=72 if way == "re-encoded" else 90)
    return Planted("near_duplicate", copy["file_name"], None, {"copy_of": image["file_name"], "how": way})


def _crop_annotation(annotation: Row, by: float) -> None:
    """Move an annotation for a crop of `by` pixels on the left and top."""
    x, y, w, h = annotation["bbox"]
    x0, y0 = max(0.0, x - by), max(0.0, y - by)
    annotation["bbox"] = [x0, y0, x + w - by - x0, y + h - by - y0]
    annotation["segmentation"] = [
        [max(0.0, c - by) for c in polygon] for polygon in annotation["segmentation"]
    ]
    if "keypoints" in annotation:
        k = annotation["keypoints"]
        moved = [
            (max(0.0, k[i] - by), max(0.0, k[i + 1] - by), k[i + 2]) if k[i + 2] else (0.0, 0.0, 0)
            for i in range(0, len(k), 3)
        ]
        annotation["keypoints"] = [c for point in moved for c in point]


def _leakage(work: _Work, image: Row, number: int) -> Planted | None:
    camera = str(image["camera"])
    copy = _copy(work, image, scene=f"{camera}-9{number:03d}")
    with Image.open(work.images / image["file_name"]) as opened:
        pixels = ImageEnhance.Brightness(opened.convert("RGB")).enhance(0.98)
    pixels.save(work.images / copy["file_name"], "JPEG", quality=86)
    detail = {"copy_of": image["file_name"], "scene": copy["scene"], "true_scene": image["scene"]}
    return Planted("leakage", copy["file_name"], None, detail)


def _mislabel(work: _Work, image: Row, number: int) -> Planted | None:
    clear = work.clear(image)
    if not clear:
        return None
    annotation = clear[int(work.rng.integers(len(clear)))]
    true = work.class_name(annotation)
    annotation["category_id"] = work.class_id(_CONFUSED_WITH[true])
    return Planted(
        "mislabel", image["file_name"], annotation["id"], {"true_label": true, "label": _CONFUSED_WITH[true]}
    )


def _spoil_box(
    kind: str, work: _Work, image: Row, change: Callable[[list[float], Row], list[float] | None]
) -> Planted | None:
    for annotation in work.clear(image):
        true = [float(v) for v in annotation["bbox"]]
        box = change(list(true), image)
        if box is not None:
            annotation["bbox"] = [round(v, 3) for v in box]
            return Planted(
                kind, image["file_name"], annotation["id"], {"true_bbox": true, "bbox": annotation["bbox"]}
            )
    return None


def _shifted_box(work: _Work, image: Row, number: int) -> Planted | None:
    by = float(work.rng.uniform(0.4, 0.8))

    def shift(box: list[float], row: Row) -> list[float] | None:
        for way in (1, -1):
            x = box[0] + way * by * box[2]
            if x >= 0 and x + box[2] <= row["width"]:
                return [x, *box[1:]]
        return None

    return _spoil_box("shifted_box", work, image, shift)


def _degenerate_box(work: _Work, image: Row, number: int) -> Planted | None:
    thin = float(work.rng.uniform(0.4, 1.8))
    upright = number % 2 == 0
    return _spoil_box(
        "degenerate_box",
        work,
        image,
        lambda b, _: [b[0], b[1], thin, b[3]] if upright else [b[0], b[1], b[2], thin],
    )


def _box_outside(work: _Work, image: Row, number: int) -> Planted | None:
    out = float(work.rng.uniform(0.2, 0.45))

    def push(box: list[float], row: Row) -> list[float] | None:
        width = float(row["width"])
        if box[0] + box[2] / 2 > width * 0.62:
            return [width - box[2] * (1 - out), *box[1:]]
        return [-box[2] * out, *box[1:]] if box[0] + box[2] / 2 < width * 0.38 else None

    return _spoil_box("box_outside", work, image, push)


def _unlabelled(work: _Work, image: Row, number: int) -> Planted | None:
    removed = work.of(image)
    if len(removed) < 3:
        return None
    work.coco["annotations"] = [a for a in work.coco["annotations"] if a["image_id"] != image["id"]]
    return Planted("unlabelled", image["file_name"], None, {"removed": [a["id"] for a in removed]})


def _repaint(
    kind: str, work: _Work, image: Row, change: Callable[[Image.Image], Image.Image], **detail: Any
) -> Planted:
    path = work.images / image["file_name"]
    with Image.open(path) as opened:
        pixels = change(opened.convert("RGB"))
    pixels.save(path, "JPEG", quality=90)
    return Planted(kind, image["file_name"], None, detail)


def _blur(work: _Work, image: Row, number: int) -> Planted | None:
    radius = round(float(work.rng.uniform(3.0, 4.0)), 2)
    return _repaint(
        "blur", work, image, lambda i: i.filter(ImageFilter.GaussianBlur(radius)), radius_px=radius
    )


def _dark(work: _Work, image: Row, number: int) -> Planted | None:
    if image["light"] != "day":
        return None
    return _repaint(
        "dark", work, image, lambda i: i.point([round(v * 0.10) for v in range(256)] * 3), gain=0.10
    )


def _overexposed(work: _Work, image: Row, number: int) -> Planted | None:
    if image["light"] != "day":
        return None
    curve = [min(255, round(v * 2.2 + 75)) for v in range(256)] * 3
    return _repaint("overexposed", work, image, lambda i: i.point(curve), gain=2.2, lift=75)


def _unreadable(work: _Work, image: Row, number: int) -> Planted | None:
    path = work.images / image["file_name"]
    data = path.read_bytes()
    n_bytes = len(data) * 2 // 5 if number % 2 == 0 else 160
    path.write_bytes(data[:n_bytes])
    return Planted("unreadable", image["file_name"], None, {"bytes": n_bytes, "true_bytes": len(data)})


def _missing_licence(work: _Work, image: Row, number: int) -> Planted | None:
    del image["license"]
    return Planted("missing_licence", image["file_name"], None, {"true_licence": "CC0-1.0"})


_PLANTERS: dict[str, Callable[[_Work, Row, int], Planted | None]] = {
    "exact_duplicate": _exact_duplicate,
    "near_duplicate": _near_duplicate,
    "leakage": _leakage,
    "mislabel": _mislabel,
    "shifted_box": _shifted_box,
    "degenerate_box": _degenerate_box,
    "box_outside": _box_outside,
    "unlabelled": _unlabelled,
    "blur": _blur,
    "dark": _dark,
    "overexposed": _overexposed,
    "unreadable": _unreadable,
    "missing_licence": _missing_licence,
}
