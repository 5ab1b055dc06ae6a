"""Augmentations, transformations and class mappings over HTTP."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient
from tests.support.described import Described
from tests.support.recipes import dataset

from calotype.app import server
from calotype.app.sessions import AccessKeys
from calotype.datasets import service as datasets

FLIP = {"name": "flip", "steps": [{"flip": {"axis": "horizontal"}}]}
TEXT = "name: tilt\nsteps:\n  - rotate: {degrees: [-5, 5]}\ncopies: 2\n"


@pytest.fixture
def post(owner, workspace):
    """Post to a path of the dataset streets, which has three samples: no split, train and val."""
    dataset(owner, workspace)
    app = server.make(workspace, AccessKeys("open-sesame", 80), hosts={"testserver"})
    with TestClient(app, headers={"authorization": "Bearer open-sesame"}) as client:
        Described().watch(client)
        yield lambda path, body: client.post(f"/api/v1/datasets/streets/{path}", json=body)


def test_copies_are_planned_then_made(post, owner, workspace):
    plan = post("augmentations/plan", {"recipe": TEXT}).json()
    assert (plan["to_make"], plan["label_sets"]) == (4, ["ground_truth", "model:one"])
    made = post("augmentations", {"recipe": TEXT, "label_sets": ["ground_truth"]}).json()
    assert (made["made"], made["unchanged"], made["removed"], made["failed"]) == (4, 0, 0, [])
    assert datasets.read(owner, "streets", store=workspace).count() == {"samples": 7, "annotations": 10}
    body = {"recipe": TEXT, "where": 'split = "val"', "splits": None}
    assert post("augmentations/plan", body).json()["to_make"] == 2


def test_another_dataset_takes_the_transformed_samples(post, owner, workspace):
    assert post("transformations/plan", {"recipe": FLIP, "into": "flipped"}).status_code == 404
    assert post("transformations", {"recipe": FLIP, "into": "flipped"}).json()["made"] == 3
    assert post("transformations/plan", {"recipe": FLIP, "into": "flipped"}).json()["unchanged"] == 3
    assert datasets.read(owner, "streets", store=workspace).count()["samples"] == 3


def test_classes_are_mapped_after_a_plan(post, owner, workspace):
    body = {"classes": {"car": "vehicle", "sign": None}}
    plan = post("class-mappings/plan", body).json()
    assert (plan["applied"], plan["dropped"]) == (False, 3)
    assert datasets.read(owner, "streets", store=workspace).ontology.names == ("car", "person", "sign")
    assert post("class-mappings", body).json()["applied"] is True
    assert datasets.read(owner, "streets", store=workspace).ontology.names == ("vehicle", "person")


@pytest.mark.parametrize(
    "path, body, code",
    [
        ("augmentations", {"recipe": {"name": "r", "steps": [{"flop": {}}]}}, "recipe-invalid"),
        ("augmentations", {"recipe": FLIP, "split": ["val"]}, "request-invalid"),
        ("augmentations", {}, "request-invalid"),
        ("transformations", {"recipe": TEXT}, "recipe-random"),
        ("class-mappings", {"classes": {}}, "class-mapping-invalid"),
        ("class-mappings", {"classes": {"cat": None}}, "ontology-class-unknown"),
    ],
)
def test_an_invalid_body_is_refused_and_changes_nothing(post, owner, workspace, path, body, code):
    before = datasets.read(owner, "streets", store=workspace).state_sha256
    answer = post(path, body)
    assert answer.status_code == (404 if code == "ontology-class-unknown" else 422)
    assert answer.json()["code"] == code
    assert datasets.read(owner, "streets", store=workspace).state_sha256 == before
