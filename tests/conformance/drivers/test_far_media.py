"""Images of a bucket, registered in place: nothing is copied, changed and missing objects are reported."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from tests.support.images import draw, encode
from tests.support.servers import free_port
from typer.testing import CliRunner

import calotype as ct
from calotype.acquire import service as acquire
from calotype.acquire.model import BucketByReferenceOnly, ImageOptions
from calotype.app.cli import app
from calotype.datasets import service as datasets
from calotype.reliability import service as reliability
from calotype.store.files.bucket import Bucket, BucketFailed, BucketLocation
from calotype.store.media.references import CHANGED, MISSING, PRESENT, MediaChanged, ReferenceGone
from calotype.store.media.remote_objects import RemoteObjects

NAMES = ("a.jpg", "night 100%/ä b.jpg", "sub/c.png")

BY_REFERENCE = ImageOptions(media="reference")


@pytest.fixture
def images(bucket: str) -> Bucket:
    """Three images, a text that claims to be one, and two objects that are not images."""
    made = Bucket(BucketLocation(bucket))
    for at, name in enumerate(NAMES):
        mime = "image/png" if name.endswith("png") else "image/jpeg"
        made.put(name, encode(draw(at, size_wh=(40 + at, 30)), mime))
    made.put("d.jpg", b"not an image")
    made.put("notes.txt", b"words")
    made.put(".hidden/e.jpg", b"?")
    return made


@pytest.fixture
def state(workspace, owner, images):
    datasets.create(owner, "far", store=workspace)
    added = acquire.add(owner, "far", [images.location.url], BY_REFERENCE, store=workspace)
    assert (added.added, added.quarantined, added.ignored) == (3, 1, 2)
    return datasets.read(owner, "far", store=workspace)


def test_bytes_are_read_from_the_bucket_and_none_are_stored(state, workspace, owner, images):
    assert {sample.name for sample in state.iter_samples()} == set(NAMES)
    for sample in state.iter_samples():
        data = images.get(sample.name)
        assert state.image_bytes(sample) == data
        assert workspace.media.sha256(sample.media_sha256) == hashlib.sha256(data).hexdigest()
        assert sample.width_px == 40 + NAMES.index(sample.name)
    assert not [file for file in (workspace.folder / "media" / "sha256").rglob("*") if file.is_file()]
    assert reliability.verify(owner, store=workspace, deep=True).ok


def test_objects_that_are_as_they_were_are_not_read_again(state, workspace, owner, images, monkeypatch):
    looked = []
    beginning = RemoteObjects.read_head

    def noted(self, uri, n_bytes):
        looked.append(uri)
        return beginning(self, uri, n_bytes)

    monkeypatch.setattr(RemoteObjects, "read_head", noted)
    again = acquire.add(owner, "far", [images.location.url], BY_REFERENCE, store=workspace)
    assert (again.added, again.unchanged, again.changed) == (0, 3, 0)
    assert looked == [f"{images.location.url}/d.jpg"]


def test_changed_and_missing_objects_are_distinguished_and_added_again(state, workspace, owner, images):
    by_name = {sample.name: sample for sample in state.iter_samples()}
    images.put("a.jpg", encode(draw(7, size_wh=(50, 30)), "image/jpeg"))
    images.delete(["sub/c.png"])
    keys = [by_name[name].media_sha256 for name in NAMES]
    assert list(workspace.media.references.states(keys).values()) == [CHANGED, PRESENT, MISSING]
    problems = {one.what for one in reliability.verify(owner, store=workspace).problems}
    assert {text.rpartition(" ")[2] for text in problems} == {CHANGED, MISSING}
    with pytest.raises(MediaChanged, match=r"a\.jpg"):
        state.image_bytes(by_name["a.jpg"])
    with pytest.raises(ReferenceGone, match=r"c\.png"):
        state.image_bytes(by_name["sub/c.png"])
    again = acquire.add(owner, "far", [images.location.url], BY_REFERENCE, store=workspace)
    assert (again.added, again.unchanged, again.changed) == (0, 1, 1)
    new = datasets.read(owner, "far", store=workspace).sample("a.jpg")
    assert (new.sample_id, new.width_px) == (by_name["a.jpg"].sample_id, 50)


def test_bytes_that_were_fetched_stay_those_that_were_registered(state, workspace, images):
    sample = state.sample("a.jpg")
    before = state.image_bytes(sample)
    images.put("a.jpg", encode(draw(7, size_wh=(50, 30)), "image/jpeg"))
    assert state.image_bytes(sample) == before
    assert workspace.media.references.states([sample.media_sha256])[sample.media_sha256] == CHANGED


def test_a_server_that_does_not_answer_makes_nothing_missing(state, workspace, owner, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setattr("calotype.store.media.remote_objects.Bucket", lambda place: Bucket(place, retries=0))
    workspace.media.references.remote = RemoteObjects(workspace.folder / "cache" / "elsewhere")
    key = state.sample("a.jpg").media_sha256
    with pytest.raises(BucketFailed):
        workspace.media.references.states([key])
    assert workspace.media.references.find(key).state == PRESENT
    found = reliability.verify(owner, store=workspace)
    assert [one.kind for one in found.problems] == ["media-unreachable"]
    assert "3 references" in found.problems[0].what


def test_a_bucket_is_not_copied(workspace, owner, images):
    datasets.create(owner, "far", store=workspace)
    with pytest.raises(BucketByReferenceOnly, match="--media reference"):
        acquire.add(owner, "far", [images.location.url], store=workspace)


def test_the_doors_take_an_address(tmp_path: Path, images: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with ct.open(tmp_path) as ws:
        ws.create("far").add_images(f"{images.location.url}/", media="reference")
    found = CliRunner().invoke(app, ["--json", "add", "far", images.location.url, "--media", "reference"])
    assert found.exit_code == 0, found.output
    assert '"unchanged": 3' in found.output
