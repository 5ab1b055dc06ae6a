"""The data of the benchmarks: drawn from a seed, so that everybody gets the same files and knows the answers.

A *set* is a folder `coco-<n>` with `instances.json` (COCO: boxes, ids with gaps, area, iscrowd, licences, info and keys
that COCO does not know), `results.json` (a COCO results list), `vectors.npy` (n x 512) and `set.json` (questions and
their answers). Its pictures lie in `pictures` (about 13 KB each) or, for large sets, in `plain-pictures` (1.5 KB). All
pictures are real JPEG files, and no two have the same bytes: each carries a comment of its own.
"""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

WIDTH, HEIGHT = 320, 240
N_CLASSES = 80
BOXES_PER_IMAGE = 6.52
WINDOW = 20_000
QUESTION: dict[str, Any] = {"class": "class-01", "at_least": 3, "area_over": 1_000.005}
"""At least 3 boxes of the most frequent class, each larger than so many square pixels (no box is as large exactly)."""

N_VECTORS_MOST = 50_000
DIMENSIONS = 512


@dataclass(frozen=True)
class Drawn:
    """A set as arrays. `n_boxes` (N,); of each box: `owner` (M,) its image's place, `label` (M,) 1 to 80, `xywh` (M, 4)
    in hundredths of a pixel, integers.
    """

    image_ids: np.ndarray
    n_boxes: np.ndarray
    owner: np.ndarray
    label: np.ndarray
    xywh: np.ndarray
    ann_ids: np.ndarray
    crowd: np.ndarray
    score: np.ndarray


def draw(n: int, seed: int = 7) -> Drawn:
    """`n` images with 6.52 boxes each on average, classes by Zipf's law, ids with gaps."""
    rng = np.random.default_rng([seed, n])
    total = round(n * BOXES_PER_IMAGE)
    owner = np.sort(rng.integers(0, n, total))
    share = 1 / np.arange(1, N_CLASSES + 1)
    label = rng.choice(np.arange(1, N_CLASSES + 1), size=total, p=share / share.sum())
    w = rng.integers(400, WIDTH * 50, total)
    h = rng.integers(400, HEIGHT * 50, total)
    x = (rng.random(total) * (WIDTH * 100 - w)).astype(np.int64)
    y = (rng.random(total) * (HEIGHT * 100 - h)).astype(np.int64)
    return Drawn(
        image_ids=np.cumsum(rng.integers(1, 12, n)),
        n_boxes=np.bincount(owner, minlength=n),
        owner=owner,
        label=label,
        xywh=np.stack([x, y, w, h], axis=1),
        ann_ids=np.cumsum(rng.integers(1, 7, total)),
        crowd=rng.random(total) < 0.01,
        score=rng.integers(50, 1000, total),
    )


def make_set(folder: Path, n: int, *, large: bool) -> Path:
    """The set of `n` images below `folder`, made unless it is there whole already."""
    made = folder / f"coco-{n}"
    if (made / "set.json").exists():
        return made
    made.mkdir(parents=True, exist_ok=True)
    if large:
        make_pictures(folder / "plain-pictures", n, plain=True)
    else:
        make_pictures(folder / "pictures", n)
        link_pictures(folder / "pictures", made / "images", n)
    drawn = draw(n)
    _write(made / "instances.json", _instances(drawn, n))
    _write(made / "results.json", _results(drawn))
    _vectors(made / "vectors.npy", min(n, N_VECTORS_MOST))
    (made / "set.json").write_text(json.dumps(_facts(drawn, n, "../plain-pictures" if large else "images")))
    return made


def picture_name(at: int) -> str:
    """A picture's path below its folder: a thousand files to a folder."""
    return f"{at // 1_000:04d}/{at:08d}.jpg"


def make_pictures(folder: Path, n: int, *, plain: bool = False) -> None:
    """The first `n` pictures, those that are there already left alone."""
    bases = _bases(plain)
    done = folder / "count.txt"
    first = int(done.read_text()) if done.exists() else 0
    for at in range(first, n):
        if at % 1_000 == 0 or at == first:
            (folder / picture_name(at)).parent.mkdir(parents=True, exist_ok=True)
        (folder / picture_name(at)).write_bytes(with_comment(bases[at % len(bases)], f"picture {at}"))
    if n > first:
        done.write_text(str(n))


def make_photos(folder: Path, n: int) -> Path:
    """A set of pictures without labels, for tools that version files."""
    made = folder / f"photos-{n}"
    if (made / "set.json").exists():
        return made
    make_pictures(folder / "pictures", n)
    link_pictures(folder / "pictures", made / "images", n)
    (made / "set.json").write_text(json.dumps({"n_images": n, "images": "images"}))
    return made


def link_pictures(source: Path, target: Path, n: int) -> None:
    """The first `n` pictures under a second name each."""
    shutil.rmtree(target, ignore_errors=True)
    for at in range(n):
        if at % 1_000 == 0:
            (target / picture_name(at)).parent.mkdir(parents=True)
        (target / picture_name(at)).hardlink_to(source / picture_name(at))


def with_comment(jpeg: bytes, text: str) -> bytes:
    """The same picture with a comment (segment COM) after its first marker, so with other bytes."""
    body = text.encode()
    return jpeg[:2] + b"\xff\xfe" + (len(body) + 2).to_bytes(2, "big") + body + jpeg[2:]


