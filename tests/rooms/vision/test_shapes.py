"""Boxes, polygons, masks, classes and vectors: facts that others rely on."""

from __future__ import annotations

import json

import numpy as np
import pytest

from calotype.vision import boxes, descriptors, masks, polygons
from calotype.vision.ontology import Class, ClassExists, ClassInvalid, ClassUnknown, Ontology

SQUARE = (2.0, 1.0, 6.0, 1.0, 6.0, 4.0, 2.0, 4.0)


def test_overlap_of_boxes():
    overlap = boxes.iou_matrix([[0, 0, 2, 2], [5, 5, 5, 5]], [[1, 0, 3, 2], [0, 0, 2, 2]])
    assert overlap.round(3).tolist() == [[0.333, 1.0], [0.0, 0.0]]
    assert boxes.iou_matrix([], [[0, 0, 1, 1]]).shape == (0, 1)


def test_swapped_corners_are_named():
    with pytest.raises(boxes.BoxCornersSwapped, match="box 1 of b_xyxy_px"):
        boxes.iou_matrix([[0, 0, 1, 1]], [[0, 0, 1, 1], [3, 0, 1, 1]])


def test_boxes_know_the_edge_of_the_image():
    some = [[0, 0, 10, 10], [8, 8, 4, 3], [20, 0, 5, 5], [1, 1, 0, 5]]
    assert boxes.overshoot_px(some, size_wh=(10, 10)).tolist() == [0, 2, 15, 0]
    assert boxes.are_outside(some, size_wh=(10, 10)).tolist() == [False, False, True, False]
    assert boxes.are_degenerate(some).tolist() == [False, False, False, True]
    assert boxes.areas(some).tolist() == [100, 12, 25, 0]
    assert boxes.clip(boxes.xywh_to_xyxy(some), size_wh=(10, 10))[1].tolist() == [8, 8, 10, 10]


def test_a_ring_has_an_area_and_a_box():
    assert polygons.ring_area(SQUARE) == 12
    assert polygons.ring_area(np.reshape(SQUARE, (-1, 2))[::-1].ravel().tolist()) == 12
    assert polygons.rings_bbox_xywh([SQUARE]) == (2, 1, 4, 3)


@pytest.mark.parametrize("ring", [(1, 2, 3), (0, 0, 1, 1), (0, 0, 1, 1, float("nan"), 2)])
def test_a_ring_that_is_none_is_explained(ring):
    assert polygons.ring_problem(ring)
    assert polygons.ring_problem(SQUARE) is None


def test_a_bow_tie_crosses_itself_and_a_square_does_not():
    assert polygons.crosses_itself((0, 0, 4, 4, 4, 0, 0, 4))
    assert not polygons.crosses_itself(SQUARE)


def test_clipping_cuts_at_the_rectangle():
    (kept,) = polygons.clip_rings([SQUARE], xyxy_px=(0, 0, 4, 3))
    assert polygons.ring_area(kept) == 4
    assert polygons.clip_rings([SQUARE], xyxy_px=(10, 10, 20, 20)) == ()


def test_a_ring_on_pixel_edges_fills_exactly_its_pixels():
    mask = polygons.rasterise([SQUARE], size_hw=(8, 8))
    assert mask[1:4, 2:6].all() and mask.sum() == 12


def test_run_lengths_go_down_the_columns():
    rle = masks.encode([[0, 1], [1, 1]])
    assert rle.counts == (1, 3)
    assert (rle.area_px, rle.bbox_xywh_px()) == (3, (0, 0, 2, 2))


def test_the_compressed_text_is_that_of_coco():
    """Worked by hand from the rule: 5 bits a character, sign in bit 4, from the fourth run on as a difference."""
    rle = masks.Rle((10, 10), (5, 40, 3, 41, 11))
    assert masks.to_string(rle) == "5X1318"
    assert masks.from_string("5X1318", (10, 10)) == rle


@pytest.mark.parametrize(
    ("size_hw", "counts"),
    [((2, 2), [3]), ((2, 2), [5, -1]), ((0, 4), []), ((10**9, 10**9), [10**18]), ((2, 2), [1.5, 2.5])],
)
def test_runs_that_do_not_fill_the_mask_are_refused(size_hw, counts):
    with pytest.raises(masks.RleInvalid):
        masks.from_counts(counts, size_hw)


