"""Uploading one image: its bytes are written to a temporary file within a limit, then imported like any file."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from calotype.acquire import quarantine
from calotype.acquire.intake import copy_images
from calotype.acquire.job import ImportJob
from calotype.acquire.model import Added, UploadNameInvalid, UploadNameTooLong, UploadTooLarge
from calotype.acquire.sample_matcher import IncomingImage
from calotype.datasets import refs
from calotype.foundation.actor import Actor, Permission
from calotype.store import Store
from calotype.vision import images

MAX_UPLOAD_BYTES = 200_000_000
MAX_PART_BYTES = 255
"""What a folder of a file system takes, so that the sample can be exported under its name."""


def add_upload(
    actor: Actor,
    name: str,
    file_name: str,
    chunks: Iterable[bytes],
    *,
    store: Store,
    source: str = "",
    licence: str = "",
    max_bytes: int = MAX_UPLOAD_BYTES,
) -> Added:
    """Add one uploaded image under a relative name. Uploading it again changes nothing.

    Raises: NotPermitted, DatasetNotFound, UploadNameInvalid, UploadTooLarge.
    """
    dataset_name, _ = refs.split_name(name)
    store.guard.require(actor, Permission.DATASET_EDIT, dataset=dataset_name)
    with store.catalog.read() as conn:
        info = refs.dataset(conn, dataset_name)
    _check(file_name)
    with tempfile.TemporaryDirectory(prefix="upload-", dir=store.folder) as folder:
        suffix = PurePosixPath(file_name).suffix.lower()
        file = Path(folder) / f"upload{suffix if suffix in images.IMAGE_EXTENSIONS else ''}"
        n_bytes = 0
        with file.open("wb") as out:
            for chunk in chunks:
                n_bytes += len(chunk)
                if n_bytes > max_bytes:
                    raise UploadTooLarge(where=file_name, limit_mb=max_bytes // 1_000_000)
                out.write(chunk)
        image = IncomingImage(file, file_name, source=source, licence=licence)
        import_id = quarantine.import_id(info.id, "images", f"upload:{source}")
        result = copy_images(ImportJob(actor, name, store, import_id, "images.add"), [image], 1)
    return Added.of(result)


def _check(name: str) -> None:
    parts = name.split("/")
    plain = all(part not in ("", ".", "..") for part in parts) and "\\" not in name and ":" not in parts[0]
    if any(len(part.encode()) > MAX_PART_BYTES for part in parts):
        raise UploadNameTooLong(where=name[:80], limit=MAX_PART_BYTES)
    if not plain or len(name) > 1_000 or any(ord(letter) < 32 for letter in name):
        raise UploadNameInvalid(got=name[:80])
