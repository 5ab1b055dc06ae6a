"""Datumaro: items in memory, nothing kept on disk but exports, so all scenarios run in one process on one import."""

from __future__ import annotations

from collections import Counter
from functools import cache

import datumaro as dm
from bench import Figure, NotThere, World, main, scenario, since_start, timed, warm


@cache
def loaded(world: World) -> dm.Dataset:
    """It wants the folders of COCO's own downloads: links are put in place, the first of which is not timed."""
    home = world.work / "coco"
    if not home.exists():
        (home / "annotations").mkdir(parents=True)
        (home / "images").mkdir()
        (home / "annotations" / "instances_train.json").symlink_to(world.instances)
        (home / "images" / "train").symlink_to(world.images)
    dataset = dm.Dataset.import_from(str(home), "coco_instances")
    dataset.init_cache()
    return dataset


@scenario
def import_(world: World) -> Figure:
    seconds, dataset = timed(lambda: loaded(world))
    return {"seconds": seconds, "answer": sum(len(item.annotations) for item in dataset)}


@scenario
def predictions(world: World) -> Figure:
    raise NotThere("it reads no results list; predictions are a second dataset")


@scenario
def count(world: World) -> Figure:
    figure, found = warm(lambda: _counts(loaded(world)))
    return figure | {"answer": found}


def _counts(dataset: dm.Dataset) -> dict[str, int]:
    names = dataset.categories()[dm.AnnotationType.label]
    counted = Counter(annotation.label for item in dataset for annotation in item.annotations)
    return {entry.name: counted[at] for at, entry in enumerate(names)}


@scenario
def filter_(world: World) -> Figure:
    dataset, question = loaded(world), world.facts["question"]
    wanted = dataset.categories()[dm.AnnotationType.label].find(question["class"])[0]

    def large(item: dm.DatasetItem) -> int:
        return sum(a.label == wanted and a.w * a.h > question["area_over"] for a in item.annotations)

    figure, found = warm(lambda: sum(large(item) >= question["at_least"] for item in dataset))
    return figure | {"answer": found, "note": "a loop in Python"}


@scenario
def random(world: World) -> Figure:
    dataset = loaded(world)
    ids = sorted(item.id for item in dataset)

    def work() -> int:
        return sum(len(dataset.get(ids[at], "train").annotations) for at in world.facts["some"])

    figure, n = warm(work)
    return figure | {"answer": n, "note": "objects that are in memory"}


@scenario
def edit(world: World) -> Figure:
    raise NotThere("it has no versions")


@scenario
def diff(world: World) -> Figure:
    raise NotThere("it has no versions")


@scenario
def export_coco(world: World) -> Figure:
    out = str(world.work / "out-coco")
    seconds, _ = timed(lambda: loaded(world).export(out, "coco_instances", save_media=False))
    return {"seconds": seconds, "note": "labels alone"}


@scenario
def export_yolo(world: World) -> Figure:
    out = str(world.work / "out-yolo")
    seconds, _ = timed(lambda: loaded(world).export(out, "yolo", save_media=False))
    return {"seconds": seconds, "note": "labels alone"}


@scenario
def start(world: World) -> Figure:
    """A new process has to import again."""
    found = _counts(loaded(world))
    return {"seconds": since_start(), "answer": found}


if __name__ == "__main__":
    main()
