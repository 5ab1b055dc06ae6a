"""Reading samples for training beside reading plain files with the same decoder.

Draws JPEGs of 500 x 375, takes them and boxes into a workspace of its own, and reads all in one shuffled order: from
plain files and from the reader, then both resized to 320 x 240, where the reader has the pixels materialised; in turns,
so that a busy moment hits all. Prints medians and their ratios.

    python benchmarks/training/run.py [--images 2000] [--rounds 5]
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

import calotype as ct
from calotype.app import wiring
from calotype.foundation.actor import Actor
from calotype.release.loader import SampleReader
from calotype.release.pixels import ResizedReader, materialise
from calotype.vision.images import decode_rgb

SIZE_WH = (500, 375)
RESIZED_WH = (320, 240)
BOXES = 7


def main() -> None:
    """Draw, read, print."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--images", type=int, default=2_000)
    asked.add_argument("--rounds", type=int, default=5)
    options = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder) / "raw"
        draw(raw, options.images)
        reader, resized = taken_in(Path(folder) / "workspace", raw)
        found = race(reader, resized, raw, options.rounds)
    sys.stdout.write(json.dumps(found | {"images": options.images}, indent=2) + "\n")


def draw(folder: Path, n: int) -> None:
    """JPEGs whose size on the disk is like that of photographs: smooth colours under some noise."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for at in range(n):
        smooth = Image.fromarray(rng.integers(0, 256, (12, 16, 3), dtype=np.uint8)).resize(SIZE_WH)
        noise = rng.normal(0, 12, (SIZE_WH[1], SIZE_WH[0], 1))
        pixels = np.clip(np.asarray(smooth) + noise, 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{at:06d}.jpg", quality=85)


def taken_in(workspace: Path, raw: Path) -> tuple[SampleReader, ResizedReader]:
    """Readers of a dataset with the images and some boxes on each: of the files, and of pixels made before."""
    wiring.create(Actor("bench", "bench", "person", ("owner",)), workspace).close()
    with ct.open(workspace) as ws:
        ds = ws.create("drawn")
        (raw.parent / "coco.json").write_text(json.dumps(coco(raw)))
        ds.add_annotations(raw.parent / "coco.json", format="coco", images=raw)
        state = ds.where().snapshot()
        pixels = materialise(state, RESIZED_WH, workspace / "pixels")
        return SampleReader(state), ResizedReader(state, pixels)


def coco(raw: Path) -> dict[str, object]:
    """The boxes, as a COCO file."""
    rng = np.random.default_rng(1)
    names = sorted(file.name for file in raw.iterdir())
    size = {"width": SIZE_WH[0], "height": SIZE_WH[1]}
    corners = rng.uniform(5, 200, (len(names) * BOXES, 4)).round(1)
    boxes = [
        {"id": at + 1, "image_id": at // BOXES + 1, "category_id": at % 3 + 1, "bbox": box, "iscrowd": 0}
        for at, box in enumerate(corners.tolist())
    ]
    return {
        "images": [{"id": at + 1, "file_name": name, **size} for at, name in enumerate(names)],
        "annotations": [box | {"area": box["bbox"][2] * box["bbox"][3]} for box in boxes],
        "categories": [{"id": at, "name": f"class_{at}"} for at in (1, 2, 3)],
    }


def race(reader: SampleReader, resized: ResizedReader, raw: Path, rounds: int) -> dict[str, float]:
    """Median seconds, and of the ratios round by round."""
    order = np.random.default_rng(2).permutation(len(reader)).tolist()
    names = reader.names
    files = [raw / names[place] for place in order]

    def plain() -> None:
        for file in files:
            np.ascontiguousarray(decode_rgb(file.read_bytes()).transpose(2, 0, 1))

    def ours() -> None:
        for place in order:
            item = reader[place]
            if len(item["boxes_xyxy_px"]) != BOXES:
                raise SystemExit(f"{item['name']} lost boxes")

    def plain_resized() -> None:
        for file in files:
            image = Image.fromarray(decode_rgb(file.read_bytes()))
            small = image.resize(RESIZED_WH, Image.Resampling.BILINEAR)
            np.ascontiguousarray(np.asarray(small).transpose(2, 0, 1))

    def ours_resized() -> None:
        for place in order:
            if resized[place]["image"].shape[1:] != RESIZED_WH[::-1]:
                raise SystemExit("an image has another size")

    works = {"plain": plain, "reader": ours, "plain_resized": plain_resized, "materialised": ours_resized}
    for work in works.values():
        work()  # all warm
    times = [{name: seconds(work) for name, work in works.items()} for _ in range(rounds)]
    found = {f"{name}_seconds": round(statistics.median(t[name] for t in times), 3) for name in works}
    ratios = {
        "reader_to_plain": statistics.median(t["reader"] / t["plain"] for t in times),
        "materialised_to_plain_resized": statistics.median(
            t["materialised"] / t["plain_resized"] for t in times
        ),
    }
    return found | {name: round(value, 3) for name, value in ratios.items()}


def seconds(work: Callable[[], None]) -> float:
    """How long something takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
