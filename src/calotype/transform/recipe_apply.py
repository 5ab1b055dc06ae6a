"""One recipe on one image with its annotations: arrays in, arrays out, no IO."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from PIL import Image

from calotype.datasets.model import Annotation
from calotype.transform import recipe_labels, recipe_pixels
from calotype.transform.recipe import Keep, Recipe
from calotype.transform.recipe_sampling import Drawn, draw
from calotype.transform.recipe_warp import Affine, warp_image
from calotype.vision import images

LabelSets = Mapping[str, Sequence[Annotation]]


@dataclass(frozen=True, slots=True)
class Applied:
    """What came out: (H, W, 3) uint8 pixels, the annotations that stay, and how many went, by reason."""

    rgb: npt.NDArray[np.uint8]
    annotations: Mapping[str, tuple[Annotation, ...]]
    dropped: Mapping[str, int] = field(default_factory=dict)
    mime: str = ""

    def encode(self, parent_mime: str) -> tuple[bytes, str]:
        """Bytes and type: as the recipe says, else JPEG for a JPEG or WebP parent, PNG for lossless ones."""
        lossy = parent_mime in ("image/jpeg", "image/webp")
        mime = self.mime or ("image/jpeg" if lossy else "image/png")
        if mime == "image/jpeg":
            return images.encode_jpeg(self.rgb, quality=95), mime
        return images.encode_png(self.rgb), mime


def apply_recipe(
    recipe: Recipe,
    rgb: npt.NDArray[np.uint8],
    annotations: LabelSets,
    *,
    media_sha256: str,
    copy: int = 0,
    swaps: recipe_labels.Swaps | None = None,
) -> Applied:
    """Copy number `copy` of an image and its annotations. The annotations keep their ids.

    Args:
        recipe: What to do.
        rgb: Array (H, W, 3) uint8, upright.
        annotations: Those on the image, by label set, in pixels of `rgb`.
        media_sha256: Of the image's bytes; the random numbers depend on it.
        copy: Counted from 0.
        swaps: Class id -> order of its keypoints in a mirror (`recipe_labels.mirror_order`).
    Raises:
        RecipeDoesNotFit.
    """
    size_wh = (rgb.shape[1], rgb.shape[0])
    drawn = draw(recipe, media_sha256=media_sha256, copy=copy, size_wh=size_wh)
    dropped: Counter[str] = Counter()
    kept = {
        name: tuple(_warped(of_set, drawn, size_wh, recipe.keep, swaps or {}, dropped))
        for name, of_set in annotations.items()
    }
    return Applied(warp_pixels(rgb, drawn), kept, dict(dropped), drawn.mime)


def warp_pixels(rgb: npt.NDArray[np.uint8], drawn: Drawn) -> npt.NDArray[np.uint8]:
    """The pixels after all moves and pixel steps: (H, W, 3) uint8 -> (H', W', 3) uint8."""
    image = Image.fromarray(rgb)
    for segment in drawn.segments:
        if segment.affine != Affine() or segment.size_wh != image.size:
            image = warp_image(image, segment.affine, size_wh=segment.size_wh, fill=segment.fill)
    for step in drawn.pixels:
        image = recipe_pixels.change(image, step)
    return np.asarray(image, dtype=np.uint8)


def _warped(
    annotations: Sequence[Annotation],
    drawn: Drawn,
    size_wh: tuple[int, int],
    keep: Keep,
    swaps: recipe_labels.Swaps,
    dropped: Counter[str],
) -> list[Annotation]:
    kept = []
    for annotation in annotations:
        moved = recipe_labels.warp(annotation, drawn.segments, size_wh=size_wh, keep=keep, swaps=swaps)
        if isinstance(moved, str):
            dropped[moved] += 1
        else:
            kept.append(moved)
    return kept
