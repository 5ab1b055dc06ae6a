"""Random small datasets and random edits of them, drawn from a seed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from calotype.datasets.change import Change
from calotype.datasets.model import Annotation, Kind, MetadataValue, Sample
from calotype.datasets.snapshot import Snapshot
from calotype.foundation.ids import uuid7
from calotype.vision.ontology import Class, Ontology

ONTOLOGY = Ontology(tuple(Class(number, name) for number, name in enumerate(("car", "dog", "cat"), start=1)))
LABEL_SETS = ("ground_truth", "model:a")


def random_sample(rng: np.random.Generator, name: str, parents: list[str]) -> Sample:
    """A sample whose values are often missing and often equal to those of others."""
    metadata: dict[str, MetadataValue] = {
        "weather": str(rng.choice(["clear", "fog", "Nebel", "\u96e8", ""])),
        "luma": float(rng.integers(-40, 40)) / 4,
        "speed": int(rng.integers(0, 30)),
        "indoor": bool(rng.random() < 0.3),
        "note": f'line\n{rng.integers(0, 40)} "quoted"',
    }
    kept = {key: value for key, value in metadata.items() if rng.random() < 0.7}
    return Sample(
        sample_id=uuid7(),
        media_sha256=f"{int(rng.integers(0, 2**62)):064x}",
        name=name,
        width_px=int(rng.choice([640, 1920, 33])),
        height_px=int(rng.choice([480, 1080])),
        mime="image/png",
        n_bytes=int(rng.integers(100, 200)),
        source=str(rng.choice(["a", "b"])),
        licence=str(rng.choice(["CC0-1.0", ""])),
        group=str(rng.choice(["g1", "g2", ""])),
        split=str(rng.choice(["train", "val", "extra", ""])),
        tags=tuple(str(tag) for tag in ("street", "review", "old") if rng.random() < 0.4),
        metadata=kept,
        parent_id=str(rng.choice(parents)) if parents and rng.random() < 0.2 else "",
    )


def random_boxes(rng: np.random.Generator, sample_id: str) -> list[Annotation]:
    """None to four annotations of a sample."""
    return [
        Annotation(
            ann_id=uuid7(),
            sample_id=sample_id,
            kind=Kind.BOX if rng.random() < 0.8 else Kind.CLASSIFICATION,
            class_id=int(rng.integers(1, 4)),
            bbox_xywh_px=(1.0, 2.0, float(rng.integers(3, 30)), 4.0),
        )
        for _ in range(int(rng.integers(0, 5)))
    ]


def first_change(rng: np.random.Generator, n: int) -> Change:
    """`n` samples with annotations."""
    samples: list[Sample] = []
    for _ in range(n):
        name = f"{rng.choice(['b', 'a'])}/{int(rng.integers(0, 10**6))}.png"
        samples.append(random_sample(rng, name, [sample.sample_id for sample in samples]))
    boxes = {name: [box for s in samples for box in random_boxes(rng, s.sample_id)] for name in LABEL_SETS}
    return Change(put_samples=samples, put_annotations=boxes, ontology=ONTOLOGY)


def random_edit(rng: np.random.Generator, state: Snapshot) -> Change:
    """Adds, removes, renames and changes a few samples, and replaces annotations of others."""
    ids = state.ids()
    chosen = [str(sample_id) for sample_id in rng.permutation(ids)[:8]]
    put = [random_sample(rng, f"new/{int(rng.integers(0, 10**6))}.png", ids[:3]) for _ in range(2)]
    for sample in state.iter_samples(ids=chosen[:3]):
        other = random_sample(rng, sample.name, ids[:3])
        name = f"renamed/{other.name}" if rng.random() < 0.3 else sample.name
        put.append(replace(other, sample_id=sample.sample_id, media_sha256=sample.media_sha256, name=name))
    puts_samples = bool(rng.random() < 0.8)
    labelled = [*chosen[4:6], *(sample.sample_id for sample in put[:2] if puts_samples)]
    boxes = [box for sample_id in labelled for box in random_boxes(rng, sample_id)]
    return Change(
        put_samples=put if puts_samples else (),
        remove_samples=chosen[3:4] if rng.random() < 0.5 else (),
        put_annotations={"ground_truth": boxes} if rng.random() < 0.8 else {},
        remove_annotations_of={"model:a": chosen[6:]} if rng.random() < 0.5 else {},
    )
