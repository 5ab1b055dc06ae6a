"""A remote workspace: rights, uploads that break, files that cannot be named, images that are fetched once."""

from __future__ import annotations

import json
import pickle
from typing import Any

import msgspec
import numpy as np
import pytest
from tests.support.images import draw, encode
from tests.support.remote import TOKEN, Wire, random_cuts, serving_store, token_of

import calotype as ct
from calotype.acquire import incoming, service
from calotype.acquire.model import ImageOptions
from calotype.api.remote import connection, sending
from calotype.api.remote.connection import Connection, ServerAddressInvalid, ServerUnreachable, SignInNeeded
from calotype.api.remote.store import open_remote
from calotype.app import workspaces
from calotype.datasets.refs import DatasetNotFound
from calotype.foundation.errors import NotPermitted
from calotype.foundation.verbs import OnlyWhereTheDataIs
from calotype.foundation.verbs.frames import MEDIA_TYPE, frames
from calotype.people import service as people

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    """No images of other tests."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("CALOTYPE_API_TOKEN", raising=False)


@pytest.fixture
def store(tmp_path):
    """A workspace under the rules of `govern`."""
    opened = workspaces.create(ct.Actor.local(), tmp_path / "ws")
    yield opened
    opened.close()


@pytest.fixture
def url(store):
    """Its server, for one person."""
    with serving_store(store) as address:
        yield address


@pytest.fixture
def ws(url):
    """The workspace as its owner."""
    with ct.open(url, token=TOKEN) as opened:
        yield opened


def post(url, verb, arguments, token=TOKEN):
    """One raw call: status, and the error of the answer."""
    client = Connection(url, token)
    body = msgspec.msgpack.encode(arguments)
    with client._http().stream("POST", f"/api/v1/verbs/{verb}", content=body) as answer:
        parts = list(frames(answer.iter_raw(), url)) if answer.headers["content-type"] == MEDIA_TYPE else [{}]
    client.close()
    return answer.status_code, parts[-1].get("error", {}).get("code", "")


def vectors(dtype, shape, data):
    """Arguments with an array."""
    array = {"$array": dtype, "shape": shape, "data": data}
    return {"name": "a", "model": "m", "sample_ids": [], "vectors": array}


class TestWhoAsks:
    def test_without_a_token_nobody_gets_in(self, url):
        with pytest.raises(SignInNeeded) as refused:
            ct.open(url)
        assert "calotype login" in refused.value.remedy

    def test_a_reader_reads_and_changes_nothing(self, store, raw):
        with serving_store(store, accounts=True) as url:
            with ct.open(store.root) as here:
                here.create("shop").add_images(raw / "images")
            with ct.open(url, token=token_of(store, "ml@x.org", "ml-engineer")) as ws:
                shop = ws.dataset("shop")
                assert len(shop.where()) == 24
                for change in (
                    lambda: shop.commit("x"),
                    lambda: ws.create("other"),
                    lambda: shop.add_images(raw),
                ):
                    with pytest.raises(NotPermitted):
                        change()
                assert not list((store.folder / "uploads").glob("*"))

    def test_what_is_not_ones_own_does_not_exist(self, store, raw):
        for name in ("mine", "secret"):
            with ct.open(store.root) as here:
                here.create(name).add_images(raw / "images")
        with serving_store(store, accounts=True) as url:
            people.add_team(ct.Actor.local(), "t", store=store)
            token = token_of(store, "v@x.org", "ml-engineer", on="dataset:mine")
            with ct.open(url, token=token) as ws:
                assert ws.datasets() == ["mine"]
                with pytest.raises(DatasetNotFound) as hidden:
                    ws.dataset("secret")
                with pytest.raises(DatasetNotFound) as absent:
                    ws.dataset("absent")
                assert hidden.value.message.replace("secret", "absent") == absent.value.message
                key = next(iter(ws.dataset("mine").where())).media_sha256
                assert (
                    post(url, "browse.media", {"name": "secret", "keys": [key]}, token)[1]
                    == "dataset-not-found"
                )

    def test_a_revoked_token_is_refused(self, store, url):
        with serving_store(store, accounts=True) as team:
            token = token_of(store, "ml@x.org", "ml-engineer")
            with ct.open(team, token=token) as ws:
                people.disable_person(ct.Actor.local(), "ml@x.org", store=store)
                with pytest.raises(SignInNeeded):
                    ws.datasets()

    def test_the_audit_trail_names_who_read_and_why(self, store, raw):
        with ct.open(store.root) as here:
            here.create("shop").add_images(raw / "images")
        with serving_store(store, accounts=True) as url:
            token = token_of(store, "ml@x.org", "ml-engineer")
            with ct.open(url, token=token, purpose="trial 7") as ws:
                ws.dataset("shop").where().export("coco", store.root / "out")
        with ct.open(store.root) as here:
            events = {event.verb: event for event in here.audit(who="ml@x.org")}
        assert {"dataset.read", "release.export"} <= set(events)
        assert events["release.export"].details["request"]["purpose"] == "trial 7"


class TestAddress:
    @pytest.mark.parametrize(
        "address",
        [
            "http://calotype.example.org",
            "https://a.example.org/x",
            "https://me:pw@a.example.org",
            "ftp://a",
            "https://a:x",
        ],
    )
    def test_a_wrong_one_is_refused_before_anything_is_sent(self, address):
        with pytest.raises(ServerAddressInvalid):
            ct.open(address, token="secret")

    def test_nothing_there(self):
        with pytest.raises(ServerUnreachable):
            ct.open("http://127.0.0.1:9", token="x")


class TestFilesOfTheServer:
    @pytest.mark.parametrize(
        ("verb", "arguments"),
        [
            ("acquire.add", {"name": "shop", "paths": ["/etc"]}),
            ("acquire.add", {"name": "shop", "paths": ["s3://bucket/x"]}),
            ("acquire.add", {"name": "shop", "paths": [{"upload": "../..", "path": "etc"}]}),
            ("acquire.add", {"name": "shop", "paths": [{"upload": "a" * 33, "path": "../x"}]}),
            ("acquire.import_annotations", {"name": "shop", "path": "/etc/passwd"}),
            ("acquire.import_annotations", {"name": "shop", "path": {"upload": 1, "path": 2}}),
            ("curate.embed", {"name": "shop", "model": "/tmp/evil.onnx"}),
        ],
    )
    def test_cannot_be_named(self, url, ws, verb, arguments):
        ws.create("shop")
        status, code = post(url, verb, arguments)
        assert (status, code) in {
            (422, "call-invalid"),
            (404, "upload-not-found"),
            (409, "only-where-the-data-is"),
        }

    @pytest.mark.parametrize("body", [b"\xc1", b"", b"\x81", b"\x91" * 5_000])
    def test_bytes_that_are_no_call_are_refused_as_such(self, url, body):
        client = Connection(url, TOKEN)
        answer = client._http().post("/api/v1/verbs/datasets.datasets", content=body)
        client.close()
        assert answer.status_code == 422

    def test_uploads_are_copied_never_referenced(self, url, ws, store, raw):
        ws.create("shop")
        with pytest.raises(OnlyWhereTheDataIs):
            ws.dataset("shop").add_images(raw / "images", media="reference")
        upload = incoming.open_upload(ct.Actor.local(), "shop", "x", [("a.png", 1)], store=store)
        incoming.append_upload(ct.Actor.local(), "shop", upload.id, 0, b"x", store=store)
        options = {"$": "ImageOptions", "media": "reference"}
        paths = [{"upload": upload.id, "path": "a.png"}]
        assert (
            post(url, "acquire.add", {"name": "shop", "paths": paths, "options": options})[1]
            == "call-invalid"
        )

    @pytest.mark.parametrize(
        ("verb", "arguments", "code"),
        [
            ("datasets.create", {"name": 5}, "call-invalid"),
            ("datasets.create", {}, "call-invalid"),
            ("datasets.create", {"name": "a", "store": 1}, "call-invalid"),
            ("datasets.create", {"name": "a", "actor": {"$": "Actor", "id": "x", "name": "x"}}, "call-invalid"),
            ("datasets.create", [1], "call-invalid"),
            ("datasets.apply", {}, "verb-unknown"),
            ("os.system", {}, "verb-unknown"),
            ("reliability.gc", {}, "only-where-the-data-is"),
            ("versions.merge", {"name": "a", "source": "b", "gatekeeper": None}, "call-invalid"),
            ("curate.put_vectors", vectors("|O8", [1], b"12345678"), "call-invalid"),
            ("curate.put_vectors", vectors("<f4", [1 << 60], b""), "call-invalid"),
            ("acquire.put_annotations", {"name": "a", "table": {"$arrow": b"x"}}, "call-invalid"),
        ],
    )  # fmt: skip
    def test_what_is_no_call_is_refused(self, url, verb, arguments, code):
        assert post(url, verb, arguments)[1] == code


class TestUploads:
    def test_ten_cuts_and_all_images_arrive_once(self, store, url, tmp_path, monkeypatch):
        folder = tmp_path / "many"
        folder.mkdir()
        for number in range(60):
            (folder / f"{number:03}.png").write_bytes(encode(draw(number, size_wh=(160, 120)), "image/png"))
        total = sum(file.stat().st_size for file in folder.iterdir())
        monkeypatch.setattr(sending, "PIECE_BYTES", total // 12)
        monkeypatch.setattr(sending, "_PAUSE_S", 0.01)
        monkeypatch.setattr(connection, "_PAUSE_S", 0.01)
        with ct.open(url, token=TOKEN) as ws:
            ws.create("shop")
        wire = Wire(url)
        with wire.open() as address, ct.open(address, token=TOKEN) as ws:
            shop = ws.dataset("shop")
            wire.cuts = [2_000, *random_cuts(10, total // 6, seed=5)]
            ws._context.store.close()
            added = shop.add_images(folder)
        assert wire.n_broken >= 10
        assert (added.added, added.quarantined) == (60, 0)
        with ct.open(store.root) as here:
            assert here.verify(deep=True).ok
            assert len(here.dataset("shop").where()) == 60
        assert not list((store.folder / "uploads").glob("*"))

    def test_a_client_that_was_killed_goes_on(self, store, url, tmp_path):
        remote: Any = open_remote(url, token=TOKEN)
        with ct.open(url, token=TOKEN) as ws:
            ws.create("shop")
        arguments = {"paths": [tmp_path / "a"], "options": ImageOptions()}
        (tmp_path / "a").mkdir()
        for number in range(4):
            (tmp_path / "a" / f"{number}.png").write_bytes(
                encode(draw(number, size_wh=(64, 64)), "image/png")
            )
        shipment = sending.images_of(arguments)
        sizes = [(tmp_path / "a" / f"{number}.png").stat().st_size for number in range(4)]
        listed = [(name, size) for (name, _), size in zip(shipment.files, sizes, strict=True)]
        nobody = ct.Actor.local()
        begun = incoming.open_upload(nobody, "shop", shipment.origin, listed, store=remote)
        half = (tmp_path / "a" / "0.png").read_bytes()[:100]
        incoming.append_upload(nobody, "shop", begun.id, 0, half, store=remote)
        again = incoming.open_upload(nobody, "shop", shipment.origin, listed, store=remote)
        assert (again.id, again.received_bytes) == (begun.id, 100)
        upload = sending.send(shipment, "shop", remote, lambda *_: None)
        assert upload.received_bytes == sum(sizes)
        remote.close()

    def test_an_upload_that_is_not_whole_is_not_read(self, url, ws, store):
        ws.create("shop")
        upload = incoming.open_upload(ct.Actor.local(), "shop", "here", [("a.png", 5)], store=store)
        paths = [{"upload": upload.id, "path": "a.png"}]
        assert post(url, "acquire.add", {"name": "shop", "paths": paths})[1] == "upload-out-of-step"


class TestLabels:
    def test_images_beside_and_apart_travel_with_their_labels(self, ws, raw, tmp_path):
        shop = ws.create("shop")
        apart = tmp_path / "apart"
        apart.mkdir()
        (apart / "labels.json").write_text((raw / "instances.json").read_text())
        imported = shop.add_annotations(apart / "labels.json", images=raw / "images")
        assert (imported.samples, imported.annotations) == (24, 24)
        again = shop.add_annotations(apart / "labels.json", images=raw / "images")
        assert (again.added, again.unchanged) == (0, 24)

    def test_a_newer_edition_of_a_file_replaces_the_older(self, ws, raw, tmp_path):
        shop = ws.create("shop")
        shop.add_images(raw / "images")
        file = tmp_path / "labels.json"
        labels = json.loads((raw / "instances.json").read_text())
        file.write_text(json.dumps(labels))
        shop.add_annotations(file)
        labels["annotations"] = labels["annotations"][:20]
        file.write_text(json.dumps(labels))
        assert shop.add_annotations(file).removed == 4


class TestImages:
    def test_the_second_epoch_needs_no_server(self, store, raw):
        with serving_store(store) as url, ct.open(url, token=TOKEN) as ws:
            shop = ws.create("shop")
            shop.add_annotations(raw / "instances.json", images=raw / "images")
            released = shop.release("1.0.0")
            reader = pickle.loads(pickle.dumps(released.numpy()))
            first = [item["image"] for item in reader]
        second = [item["image"] for item in reader]
        assert len(first) == 24
        for one, other in zip(first, second, strict=True):
            np.testing.assert_array_equal(one, other)

    def test_an_image_that_is_not_what_it_should_be_is_refused(self, store, raw, monkeypatch):
        with serving_store(store) as url, ct.open(url, token=TOKEN) as ws:
            shop = ws.create("shop")
            shop.add_images(raw / "images")
            sample = next(iter(shop.where()))
            store.media.stored.path(sample.media_sha256).write_bytes(b"other bytes")
            with pytest.raises(ct.CalotypeError) as damaged:
                shop.where().snapshot().image_bytes(sample)
            assert damaged.value.code == "media-not-as-stored"

    def test_what_is_kept_is_bounded(self, store, raw, monkeypatch, tmp_path):
        monkeypatch.setenv("CALOTYPE_CACHE_BYTES", "20000")
        with serving_store(store) as url, ct.open(url, token=TOKEN) as ws:
            shop = ws.create("shop")
            shop.add_images(raw / "images")
            state = shop.where().snapshot()
            for sample in shop.where():
                state.image_bytes(sample)
        kept = [file.stat().st_size for file in (tmp_path / "cache").rglob("*") if file.is_file()]
        assert 0 < sum(kept) <= 22_000


def test_a_state_that_changes_while_it_is_read_says_so(ws, raw):
    shop = ws.create("shop")
    shop.add_images(raw / "images")
    state = shop.where().snapshot()
    next(iter(shop.where()))
    shop.add_annotations(raw / "instances.json")
    with pytest.raises(ct.CalotypeError) as moved:
        state.count()
    assert moved.value.code == "state-moved"
    shop.commit("all")
    commit = shop.at("main").snapshot()
    shop.map_classes({"car": None}, dry_run=False)
    assert commit.count() == {"samples": 24, "annotations": 24}


def test_progress_comes_from_the_server(url, raw):
    said: list[str] = []
    with ct.open(url, token=TOKEN) as ws:
        telling = ct.telling(ws, lambda what, done, total: said.append(what))
        telling.create("shop").add_images(raw / "images")
    assert "sending" in said
    assert len(set(said)) > 1


def test_verbs_of_the_machine_say_where_they_run(ws):
    with pytest.raises(OnlyWhereTheDataIs) as refused:
        ws.gc()
    assert "machine of the workspace" in refused.value.remedy
    with pytest.raises(OnlyWhereTheDataIs):
        service.add(ct.Actor.local(), "x", ["s3://bucket/a"], store=ws._context.store)
