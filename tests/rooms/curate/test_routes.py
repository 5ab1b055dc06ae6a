"""Splits, selections and similar samples over HTTP."""

from __future__ import annotations

import numpy as np
import pytest
from fastapi.testclient import TestClient
from tests.support.described import Described
from tests.support.recipes import dataset

from calotype.app import server
from calotype.app.sessions import AccessKeys
from calotype.curate import vectors
from calotype.datasets import service as datasets


@pytest.fixture
def client(owner, workspace):
    """A signed-in client of a server with the dataset streets: three samples without a split."""
    dataset(owner, workspace, splits=("", "", ""))
    app = server.make(workspace, AccessKeys("open-sesame", 80), hosts={"testserver"})
    headers = {"authorization": "Bearer open-sesame"}
    with TestClient(app, headers=headers, base_url="http://testserver/api/v1/datasets/streets/") as client:
        yield Described().watch(client)


def names_by_split(owner, workspace):
    samples = datasets.read(owner, "streets", store=workspace).samples(columns=["split", "tags"])
    return sorted(samples["split"].to_pylist()), samples["tags"].to_pylist()


def test_splits_are_assigned(client, owner, workspace):
    answer = client.post("splits", json={"fractions": {"train": 1.0}}).json()
    assert (answer["samples"]["train"], answer["changed"]) == (3, 3)
    assert names_by_split(owner, workspace)[0] == ["train", "train", "train"]


def test_a_selection_changes_nothing_until_it_is_tagged(client, owner, workspace):
    before = datasets.read(owner, "streets", store=workspace).state_sha256
    plain = client.post("selections", json={"n": 2, "seed": 1}).json()
    assert ([pick["rank"] for pick in plain["picks"]], plain["tagged"]) == ([1, 2], None)
    assert datasets.read(owner, "streets", store=workspace).state_sha256 == before
    tagged = client.post("selections/tagged", json={"n": 2, "seed": 1, "name": "first"}).json()
    assert (tagged["picks"], tagged["tagged"]) == (plain["picks"], 2)
    assert sorted(names_by_split(owner, workspace)[1]) == [[], ["picked:first"], ["picked:first"]]


def test_similar_samples_come_nearest_first(client, owner, workspace):
    ids = datasets.read(owner, "streets", store=workspace).ids()
    values = np.array([[1, 0], [0, 1], [1, 0.1]], np.float32)
    vectors.put_vectors(owner, "streets", "own", ids, values, store=workspace)
    items = client.get("similar", params={"to": ids[0], "limit": 2}).json()["items"]
    assert [item["sample_id"] for item in items] == [ids[2], ids[1]]
    assert items[1]["distance"] == pytest.approx(1.0)
    media = datasets.read(owner, "streets", store=workspace).samples(ids=[ids[2]])["media_sha256"].to_pylist()
    assert items[0]["media"] == media[0]


def test_the_models_with_vectors_are_listed(client, owner, workspace):
    assert client.get("vectors").json() == {"items": []}
    ids = datasets.read(owner, "streets", store=workspace).ids()
    vectors.put_vectors(owner, "streets", "own", ids[:2], np.eye(2, dtype=np.float32), store=workspace)
    assert client.get("vectors").json() == {"items": [{"model": "own", "samples": 2}]}


@pytest.mark.parametrize(
    "path, body, status, code",
    [
        ("splits", {"fractions": {"train": 0.5}}, 422, "split-fractions-invalid"),
        ("splits", {"fractions": {"train": 1.0}, "share": 1}, 422, "request-invalid"),
        ("selections", {"n": 9}, 422, "selection-too-large"),
        ("selections", {"n": 1, "by": "luck"}, 422, "pick-strategy-unknown"),
        ("selections/tagged", {"n": 1, "name": "a b"}, 422, "selection-name-invalid"),
    ],
)
def test_an_invalid_body_is_refused(client, path, body, status, code):
    answer = client.post(path, json=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_without_embeddings_nothing_is_similar(client):
    answer = client.get("similar", params={"to": "day/image-0.jpg"})
    assert (answer.status_code, answer.json()["code"]) == (404, "vectors-not-found")
