"""Operations of annotators a second, one process: recorded in the event log, against staged as edits of the dataset.

    uv run benchmarks/labelling/operations.py [--catalog postgresql://USER@HOST:PORT/DATABASE]

Eight people draw boxes on their own images, in lists of 1, 10 and 50 operations. The alternative writes each list as an
edit of the working state, as the sample page does. Seconds of the clock and of CPU, because a list waits for the disk.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from PIL import Image

from calotype.acquire.model import ImageOptions
from calotype.acquire.service import add
from calotype.annotate import service as annotate
from calotype.app import workspaces
from calotype.datasets import service as datasets
from calotype.datasets.change import Change
from calotype.foundation.actor import Actor
from calotype.labelling import service
from calotype.labelling.model import BatchOptions
from calotype.store import Store
from calotype.vision.ontology import Ontology

PEOPLE = 8
LISTS = {1: 60, 10: 20, 50: 8}
"""Operations in a list -> lists that each person sends."""
OWNER = Actor("local:bench", "bench")


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--catalog", default="")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        options = {"catalog": arguments.catalog} if arguments.catalog else {}
        with closing(workspaces.create(OWNER, Path(folder) / "w", **options)) as store:
            _dataset(store, Path(folder) / "images")
            print(json.dumps(figures(store), indent=2))


def figures(store: Store) -> dict[str, Any]:
    """Rates by length of the lists, and the ratio to edits of the dataset."""
    service.open_batch(OWNER, "d", "b", store=store, options=BatchOptions(review=0.0))
    people = [Actor(f"local:p{n}", f"p{n}") for n in range(PEOPLE)]
    held = {person: service.next_work(person, store=store) for person in people}
    samples = datasets.read(OWNER, "d", store=store).ids()
    shown: dict[str, Any] = {}
    for size, n_lists in LISTS.items():

        def recorded(person: Actor, size: int = size) -> None:
            service.record(person, held[person], [_box() for _ in range(size)], store=store)

        def edited(person: Actor, size: int = size) -> None:
            sample = samples[people.index(person)]
            plain = [{k: v for k, v in _box().items() if k != "id"} | {"sample": sample} for _ in range(size)]
            annotate.edit(OWNER, "d@edited", plain, store=store)

        log_wall, log_cpu = _rates(people, recorded, n_lists, size)
        edit_wall, _ = _rates(people, edited, max(2, n_lists // 8), size)
        shown[f"lists of {size}"] = {
            "operations_per_s": round(log_wall),
            "operations_per_cpu_s": round(log_cpu),
            "ratio_to_edits": round(log_wall / edit_wall, 1),
        }
    return shown


def _rates(
    people: list[Actor], send: Callable[[Actor], None], n_lists: int, size: int
) -> tuple[float, float]:
    def labour(person: Actor) -> None:
        for _ in range(n_lists):
            send(person)

    threads = [threading.Thread(target=labour, args=(person,)) for person in people]
    wall, cpu = time.perf_counter(), time.process_time()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    n = len(people) * n_lists * size
    return n / (time.perf_counter() - wall), n / (time.process_time() - cpu)


def _box() -> dict[str, Any]:
    new = {"do": "add", "id": uuid4().hex, "annotation": uuid4().hex, "class": "car", "kind": "box"}
    return {**new, "bbox": [1.0, 2.0, 20.0, 10.0]}


def _dataset(store: Store, folder: Path) -> None:
    folder.mkdir()
    rng = np.random.default_rng(0)
    for n in range(PEOPLE * 2):
        Image.fromarray(rng.integers(0, 255, (48, 64, 3), dtype=np.uint8)).save(folder / f"{n:03}.png")
    datasets.create(OWNER, "d", store=store)
    add(OWNER, "d", [folder], ImageOptions(), store=store)
    datasets.apply(OWNER, "d", Change(ontology=Ontology().add("car")), store=store)
    datasets.commit(OWNER, "d", "first", store=store)
    datasets.branch(OWNER, "d", "edited", store=store)


if __name__ == "__main__":
    main()
