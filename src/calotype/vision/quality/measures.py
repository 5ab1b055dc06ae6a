"""Image quality from pixels: figures with one meaning each, and which faults they show. Optimised for speed.

Images are measured at their *working size*: an image of 600 px and more is reduced by 2, 4, 8... so that the
figures of a phone's photo and of a web image can be compared. Most figures look at a lattice of pixels. Slight blur
does not survive a reduction by 2, so sharpness is measured at twice the working size where that size leaves a doubt.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from calotype.vision.quality import edges as quality_edges
from calotype.vision.quality import light as quality_light

Rgb = npt.NDArray[np.uint8]
Grey = npt.NDArray[np.uint8]
Figures = npt.NDArray[np.float32]

METRICS = {
    "sharpness": "how abrupt the strongest edges are, 0 to 1, whatever their contrast; NaN where there are too few",
    "motion": "least sharp direction over the one at right angles, 0 to 1: low where the camera or a thing moved",
    "over_exposure": "1 minus the share of pixels with a channel at its upper end",
    "under_exposure": "luma that 1 % of the pixels exceed, 0 to 1: low where even the lights are dark",
    "brightness": "mean luma, 0 to 1; neither end is good",
    "contrast": "luma between the 1st and 99th percentile, 0 to 1",
    "noise": "1 / (1 + strength of the noise), which is about its deviation in grey levels",
    "detail": "energy of the finest detail beside that of the middle, 0 to 1; low where an image was enlarged",
    "border": "share of the image that is left without bars along its sides",
    "colour": "colourfulness in hundredths, 0 to 1; 0 for a grey image",
    "entropy": "of luma, 0 to 1; 0 for a single tone",
    "aspect": "shorter side over longer side",
}
"""Name -> what it is; in this order in a vector of figures."""

_SMALL_PX = 600
_WORKING_SIDE_PX = 512
_HASH_SIDE_PX = 100
_CLEARLY_SHARP = 0.65
"""Photos of 600 px and more that were blurred by 1.5 px are less sharp at their working size."""
_BAR_MARGIN_PX = 2
_SMEARED_SHARPNESS = 0.2
"""What is less sharp was not smeared in one direction: the edges along a smear stay sharp."""
_DECADES = 2.5
"""Powers of ten below the middle of the spectrum at which detail is 0."""


def working_scale(size_wh: tuple[int, int]) -> int:
    """1, 2, 4, 8...: the factor by which an image of this size is reduced before it is measured.

    Its longer side is then below 600 px, or from 300 px (images of 600 px) to 1,023 px.
    """
    longer = max(size_wh)
    return 1 if longer < _SMALL_PX else 1 << max(1, (longer // _WORKING_SIDE_PX).bit_length() - 1)


def finer_scale(size_wh: tuple[int, int]) -> int:
    """The factor by which an image of 600 px and more is reduced to measure its sharpness: half the working scale.

    It is 1, the full size, up to a longer side of 2,047 px.
    """
    return max(1, working_scale(size_wh) // 2)


def figures(rgb: Rgb) -> Figures:
    """(12,) float32 in the order of `METRICS`, of (H, W, 3) uint8 pixels."""
    image = Image.fromarray(rgb)
    working = working_image(image)
    luma = np.asarray(working.convert("L"))
    grey = image.convert("L")

    def finer() -> Grey:
        scale = finer_scale(image.size)
        return np.asarray(grey.reduce(scale) if scale > 1 else grey)

    values, _ = working_figures(working, luma, image.size, finer if working is not image else None)
    values[DETAIL] = detail(np.asarray(grey))
    return values


def working_image(image: Image.Image) -> Image.Image:
    """An image at its working size."""
    scale = working_scale(image.size)
    return image.reduce(scale) if scale > 1 else image


DETAIL = list(METRICS).index("detail")


def working_figures(
    image: Image.Image,
    luma: Grey,
    full_size_wh: tuple[int, int],
    finer: Callable[[], Grey] | None,
) -> tuple[Figures, float]:
    """Figures in the order of `METRICS`, with 1 for the detail, and the mean gradient in grey levels.

    Args:
        image: The image at its working size, mode RGB.
        luma: Its luma, (H, W).
        full_size_wh: Its width and height before it was reduced, in pixels.
        finer: Gives its luma at the size of `finer_scale`; None where the working size is the full one.
    """
    bars = quality_light.bars(luma)
    inner = quality_light.without_bars(luma, bars)
    edges = quality_edges.edges(inner)
    sharpness = edges.sharpness
    if finer is not None and not sharpness >= _CLEARLY_SHARP:
        twice = quality_light.without_bars(finer(), [2 * n + _BAR_MARGIN_PX if n else 0 for n in bars])
        sharpness = float(np.minimum(_CLEARLY_SHARP, quality_edges.sharpness_of(twice, edges.steps)))
    light = quality_light.light(image, luma)
    values = (
        sharpness,
        edges.motion,
        1 - light.clipped,
        light.high,
        light.mean,
        light.high - light.low,
        1 / (1 + quality_edges.noise_strength(inner)),
        1.0,
        inner.size / luma.size,
        min(1.0, light.colourfulness / 100),
        light.entropy_bits / 8,
        min(full_size_wh) / max(full_size_wh),
    )
    return np.asarray(values, dtype=np.float32), edges.gradient


def detail(luma: Grey) -> float:
    """The figure `detail` of (H, W) luma at full size."""
    return float(np.clip(1 + quality_edges.spectrum_tail(luma) / _DECADES, 0, 1))


def difference_hash(grey: Image.Image) -> int:
    """64 bits: which of 9 x 8 neighbouring cells of an image (mode L) gets lighter to the right.

    An image larger than 200 px is subsampled first.

    Source: the difference hash of N. Krawetz, "Kind of like that", 2013.
    """
    thinner = max(1, min(grey.size) // _HASH_SIDE_PX)
    if thinner > 1:
        size = (grey.width // thinner, grey.height // thinner)
        grey = grey.resize(size, Image.Resampling.NEAREST)
    cells = np.asarray(grey.resize((9, 8), Image.Resampling.BOX), dtype=np.int16)
    return int.from_bytes(np.packbits((cells[:, 1:] > cells[:, :-1]).ravel()).tobytes(), "big")


@dataclass(frozen=True, slots=True)
class Limits:
    """Below which figures an image has a fault. Set between photos and their corrupted copies, for all data alike.

    `sharpness` counts in images of some contrast; those of a microscope may be as soft by nature. Below
    `sharpness_alone` it counts by itself. `motion` counts in images below `smeared_sharpness`, since line drawings and
    gratings have edges of one direction too; below `motion_alone` it counts by itself.
    Dark photos of strong colours have clipped channels too, so `over_exposure` counts only in bright ones.
    """

    sharpness: float = 0.26
    sharpness_alone: float = 0.15
    soft_contrast: float = 0.45
    motion: float = 0.55
    smeared_sharpness: float = 0.60
    motion_alone: float = 0.27
    over_exposure: float = 0.60
    over_exposed_brightness: float = 0.50
    under_exposure: float = 0.30
    brightness: float = 0.04
    contrast: float = 0.25
    noise: float = 0.20
    detail: float = 0.48
    border: float = 0.96
    entropy: float = 0.12
    jpeg_quality: float = 35.0


FAULTS = (
    "blurred",
    "motion_blurred",
    "over_exposed",
    "under_exposed",
    "low_contrast",
    "noisy",
    "upscaled",
    "letterboxed",
    "single_tone",
)


NOTES = ("upscaled", "letterboxed")
"""Which of them are facts to know rather than reasons to doubt an image."""


def faults(values: npt.NDArray[np.floating], limits: Limits) -> dict[str, npt.NDArray[np.bool_]]:
    """Fault -> (N,) bool, of (N, 12) figures. An image of a single tone has no other fault.

    A figure that is NaN, which cannot be judged, shows no fault.
    """
    of = {name: values[:, at] for at, name in enumerate(METRICS)}
    single = of["entropy"] < limits.entropy
    moved = (of["motion"] < limits.motion) & (of["sharpness"] < limits.smeared_sharpness)
    moved |= of["motion"] < limits.motion_alone
    moved &= ~(of["sharpness"] < _SMEARED_SHARPNESS)
    soft = (of["sharpness"] < limits.sharpness) & (of["contrast"] > limits.soft_contrast)
    soft |= of["sharpness"] < limits.sharpness_alone
    dark = (of["under_exposure"] < limits.under_exposure) | (of["brightness"] < limits.brightness)
    over = (of["over_exposure"] < limits.over_exposure) & (of["brightness"] > limits.over_exposed_brightness)
    found = {
        "blurred": soft & ~moved,
        "motion_blurred": moved,
        "over_exposed": over,
        "under_exposed": dark,
        "low_contrast": (of["contrast"] < limits.contrast) & ~dark,
        "noisy": of["noise"] < limits.noise,
        "upscaled": (of["detail"] < limits.detail) & ~soft & ~moved,
        "letterboxed": of["border"] < limits.border,
    }
    return {**{name: hit & ~single for name, hit in found.items()}, "single_tone": single}
