"""Fixtures of annotate: a shop of 8 pictures of which each has one box, and short calls of the verbs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.support.shops import make_shop

from calotype.annotate import service
from calotype.annotate.model import Edited
from calotype.annotate.service import EditOptions, Undone
from calotype.datasets import rows
from calotype.datasets import service as datasets
from calotype.datasets.model import Annotation, Sample
from calotype.datasets.snapshot import Snapshot
from calotype.foundation.actor import Actor
from calotype.store import Store


@dataclass
class Shop:
    """The dataset `shop` under test."""

    store: Store
    actor: Actor
    name: str = "shop"

    def edit(self, *edits: dict[str, Any], **options: Any) -> Edited:
        """Stage edits."""
        return service.edit(
            self.actor, self.name, list(edits), store=self.store, options=EditOptions(**options)
        )

    def undo(self, expect: str = "") -> Undone:
        """Undo the last edit."""
        return service.undo_edit(self.actor, self.name, store=self.store, expect=expect)

    def redo(self) -> Undone:
        """Redo the edit undone last."""
        return service.redo_edit(self.actor, self.name, store=self.store)

    def verbs(self) -> list[str]:
        """Verbs of the edits, newest first; an undone one in brackets."""
        listed = service.edits(self.actor, self.name, store=self.store)
        return [f"({entry.verb})" if entry.undone else entry.verb for entry in listed]

    def commit(self) -> str:
        """Commit, and the id."""
        return datasets.commit(self.actor, self.name, "state", store=self.store).id

    @property
    def state(self) -> Snapshot:
        """The working state."""
        return datasets.read(self.actor, self.name, store=self.store)

    def sample(self, at: int = 0) -> Sample:
        """A sample by its place in the order of names."""
        return self.state.sample(self.state.ids()[at])

    def box(self, at: int = 0) -> Annotation:
        """The first annotation of a sample."""
        sample_id = self.sample(at).sample_id
        return self.state.annotations_of([sample_id])[sample_id][0]

    def annotation(self, ann_id: str) -> Annotation | None:
        """An annotation by id."""
        every = rows.annotations_from_arrow(self.state.annotations())
        return next((one for one in every if one.ann_id == ann_id), None)

    def rows(self) -> dict[str, Any]:
        """All rows and documents of the working state, in a fixed order."""
        state = self.state
        key = [("sample_id", "ascending")]
        return {
            "samples": state.samples().sort_by(key).to_pylist(),
            **{
                label_set: state.annotations(label_set).sort_by([("ann_id", "ascending")]).to_pylist()
                for label_set in state.label_sets
            },
            "ontology": state.ontology.to_json(),
            "fields": state.fields,
        }


@pytest.fixture
def shop(workspace: Store, owner: Actor, tmp_path: Path) -> Shop:
    """A committed shop."""
    make_shop(owner, workspace, tmp_path / "pictures", n=8)
    shop = Shop(workspace, owner)
    shop.commit()
    return shop
