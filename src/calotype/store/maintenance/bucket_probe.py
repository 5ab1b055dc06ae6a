"""Is a bucket safe for labels? Asked before one is used, because a server that is not loses commits without an error.

A commit is the object of a new version, written only if there is none of that name. Some servers accept this condition
and ignore it: two writers then both succeed, and the work of one is gone.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier

from calotype.foundation.errors import Conflict
from calotype.foundation.ids import uuid7
from calotype.store.files.bucket import Bucket, BucketFailed, BucketPlace

ROUNDS = 5
WRITERS = 8
_FOLDER = "calotype-probe"
_REPEATS = 3


class BucketUnsafe(Conflict):
    """The server does not keep the promises that commits rest on."""

    code = "bucket-unsafe"
    what = "the bucket {url} would lose labels: {detail}"
    fix = (
        "use a server that keeps conditional writes (PUT with If-None-Match: *) and ranged reads, such as AWS S3,"
        " Cloudflare R2, Ceph or a current MinIO; or leave media and tables on a disk"
    )


def probe(place: BucketPlace) -> None:
    """Try a bucket. Leaves nothing behind. Raises: BucketUnsafe, BucketFailed."""
    bucket = Bucket(place)
    folder = f"{_FOLDER}/{uuid7()}"
    try:
        _try_promises(bucket, folder)
    except (BucketUnsafe, BucketFailed):
        with suppress(BucketFailed):  # what is left matters less than why
            _clear(bucket, folder)
        raise
    _clear(bucket, folder)


def _try_promises(bucket: Bucket, folder: str) -> None:
    for number in range(ROUNDS):
        _race(bucket, f"{folder}/race-{number}")
    _ranged_read(bucket, f"{folder}/range")
    listed = len(list(bucket.entries(folder)))
    if listed < ROUNDS + 1:
        said = f"a listing shows {listed} of {ROUNDS + 1} objects just written"
        raise BucketUnsafe(url=bucket.place.url, detail=said)


def _clear(bucket: Bucket, folder: str) -> None:
    bucket.delete([entry.name for entry in bucket.entries(folder)])


def _race(bucket: Bucket, name: str) -> None:
    """Several writers at once; exactly one may win, and its bytes must stay."""
    for repeat in range(
        _REPEATS
    ):  # nobody wins when the winner's answer got lost on the way; that proves nothing
        start = Barrier(WRITERS)

        def write(number: int, name: str = f"{name}-{repeat}", start: Barrier = start) -> bool:
            start.wait()
            return bucket.put_new(name, b"writer %d" % number)

        with ThreadPoolExecutor(WRITERS) as pool:
            won = list(pool.map(write, range(WRITERS)))
        if sum(won) > 1:
            said = f"of {WRITERS} writers of one new object {sum(won)} were told that they wrote it"
            raise BucketUnsafe(url=bucket.place.url, detail=said)
        if sum(won) == 1:
            if bucket.get(f"{name}-{repeat}") != b"writer %d" % won.index(True):
                raise BucketUnsafe(url=bucket.place.url, detail="an object was replaced by a refused write")
            return
    raise BucketUnsafe(url=bucket.place.url, detail=f"none of {WRITERS} writers could write a new object")


def _ranged_read(bucket: Bucket, name: str) -> None:
    data = bytes(range(256)) * 16
    bucket.put(name, data)
    try:
        answered = bucket.get_range(name, 1_000, 1_100)
    except BucketFailed as error:
        raise BucketUnsafe(
            url=bucket.place.url, detail=f"a ranged read fails ({error.fields['detail']})"
        ) from error
    if answered != data[1_000:1_100]:
        raise BucketUnsafe(url=bucket.place.url, detail="a ranged read does not answer the range")
