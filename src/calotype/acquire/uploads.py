"""Uploading one image: its bytes are written to a temporary file within a limit, checked and stored like any file.

Uploads that wait for the same branch at the same time become one edit (`upload_groups`).
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath
from typing import Any

from calotype.acquire import quarantine
from calotype.acquire.intake import load_image
from calotype.acquire.job import ImportJob
from calotype.acquire.model import Added, UploadNameInvalid, UploadNameTooLong, UploadTooLarge
from calotype.acquire.quarantine import QuarantinedItem
from calotype.acquire.sample_matcher import IncomingImage, IntakeResult, SampleMatcher
from calotype.acquire.upload_groups import groups_of
from calotype.datasets import refs
from calotype.datasets.change import Change
from calotype.datasets.edit import apply, current
from calotype.datasets.snapshot import Snapshot
from calotype.foundation.actor import Actor, Permission
from calotype.store import Store
from calotype.vision import images

MAX_UPLOAD_BYTES = 200_000_000
MAX_PART_BYTES = 255
"""What a folder of a file system takes, so that the sample can be exported under its name."""
_VERB = "images.add"


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
    current(actor, name, store=store, verb=_VERB)  # refused before bytes are stored
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
        job = ImportJob(actor, name, store, import_id, _VERB)
        loaded = load_image(store, image)
    result = IntakeResult()
    groups = groups_of(store)
    if isinstance(loaded, QuarantinedItem):
        groups.write((actor, name, import_id, "bad"), loaded, lambda take: _write_bad(job, take))
        result.quarantined.append(loaded)
    else:
        outcome = groups.write((actor, name, import_id, "good"), loaded, lambda take: _write(job, take))
        setattr(result, str(outcome), 1)
    return Added.of(result)


def _write(job: ImportJob, take: Callable[[], list[Any]]) -> list[Any]:
    """One edit with all files that `take` returns; the outcome of each."""
    matcher = SampleMatcher(job.import_id, "alias", few_in=job.store)
    details: dict[str, Any] = {"import": job.import_id, "run": job.import_id}

    def plan(snapshot: Snapshot) -> Change:
        files = take()
        details["files"] = len(files)
        return matcher.change(snapshot, files)

    apply(job.actor, job.name, plan, store=job.store, verb=job.verb, details=details)
    return matcher.outcomes


def _write_bad(job: ImportJob, take: Callable[[], list[Any]]) -> list[Any]:
    """One edit that puts all items that `take` returns into the quarantine."""
    bad: list[QuarantinedItem] = []

    def plan(_snapshot: Snapshot) -> Change:
        bad[:] = take()
        return Change()

    details = {"import": job.import_id, "files": 0}
    record = job.recorder(bad)
    apply(job.actor, job.name, plan, store=job.store, verb=job.verb, details=details, record=record)
    return list(bad)


def _check(name: str) -> None:
    parts = name.split("/")
    plain = all(part not in ("", ".", "..") for part in parts) and "\\" not in name and ":" not in parts[0]
    if any(len(part.encode()) > MAX_PART_BYTES for part in parts):
        raise UploadNameTooLong(where=name[:80], limit=MAX_PART_BYTES)
    if not plain or len(name) > 1_000 or any(ord(letter) < 32 for letter in name):
        raise UploadNameInvalid(got=name[:80])
