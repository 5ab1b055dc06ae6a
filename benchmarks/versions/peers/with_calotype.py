"""Calotype, through `import calotype`. Runs in the environment of the checkout."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import urllib.request
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from bench import (
    Figure,
    NotThere,
    World,
    change_photos,
    folder_mb,
    main,
    photo_tree,
    scenario,
    since_start,
    timed,
    warm,
)
from coco_compare import coco_differences

import calotype as ct

DATASET = "streets"
MODEL = "clip"
COMMITS = int(os.environ.get("BENCH_COMMITS", "1000"))


def workspace(world: World, name: str = "ws") -> ct.Workspace:
    return ct.open(world.work / name)


@scenario
def import_(world: World) -> Figure:
    """A COCO file and its pictures, left where they are, and the first commit."""
    return _import(world, "ws", media="reference")


@scenario
def import_copy(world: World) -> Figure:
    """The same, with the pictures' bytes stored in the workspace."""
    return _import(world, "copies", media="copy")


def _import(world: World, name: str, **options: Any) -> Figure:
    with workspace(world, name) as ws:
        ds = ws.create(DATASET)

        def work() -> Any:
            imported = ds.add_annotations(world.instances, format="coco", images=world.images, **options)
            world.note(f"{name}-first", ds.commit("import").id)
            return imported

        seconds, imported = timed(work)
    size = round(folder_mb(world.work / name))
    return {"seconds": seconds, "answer": imported.annotations, "disk_mb": size}


@scenario
def predictions(world: World) -> Figure:
    """A COCO results list as a label set of its own, and its commit."""
    with workspace(world) as ws:
        ds = ws.dataset(DATASET)

        def work() -> int:
            imported = ds.add_annotations(world.results, format="coco", label_set="model:bench")
            ds.commit("predictions")
            return imported.annotations

        seconds, n = timed(work)
    return {"seconds": seconds, "answer": n}


@scenario
def predictions_columns(world: World) -> Figure:
    """As many detections as there are boxes, from arrays, as a label set of its own, and its commit."""
    with workspace(world) as ws:
        ds = ws.dataset(DATASET)
        columns = ["sample_id", "class_id", "x", "y", "w", "h"]
        table = ds.at("main").snapshot().annotations(columns=columns).select(columns)
        score = np.random.default_rng(1).random(table.num_rows)
        table = table.append_column("score", pa.array(score))

        def work() -> None:
            ds.put_annotations(table, label_set="model:columns")
            ds.commit("predictions from columns")

        seconds, _ = timed(work)
    return {"seconds": seconds, "answer": ds_count(world, "model:columns")}


def ds_count(world: World, label_set: str) -> int:
    with workspace(world) as ws:
        return ws.dataset(DATASET).at("main").snapshot().count(label_set=label_set)["annotations"]


@scenario
def count(world: World) -> Figure:
    with workspace(world) as ws:
        ds = ws.dataset(DATASET)
        figure, found = warm(lambda: ds.at("main").by_class())
    return figure | {"answer": found}


@scenario
def filter_(world: World) -> Figure:
    question = world.facts["question"]
    inside = f'class = "{question["class"]}" and area > {question["area_over"]}'
    with workspace(world) as ws:
        ds = ws.dataset(DATASET)
        query = f"count({inside}) >= {question['at_least']}"
        figure, found = warm(lambda: len(ds.at("main").where(query)))
    return figure | {"answer": found}


@scenario
def random(world: World) -> Figure:
    """Rows of 1,000 samples with their boxes, by id."""
    with workspace(world) as ws:
        state = ws.dataset(DATASET).at("main").snapshot()
        every = state.ids()
        wanted = [every[at] for at in world.facts["some"]]

        def work() -> int:
            fresh = ws.dataset(DATASET).at("main").snapshot()
            rows = fresh.samples(ids=wanted, columns=["sample_id", "name", "width_px", "height_px"])
            boxes = ["ann_id", "sample_id", "class_id", "x", "y", "w", "h"]
            return fresh.annotations(sample_ids=rows["sample_id"].to_pylist(), columns=boxes).num_rows

        figure, n = warm(work)
    return figure | {"answer": n}


@scenario
def edit(world: World) -> Figure:
    """Other boxes for 1,000 samples, as one commit."""
    with workspace(world) as ws:
        ds = ws.dataset(DATASET)
        world.note("before", ds.log()[0].id)
        rows = _moved(ds, world.facts["changed"])
        seconds, made = timed(lambda: _replace(ds, rows, "moved boxes"))
        world.note("after", made.id)
    return {"seconds": seconds, "answer": rows.num_rows}


