"""Changed copies of photos: ours beside perceptual hashes (imagehash).

    uv run benchmarks/quality/near_duplicates.py --data FOLDER     # coco128: 256 photos; copies are made here
    uv run benchmarks/quality/near_duplicates.py --list PAIRS.csv  # pairs that people call copies: two paths a row

With a list, every other image of the folders that it names is searched too. Printed are the average precision of
"has a copy" over the images, and how often the best partner is one of those in the list.

For each change, 100 photos are changed and looked for among all. For the hashes it prints how often
the nearest photo is the right one; of ours what its fixed rule flags, and how much of that is right.
"""

from __future__ import annotations

import csv
import io
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from peer import ask, data_folder, python_with
from PIL import Image, ImageEnhance, ImageOps
from sklearn.metrics import average_precision_score

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


PARTNERS = """
import imagehash
from PIL import Image
def bits(path):
    return imagehash.phash(Image.open(path).convert('RGB'), hash_size=16).hash.ravel()
bits = np.asarray([bits(path) for path in given['paths'].tolist()])
signs = bits.astype(np.float32) * 2 - 1
for start in range(0, len(signs), 1000):
    alike = signs[start:start + 1000] @ signs.T
    alike[np.arange(len(alike)), np.arange(start, start + len(alike))] = -999
    answer.setdefault('best', []).append(alike.max(axis=1))
    answer.setdefault('partner', []).append(alike.argmax(axis=1))
answer = {name: np.concatenate(parts) for name, parts in answer.items()}
"""


def by_list(file: Path) -> None:
    """Print how well a list of people's pairs is found."""
    pairs = [
        tuple((file.parent / name).resolve() for name in row[:2]) for row in csv.reader(file.open()) if row
    ]
    folders = {path.parent for pair in pairs for path in pair}
    paths = sorted(
        p for folder in folders for p in folder.iterdir() if p.suffix.lower() in (".png", ".jpg", ".jpeg")
    )
    at = {path: k for k, path in enumerate(paths)}
    copies: dict[int, set[int]] = {}
    for a, b in pairs:
        copies.setdefault(at[a], set()).add(at[b])
        copies.setdefault(at[b], set()).add(at[a])
    has = np.isin(np.arange(len(paths)), list(copies))
    peer, seconds = ask(
        python_with("imagehash", "pillow"), PARTNERS, paths=np.asarray([str(p) for p in paths])
    )
    began = time.process_time()
    found = near_duplicates(paths)
    best, partner = np.zeros(len(paths)), np.full(len(paths), -1)
    for k in np.argsort(found.score, kind="stable"):
        for one, other in (found.pairs[k], found.pairs[k][::-1]):
            best[one], partner[one] = found.score[k], other
    print(f"{len(paths)} images, {has.sum()} have a copy")
    for name, score, who, cpu in (
        ("calotype", best, partner, time.process_time() - began),
        ("pHash-256", peer["best"], peer["partner"], seconds),
    ):
        right = np.mean([int(who[k]) in copies[k] for k in copies])
        print(f"{name:10} AP {average_precision_score(has, score):.3f}  partner {right:.3f}  {cpu:.0f} CPU s")


def main() -> None:
    """Print the table."""
    if "--list" in sys.argv:
        by_list(Path(sys.argv[sys.argv.index("--list") + 1]))
        return
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
