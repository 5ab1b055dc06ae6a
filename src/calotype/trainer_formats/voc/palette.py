"""The colours of Pascal VOC, and which class each stands for. Source: the colour map of the VOC2012 development kit."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from calotype.formats.image_tree import ImageTree

VOID = 255
VOC_CLASSES = (
    "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow", "diningtable", "dog",
    "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor",
)  # fmt: skip
LABEL_MAP = "labelmap.txt"
_MAX_BYTES = 1_000_000


def colour_map() -> npt.NDArray[np.uint8]:
    """(256, 3) RGB: the bits of a number, three at a time, from the highest bit of each channel down."""
    numbers = np.arange(256)
    colours = np.zeros((256, 3), np.uint8)
    for bit in range(8):
        for channel in range(3):
            colours[:, channel] |= ((numbers >> (3 * bit + channel) & 1) << (7 - bit)).astype(np.uint8)
    return colours


def colour_number(colour: tuple[int, int, int]) -> int:
    """A colour as one number, as `decode_numbers` gives it."""
    return colour[0] + 256 * colour[1] + 65_536 * colour[2]


def indexes_of_colours(numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Indexes of the colour map for colours; -1 where it has none."""
    known = np.array([colour_number(tuple(c)) for c in colour_map().astype(int).tolist()])
    order = np.argsort(known)
    place = np.clip(np.searchsorted(known[order], numbers), 0, 255)
    return np.where(known[order][place] == numbers, order[place], -1)


def class_names(tree: ImageTree, root: str) -> tuple[dict[int, str], dict[int, str]]:
    """Index -> class and colour number -> class: of `labelmap.txt` where it is there, else the 20 of Pascal VOC.

    A line of the file is `name:r,g,b:parts:actions`; lines count from 0, which is the background.
    """
    path = f"{root}/{LABEL_MAP}" if root else LABEL_MAP
    text = tree.head(path, _MAX_BYTES).decode("utf-8", "replace")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    colours = colour_map().astype(int).tolist()
    if not lines:
        named = dict(enumerate(VOC_CLASSES, 1))
        return named, {colour_number(tuple(colours[index])): name for index, name in named.items()}
    by_index, by_colour = {}, {}
    for index, line in enumerate(lines):
        name, _, rest = line.partition(":")
        if name.strip().lower() in ("background", "void", "ignored"):
            continue
        by_index[index] = name.strip()
        values = rest.partition(":")[0].split(",")
        if len(values) == 3 and all(value.strip().isdecimal() and len(value) < 5 for value in values):
            by_colour[colour_number((int(values[0]), int(values[1]), int(values[2])))] = name.strip()
    return by_index, by_colour


def label_map(names: list[str]) -> str:
    """The text of `labelmap.txt` for classes that count from 1."""
    colours = colour_map().astype(int).tolist()
    lines = ["# label:color_rgb:parts:actions", "background:0,0,0::"]
    lines += [f"{name}:{','.join(map(str, colours[at]))}::" for at, name in enumerate(names, 1)]
    return "\n".join([*lines, ""])
