"""What a training loader, its resized pixels and the card of a release say of every kind."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from tests.support.kinds import PUPIL, SHIP, SIZE_WH, WORDS, every_kind, make_kinds

from calotype.app import wiring
from calotype.datasets import service as datasets
from calotype.datasets.model import Kind
from calotype.findings.gatekeeping import Verdict
from calotype.release import service as release
from calotype.release.loader import SampleReader
from calotype.release.model import ReleaseSpec
from calotype.release.pixels import ResizedReader, materialise
from calotype.vision.corners import corners_of

PLACES = {Kind.BOX, Kind.ROTATED_BOX, Kind.POLYGON, Kind.MASK, Kind.KEYPOINTS, Kind.ELLIPSE}


@pytest.fixture
def state(workspace, owner):
    make_kinds(owner, workspace)
    datasets.commit(owner, "kinds", "all kinds", store=workspace)
    return datasets.read(owner, "kinds", store=workspace)


def test_a_sample_has_boxes_of_what_covers_a_place_corners_and_captions(state):
    reader = pickle.loads(pickle.dumps(SampleReader(state)))
    for number, item in enumerate(reader):
        truth = {a.ann_id: a for a in every_kind(item["sample_id"], number)}
        kinds = [truth[ann_id].kind for ann_id in item["annotation_ids"]]
        assert (set(kinds), len(kinds)) == (PLACES, len(PLACES))
        assert item["captions"] == [WORDS]
        assert item["labels"].tolist() == [0]
        assert item["corners_px"].shape == (len(PLACES), 4, 2)
        for kind, box, corners in zip(kinds, item["boxes_xyxy_px"], item["corners_px"], strict=True):
            wanted = {Kind.ROTATED_BOX: SHIP, Kind.ELLIPSE: PUPIL}.get(kind)
            if wanted is None:
                np.testing.assert_array_equal(corners[[0, 2]].ravel(), box)
            else:
                np.testing.assert_allclose(corners.ravel(), corners_of(wanted), rtol=1e-6)


def test_corners_are_resized_with_the_pixels(state, tmp_path):
    small = ResizedReader(state, materialise(state, (320, 320), tmp_path / "px"))
    scale = np.array([320 / SIZE_WH[0], 320 / SIZE_WH[1]])
    for item, whole in zip(small, SampleReader(state), strict=True):
        np.testing.assert_allclose(item["corners_px"], whole["corners_px"] * scale, rtol=1e-5)


def test_the_card_counts_each_kind(workspace, owner, state):
    spec = ReleaseSpec(formats=("coco",), split={"train": 1.0})
    made = release.release(
        owner,
        "kinds",
        "1.0.0",
        spec,
        store=workspace,
        gatekeeper=lambda actor, ref: Verdict(gates=()),
        splitter=wiring.splitter,
    )
    assert {row["value"]: row["count"] for row in made.card["kinds"]} == {str(kind): 3 for kind in Kind}
