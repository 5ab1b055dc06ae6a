"""The parts of a remote client by themselves: addresses, tokens, what is kept of images, what is sent."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

import calotype as ct
from calotype.acquire.labels.model import ImportOptions
from calotype.acquire.model import ImageOptions
from calotype.api.remote import sending, tokens
from calotype.api.remote.connection import Connection, ServerAddressInvalid, is_loopback, normal_address
from calotype.api.remote.media import MediaNotAsStored, RemoteMedia, cache_folder
from calotype.api.remote.sending import FileChangedWhileSent, images_of, labels_of
from calotype.foundation.os_errors import PathNotFound
from calotype.foundation.verbs import OnlyWhereTheDataIs
from calotype.store.media.objects import MediaMissing


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    """Tokens and images of no other test."""
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.delenv("CALOTYPE_API_TOKEN", raising=False)
    monkeypatch.setitem(sys.modules, "keyring", None)


class TestAddresses:
    @pytest.mark.parametrize(
        ("given", "normal"),
        [
            ("https://Calotype.example.org/", "https://calotype.example.org"),
            (" https://a.example.org:8443", "https://a.example.org:8443"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://[::1]:8080/", "http://[::1]:8080"),
            ("http://localhost", "http://localhost"),
        ],
    )
    def test_have_one_form(self, given, normal):
        assert normal_address(given) == normal

    def test_plain_http_beyond_this_machine_needs_a_word(self, monkeypatch):
        with pytest.raises(ServerAddressInvalid):
            normal_address("http://10.0.0.7")
        monkeypatch.setenv("CALOTYPE_PLAIN_HTTP", "1")
        assert normal_address("http://10.0.0.7") == "http://10.0.0.7"

    @pytest.mark.parametrize(
        "address", ["http://127.0.0.1.example.org", "http://localhost.example.org", "https://10.1.1.1"]
    )
    def test_names_that_only_look_like_this_machine(self, address):
        assert not is_loopback(address)

    def test_a_pickled_connection_carries_no_socket(self):
        client = Connection("https://a.example.org", "t")
        client._http()
        assert pickle.loads(pickle.dumps(client))._client is None


class TestTokens:
    def test_of_servers_are_apart_and_forgotten_one_by_one(self):
        for server in ("https://a.example.org", "https://b.example.org"):
            tokens.keep(server, f"token of {server}")
        assert tokens.read("https://a.example.org") == "token of https://a.example.org"
        assert tokens.forget("https://a.example.org")
        assert not tokens.forget("https://a.example.org")
        assert tokens.read("https://a.example.org") == ""
        assert tokens.read("https://b.example.org") != ""

    def test_the_variable_comes_first(self, monkeypatch):
        tokens.keep("https://a.example.org", "kept")
        monkeypatch.setenv("CALOTYPE_API_TOKEN", " given ")
        assert tokens.read("https://a.example.org") == "given"

    def test_a_keyring_is_used_where_there_is_one(self, monkeypatch):
        kept: dict[tuple[str, str], str] = {}
        keyring = ModuleType("keyring")
        keyring.__dict__.update(
            get_keyring=lambda: SimpleNamespace(priority=5),
            get_password=lambda service, name: kept.get((service, name)),
            set_password=lambda service, name, secret: kept.update({(service, name): secret}),
            delete_password=lambda service, name: kept.pop((service, name)),
        )
        monkeypatch.setitem(sys.modules, "keyring", keyring)
        assert "keyring" in tokens.keep("https://a.example.org", "secret")
        assert not tokens._file().exists()
        assert tokens.read("https://a.example.org") == "secret"
        assert tokens.forget("https://a.example.org")
        assert kept == {}

    def test_a_file_that_is_broken_holds_none(self):
        tokens.keep("https://a.example.org", "x")
        tokens._file().write_text("{")
        assert tokens.read("https://a.example.org") == ""


class TestImages:
    def media(self, stored: dict[str, bytes], asked: list[list[str]]) -> RemoteMedia:
        """Images of a server that answers two at a time."""

        def fetch(keys: list[str]) -> dict[str, bytes]:
            asked.append(keys)
            if keys[0] not in stored:
                raise MediaMissing(sha256=keys[0])
            return {key: stored[key] for key in keys[:2]}

        return RemoteMedia("https://a.example.org", cache_folder("https://a.example.org"), fetch)

    def test_are_fetched_once_and_many_together(self):
        stored = {hashlib.sha256(bytes([n])).hexdigest(): bytes([n]) for n in range(5)}
        asked: list[list[str]] = []
        media = self.media(stored, asked)
        said: list[tuple[int, int]] = []
        media.prepare([*stored, *stored], lambda _, done, total: said.append((done, total)))
        assert [len(keys) for keys in asked] == [5, 3, 1]
        assert said == [(2, 5), (4, 5), (5, 5)]
        assert {key: media.read(key) for key in stored} == stored
        assert all(media.path(key).read_bytes() == data for key, data in stored.items())
        assert len(asked) == 3

    def test_with_other_bytes_are_refused_and_not_kept(self):
        key = hashlib.sha256(b"right").hexdigest()
        media = self.media({key: b"wrong"}, [])
        with pytest.raises(MediaNotAsStored):
            media.read(key)
        assert not media.place(key).exists()

    def test_by_reference_have_a_key_that_is_no_hash(self):
        key = "r" + "0" * 63
        media = self.media({key: b"bytes"}, [])
        assert media.sha256(key) == hashlib.sha256(b"bytes").hexdigest()

    def test_that_the_server_lacks_are_missing(self):
        with pytest.raises(MediaMissing):
            self.media({}, []).path("0" * 64)

    def test_of_two_servers_are_apart(self):
        assert cache_folder("https://a.example.org") != cache_folder("https://b.example.org")


class TestWhatIsSent:
    def test_images_of_folders_and_single_files(self, raw, tmp_path):
        one = next(file for file in sorted((raw / "images").iterdir()) if file.is_file())
        arguments = {"paths": [str(raw / "images"), one], "options": ImageOptions()}
        shipment = images_of(arguments)
        names = [name for name, _ in shipment.files]
        assert names[-1] == f"1/{one.name}"
        assert names[0].startswith("0/images/")
        assert len(names) == len(set(names))
        assert set(shipment.names.values()) >= {"0/images", f"1/{one.name}"}

    @pytest.mark.parametrize("media", ["link", "reference"])
    def test_only_copies_travel(self, raw, media):
        with pytest.raises(OnlyWhereTheDataIs):
            images_of({"paths": [raw / "images"], "options": ImageOptions(media=media)})
        with pytest.raises(OnlyWhereTheDataIs):
            labels_of({"path": raw / "instances.json", "options": ImportOptions(media=media)})

    def test_a_path_that_is_not_there(self, tmp_path):
        with pytest.raises(PathNotFound):
            images_of({"paths": [tmp_path / "nothing"]})

    def test_a_label_file_goes_with_the_images_that_it_lists_and_no_others(self, raw, tmp_path):
        folder = tmp_path / "set"
        folder.mkdir()
        labels = json.loads((raw / "instances.json").read_text())
        first = labels["images"][0]
        names = (first["file_name"], "other.png", "private.txt")
        source = next(
            file for file in (raw / "images").rglob("*") if file.name == Path(first["file_name"]).name
        )
        for name in names:
            (folder / Path(name).name).write_bytes(source.read_bytes())
        labels["images"], kept = [{**first, "file_name": Path(first["file_name"]).name}], first["id"]
        labels["annotations"] = [item for item in labels["annotations"] if item["image_id"] == kept]
        (folder / "labels.json").write_text(json.dumps(labels))
        shipment = labels_of({"path": folder / "labels.json", "options": ImportOptions()})
        assert [name for name, _ in shipment.files] == [
            f"0/set/{Path(first['file_name']).name}",
            "0/set/labels.json",
        ]
        assert shipment.names[folder / "labels.json"] == "0/set/labels.json"

    def test_links_do_not_travel(self, raw, tmp_path):
        folder = tmp_path / "set"
        folder.mkdir()
        (folder / "instances.json").write_text((raw / "instances.json").read_text())
        os.symlink("/etc/passwd", folder / "passwd.txt")
        shipment = labels_of({"path": folder, "options": ImportOptions()})
        assert [name for name, _ in shipment.files] == ["0/set/instances.json"]

    def test_the_same_place_has_the_same_origin_and_says_nothing_of_it(self, raw):
        first, second = (images_of({"paths": [raw / "images"]}) for _ in range(2))
        assert first.origin == second.origin
        assert str(raw) not in first.origin

    def test_a_file_that_shrinks_while_it_is_sent_is_named(self, tmp_path):
        file = tmp_path / "a"
        file.write_bytes(b"12345")
        with pytest.raises(FileChangedWhileSent) as changed:
            list(sending._pieces([("a", str(file))], [9], 0))
        assert str(file) in changed.value.message

    @pytest.mark.parametrize("offset", [0, 1, 3, 4, 7])
    def test_the_stream_can_begin_anywhere(self, tmp_path, monkeypatch, offset):
        monkeypatch.setattr(sending, "PIECE_BYTES", 3)
        contents = [b"123", b"", b"4567", b"8"]
        for number, data in enumerate(contents):
            (tmp_path / str(number)).write_bytes(data)
        files = [(str(number), str(tmp_path / str(number))) for number in range(4)]
        pieces = list(sending._pieces(files, [3, 0, 4, 1], offset))
        assert b"".join(data for _, data in pieces) == b"12345678"[offset:]
        assert [at for at, _ in pieces] == list(range(offset, 8, 3))


def test_a_workspace_elsewhere_shows_its_address():
    with pytest.raises(ct.CalotypeError) as refused:
        ct.open("http://127.0.0.1:9", token="x")
    assert refused.value.code == "server-unreachable"
