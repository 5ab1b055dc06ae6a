"""What the grid and the sample page get of every kind, and how the overview counts them."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from tests.support.kinds import LANE, PUPIL, WORDS, every_kind, make_kinds

from calotype.browse.answers import FullAnnotation, GridSample
from calotype.browse.grid import Browser, detail, page
from calotype.browse.overview import overview
from calotype.datasets import service as datasets
from calotype.datasets.change import Change
from calotype.datasets.model import Kind
from calotype.vision.corners import corners_of


@pytest.fixture
def samples(workspace, owner):
    return make_kinds(owner, workspace)


def drawn(workspace, owner, sample_id):
    """The sample's annotations as the grid gets them, by kind; its answer model accepts them."""
    state = Browser().state(owner, "kinds", store=workspace)
    (row,) = page(state, [sample_id])
    answer = GridSample.model_validate_json(json.dumps({**row, "findings": 0}))
    assert {a.kind for a in answer.annotations} == {str(kind) for kind in Kind}
    return {a.kind: a for a in answer.annotations}


def test_the_grid_gets_the_points_of_each_kind(workspace, owner, samples):
    shapes = drawn(workspace, owner, samples[0].sample_id)
    assert shapes["polyline"].rings == [list(part) for part in LANE]
    assert shapes["ellipse"].rings == [pytest.approx(list(corners_of(PUPIL)))]
    assert shapes["caption"].bbox is None
    assert shapes["caption"].text == WORDS
    assert shapes["box"].text == "KD-4711"
    assert shapes["rotated_box"].text is None


def test_a_long_text_is_cut_in_the_grid_and_whole_on_the_page_of_its_sample(workspace, owner, samples):
    (caption,) = [a for a in every_kind(samples[0].sample_id) if a.kind is Kind.CAPTION]
    long = replace(caption, attributes={"text": "gull " * 1_000})
    state = datasets.apply(owner, "kinds", Change(put_annotations={"ground_truth": [long]}), store=workspace)
    assert len(drawn(workspace, owner, samples[0].sample_id)["caption"].text) == 1_000
    rows = detail(workspace, state, samples[0])["label_sets"]["ground_truth"]
    full = {row["kind"]: FullAnnotation.model_validate_json(json.dumps(row)) for row in rows}
    assert full["caption"].attributes["text"] == "gull " * 1_000
    assert full["rotated_box"].attributes == {"angle_deg": 30.0, "track_id": 7, "occluded": True}
    assert full["polyline"].area is None


def test_the_overview_counts_kinds(workspace, owner, samples):
    counted = overview(workspace, datasets.read(owner, "kinds", store=workspace))
    (ground_truth,) = counted["label_sets"]
    assert ground_truth["kinds"] == {str(kind): 3 for kind in Kind}
