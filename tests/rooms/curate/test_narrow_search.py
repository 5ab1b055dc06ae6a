"""A query that leaves few of many vectors: those alone are read, and neither an index nor all vectors are asked."""

from __future__ import annotations

import numpy as np
import pytest

from calotype.curate import repository, searching, vectors
from calotype.datasets import rows
from calotype.datasets import service as datasets
from calotype.datasets.change import Change
from calotype.datasets.model import Sample
from calotype.store.maintenance import vector_index

IDS = [f"{at:032x}" for at in range(400)]


@pytest.fixture
def crowd(workspace, owner, monkeypatch):
    """400 samples; every hundredth is of licence `rare`, the one but last of them has no vector."""
    monkeypatch.setattr(vector_index, "MIN_ROWS", 200)
    samples = [
        Sample(one, one * 2, f"{one}.jpg", 64, 48, "image/jpeg", 1, licence="" if at % 100 else "rare")
        for at, one in enumerate(IDS)
    ]
    datasets.create(owner, "crowd", store=workspace)
    datasets.apply(owner, "crowd", Change(put_samples=rows.samples_to_arrow(samples)), store=workspace)
    having = [at for at in range(400) if at != 200]
    angles = np.asarray(having) / 400
    matrix = np.zeros((len(having), 8), np.float32)
    matrix[:, 0], matrix[:, 1] = np.cos(angles), np.sin(angles)
    matrix[0] = 0
    vectors.put_vectors(owner, "crowd", "clip", [IDS[at] for at in having], matrix, store=workspace)
    return workspace


def test_a_narrow_query_reads_its_own_vectors_only(crowd, owner, monkeypatch):
    def refuse(*args, **named):
        raise AssertionError("more than the query leaves was looked at")

    monkeypatch.setattr(searching, "_search_all", refuse)
    monkeypatch.setattr(repository, "nearest_by_index", refuse)
    wanted = np.eye(8)[0]
    found = vectors.nearest(owner, "crowd", "clip", wanted, store=crowd, where='licence = "rare"')
    assert found["sample_id"].to_pylist() == [IDS[100], IDS[300], IDS[0]]
    assert found["distance"][2].as_py() == 1.0
    but_itself = vectors.nearest(owner, "crowd", "clip", IDS[300], store=crowd, where='licence = "rare"')
    assert but_itself["sample_id"].to_pylist() == [IDS[100], IDS[0]]


@pytest.mark.parametrize("least", [200, 20_000], ids=["of many", "of few"])
def test_a_query_that_leaves_nothing_finds_nothing(crowd, owner, monkeypatch, least):
    monkeypatch.setattr(vector_index, "MIN_ROWS", least)
    found = vectors.nearest(owner, "crowd", "clip", np.eye(8)[0], store=crowd, where='licence = "none"')
    assert found.num_rows == 0
    assert found.schema.names == ["sample_id", "name", "distance"]
