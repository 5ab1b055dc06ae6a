"""Where the stores of a workspace lie: `.calotype/storage.json`, or all inside of `.calotype` when there is none.

The file holds addresses and never a secret, so it may be copied to every machine of a team.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from calotype.foundation.errors import Conflict, Invalid
from calotype.store.catalog.catalog import Catalog
from calotype.store.catalog.engines import checked_url
from calotype.store.catalog.relocation import BYTES_AT, MOVED_TO
from calotype.store.files.bucket import Bucket, BucketPlace
from calotype.store.files.durable import write_file
from calotype.store.media.bucket_objects import BucketMedia
from calotype.store.media.objects import Media, StoredMedia
from calotype.store.tables.tables import Tables

FILE = "storage.json"
_FORMAT = 1


class StorageFileInvalid(Invalid):
    """`storage.json` is not one of ours."""

    code = "storage-file-invalid"
    what = "{file} cannot be used: {detail}"
    fix = "copy the file again from a machine where the workspace opens"


class OtherWorkspace(Conflict):
    """The database holds another workspace than the one that this folder belongs to."""

    code = "storage-other-workspace"
    what = "the catalog at {place} holds workspace {found}, and this folder belongs to workspace {expected}"
    fix = "put the right address into .calotype/storage.json, or copy it from a machine where the workspace opens"


@dataclass(frozen=True, slots=True)
class Storage:
    """Addresses of the three stores; an empty one means inside of `.calotype`. `workspace` is the id they belong to."""

    workspace: str = ""
    catalog: str = ""
    media: str = ""
    tables: str = ""
    endpoint: str = ""
    region: str = ""

    def __post_init__(self) -> None:
        if self.catalog:
            checked_url(self.catalog)
        for url in (self.media, self.tables):
            if url:
                self.bucket(url)

    @property
    def embedded(self) -> bool:
        """Whether all lies in the workspace's folder."""
        return not (self.catalog or self.media or self.tables)

    def with_bucket(self, url: str, endpoint: str = "", region: str = "") -> Storage:
        """The same with media and tables below an address in a bucket. Raises: BucketUrlInvalid."""
        url = url.rstrip("/")
        return replace(self, media=f"{url}/media", tables=f"{url}/tables", endpoint=endpoint, region=region)

    def bucket(self, url: str) -> BucketPlace:
        """A place in the bucket. Raises: BucketUrlInvalid."""
        return BucketPlace(url, self.endpoint, self.region)

    def open_catalog(self, home: Path) -> Catalog:
        """The catalog of a workspace whose `.calotype` is `home`."""
        return Catalog(self.catalog or home / "catalog.sqlite")

    def open_media(self, home: Path) -> StoredMedia:
        """The media. Raises: TeamExtraMissing."""
        if not self.media:
            return Media(home / "media")
        return BucketMedia(Bucket(self.bucket(self.media)), home / "cache" / "media")

    def open_tables(self, home: Path) -> Tables:
        """The tables. Raises: TeamExtraMissing."""
        return Tables(self.bucket(self.tables) if self.tables else home / "tables")

    def moved(self, left: dict[str, dict[str, str]]) -> Storage:
        """Where a workspace lies whose catalog, opened here, holds these marks (`moved`); `self` when it lies here."""
        if MOVED_TO in left:
            return replace(self, **left[MOVED_TO])
        at = left.get(BYTES_AT)
        if at and (at["media"], at["tables"]) != (self.media, self.tables):
            return replace(self, **at)
        return self

    def save(self, home: Path) -> None:
        """Write the file; after a crash it is the old or the new one."""
        text = json.dumps({"format": _FORMAT, **asdict(self)}, indent=2) + "\n"
        write_file(home / FILE, text.encode())


def load_storage(home: Path) -> Storage:
    """What `storage.json` says; the embedded layout where there is none.

    Raises: StorageFileInvalid, CatalogUrlInvalid, BucketUrlInvalid.
    """
    file = home / FILE
    try:
        found = json.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        return Storage()
    except ValueError as error:
        raise StorageFileInvalid(file=str(file), detail=str(error)) from None
    names = {field.name for field in fields(Storage)}
    if not isinstance(found, dict) or found.get("format") != _FORMAT:
        raise StorageFileInvalid(file=str(file), detail=f"it is not of format {_FORMAT}")
    values = {name: value for name, value in found.items() if name != "format"}
    if set(values) != names or not all(isinstance(value, str) for value in values.values()):
        raise StorageFileInvalid(
            file=str(file), detail=f"it must hold exactly the texts {', '.join(sorted(names))}"
        )
    return Storage(**values)


def storage_at(catalog: str = "", bucket: str = "") -> Storage:
    """The storage that a user names: a database, a place in a bucket, both or neither.

    A bucket's endpoint and region come from AWS_ENDPOINT_URL and AWS_REGION, and are remembered.

    Raises: CatalogUrlInvalid, BucketUrlInvalid.
    """
    found = Storage(catalog=catalog)
    if not bucket:
        return found
    endpoint, region = os.environ.get("AWS_ENDPOINT_URL", ""), os.environ.get("AWS_REGION", "")
    return found.with_bucket(bucket, endpoint, region)


IN_FOLDER = "folder"
"""In place of an address: inside of the workspace's folder."""


def storage_from(now: Storage, catalog: str = "", bucket: str = "") -> Storage:
    """The storage that a user asks for in place of another; what is not named stays, `folder` means embedded.

    Raises: CatalogUrlInvalid, BucketUrlInvalid.
    """
    if bucket == IN_FOLDER:
        now = replace(now, media="", tables="", endpoint="", region="")
    elif bucket:
        named = storage_at(bucket=bucket)
        now = now.with_bucket(bucket, named.endpoint, named.region)
    return replace(now, catalog="" if catalog == IN_FOLDER else catalog or now.catalog)


def is_workspace(home: Path) -> bool:
    """Whether a `.calotype` folder belongs to a workspace."""
    return (home / FILE).is_file() or (home / "catalog.sqlite").is_file()