def _moved(ds: ct.Dataset, places: list[int]) -> pa.Table:
    state = ds.at("main").snapshot()
    every = state.ids()
    rows = state.annotations(sample_ids=[every[at] for at in places])
    return rows.set_column(rows.column_names.index("x"), "x", pc.add(rows["x"], 1.0))


def _replace(ds: ct.Dataset, rows: pa.Table, message: str) -> Any:
    ds.put_annotations(rows, label_set="ground_truth", replace="samples")
    return ds.commit(message)


@scenario
def diff(world: World) -> Figure:
    with workspace(world) as ws:
        ds = ws.dataset(DATASET)
        figure, found = warm(lambda: ds.diff(world.noted("before"), world.noted("after")))
        told = found.to_dict()["annotations"]
    return figure | {"answer": max(told["changed"], told["added"]), "note": str(found)}


@scenario
def open_(world: World) -> Figure:
    """Open the workspace and read the newest commit's counts."""

    def work() -> int:
        with workspace(world) as ws:
            ds = ws.dataset(DATASET)
            return ds.at(ds.log()[0]).count()["samples"]

    figure, n = warm(work)
    return figure | {"answer": n}


@scenario
def commits(world: World) -> Figure:
    """A thousand commits, each with one sample's boxes changed; the median of one, and the last fifty's."""
    with workspace(world) as ws:
        ds = ws.dataset(DATASET)
        rows = _moved(ds, world.facts["changed"])
        owners = rows["sample_id"].unique().to_pylist()
        each = []
        for at in range(COMMITS):
            of_one = rows.filter(pc.equal(rows["sample_id"], owners[at % len(owners)]))
            turn = of_one.set_column(of_one.column_names.index("x"), "x", pc.add(of_one["x"], at + 1.0))
            each.append(timed(lambda turn=turn, at=at: _replace(ds, turn, f"commit {at}"))[0])
    return {
        "seconds": float(np.median(each)),
        "last_seconds": float(np.median(each[-50:])),
        "answer": len(each),
    }


@scenario
def open_after_commits(world: World) -> Figure:
    return open_(world)


@scenario
def export_coco(world: World) -> Figure:
    """Labels alone, as of the peers."""
    return _export(world, "coco", "none")


@scenario
def export_yolo(world: World) -> Figure:
    return _export(world, "yolo", "none")


@scenario
def export_yolo_link(world: World) -> Figure:
    """With the pictures, by hard link: a folder to train from."""
    return _export(world, "yolo", "link")


def _export(world: World, label_format: str, images: Any) -> Figure:
    out = world.work / f"exported-{label_format}-{images}"
    with workspace(world) as ws:
        view = ws.dataset(DATASET).at(world.noted("ws-first"))
        seconds, done = timed(lambda: view.export(label_format, out, images=images))
    return {"seconds": seconds, "answer": done.samples, "losses": len(done.losses)}


@scenario
def round_trip(world: World) -> Figure:
    """Keys and values of the COCO file that came in and of the one that `export-coco` wrote, compared one by one."""
    before = json.loads(world.instances.read_bytes())
    after = json.loads(next((world.work / "exported-coco-none").rglob("*.json")).read_bytes())
    differs = coco_differences(before, after)
    return {"seconds": 0.0, "answer": sum(differs.values()), "differs": differs}


@scenario
def vectors(world: World) -> Figure:
    with workspace(world) as ws:
        ds = ws.dataset(DATASET)
        if not hasattr(ds, "put_vectors"):
            raise NotThere("Dataset.put_vectors is not there yet")
        array = np.load(world.vectors)
        ids = ds.at("main").snapshot().ids()[: len(array)]
        seconds, _ = timed(lambda: ds.put_vectors(MODEL, ids, array))
    return {"seconds": seconds}


@scenario
def nearest(world: World) -> Figure:
    array = np.load(world.vectors)
    with workspace(world) as ws:
        ds = ws.dataset(DATASET)
        if not hasattr(ds, "nearest"):
            raise NotThere("Dataset.nearest is not there yet")
        ids = ds.at("main").snapshot().ids()
        figure, found = warm(lambda: ds.nearest(MODEL, array[3], 25))
    first = found[0] if isinstance(found, list | tuple) else found["sample_id"][0].as_py()
    first = first[0] if isinstance(first, list | tuple) else getattr(first, "sample_id", first)
    return figure | {"answer": ids.index(first)}


@scenario
def start(world: World) -> Figure:
    with workspace(world) as ws:
        found = ws.dataset(DATASET).at("main").by_class()
    return {"seconds": since_start(), "answer": found}


