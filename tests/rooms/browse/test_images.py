"""Thumbnails and display images: guarded by the dataset they are asked for, also for media by reference."""

from __future__ import annotations

import io
import os
from contextlib import closing, nullcontext
from functools import partial
from threading import Event

import pyarrow as pa
import pytest
from PIL import Image
from starlette.testclient import TestClient
from tests.support.described import Described
from tests.support.images import draw, encode

from calotype.acquire import service as acquire
from calotype.acquire.model import ImageOptions
from calotype.app import server
from calotype.app.sessions import AccessKeys
from calotype.browse.images import Gallery, ImageNotFound
from calotype.browse.media_keys import MediaKeys
from calotype.datasets import service as datasets
from calotype.datasets.change import Change
from calotype.foundation.actor import ORDINARY, Ruling
from calotype.foundation.cache_files import evict
from calotype.foundation.errors import NotPermitted
from calotype.store import open_workspace
from calotype.vision import images
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

    def decide(self, actor, permission, resource, circumstances=ORDINARY):
        return Ruling(resource == self.dataset, "sees-only")

    def says(self, rule):
        return rule


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


def test_images_by_reference_show_over_http(workspace, owner, folder):
    datasets.create(owner, "far", store=workspace)
    acquire.add(owner, "far", [folder], ImageOptions(media="reference"), store=workspace)
    datasets.commit(owner, "far", "first", store=workspace)
    sample_id = datasets.read(owner, "far", store=workspace).ids()[0]
    datasets.apply(owner, "far", Change(remove_samples=[sample_id]), store=workspace)
    described = Described()
    app = server.make(workspace, AccessKeys(None, 80), hosts={"testserver"})
    with TestClient(app, base_url="http://testserver/api/v1") as http:
        described.watch(http)
        (cell,) = http.get("/datasets/far/samples?ref=main").json()["items"]
        assert cell["media"].startswith("r")
        assert http.get(f"/datasets/far/samples/{cell['id']}?ref=main").json()["media"] == cell["media"]
        for route, size in (("thumbs", (256, 171)), ("media", (300, 200))):
            answer = http.get(f"/datasets/far/{route}/{cell['media']}?ref=main")
            assert (answer.status_code, answer.headers["content-type"][:6]) == (200, "image/")
            assert Image.open(io.BytesIO(answer.content)).size == size
        (item,) = http.get("/datasets/far/diff?a=main&b=main%2B").json()["items"]
        assert (item["media"], item["change"]) == (cell["media"], "removed")
        datasets.rollback(owner, "far", "main", store=workspace, discard=True)
        assert http.get("/datasets").json()["items"][0]["cover"] == [cell["media"]]


def test_a_rendering_asked_for_by_many_is_made_once(workspace, owner, streets, monkeypatch):
    gallery, decoded, may_end = Gallery(), [], Event()
    decode = images.decode_rgb

    def slow(data, **options):
        decoded.append(1)
        may_end.wait(60)
        return decode(data, **options)

    monkeypatch.setattr(images, "decode_rgb", slow)
    ask = partial(gallery.thumbnail, owner, "streets", streets, store=workspace, size_px=100)
    futures = [gallery.submit(ask) for _ in range(12)]
    may_end.set()
    assert {shown_size(future.result(60)) for future in futures} == {(128, 85)}
    assert len(decoded) == 1


def test_renderings_on_disk_are_limited_and_made_again(workspace, owner, streets):
    small = Gallery(max_bytes=1)
    shown = small.display(owner, "streets", streets, store=workspace)
    assert [file for file in (workspace.folder / "cache" / "pictures").rglob("*") if file.is_file()] == []
    assert Gallery(max_bytes=1).display(owner, "streets", streets, store=workspace) == shown


def test_the_renderings_used_least_recently_are_evicted(tmp_path):
    for number in range(8):
        file = tmp_path / str(number % 2) / f"{number}.jpg"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(b"x" * 100)
        os.utime(file, (number, number))
    evict(tmp_path, 800)
    assert len(list(tmp_path.rglob("*.jpg"))) == 8
    evict(tmp_path, 400)
    assert sorted(file.stem for file in tmp_path.rglob("*.jpg")) == ["5", "6", "7"]


def test_media_of_a_page_are_known_without_a_look_at_the_table(workspace, owner, streets, monkeypatch):
    gallery = Gallery()
    gallery.remember(datasets.read(owner, "streets", store=workspace), [streets])
    monkeypatch.setattr(MediaKeys, "of", None)
    assert shown_size(gallery.display(owner, "streets", streets, store=workspace)) == (300, 200)


def test_media_keys_are_found_by_their_first_half_and_kind():
    keys = [f"{number:064x}" for number in range(3)] + [f"{7:032x}{number:032x}" for number in range(3)]
    keys += ["r" + f"{9:031x}{1:032x}", "f" * 64]
    kept = MediaKeys.of([pa.array([*keys[:5], "short", None]), pa.array([], pa.string()), pa.array(keys[5:])])
    assert all(kept.has(key) for key in keys)
    assert not kept.has("0" + f"{9:031x}{1:032x}")
    assert not kept.has("e" * 64)
    assert kept.nbytes == 16 * len(keys)


def test_media_that_cannot_be_decoded_are_reported(workspace, owner, streets):
    workspace.media.path(streets).chmod(0o644)
    workspace.media.path(streets).write_bytes(b"\x89PNG\r\n\x1a\n broken")
    with pytest.raises(ImageUnreadable):
        Gallery().display(owner, "streets", streets, store=workspace)


def test_who_has_checked_the_right_gets_a_rendering_in_either_size(workspace, streets):
    gallery = Gallery()
    for size_px, shown in ((100, (128, 85)), (0, (300, 200))):
        rendered = gallery.rendered("streets", streets, store=workspace, size_px=size_px).result(60)
        assert shown_size(rendered) == shown
    with pytest.raises(ImageNotFound):
        gallery.rendered("streets", "a" * 64, store=workspace).result(60)


@pytest.mark.parametrize("size_px", [1, 64, 65, 1_024, 5_000])
def test_a_rendering_has_one_of_the_usual_sizes(workspace, streets, size_px):
    width, height = shown_size(
        Gallery().rendered("streets", streets, store=workspace, size_px=size_px).result(60)
    )
    assert width in (64, 128, 300) and height < width
