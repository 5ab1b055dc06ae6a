"""LightlyStudio: one DuckDB file, pictures by path. Its telemetry is switched off by the table of peers."""

from __future__ import annotations

import json
from typing import Any

import lightly_studio as ls
from bench import Figure, NotThere, World, main, scenario, since_start, timed, warm
from lightly_studio import db_manager
from lightly_studio.resolvers import image_resolver

NAME = "streets"
CONNECTED: list[bool] = []


def opened(world: World, *, new: bool = False) -> Any:
    if not CONNECTED:  # once in a process: a second call is refused
        db_manager.connect(db_file=str(world.work / "studio.db"))
        CONNECTED.append(True)
    return ls.ImageDataset.create(NAME) if new else ls.ImageDataset.load(NAME)


@scenario
def import_(world: World) -> Figure:
    dataset = opened(world, new=True)

    def work() -> None:
        dataset.add_samples_from_coco(
            world.instances, world.images, annotation_source="gt", embed=False, embed_annotations=False
        )

    seconds, _ = timed(work)
    return {"seconds": seconds, "answer": sum(_counts(dataset).values())}


@scenario
def predictions(world: World) -> Figure:
    """It reads whole COCO files: the results list is put into one first, which is not timed."""
    dataset = opened(world)
    document = json.loads(world.instances.read_bytes())
    found = json.loads(world.results.read_bytes())
    document["annotations"] = [
        row | {"id": at, "iscrowd": 0, "area": row["bbox"][2] * row["bbox"][3]}
        for at, row in enumerate(found)
    ]
    file = world.work / "predictions.json"
    file.write_text(json.dumps(document))
    before = sum(_counts(dataset).values())

    def work() -> None:
        dataset.add_annotations_from_coco(
            file, world.images, annotation_source="pred", embed_annotations=False
        )

    seconds, _ = timed(work)
    return {"seconds": seconds, "answer": sum(_counts(dataset).values()) - before}


@scenario
def count(world: World) -> Figure:
    """Before predictions come, for it counts all sources; a call of its server, its Python API has none."""
    dataset = opened(world)
    figure, found = warm(lambda: _counts(dataset))
    return figure | {"answer": found}


def _counts(dataset: Any) -> dict[str, int]:
    counted = image_resolver.count_image_annotations_by_collection(dataset.session, dataset.collection_id)
    return {row[0]: int(row[1]) for row in counted}


@scenario
def filter_(world: World) -> Figure:
    raise NotThere("its query language cannot ask for a number of boxes")


@scenario
def random(world: World) -> Figure:
    dataset = opened(world)
    ordered = sorted((sample.file_path_abs, sample.sample_id) for sample in dataset)
    ids = [ordered[at][1] for at in world.facts["some"]]

    def work() -> int:
        n = 0
        for sample_id in ids:
            boxes = [
                (a.class_name, a.x, a.y, a.width, a.height) for a in dataset.get_sample(sample_id).annotations
            ]
            n += len(boxes)
        return n

    seconds, n = timed(work)
    return {"seconds": seconds, "answer": n}


@scenario
def edit(world: World) -> Figure:
    raise NotThere("it has no versions")


@scenario
def diff(world: World) -> Figure:
    raise NotThere("it has no versions")


@scenario
def export_coco(world: World) -> Figure:
    dataset = opened(world)
    seconds, _ = timed(lambda: dataset.export().to_coco_object_detections(world.work / "out.json"))
    return {"seconds": seconds, "note": "both sources in one file, when there are predictions"}


@scenario
def export_yolo(world: World) -> Figure:
    dataset = opened(world)
    seconds, _ = timed(lambda: dataset.export().to_yolo_object_detections(world.work / "yolo"))
    return {"seconds": seconds, "note": "labels alone"}


@scenario
def vectors(world: World) -> Figure:
    raise NotThere("its Python API takes a model, not vectors")


@scenario
def start(world: World) -> Figure:
    found = _counts(opened(world))
    return {"seconds": since_start(), "answer": found}


if __name__ == "__main__":
    main()