@scenario
def loader(world: World) -> Figure:
    """1,000 samples from the NumPy loader of a state: pixels and boxes."""
    from calotype.release.loader import SampleReader

    with workspace(world) as ws:
        ready, reader = timed(lambda: SampleReader(ws.dataset(DATASET).at("main").snapshot()))
        figure, n = warm(lambda: sum(len(reader[at]["boxes_xyxy_px"]) for at in world.facts["some"]), times=3)
    return figure | {"answer": n, "ready_seconds": ready}


@scenario
def together(world: World) -> Figure:
    """A server and a script on one workspace: the server's answer shows what the script commits meanwhile."""
    serve = [sys.executable, "-m", "calotype", "serve", "--port", "0", "--no-token"]
    with (
        subprocess.Popen(
            serve, cwd=world.work / "ws", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as server,
        workspace(world) as ws,
    ):
        try:
            url = _link(server)
            ds = ws.dataset(DATASET)
            seen = []
            for at in range(3):
                made = _replace(ds, _moved(ds, world.facts["changed"][at : at + 1]), f"while served {at}")
                told = json.loads(urllib.request.urlopen(f"{url}api/v1/datasets/{DATASET}?ref=main").read())
                seen.append(told["commit"] == made.id)
        finally:
            server.terminate()
    return {"seconds": 0.0, "answer": all(seen)}


def _link(server: subprocess.Popen[str]) -> str:
    assert server.stdout is not None
    for line in server.stdout:
        found = re.search(r"http://127\.0\.0\.1:\d+/", line)
        if found:
            return found.group()
    raise NotThere("the server ended without a link")


@scenario
def photos_add(world: World) -> Figure:
    """Registered where they lie: header, size and time of each file are read."""
    return _photos(world, "photos-ws", "reference")


@scenario
def photos_link(world: World) -> Figure:
    """Decoded, hashed, and given a second name in the workspace."""
    return _photos(world, "photos-links", "link")


@scenario
def photos_copy(world: World) -> Figure:
    """Decoded, hashed and copied."""
    return _photos(world, "photos-copies", "copy")


def _photos(world: World, name: str, media: Any) -> Figure:
    tree = photo_tree(world) if name == "photos-ws" else world.work / "tree"
    with workspace(world, name) as ws:
        ds = ws.create("photos")

        def work() -> int:
            added = ds.add_images(tree, media=media)
            world.note(f"{name}-1", ds.commit("add").id)
            return added.added

        seconds, n = timed(work)
    return {"seconds": seconds, "answer": n, "disk_mb": round(folder_mb(world.work / name))}


@scenario
def photos_commit(world: World) -> Figure:
    """One file in a hundred has other bytes: look through the folder again, and commit."""
    tree = world.work / "tree"
    change_photos(world, tree)
    with workspace(world, "photos-ws") as ws:
        ds = ws.dataset("photos")

        def work() -> Any:
            added = ds.add_images(tree, media="reference")
            took, made = timed(lambda: ds.commit("one in a hundred"))
            world.note("photos-ws-2", made.id)
            world.note("photos-freeze", took)
            return added

        seconds, added = timed(work)
    return {"seconds": seconds, "answer": added.changed, "note": str(added)}


@scenario
def photos_freeze(world: World) -> Figure:
    """The commit in `photos-commit` alone."""
    return {"seconds": float(world.noted("photos-freeze"))}


@scenario
def photos_diff(world: World) -> Figure:
    with workspace(world, "photos-ws") as ws:
        ds = ws.dataset("photos")
        figure, found = warm(lambda: ds.diff(world.noted("photos-ws-1"), world.noted("photos-ws-2")))
        told = found.to_dict()["samples"]
    return figure | {"answer": max(told["changed"], told["added"])}


@scenario
def photos_open(world: World) -> Figure:
    """The older version, opened where it lies: its samples counted, one of them read."""
    with workspace(world, "photos-ws") as ws:
        ds = ws.dataset("photos")
        one = ds.at("main").snapshot().ids()[0]

        def work() -> int:
            state = ds.at(world.noted("photos-ws-1")).snapshot()
            assert state.samples(ids=[one]).num_rows == 1
            return state.count()["samples"]

        figure, n = warm(work)
    return figure | {"answer": n, "note": "no file moves"}


@scenario
def photos_checkout(world: World) -> Figure:
    """The older version, ready to be read: rows of all samples, and where each one's bytes are. No file moves."""
    with workspace(world, "photos-ws") as ws:
        ds = ws.dataset("photos")

        def work() -> int:
            state = ds.at(world.noted("photos-ws-1")).snapshot()
            return state.samples(columns=["sample_id", "name", "media_sha256"]).num_rows

        figure, n = warm(work)
    return figure | {"answer": n, "note": "no file moves"}


if __name__ == "__main__":
    main()
