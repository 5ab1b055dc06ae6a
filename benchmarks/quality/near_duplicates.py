"""Changed copies of photos: ours beside perceptual hashes (imagehash).

    uv run benchmarks/quality/near_duplicates.py --data FOLDER     # coco128: 256 photos; copies are made here
    uv run benchmarks/quality/near_duplicates.py --data FOLDER --folder raccoon --folder bccd  # other images
    uv run benchmarks/quality/near_duplicates.py --list PAIRS.csv  # pairs that people call copies: two paths a row

With a list, every other image of the folders that it names is searched too. Printed are the average precision of
"has a copy" over the images, and how often the best partner is one of those in the list.

For each change, 100 photos are changed and looked for among all. For the hashes it prints how often
the nearest photo is the right one; of ours what its fixed rule flags, and how much of that is right. Last come the
pairs that are flagged among the photos as they are: look at them, most sets contain a few true copies.

With `--folder NAME`, the photos of that folder of the data are taken instead: all are changed, and only ours is run.
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
from PIL import Image, ImageDraw, ImageEnhance, ImageFont, ImageOps
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
DRAWN = np.random.default_rng(0)
"""Draws places and colours; a run always draws the same."""


def barred(image: Image.Image) -> Image.Image:
    """A bar over 12 % of the height, anywhere, of any colour."""
    height, copy = round(0.12 * image.height), image.copy()
    top = int(DRAWN.integers(0, image.height - height + 1))
    colour = tuple(DRAWN.integers(0, 256, 3).tolist())
    ImageDraw.Draw(copy).rectangle((0, top, image.width, top + height - 1), fill=colour)
    return copy


def captioned(image: Image.Image) -> Image.Image:
    """The same with white text in a dark bar."""
    height, copy = max(8, round(0.12 * image.height)), image.copy()
    top = int(DRAWN.integers(0, image.height - height + 1))
    draw = ImageDraw.Draw(copy)
    draw.rectangle((0, top, image.width, top + height - 1), fill=tuple(DRAWN.integers(0, 90, 3).tolist()))
    font = ImageFont.load_default(size=0.6 * height)
    draw.text((0.1 * image.width, top + 0.15 * height), "FOR SALE no. 1234", fill="white", font=font)
    return copy


def cropped(side: float) -> Callable[[Image.Image], Image.Image]:
    """A part of so much of each side, anywhere."""

    def crop(image: Image.Image) -> Image.Image:
        width, height = round(side * image.width), round(side * image.height)
        left = int(DRAWN.integers(0, image.width - width + 1))
        top = int(DRAWN.integers(0, image.height - height + 1))
        return image.crop((left, top, left + width, top + height))

    return crop


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
    "in grey": lambda image: image.convert("L"),
    "a bar of 12 %": barred,
    "a bar with a caption": captioned,
    "cropped to 70 % a side": cropped(0.7),
    "cropped to 55 % a side": cropped(0.55),
    "cropped to 50 % a side": cropped(0.5),
    "to 55 %, mirrored": lambda image: ImageOps.mirror(cropped(0.55)(image)),
    "to 75 % in grey": lambda image: cropped(0.75)(image).convert("L"),
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


def among(files: list[bytes], names: list[str]) -> None:
    """Print what is flagged among photos as they are."""
    began = time.process_time()
    found = near_duplicates(files)
    pairs = found.pairs[found.flagged]
    words = [f"{names[a]} = {names[b]}" for a, b in pairs]
    print(
        f"as they are: {len(files)} photos, {len(pairs)} pairs flagged, {time.process_time() - began:.0f} CPU s"
    )
    print("\n".join(words[:30]))


def changed(photos: list[Image.Image]) -> dict[str, list[bytes]]:
    """The files of changed photos, by change."""
    return {
        name: [saved(change(photo), 20 if "quality" in name else 88) for photo in photos]
        for name, change in CHANGES.items()
    }


def of_folder(folder: str) -> None:
    """Print the table for the photos of a folder, of ours alone."""
    paths = sorted(p for p in Path(data_folder(folder)).rglob("*") if p.suffix.lower() in (".jpg", ".png"))
    photos = [Image.open(path).convert("RGB") for path in paths]
    base = [saved(photo, 90) for photo in photos]
    print(f"{folder}\n{'change':24} calotype found / precision")
    for name, files in changed(photos).items():
        found = near_duplicates(files, base)
        pairs = found.pairs[found.flagged]
        hit = (pairs[:, 0] == pairs[:, 1]).sum()
        print(f"{name:24} {hit / len(files):.3f} / {hit / max(1, len(pairs)):.3f}")
    among(base, [path.name for path in paths])


def main() -> None:
    """Print the table."""
    if "--list" in sys.argv:
        by_list(Path(sys.argv[sys.argv.index("--list") + 1]))
        return
    if "--folder" in sys.argv:
        for k in np.flatnonzero(np.asarray(sys.argv) == "--folder"):
            of_folder(sys.argv[k + 1])
        return
    paths = sorted(Path(data_folder("coco128")).glob("images/*/*.jpg"))
    photos = [Image.open(path).convert("RGB") for path in paths]
    base = [saved(photo, 90) for photo in photos]
    blob, ends = packed(base)
    asked = {"base": blob, "base_ends": ends, "names": np.asarray(list(CHANGES))}
    made = changed(photos[:100])
    for name, files in made.items():
        asked[name], asked[f"{name}_ends"] = packed(files)
    peer, seconds = ask(python_with("imagehash", "pillow"), HASHES, **asked)
    print(f"{'change':24} {'calotype found / precision':28} {'pHash-256 partner':18} dHash-256 partner")
    began = time.process_time()
    for name, files in made.items():
        found = near_duplicates(files, base)
        pairs = found.pairs[found.flagged]
        hit = (pairs[:, 0] == pairs[:, 1]).sum()
        nearest = [
            (peer[f"{name}_{kind}"].argmin(axis=1) == np.arange(100)).mean() for kind in ("phash", "dhash")
        ]
        mine = f"{hit / 100:.2f} / {hit / max(1, len(pairs)):.3f}"
        print(f"{name:24} {mine:28} {nearest[0]:<18.2f} {nearest[1]:.2f}")
    print(f"calotype {time.process_time() - began:.0f} CPU s, imagehash {seconds:.0f} CPU s")
    among(base, [path.name for path in paths])


if __name__ == "__main__":
    main()
