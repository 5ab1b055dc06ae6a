"""Image quality of files: blur, motion, exposure, contrast, noise, borders and more, one figure each, and their
faults."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from PIL import Image

from calotype.analysis.image_input import ImageInput, bytes_of, rgb_of
from calotype.analysis.validation import refuse
from calotype.vision import images
from calotype.vision.quality import files as file_quality
from calotype.vision.quality import measures as quality

Floats = npt.NDArray[np.float32]
METRICS = {
    **quality.METRICS,
    "jpeg_quality": "1 to 100, from the file's tables: of its last saving; NaN if it is not a JPEG",
    "upright": "1 where pixels lie as they are shown, 0 where EXIF turns them",
    "whole": "1 for a file with its end, 0 where it was cut off",
    "thumbnail": "how well the thumbnail in EXIF fits, -1 to 1; 1 for none, below 0 where it would fit better turned",
    "size": "1 for the median side of the images given, 0.5 for half or twice of it",
}
"""Metric -> what it is. Higher is better, except for `brightness`, `colour` and `aspect`: they have no better end."""

_ALSO = {
    "blur": "sharpness",
    "letterbox": "border",
    "upscaled": "detail",
    "colourfulness": "colour",
    "truncated": "whole",
    "orientation": "upright",
    "overexposure": "over_exposure",
    "underexposure": "under_exposure",
}
NOTES = (*quality.NOTES, "greyscale", "turned", "low_jpeg_quality", "odd_aspect", "odd_size")
"""Names of facts that are not faults."""
_N_PIXEL = len(quality.METRICS)
_GREY = 0.01
_LEAST_ASPECT = 0.2
_LEAST_SIZE = 0.1
_LEAST_THUMBNAIL = 0.5


@dataclass(frozen=True)
class ImageQuality(Mapping[str, Floats]):
    """A mapping from metric to (N,) float32, NaN where an image cannot be read. `blur` is `sharpness`.

    Attributes:
        flags: Fault -> (N,) bool, by one fixed set of limits: `blurred`, `motion_blurred`, `over_exposed`,
            `under_exposed`, `low_contrast`, `noisy`, `single_tone`, `thumbnail_differs`, `truncated`, `unreadable`.
            Asked by its name, a note is answered too.
        notes: Fact that is worth knowing but no fault -> (N,) bool: `upscaled`, `letterboxed`, `greyscale`, `turned`,
            `low_jpeg_quality`, `odd_aspect`, `odd_size`.
        unreadable: Position -> why there are no pixels.
        difference_hash: (N,) uint64 of the upright images, 0 where unreadable.
        sha256: Hexadecimal SHA-256 of each file's bytes (of an array's pixels); empty where there are none.
    """

    scores: Mapping[str, Floats]
    flags: Mapping[str, npt.NDArray[np.bool_]]
    unreadable: Mapping[int, str] = field(default_factory=dict)
    difference_hash: npt.NDArray[np.uint64] = field(default_factory=lambda: np.zeros(0, np.uint64))
    sha256: tuple[str, ...] = ()
    notes: Mapping[str, npt.NDArray[np.bool_]] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Floats:
        return self.scores[_ALSO.get(name, name)]

    def __iter__(self) -> Iterator[str]:
        return iter(self.scores)

    def __len__(self) -> int:
        return len(self.scores)

    @property
    def faulty(self) -> npt.NDArray[np.bool_]:
        """(N,) whether an image has any fault; notes do not count."""
        return np.asarray(np.logical_or.reduce(list(self.flags.values())), dtype=bool)

    @property
    def directions(self) -> dict[str, str]:
        """Metric -> what it is and which way is better."""
        return dict(METRICS)


def image_quality(paths: Sequence[ImageInput]) -> ImageQuality:
    """Measure images; a file that cannot be read is listed and does not raise.

    Args:
        paths: Paths, bytes, or arrays: (H, W, 3) or grey (H, W), uint8 or floats from 0 to 1.
    Returns:
        `ImageQuality`. `sharpness` is the figure for blur: it does not depend on contrast or texture, and a photo
        with one sharp thing counts as sharp; it and `motion` are NaN where too few edges show to judge (a side below
        32 px at the measured size, or no step of 12 grey levels). Images of 600 px and more are judged at half their
        size or less. That an image lies on its side is known from EXIF only.
    Raises: InputsInvalid.
    """
    if isinstance(paths, str | bytes):
        raise refuse("paths", "it is one path", "give a list of paths")
    n = len(paths)
    values = np.full((n, len(METRICS)), np.nan, np.float32)
    hashes = np.zeros(n, np.uint64)
    digests = [""] * n
    unreadable: dict[int, str] = {}
    for number, image in enumerate(paths):
        try:
            measured, digests[number] = _measured(image)
        except images.ImageUnreadable as error:
            unreadable[number] = error.message
            continue
        values[number] = _row(measured)
        hashes[number] = measured.difference_hash
    sides = values[:, -1]
    values[:, -1] = _near_median(sides)
    cut = [number for number, why in unreadable.items() if "truncated" in why or "cut" in why]
    values[cut, list(METRICS).index("whole")] = 0
    scores = {name: values[:, column] for column, name in enumerate(METRICS)}
    hits = _hits(values, unreadable)
    notes = {name: hits.pop(name) for name in NOTES}
    return ImageQuality(scores, _Faults(hits, notes), unreadable, hashes, tuple(digests), notes)


class _Faults(dict[str, npt.NDArray[np.bool_]]):
    """Faults, and by their names notes too, which were among them in earlier versions."""

    def __init__(self, hits: Mapping[str, npt.NDArray[np.bool_]], notes: Mapping[str, npt.NDArray[np.bool_]]):
        super().__init__(hits)
        self._notes = notes

    def __missing__(self, name: str) -> npt.NDArray[np.bool_]:
        return self._notes[name]


def _measured(image: ImageInput) -> tuple[file_quality.FileQuality, str]:
    if isinstance(image, np.ndarray):
        rgb = rgb_of(image)
        return _of_array(rgb), hashlib.sha256(rgb.tobytes()).hexdigest()
    data = bytes_of(image)
    return file_quality.measure(data), hashlib.sha256(data).hexdigest()


def _row(measured: file_quality.FileQuality) -> Floats:
    """A row of values, with the geometric mean of the sides instead of `size`."""
    jpeg, orientation, has_end, thumbnail = measured.file
    width, height = measured.size_wh_px
    rest = [jpeg, orientation == 1, has_end, thumbnail, np.sqrt(width * height)]
    return np.concatenate([measured.pixels, np.asarray(rest, np.float32)])


def _of_array(rgb: npt.NDArray[np.uint8]) -> file_quality.FileQuality:
    pixels = quality.figures(rgb)
    grey = Image.fromarray(rgb).convert("L")
    nothing = np.asarray([np.nan, 1, 1, 1], np.float32)
    return file_quality.FileQuality(pixels, nothing, quality.difference_hash(grey), grey.size)


def _near_median(sides: Floats) -> Floats:
    known = np.isfinite(sides)
    if not known.any():
        return sides
    times = sides / np.median(sides[known])
    return np.asarray(np.minimum(times, 1 / times), np.float32)


def _hits(values: Floats, unreadable: Mapping[int, str]) -> dict[str, npt.NDArray[np.bool_]]:
    limits = quality.Limits()
    of = dict(zip(METRICS, values.T, strict=True))
    with np.errstate(invalid="ignore"):
        hits = {
            **quality.faults(values[:, :_N_PIXEL], limits),
            "low_jpeg_quality": of["jpeg_quality"] < limits.jpeg_quality,
            "turned": of["upright"] == 0,
            "thumbnail_differs": of["thumbnail"] < _LEAST_THUMBNAIL,
            "greyscale": of["colour"] < _GREY,
            "odd_aspect": of["aspect"] < _LEAST_ASPECT,
            "odd_size": of["size"] < _LEAST_SIZE,
        }
        missing = np.zeros(len(values), bool)
        missing[list(unreadable)] = True
        readable = {name: hit & ~missing for name, hit in hits.items()}
        return {**readable, "truncated": of["whole"] == 0, "unreadable": missing}
