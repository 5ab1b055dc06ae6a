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
from calotype.transform.recipe_sampling import ResolvedRecipe, resolve
from calotype.transform.recipe_warp import Affine, warp_image
from calotype.vision import images

LabelSets = Mapping[str, Sequence[Annotation]]


@dataclass(frozen=True, slots=True)
class Applied:
    """The result: (H, W, 3) uint8 pixels, the annotations kept, and the number dropped by reason."""

    rgb: npt.NDArray[np.uint8]
    annotations: Mapping[str, tuple[Annotation, ...]]
    dropped: Mapping[str, int] = field(default_factory=dict)
    mime: str = ""

    def encode(self, parent_mime: str) -> tuple[bytes, str]:
        """Bytes and MIME type: the recipe's, else JPEG for a JPEG or WebP parent and PNG for any other."""
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
    """Make copy number `copy` of an image and its annotations. The annotations keep their ids.

    Args:
        recipe: The recipe.
        rgb: Array (H, W, 3) uint8, EXIF orientation applied.
        annotations: The annotations of the image by label set, in pixels of `rgb`.
        media_sha256: SHA-256 of the image's bytes; random values depend on it.
        copy: Number of the copy, from 0.
        swaps: Class id -> order of its keypoints in a mirror (`recipe_plan.mirror_orders`).
    Raises:
        RecipeDoesNotFit.
    """
    size_wh = (rgb.shape[1], rgb.shape[0])
    resolved = resolve(recipe, media_sha256=media_sha256, copy=copy, size_wh=size_wh)
    dropped: Counter[str] = Counter()
    kept = {
        name: tuple(_warp_labels(of_set, resolved, size_wh, recipe.keep, swaps or {}, dropped))
        for name, of_set in annotations.items()
    }
    return Applied(warp_pixels(rgb, resolved), kept, dict(dropped), resolved.mime)


def warp_pixels(rgb: npt.NDArray[np.uint8], resolved: ResolvedRecipe) -> npt.NDArray[np.uint8]:
    """Apply all segments and pixel steps: (H, W, 3) uint8 -> (H', W', 3) uint8."""
    image = Image.fromarray(rgb)
    for segment in resolved.segments:
        if segment.affine != Affine() or segment.size_wh != image.size:
            image = warp_image(image, segment.affine, size_wh=segment.size_wh, fill=segment.fill)
    for step in resolved.pixel_steps:
        image = recipe_pixels.apply_pixel_step(image, step)
    return np.asarray(image, dtype=np.uint8)


def _warp_labels(
    annotations: Sequence[Annotation],
    resolved: ResolvedRecipe,
    size_wh: tuple[int, int],
    keep: Keep,
    swaps: recipe_labels.Swaps,
    dropped: Counter[str],
) -> list[Annotation]:
    kept = []
    for annotation in annotations:
        warped = recipe_labels.warp(annotation, resolved.segments, size_wh=size_wh, keep=keep, swaps=swaps)
        if isinstance(warped, str):
            dropped[warped] += 1
        else:
            kept.append(warped)
    return kept
