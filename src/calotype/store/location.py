"""Where the stores of a workspace are: `.calotype/storage.json`, or everything inside `.calotype` without it.

The file holds addresses and no secrets, so a team can copy it to every machine.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from calotype.foundation.durable import write_file
from calotype.foundation.errors import Conflict, Invalid
from calotype.store.catalog.catalog import Catalog
from calotype.store.catalog.engines import parse_catalog_url
from calotype.store.catalog.relocation import DATA_MOVED_TO, MOVED_TO
from calotype.store.files.bucket import Bucket, BucketLocation
from calotype.store.media.bucket_objects import BucketMedia
from calotype.store.media.objects import Media, StoredMedia
from calotype.store.tables.tables import Tables

FILE = "storage.json"
_FORMAT = 1


class StorageFileInvalid(Invalid):
    """`storage.json` is not a valid storage file."""

    code = "storage-file-invalid"
    what = "{file} cannot be read: {detail}"
    fix = "copy the file again from a machine where the workspace opens"


class OtherWorkspace(Conflict):
    """The database belongs to a different workspace than this folder."""

    code = "storage-other-workspace"
    what = (
        "the catalog at {place} belongs to workspace {found}, but this folder belongs to workspace {expected}"
    )
    fix = "correct the address in .calotype/storage.json, or copy the file from a machine where the workspace opens"


@dataclass(frozen=True, slots=True)
class Storage:
    """Addresses of the three stores; an empty address means a path inside `.calotype`. `workspace` is its id."""

    workspace: str = ""
    catalog: str = ""
    media: str = ""
    tables: str = ""
    endpoint: str = ""
    region: str = ""

    def __post_init__(self) -> None:
        if self.catalog:
            parse_catalog_url(self.catalog)
        for url in (self.media, self.tables):
            if url:
                self.bucket(url)

    @property
    def embedded(self) -> bool:
        """Whether all stores are inside the workspace folder."""
        return not (self.catalog or self.media or self.tables)

    def with_bucket(self, url: str, endpoint: str = "", region: str = "") -> Storage:
        """A copy with media and tables below a bucket address. Raises: BucketUrlInvalid."""
        url = url.rstrip("/")
        return replace(self, media=f"{url}/media", tables=f"{url}/tables", endpoint=endpoint, region=region)

    def bucket(self, url: str) -> BucketLocation:
        """A location that uses this endpoint and region. Raises: BucketUrlInvalid."""
        return BucketLocation(url, self.endpoint, self.region)

    def open_catalog(self, home: Path) -> Catalog:
        """Open the catalog of the workspace whose `.calotype` folder is `home`."""
        return Catalog(self.catalog or home / "catalog.sqlite")

    def open_media(self, home: Path) -> StoredMedia:
        """Open the media store. Raises: TeamExtraMissing."""
        if not self.media:
            return Media(home / "media")
        return BucketMedia(Bucket(self.bucket(self.media)), home / "cache" / "media")

    def open_tables(self, home: Path) -> Tables:
        """Open the table store. Raises: TeamExtraMissing."""
        return Tables(self.bucket(self.tables) if self.tables else home / "tables")

    def resolve_relocation(self, relocation: dict[str, dict[str, str]]) -> Storage:
        """The storage that the relocation rows of the catalog point to; `self` if the workspace has not moved."""
        if MOVED_TO in relocation:
            return replace(self, **relocation[MOVED_TO])
        locations = relocation.get(DATA_MOVED_TO)
        if locations and (locations["media"], locations["tables"]) != (self.media, self.tables):
            return replace(self, **locations)
        return self

    def save(self, home: Path) -> None:
        """Write the file atomically: after a crash it has the old or the new content."""
        text = json.dumps({"format": _FORMAT, **asdict(self)}, indent=2) + "\n"
        write_file(home / FILE, text.encode())


def load_storage(home: Path) -> Storage:
    """Read `storage.json`; return the embedded layout if the file does not exist.

    Raises: StorageFileInvalid, CatalogUrlInvalid, BucketUrlInvalid.
    """
    file = home / FILE
    try:
        document = json.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        return Storage()
    except ValueError as error:
        raise StorageFileInvalid(file=str(file), detail=str(error)) from None
    names = {field.name for field in fields(Storage)}
    if not isinstance(document, dict) or document.get("format") != _FORMAT:
        raise StorageFileInvalid(file=str(file), detail=f"the format is not {_FORMAT}")
    values = {name: value for name, value in document.items() if name != "format"}
    if set(values) != names or not all(isinstance(value, str) for value in values.values()):
        raise StorageFileInvalid(
            file=str(file), detail=f"it must contain exactly these strings: {', '.join(sorted(names))}"
        )
    return Storage(**values)


def storage_from_urls(catalog: str = "", bucket: str = "") -> Storage:
    """Storage for a database URL, a bucket URL, both or neither.

    The endpoint and region of the bucket are read from AWS_ENDPOINT_URL and AWS_REGION and stored.

    Raises: CatalogUrlInvalid, BucketUrlInvalid.
    """
    storage = Storage(catalog=catalog)
    if not bucket:
        return storage
    endpoint, region = os.environ.get("AWS_ENDPOINT_URL", ""), os.environ.get("AWS_REGION", "")
    return storage.with_bucket(bucket, endpoint, region)


IN_FOLDER = "folder"
"""Given instead of an address: store inside the workspace folder."""


def override_storage(storage: Storage, catalog: str = "", bucket: str = "") -> Storage:
    """Storage with some addresses replaced. Empty arguments keep the present address; `folder` means embedded.

    Raises: CatalogUrlInvalid, BucketUrlInvalid.
    """
    if bucket == IN_FOLDER:
        storage = replace(storage, media="", tables="", endpoint="", region="")
    elif bucket:
        requested = storage_from_urls(bucket=bucket)
        storage = storage.with_bucket(bucket, requested.endpoint, requested.region)
    return replace(storage, catalog="" if catalog == IN_FOLDER else catalog or storage.catalog)


def is_workspace(home: Path) -> bool:
    """Whether a `.calotype` folder belongs to a workspace."""
    return (home / FILE).is_file() or (home / "catalog.sqlite").is_file()
