"""Changed copies of photos: ours beside perceptual hashes (imagehash).

    uv run benchmarks/quality/near_duplicates.py --data FOLDER     # coco128: 256 photos; copies are made here

For each change, 100 photos are changed and looked for among all. Of the hashes is told how often
the nearest photo is the right one; of ours what its fixed rule flags, and how much of that is right.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from peer import ask, data_folder, python_with
from PIL import Image, ImageEnhance, ImageOps

from calotype.checks import near_duplicates

HASHES = """
import io
import imagehash
from PIL import Image
def hashes(blob, ends):
    parts = np.split(blob, ends[:-1])
    return [[f(Image.open(io.BytesIO(p.tobytes())).convert('RGB'), hash_size=16).hash.ravel() for p in parts]
            for f in (imagehash.phash, imagehash.dhash)]
base = hashes(given['base'], given['base_ends'])
for name in given['names'].tolist():
    for kind, ours, theirs in zip(('phash', 'dhash'), hashes(given[name], given[name + '_ends']), base):
        answer[name + '_' + kind] = (np.asarray(ours)[:, None] != np.asarray(theirs)[None]).sum(axis=2)
"""
CHANGES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "saved at quality 20": lambda image: image,
    "mirrored": ImageOps.mirror,
    "cropped by 15 %": lambda image: image.crop(
        (image.width // 10, image.height // 20, image.width, image.height)
    ),
    "cropped by 30 %": lambda image: image.crop(
        (image.width // 5, image.height // 8, image.width, image.height)
    ),
    "black border": lambda image: ImageOps.expand(image, border=image.width // 12, fill=(0, 0, 0)),
    "lighter": lambda image: ImageEnhance.Brightness(image).enhance(1.3),
    "a third of the size": lambda image: image.resize((image.width // 3, image.height // 3)),
}


def saved(image: Image.Image, quality: int) -> bytes:
    """JPEG bytes."""
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality)
    return out.getvalue()


def packed(files: list[bytes]) -> tuple[np.ndarray, np.ndarray]:
    """Bytes one after another, and where each ends."""
    return np.frombuffer(b"".join(files), np.uint8), np.cumsum([len(file) for file in files])


def main() -> None:
    """Print the table."""
    paths = sorted(Path(data_folder("coco128")).glob("images/*/*.jpg"))
    photos = [Image.open(path).convert("RGB") for path in paths]
    base = [saved(photo, 90) for photo in photos]
    blob, ends = packed(base)
    asked = {"base": blob, "base_ends": ends, "names": np.asarray(list(CHANGES))}
    made = {}
    for name, change in CHANGES.items():
        made[name] = [saved(change(photo), 20 if "quality" in name else 88) for photo in photos[:100]]
        asked[name], asked[f"{name}_ends"] = packed(made[name])
    peer, seconds = ask(python_with("imagehash", "pillow"), HASHES, **asked)
    print(f"{'change':22} {'calotype found / precision':28} {'pHash-256 partner':18} dHash-256 partner")
    began = time.process_time()
    for name, files in made.items():
        found = near_duplicates(files, base)
        pairs = found.pairs[found.flagged]
        hit = (pairs[:, 0] == pairs[:, 1]).sum()
        nearest = [
            (peer[f"{name}_{kind}"].argmin(axis=1) == np.arange(100)).mean() for kind in ("phash", "dhash")
        ]
        mine = f"{hit / 100:.2f} / {hit / max(1, len(pairs)):.3f}"
        print(f"{name:22} {mine:28} {nearest[0]:<18.2f} {nearest[1]:.2f}")
    print(f"calotype {time.process_time() - began:.0f} CPU s, imagehash {seconds:.0f} CPU s")


if __name__ == "__main__":
    main()
