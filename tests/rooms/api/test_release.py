"""The handle on a release."""

from __future__ import annotations

import importlib.util

import pytest

import calotype as ct


@pytest.fixture
def released(shop):
    """Version 1.0.0 with two splits."""
    return shop.release("1.0.0", split={"train": 0.5, "test": 0.5}, formats=("coco", "voc"))


def test_a_release_knows_its_version_files_and_card(released, shop, only_here):
    assert released.version == "1.0.0"
    assert repr(released) == f"Release('shop', '1.0.0', commit={shop.log()[0].short!r})"
    assert released.card["samples"] == 24
    assert {path.name for path in released.path.iterdir()} >= {"coco", "voc", "card.json", "manifest.json"}
    assert [item.version for item in shop.releases()] == ["1.0.0"]


def test_a_version_is_released_once(released, shop):
    with pytest.raises(ct.CalotypeError) as refused:
        shop.release("1.0.0")
    assert refused.value.code == "release-exists"


def test_a_plan_says_what_the_next_release_would_hold(released, shop):
    planned = shop.plan_release()
    assert (planned.uncommitted, planned.since.version, planned.since.same) == (None, "1.0.0", True)
    shop.map_classes({shop.where().by_class().popitem()[0]: None}, dry_run=False)
    planned = shop.plan_release()
    assert planned.samples == 24
    assert not planned.since.same
    assert planned.uncommitted.to_dict() == {
        key: planned.since.to_dict()[key] for key in ("samples", "annotations", "by_label_set")
    }
    with pytest.raises(ct.CalotypeError) as refused:
        shop.release("1.1.0", uncommitted=False)
    assert refused.value.code == "release-uncommitted"


def test_a_query_without_samples_cannot_be_released(shop):
    with pytest.raises(ct.CalotypeError) as refused:
        shop.release("1.0.0", where="width > 9000")
    assert refused.value.code == "release-empty"


def test_a_split_is_read_as_arrays_also_resized(released):
    item = released.numpy("train")[0]
    assert (item["image"].shape, item["boxes_xyxy_px"].shape) == ((3, 48, 64), (1, 4))
    resized = released.numpy("train", size_wh=(32, 24))[0]
    assert resized["image"].shape == (3, 24, 32)
    assert resized["boxes_xyxy_px"].tolist() == (item["boxes_xyxy_px"] / 2).tolist()
    with pytest.raises(ct.CalotypeError) as refused:
        released.numpy("val")
    assert refused.value.code == "split-not-found"


def test_pixels_are_prepared_once(released):
    pixels = released.materialise((32, 24))
    assert (len(pixels), pixels.size_wh) == (24, (32, 24))
    assert released.materialise((32, 24)).folder == pixels.folder
    with pytest.raises(ct.CalotypeError) as refused:
        released.materialise((0, 24))
    assert refused.value.code == "size-invalid"


def test_tensors_need_pytorch(released):
    if importlib.util.find_spec("torch") is None:
        with pytest.raises(ct.CalotypeError) as refused:
            released.torch("train")
        assert refused.value.code == "torch-missing"
    else:
        items = released.torch("train", transform=lambda item: {**item, "seen": True})
        assert (len(items), items[0]["seen"], items.classes) == (12, True, ("car", "dog"))
