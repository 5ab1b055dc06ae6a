"""Masks of FiftyOne: inside a label as a compressed array, or in an image of their own that `mask_path` names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from calotype.formats.fields import BadItem, text
from calotype.formats.image_files import MAX_IMAGE_BYTES
from calotype.formats.image_finder import stated_path
from calotype.foundation.durable import read_file
from calotype.tool_formats import shapes
from calotype.tool_formats.collected import Collected, Facts
from calotype.tool_formats.mask_runs import array_values, image_numbers

_MAX_CLASSES = 4_096
_NOTHING = frozenset({"background", "void", "unlabeled", "unlabelled"})


def values_of(one: Mapping[str, Any], where: str, collected: Collected) -> npt.NDArray[Any] | None:
    """The (H, W) values of a label's mask, a colour as the number of its `#rrggbb`. None without one.

    Raises: BadItem.
    """
    written = one.get("mask")
    if isinstance(written, dict):
        binary = written.get("$binary")
        written = binary.get("base64") if isinstance(binary, dict) else binary
    if written is not None:
        return array_values(text(written, "mask"))
    if not one.get("mask_path"):
        return None
    stated = stated_path(text(one["mask_path"], "mask_path"))
    path = collected.search.find(stated) if stated else None
    data = read_file(path, max_bytes=MAX_IMAGE_BYTES) if path is not None else None
    if data is None:
        collected.notices.add("value-dropped", where, what="mask whose file is not there: left out")
    return None if data is None else image_numbers(data)


def add_classes(
    one: Mapping[str, Any], targets: Mapping[str, Any], key: str, where: str, collected: Collected
) -> None:
    """Add a mask for each value of a segmentation but 0, named by the targets of its field. Raises: BadItem."""
    values = values_of(one, where, collected)
    size = collected.size_of(key)
    if values is None or values.dtype.kind not in "bui":
        raise BadItem("it has no mask of whole numbers that is there")
    if values.shape != size[::-1]:
        height, width = values.shape
        raise BadItem(f"its mask is {width}x{height}, not of the size of its image")
    numbers = [number for number in np.unique(values).tolist() if number]
    if len(numbers) > _MAX_CLASSES:
        raise BadItem(f"its mask has {len(numbers):,} values; it is not a mask of classes")
    for number in numbers:
        name = targets.get(str(number)) or targets.get(f"#{number:06x}")
        if not isinstance(name, str) or not name.strip():
            collected.notices.add("class-unnamed", where)
            name = f"class-{number}"
        if name.lower() not in _NOTHING:
            collected.add(key, name, shapes.mask(values == number, (0, 0), size), where, Facts())
