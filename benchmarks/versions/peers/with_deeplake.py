"""Deep Lake: columns on disk with commits and branches; pictures by path. Its reader of COCO wants keypoint and stuff
files beside the boxes, so the file is read by `json` and appended in columns, as its guide does for own data.
"""

from __future__ import annotations

import json
from typing import Any

import deeplake
import numpy as np
from bench import Figure, NotThere, World, main, named_counts, scenario, since_start, timed, warm
from deeplake import types

BATCH = 5_000


def home(world: World) -> str:
    return str(world.work / "lake")


def opened(world: World) -> Any:
    return deeplake.open(home(world))


@scenario
def import_(world: World) -> Figure:
    def work() -> int:
        document = json.loads(world.instances.read_bytes())
        boxes, labels = _grouped(document["images"], document["annotations"])
        schema = {
            "id": types.Int64(),
            "file": types.Text(),
            "boxes": types.Array("float32", 2),
            "labels": types.Array("int32", 1),
        }
        lake = deeplake.create(home(world), schema=schema)
        names = [row["file_name"] for row in document["images"]]
        ids = [row["id"] for row in document["images"]]
        _append(lake, {"id": ids, "file": names, "boxes": boxes, "labels": labels})
        lake.commit("import")
        return sum(map(len, labels))

    seconds, n = timed(work)
    return {"seconds": seconds, "answer": n}


def _append(lake: Any, columns: dict[str, list]) -> None:
    for start in range(0, len(columns["id"]), BATCH):
        lake.append({name: values[start : start + BATCH] for name, values in columns.items()})


def _grouped(images: list[dict], rows: list[dict]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    by_image: dict[int, list[dict]] = {row["id"]: [] for row in images}
    for row in rows:
        by_image[row["image_id"]].append(row)
    boxes = [np.array([r["bbox"] for r in of], np.float32).reshape(-1, 4) for of in by_image.values()]
    return boxes, [np.array([r["category_id"] for r in of], np.int32) for of in by_image.values()]


@scenario
def predictions(world: World) -> Figure:
    """As a second dataset of the same rows."""
    images = json.loads(world.instances.read_bytes())["images"]

    def work() -> int:
        boxes, labels = _grouped(images, json.loads(world.results.read_bytes()))
        schema = {"id": types.Int64(), "boxes": types.Array("float32", 2), "labels": types.Array("int32", 1)}
        lake = deeplake.create(str(world.work / "predictions"), schema=schema)
        _append(lake, {"id": [row["id"] for row in images], "boxes": boxes, "labels": labels})
        lake.commit("predictions")
        return sum(map(len, labels))

    seconds, n = timed(work)
    return {"seconds": seconds, "answer": n}


@scenario
def count(world: World) -> Figure:
    """Its query language has no COUNT: the column is read, NumPy counts."""
    lake = opened(world)
    figure, found = warm(lambda: _counts(lake))
    return figure | {"answer": found, "note": "read by column, counted by NumPy"}


def _counts(lake: Any) -> dict[str, int]:
    counted = np.bincount(np.concatenate(lake["labels"][:]), minlength=81)
    return named_counts((at, n) for at, n in enumerate(counted.tolist()) if at)


@scenario
def filter_(world: World) -> Figure:
    lake, question = opened(world), world.facts["question"]
    wanted = int(question["class"].split("-")[1])

    def work() -> int:
        pairs = zip(lake["labels"][:], lake["boxes"][:], strict=True)
        hits = (((of == wanted) & (b[:, 2] * b[:, 3] > question["area_over"])).sum() for of, b in pairs)
        return sum(int(n) >= question["at_least"] for n in hits)

    figure, found = warm(work)
    return figure | {"answer": found, "note": "read by column, a loop in NumPy"}


@scenario
def random(world: World) -> Figure:
    lake = opened(world)
    some = world.facts["some"]
    figure, n = warm(lambda: sum(map(len, lake["boxes"][some])) + 0 * len(lake["file"][some]))
    return figure | {"answer": n, "note": "by row number"}


@scenario
def edit(world: World) -> Figure:
    def work() -> None:
        lake = opened(world)
        for at in world.facts["changed"]:
            boxes = np.array(lake[at]["boxes"])
            boxes[:, 0] += 1
            lake[at]["boxes"] = boxes
        lake.commit("moved boxes")

    return {"seconds": timed(work)[0]}


@scenario
def diff(world: World) -> Figure:
    raise NotThere("has versions, but no difference of two")


@scenario
def vectors(world: World) -> Figure:
    array = np.load(world.vectors)

    def work() -> None:
        lake = deeplake.create(
            str(world.work / "vectors"),
            schema={"place": types.Int64(), "vector": types.Embedding(array.shape[1])},
        )
        lake.append({"place": np.arange(len(array)), "vector": array})
        lake.commit("vectors")

    return {"seconds": timed(work)[0]}


@scenario
def nearest(world: World) -> Figure:
    array = np.load(world.vectors)
    lake = deeplake.open(str(world.work / "vectors"))
    text = ",".join(map(str, array[3].tolist()))
    query = f"SELECT place ORDER BY COSINE_SIMILARITY(vector, ARRAY[{text}]) DESC LIMIT 25"
    figure, found = warm(lambda: lake.query(query)["place"][:])
    return figure | {"answer": int(found[0])}


@scenario
def start(world: World) -> Figure:
    found = _counts(opened(world))
    return {"seconds": since_start(), "answer": found}


if __name__ == "__main__":
    main()
