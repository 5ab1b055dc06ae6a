"""The pixel steps of a recipe: integer operations of Pillow and NumPy, the same result on every machine."""

from __future__ import annotations

import io
import math

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

from calotype.transform.recipe_sampling import PixelStep


def apply_pixel_step(image: Image.Image, step: PixelStep) -> Image.Image:
    """Apply one pixel step to an RGB image; the size stays the same."""
    values = step.values
    if step.word == "colour":
        return _colour(image, values)
    if step.word == "blur":
        return image.filter(ImageFilter.GaussianBlur(values["sigma_px"]))
    if step.word == "noise":
        return _noise(image, values["sigma"], step.key)
    if step.word == "jpeg":
        return _jpeg(image, round(values["quality"]))
    return image.convert("L").convert("RGB")


def _colour(image: Image.Image, values: dict[str, float]) -> Image.Image:
    if values["brightness"] != 1.0:
        image = ImageEnhance.Brightness(image).enhance(values["brightness"])
    if values["contrast"] != 1.0:
        image = ImageEnhance.Contrast(image).enhance(values["contrast"])
    if values["saturation"] != 1.0:
        image = ImageEnhance.Color(image).enhance(values["saturation"])
    shift = round(values["hue"] * 256 / 360) % 256
    if shift:
        hue, saturation, value = image.convert("HSV").split()
        shifted = hue.point([(level + shift) % 256 for level in range(256)])
        image = Image.merge("HSV", (shifted, saturation, value)).convert("RGB")
    if values["gamma"] != 1.0:
        curve = [round(255 * math.pow(level / 255, values["gamma"])) for level in range(256)]
        image = image.point(curve * 3)
    return image


def _noise(image: Image.Image, sigma: float, key: bytes) -> Image.Image:
    """Add noise made of sums of eight random bytes: close to Gaussian, and integers until the last step."""
    pixels = np.asarray(image, dtype=np.int16)
    numbers = np.random.Philox(key=int.from_bytes(key[:16], "big")).random_raw(pixels.size)
    summed = np.zeros(pixels.size, dtype=np.int16)
    for shift in range(0, 64, 8):
        summed += ((numbers >> np.uint64(shift)) & np.uint64(255)).astype(np.int16)
    unit = math.sqrt(8 * (256**2 - 1) / 12)
    noise = np.rint((summed.astype(np.float64) - 8 * 127.5) * (sigma / unit)).astype(np.int16)
    return Image.fromarray(np.clip(pixels + noise.reshape(pixels.shape), 0, 255).astype(np.uint8))


def _jpeg(image: Image.Image, quality: int) -> Image.Image:
    encoded = io.BytesIO()
    image.save(encoded, "JPEG", quality=quality, subsampling=2)
    with Image.open(io.BytesIO(encoded.getvalue()), formats=["JPEG"]) as decoded:
        return decoded.convert("RGB")
