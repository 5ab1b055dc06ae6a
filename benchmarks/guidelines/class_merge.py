"""Merges a class of 100,000 annotations among 300,000: dry run, the edit, its undo, in CPU and wall seconds.

uv run python benchmarks/guidelines/class_merge.py [annotations of the class]
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from calotype.annotate import service as annotate
from calotype.datasets import service as datasets
from calotype.datasets.change import Change
from calotype.datasets.model import Sample
from calotype.datasets.row_ids import new_ids
from calotype.datasets.rows import ANNOTATION_SCHEMA
from calotype.foundation.actor import Actor
from calotype.guidelines import service
from calotype.guidelines.model import Migration
from calotype.store.store import create_workspace
from calotype.vision.ontology import Ontology

N_SAMPLES, N_CLASSES = 10_000, 3


def measured(what: str, call: Callable[[], Any]) -> Any:
    """Run a call, and print its seconds."""
    cpu, wall = time.process_time(), time.perf_counter()
    value = call()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    print(json.dumps({"what": what, "cpu_s": round(cpu, 2), "wall_s": round(wall, 2)}), flush=True)
    return value


def annotations(n: int, sample_ids: pa.Array) -> pa.Table:
    """N boxes, evenly spread over the classes and samples."""
    draw = np.random.default_rng(0)
    columns: dict[str, Any] = {field.name: pa.nulls(n, field.type) for field in ANNOTATION_SCHEMA}
    columns |= {
        "ann_id": new_ids(n),
        "sample_id": sample_ids.take(pa.array(np.arange(n) % len(sample_ids))),
        "kind": pa.repeat("box", n),
        "class_id": pa.array(np.arange(n) % N_CLASSES, pa.int32()),
        **{axis: pa.array(draw.uniform(1, 200, n)) for axis in "xywh"},
        "attributes": pa.array(np.where(draw.uniform(size=n) < 0.5, '{"occluded":true}', "")),
        "created_at_us": pa.repeat(1, n),
    }
    return pa.table(columns, schema=ANNOTATION_SCHEMA)


def main(n_of_class: int) -> None:
    """Measure on a new workspace in a temporary folder."""
    owner = Actor("bench:ana", "ana")
    with tempfile.TemporaryDirectory() as folder:
        store = create_workspace(owner, Path(folder) / "workspace")
        ids = new_ids(N_SAMPLES)
        samples = [
            Sample(i, "0" * 64, f"{at}.png", 640, 480, "image/png", 1) for at, i in enumerate(ids.to_pylist())
        ]
        ontology = Ontology().add("car").add("van").add("bus")
        put = {"ground_truth": annotations(n_of_class * N_CLASSES, ids)}
        datasets.create(owner, "roads", store=store)
        datasets.apply(
            owner, "roads", Change(put_samples=samples, put_annotations=put, ontology=ontology), store=store
        )
        before = datasets.read(owner, "roads", store=store).state_sha256
        merge = Migration(merge={"car": ("van",)})
        planned = measured("dry run", lambda: service.migrate_ontology(owner, "roads", merge, store=store))
        done = measured(
            "merge", lambda: service.migrate_ontology(owner, "roads", merge, store=store, dry_run=False)
        )
        measured("undo", lambda: annotate.undo_edit(owner, "roads", store=store))
        counts = datasets.read(owner, "roads", store=store)
        print(
            json.dumps(
                {
                    "written": done.written,
                    "dry run equals the outcome": planned.to_dict() | {"applied": True} == done.to_dict(),
                    "undone exactly": counts.state_sha256 == before,
                }
            )
        )
        store.close()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
