"""There and back again: what a conversion takes apart, its inverse puts together."""

from __future__ import annotations

import json

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from calotype.vision import boxes, images, masks, polygons
from calotype.vision.ontology import Class, Ontology

few = settings(deadline=None, max_examples=60)
bitmaps = arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=14))
lengths = st.floats(0, 2_000, allow_nan=False)
box_lists = st.lists(st.tuples(lengths, lengths, lengths, lengths), max_size=8)
words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
ontologies = st.lists(words, unique=True, max_size=6).flatmap(
    lambda names: st.builds(
        lambda ids, closed, above: Ontology(
            tuple(
                Class(i, n, n[::-1], (n, "b"), ((0, 1),), {"x": n})
                for i, n in zip(sorted(ids), names, strict=True)
            ),
            closed=closed,
            next_id=above,
        ),
        st.lists(st.integers(0, 99), unique=True, min_size=len(names), max_size=len(names)),
        st.booleans(),
        st.integers(0, 200),
    )
)


@few
@given(bitmaps)
def test_run_lengths_and_their_text_give_the_mask_back(mask):
    rle = masks.encode(mask)
    assert (masks.decode(rle) == mask).all()
    assert masks.from_string(masks.to_string(rle), rle.size_hw) == rle
    assert masks.from_counts(list(rle.counts), rle.size_hw) == rle


@few
@given(bitmaps)
def test_area_and_box_of_run_lengths_are_those_of_the_pixels(mask):
    rle = masks.encode(mask)
    rows, columns = np.nonzero(mask)
    assert rle.area_px == mask.sum()
    x, y, w, h = rle.bbox_xywh_px()
    if rows.size:
        assert (x, y) == (columns.min(), rows.min())
        assert (x + w, y + h) == (columns.max() + 1, rows.max() + 1)
    else:
        assert (x, y, w, h) == (0, 0, 0, 0)


@few
@given(bitmaps)
def test_outlines_lose_no_pixel(mask):
    assert polygons.rasterise(masks.rings_of(mask), size_hw=mask.shape)[mask].all()


@few
@given(st.text(max_size=40))
def test_any_text_is_a_mask_or_refused(text):
    try:
        rle = masks.from_string(text, (9, 7))
    except masks.RleInvalid:
        return
    assert masks.decode(rle).shape == (9, 7)


@few
@given(st.binary(max_size=200), st.sampled_from([b"", b"\xff\xd8\xff", b"GIF89a", b"II*\0\x08\0\0\0", b"BM"]))
def test_any_bytes_are_an_image_or_refused(data, start):
    for look in (images.probe, images.verify, images.decode_rgb):
        try:
            look(start + data)
        except images.ImageUnreadable:
            continue


@few
@given(box_lists)
def test_boxes_come_back_from_corners_and_from_shares(some):
    there = boxes.xyxy_to_xywh(boxes.xywh_to_xyxy(some))
    assert np.allclose(there, np.reshape(some, (-1, 4)))
    shares = boxes.xywh_to_cxcywhn(some, size_wh=(640, 480))
    assert np.allclose(boxes.cxcywhn_to_xywh(shares, size_wh=(640, 480)), there)


@few
@given(box_lists)
def test_overlap_lies_between_nothing_and_all_and_has_no_direction(some):
    corners = boxes.xywh_to_xyxy(some)
    overlap = boxes.iou_matrix(corners, corners)
    assert ((overlap >= 0) & (overlap <= 1 + 1e-9)).all()
    assert np.allclose(overlap, overlap.T)


@few
@given(ontologies)
def test_an_ontology_comes_back_from_json(ontology):
    text = json.dumps(ontology.to_json())
    assert Ontology.from_json(json.loads(text)) == ontology
    assert json.dumps(Ontology.from_json(json.loads(text)).to_json()) == text
