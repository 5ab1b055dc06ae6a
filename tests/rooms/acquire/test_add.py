"""Images at the door: taken once, refused with a reason, replaced when their file changed."""

from __future__ import annotations

import pytest
from PIL import Image

from calotype.acquire import service, uploads
from calotype.acquire.intake import FileUnreadable
from calotype.acquire.model import ImageOptions, UploadNameInvalid, UploadTooLarge
from calotype.datasets import service as datasets
from calotype.foundation.actor import Actor
from calotype.foundation.errors import NotPermitted
from calotype.foundation.os_errors import PathNotFound


@pytest.fixture
def shop(workspace, owner):
    datasets.create(owner, "shop", store=workspace)
    return workspace


def picture(file, colour):
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (20, 10), colour).save(file)
    return file


def test_a_file_that_changed_replaces_the_image_of_its_sample(shop, owner, tmp_path):
    file = picture(tmp_path / "in" / "a.png", "red")
    assert service.add(owner, "shop", [tmp_path / "in"], store=shop).added == 1
    (before,) = datasets.read(owner, "shop", store=shop).iter_samples()
    picture(file, "blue")
    again = service.add(owner, "shop", [tmp_path / "in"], store=shop)
    (after,) = datasets.read(owner, "shop", store=shop).iter_samples()
    assert (again.added, again.changed) == (0, 1)
    assert (after.sample_id, after.media_sha256 != before.media_sha256) == (before.sample_id, True)


def test_source_licence_and_tags_stay_with_the_sample(shop, owner, tmp_path):
    picture(tmp_path / "in" / "deep" / "a.png", "red")
    service.add(
        owner,
        "shop",
        [tmp_path / "in"],
        ImageOptions(source="cam", licence="CC0-1.0", tags=["x"]),
        store=shop,
    )
    (sample,) = datasets.read(owner, "shop", store=shop).iter_samples()
    assert (sample.name, sample.source, sample.licence, tuple(sample.tags)) == (
        "deep/a.png",
        "cam",
        "CC0-1.0",
        ("x",),
    )


def test_a_file_that_lies_about_its_type_is_set_aside_or_stops(shop, owner, tmp_path):
    picture(tmp_path / "in" / "a.png", "red").rename(tmp_path / "in" / "a.jpg")
    assert service.add(owner, "shop", [tmp_path / "in"], store=shop).quarantined == 1
    with pytest.raises(FileUnreadable, match=r"a\.jpg"):
        service.add(owner, "shop", [tmp_path / "in"], ImageOptions(on_invalid="error"), store=shop)


def test_links_are_not_followed(shop, owner, tmp_path):
    secret = picture(tmp_path / "elsewhere" / "secret.png", "red")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.png").symlink_to(secret)
    added = service.add(owner, "shop", [tmp_path / "in"], store=shop)
    assert (added.added, [item.place for item in added.set_aside]) == (0, ["a.png"])
    assert "link" in added.set_aside[0].reason


def test_what_is_not_there_and_who_may_not(shop, owner, tmp_path):
    with pytest.raises(PathNotFound):
        service.add(owner, "shop", [tmp_path / "nope"], store=shop)
    with pytest.raises(NotPermitted):
        service.add(Actor("x", "x", roles=("annotator",)), "shop", [tmp_path], store=shop)


@pytest.mark.parametrize(
    "name", ["", "../a.png", "a//b.png", "/a.png", "a\\b.png", "C:/a.png", "a\n.png", "x" * 1_001]
)
def test_an_upload_needs_a_relative_name(shop, owner, name):
    with pytest.raises(UploadNameInvalid):
        uploads.add_upload(owner, "shop", name, [b""], store=shop)


def test_an_upload_that_is_too_large_leaves_nothing_behind(shop, owner):
    with pytest.raises(UploadTooLarge):
        uploads.add_upload(owner, "shop", "a.png", iter([b"x" * 60, b"x" * 60]), store=shop, max_bytes=100)
    assert list(shop.folder.glob("upload-*")) == []
    assert datasets.read(owner, "shop", store=shop).count()["samples"] == 0