@pytest.mark.parametrize("text", ["é", "\0", "o" * 100_000, "o", "1" * 50])
def test_rubbish_text_is_refused(text):
    with pytest.raises(masks.RleInvalid):
        masks.from_string(text, (10, 10))


def test_outlines_of_a_mask_fill_it_again():
    y, x = np.mgrid[:120, :160]
    blob = ((y - 50) ** 2 + (x - 70) ** 2 < 900) | ((abs(y - 90) < 9) & (abs(x - 130) < 20))
    rings = masks.rings_of(blob)
    assert len(rings) == 2
    assert (polygons.rasterise(rings, size_hw=blob.shape) == blob).all()
    assert masks.rings_of(np.zeros((3, 3))) == ()


def test_ids_of_classes_are_never_given_again():
    ontology = Ontology().add("car").add("bus").without("bus").add("van")
    assert [(c.id, c.name) for c in ontology.classes] == [(0, "car"), (2, "van")]
    assert ontology.rename("car", "auto").by_name("auto") == Class(0, "auto")


def test_an_ontology_refuses_what_cannot_be():
    ontology = Ontology().add("car")
    with pytest.raises(ClassExists):
        ontology.add("car")
    with pytest.raises(ClassExists):
        Ontology((Class(1, "a"), Class(1, "b")))
    with pytest.raises(ClassUnknown):
        ontology.rename("bus", "van")
    with pytest.raises(ClassInvalid):
        ontology.add("")


def flat(value):
    return np.full((40, 60, 3), value, dtype=np.uint8)


DESCRIPTORS = pytest.mark.parametrize("describe", [descriptors.hog_colour, descriptors.hog_colour_v1])


@DESCRIPTORS
def test_a_vector_has_length_one_whatever_the_image(describe):
    rng = np.random.default_rng(0)
    for rgb in (flat(0), flat(255), rng.integers(0, 256, (1, 7, 3), dtype=np.uint8)):
        vector = describe(rgb)
        assert vector.shape == (descriptors.DIMENSIONS,) and vector.dtype == np.float32
        assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)


@DESCRIPTORS
def test_a_lightened_copy_lies_closer_than_another_picture(describe):
    rng = np.random.default_rng(1)
    one, other = (
        np.kron(rng.integers(0, 200, (6, 8, 3)), np.ones((20, 20, 1))).astype(np.uint8) for _ in "ab"
    )
    here, copy, there = (describe(rgb) for rgb in (one, one + 20, other))
    assert here @ copy > 0.95
    assert here @ there < 0.85


@DESCRIPTORS
def test_black_grey_and_white_are_told_apart(describe):
    black, grey, white = (describe(flat(value)) for value in (0, 128, 255))
    assert black @ white < black @ grey < 0.8


def test_many_vectors_equal_those_of_single_images():
    rng = np.random.default_rng(2)
    sizes = [(64, 64), (1, 7), *((int(h), int(w)) for h, w in rng.integers(10, 90, (40, 2)))]
    images = [rng.integers(0, 256, (*size, 3), dtype=np.uint8) for size in sizes]
    together = descriptors.hog_colours(images)
    np.testing.assert_allclose(together, [descriptors.hog_colour(rgb) for rgb in images], atol=1e-7)
    assert descriptors.hog_colours([]).shape == (0, descriptors.DIMENSIONS)


def test_the_web_app_writes_masks_as_the_server_does(repo):
    """Masks that `web/src/canvas/rle.test.ts` reads and writes too."""
    table = json.loads((repo / "web" / "src" / "canvas" / "rle_masks.json").read_text())
    assert len(table) == 8
    for row in table:
        mask = np.array([[digit == "1" for digit in line] for line in row["rows"]])
        height, width = row["size"]
        assert mask.shape == (height, width)
        assert masks.to_string(masks.encode(mask)) == row["counts"]
        assert (masks.decode(masks.from_string(row["counts"], (height, width))) == mask).all()
