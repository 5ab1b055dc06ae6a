"""A dataset with a history: two commits, a branch, a tag, labels, and edits that are not committed."""

from __future__ import annotations

import pytest
from tests.support.images import folder_of_images

from calotype.acquire import service as acquire
from calotype.datasets import service as datasets
from calotype.datasets.change import Change
from calotype.datasets.edit import apply
from calotype.datasets.model import Annotation, Kind
from calotype.foundation.ids import uuid7
from calotype.store.catalog import schema


@pytest.fixture
def shop(workspace, owner, tmp_path):
    """Six images in two commits with a box each, a branch and a tag at the first."""
    datasets.create(owner, "shop", store=workspace)
    folder_of_images(tmp_path / "first", 3)
    acquire.add(owner, "shop", [tmp_path / "first"], store=workspace)
    _label(workspace, owner)
    datasets.commit(owner, "shop", "three", store=workspace)
    datasets.branch(owner, "shop", "try", store=workspace)
    datasets.tag(owner, "shop", "v1", store=workspace)
    folder_of_images(tmp_path / "second", 3, seed=10)
    acquire.add(owner, "shop", [tmp_path / "second"], store=workspace)
    _label(workspace, owner)
    datasets.commit(owner, "shop", "six", store=workspace)
    return workspace


def _label(store, owner):
    state = datasets.read(owner, "shop", store=store)
    boxes = [
        Annotation(uuid7(), sample.sample_id, Kind.BOX, 0, bbox_xywh_px=(1.0, 1.0, 5.0, 5.0))
        for sample in state.iter_samples()
    ]
    apply(owner, "shop", Change(put_annotations={"ground_truth": boxes}), store=store)


@pytest.fixture
def sql(shop):
    """Run statements on the catalog behind the back of the program."""

    def run(*statements):
        raw = shop.catalog.engine.raw_connection()
        try:
            raw.execute("PRAGMA foreign_keys=OFF")
            for statement in statements:
                raw.execute(statement)
        finally:
            raw.execute("PRAGMA foreign_keys=ON")
            raw.close()

    return run


@pytest.fixture
def n_events(shop):
    """How many audit events there are now."""

    def count():
        with shop.catalog.read() as conn:
            return len(conn.execute(schema.audit.select()).all())

    return count
