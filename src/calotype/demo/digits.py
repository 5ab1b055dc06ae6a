"""Real handwriting for the second demo: the digits that come with scikit-learn, as image folders by class.

The source is `sklearn.datasets.load_digits`: the 1,797 digits, test half, of UCI's "Optical Recognition of
Handwritten Digits" (Alpaydin and Kaynak 1998, CC BY 4.0), each 8 x 8 with 17 grey levels. They are enlarged
to 64 x 64, white on black, to be viewable; that adds pixels, not detail.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from calotype.demo.faults import Planted

SIDE = 64
_SEED = 20251103
_CONFUSED_WITH = {0: 6, 1: 7, 2: 7, 3: 8, 4: 9, 5: 3, 6: 0, 7: 1, 8: 3, 9: 4}


@dataclass(frozen=True, slots=True)
class DigitsTruth:
    """The result: the folder, the number of files including copies, and the planted faults."""

    folder: Path
    n_images: int
    planted: tuple[Planted, ...]


def write(
    folder: Path,
    *,
    mislabels: int = 18,
    duplicates: int = 4,
    progress: Callable[[int, int], None] | None = None,
) -> DigitsTruth:
    """Write `folder/images/<class>/digit-NNNN.png`, some in the folder of a wrong class, and `planted.json`.

    Args:
        folder: Created if it does not exist; files of the same name are replaced.
        mislabels: Number of files put in the folder of a similar digit.
        duplicates: Number of files copied under another name in the same folder.
        progress: Called with (done, total) from time to time, and at the end.
    """
    from sklearn.datasets import load_digits  # heavy; only this demo needs it

    source = load_digits()
    grey = np.clip(source.images * (255 / 16), 0, 255).astype(np.uint8)
    classes = [int(c) for c in source.target]
    rng = np.random.default_rng(_SEED)
    wrong = set(rng.permutation(len(classes))[:mislabels].tolist())
    planted: list[Planted] = []
    images = folder / "images"
    for digit in range(10):
        (images / str(digit)).mkdir(parents=True, exist_ok=True)
    for i, true in enumerate(classes):
        given = _CONFUSED_WITH[true] if i in wrong else true
        name = f"{given}/digit-{i:04d}.png"
        big = Image.fromarray(grey[i]).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
        big.save(images / name, compress_level=1)
        if i in wrong:
            planted.append(Planted("mislabel", name, None, {"true_label": str(true), "label": str(given)}))
        if progress is not None and (i % 100 == 99 or i + 1 == len(classes)):
            progress(i + 1, len(classes))
    planted += _duplicates(images, classes, wrong, duplicates, rng)
    (folder / "planted.json").write_text(
        json.dumps([p.as_dict() for p in planted], indent=1), encoding="utf-8"
    )
    return DigitsTruth(folder, len(classes) + duplicates, tuple(planted))


def _duplicates(
    images: Path, classes: list[int], wrong: set[int], count: int, rng: np.random.Generator
) -> list[Planted]:
    planted: list[Planted] = []
    for i in rng.permutation(len(classes)).tolist():
        if len(planted) == count:
            break
        if i not in wrong:
            name = f"{classes[i]}/digit-{i:04d}.png"
            copy = f"{classes[i]}/digit-{len(classes) + len(planted):04d}.png"
            shutil.copyfile(images / name, images / copy)
            planted.append(Planted("exact_duplicate", copy, None, {"copy_of": name}))
    return planted
