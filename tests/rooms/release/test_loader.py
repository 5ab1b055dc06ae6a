"""The reader of samples, against the values that it was made from."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from tests.support.shops import make_shop

from calotype.curate import service as curate
from calotype.curate.model import SplitSpec
from calotype.datasets import service as datasets
from calotype.datasets.change import Change
from calotype.datasets.model import Annotation, Kind
from calotype.datasets.snapshot import SampleNotFound
from calotype.release.loader import SampleReader
from calotype.release.model import SplitNotFound
from calotype.vision.images import decode_rgb


@pytest.fixture
def state(workspace, owner, tmp_path):
    make_shop(owner, workspace, tmp_path / "raw")
    curate.split(owner, "shop", SplitSpec({"train": 0.5, "test": 0.5}), store=workspace)
    now = datasets.read(owner, "shop", store=workspace)
    first = now.ids()[0]
    label = Annotation(
        ann_id="0" * 32, sample_id=first, class_id=now.ontology.classes[-1].id, kind=Kind.CLASSIFICATION
    )
    return datasets.apply(owner, "shop", Change(put_annotations={"ground_truth": [label]}), store=workspace)


def test_every_item_holds_the_pixels_and_boxes_of_its_sample(state):
    reader = SampleReader(state)
    ids = state.ids()
    assert reader.sample_ids == tuple(ids)
    index_of = {class_id: at for at, class_id in enumerate(reader.class_ids)}
    truth = state.annotations_of(ids)
    assert sum(map(len, truth.values())) >= len(ids)
    for sample, item in zip(state.iter_samples(), reader, strict=True):
        made = truth[sample.sample_id]
        boxes = [one for one in made if one.kind is not Kind.CLASSIFICATION]
        given = [one.bbox_xywh_px for one in boxes if one.bbox_xywh_px is not None]
        corners = [[x, y, x + w, y + h] for x, y, w, h in given]
        assert (item["sample_id"], item["name"]) == (sample.sample_id, sample.name)
        np.testing.assert_array_equal(item["image"].transpose(1, 2, 0), decode_rgb(state.image_bytes(sample)))
        np.testing.assert_array_equal(item["boxes_xyxy_px"], np.array(corners, np.float32).reshape(-1, 4))
        assert item["annotation_ids"] == [one.ann_id for one in boxes]
        assert item["class_indices"].tolist() == [index_of[one.class_id] for one in boxes]
        labels = {index_of[one.class_id] for one in made if one.kind is Kind.CLASSIFICATION}
        assert set(item["labels"].tolist()) == labels
        assert item["label"] == min(labels, default=-1)


def test_a_split_is_a_part_and_an_unknown_one_is_told(state):
    parts = [SampleReader(state, split) for split in ("train", "test")]
    assert {i for part in parts for i in part.sample_ids} == set(state.ids())
    assert len(parts[0]) + len(parts[1]) == len(state.ids())
    for part in parts:
        assert part[len(part) - 1]["sample_id"] == part[part.sample_ids[-1]]["sample_id"]
    with pytest.raises(SplitNotFound, match="val"):
        SampleReader(state, "val")
    with pytest.raises(SampleNotFound):
        parts[0][parts[1].sample_ids[0]]


def test_what_a_training_does_to_an_item_stays_in_it(state):
    reader = SampleReader(state)
    before = copy.deepcopy(reader[1])
    reader[1]["boxes_xyxy_px"][:] = 0
    reader[1]["class_indices"][:] = 77
    np.testing.assert_array_equal(reader[1]["boxes_xyxy_px"], before["boxes_xyxy_px"])
    np.testing.assert_array_equal(reader[1]["class_indices"], before["class_indices"])


def test_a_reader_holds_no_store_so_it_goes_to_other_processes(state):
    reader = SampleReader(state)
    twin = copy.deepcopy(reader)  # goes the way that worker processes take it
    assert twin.sample_ids == reader.sample_ids
    np.testing.assert_array_equal(twin[2]["image"], reader[2]["image"])


def test_annotations_of_no_sample_are_left_out(state):
    ids = state.ids()[:3]
    reader = SampleReader(state, ids=ids)
    wanted = state.annotations(sample_ids=ids, columns=["sample_id", "x"]).drop_null().num_rows
    assert sum(len(item["boxes_xyxy_px"]) for item in reader) == wanted
