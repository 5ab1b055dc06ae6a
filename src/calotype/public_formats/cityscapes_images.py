"""The images of label ids and instance ids of Cityscapes, drawn from polygons as its scripts draw them.

Source: labels, json2labelImg and json2instanceImg of cityscapesScripts. Only the classes of its list have an id; pixels
that no polygon of such a class covers are 0 (unlabeled). An instance is id * 1000 + its number in the image, where the
class has instances and the polygon stands for one object.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

_NAMES = (
    "unlabeled", "ego vehicle", "rectification border", "out of roi", "static", "dynamic", "ground", "road",
    "sidewalk", "parking", "rail track", "building", "wall", "fence", "guard rail", "bridge", "tunnel", "pole",
    "polegroup", "traffic light", "traffic sign", "vegetation", "terrain", "sky", "person", "rider", "car", "truck",
    "bus", "caravan", "trailer", "train", "motorcycle", "bicycle",
)  # fmt: skip
LABEL_IDS = {name: at for at, name in enumerate(_NAMES)}
"""Name -> id, from 0."""
_FIRST_WITH_INSTANCES = LABEL_IDS["person"]
Painted = tuple[str, bool, Sequence[float]]
"""Class name, whether it stands for a group, and the flat points of a polygon."""


def id_images(polygons: Sequence[Painted], size_wh: tuple[int, int]) -> tuple[bytes, bytes]:
    """PNG of label ids (8 bits) and PNG of instance ids (16 bits), later polygons over earlier ones."""
    labels, instances = Image.new("L", size_wh), Image.new("I", size_wh)
    draw_label, draw_instance = ImageDraw.Draw(labels), ImageDraw.Draw(instances)
    counts: Counter[int] = Counter()
    for name, is_group, ring in polygons:
        label = LABEL_IDS.get(name)
        if label is None:
            continue
        points = list(zip(ring[::2], ring[1::2], strict=True))
        instance = label
        if label >= _FIRST_WITH_INSTANCES and not is_group:
            instance = label * 1_000 + counts[label]
            counts[label] += 1
        draw_label.polygon(points, fill=label)
        draw_instance.polygon(points, fill=instance)
    wide = Image.fromarray(np.minimum(np.asarray(instances), 65_535).astype(np.uint16))
    return _png(labels), _png(wide)


def _png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=6)
    return out.getvalue()