def _bases(plain: bool) -> list[bytes]:
    """Pictures as JPEG: a gradient with soft noise (about 13 KB), or one colour (1.5 KB)."""
    rng = np.random.default_rng(11)
    bases = []
    for _ in range(16):
        pixels = np.full((HEIGHT, WIDTH, 3), rng.integers(0, 256, 3), np.float64)
        if not plain:
            pixels = pixels * 0.5 + np.linspace(0, 90, WIDTH)[None, :, None]
            pixels += rng.normal(0, 14, pixels.shape)
        out = io.BytesIO()
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(out, "JPEG", quality=75)
        bases.append(out.getvalue())
    return bases


def _write(path: Path, parts: Iterator[str]) -> None:
    """Text in windows, so that a file of a gigabyte needs no memory; whole or not at all."""
    half = path.with_suffix(".part")
    with half.open("w", encoding="utf-8") as out:
        for part in parts:
            out.write(part)
    half.rename(path)


def _instances(drawn: Drawn, n: int) -> Iterator[str]:
    head = {
        "info": {"description": "drawn streets", "version": "1.0", "year": 2026, "contributor": "Calotype"},
        "licenses": [
            {"id": 1, "name": "CC-BY-4.0", "url": "https://creativecommons.org/licenses/by/4.0/"},
            {"id": 3, "name": "CC0-1.0", "url": "https://creativecommons.org/publicdomain/zero/1.0/"},
        ],
        "categories": [
            {"id": class_id, "name": f"class-{class_id:02d}", "supercategory": f"group-{class_id % 7}"}
            for class_id in range(1, N_CLASSES + 1)
        ],
    }
    yield json.dumps(head)[:-1] + ',"images":['
    for start in range(0, n, WINDOW):
        last = min(start + WINDOW, n)
        yield ",\n"[: 2 * (start > 0)] + ",\n".join(
            f'{{"id":{image_id},"file_name":"{picture_name(at)}","width":{WIDTH},"height":{HEIGHT},'
            f'"license":{1 + 2 * (at % 2)},"date_captured":"2026-05-{1 + at % 28:02d} 10:00:00",'
            f'"coco_url":"","camera":"cam-{at % 9}"}}'
            for at, image_id in zip(range(start, last), drawn.image_ids[start:last].tolist(), strict=True)
        )
    yield '],"annotations":['
    owners = drawn.image_ids[drawn.owner]
    for start in range(0, len(drawn.owner), WINDOW):
        kept = slice(start, start + WINDOW)
        columns = (drawn.ann_ids, owners, drawn.label, drawn.crowd.astype(int))
        values = zip(*(column[kept].tolist() for column in columns), drawn.xywh[kept].tolist(), strict=True)
        yield ",\n"[: 2 * (start > 0)] + ",\n".join(
            f'{{"id":{ann_id},"image_id":{image_id},"category_id":{label},'
            f'"bbox":[{x / 100},{y / 100},{w / 100},{h / 100}],"area":{w * h / 10_000},'
            f'"iscrowd":{crowd},"segmentation":[],"occlusion":{ann_id % 4}}}'
            for ann_id, image_id, label, crowd, (x, y, w, h) in values
        )
    yield "]}\n"


def _results(drawn: Drawn) -> Iterator[str]:
    """One detection for each box, moved by up to two pixels."""
    rng = np.random.default_rng(13)
    owners = drawn.image_ids[drawn.owner]
    moved = drawn.xywh.copy()
    moved[:, :2] = np.maximum(moved[:, :2] - rng.integers(0, 200, (len(moved), 2)), 0)
    yield "["
    for start in range(0, len(owners), WINDOW):
        kept = slice(start, start + WINDOW)
        columns = (owners, drawn.label, drawn.score)
        values = zip(*(column[kept].tolist() for column in columns), moved[kept].tolist(), strict=True)
        yield ",\n"[: 2 * (start > 0)] + ",\n".join(
            f'{{"image_id":{image_id},"category_id":{label},"bbox":[{x / 100},{y / 100},{w / 100},{h / 100}],'
            f'"score":{score / 1000}}}'
            for image_id, label, score, (x, y, w, h) in values
        )
    yield "]\n"


def _vectors(path: Path, n: int) -> None:
    vectors = np.random.default_rng(17).standard_normal((n, DIMENSIONS)).astype(np.float32)
    np.save(path, vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def _facts(drawn: Drawn, n: int, images: str) -> dict[str, Any]:
    """Questions and answers, computed on the arrays alone."""
    rng = np.random.default_rng(19)
    counted = np.bincount(drawn.label, minlength=N_CLASSES + 1)
    area = drawn.xywh[:, 2] * drawn.xywh[:, 3] / 10_000
    hits = (drawn.label == 1) & (area > QUESTION["area_over"])
    matching = np.bincount(drawn.owner[hits], minlength=n) >= QUESTION["at_least"]
    few = min(1_000, n // 5)
    some, changed = (np.sort(rng.choice(n, few, replace=False)) for _ in range(2))
    return {
        "n_images": n,
        "n_boxes": len(drawn.owner),
        "images": images,
        "size": [WIDTH, HEIGHT],
        "question": QUESTION,
        "matching": int(matching.sum()),
        "by_class": {f"class-{c:02d}": int(counted[c]) for c in range(1, N_CLASSES + 1)},
        "some": some.tolist(),
        "some_boxes": int(drawn.n_boxes[some].sum()),
        "changed": changed.tolist(),
        "changed_boxes": int(drawn.n_boxes[changed].sum()),
    }
