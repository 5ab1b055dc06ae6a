"""Structure checks of many polygons, in arrays; beside the same three tests of each polygon alone.

    uv run benchmarks/quality/polygons.py [--polygons 100000] [--points 30]

Draws polygons of 30 points, a few per thousand of them faulty. The time is that of the processor, for reading the
outlines from the dataset and all checks of the family `structure`; the loop tests its share of the outlines in memory.
"""

from __future__ import annotations

import argparse
import statistics
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
from calotype.vision import polygons
from calotype.vision.ontology import Ontology

LOOP_SHARE = 50
ROUNDS = 3
PER_IMAGE = 20
SIZE_WH = (1_920, 1_080)


def outlines(n: int, n_points: int) -> np.ndarray:
    """(N, K, 2) points around N centres; of 3 in 1,000 two corners are swapped, of 1 all points are on one line."""
    rng = np.random.default_rng(0)
    angle = np.sort(rng.random((n, n_points)), axis=1) * 2 * np.pi
    radius = rng.uniform(15, 60, (n, 1)) * rng.uniform(0.6, 1.1, (n, n_points))
    centre = rng.uniform(70, np.asarray(SIZE_WH) - 70, (n, 2))
    points = centre[:, None] + np.stack([np.cos(angle) * radius, np.sin(angle) * radius], axis=2)
    luck = rng.random(n)
    tangled = luck < 0.003
    points[tangled, 3], points[tangled, n_points // 2] = (
        points[tangled, n_points // 2],
        points[tangled, 3].copy(),
    )
    points[luck > 0.999, :, 1] = points[luck > 0.999, :1, 1]
    return points


def filled(schema: pa.Schema, n: int, given: dict[str, pa.Array]) -> pa.Table:
    """A table of n rows: the given columns, the others empty."""
    empty = {
        field.name: pa.array(np.full(n, "", object)) if field.type == pa.string() else pa.nulls(n, field.type)
        for field in schema
    }
    return pa.table({**empty, **given}, schema=schema)


def put(folder: Path, points: np.ndarray) -> None:
    """A workspace with a dataset `outlines` of these polygons, twenty an image."""
    actor = Actor.local()
    store = wiring.create(actor, folder)
    datasets.create(actor, "outlines", store=store)
    n, n_points = points.shape[:2]
    n_images = -(-n // PER_IMAGE)
    ids = pa.array([f"a{k:031x}" for k in range(n_images)])
    samples = filled(
        rows.SAMPLE_SCHEMA,
        n_images,
        {
            "sample_id": ids,
            "media_sha256": pa.array([f"{k:064x}" for k in range(n_images)]),
            "name": pa.array([f"img/{k:06d}.jpg" for k in range(n_images)]),
            "width_px": pa.array(np.full(n_images, SIZE_WH[0]), pa.int32()),
            "height_px": pa.array(np.full(n_images, SIZE_WH[1]), pa.int32()),
        },
    )
    low, high = points.min(axis=1), points.max(axis=1)
    rings = pa.ListArray.from_arrays(
        np.arange(n + 1, dtype=np.int32) * n_points * 2, pa.array(points.ravel())
    )
    annotations = filled(
        rows.ANNOTATION_SCHEMA,
        n,
        {
            "ann_id": pa.array([f"b{k:031x}" for k in range(n)]),
            "sample_id": ids.take(pa.array(np.arange(n) // PER_IMAGE)),
            "kind": pa.array(np.full(n, "polygon", object)),
            "class_id": pa.array(np.arange(n) % 3, pa.int32()),
            "rings": pa.ListArray.from_arrays(np.arange(n + 1, dtype=np.int32), rings),
            "x": pa.array(low[:, 0]),
            "y": pa.array(low[:, 1]),
            "w": pa.array(high[:, 0] - low[:, 0]),
            "h": pa.array(high[:, 1] - low[:, 1]),
        },
    )
    ontology = Ontology()
    for name in ("car", "person", "sign"):
        ontology = ontology.add(name)
    change = Change(put_samples=samples, put_annotations={"ground_truth": annotations}, ontology=ontology)
    datasets.apply(actor, "outlines", change, store=store)
    datasets.commit(actor, "outlines", "drawn", store=store)
    store.close()


def one_by_one(points: np.ndarray) -> float:
    """CPU seconds for area, crossings and bounds of each outline alone, of a share of them, times the share."""
    part = [outline.ravel().tolist() for outline in points[::LOOP_SHARE]]
    began = time.process_time()
    for ring in part:
        polygons.ring_problem(ring)
        len(set(zip(ring[::2], ring[1::2], strict=True)))
        polygons.ring_area(ring)
        polygons.crosses_itself(ring)
        polygons.rings_bbox_xywh([ring])
    return (time.process_time() - began) * len(points) / len(part)


def main() -> None:
    """Print the figures."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--polygons", type=int, default=100_000)
    asked.add_argument("--points", type=int, default=30)
    given = asked.parse_args(sys.argv[1:])
    points = outlines(given.polygons, given.points)
    with tempfile.TemporaryDirectory() as folder:
        put(Path(folder), points)
        seconds = []
        with ct.open(folder) as workspace:
            for _ in range(ROUNDS):
                began = time.process_time()
                report = workspace.dataset("outlines").check("structure", whole=True)
                seconds.append(time.process_time() - began)
    loop_s, checks_s = one_by_one(points), statistics.median(seconds)
    counts = {check.name: check.n_findings for check in report.checks if check.n_findings}
    print(f"{given.polygons:,} polygons of {given.points} points, {len(report.checks)} checks: {counts}")
    print(
        f"in arrays {checks_s:.2f} CPU s (median of {ROUNDS}); one by one {loop_s:.1f} CPU s for three of them"
    )
    print(f"ratio {loop_s / checks_s:.1f}")


if __name__ == "__main__":
    main()
