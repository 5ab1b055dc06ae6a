"""Buckets on a real S3 server: objects, media, remote objects, and the probe that a server has to pass."""

from __future__ import annotations

import pytest
from tests.support.broken_s3 import broken_s3
from tests.support.refusals import assert_refused
from tests.support.servers import free_port

from calotype.store.files.bucket import Bucket, BucketFailed, BucketLocation, BucketUrlInvalid
from calotype.store.files.file_tree import BucketTree
from calotype.store.maintenance.bucket_probe import BucketUnsafe, probe
from calotype.store.media.bucket_objects import BucketMedia
from calotype.store.media.objects import MediaDamaged, MediaMissing
from calotype.store.media.references import MediaChanged, ReferenceGone, References, reference
from calotype.store.media.remote_objects import RemoteObjects, is_remote

ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.fixture
def place(s3, monkeypatch):
    """A folder in a new bucket."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3.endpoint)
    return s3.fresh()


@pytest.fixture
def bucket(place):
    return Bucket(place)


class TestBucket:
    """Objects below a prefix."""

    def test_a_new_object_is_written_once(self, bucket):
        assert bucket.put_new("a/b", b"one") is True
        assert bucket.put_new("a/b", b"two") is False
        assert bucket.get("a/b") == b"one"

    def test_an_object_is_replaced(self, bucket):
        bucket.put("a", b"one")
        before = bucket.head("a")
        bucket.put("a", b"other")
        after = bucket.head("a")
        assert (before.n_bytes, after.n_bytes, bucket.get("a")) == (3, 5, b"other")
        assert before.etag != after.etag

    def test_a_part_is_read(self, bucket):
        bucket.put("a", b"0123456789")
        assert bucket.get_range("a", 2, 5) == b"234"

    def test_objects_are_listed_below_a_folder(self, bucket):
        for name in ("x/1", "x/2", "y/3"):
            bucket.put(name, name.encode())
        assert sorted(entry.name for entry in bucket.entries()) == ["x/1", "x/2", "y/3"]
        assert sorted(entry.name for entry in bucket.entries("x")) == ["x/1", "x/2"]
        assert all(entry.n_bytes == 3 and entry.at_us > 0 for entry in bucket.entries())

    def test_objects_are_copied_and_deleted(self, bucket):
        bucket.put("a", b"one")
        assert bucket.copy("a", "b") is True
        bucket.delete(["a", "nowhere"])
        assert (bucket.get("a"), bucket.get("b")) == (None, b"one")

    def test_files_are_uploaded_and_downloaded(self, bucket, tmp_path):
        (tmp_path / "mine").write_bytes(b"abc")
        bucket.put_file("a", tmp_path / "mine")
        assert bucket.fetch("a", tmp_path / "back") is True
        assert (tmp_path / "back").read_bytes() == b"abc"
        assert bucket.fetch_with_etag("a", tmp_path / "back") == bucket.head("a").etag

    def test_a_missing_object_is_none(self, bucket, tmp_path):
        assert (bucket.get("a"), bucket.head("a"), bucket.get_range("a", 0, 1)) == (None, None, None)
        assert bucket.fetch("a", tmp_path / "x") is False
        assert bucket.fetch_with_etag("a", tmp_path / "x") is None
        assert bucket.copy("a", "b") is False

    def test_a_bucket_that_does_not_exist(self, place):
        with pytest.raises(BucketFailed) as refused:
            Bucket(BucketLocation("s3://nobody-made-it/x", place.endpoint)).put("a", b"x")
        assert_refused(refused, "bucket-failed", "s3://nobody-made-it/x", fix="AWS_ENDPOINT_URL")
        assert "test-secret" not in str(refused.value)

    def test_a_server_that_does_not_answer(self, place, monkeypatch):
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
        with pytest.raises(BucketFailed):
            Bucket(place, retries=0).get("a")

    def test_a_tree_stores_files_by_name(self, bucket, tmp_path):
        tree = BucketTree(bucket)
        (tmp_path / "mine").write_bytes(b"abc")
        tree.put("a/one", tmp_path / "mine")
        tree.put("b/two", tmp_path / "mine")
        assert (tree.sizes("a"), tree.sizes()) == ({"a/one": 3}, {"a/one": 3, "b/two": 3})
        assert (tree.fetch("a/one", tmp_path / "spare") or tmp_path).read_bytes() == b"abc"
        tree.remove("a/one")
        assert tree.fetch("a/one", tmp_path / "spare") is None


class TestBucketMedia:
    """Media in a bucket, with a cache of files."""

    @pytest.fixture
    def media(self, bucket, tmp_path):
        return BucketMedia(bucket, tmp_path / "cache")

    def test_bytes_are_stored_once_and_available_as_a_file(self, media):
        assert [media.put(b"abc").new for _ in range(2)] == [True, False]
        assert (media.has(ABC), media.n_bytes(ABC), media.read(ABC, verify=True)) == (True, 3, b"abc")
        assert media.path(ABC).read_bytes() == b"abc"
        assert [entry.sha256 for entry in media.entries()] == [ABC]

    def test_a_file_stays_in_the_cache(self, media, bucket):
        media.put(b"abc")
        path = media.path(ABC)
        bucket.delete([f"sha256/ba/{ABC}"])
        assert media.path(ABC) == path
        assert not media.has(ABC)

    def test_missing_and_damaged_media(self, media, bucket):
        with pytest.raises(MediaMissing):
            media.path(ABC)
        bucket.put(f"sha256/ba/{ABC}", b"abd")
        assert media.read(ABC) == b"abd"
        with pytest.raises(MediaDamaged):
            media.path(ABC)

    def test_a_batch_uploads_many(self, media):
        with media.batch() as batch:
            put = [batch.put(b"%d" % (number % 20)) for number in range(40)]
        assert len({stored.sha256 for stored in put}) == len(list(media.entries())) == 20


class TestRemoteObjects:
    """Images that stay in a bucket, by reference."""

    @pytest.fixture
    def references(self, catalog, tmp_path):
        return References(catalog, RemoteObjects(tmp_path / "far"))

    @pytest.fixture
    def registered(self, references, bucket, place, catalog):
        """An object `scene 1.jpg`, registered."""
        bucket.put("scene 1.jpg", b"abc")
        ((uri, entry),) = references.remote.list_objects(place.url)
        entry_ref = reference(uri, entry.n_bytes, entry.etag)
        with catalog.bookkeeping() as conn:
            references.register(conn, [entry_ref])
        return entry_ref

    def test_a_folder_is_listed_by_address(self, registered, place):
        assert registered.uri == f"{place.url}/scene%201.jpg"
        assert (is_remote(registered.uri), is_remote("file:///a.jpg")) == (True, False)

    def test_an_object_is_fetched_once(self, references, registered, bucket):
        path = references.path(registered.key)
        assert path.read_bytes() == b"abc"
        bucket.delete(["scene 1.jpg"])
        assert references.path(registered.key) == path
        assert references.sha256(registered.key) == ABC

    def test_the_first_bytes_are_read_without_the_rest(self, references, registered):
        assert references.remote.read_head(registered.uri, 2) == b"ab"
        assert references.remote.read_head(registered.uri + "x", 2) is None

    def test_an_object_that_was_overwritten(self, references, registered, bucket):
        bucket.put("scene 1.jpg", b"other")
        with pytest.raises(MediaChanged) as refused:
            references.path(registered.key)
        assert (refused.value.fields["uri"], refused.value.fields["was"]) == (registered.uri, registered.etag)
        assert references.states([registered.key]) == {registered.key: "changed"}

    def test_an_object_that_was_deleted(self, references, registered, bucket):
        bucket.delete(["scene 1.jpg"])
        with pytest.raises(ReferenceGone, match="no such object"):
            references.path(registered.key)
        assert references.states([registered.key]) == {registered.key: "missing"}

    def test_a_folder_outside_a_bucket_is_refused(self, references):
        with pytest.raises(BucketUrlInvalid):
            list(references.remote.list_objects("https://example.org/x"))


class TestProbe:
    """A server that could lose commits is refused before it is used."""

    def test_a_safe_server_passes_and_no_objects_remain(self, place, bucket):
        probe(place)
        assert list(bucket.entries()) == []

    @pytest.mark.parametrize(
        ("fault", "detail"),
        [
            ("everybody-wins", "8 of 8 concurrent writers"),
            ("nobody-wins", "none of 8 writers"),
            ("refused-write-replaces", "a rejected write replaced an object"),
            ("range-is-whole", "a ranged read fails"),
            ("deletes-fail", "8 of 8 concurrent writers"),
            ("listing-is-empty", "a listing shows 0 of 6"),
        ],
    )
    def test_a_server_that_lacks_a_guarantee(self, monkeypatch, fault, detail):
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test-secret")
        monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
        with broken_s3(fault) as endpoint, pytest.raises(BucketUnsafe) as refused:
            probe(BucketLocation("s3://bucket/team", endpoint))
        assert_refused(refused, "bucket-unsafe", "s3://bucket/team", detail, fix="conditional writes")

    def test_the_same_server_passes_without_a_fault(self, monkeypatch):
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test-secret")
        monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
        with broken_s3("") as endpoint:
            probe(BucketLocation("s3://bucket/team", endpoint))
