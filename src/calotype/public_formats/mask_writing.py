"""Writing folders of masks: a PNG with a palette an image, and `labelmap.txt`."""

from __future__ import annotations

import io
from pathlib import Path, PurePosixPath

import numpy as np
import numpy.typing as npt
from PIL import Image

from calotype.datasets.model import Annotation, Kind, Sample
from calotype.formats.base import ExportSamples, Written
from calotype.formats.notices import Losses
from calotype.foundation.progress import Progress
from calotype.public_formats.colour_maps import HEAD, LABELMAP, colour_of, is_nothing
from calotype.public_formats.writing import (
    FileWriter,
    WrittenClassNames,
    is_labelled,
    lose_annotation,
    lose_sample,
)
from calotype.vision import images as vision
from calotype.vision import masks
from calotype.vision.polygons import rasterise

_MOST_OF_PALETTE = 254
"""Number 0 is nothing, and 255 is void for many readers."""


def write_masks(samples: ExportSamples, out: Path, progress: Progress) -> Written:
    """Write images, masks and the list of colours; the same input gives the same bytes."""
    losses, files, n_annotations = Losses(), FileWriter(out), 0
    classes = [(c.id, c.name) for c in samples.ontology.classes]
    number_of = {identity: at for at, (identity, _) in enumerate(classes, 1)}
    names = WrittenClassNames(classes, losses, _class_text, "`:` and line breaks are written as `_`")
    is_indexed = len(classes) <= _MOST_OF_PALETTE
    for done, (sample, labels) in enumerate(samples.items(), 1):
        place = samples.file_name(sample)
        folder = f"{sample.split}/" if sample.split else ""
        files.image(samples, sample, f"images/{folder}{place}")
        numbers, n_drawn = _painted(sample, labels, number_of, losses)
        n_annotations += n_drawn
        if is_labelled(sample, range(n_drawn)):
            stem = PurePosixPath(place).with_suffix("").as_posix()
            files.data(f"masks/{folder}{stem}.png", _png(numbers, is_indexed=is_indexed))
        lose_sample(losses, sample)
        progress("writing masks", done, samples.n_samples)
    lines = [f"{HEAD}:parts:actions", "background:0,0,0::"]
    lines += [f"{names[c]}:{','.join(map(str, colour_of(number_of[c])))}::" for c, _ in classes]
    files.text(LABELMAP, "\n".join([*lines, ""]))
    return Written(files.listed(), samples.n_samples, n_annotations, losses.listed())


def _painted(
    sample: Sample, labels: list[Annotation], number_of: dict[int, int], losses: Losses
) -> tuple[npt.NDArray[np.uint32], int]:
    """(H, W) numbers of classes, larger masks below smaller ones, and how many annotations were drawn."""
    size_hw = (sample.height_px, sample.width_px)
    numbers = np.zeros(size_hw, np.uint32)
    n_drawn = 0
    seen: set[int] = set()
    parts = [(a, part) for a in labels if (part := _pixels(a, size_hw, sample, losses)) is not None]
    for a, part in sorted(parts, key=lambda pair: -int(pair[1].sum())):
        number = number_of[a.class_id]
        lose_annotation(losses, a, sample.name)
        if (numbers[part] != 0).any() and (numbers[part] != number).any():
            losses.add("pixels that another mask covers", sample.name)
        if number in seen:
            losses.add("instances of a class (they are one mask)", sample.name)
        seen.add(number)
        numbers[part] = number
        n_drawn += 1
    return numbers, n_drawn


def _pixels(
    a: Annotation, size_hw: tuple[int, int], sample: Sample, losses: Losses
) -> npt.NDArray[np.bool_] | None:
    """(H, W) the pixels of an annotation; None where it has none that a mask can show."""
    part: npt.NDArray[np.bool_] | None = None
    if a.kind is Kind.MASK and a.mask_size_hw == size_hw:
        part = masks.decode(masks.from_string(a.mask_rle, size_hw))
    elif a.kind in (Kind.POLYGON, Kind.ROTATED_BOX):
        part = rasterise(a.rings_px, size_hw=size_hw)
        losses.add(f"shape of a {a.kind} (drawn as pixels)", sample.name)
    if part is None:
        losses.add(f"annotation of kind {a.kind}", sample.name)
    elif not part.any():
        losses.add("shape without a pixel", sample.name)
        return None
    return part


def _png(numbers: npt.NDArray[np.uint32], *, is_indexed: bool) -> bytes:
    """A PNG with a palette; with more classes than a palette holds, one in colour."""
    colours = [colour_of(number) for number in range(256 if is_indexed else int(numbers.max()) + 1)]
    if not is_indexed:
        return vision.encode_png(np.array(colours, np.uint8)[numbers])
    height, width = numbers.shape
    image = Image.frombytes("P", (width, height), numbers.astype(np.uint8).tobytes())
    image.putpalette([value for colour in colours for value in colour])
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=6)
    return out.getvalue()


def _class_text(name: str) -> str:
    text = "_".join(name.split("\n")).replace(":", "_").replace("\r", "_")
    text = text.strip().lstrip("#")
    return f"_{text}" if is_nothing(text) else text
