"""One small dataset with a value of every kind that a query can ask for, and datasets that a test may write."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from calotype.datasets import service
from calotype.datasets.change import Change
from calotype.datasets.commits import Commit
from calotype.datasets.model import Annotation, Kind, Sample
from calotype.datasets.snapshot import Snapshot
from calotype.foundation.actor import Actor
from calotype.store import Store
from calotype.store.catalog import schema
from calotype.versions import service as versions
from calotype.vision.ontology import Ontology

ANA = Actor(id="test:ana", name="ana")
GIL = Actor(id="test:gil", name="gil", roles=("auditor",))
"""Somebody who may read and nothing else."""
STRANGER = Actor(id="test:eve", name="eve", roles=())

ONTOLOGY = Ontology().add("car", supercategory="vehicle").add("bus", supercategory="vehicle").add("person")
CAR, BUS, PERSON = 0, 1, 2


def sample(sample_id: str, name: str, **values: object) -> Sample:
    """A JPEG of 640x480 px and 1,000 bytes that is not stored."""
    plain = Sample(sample_id, f"{int(sample_id[1:]):064x}", name, 640, 480, "image/jpeg", 1_000)
    return replace(plain, **values)  # type: ignore[arg-type]


def box(ann_id: str, sample_id: str, class_id: int = CAR, **values: object) -> Annotation:
    """A box of 10x20 px at (1, 2)."""
    plain = Annotation(
        ann_id, sample_id, Kind.BOX, class_id, bbox_xywh_px=(1.0, 2.0, 10.0, 20.0), area_px=200.0
    )
    return replace(plain, **values)  # type: ignore[arg-type]


SAMPLES = [
    sample(
        "s0",
        "a.jpg",
        names=("a.jpg", "copy.jpg"),
        split="train",
        tags=("street", "wet"),
        source="cam-1",
        licence="CC0-1.0",
        group="scene-1",
        metadata={"light": "night", "luma": 10, "speed": 1.5, "rain": True},
    ),
    sample(
        "s1",
        "b.jpg",
        width_px=320,
        height_px=240,
        split="val",
        tags=("street",),
        source="cam-2",
        group="scene-2",
        metadata={"light": "day", "luma": 200, "speed": 0.5, "rain": False},
    ),
    sample(
        "s2",
        "c.png",
        width_px=1280,
        height_px=720,
        n_bytes=5_000,
        mime="image/png",
        split="test",
        metadata={"light": "day"},
    ),
    sample("s3", "d.jpg"),
    sample("s4", "e.jpg", parent_id="s0", recipe="flip", split="train", metadata={"luma": -5}),
]
"""Ordered by name: a.jpg, b.jpg, c.png, d.jpg, e.jpg."""

GROUND_TRUTH = [
    box("a0", "s0", author="ana", attributes={"colour": "red", "doors": 4, "taxi": True}),
    box("a1", "s0", bbox_xywh_px=(50.0, 60.0, 40.0, 30.0), area_px=1_200.0, author="ben"),
    box("a2", "s0", PERSON, iscrowd=True),
    box("a3", "s1", PERSON, author="ana"),
    Annotation(
        "a4",
        "s2",
        Kind.POLYGON,
        BUS,
        bbox_xywh_px=(0.0, 0.0, 4.0, 4.0),
        area_px=8.0,
        rings_px=((0.0, 0.0, 4.0, 0.0, 4.0, 4.0),),
    ),
    Annotation("a5", "s4", Kind.CLASSIFICATION, CAR),
]

MODEL = [box("m0", "s1", CAR, score=0.9), box("m1", "s3", BUS, score=0.25)]


def make_city(actor: Actor, store: Store) -> None:
    """Dataset `city`: five samples, six annotations in the ground truth, two of a model; one commit, a tag `v1`."""
    service.create(actor, "city", store=store, description="streets of a city")
    labels = {"ground_truth": GROUND_TRUTH, "model:one": MODEL}
    change = Change(put_samples=SAMPLES, put_annotations=labels, ontology=ONTOLOGY, contract="task: {}")
    service.apply(actor, "city", change, store=store)
    service.commit(actor, "city", "first", store=store)
    service.tag(actor, "city", "v1", store=store)


class Town:
    """A dataset of its own name in a shared workspace, for a test that writes."""

    def __init__(self, actor: Actor, store: Store, name: str) -> None:
        self.actor, self.store, self.name = actor, store, name
        service.create(actor, name, store=store)

    def do(self, verb: str, /, *args: object, on: str = "", **options: object) -> Any:
        """One verb of the service on the dataset, or `on` one of its refs."""
        name = f"{self.name}@{on}" if on else self.name
        room = versions if hasattr(versions, verb) else service
        if verb == "merge":
            chosen = {
                key: options.pop(key) for key in ("into", "strategy", "message", "forward") if key in options
            }
            options["options"] = versions.MergeOptions(**chosen)  # type: ignore[arg-type]
        return getattr(room, verb)(self.actor, name, *args, store=self.store, **options)

    def add(self, *ids: str, on: str = "") -> Snapshot:
        """Put samples of 640x480 px, named after their ids."""
        state: Snapshot = self.do(
            "apply", Change(put_samples=[sample(sample_id, f"{sample_id}.jpg") for sample_id in ids]), on=on
        )
        return state

    def commit(self, *ids: str, on: str = "", message: str = "more") -> Commit:
        """Put samples and commit."""
        self.add(*ids, on=on)
        made: Commit = self.do("commit", message, on=on)
        return made

    def ids(self, on: str = "") -> list[str]:
        """The ids of the samples at a ref."""
        listed: list[str] = self.do("read", on=on).ids()
        return listed

    def events(self) -> list[tuple[str, dict[str, Any]]]:
        """Verb and details of each audit event of the dataset, oldest first."""
        columns = schema.audit.c
        query = sa.select(columns.verb, columns.details).where(columns.subject == self.name)
        with self.store.catalog.read() as conn:
            return [(row.verb, row.details) for row in conn.execute(query.order_by(columns.seq))]
