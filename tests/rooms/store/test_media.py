"""Media on a disk: stored once under their hash, read, verified, removed."""

from __future__ import annotations

import hashlib
import os
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.support.refusals import assert_refused

from calotype.store.media.objects import MediaDamaged, MediaMissing, MediaNameInvalid

ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
NOWHERE = "0" * 64


def incoming(media):
    """Remaining temporary files."""
    return [path.name for path in media.path(ABC).parents[2].joinpath("incoming").iterdir()]


class TestPut:
    """Storing bytes."""

    def test_they_are_named_by_their_hash(self, media):
        stored = media.put(b"abc")
        assert (stored.sha256, stored.n_bytes, stored.new) == (ABC, 3, True)
        assert media.read(ABC) == b"abc"
        assert media.path(ABC).parts[-3:] == ("sha256", "ba", ABC)

    def test_the_same_bytes_are_kept_once(self, media):
        media.put(b"abc")
        assert media.put(b"abc").new is False
        assert [entry.sha256 for entry in media.entries()] == [ABC]

    def test_an_empty_object_is_stored(self, media):
        stored = media.put(b"")
        assert (stored.n_bytes, media.read(stored.sha256), media.n_bytes(stored.sha256)) == (0, b"", 0)

    def test_no_temporary_file_remains(self, media):
        media.put(b"abc")
        media.put(b"abc")
        assert incoming(media) == []

    def test_a_batch_is_visible_only_at_its_end(self, media):
        with media.batch() as batch:
            put = [batch.put(data) for data in (b"abc", b"b", b"abc")]
            assert not media.has(ABC)
        assert [stored.new for stored in put] == [True, True, False]
        assert sorted(entry.n_bytes for entry in media.entries()) == [1, 3]

    def test_a_failed_batch_stores_nothing(self, media):
        with pytest.raises(KeyError), media.batch() as batch:
            batch.put(b"abc")
            raise KeyError
        assert (list(media.entries()), incoming(media)) == ([], [])

    def test_threads_share_a_batch(self, media):
        with media.batch() as batch, ThreadPoolExecutor(8) as pool:
            put = list(pool.map(batch.put, [b"%d" % (number % 10) for number in range(100)]))
        assert sum(stored.new for stored in put) == 10
        assert len(list(media.entries())) == 10

    def test_a_file_of_the_user_is_hard_linked(self, media, tmp_path):
        file = tmp_path / "mine.jpg"
        file.write_bytes(b"abc")
        with media.batch() as batch:
            batch.put(b"abc", link=file)
        assert media.path(ABC).samefile(file)

    def test_a_hash_from_the_caller_is_used(self, media):
        with media.batch() as batch:
            assert batch.put(b"abc", sha256=ABC).sha256 == ABC
        assert media.read(ABC, verify=True) == b"abc"


class TestFind:
    """Reading bytes; missing and damaged ones."""

    def test_entries_are_listed_by_hash_with_size_and_time(self, media):
        before_us = time.time_ns() // 1_000 - 1_000_000
        hashes = sorted(media.put(data).sha256 for data in (b"abc", b"defg", b""))
        entries = list(media.entries())
        assert [entry.sha256 for entry in entries] == hashes
        assert {entry.n_bytes for entry in entries} == {0, 3, 4}
        assert all(entry.at_us > before_us for entry in entries)

    def test_missing_media(self, media):
        assert (media.has(NOWHERE), media.n_bytes(NOWHERE)) == (False, None)
        with pytest.raises(MediaMissing) as refused:
            media.read(NOWHERE)
        assert refused.value.fields["sha256"] == NOWHERE
        assert_refused(refused, "media-missing", NOWHERE[:16], fix="`calotype verify`")

    def test_changed_bytes_are_detected_by_verify(self, media):
        path = media.path(media.put(b"abc").sha256)
        path.chmod(0o644)
        path.write_bytes(b"abd")
        assert media.read(ABC) == b"abd"
        with pytest.raises(MediaDamaged) as refused:
            media.read(ABC, verify=True)
        assert refused.value.fields["sha256"] == ABC
        assert_refused(refused, "media-damaged", ABC[:16], fix="backup")

    @pytest.mark.parametrize(
        "name", ["", "abc", ABC.upper(), ABC + "0", "../" + ABC, ABC[:-1] + "/", ABC + "\n"]
    )
    def test_only_hashes_are_accepted_as_names(self, media, name):
        with pytest.raises(MediaNameInvalid) as refused:
            media.read(name)
        assert_refused(refused, "media-name-invalid", "64 lower-case hexadecimal digits", fix="media_sha256")


class TestSweep:
    """Removing unreferenced bytes, and no others."""

    def test_old_bytes_are_removed(self, media):
        media.put(b"abc")
        assert media.remove(ABC, untouched_since_us=2**62) == 3
        assert not media.has(ABC)
        assert incoming(media) == []

    def test_bytes_that_were_put_since_stay(self, media):
        media.put(b"abc")
        assert media.remove(ABC, untouched_since_us=0) is None
        assert media.read(ABC, verify=True) == b"abc"

    def test_storing_old_bytes_again_protects_them(self, media):
        media.put(b"abc")
        os.utime(media.path(ABC), ns=(0, 0))
        media.put(b"abc")
        assert media.remove(ABC, untouched_since_us=1_000_000) is None
        assert media.has(ABC)

    def test_the_time_of_a_linked_file_is_left_alone(self, media, tmp_path):
        file = tmp_path / "mine.jpg"
        file.write_bytes(b"abc")
        os.utime(file, ns=(10**9, 10**9))
        with media.batch() as batch:
            batch.put(b"abc", link=file)
        media.put(b"abc")
        assert file.stat().st_mtime_ns == 10**9
        assert media.remove(ABC, untouched_since_us=2_000_000) is None

    def test_what_is_not_there_cannot_go(self, media):
        assert media.remove(NOWHERE, untouched_since_us=2**62) is None

    def test_temporary_files_of_dead_writers_go_when_they_are_old(self, media):
        media.put(b"abc")
        left = media.path(ABC).parents[2] / "incoming" / "dead"
        left.write_bytes(b"half")
        assert media.sweep_incoming(older_than_s=60, now_s=time.time()) == 0
        assert media.sweep_incoming(older_than_s=60, now_s=time.time() + 120) == 1
        assert not left.exists()

    def test_nothing_is_lost_while_others_put(self, media):
        images = [b"image %d" % number for number in range(40)]
        hashes = [media.put(data).sha256 for data in images]
        for sha256 in hashes:
            os.utime(media.path(sha256), ns=(0, 0))
        with ThreadPoolExecutor(8) as pool:
            swept = [pool.submit(media.remove, sha256, untouched_since_us=1_000_000) for sha256 in hashes]
            put = list(pool.map(media.put, images))
        assert [future.exception() for future in swept] == [None] * 40
        assert all(media.read(one.sha256, verify=True) == data for one, data in zip(put, images, strict=True))


def test_the_hash_is_a_plain_sha256(media):
    data = bytes(range(256)) * 5_000
    assert media.put(data).sha256 == hashlib.sha256(data).hexdigest()
