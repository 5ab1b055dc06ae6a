"""supervision: arrays in memory, nothing kept on disk, so all scenarios run in one process on one import."""

from __future__ import annotations

import json
from functools import cache

import numpy as np
import supervision as sv
from bench import Figure, NotThere, World, main, scenario, since_start, timed, warm


@cache
def loaded(world: World) -> sv.DetectionDataset:
    return sv.DetectionDataset.from_coco(str(world.images), str(world.instances))


@scenario
def import_(world: World) -> Figure:
    seconds, dataset = timed(lambda: loaded(world))
    return {"seconds": seconds, "answer": sum(map(len, dataset.annotations.values()))}


@scenario
def predictions(world: World) -> Figure:
    """It has no reader for results lists: a loop over the file, a `Detections` an image."""
    images = json.loads(world.instances.read_bytes())["images"]
    names = {row["id"]: row["file_name"] for row in images}

    def work() -> dict[str, sv.Detections]:
        by_image: dict[int, list[dict]] = {}
        for row in json.loads(world.results.read_bytes()):
            by_image.setdefault(row["image_id"], []).append(row)
        found = {}
        for image_id, rows in by_image.items():
            boxes = np.array([row["bbox"] for row in rows])
            boxes[:, 2:] += boxes[:, :2]
            found[names[image_id]] = sv.Detections(
                xyxy=boxes,
                class_id=np.array([row["category_id"] - 1 for row in rows]),
                confidence=np.array([row["score"] for row in rows]),
            )
        return found

    seconds, found = timed(work)
    return {"seconds": seconds, "answer": sum(map(len, found.values()))}


@scenario
def count(world: World) -> Figure:
    figure, found = warm(lambda: _counts(loaded(world)))
    return figure | {"answer": found}


def _counts(dataset: sv.DetectionDataset) -> dict[str, int]:
    every = np.concatenate([of.class_id for of in dataset.annotations.values() if len(of)])
    counted = np.bincount(every, minlength=len(dataset.classes))
    return dict(zip(dataset.classes, counted.tolist(), strict=True))


@scenario
def filter_(world: World) -> Figure:
    dataset, question = loaded(world), world.facts["question"]
    wanted = dataset.classes.index(question["class"])

    def work() -> int:
        return sum(
            int(((of.class_id == wanted) & (of.box_area > question["area_over"])).sum())
            >= question["at_least"]
            for of in dataset.annotations.values()
            if len(of)
        )

    figure, found = warm(work)
    return figure | {"answer": found}


@scenario
def random(world: World) -> Figure:
    dataset = loaded(world)
    paths = sorted(dataset.image_paths)
    figure, n = warm(lambda: sum(len(dataset.annotations[paths[at]].xyxy) for at in world.facts["some"]))
    return figure | {"answer": n, "note": "arrays that are in memory"}


@scenario
def edit(world: World) -> Figure:
    raise NotThere("it has no versions")


@scenario
def diff(world: World) -> Figure:
    raise NotThere("it has no versions")


@scenario
def export_coco(world: World) -> Figure:
    seconds, _ = timed(lambda: loaded(world).as_coco(annotations_path=str(world.work / "out.json")))
    return {"seconds": seconds, "note": "labels alone"}


@scenario
def export_yolo(world: World) -> Figure:
    seconds, _ = timed(lambda: loaded(world).as_yolo(annotations_directory_path=str(world.work / "yolo")))
    return {"seconds": seconds, "note": "labels alone"}


@scenario
def start(world: World) -> Figure:
    """A new process has to import again."""
    found = _counts(loaded(world))
    return {"seconds": since_start(), "answer": found}


if __name__ == "__main__":
    main()
