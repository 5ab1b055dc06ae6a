"""The data of the benchmark of browse: a dataset drawn by columns and written through the product's own edits.

`n` samples with metadata of several types, splits, tags and licences; six boxes each on average in `ground_truth` and
boxes of a model on every tenth sample; one commit, then an uncommitted edit of 3,000 samples and their boxes.
All samples have images: `N_IMAGES` files, in turn. The same seed gives the same counts.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from PIL import Image

from calotype.datasets import rows
from calotype.datasets import service as datasets
from calotype.datasets.change import Change, RowStream
from calotype.datasets.edit import apply
from calotype.datasets.row_ids import NewIds
from calotype.datasets.snapshot import Snapshot
from calotype.foundation.actor import Actor
from calotype.store import Store
from calotype.store.tables.memory import release_memory
from calotype.vision.ontology import Class, Ontology

DATASET = "roads"
MODEL = "model:detector"
N_IMAGES = 4_000
CHUNK = 50_000
BOXES_PER_SAMPLE = 6
N_EDITED = 3_000
CLASSES = (
    "car",
    "person",
    "bicycle",
    "truck",
    "bus",
    "rider",
    "traffic-light",
    "traffic-sign",
    "dog",
    "train",
)
WEATHER = ("clear", "rain", "fog", "snow", "overcast")
TIMES = ("day", "night", "dawn")
CAMERAS = tuple(f"cam-{number:02d}" for number in range(24))
SIZES = ((1920, 1080), (1280, 720), (3840, 2160))
_START_S = 1_735_689_600


def build(store: Store, actor: Actor, n: int) -> None:
    """Create the dataset `DATASET` with `n` samples in an open workspace."""
    datasets.create(actor, DATASET, store=store, description="Drawn for the benchmark of browse")
    ontology = Ontology(tuple(Class(place, name) for place, name in enumerate(CLASSES, start=1)))
    media = _store_images(store, min(n, N_IMAGES))
    ids = NewIds()
    for start in range(0, n, CHUNK):
        size = min(CHUNK, n - start)
        samples = _samples(np.random.default_rng([7, start]), ids.part(start, size), start, media)
        change = Change(
            put_samples=samples,
            new_samples=frozenset(samples["sample_id"].to_pylist()),
            put_annotations=_label_sets(samples["sample_id"].combine_chunks(), start),
            ontology=ontology if start == 0 else None,
        )
        apply(actor, DATASET, change, store=store)
        release_memory()
    datasets.commit(actor, DATASET, "drawn", store=store)
    apply(actor, DATASET, edit, store=store)


def edit(state: Snapshot) -> Change:
    """The uncommitted edit: another weather on 3,000 samples, another class and place for their boxes."""
    ids = state.ids()
    ids = ids[:: max(1, len(ids) // N_EDITED)][:N_EDITED]
    samples = state.samples(ids=ids)
    metadata = pc.replace_substring_regex(samples["metadata"], '"weather":"[a-z]+"', '"weather":"hail"')
    boxes = state.annotations(sample_ids=ids)
    moved = pc.add(boxes["x"], 1.0)
    boxes = boxes.set_column(boxes.schema.get_field_index("x"), rows.ANNOTATION_SCHEMA.field("x"), moved)
    other = pa.chunked_array([pa.array(np.full(boxes.num_rows, 2, np.int32))])
    place = boxes.schema.get_field_index("class_id")
    boxes = boxes.set_column(place, rows.ANNOTATION_SCHEMA.field("class_id"), other)
    place = samples.schema.get_field_index("metadata")
    samples = samples.set_column(place, rows.SAMPLE_SCHEMA.field("metadata"), metadata)
    return Change(put_samples=samples, put_annotations={"ground_truth": boxes})


def _store_images(store: Store, n: int) -> list[str]:
    """Media keys of real images: gradients with noise, all different."""
    keys = []
    rng = np.random.default_rng(11)
    with store.media.batch() as batch:
        for place in range(n):
            pixels = np.linspace(0, 160, 640)[None, :, None] + rng.integers(0, 90, 3)
            pixels = pixels + rng.normal(0, 9, (360, 640, 3))
            out = io.BytesIO()
            image = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
            image.save(out, "JPEG", quality=80, comment=f"image {place}")
            keys.append(batch.put(out.getvalue()).sha256)
    return keys


def _samples(rng: np.random.Generator, ids: pa.Array, start: int, media: list[str]) -> pa.Table:
    n = len(ids)
    numbers = np.arange(start, start + n)
    keys = [media[number % len(media)] for number in numbers]
    sizes = np.array(SIZES, np.int32)[rng.choice(3, n, p=(0.6, 0.3, 0.1))]
    tags = [("street",), ("street", "curated"), (), ("review",)]
    columns = {
        "sample_id": ids,
        "media_sha256": keys,
        "name": [f"drive-{number // 2000:04d}/{number:08d}.jpg" for number in numbers],
        "names": [[f"drive-{number // 2000:04d}/{number:08d}.jpg"] for number in numbers],
        "width_px": sizes[:, 0],
        "height_px": sizes[:, 1],
        "mime": ["image/jpeg"] * n,
        "n_bytes": rng.integers(90_000, 900_000, n),
        "source": np.array(["fleet-a", "fleet-b", "vendor"])[rng.choice(3, n, p=(0.7, 0.2, 0.1))],
        "licence": np.array(["CC0-1.0", "CC-BY-4.0", ""])[rng.choice(3, n, p=(0.8, 0.15, 0.05))],
        "group": [f"drive-{number // 2000:04d}" for number in numbers],
        "split": np.array(["train", "val", "test", ""])[rng.choice(4, n, p=(0.7, 0.1, 0.1, 0.1))],
        "tags": [tags[choice] for choice in rng.choice(4, n)],
        "metadata": _metadata(rng, numbers),
        "extra": [""] * n,
        "parent_id": [""] * n,
        "recipe": [""] * n,
        "import_id": ["drawn"] * n,
        "created_at_us": np.full(n, _START_S * 1_000_000) + numbers,
    }
    return pa.table(columns, schema=rows.SAMPLE_SCHEMA)


def _metadata(rng: np.random.Generator, numbers: np.ndarray) -> list[str]:
    n = len(numbers)
    weather = rng.choice(len(WEATHER), n, p=(0.5, 0.2, 0.05, 0.05, 0.2)).tolist()
    times = rng.choice(len(TIMES), n, p=(0.6, 0.3, 0.1)).tolist()
    luma = np.round(rng.normal(110, 40, n).clip(0, 255), 3).tolist()
    cameras = rng.choice(len(CAMERAS), n).tolist()
    speed = rng.integers(0, 140, n).tolist()
    captured = np.datetime_as_string(np.datetime64(_START_S, "s") + numbers * 31, unit="s").tolist()
    return [
        f'{{"camera":"{CAMERAS[c]}","captured":"{at}Z","indoor":{"true" if t == 2 else "false"},"luma":{y},'
        f'"speed_kmh":{v},"time_of_day":"{TIMES[t]}","weather":"{WEATHER[w]}"}}'
        for w, t, y, c, v, at in zip(weather, times, luma, cameras, speed, captured, strict=True)
    ]


def _label_sets(samples: pa.Array, start: int) -> dict[str, RowStream]:
    ids, model_ids = NewIds(), NewIds()
    n = BOXES_PER_SAMPLE * len(samples)

    def ground_truth() -> Iterator[pa.RecordBatch]:
        yield from _boxes(np.random.default_rng([8, start]), samples, ids.part(0, n), "ana")

    few = samples.take(pa.array(np.arange(0, len(samples), 10)))

    def of_the_model() -> Iterator[pa.RecordBatch]:
        rng = np.random.default_rng([9, start])
        yield from _boxes(rng, few, model_ids.part(0, BOXES_PER_SAMPLE * len(few)), "detector")

    n_model = BOXES_PER_SAMPLE * len(few)
    return {"ground_truth": RowStream(ground_truth, n), MODEL: RowStream(of_the_model, n_model)}


def _boxes(
    rng: np.random.Generator, samples: pa.Array, ann_ids: pa.Array, author: str
) -> Iterator[pa.RecordBatch]:
    """Six boxes a sample on average, drawn by chance; some samples have none."""
    n = len(ann_ids)
    owner = np.sort(rng.integers(0, len(samples), n))
    share = 1 / np.arange(1, len(CLASSES) + 1)
    w, h = rng.uniform(8, 300, n).round(1), rng.uniform(8, 200, n).round(1)
    is_model = author == "detector"
    columns = {
        "ann_id": ann_ids,
        "sample_id": samples.take(pa.array(owner)),
        "kind": pa.array(["box"] * n),
        "class_id": rng.choice(np.arange(1, len(CLASSES) + 1), n, p=share / share.sum()).astype(np.int32),
        "x": rng.uniform(0, 900, n).round(1),
        "y": rng.uniform(0, 500, n).round(1),
        "w": w,
        "h": h,
        "area_px": w * h,
        "score": rng.random(n) if is_model else pa.nulls(n, pa.float64()),
        "iscrowd": np.zeros(n, bool),
        "author": pa.array([author] * n),
        "import_id": pa.array(["drawn"] * n),
    }
    arrays = []
    for field in rows.ANNOTATION_SCHEMA:
        if field.name in columns:
            arrays.append(columns[field.name])
        elif field.type == pa.string():
            arrays.append(pa.array([""] * n))
        elif field.name == "created_at_us":
            arrays.append(np.full(n, _START_S * 1_000_000))
        else:
            arrays.append(pa.nulls(n, field.type))
    table = pa.table(arrays, schema=rows.ANNOTATION_SCHEMA)
    yield from table.to_batches(max_chunksize=100_000)


def size_of(folder: Path) -> int:
    """Bytes of the files below a folder."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
