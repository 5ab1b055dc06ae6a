"""Fixtures of labelling: a shop of 8 images with a box each, people by name, and short calls of the verbs."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from tests.support.shops import make_shop

from calotype.datasets import service as datasets
from calotype.foundation.actor import Actor
from calotype.labelling import service
from calotype.labelling.model import BatchOptions, BatchStatus, Outcome, Recorded, Remark
from calotype.reviews import service as reviews
from calotype.store import Store

SHOP = "shop"


def a_box(annotation: str = "", *, x: float = 5.0, class_: str = "car", **more: Any) -> dict[str, Any]:
    """An operation that adds a box."""
    new = {"do": "add", "kind": "box", "class": class_, "bbox": [x, 6.0, 12.0, 9.0]}
    return {**new, "annotation": annotation or uuid4().hex, "id": uuid4().hex, **more}


def op(do: str, **values: Any) -> dict[str, Any]:
    """An operation with an id of its own."""
    return {"do": do, "id": uuid4().hex, **values}


@dataclass
class Shift:
    """The dataset `shop`, and people who label it on this machine."""

    store: Store
    owner: Actor
    people: dict[str, Actor] = field(default_factory=dict)

    def who(self, name: str) -> Actor:
        """Somebody by name."""
        return self.people.setdefault(name, Actor(f"local:{name}", name))

    def open(self, batch: str = "one", **options: Any) -> BatchStatus:
        """Open a batch; without a share that is reviewed unless it is asked for."""
        given = BatchOptions(**{"review": 0.0, **options})
        return service.open_batch(self.owner, SHOP, batch, store=self.store, options=given)

    def next(self, name: str, **wanted: str) -> str:
        """The assignment that somebody gets next."""
        return service.next_work(self.who(name), store=self.store, wanted=service.Wanted(**wanted))

    def record(self, name: str, assignment: str, *operations: dict[str, Any]) -> Recorded:
        """Record operations."""
        return service.record(self.who(name), assignment, list(operations), store=self.store)

    def submit(self, name: str, assignment: str, **more: Any) -> Outcome:
        """Submit."""
        return service.submit(self.who(name), assignment, store=self.store, **more)

    def label(self, name: str, *operations: dict[str, Any], **wanted: str) -> Outcome:
        """Take the next sample, record operations if there are any, submit it."""
        assignment = self.next(name, **wanted)
        if operations:
            assert self.record(name, assignment, *operations).refused == ()
        return self.submit(name, assignment)

    def judge(self, name: str, assignment: str, verdict: str = "accept", *remarks: Remark) -> Outcome:
        """Judge a review that somebody has."""
        given = reviews.Judgement(verdict, remarks)
        return reviews.review(self.who(name), assignment, given, store=self.store)

    def work(self, name: str, assignment: str) -> dict[str, Any]:
        """The page of an assignment."""
        return service.work(self.who(name), assignment, store=self.store)

    def status(self, batch: str = "one") -> BatchStatus:
        """A batch with its progress."""
        return service.batch(self.owner, SHOP, batch, store=self.store)

    def on_branch(self, ref: str) -> dict[str, list[Any]]:
        """Sample -> its annotations at a ref, those without any too."""
        state = datasets.read(self.owner, f"{SHOP}@{ref}", store=self.store)
        return dict(state.annotations_of(state.ids()))


@pytest.fixture
def shift(workspace: Store, owner: Actor, tmp_path: Path) -> Shift:
    """A committed shop of 8 images."""
    make_shop(owner, workspace, tmp_path / "images", n=8)
    datasets.commit(owner, SHOP, "first", store=workspace)
    return Shift(workspace, owner)
