"""Each check finds what is planted and is silent on what is right."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageFilter
from tests.support.images import draw, encode

from calotype.checks.suite import REGISTRY
from calotype.checks.suite.registry import known_checks
from calotype.contracts.text import ContractInvalid, parse
from calotype.datasets.model import Kind
from calotype.vision import masks


def picture(seed=1, size_wh=(320, 240)):
    """A drawn picture large and fine enough to be sharp."""
    return draw(seed, size_wh=size_wh, n_boxes=14)


def test_a_contract_may_name_every_check_and_no_other():
    every = "".join(f"\n  {name}: {{}}" for name in REGISTRY)
    assert set(parse(f"checks:{every}", checks=known_checks()).checks) == set(REGISTRY)
    with pytest.raises(ContractInvalid, match="did you mean 'readable'"):
        parse("checks: {readble: {}}", checks=known_checks())


def test_clean_data_give_no_finding(things):
    for seed in range(6):
        things.box(things.image(encode(picture(seed))), (30, 30, 20, 20), 1)
    report = things.check()
    assert report.findings == ()
    assert not report.red


def test_media_that_are_gone_are_unreadable(things):
    things.image()
    gone = things.image()
    things.store.media.path(gone.media_sha256).unlink()
    [finding] = things.found("readable")
    assert (finding.sample, finding.severity) == (gone.name, "error")
    assert "missing" in finding.reason


def test_media_that_are_cut_short_are_unreadable_also_the_second_time(things):
    whole = encode(draw(3))
    sample = things.image(whole)
    things.store.media.path(sample.media_sha256).write_bytes(whole[: len(whole) // 2])
    assert [f.sample for f in things.found("readable")] == [sample.name]
    assert [f.sample for f in things.found("readable")] == [sample.name]


@pytest.mark.parametrize(
    "size_wh, n", [((15, 200), 2), ((16, 160), 0), ((16, 161), 1)], ids=["both", "fits", "long"]
)
def test_images_of_odd_size_are_told(things, size_wh, n):
    things.image(encode(draw(size_wh=size_wh)), label=False)
    assert len(things.found("dimensions")) == n


def test_the_same_bytes_in_two_samples_are_one_finding_on_the_second(things):
    data = encode(draw(9))
    things.image(data, name="a.jpg")
    things.image(data, name="b.jpg")
    things.image(name="c.jpg")
    [finding] = things.found("exact-duplicates")
    assert (finding.sample, finding.facts["copy_of"]) == ("b.jpg", "a.jpg")


def test_the_same_pixels_in_other_bytes_are_a_duplicate(things):
    png = encode(draw(4), "image/png")
    out = io.BytesIO()
    Image.open(io.BytesIO(png)).save(out, "BMP")
    things.image(png, name="a.png")
    things.image(out.getvalue(), name="b.bmp")
    [finding] = things.found("exact-duplicates")
    assert "same pixels" in finding.reason


def test_several_names_of_one_sample_are_told(things):
    things.image(name="a.jpg", names=("a.jpg", "copy/a.jpg"))
    things.image(name="b.jpg")
    assert [f.facts["count"] for f in things.found("exact-duplicates")] == [2]


def near_copies(original):
    return {
        "saved again": encode_jpeg(original, 60),
        "cropped": encode(original.crop((2, 2, *original.size))),
        "lighter": encode(ImageEnhance.Brightness(original).enhance(1.03)),
        "smaller": encode(original.resize((original.width * 3 // 4, original.height * 3 // 4))),
    }


def encode_jpeg(image, quality):
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality)
    return out.getvalue()


@pytest.mark.parametrize("how", ["saved again", "cropped", "lighter", "smaller"])
def test_a_near_copy_is_found(things, how):
    things.image(encode(picture(1)), name="a.jpg")
    things.image(near_copies(picture(1))[how], name="b.jpg")
    for seed in range(2, 8):
        things.image(encode(picture(seed)))
    [finding] = things.found("near-duplicates")
    assert (finding.sample, finding.facts["copy_of"]) == ("b.jpg", "a.jpg")


@pytest.mark.parametrize(
    "change, words",
    [
        (lambda image: image.convert("L"), "in grey"),
        (lambda image: image.crop((60, 40, 260, 190)), "cropped"),
    ],
    ids=["in grey", "cropped"],
)
def test_a_finding_says_how_a_near_copy_differs(things, change, words):
    things.image(encode(picture(1)), name="a.jpg")
    things.image(encode(change(picture(1))), name="b.jpg")
    for seed in range(2, 8):
        things.image(encode(picture(seed)))
    [finding] = things.found("near-duplicates")
    assert (finding.sample, finding.facts["copy_of"]) == ("b.jpg", "a.jpg")
    assert words in finding.facts["changes"].split(", ")  # drawn boxes may look like a bar too
    assert f"(one of them is {finding.facts['changes']}; correlation" in finding.reason


def test_a_derived_sample_is_no_near_duplicate_of_its_original(things):
    original = things.image(encode(picture(1)), name="a.jpg")
    things.image(near_copies(picture(1))["lighter"], name="b.jpg", parent_id=original.sample_id)
    assert things.found("near-duplicates") == []


def test_forty_different_pictures_hold_no_near_duplicate(things):
    for seed in range(40):
        things.image(encode(picture(seed)))
    assert things.found("near-duplicates") == []


@pytest.mark.parametrize(
    "box, n", [((-1.0, 0, 30, 30), 0), ((-1.5, 0, 30, 30), 1), ((90, 60, 20, 20), 1), ((0, 0, 96, 64), 0)]
)
def test_boxes_beyond_the_image_are_found(things, box, n):
    things.box(things.image(), box)
    assert len(things.found("box-bounds")) == n


@pytest.mark.parametrize(
    "box, severities",
    [
        ((3, 3, 0, 9), ["error"]),
        ((3, 3, 9, -2), ["error"]),
        ((3, 3, 1.5, 9), ["warning"]),
        ((3, 3, 2, 2), []),
    ],
)
def test_boxes_without_area_are_errors_and_thin_ones_warnings(things, box, severities):
    things.box(things.image(), box)
    assert [f.severity for f in things.found("degenerate-shapes")] == severities


@pytest.mark.parametrize(
    "ring, n",
    [((1, 1, 9, 9, 1, 1), 1), ((1, 1, 5, 5, 9, 9), 1), ((1, 1, 9, 1, 9, 9), 0)],
    ids=["two points", "line", "triangle"],
)
def test_polygons_without_area_are_found(things, ring, n):
    things.box(things.image(), (1, 1, 8, 8), kind=Kind.POLYGON, rings_px=(ring,))
    assert len(things.found("degenerate-shapes")) == n


@pytest.mark.parametrize("filled, n", [(False, 1), (True, 0)])
def test_empty_masks_are_found(things, filled, n):
    mask = np.zeros((64, 96), dtype=bool)
    mask[4:9, 4:9] = filled
    text = masks.to_string(masks.encode(mask))
    things.box(things.image(), (4, 4, 5, 5), kind=Kind.MASK, mask_rle=text, mask_size_hw=(64, 96))
    assert len(things.found("degenerate-shapes")) == n


def test_a_thing_annotated_twice_is_found_and_a_neighbour_is_not(things):
    sample = things.image(label=False)
    first = things.box(sample, (10, 10, 30, 20))
    twin = things.box(sample, (10.2, 10, 30, 20))
    things.box(sample, (12, 10, 30, 20))
    things.box(sample, (10, 10, 30, 20), 1)
    [finding] = things.found("duplicate-annotations")
    assert {finding.annotation_id, finding.facts["twin"]} == {first.ann_id, twin.ann_id}


def test_a_class_outside_the_ontology_is_found(things):
    stray = things.box(things.image(), (3, 3, 9, 9), 77)
    [finding] = things.found("unknown-classes")
    assert (finding.annotation_id, finding.facts) == (stray.ann_id, {"class_id": 77})


def test_a_class_outside_the_contract_is_found(things):
    sample = things.image()
    stray = things.box(sample, (30, 30, 9, 9), 1)
    assert [f.annotation_id for f in things.found("unknown-classes", "classes: [car]")] == [stray.ann_id]
    assert things.found("unknown-classes", "classes: [car, dog]") == []


def test_uneven_classes_are_told(things):
    sample = things.image(label=False)
    for at in range(6):
        things.box(sample, (at * 12, 3, 9, 9), 0)
    things.box(sample, (3, 30, 9, 9), 1)
    strict = "checks: {class-balance: {parameters: {max_ratio: 5}}}"
    assert [f.facts["ratio"] for f in things.found("class-balance", strict)] == [6.0]
    assert things.found("class-balance") == []


def test_samples_without_annotations_are_found_derived_ones_too(things):
    parent = things.image()
    things.image(name="empty.jpg", label=False)
    things.image(name="made.jpg", label=False, parent_id=parent.sample_id)
    assert {f.sample: f.facts["derived"] for f in things.found("unlabelled")} == {
        "empty.jpg": False,
        "made.jpg": True,
    }


def test_the_label_set_of_the_contract_is_the_one_tested(things):
    things.image()
    assert len(things.found("unlabelled", "label_set: model:x")) == 1


def leak(things, **second):
    data = encode(picture(5))
    first = things.image(data, name="a.jpg", split="train")
    things.image(encode(picture(6)), name="other.jpg", split="val")
    given = {"data": encode(picture(7)), "name": "b.jpg", "split": "val", **second}
    if given.pop("derived", False):
        given["parent_id"] = first.sample_id
    things.image(given.pop("data"), **given)
    return [(f.sample, f.facts["how"], f.severity) for f in things.found("split-leakage")]


def test_the_same_bytes_in_two_splits_leak(things):
    assert leak(things, data=encode(picture(5))) == [("b.jpg", "bytes", "error")]


def test_a_near_copy_in_another_split_is_a_warning(things):
    assert leak(things, data=near_copies(picture(5))["lighter"]) == [("b.jpg", "near copy", "warning")]


def test_a_derived_sample_in_another_split_leaks(things):
    assert leak(things, derived=True) == [("b.jpg", "original", "error")]


def test_copies_in_one_split_do_not_leak(things):
    assert leak(things, data=encode(picture(5)), split="train") == []


def test_a_group_in_two_splits_leaks_and_no_group_does_not(things):
    things.image(name="a.jpg", split="train", group="scene 1")
    things.image(name="b.jpg", split="test", group="scene 1")
    things.image(name="c.jpg", split="test")
    assert [(f.sample, f.facts["how"]) for f in things.found("split-leakage")] == [("b.jpg", "group")]


def test_licences_that_are_missing_or_not_allowed_are_found(things):
    things.image(licence="", name="none.jpg")
    things.image(licence="CC0-1.0")
    things.image(licence="secret", name="wrong.jpg")
    assert [f.sample for f in things.found("licence")] == ["none.jpg"]
    assert [f.sample for f in things.found("licence", "licences: [CC0-1.0]")] == ["wrong.jpg", "none.jpg"]


@pytest.mark.parametrize(
    "spec, words",
    [
        ("{type: str}", []),
        ("{type: int}", ["is str, the contract requires int"]),
        ('{type: str, values: ["day"]}', ["is 'night', allowed are 'day'"]),
    ],
)
def test_metadata_is_held_against_the_contract(things, spec, words):
    things.image(metadata={"light": "night"})
    found = things.found("metadata", f"metadata: {{light: {spec}}}")
    assert [f.reason.removeprefix("the metadata field 'light' ") for f in found] == words


def test_metadata_out_of_range_or_missing_is_found(things):
    things.image(metadata={"speed": 3.5})
    things.image(metadata={"speed": -1.0})
    things.image()
    found = things.found("metadata", "metadata: {speed: {type: float, min: 0}}")
    assert [f.sample for f in found] == ["001.jpg", "002.jpg"]


def test_a_condition_with_too_few_samples_is_found(things):
    things.image(metadata={"light": "night"})
    things.image(metadata={"light": "day"})
    line = "coverage: [{where: 'light = \"night\"', min_samples: %d}]"
    assert things.found("coverage", line % 1) == []
    assert [f.facts["samples"] for f in things.found("coverage", line % 2)] == [1]


@pytest.mark.parametrize("fault", ["under_exposed", "over_exposed", "blurred", "low_contrast"])
def test_a_spoilt_image_is_found_and_its_original_is_not(things, fault):
    good = picture(3, (640, 480))
    spoilt = {
        "under_exposed": good.point([round(v * 0.08) for v in range(256)] * 3),
        "over_exposed": good.point([min(255, round(v * 2.2 + 90)) for v in range(256)] * 3),
        "low_contrast": good.point([round(110 + v * 0.12) for v in range(256)] * 3),
        "blurred": good.filter(ImageFilter.GaussianBlur(3)),
    }[fault]
    things.image(encode(good))
    things.image(encode(spoilt), name="spoilt.jpg")
    assert [(f.sample, f.facts["fault"]) for f in things.found("image-quality")] == [("spoilt.jpg", fault)]


def test_a_jpeg_without_its_end_mark_is_a_warning(things):
    data = encode(picture(3))
    things.image(data)
    things.image(data[:-2] + bytes(2_000), name="cut.jpg")
    assert [(f.sample, f.severity) for f in things.found("readable")] == [("cut.jpg", "warning")]


@pytest.mark.parametrize("orientation, n", [(1, 0), (6, 1)])
def test_images_that_exif_turns_are_told(things, orientation, n):
    things.image(encode(picture(3), orientation=orientation), label=False)
    assert [f.facts["orientation"] for f in things.found("orientation")] == [orientation] * n


@pytest.mark.parametrize("quality, n", [(20, 1), (60, 0)])
def test_a_low_jpeg_quality_is_told(things, quality, n):
    things.image(encode_jpeg(picture(3), quality), label=False)
    assert [f.facts["quality"] for f in things.found("jpeg-quality")] == [20] * n
