"""Write a small workspace with one of everything and pack it; `v0.1.0.tar.xz` came from version 0.1.0.

    python -m tests.support.old_workspaces.v0_1_0 TARGET.tar.xz

Only relative names are used, so the archive holds no path of the machine. The program writes what its own version
writes: never run it again for an archive that is committed.
"""

from __future__ import annotations

import contextlib
import json
import sys
import tarfile
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
from tests.support.images import draw

import calotype as ct
from calotype.curate.vectors import put_vectors
from calotype.datasets import service as datasets
from calotype.datasets.change import Change
from calotype.foundation.actor import Actor
from calotype.store.store import open_workspace

ANA = Actor(id="test:ana", name="ana")
N_IMAGES = 8
CONTRACT = """
task: {name: shop, intent: the till tells cars from dogs, owner: ana}
classes: [car, dog]
"""


def images_and_labels(folder: Path) -> None:
    """Eight images with one box each, one of them drawn twice; a file that is not an image, a box outside its image."""
    (folder / "images").mkdir(parents=True)
    for number in range(N_IMAGES):
        draw(number, size_wh=(48, 32)).save(folder / "images" / f"{number}.png")
    (folder / "images" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnot an image")
    images = [
        {"id": n, "file_name": f"{n}.png", "width": 48, "height": 32, "scene": f"s{n // 2}", "lux": 10 * n}
        for n in range(N_IMAGES)
    ]
    boxes = [
        {"id": n, "image_id": n, "category_id": n % 2, "bbox": [4, 5, 20, 10 + n]} for n in range(N_IMAGES)
    ]
    boxes.append({"id": 90, "image_id": 0, "category_id": 0, "bbox": [400, 5, 20, 10]})
    boxes.append({"id": 91, "image_id": 6, "category_id": 0, "bbox": [4, 5, 20, 15.8]})
    categories = [{"id": 0, "name": "car"}, {"id": 1, "name": "dog"}]
    labels = {"images": images, "annotations": boxes, "categories": categories}
    (folder / "instances.json").write_text(json.dumps(labels))


def fill(folder: str) -> None:
    """Make the workspace `folder` below the present folder, from `raw` beside it."""
    with ct.open(folder, actor=ANA) as ws:
        ds = ws.create("shop", description="a till")
        ds.set_contract(CONTRACT)
        ds.add_images("raw/images", source="cam-07", licence="CC0-1.0")
        ds.add_annotations("raw/instances.json", format="coco")
        ds.commit("first import")
        ids = ds.where().snapshot().ids()
        branches = {name: ds.branch(name) for name in ("fix", "clash")}
        for name, sample_id, x in (("fix", ids[0], 6.0), ("clash", ids[1], 7.0)):
            move_box(folder, f"shop@{name}", sample_id, x)
            branches[name].commit(f"{name}: move a box")
        move_box(folder, "shop", ids[1], 9.0)
        ds.put_annotations(box(ids[2], 5.0, score=0.75), label_set="model:tiny")
        ds.commit("move a box on main, import a model's boxes")
        ds.merge("fix", message="bring the fix in")
        ds.merge("clash")
        ds.tag("before-release", "main")
    store = open_workspace(Path(folder))
    matrix = np.random.default_rng(5).normal(size=(N_IMAGES, 8)).astype(np.float32)
    put_vectors(ANA, "shop", "tiny", ids, matrix, store=store)
    store.close()
    with ct.open(folder, actor=ANA) as ws:
        ds = ws.dataset("shop")
        ds.commit("vectors of a model")
        report = ds.check()
        print(report)
        ds.triage([ds.findings(check="readable")[0].key], "assigned", to="ben")
        ds.triage([ds.findings(check="duplicate-annotations")[0].key], "rejected", because="drawn so")
        ds.release("1.0.0", split={"train": 0.5, "val": 0.25, "test": 0.25}, by="group", formats=("coco",))
        assert ws.verify(deep=True).ok


def move_box(folder: str, name: str, sample_id: str, x: float) -> None:
    """Give the first box of a sample another left edge, as an edit of the same annotation."""
    store = open_workspace(Path(folder))
    old = datasets.read(ANA, name, store=store).annotations_of([sample_id])[sample_id][0]
    moved = replace(old, bbox_xywh_px=(x, 5.0, 20.0, 10.0), area_px=200.0)
    datasets.apply(ANA, name, Change(put_annotations={"ground_truth": [moved]}), store=store)
    store.close()


def box(sample_id: str, x: float, score: float) -> pa.Table:
    """One car box of a model as the table that `put_annotations` takes."""
    row = {"sample_id": sample_id, "class": "car", "x": x, "y": 5.0, "w": 20.0, "h": 10.0, "score": score}
    return pa.Table.from_pylist([row])


def pack(folder: Path, target: Path) -> None:
    """All files of the workspace in name order, without owners."""

    def nameless(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = ""
        return entry

    with tarfile.open(target, "w:xz", preset=9) as archive:
        archive.add(folder, arcname=folder.name, filter=nameless)


def main(target: str) -> None:
    """Write, pack and say how large it is."""
    archive = Path(target).resolve()
    with tempfile.TemporaryDirectory() as temporary, contextlib.chdir(temporary):
        images_and_labels(Path("raw"))
        fill("workspace")
        pack(Path("workspace"), archive)
    print(f"{archive.name}: {archive.stat().st_size} bytes")


if __name__ == "__main__":
    main(*sys.argv[1:])
