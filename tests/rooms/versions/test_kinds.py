"""Branches that change annotations of any kind merge by field, conflict on geometry, and show in blame."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.support.kinds import SHIP, WORDS, every_kind, make_kinds

from calotype.datasets import service as datasets
from calotype.datasets.change import Change
from calotype.datasets.model import Kind
from calotype.versions import service as versions
from calotype.vision.corners import bounds_of, corners_of


@pytest.fixture
def of(workspace, owner):
    """The annotations of the first sample by kind; committed, with a branch `fix` beside main."""
    samples = make_kinds(owner, workspace)
    datasets.commit(owner, "kinds", "as drawn", store=workspace)
    datasets.branch(owner, "kinds", "fix", store=workspace)
    return {a.kind: a for a in every_kind(samples[0].sample_id)}


@pytest.fixture
def change(workspace, owner):
    def commit(on, *annotations):
        name = f"kinds@{on}"
        put = Change(put_annotations={"ground_truth": list(annotations)})
        datasets.apply(owner, name, put, store=workspace)
        return datasets.commit(owner, name, f"on {on}", store=workspace)

    return commit


def turned(ship, degrees):
    ring = corners_of(replace(SHIP, angle_deg=degrees))
    box = bounds_of(Kind.ROTATED_BOX, [ring])
    return replace(ship, rings_px=(ring,), bbox_xywh_px=box)


def after(workspace, owner, of):
    sample_id = of[Kind.BOX].sample_id
    state = datasets.read(owner, "kinds", store=workspace)
    return {a.ann_id: a for a in state.annotations_of([sample_id])[sample_id]}


def test_changes_of_both_sides_come_together_and_blame_names_them(workspace, owner, of, change):
    ship, caption, line = of[Kind.ROTATED_BOX], of[Kind.CAPTION], of[Kind.POLYLINE]
    ours = change("main", turned(ship, 40), replace(caption, attributes={"text": WORDS + " It rains."}))
    occluded = replace(ship, attributes={**ship.attributes, "occluded": False})
    longer = replace(line, rings_px=(*line.rings_px, (440.0, 240.0, 500.0, 230.0)))
    change("fix", occluded, longer)
    assert versions.merge(owner, "kinds", "fix", store=workspace).state == "landed"
    rows = after(workspace, owner, of)
    assert rows[ship.ann_id].rings_px == turned(ship, 40).rings_px
    assert rows[ship.ann_id].attributes == occluded.attributes
    assert rows[caption.ann_id].attributes["text"].endswith("It rains.")
    assert rows[line.ann_id].rings_px == longer.rings_px
    (blamed,) = versions.blame(owner, "kinds", caption.ann_id, store=workspace)
    assert blamed.changed.commit is not None and blamed.changed.commit.id == ours.id


def test_both_sides_turn_the_same_box_and_reword_the_same_caption(workspace, owner, of, change):
    ship, caption = of[Kind.ROTATED_BOX], of[Kind.CAPTION]
    for on, degrees, words in (("main", 40, "Ships."), ("fix", 50, "Boats.")):
        change(on, turned(ship, degrees), replace(caption, attributes={"text": words}))
    assert versions.merge(owner, "kinds", "fix", store=workspace).state == "open"
    _, conflicts = versions.conflicts(owner, "kinds", store=workspace)
    assert {c.content.row_id: c.content.fields for c in conflicts} == {
        ship.ann_id: ("geometry",),
        caption.ann_id: ("attributes.text",),
    }


def test_a_caption_keeps_its_words_where_the_other_side_took_them_from_a_box(workspace, owner, of, change):
    plate = of[Kind.BOX]
    caption = replace(plate, kind=Kind.CAPTION, bbox_xywh_px=None, area_px=None)
    change("main", caption)
    change("fix", replace(plate, attributes={"truncated": True}))
    assert versions.merge(owner, "kinds", "fix", store=workspace).state == "landed"
    merged = after(workspace, owner, of)[plate.ann_id]
    assert (merged.kind, merged.attributes) == (Kind.CAPTION, {"truncated": True, "text": "KD-4711"})
