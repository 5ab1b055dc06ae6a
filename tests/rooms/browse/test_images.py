"""Thumbnails and display images: guarded by the dataset they are asked for, also for media by reference."""

from __future__ import annotations

import io
from contextlib import closing, nullcontext

import pytest
from PIL import Image
from tests.support.images import draw, encode

from calotype.acquire import service as acquire
from calotype.acquire.model import ImageOptions
from calotype.browse.images import Gallery, ImageNotFound
from calotype.datasets import service as datasets
from calotype.datasets.change import Change
from calotype.foundation.errors import NotPermitted
from calotype.store import open_workspace
from calotype.vision.images import ImageUnreadable


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "raw"
    place.mkdir()
    (place / "a.png").write_bytes(encode(draw(1, size_wh=(300, 200)), "image/png"))
    return place


def media_of(owner, store, name):
    return next(datasets.read(owner, name, store=store).iter_samples()).media_sha256


def shown_size(answer):
    data, _ = answer
    return Image.open(io.BytesIO(data)).size


@pytest.fixture
def streets(workspace, owner, folder):
    datasets.create(owner, "streets", store=workspace)
    datasets.create(owner, "other", store=workspace)
    acquire.add(owner, "streets", [folder], store=workspace)
    return media_of(owner, workspace, "streets")


def test_a_thumbnail_has_the_next_larger_size(workspace, owner, streets):
    small = Gallery().thumbnail(owner, "streets", streets, store=workspace, size_px=100)
    assert (shown_size(small), small[1]) == ((128, 85), "image/jpeg")


def test_the_display_image_has_the_size_of_the_original(workspace, owner, streets):
    assert shown_size(Gallery().display(owner, "streets", streets, store=workspace)) == (300, 200)


@pytest.mark.parametrize("verb", ["thumbnail", "display"])
def test_a_hash_opens_nothing_through_a_dataset_that_does_not_hold_it(workspace, owner, streets, verb):
    gallery = Gallery()
    getattr(gallery, verb)(owner, "streets", streets, store=workspace)  # rendered, cached and remembered
    with pytest.raises(ImageNotFound) as refused:
        getattr(gallery, verb)(owner, "other", streets, store=workspace)
    assert refused.value.code == "picture-not-found"


class SeesOnly:
    """Rules under which an actor may do everything on one dataset, and nothing on others."""

    def __init__(self, dataset):
        self.dataset = dataset

    def allows(self, actor, permission, resource):
        return resource == self.dataset


@pytest.mark.parametrize("may_see, refused", [("streets", False), ("other", True)])
def test_the_rules_are_asked_for_this_dataset_also_when_the_image_is_cached(
    workspace, owner, streets, may_see, refused
):
    gallery = Gallery()
    gallery.thumbnail(owner, "streets", streets, store=workspace)
    store = open_workspace(workspace.root, decider=SeesOnly(may_see))
    with pytest.raises(NotPermitted) if refused else nullcontext(), closing(store):
        gallery.thumbnail(owner, "streets", streets, store=store)


@pytest.mark.parametrize("media", ["0" * 64, "nope", "../../catalog.sqlite", "R" + "0" * 63, ""])
def test_what_is_not_the_media_of_a_sample_is_not_found(workspace, owner, streets, media):
    with pytest.raises(ImageNotFound):
        Gallery().display(owner, "streets", media, store=workspace)


def test_an_image_of_an_older_commit_stays_visible(workspace, owner, streets):
    datasets.commit(owner, "streets", "first", store=workspace)
    sample_id = datasets.read(owner, "streets", store=workspace).ids()[0]
    datasets.apply(owner, "streets", Change(remove_samples=[sample_id]), store=workspace)
    datasets.commit(owner, "streets", "empty", store=workspace)
    assert shown_size(Gallery().display(owner, "streets", streets, store=workspace)) == (300, 200)


def test_media_by_reference_are_shown(workspace, owner, folder):
    datasets.create(owner, "far", store=workspace)
    acquire.add(owner, "far", [folder], ImageOptions(media="reference"), store=workspace)
    key = media_of(owner, workspace, "far")
    assert key.startswith("r")
    assert shown_size(Gallery().thumbnail(owner, "far", key, store=workspace, size_px=64)) == (64, 43)
    (folder / "a.png").unlink()
    with pytest.raises(ImageNotFound):
        Gallery().display(owner, "far", key, store=workspace)


def test_media_that_cannot_be_decoded_are_reported(workspace, owner, streets):
    workspace.media.path(streets).chmod(0o644)
    workspace.media.path(streets).write_bytes(b"\x89PNG\r\n\x1a\n broken")
    with pytest.raises(ImageUnreadable):
        Gallery().display(owner, "streets", streets, store=workspace)
