"""DataChain: typed rows in SQLite, versions of whole datasets. It has no computer-vision formats: `json` reads."""

from __future__ import annotations

import json
from typing import Any

import datachain as dc
import numpy as np
from bench import Figure, NotThere, World, main, named_counts, scenario, since_start, timed, warm
from datachain import C, func


class Box(dc.DataModel):
    """A box as a typed row."""

    id: int
    image_id: int
    category_id: int
    x: float
    y: float
    w: float
    h: float
    score: float


def _rows(found: list[dict]) -> list[Box]:
    boxes = []
    for at, row in enumerate(found):
        x, y, w, h = map(float, row["bbox"])
        place = {"id": row.get("id", at), "image_id": row["image_id"], "category_id": row["category_id"]}
        boxes.append(Box(**place, x=x, y=y, w=w, h=h, score=row.get("score", 1.0)))
    return boxes


@scenario
def import_(world: World) -> Figure:
    def work() -> int:
        document = json.loads(world.instances.read_bytes())
        images = [{"id": row["id"], "file": row["file_name"]} for row in document["images"]]
        dc.read_records(images, schema={"id": int, "file": str}).save("images")
        return dc.read_values(box=_rows(document["annotations"])).save("boxes").count()

    seconds, n = timed(work)
    return {"seconds": seconds, "answer": n}


@scenario
def predictions(world: World) -> Figure:
    def work() -> int:
        found = json.loads(world.results.read_bytes())
        return dc.read_values(box=_rows(found)).save("predictions").count()

    seconds, n = timed(work)
    return {"seconds": seconds, "answer": n}


def _boxes(version: str = "1.0.0") -> Any:
    return dc.read_dataset("boxes", version=version)


@scenario
def count(world: World) -> Figure:
    figure, found = warm(_counts)
    return figure | {"answer": found}


def _counts() -> dict[str, int]:
    chain = _boxes().group_by(n=func.count(), partition_by="box.category_id")
    return named_counts(sorted(chain.to_list("box.category_id", "n")))


@scenario
def filter_(world: World) -> Figure:
    question = world.facts["question"]
    wanted = int(question["class"].split("-")[1])

    def work() -> int:
        large = _boxes().filter(
            (C("box.category_id") == wanted) & (C("box.w") * C("box.h") > question["area_over"])
        )
        grouped = large.group_by(n=func.count(), partition_by="box.image_id")
        return grouped.filter(C("n") >= question["at_least"]).count()

    figure, found = warm(work)
    return figure | {"answer": found}


def _ids(places: list[int]) -> list[int]:
    ordered = sorted(dc.read_dataset("images").to_list("file", "id"))
    return [ordered[at][1] for at in places]


@scenario
def random(world: World) -> Figure:
    ids = _ids(world.facts["some"])

    def work() -> int:
        dc.read_dataset("images").filter(C("id").in_(ids)).to_list("id", "file")
        return len(_boxes().filter(C("box.image_id").in_(ids)).to_list("box"))

    figure, n = warm(work)
    return figure | {"answer": n}


@scenario
def edit(world: World) -> Figure:
    """A new version of the dataset: the changed rows and the others, united."""
    ids = _ids(world.facts["changed"])

    def work() -> None:
        old = _boxes()
        rows = old.filter(C("box.image_id").in_(ids)).to_values("box")
        moved = [row.model_copy(update={"x": row.x + 1}) for row in rows]
        same = old.filter(~C("box.image_id").in_(ids))
        same.union(dc.read_values(box=moved)).save("boxes", version="2.0.0")

    return {"seconds": timed(work)[0]}


@scenario
def diff(world: World) -> Figure:
    def work() -> int:
        return _boxes("2.0.0").diff(_boxes(), on="box.id", status_col="state").count()

    seconds, n = timed(work)
    return {"seconds": seconds, "answer": n}


@scenario
def export_coco(world: World) -> Figure:
    raise NotThere("has no COCO writer")


@scenario
def export_yolo(world: World) -> Figure:
    raise NotThere("has no YOLO writer")


@scenario
def vectors(world: World) -> Figure:
    array = np.load(world.vectors)

    def work() -> None:
        rows = ({"place": at, "vector": vector} for at, vector in enumerate(array.tolist()))
        dc.read_records(rows, schema={"place": int, "vector": list[float]}).save("vectors")

    return {"seconds": timed(work)[0]}


@scenario
def nearest(world: World) -> Figure:
    wanted = np.load(world.vectors)[3].tolist()

    def work() -> list[Any]:
        chain = dc.read_dataset("vectors").mutate(far=func.cosine_distance("vector", wanted))
        return chain.order_by("far").limit(25).to_list("place")

    seconds, found = timed(work)
    return {"seconds": seconds, "answer": found[0][0]}


@scenario
def start(world: World) -> Figure:
    found = _counts()
    return {"seconds": since_start(), "answer": found}


if __name__ == "__main__":
    main()
