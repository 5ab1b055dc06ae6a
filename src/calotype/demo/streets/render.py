"""Draws one image with its truth, from a seed and a number.

Every image is decided by (seed, index): the same pair gives the same bytes on the same Pillow and NumPy.
Four frames in a row share a scene (`metadata["scene"]`), so a fair split keeps a scene on one side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from calotype.demo.streets.backdrop import Backdrop, backdrop
from calotype.demo.streets.camera import HEIGHT, WIDTH, Array
from calotype.demo.streets.draw import Drawing, Glow, casts_shadow, drawings
from calotype.demo.streets.finish import finish
from calotype.demo.streets.layout import FRAME_SECONDS, FRAMES_PER_SCENE, Plan, generator, plan
from calotype.demo.streets.paint import MASK_SCALE, Rgb, Sprite
from calotype.demo.streets.truth import StreetObject, extent_of, outlines

CLASSES: tuple[tuple[str, str], ...] = (
    ("car", "vehicle"),
    ("truck", "vehicle"),
    ("bus", "vehicle"),
    ("motorcycle", "vehicle"),
    ("bicycle", "vehicle"),
    ("person", "person"),
    ("dog", "animal"),
    ("traffic light", "outdoor"),
)
"""Class names with their supercategories, in the order of their ids."""
MIN_VISIBLE, MIN_SIDE_PX = 0.35, 12.0
"""Things less visible or smaller (longer side, pixels) than this are not in the truth."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One image with its truth.

    Args:
        image: (600, 960, 3) uint8, RGB.
        objects: Visible labelled things, far to near.
        metadata: light, weather, camera, scene, captured_at (ISO 8601, UTC), luma (mean 0 to 255).
    """

    image: NDArray[np.uint8]
    objects: tuple[StreetObject, ...]
    metadata: dict[str, str | float]


def render(seed: int, index: int) -> Scene:
    """Draw image `index` of the series `seed`.

    Args:
        seed: Any non-negative integer; another seed gives other streets.
        index: 0 and up; frames 4k to 4k + 3 show the same scene, 1.2 seconds apart.
    """
    scene, frame = divmod(index, FRAMES_PER_SCENE)
    p = plan(seed, scene)
    seconds = frame * FRAME_SECONDS
    pairs = drawings(p, seconds)
    drawn, sprites = [d for d, _ in pairs], [s for _, s in pairs]
    canvas, ids = _compose(p, backdrop(seed, scene), drawn, sprites)
    lights = [_seen(g, ids, i + 1) for i, d in enumerate(drawn) for g in d.glows if _shines(ids, i + 1, g.at)]
    image = finish(canvas, lights, p.light, generator(p.seed, 10, frame))
    objects = tuple(o for i, d in enumerate(drawn) if (o := _truth(d, sprites[i], ids, i + 1)) is not None)
    return Scene(
        image,
        objects,
        {
            "light": p.light.time,
            "weather": p.light.weather,
            "camera": p.camera.name,
            "scene": p.scene,
            "captured_at": (p.started_at + timedelta(seconds=seconds)).isoformat(timespec="milliseconds"),
            "luma": round(_luma(image), 2),
        },
    )


def _luma(image: NDArray[np.uint8]) -> float:
    """Mean brightness, 0 to 255, of every third row."""
    rows = image.reshape(HEIGHT, -1)[1::3]
    red, green, blue = rows.mean(axis=0, dtype=np.float32).reshape(-1, 3).mean(axis=0)
    return float(0.299 * red + 0.587 * green + 0.114 * blue)


def _compose(
    p: Plan, empty: Backdrop, drawn: Sequence[Drawing], sprites: Sequence[Sprite]
) -> tuple[Image.Image, NDArray[np.uint8]]:
    """The image without lights in the air, and which drawing is seen where (0 none), at `MASK_SCALE`."""
    canvas = empty.canvas.copy()
    _cast_shadows(canvas, p, drawn)
    _beams(canvas, drawn)
    if p.light.wet > 0.5:
        for d, s in zip(drawn, sprites, strict=True):
            _reflect(canvas, empty.mirror, d, s)
    ids = np.zeros((HEIGHT * MASK_SCALE, WIDTH * MASK_SCALE), dtype=np.uint8)
    for i, s in enumerate(sprites):
        canvas.paste(s.canvas, s.corner, s.canvas)
        x, y = s.corner[0] * MASK_SCALE, s.corner[1] * MASK_SCALE
        ids[y : y + s.mask.shape[0], x : x + s.mask.shape[1]][s.mask] = i + 1
    return canvas, ids


def _cast_shadows(canvas: Image.Image, p: Plan, drawn: Sequence[Drawing]) -> None:
    """Shadows lie on the ground, so only rows below the horizon are looked at, and at half size: all are soft."""
    top = max(0, min(HEIGHT - 2, int(p.camera.horizon))) // 2 * 2
    size = (WIDTH // 2, (HEIGHT - top) // 2)
    soft = Image.new("L", size)
    pen = ImageDraw.Draw(soft)
    for d in drawn:
        for patch in d.contact:
            pen.polygon([(x / 2, (y - top) / 2) for x, y in patch], fill=165)
    soft = soft.reduce(2).filter(ImageFilter.GaussianBlur(1.1)).resize(size, Image.Resampling.BILINEAR)
    lit = [d for d in drawn if d.shadows and casts_shadow(p.light, d.shadow_strength)]
    if lit:
        hard = Image.new("L", (WIDTH, HEIGHT))
        pen = ImageDraw.Draw(hard)
        for d in sorted(lit, key=lambda d: d.shadow_strength):
            tone = int(255 * p.light.shadow * d.shadow_strength)
            for shape in d.shadows:
                pen.polygon(shape, fill=tone)
        soft = ImageChops.lighter(soft, hard.reduce(2, (0, top, WIDTH, HEIGHT)))
    _tint(canvas, (16, 18, 32), soft, 2, top)


def _beams(canvas: Image.Image, drawn: Sequence[Drawing]) -> None:
    beams = [b for d in drawn for b in d.beams]
    if not beams:
        return
    sheet = Image.new("L", (WIDTH // 4, HEIGHT // 4), 0)
    pen = ImageDraw.Draw(sheet)
    for beam in beams:
        pen.polygon([(x / 4, y / 4) for x, y in beam], fill=64)
    _tint(canvas, (255, 240, 205), sheet.filter(ImageFilter.GaussianBlur(3)), 4, 0)


def _tint(canvas: Image.Image, colour: Rgb, sheet: Image.Image, scale: int, top: int) -> None:
    """Lay a colour over the canvas from row `top` down, as strongly as a sheet `scale` times smaller says."""
    box = sheet.getbbox()
    if box is None:
        return
    x0, y0 = max(0, box[0] - 1), max(0, box[1] - 1)
    x1, y1 = min(sheet.width, box[2] + 1), min(sheet.height, box[3] + 1)
    piece = sheet.resize(((x1 - x0) * scale, (y1 - y0) * scale), Image.Resampling.BILINEAR, (x0, y0, x1, y1))
    canvas.paste(colour, (x0 * scale, top + y0 * scale, x1 * scale, top + y1 * scale), piece)


def _reflect(canvas: Image.Image, mirror: Image.Image, d: Drawing, s: Sprite) -> None:
    width, height = s.canvas.size
    top = round(2 * d.base - (s.corner[1] + height))
    flipped = s.canvas.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    flipped = flipped.resize((width, max(1, height // 7)), Image.Resampling.BOX).resize(
        (width, height), Image.Resampling.BILINEAR
    )
    room = mirror.crop((s.corner[0], top, s.corner[0] + width, top + height))
    canvas.paste(flipped, (s.corner[0], top), ImageChops.multiply(flipped.getchannel("a"), room))


def _shines(ids: NDArray[np.uint8], own: int, point: tuple[float, float]) -> bool:
    """Whether a lamp is in the frame and nothing else stands before it."""
    x, y = int(point[0] * MASK_SCALE), int(point[1] * MASK_SCALE)
    if not (0 <= x < ids.shape[1] and 0 <= y < ids.shape[0]):
        return -60 < point[0] < WIDTH + 60 and -60 < point[1] < HEIGHT
    near = ids[max(0, y - 3) : y + 4, max(0, x - 3) : x + 4]
    return bool((near == own).any())


def _seen(glow: Glow, ids: NDArray[np.uint8], own: int) -> Glow:
    """The same light, without its streak on the road where something else stands on that spot."""
    if glow.foot is None:
        return glow
    x, y = int(glow.at[0] * MASK_SCALE), int(glow.foot * MASK_SCALE)
    inside = 0 <= x < ids.shape[1] and 0 <= y < ids.shape[0]
    return replace(glow, foot=None) if inside and ids[y, x] not in (0, own) else glow


def _truth(d: Drawing, s: Sprite, ids: NDArray[np.uint8], own: int) -> StreetObject | None:
    if d.label is None:
        return None
    x, y = s.corner[0] * MASK_SCALE, s.corner[1] * MASK_SCALE
    seen = ids[y : y + s.mask.shape[0], x : x + s.mask.shape[1]] == own
    box = extent_of(seen, s.corner)
    area = float(seen.sum()) / MASK_SCALE**2
    if (
        box is None
        or area < MIN_VISIBLE * s.full_area * min(1.0, s.inside * 2)
        or max(box[2], box[3]) < MIN_SIDE_PX
    ):
        return None
    if s.inside < MIN_VISIBLE:
        return None
    keypoints = () if d.keypoints is None or d.label != "person" else _keypoints(d.keypoints, ids, own)
    return StreetObject(
        d.label,
        box,
        outlines(seen, s.corner),
        area,
        round(1 - area / max(s.full_area, 1e-9), 4),
        bool(s.inside < 0.985),
        keypoints,
        dict(d.attributes),
    )


def _keypoints(points: Array, ids: NDArray[np.uint8], own: int) -> tuple[tuple[float, float, int], ...]:
    keypoints: list[tuple[float, float, int]] = []
    for x, y, shown in points.tolist():
        if not (0 <= x < WIDTH and 0 <= y < HEIGHT):
            keypoints.append((0.0, 0.0, 0))
            continue
        seen = ids[int(y * MASK_SCALE), int(x * MASK_SCALE)] == own
        keypoints.append((round(x, 2), round(y, 2), 2 if seen and shown else 1))
    return tuple(keypoints)
