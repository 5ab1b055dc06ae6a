"""A dataset of four samples with a box each, two classes, main and a branch `fix`, for tests of branches."""

from __future__ import annotations

from dataclasses import replace

import sqlalchemy as sa

from calotype.datasets import rows, service
from calotype.datasets.change import Change
from calotype.datasets.edit import apply
from calotype.datasets.model import Annotation, Kind, Sample
from calotype.store.catalog import schema
from calotype.versions import service as versions
from calotype.vision.ontology import Ontology

ONTOLOGY = Ontology().add("car").add("dog")


def sample(number: int, **values) -> Sample:
    made = Sample(f"s{number}", f"{number:064x}", f"{number}.png", 64, 48, "image/png", 100)
    return replace(made, **values)


def box(number: int, on: int, **values) -> Annotation:
    made = Annotation(f"a{number}", f"s{on}", Kind.BOX, 0, bbox_xywh_px=(1.0, 2.0, 5.0, 6.0), area_px=30.0)
    return replace(made, **values)


class Streets:
    """A dataset of four samples with a box each, main and a branch `fix`."""

    def __init__(self, owner, store) -> None:
        self.owner, self.store = owner, store
        service.create(owner, "streets", store=store)
        boxes = [box(n, n) for n in range(4)]
        self.put("streets", samples=[sample(n) for n in range(4)], boxes=boxes, ontology=ONTOLOGY)
        self.first = service.commit(owner, "streets", "first", store=store)
        service.branch(owner, "streets", "fix", store=store)

    def put(self, name, *, samples=(), boxes=(), gone=(), gone_boxes=(), **texts) -> None:
        change = Change(
            samples, gone, {"ground_truth": list(boxes)}, {"ground_truth": list(gone_boxes)}, **texts
        )
        apply(self.owner, name, change, store=self.store)

    def commit(self, name, **edits):
        self.put(name, **edits)
        return service.commit(self.owner, name, "edits", store=self.store)

    def do(self, verb, *args, **options):
        room = versions if hasattr(versions, verb) else service
        return getattr(room, verb)(self.owner, "streets", *args, store=self.store, **options)

    def boxes(self, name="streets") -> dict[str, Annotation]:
        state = service.read(self.owner, name, store=self.store)
        return {a.ann_id: a for a in rows.annotations_from_arrow(state.annotations())}

    def samples(self, name="streets") -> dict[str, Sample]:
        state = service.read(self.owner, name, store=self.store)
        return {s.sample_id: s for s in state.iter_samples()}

    def verbs(self) -> list[str]:
        with self.store.catalog.read() as conn:
            return list(conn.execute(sa.select(schema.audit.c.verb).order_by(schema.audit.c.seq)).scalars())
