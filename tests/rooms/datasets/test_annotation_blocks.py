"""Many annotations are read and compared in blocks; what is found is the same."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from calotype.datasets import annotation_columns
from calotype.vision import close_boxes


@pytest.fixture
def boxes():
    """Three hundred boxes on forty samples, in no order; among them copies, one without area, one of no sample."""
    rng = np.random.default_rng(3)
    xywh = np.hstack([rng.uniform(0, 60, (300, 2)), rng.uniform(20, 60, (300, 2))])
    of = rng.integers(0, 40, 300)
    xywh[200:250], of[200:250] = xywh[:50] + 0.5, of[:50]
    xywh[7, 2], of[8] = 0, -1
    return xywh, of


@pytest.mark.parametrize("at_once", [1, 7, 64])
def test_pairs_found_in_blocks_are_those_found_at_once(monkeypatch, boxes, at_once):
    def listed():
        found = close_boxes.close_pairs(*boxes)
        return sorted(zip(found.first.tolist(), found.second.tolist(), found.iou.tolist(), strict=True))

    whole = listed()
    monkeypatch.setattr(close_boxes, "_AT_ONCE", at_once)
    assert listed() == whole
    assert len(whole) >= 48


def test_rows_of_samples_are_looked_up_in_rounds(monkeypatch):
    monkeypatch.setattr(annotation_columns, "_LOOK_UP_AT_ONCE", 2)
    batches = [
        pa.record_batch(
            {
                "class_id": pa.array([1, 2], pa.int32()),
                "kind": ["box", "polygon"],
                "sample_id": ids,
                "x": [1.0, None],
                "y": [2.0, None],
                "w": [3.0, None],
                "h": [4.0, None],
            }
        )
        for ids in (["b", "a"], ["gone", "c"])
    ]
    found = annotation_columns.read_columns(batches, pa.chunked_array([["a", "b"], ["c"]]))
    assert found.sample_of.tolist() == [1, 0, -1, 2]
    assert found.classes.tolist() == [1, 2, 1, 2]
    assert [annotation_columns.KINDS[kind] for kind in found.kinds] == ["box", "polygon"] * 2
    assert found.boxes_xywh_px[0].tolist() == [1, 2, 3, 4]
    assert np.isnan(found.boxes_xywh_px[1]).all()
