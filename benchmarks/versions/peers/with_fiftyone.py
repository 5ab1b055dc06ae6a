"""FiftyOne: a dataset in its own MongoDB, pictures by path. `peak_mb` is this process; mongod is not in it."""

from __future__ import annotations

import json
from typing import Any

import fiftyone as fo
import fiftyone.brain as fob
import fiftyone.types as fot
import fiftyone.utils.coco as fouc
import numpy as np
from bench import Figure, NotThere, World, main, scenario, since_start, timed, warm
from fiftyone import ViewField as F

NAME = "streets"


@scenario
def import_(world: World) -> Figure:
    def work() -> Any:
        return fo.Dataset.from_dir(
            dataset_type=fot.COCODetectionDataset,
            data_path=str(world.images),
            labels_path=str(world.instances),
            label_field={"detections": "gt", "coco_id": "coco_id"},
            include_id=True,
            name=NAME,
            persistent=True,
            progress=False,
        )

    fo.list_datasets()  # starts the database, which is not what is asked here
    seconds, dataset = timed(work)
    return {"seconds": seconds, "answer": dataset.count("gt.detections")}


@scenario
def predictions(world: World) -> Figure:
    dataset = fo.load_dataset(NAME)
    categories = json.loads(world.instances.read_bytes())["categories"]

    def work() -> None:
        fouc.add_coco_labels(dataset, "pred", str(world.results), categories, coco_id_field="coco_id")

    seconds, _ = timed(work)
    return {"seconds": seconds, "answer": dataset.count("pred.detections")}


@scenario
def count(world: World) -> Figure:
    dataset = fo.load_dataset(NAME)
    figure, found = warm(lambda: dataset.count_values("gt.detections.label"))
    return figure | {"answer": found}


@scenario
def filter_(world: World) -> Figure:
    dataset = fo.load_dataset(NAME)
    question = world.facts["question"]
    width, height = world.facts["size"]
    box = F("bounding_box")
    large = box[2] * box[3] * (width * height) > question["area_over"]
    inside = F("gt.detections").filter((F("label") == question["class"]) & large)
    figure, found = warm(lambda: len(dataset.match(inside.length() >= question["at_least"])))
    return figure | {"answer": found}


@scenario
def random(world: World) -> Figure:
    """The quickest way, by columns; `objects_seconds` reads the samples as objects."""
    dataset = fo.load_dataset(NAME)
    ids = _ids(dataset, world.facts["some"])
    columns = ["filepath", "gt.detections.label", "gt.detections.bounding_box"]
    figure, found = warm(lambda: dataset.select(ids).values(columns))
    objects, _ = timed(lambda: [len(_boxes(sample)) for sample in dataset.select(ids)])
    return figure | {"answer": sum(len(of or ()) for of in found[1]), "objects_seconds": objects}


def _boxes(sample: Any) -> Any:
    return sample.gt.detections if sample.gt is not None else ()


def _ids(dataset: Any, places: list[int]) -> list[str]:
    paths, ids = dataset.values(["filepath", "id"])
    ordered = [sample_id for _path, sample_id in sorted(zip(paths, ids, strict=True))]
    return [ordered[at] for at in places]


@scenario
def edit(world: World) -> Figure:
    """A version is a copy of the dataset (versions proper are in its paid edition), then the boxes are set."""
    dataset = fo.load_dataset(NAME)
    ids = _ids(dataset, world.facts["changed"])

    def work() -> None:
        copy = dataset.clone("streets-2")
        view = copy.select(_ids(copy, world.facts["changed"]))
        boxes = view.values("gt.detections.bounding_box")
        width = world.facts["size"][0]
        moved = [[[x + 1 / width, y, w, h] for x, y, w, h in of or ()] for of in boxes]
        view.set_values("gt.detections.bounding_box", moved)

    seconds, _ = timed(work)
    fo.delete_dataset("streets-2")
    return {"seconds": seconds, "note": f"clone() and set_values on {len(ids)} samples"}


@scenario
def diff(world: World) -> Figure:
    raise NotThere("versions and their differences are in the paid edition")


@scenario
def export_coco(world: World) -> Figure:
    dataset = fo.load_dataset(NAME)

    def work() -> None:
        dataset.export(
            dataset_type=fot.COCODetectionDataset,
            labels_path=str(world.work / "out.json"),
            label_field="gt",
            progress=False,
        )

    return {"seconds": timed(work)[0], "note": "labels alone"}


@scenario
def export_yolo(world: World) -> Figure:
    dataset = fo.load_dataset(NAME)

    def work() -> None:
        dataset.export(
            dataset_type=fot.YOLOv5Dataset,
            export_dir=str(world.work / "yolo"),
            label_field="gt",
            export_media=False,
            progress=False,
        )

    return {"seconds": timed(work)[0], "note": "labels alone"}


@scenario
def vectors(world: World) -> Figure:
    dataset = fo.load_dataset(NAME)
    array = np.load(world.vectors)

    def work() -> None:
        fob.compute_similarity(dataset, embeddings=array, brain_key="sim", backend="sklearn")

    return {"seconds": timed(work)[0]}


@scenario
def nearest(world: World) -> Figure:
    dataset = fo.load_dataset(NAME)
    array = np.load(world.vectors)
    order = dataset.values("id")
    figure, found = warm(lambda: dataset.sort_by_similarity(array[3], k=25, brain_key="sim").values("id"))
    return figure | {"answer": order.index(found[0])}


@scenario
def start(world: World) -> Figure:
    found = fo.load_dataset(NAME).count_values("gt.detections.label")
    return {"seconds": since_start(), "answer": found}


if __name__ == "__main__":
    main()
