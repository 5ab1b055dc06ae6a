"""Media by reference: files are read where they are, and changed files are detected."""

from __future__ import annotations

import os

import pytest
from tests.support.refusals import assert_refused

from calotype.store.media.combined import AllMedia
from calotype.store.media.objects import MediaDamaged
from calotype.store.media.references import (
    MediaChanged,
    ReferenceGone,
    References,
    file_reference,
    is_reference,
    local_path,
    reference,
)
from calotype.store.media.remote_objects import RemoteObjects


@pytest.fixture
def file(tmp_path):
    """A file of the user's, whose name needs quoting."""
    path = tmp_path / "scene 1 é%.jpg"
    path.write_bytes(b"abc")
    os.utime(path, ns=(10**15, 10**15))
    return path


@pytest.fixture
def all_media(media, catalog, tmp_path):
    """Stored and referenced media of one workspace."""
    return AllMedia(media, References(catalog, RemoteObjects(tmp_path / "remote")))


@pytest.fixture
def key(all_media, catalog, file):
    """The key of the file, registered."""
    entry = file_reference(file, file.stat())
    with catalog.bookkeeping() as conn:
        all_media.references.register(conn, [entry])
    return entry.key


class TestKeys:
    """What a key is made of."""

    def test_a_key_is_distinguishable_from_a_hash(self, key):
        assert (len(key), key[0], is_reference(key), is_reference("0" * 64)) == (64, "r", True, False)

    def test_equal_objects_have_equal_keys_and_different_ones_do_not(self, file):
        first = file_reference(file, file.stat())
        assert file_reference(file, file.stat()) == first
        os.utime(file, ns=(10**15 + 1, 10**15 + 1))
        assert file_reference(file, file.stat()).key != first.key

    def test_address_size_and_etag_each_count(self):
        keys = {
            reference(*facts).key for facts in (("a", 1, "x"), ("b", 1, "x"), ("a", 2, "x"), ("a", 1, "y"))
        }
        assert len(keys) == 4

    def test_an_address_is_converted_back_to_its_path(self, file):
        uri = file_reference(file, file.stat()).uri
        assert uri.startswith("file:///")
        assert " " not in uri
        assert local_path(uri) == file

    @pytest.mark.parametrize("uri", ["https://example.org/a.jpg", "a.jpg", ""])
    def test_an_address_of_another_kind(self, uri):
        with pytest.raises(ReferenceGone, match="neither a local file nor in a bucket"):
            local_path(uri)


class TestRead:
    """Bytes behind a reference."""

    def test_bytes_are_read_from_the_original_file(self, all_media, key, file):
        assert all_media.read(key) == b"abc"
        assert all_media.path(key) == file
        assert all_media.has(key)

    def test_the_hash_is_computed_on_first_use_and_stored(self, all_media, key, file):
        digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        assert all_media.references.find(key).sha256 is None
        assert all_media.sha256(key) == digest
        assert all_media.references.find(key).sha256 == digest
        file.unlink()
        assert all_media.sha256(key) == digest

    def test_stored_media_already_have_their_hash_as_key(self, all_media):
        assert all_media.sha256("a" * 64) == "a" * 64

    def test_a_changed_file_is_refused(self, all_media, key, file):
        file.write_bytes(b"abcd")
        with pytest.raises(MediaChanged) as refused:
            all_media.read(key)
        before, after = f"{10**15:x}-3", file_reference(file, file.stat()).etag
        assert_refused(
            refused,
            "media-changed",
            all_media.references.find(key).uri,
            before,
            after,
            fix="add the folder again",
        )
        assert not all_media.has(key)

    def test_a_deleted_file_is_reported(self, all_media, key, file):
        file.unlink()
        with pytest.raises(ReferenceGone) as refused:
            all_media.read(key)
        assert_refused(refused, "media-gone", "No such file or directory", fix="`calotype verify`")
        assert not all_media.has(key)

    def test_a_restored_file_is_read_again(self, all_media, key, file):
        file.rename(file.with_name("aside"))
        assert not all_media.has(key)
        file.with_name("aside").rename(file)
        assert all_media.read(key) == b"abc"

    def test_other_bytes_of_the_same_size_and_time_are_detected_by_verify(self, all_media, key, file):
        all_media.sha256(key)
        file.write_bytes(b"abd")
        os.utime(file, ns=(10**15, 10**15))
        assert all_media.read(key) == b"abd"
        with pytest.raises(MediaDamaged):
            all_media.read(key, verify=True)

    def test_a_key_that_was_never_registered(self, all_media):
        with pytest.raises(ReferenceGone, match="never registered"):
            all_media.read("r" + "0" * 63)


class TestStates:
    """States of all references."""

    def test_present_changed_and_missing_are_distinguished_and_stored(self, all_media, catalog, tmp_path):
        files = [tmp_path / name for name in ("present", "changed", "missing")]
        for path in files:
            path.write_bytes(b"abc")
        listed = [file_reference(path, path.stat()) for path in files]
        with catalog.bookkeeping() as conn:
            all_media.references.register(conn, listed)
        files[1].write_bytes(b"other")
        files[2].unlink()
        keys = [entry.key for entry in listed]
        states = all_media.references.states([*keys, "r" + "0" * 63])
        assert list(states.values()) == ["present", "changed", "missing", "missing"]
        fresh = References(catalog, RemoteObjects(tmp_path / "remote"))
        assert [fresh.find(key).state for key in keys] == ["present", "changed", "missing"]

    def test_registering_a_known_reference_does_not_change_it(self, all_media, catalog, key, file):
        all_media.sha256(key)
        with catalog.bookkeeping() as conn:
            all_media.references.register(conn, [file_reference(file, file.stat())])
        assert all_media.references.find(key).sha256 is not None
