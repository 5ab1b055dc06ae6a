"""Image quality of files: blur, motion, exposure, contrast, noise, borders and more, one figure each, and what is at
fault."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from calotype.checks.methods.given import refuse
from calotype.checks.methods.pictures import Picture, bytes_of, rgb_of
from calotype.vision import images, quality

Floats = npt.NDArray[np.float32]
METRICS = {
    **quality.METRICS,
    "jpeg_quality": "1 to 100, from the file's tables; NaN where it is no JPEG",
    "upright": "1 where pixels lie as they are shown, 0 where EXIF turns them",
}
"""Metric -> what it is. Higher is better of all but `brightness`, `colour` and `aspect`, which have no good end."""


@dataclass(frozen=True)
class ImageQuality(Mapping[str, Floats]):
    """A mapping from metric to (N,) float32, NaN where an image cannot be read.

    Attributes:
        flags: Fault -> (N,) bool, by one fixed set of limits: `blurred`, `motion_blurred`, `over_exposed`,
            `under_exposed`, `low_contrast`, `noisy`, `upscaled`, `letterboxed`, `single_tone`, `low_jpeg_quality`,
            `turned`, `truncated`, `unreadable`.
        unreadable: Position -> why there are no pixels.
    """

    scores: Mapping[str, Floats]
    flags: Mapping[str, npt.NDArray[np.bool_]]
    unreadable: Mapping[int, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Floats:
        return self.scores[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.scores)

    def __len__(self) -> int:
        return len(self.scores)

    @property
    def directions(self) -> dict[str, str]:
        """Metric -> what it is and which way is better."""
        return dict(METRICS)


def image_quality(paths: Sequence[Picture]) -> ImageQuality:
    """Measure images; a file that cannot be read is told, never raised.

    Args:
        paths: Paths, bytes, or (H, W, 3) uint8 arrays.
    Returns:
        `ImageQuality`. `sharpness` is the figure for blur: it does not depend on contrast or texture, and a photo
        with one sharp thing counts as sharp. JPEGs larger than 1,280 px are judged at a half or less, down to 640 px.
    Raises: InputsInvalid.
    """
    if isinstance(paths, str | bytes):
        raise refuse("paths", "it is one path", "give a list of paths")
    n = len(paths)
    values = np.full((n, len(METRICS)), np.nan, np.float32)
    unreadable: dict[int, str] = {}
    for at, picture in enumerate(paths):
        try:
            values[at] = _measured(picture)
        except images.ImageUnreadable as error:
            unreadable[at] = error.message
    scores = {name: values[:, column] for column, name in enumerate(METRICS)}
    return ImageQuality(scores, _flags(values, unreadable), unreadable)


def _measured(picture: Picture) -> Floats:
    if isinstance(picture, np.ndarray):
        return np.append(quality.figures(rgb_of(picture)), np.asarray([np.nan, 1], np.float32))
    data = bytes_of(picture)
    judged = images.decode_to_judge(data, min_side_px=quality.SHARP_SIDE_PX, step=quality.STRIDE)
    saved = quality.jpeg_quality(judged.luma_divisors)
    more = np.asarray([saved, float(judged.facts.orientation == 1)], np.float32)
    return np.append(quality.figures_of(judged.luma, judged.coarse), more)


def _flags(values: Floats, unreadable: Mapping[int, str]) -> dict[str, npt.NDArray[np.bool_]]:
    limits = quality.Limits()
    with np.errstate(invalid="ignore"):
        found = quality.faults(values, limits)
        found["low_jpeg_quality"] = values[:, len(quality.METRICS)] < limits.jpeg_quality
        found["turned"] = values[:, len(quality.METRICS) + 1] == 0
    missing = np.zeros(len(values), bool)
    missing[list(unreadable)] = True
    cut = np.zeros(len(values), bool)
    cut[[at for at, why in unreadable.items() if "truncated" in why or "cut" in why]] = True
    readable = {name: hit & ~missing for name, hit in found.items()}
    return {**readable, "truncated": cut, "unreadable": missing}
