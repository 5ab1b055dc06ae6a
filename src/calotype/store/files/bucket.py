"""Objects in an S3-compatible bucket, accessed through obstore, with errors that never contain a secret.

Keys and secrets come from the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN) or from the
role of a cloud machine. Addresses contain neither.
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
_LIST_CHUNK = 1_000


class BucketUrlInvalid(Invalid):
    """Not a valid bucket address."""

    code = "bucket-url-invalid"
    what = "the storage address {got!r} cannot be used: {detail}"
    fix = "write s3://BUCKET/PREFIX; put keys into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"


class BucketFailed(External):
    """The storage server refused a request or did not answer."""

    code = "bucket-failed"
    what = "the bucket {url} cannot be used: {detail}"
    fix = (
        "check that the bucket exists, that the server runs, and that AWS_ENDPOINT_URL, AWS_REGION, AWS_ACCESS_KEY_ID"
        " and AWS_SECRET_ACCESS_KEY are correct; then run the same command again"
    )


@dataclass(frozen=True, slots=True)
class BucketLocation:
    """A prefix in a bucket. `endpoint` is empty for AWS itself."""

    url: str
    endpoint: str = ""
    region: str = ""

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme != "s3":
            raise BucketUrlInvalid(
                got=self.url.rpartition("@")[2], detail="only s3:// addresses and folders are supported"
            )
        if "@" in parts.netloc or parts.query or parts.fragment:
            raise BucketUrlInvalid(
                got=f"s3://{parts.hostname}", detail="it has more than a bucket and a prefix"
            )
        if not parts.netloc:
            raise BucketUrlInvalid(got=self.url, detail="it does not name a bucket")
        for address in (self.endpoint, os.environ.get("AWS_ENDPOINT_URL", "")):
            if "@" in address:
                raise BucketUrlInvalid(
                    got=address.rpartition("@")[2], detail="the endpoint contains a password"
                )

    def below(self, name: str) -> BucketLocation:
        """A folder below this location."""
        return BucketLocation(f"{self.url.rstrip('/')}/{name}", self.endpoint, self.region)

    def options(self) -> dict[str, str]:
        """Options for Lance and obstore, including secrets from the environment. Never show or store them."""
        endpoint = os.environ.get("AWS_ENDPOINT_URL") or self.endpoint
        options = {"aws_region": os.environ.get("AWS_REGION") or self.region or "us-east-1"}
        if endpoint:
            options |= {"aws_endpoint": endpoint, "aws_virtual_hosted_style_request": "false"}
        if endpoint.startswith("http://"):
            options["allow_http"] = "true"
        return options | {key: os.environ[name] for name, key in _SECRETS.items() if name in os.environ}


@dataclass(frozen=True, slots=True)
class Entry:
    """An object or file. `name` is relative to its location; `at_us` is the server's modification time.

    `etag` changes whenever the bytes change.
    """

    name: str
    n_bytes: int
    at_us: int
    etag: str = ""


class Bucket:
    """The objects below one location. Thread-safe."""

    def __init__(self, location: BucketLocation, *, retries: int = 6) -> None:
        if importlib.util.find_spec("obstore") is None:
            raise TeamExtraMissing(package="obstore", purpose="storage in a bucket")
        self.location = location
        self._obs: Any = importlib.import_module("obstore")
        self._errors: Any = importlib.import_module("obstore.exceptions")
        stores: Any = importlib.import_module("obstore.store")
        options = location.options()
        allow_http = options.pop("allow_http", "false") == "true"
        self._store = stores.from_url(
            location.url,
            config=options,
            retry_config={"max_retries": retries},
            client_options={"allow_http": allow_http, "timeout": "120s", "connect_timeout": "10s"},
        )

    def put_new(self, name: str, data: bytes) -> bool:
        """Write an object unless it exists. Returns whether this call wrote it. Raises: BucketFailed."""

        def write() -> bool:
            try:
                self._obs.put(self._store, name, data, mode="create", use_multipart=False)
            except (self._errors.AlreadyExistsError, FileExistsError):
                return False
            return True

        return self._translate_errors(write)

    def put(self, name: str, data: bytes) -> None:
        """Write or replace an object. Raises: BucketFailed."""
        self._translate_errors(lambda: self._obs.put(self._store, name, data, use_multipart=False))

    def put_file(self, name: str, path: Path) -> None:
        """Upload a local file, in parts if it is large; it becomes visible atomically. Raises: BucketFailed."""
        self._translate_errors(lambda: self._obs.put(self._store, name, path))

    def fetch(self, name: str, path: Path) -> bool:
        """Download an object to a local file. Returns whether the object exists. Raises: BucketFailed."""

        def write() -> bool:
            with path.open("wb") as file:
                for chunk in self._obs.get(self._store, name).stream():
                    file.write(chunk)
            return True

        return self._none_if_missing(write) or False

    def fetch_with_etag(self, name: str, path: Path) -> str | None:
        """Like `fetch`, but returns the etag of the downloaded bytes; None if the object does not exist."""

        def write() -> str:
            response = self._obs.get(self._store, name)
            with path.open("wb") as file:
                for chunk in response.stream():
                    file.write(chunk)
            return _etag(response.meta)

        return self._none_if_missing(write)

    def get(self, name: str) -> bytes | None:
        """The bytes of an object; None if it does not exist. Raises: BucketFailed."""
        return self._none_if_missing(lambda: bytes(self._obs.get(self._store, name).bytes()))

    def get_range(self, name: str, start: int, end: int) -> bytes | None:
        """The bytes in the half-open range [start, end). Raises: BucketFailed."""
        return self._none_if_missing(
            lambda: bytes(self._obs.get_range(self._store, name, start=start, end=end))
        )

    def head(self, name: str) -> Entry | None:
        """Size and modification time of an object; None if it does not exist. Raises: BucketFailed."""
        return self._none_if_missing(lambda: _entry(self._obs.head(self._store, name)))

    def entries(self, prefix: str = "") -> Iterator[Entry]:
        """All objects below a folder. Raises: BucketFailed."""
        stream = iter(self._obs.list(self._store, prefix or None, chunk_size=_LIST_CHUNK))
        while (page := self._translate_errors(lambda: next(stream, None))) is not None:
            yield from map(_entry, page)

    def copy(self, name: str, target: str) -> bool:
        """Copy an object within the bucket. Returns whether it exists. Raises: BucketFailed."""
        return self._none_if_missing(lambda: self._obs.copy(self._store, name, target) or True) or False

    def delete(self, names: Sequence[str]) -> None:
        """Delete objects; missing ones are ignored. Raises: BucketFailed."""
        for name in names:
            self._none_if_missing(lambda name=name: self._obs.delete(self._store, name))  # type: ignore[misc]

    def _none_if_missing(self, call: Callable[[], _T]) -> _T | None:
        def guarded() -> _T | None:
            try:
                return call()
            except (self._errors.NotFoundError, FileNotFoundError):
                return None

        return self._translate_errors(guarded)

    def _translate_errors(self, call: Callable[[], _T]) -> _T:
        try:
            return call()
        except (self._errors.BaseError, OSError, ValueError) as error:
            raise BucketFailed(url=self.location.url, detail=first_line(error)) from error


def _entry(meta: Any) -> Entry:
    at_us = int(meta["last_modified"].timestamp() * 1_000_000)
    return Entry(meta["path"], meta["size"], at_us, _etag(meta))


def _etag(meta: Any) -> str:
    return str(meta.get("e_tag") or "").strip('"')


def first_line(error: BaseException) -> str:
    """The first line of a storage library's error message, without its debug dump."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
