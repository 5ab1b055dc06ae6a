"""Checks that a bucket is safe for commits before it is used; an unsafe one would lose them without an error.

A commit creates the object of a new version with a conditional write (If-None-Match). Some servers accept the condition
and ignore it: two writers then both succeed, and one commit is lost.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier

from calotype.foundation.errors import Conflict
from calotype.foundation.ids import uuid7
from calotype.store.files.bucket import Bucket, BucketFailed, BucketLocation

ROUNDS = 5
WRITERS = 8
_FOLDER = "calotype-probe"
_REPEATS = 3


class BucketUnsafe(Conflict):
    """The server does not provide the guarantees that commits need."""

    code = "bucket-unsafe"
    what = "the bucket {url} could lose commits: {detail}"
    fix = (
        "use a server with conditional writes (PUT with If-None-Match: *) and ranged reads, such as AWS S3,"
        " Cloudflare R2, Ceph or a current MinIO; or store media and tables on a disk"
    )


def probe(location: BucketLocation) -> None:
    """Test a bucket and remove the test objects. Raises: BucketUnsafe, BucketFailed."""
    bucket = Bucket(location)
    folder = f"{_FOLDER}/{uuid7()}"
    try:
        _test_guarantees(bucket, folder)
    except (BucketUnsafe, BucketFailed):
        with suppress(BucketFailed):  # the reason matters more than leftovers
            _remove_objects(bucket, folder)
        raise
    _remove_objects(bucket, folder)


def _test_guarantees(bucket: Bucket, folder: str) -> None:
    for number in range(ROUNDS):
        _race(bucket, f"{folder}/race-{number}")
    _ranged_read(bucket, f"{folder}/range")
    n_listed = len(list(bucket.entries(folder)))
    if n_listed < ROUNDS + 1:
        detail = f"a listing shows {n_listed} of {ROUNDS + 1} new objects"
        raise BucketUnsafe(url=bucket.location.url, detail=detail)


def _remove_objects(bucket: Bucket, folder: str) -> None:
    bucket.delete([entry.name for entry in bucket.entries(folder)])


def _race(bucket: Bucket, name: str) -> None:
    """Concurrent writers of one object: exactly one may succeed, and its bytes must stay."""
    for repeat in range(_REPEATS):  # no winner is inconclusive: the response to the winner may have been lost
        start = Barrier(WRITERS)

        def write(number: int, name: str = f"{name}-{repeat}", start: Barrier = start) -> bool:
            start.wait()
            return bucket.put_new(name, b"writer %d" % number)

        with ThreadPoolExecutor(WRITERS) as pool:
            won = list(pool.map(write, range(WRITERS)))
        if sum(won) > 1:
            detail = f"{sum(won)} of {WRITERS} concurrent writers of one new object succeeded"
            raise BucketUnsafe(url=bucket.location.url, detail=detail)
        if sum(won) == 1:
            if bucket.get(f"{name}-{repeat}") != b"writer %d" % won.index(True):
                raise BucketUnsafe(url=bucket.location.url, detail="a rejected write replaced an object")
            return
    raise BucketUnsafe(url=bucket.location.url, detail=f"none of {WRITERS} writers could create a new object")


def _ranged_read(bucket: Bucket, name: str) -> None:
    data = bytes(range(256)) * 16
    bucket.put(name, data)
    try:
        received = bucket.get_range(name, 1_000, 1_100)
    except BucketFailed as error:
        raise BucketUnsafe(
            url=bucket.location.url, detail=f"a ranged read fails ({error.fields['detail']})"
        ) from error
    if received != data[1_000:1_100]:
        raise BucketUnsafe(url=bucket.location.url, detail="a ranged read returns the wrong bytes")
