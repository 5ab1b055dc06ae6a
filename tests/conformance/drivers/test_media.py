"""Media keep their promises on a disk and in a bucket."""

from __future__ import annotations

import hashlib
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.support.servers import S3, free_port

from calotype.store.files.bucket import Bucket, BucketFailed, BucketLocation, BucketUrlInvalid
from calotype.store.media.bucket_objects import BucketMedia
from calotype.store.media.objects import Media, MediaDamaged, MediaMissing, MediaNameInvalid, StoredMedia

NOWHERE = "0" * 64


@pytest.fixture(params=["disk", "s3"])
def media(request: pytest.FixtureRequest, tmp_path: Path) -> StoredMedia:
    if request.param == "disk":
        return Media(tmp_path / "media")
    server: S3 = request.getfixturevalue("s3")
    return BucketMedia(Bucket(server.fresh().below("media")), tmp_path / "cache")


@pytest.fixture
def in_bucket(s3: S3, tmp_path: Path) -> tuple[BucketMedia, Bucket]:
    bucket = Bucket(s3.fresh().below("media"))
    return BucketMedia(bucket, tmp_path / "cache"), bucket


def test_bytes_come_back_as_they_were_put(media: StoredMedia) -> None:
    put = media.put(b"an image")
    assert put.new and put.sha256 == hashlib.sha256(b"an image").hexdigest()
    assert not media.put(b"an image").new
    assert media.has(put.sha256) and media.n_bytes(put.sha256) == 8
    assert media.read(put.sha256, verify=True) == b"an image"
    assert media.path(put.sha256).read_bytes() == b"an image"
    assert media.path(put.sha256).read_bytes() == b"an image"


def test_what_was_never_put_is_missing_and_other_names_are_none(media: StoredMedia) -> None:
    assert not media.has(NOWHERE) and media.n_bytes(NOWHERE) is None
    with pytest.raises(MediaMissing):
        media.read(NOWHERE)
    for name in ("../../etc/passwd", "0" * 63, "A" * 64):
        with pytest.raises(MediaNameInvalid):
            media.read(name)


def test_a_batch_of_many_threads_is_all_there_afterwards(media: StoredMedia) -> None:
    images = [f"image {number % 150}".encode() for number in range(300)]
    with media.batch() as batch, ThreadPoolExecutor(8) as pool:
        put = list(pool.map(batch.put, images))
    assert all(media.read(one.sha256, verify=True) == data for one, data in zip(put, images, strict=True))
    entries = list(media.entries())
    assert [entry.sha256 for entry in entries] == sorted({one.sha256 for one in put})
    assert {entry.n_bytes for entry in entries} == {7, 8, 9}
    assert all(abs(entry.at_us / 1e6 - time.time()) < 600 for entry in entries)


def test_equal_bytes_put_at_once_are_one_object(media: StoredMedia) -> None:
    with ThreadPoolExecutor(8) as pool:
        put = list(pool.map(media.put, [b"same"] * 16))
    assert sum(one.new for one in put) == 1
    assert len(list(media.entries())) == 1


def test_damaged_bytes_never_reach_the_cache(in_bucket: tuple[BucketMedia, Bucket]) -> None:
    media, bucket = in_bucket
    sha256 = media.put(b"an image").sha256
    bucket.put(f"sha256/{sha256[:2]}/{sha256}", b"an ima")
    with pytest.raises(MediaDamaged):
        media.path(sha256)
    bucket.put(f"sha256/{sha256[:2]}/{sha256}", b"an image")
    assert media.path(sha256).read_bytes() == b"an image"
    assert [file.name for file in media.path(sha256).parent.iterdir()] == [sha256]


def test_a_batch_that_cannot_be_sent_says_so_at_its_end(tmp_path: Path) -> None:
    bucket = Bucket(BucketLocation("s3://nothing/here", f"http://127.0.0.1:{free_port()}"), retries=0)
    media = BucketMedia(bucket, tmp_path)
    with pytest.raises(BucketFailed), media.batch() as batch:
        batch.put(b"an image")


def test_a_bucket_that_does_not_exist_is_reported(s3: S3, tmp_path: Path) -> None:
    media = BucketMedia(Bucket(BucketLocation("s3://never-made/here", s3.endpoint)), tmp_path)
    with pytest.raises(BucketFailed):
        media.put(b"an image")


def _the_next_second_us() -> int:
    """An instant that just passed and is later than all before: the server's clock shows whole seconds."""
    instant = int(time.time()) + 1
    while time.time() < instant:
        time.sleep(instant - time.time())
    return instant * 1_000_000


def test_a_sweep_removes_what_nobody_wants_and_keeps_what_was_put_again(
    in_bucket: tuple[BucketMedia, Bucket],
) -> None:
    media, _ = in_bucket
    old, wanted = media.put(b"old").sha256, media.put(b"wanted").sha256
    marked_us = _the_next_second_us()
    media.put(b"wanted")
    assert media.remove(wanted, untouched_since_us=marked_us) is None
    assert media.remove(old, untouched_since_us=marked_us) == 3
    assert media.remove(old, untouched_since_us=marked_us) is None
    assert [entry.sha256 for entry in media.entries()] == [wanted]


def test_a_put_in_the_middle_of_a_sweep_is_never_lost(in_bucket: tuple[BucketMedia, Bucket]) -> None:
    media, _ = in_bucket
    images = [f"image {number}".encode() for number in range(30)]
    old = [media.put(data).sha256 for data in images]
    marked_us = _the_next_second_us()
    with ThreadPoolExecutor(8) as pool:
        swept = [pool.submit(media.remove, sha256, untouched_since_us=marked_us) for sha256 in old]
        list(pool.map(media.put, images))
    assert [future.exception() for future in swept] == [None] * 30
    assert [sha256 for sha256 in old if not media.has(sha256)] == []


def test_a_sweep_that_died_is_cleared_up(in_bucket: tuple[BucketMedia, Bucket]) -> None:
    media, bucket = in_bucket
    sha256 = media.put(b"an image").sha256
    name, aside = f"sha256/{sha256[:2]}/{sha256}", f"incoming/aside-{sha256}"
    assert bucket.copy(name, aside)
    bucket.delete([name])
    media.touch(sha256)  # by a writer who saw the bytes before they went, and then died too
    assert media.sweep_incoming(older_than_s=10, now_s=time.time() + 100) == 2
    assert media.read(sha256, verify=True) == b"an image"
    assert list(bucket.entries("incoming")) == []


@pytest.mark.parametrize(
    "url", ["s3://key:secret@bucket/x", "https://bucket/x", "s3://", "s3://bucket/x?key=secret", "bucket"]
)
def test_bucket_addresses_that_cannot_be_used_are_refused_without_showing_secrets(url: str) -> None:
    with pytest.raises(BucketUrlInvalid) as caught:
        BucketLocation(url)
    assert "secret" not in str(caught.value)
