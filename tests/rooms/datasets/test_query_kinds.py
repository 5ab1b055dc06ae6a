"""Every kind of annotation and its attributes are found by queries, and followed by a diff."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.support.kinds import WORDS, every_kind, make_kinds

from calotype.datasets import service as datasets
from calotype.datasets.change import Change
from calotype.datasets.model import Kind


@pytest.fixture
def kinds(workspace, owner):
    """Three samples with every kind; the second has another track, the third no caption."""
    samples = make_kinds(owner, workspace)
    second = {a.kind: a for a in every_kind(samples[1].sample_id, 1)}
    third = {a.kind: a for a in every_kind(samples[2].sample_id, 2)}
    turned = replace(second[Kind.ROTATED_BOX], attributes={"track_id": "12", "angle_deg": 30})
    change = Change(
        put_annotations={"ground_truth": [turned]},
        remove_annotations={"ground_truth": [third[Kind.CAPTION].ann_id]},
    )
    datasets.apply(owner, "kinds", change, store=workspace)
    return workspace


@pytest.mark.parametrize(
    ("where", "found"),
    [
        *((f"kind = {kind}", "012" if kind is not Kind.CAPTION else "01") for kind in Kind),
        ("count(kind = rotated_box) = 1", "012"),
        ("any(attributes.occluded = true)", "02"),
        ("any(attribute.occluded = true)", "02"),
        ("attributes.occluded = true", "02"),
        ("attributes.track_id = 7", "02"),
        ("attributes.track_id = 12", "1"),
        ("attributes.track_id > 7", "1"),
        ("attributes.track_id > 10.5", "1"),
        ('attributes.track_id = "12"', "1"),
        ("attribute.track_id in (7, 12)", "012"),
        ("attributes.angle_deg = 30", "012"),
        ("any(kind = rotated_box and attributes.angle_deg >= 30 and attributes.track_id != 7)", "1"),
        ("attributes.text contains gulls", "01"),
        ('attributes.text = "KD-4711"', "012"),
        ("any(kind = rotated_box and attributes.occluded is missing)", "1"),
        ("not any(attributes.text contains gulls)", "2"),
        ("any(kind = polyline and attributes.group_id = 3 and w > 200)", "012"),
        ("any(kind = point and h < 40)", "012"),
        ("frame >= 1 and video = harbour", "12"),
    ],
)
def test_kinds_and_attributes_are_found(kinds, owner, where, found):
    names = (
        datasets.read(owner, "kinds", store=kinds).samples(where=where, columns=["name"])["name"].to_pylist()
    )
    assert "".join(name[6] for name in names) == found


def test_a_diff_tells_a_moved_corner_a_reworded_caption_and_a_lost_point(workspace, owner):
    samples = make_kinds(owner, workspace)
    first = datasets.commit(owner, "kinds", store=workspace, message="as drawn")
    of = {a.kind: a for a in every_kind(samples[0].sample_id)}
    box, caption, point = of[Kind.ROTATED_BOX], of[Kind.CAPTION], of[Kind.POINT]
    put = [
        replace(box, rings_px=(tuple(v + 1 for v in box.rings_px[0]),)),
        replace(caption, attributes={"text": WORDS + " It rains."}),
    ]
    change = Change(
        put_annotations={"ground_truth": put}, remove_annotations={"ground_truth": [point.ann_id]}
    )
    datasets.apply(owner, "kinds", change, store=workspace)
    datasets.commit(owner, "kinds", store=workspace, message="corrected")
    delta = datasets.diff(owner, "kinds", first.id, "main", store=workspace).annotations["ground_truth"]
    assert set(delta.changed) == {box.ann_id, caption.ann_id}
    assert list(delta.removed) == [point.ann_id]
    assert not list(delta.added)
