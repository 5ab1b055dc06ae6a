"""Checks know every kind: they are silent on what is right, and find what is wrong with each; repairs apply."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.support.images import draw, encode
from tests.support.kinds import SIZE_WH, make_kinds, ontology
from tests.support.things import Things

from calotype.checks import service as checks
from calotype.datasets import service as datasets
from calotype.datasets.change import Change
from calotype.datasets.model import Annotation, Kind
from calotype.findings import fixes
from calotype.vision.corners import Rectangle, area_of, bounds_of, corners_of, rectangle_gap_px

ABOUT_SHAPES = {
    "degenerate-shapes",
    "invalid-polygons",
    "shape-mismatch",
    "box-bounds",
    "duplicate-annotations",
    "conflicting-boxes",
    "nested-boxes",
    "track-jumps",
    "keypoints",
}


@pytest.fixture
def kinds(things):
    """A dataset `things` with the classes of every kind, and one image of 640 x 480 px."""
    datasets.apply(things.actor, things.name, Change(ontology=ontology()), store=things.store)
    return things


def image(things: Things):
    return things.image(encode(draw(len(things.samples) + 3, size_wh=SIZE_WH, n_boxes=14)), label=False)


def add(things: Things, sample, kind, rings, class_id=1, **given) -> Annotation:
    given = {"bbox": bounds_of(kind, rings), "area_px": area_of(kind, rings), **given}
    return things.box(sample, given.pop("bbox"), class_id, kind=kind, rings_px=rings, **given)


def told(things: Things) -> dict[str, list[str]]:
    findings = [f for f in things.check().findings if f.check in ABOUT_SHAPES]
    return {check: [f.reason for f in findings if f.check == check] for check in {f.check for f in findings}}


def test_data_of_every_kind_without_a_fault_give_no_finding_about_shapes(workspace, owner):
    make_kinds(owner, workspace)
    report = checks.check(owner, "kinds", store=workspace)
    assert [f.reason for f in report.findings if f.check in ABOUT_SHAPES] == []


def test_points_and_straight_lines_have_no_area_and_need_none(kinds):
    sample = image(kinds)
    add(kinds, sample, Kind.POINT, ((7.0, 8.0),))
    add(kinds, sample, Kind.POLYLINE, ((5.0, 9.0, 50.0, 9.0),))
    kinds.boxes.append(
        Annotation("c" * 32, sample.sample_id, Kind.CAPTION, 9, attributes={"text": "A pier."})
    )
    kinds.boxes.append(Annotation("d" * 32, sample.sample_id, Kind.CLASSIFICATION, 0))
    assert told(kinds) == {}


def test_faults_of_each_kind_are_found(kinds):
    sample = image(kinds)
    add(kinds, sample, Kind.POLYLINE, ((5.0, 9.0, 5.0, 9.0),))
    add(kinds, sample, Kind.ROTATED_BOX, ((50.0, 50.0, 120.0, 50.0, 150.0, 90.0, 80.0, 90.0),))
    add(kinds, sample, Kind.ROTATED_BOX, (corners_of(Rectangle(300, 300, 80, 0, 20)),))
    add(kinds, sample, Kind.ELLIPSE, (corners_of(Rectangle(500, 100, 80, 1, 20)),))
    add(kinds, sample, Kind.ELLIPSE, (corners_of(Rectangle(450, 300, 80, 40, 45)),), bbox=(400, 250, 100, 90))
    reasons = told(kinds)
    assert any("no length: all its points" in text for text in reasons["degenerate-shapes"])
    assert any("80 x 0 px and has no area" in text for text in reasons["degenerate-shapes"])
    assert any("80 x 1 px and is thinner" in text for text in reasons["degenerate-shapes"])
    assert len(reasons["invalid-polygons"]) == 1 and "rectangle" in reasons["invalid-polygons"][0]
    assert len(reasons["shape-mismatch"]) == 1 and "the ellipse and its box" in reasons["shape-mismatch"][0]


def test_shapes_beyond_the_image_are_found_and_a_thing_cut_off_may_reach_out(kinds):
    sample = image(kinds)
    add(kinds, sample, Kind.ROTATED_BOX, (corners_of(Rectangle(620, 200, 100, 30, 30)),))
    add(kinds, sample, Kind.ROTATED_BOX, (corners_of(Rectangle(650, 300, 100, 30, 30)),), 2)
    add(kinds, sample, Kind.POLYLINE, ((600.0, 10.0, 660.0, 40.0),), 3)
    add(kinds, sample, Kind.POINT, ((20.0, 500.0),), 4)
    assert sorted(told(kinds)["box-bounds"]) == [
        "the centre of the rotated box of a rotated box reaches 10.0 px beyond the image of 640x480 px",
        "the point of a mask lies outside the image of 640x480 px",
        "the polyline of a polygon reaches 20.0 px beyond the image of 640x480 px",
    ]


def test_bounds_that_cross_are_no_copies_and_outlines_that_do_are(kinds):
    sample = image(kinds)
    add(kinds, sample, Kind.ROTATED_BOX, (corners_of(Rectangle(200, 200, 200, 20, 45)),))
    add(kinds, sample, Kind.ROTATED_BOX, (corners_of(Rectangle(200, 200, 200, 20, -45)),))
    kinds.box(sample, (128.0, 128.0, 144.0, 144.0), 1)
    add(kinds, sample, Kind.POLYLINE, ((128.0, 128.0, 272.0, 272.0),))
    assert "duplicate-annotations" not in told(kinds)
    add(kinds, sample, Kind.ROTATED_BOX, (corners_of(Rectangle(200.2, 200, 200, 20, 45.1)),))
    assert len(told(kinds)["duplicate-annotations"]) == 1


def test_a_track_of_points_may_jump_and_two_videos_may_share_its_number(kinds):
    for video in ("a", "b"):
        for frame in range(2):
            sample = kinds.image(
                encode(draw(len(kinds.samples), size_wh=SIZE_WH, n_boxes=9)),
                label=False,
                metadata={"video": video, "frame": frame},
            )
            x = 20.0 + 300 * (video == "b")
            kinds.box(sample, (x, 20.0, 40.0, 40.0), 1, attributes={"track_id": 1})
            add(kinds, sample, Kind.POINT, ((x + 60 * frame, 9.0),), 2, attributes={"track_id": 2})
    assert "track-jumps" not in told(kinds)


def test_repairs_cut_a_line_fit_a_rectangle_and_keep_the_rest(kinds):
    sample = image(kinds)
    line = add(kinds, sample, Kind.POLYLINE, ((600.0, 10.0, 660.0, 40.0),), 3)
    skewed = add(kinds, sample, Kind.ROTATED_BOX, ((50.0, 50.0, 120.0, 50.0, 150.0, 90.0, 80.0, 90.0),))
    report = kinds.check()
    keys = [f.key for f in report.findings if f.check in ("box-bounds", "invalid-polygons")]
    assert len(keys) == 2
    fixes.fix(kinds.actor, kinds.name, keys, store=kinds.store)
    state = datasets.read(kinds.actor, kinds.name, store=kinds.store)
    after = {a.ann_id: a for a in state.annotations_of([sample.sample_id])[sample.sample_id]}
    assert after[line.ann_id].rings_px == ((600.0, 10.0, 640.0, 30.0),)
    assert after[line.ann_id].bbox_xywh_px == (600, 10, 40, 20)
    assert rectangle_gap_px(after[skewed.ann_id].rings_px[0]) < 1e-6
    assert after[skewed.ann_id] == replace(
        skewed,
        rings_px=after[skewed.ann_id].rings_px,
        bbox_xywh_px=after[skewed.ann_id].bbox_xywh_px,
        area_px=after[skewed.ann_id].area_px,
    )


def test_a_second_run_on_few_samples_finds_the_same(kinds):
    sample = image(kinds)
    add(kinds, sample, Kind.ROTATED_BOX, (corners_of(Rectangle(200, 200, 200, 20, 45)),))
    add(kinds, sample, Kind.ROTATED_BOX, (corners_of(Rectangle(200.2, 200, 200, 20, 45.1)),))
    first = told(kinds)
    other = image(kinds)
    add(kinds, other, Kind.ROTATED_BOX, (corners_of(Rectangle(200, 200, 200, 20, 45)),))
    add(kinds, other, Kind.ROTATED_BOX, (corners_of(Rectangle(200, 200, 200, 20, -45)),))
    assert told(kinds) == first
