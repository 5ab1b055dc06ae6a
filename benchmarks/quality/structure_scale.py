"""Structural checks of a million samples: whole, again, and after a change of 1 %; beside a loop over rows in Python.

    uv run benchmarks/quality/structure_scale.py [--samples 1000000]

Draws samples with 4 boxes each on average (no images: these checks read columns only), a few per thousand of them
faulty.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa

import calotype as ct
from calotype.app import wiring
from calotype.datasets import rows
from calotype.datasets import service as datasets
from calotype.datasets.change import Change
from calotype.foundation.actor import Actor
from calotype.vision.ontology import Ontology

LOOP_SHARE = 20


def filled(schema: pa.Schema, n: int, given: dict) -> pa.Table:
    """A table of n rows: what is given, the rest empty."""
    columns = {}
    for field in schema:
        empty = pa.array(np.full(n, "", object)) if field.type == pa.string() else pa.nulls(n, field.type)
        columns[field.name] = given.get(field.name, empty)
    return pa.table(columns, schema=schema)


def drawn(n: int) -> tuple[pa.Table, pa.Table]:
    """Samples and boxes."""
    rng = np.random.default_rng(0)
    ids = pa.array([f"a{k:031x}" for k in range(n)])
    width, height = rng.integers(400, 1_000, n), rng.integers(300, 800, n)
    names = [f"img/{k:07d}.jpg" for k in range(n)]
    samples = filled(
        rows.SAMPLE_SCHEMA,
        n,
        {
            "sample_id": ids,
            "media_sha256": pa.array([f"{k:064x}" for k in range(n)]),
            "name": pa.array(names),
            "width_px": pa.array(width, pa.int32()),
            "height_px": pa.array(height, pa.int32()),
        },
    )
    m = 4 * n
    of = np.sort(rng.integers(0, n, m))
    w, h, luck = rng.uniform(20, 200, m), rng.uniform(20, 200, m), rng.random(m)
    x, y = rng.uniform(0, 1, m) * (width[of] - w), rng.uniform(0, 1, m) * (height[of] - h)
    w[luck < 0.0005] = 0
    x[(luck > 0.001) & (luck < 0.0015)] = -15
    boxes = filled(
        rows.ANNOTATION_SCHEMA,
        m,
        {
            "ann_id": pa.array([f"b{k:031x}" for k in range(m)]),
            "sample_id": ids.take(pa.array(of)),
            "kind": pa.array(np.full(m, "box", object)),
            "class_id": pa.array(rng.integers(0, 10, m), pa.int32()),
            "x": pa.array(x),
            "y": pa.array(y),
            "w": pa.array(w),
            "h": pa.array(h),
        },
    )
    return samples, boxes


def looped(samples: pa.Table, boxes: pa.Table) -> float:
    """Seconds that plain Python needs for two of the checks on a share of the rows, times the share."""
    part = boxes.slice(0, boxes.num_rows // LOOP_SHARE).select(["sample_id", "x", "y", "w", "h"]).to_pylist()
    table = samples.select(["sample_id", "width_px", "height_px"]).to_pylist()
    sizes = {one["sample_id"]: (one["width_px"], one["height_px"]) for one in table}
    began, faults = time.perf_counter(), 0
    for box in part:
        width, height = sizes[box["sample_id"]]
        faults += box["w"] <= 0 or box["h"] <= 0
        faults += min(box["x"], box["y"], width - box["x"] - box["w"], height - box["y"] - box["h"]) < -1
    return (time.perf_counter() - began) * LOOP_SHARE


def main() -> None:
    """Print the figures. The data are drawn by another process, so that the peak is that of the checks."""
    n = int(sys.argv[sys.argv.index("--samples") + 1]) if "--samples" in sys.argv else 1_000_000
    if "--draw" in sys.argv:
        print(json.dumps(draw(n, Path(sys.argv[sys.argv.index("--draw") + 1]))))
        return
    with tempfile.TemporaryDirectory() as folder:
        words = [sys.executable, __file__, "--samples", str(n), "--draw", folder]
        result = json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)
        with ct.open(folder) as workspace:
            tested(workspace.dataset("big"), n, result["loop_s"])
    print(f"drawing and committing the data: peak {result['peak_gb']:.2f} GB")


def draw(n: int, folder: Path) -> dict[str, float]:
    """Put the data into a workspace; seconds of the loop, and the peak of memory."""
    actor = Actor.local()
    store = wiring.create(actor, folder)
    datasets.create(actor, "big", store=store)
    samples, boxes = drawn(n)
    ontology = Ontology()
    for k in range(10):
        ontology = ontology.add(f"c{k}")
    change = Change(put_samples=samples, put_annotations={"ground_truth": boxes}, ontology=ontology)
    datasets.apply(actor, "big", change, store=store)
    datasets.commit(actor, "big", "drawn", store=store)
    store.close()
    loop_s = looped(samples, boxes)
    return {"loop_s": loop_s, "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6}


def tested(dataset: ct.Dataset, n: int, loop: float) -> None:
    """Check whole, again, and after an edit of each hundredth sample."""
    took = {}
    for name in ("whole", "again"):
        began = time.perf_counter()
        dataset.check("structure", whole=name == "whole")
        took[name] = time.perf_counter() - began
    ids = [f"a{k:031x}" for k in range(0, n, 100)]
    rng = np.random.default_rng(1)
    edit = {"sample_id": ids, "class": ["c1"] * len(ids), "w": [30.0] * len(ids), "h": [30.0] * len(ids)}
    edit.update({axis: rng.uniform(0, 300, len(ids)).tolist() for axis in "xy"})
    dataset.put_annotations(pa.table(edit), replace="samples")
    began = time.perf_counter()
    report = dataset.check("structure")
    took["after 1 %"] = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(
        f"{n:,} samples, {4 * n:,} boxes, {sum(report.counts.values()):,} findings, {len(report.checks)} checks"
    )
    times = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in took.items())
    print(f"{times}; peak {peak:.2f} GB")
    print(
        f"two of these checks in a Python loop: {loop:.0f} s; ratio to all checks, whole: {loop / took['whole']:.1f}"
    )


if __name__ == "__main__":
    main()
