"""A bucket of an S3-compatible server, through obstore: few verbs, our errors, and no secret in what is shown.

Keys and secrets come from the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN) or from what
the machine is given by its cloud; addresses hold neither.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from calotype.foundation.errors import External, Invalid
from calotype.store.catalog.engines import TeamExtraMissing

_T = TypeVar("_T")
_SECRETS = {
    "AWS_ACCESS_KEY_ID": "aws_access_key_id",
    "AWS_SECRET_ACCESS_KEY": "aws_secret_access_key",
    "AWS_SESSION_TOKEN": "aws_session_token",
}
_AT_ONCE = 1_000


class BucketUrlInvalid(Invalid):
    """Not the address of a bucket."""

    code = "bucket-url-invalid"
    what = "the storage address {got!r} cannot be used: {detail}"
    fix = "write s3://BUCKET/PREFIX; keys belong into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"


class BucketFailed(External):
    """The storage server refused or did not answer."""

    code = "bucket-failed"
    what = "the bucket {url} cannot be used: {detail}"
    fix = (
        "see that the bucket exists and the server runs, and that AWS_ENDPOINT_URL, AWS_REGION, AWS_ACCESS_KEY_ID and"
        " AWS_SECRET_ACCESS_KEY are right; then run the same command again"
    )


@dataclass(frozen=True, slots=True)
class BucketPlace:
    """A folder in a bucket. `endpoint` is empty for AWS itself."""

    url: str
    endpoint: str = ""
    region: str = ""

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme != "s3":
            raise BucketUrlInvalid(
                got=self.url.rpartition("@")[2], detail="only s3:// is known beside folders"
            )
        if "@" in parts.netloc or parts.query or parts.fragment:
            raise BucketUrlInvalid(got=f"s3://{parts.hostname}", detail="it says more than bucket and prefix")
        if not parts.netloc:
            raise BucketUrlInvalid(got=self.url, detail="it names no bucket")
        for address in (self.endpoint, os.environ.get("AWS_ENDPOINT_URL", "")):
            if "@" in address:
                raise BucketUrlInvalid(got=address.rpartition("@")[2], detail="the endpoint holds a password")

    def below(self, name: str) -> BucketPlace:
        """A folder in this one."""
        return BucketPlace(f"{self.url.rstrip('/')}/{name}", self.endpoint, self.region)

    def options(self) -> dict[str, str]:
        """Settings for Lance and obstore, with the secrets of the environment: never to be shown or stored."""
        endpoint = os.environ.get("AWS_ENDPOINT_URL") or self.endpoint
        found = {"aws_region": os.environ.get("AWS_REGION") or self.region or "us-east-1"}
        if endpoint:
            found |= {"aws_endpoint": endpoint, "aws_virtual_hosted_style_request": "false"}
        if endpoint.startswith("http://"):
            found["allow_http"] = "true"
        return found | {key: os.environ[name] for name, key in _SECRETS.items() if name in os.environ}


@dataclass(frozen=True, slots=True)
class Entry:
    """An object in a bucket; `name` is below the place, `at_us` is the server's time of its last change.

    `etag` changes whenever the bytes do.
    """

    name: str
    n_bytes: int
    at_us: int
    etag: str = ""


class Bucket:
    """The objects below one place. Safe for many threads."""

    def __init__(self, place: BucketPlace, *, retries: int = 6) -> None:
        if importlib.util.find_spec("obstore") is None:
            raise TeamExtraMissing(package="obstore", purpose="storage in a bucket")
        self.place = place
        self._obs: Any = importlib.import_module("obstore")
        self._errors: Any = importlib.import_module("obstore.exceptions")
        stores: Any = importlib.import_module("obstore.store")
        options = place.options()
        allow_http = options.pop("allow_http", "false") == "true"
        self._store = stores.from_url(
            place.url,
            config=options,
            retry_config={"max_retries": retries},
            client_options={"allow_http": allow_http, "timeout": "120s", "connect_timeout": "10s"},
        )

    def put_new(self, name: str, data: bytes) -> bool:
        """Write an object unless there is one. Returns whether this call wrote it. Raises: BucketFailed."""

        def write() -> bool:
            try:
                self._obs.put(self._store, name, data, mode="create", use_multipart=False)
            except (self._errors.AlreadyExistsError, FileExistsError):
                return False
            return True

        return self._told(write)

    def put(self, name: str, data: bytes) -> None:
        """Write an object or replace it. Raises: BucketFailed."""
        self._told(lambda: self._obs.put(self._store, name, data, use_multipart=False))

    def put_file(self, name: str, path: Path) -> None:
        """Send a local file, a large one in parts; it is there whole or not at all. Raises: BucketFailed."""
        self._told(lambda: self._obs.put(self._store, name, path))

    def fetch(self, name: str, path: Path) -> bool:
        """Write the bytes of an object to a local file. Returns whether there is one. Raises: BucketFailed."""

        def write() -> bool:
            with path.open("wb") as file:
                for chunk in self._obs.get(self._store, name).stream():
                    file.write(chunk)
            return True

        return self._or_none(write) or False

    def fetch_tagged(self, name: str, path: Path) -> str | None:
        """As `fetch`. Returns the etag of the bytes that were written; None when there is no object."""

        def write() -> str:
            found = self._obs.get(self._store, name)
            with path.open("wb") as file:
                for chunk in found.stream():
                    file.write(chunk)
            return _etag(found.meta)

        return self._or_none(write)

    def get(self, name: str) -> bytes | None:
        """The bytes of an object; None when there is none. Raises: BucketFailed."""
        return self._or_none(lambda: bytes(self._obs.get(self._store, name).bytes()))

    def get_range(self, name: str, start: int, end: int) -> bytes | None:
        """The bytes from `start` up to before `end`. Raises: BucketFailed."""
        return self._or_none(lambda: bytes(self._obs.get_range(self._store, name, start=start, end=end)))

    def head(self, name: str) -> Entry | None:
        """Size and time of an object; None when there is none. Raises: BucketFailed."""
        return self._or_none(lambda: _entry(self._obs.head(self._store, name)))

    def entries(self, prefix: str = "") -> Iterator[Entry]:
        """All objects below a folder. Raises: BucketFailed."""
        stream = iter(self._obs.list(self._store, prefix or None, chunk_size=_AT_ONCE))
        while (some := self._told(lambda: next(stream, None))) is not None:
            yield from map(_entry, some)

    def copy(self, name: str, target: str) -> bool:
        """Copy an object within the bucket. Returns whether there was one. Raises: BucketFailed."""
        return self._or_none(lambda: self._obs.copy(self._store, name, target) or True) or False

    def delete(self, names: Sequence[str]) -> None:
        """Remove objects, also those that are gone already. Raises: BucketFailed."""
        for name in names:
            self._or_none(lambda name=name: self._obs.delete(self._store, name))  # type: ignore[misc]

    def _or_none(self, call: Callable[[], _T]) -> _T | None:
        def quiet() -> _T | None:
            try:
                return call()
            except (self._errors.NotFoundError, FileNotFoundError):
                return None

        return self._told(quiet)

    def _told(self, call: Callable[[], _T]) -> _T:
        try:
            return call()
        except (self._errors.BaseError, OSError, ValueError) as error:
            raise BucketFailed(url=self.place.url, detail=brief(error)) from error


def _entry(found: Any) -> Entry:
    at_us = int(found["last_modified"].timestamp() * 1_000_000)
    return Entry(found["path"], found["size"], at_us, _etag(found))


def _etag(found: Any) -> str:
    return str(found.get("e_tag") or "").strip('"')


def brief(error: BaseException) -> str:
    """The first line of what a storage library says, without its debug dump."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
