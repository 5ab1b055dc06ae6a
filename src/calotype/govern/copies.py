"""Copies of checkpoints in a second place: a folder or a bucket that people of the workspace cannot change."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from calotype.foundation.actor import Actor
from calotype.foundation.durable import fsync_path
from calotype.foundation.errors import AlreadyExists, Invalid
from calotype.foundation.os_errors import as_calotype_error
from calotype.govern import repository, signing
from calotype.govern.checkpoint import Checkpoint
from calotype.govern.model import CHECKPOINT_VERB, AuditFilter
from calotype.store import Store
from calotype.store.files.bucket import Bucket, BucketLocation

SERVER = Actor("server", "calotype serve", "service", roles=())
"""Signs the checkpoints that a server copies by itself."""


class EvidenceExists(AlreadyExists):
    """Evidence is never overwritten."""

    code = "evidence-exists"
    what = "the file {file} already exists, and evidence is never overwritten"
    fix = "choose another name"


class SecondPlaceInvalid(Invalid):
    """The place for copies is not apart from the workspace."""

    code = "second-place-invalid"
    what = "{place} cannot hold copies of checkpoints: {why}"
    fix = "name an existing folder outside the workspace, such as a mounted share, or s3://BUCKET/PREFIX"


def second_place(address: str, store: Store) -> str:
    """The address of a second place, checked. Raises: SecondPlaceInvalid, BucketUrlInvalid."""
    if is_bucket(address):
        BucketLocation(address)
        return address
    folder = Path(address).expanduser().resolve()
    if not folder.is_dir():
        raise SecondPlaceInvalid(place=address, why="it is not a folder")
    if folder.is_relative_to(store.root.resolve()):
        raise SecondPlaceInvalid(place=address, why="it is inside the workspace")
    return str(folder)


def is_bucket(address: str) -> bool:
    """Whether an address is a URL, such as that of a bucket, not a path."""
    return "://" in address


def check_is_new(address: str) -> None:
    """Refuse the path of a file that exists; a folder or a bucket gets a new name. Raises: EvidenceExists."""
    if not is_bucket(address) and Path(address).exists() and not Path(address).is_dir():
        raise EvidenceExists(file=address)


def write(checkpoint: Checkpoint, address: str) -> str:
    """Write a checkpoint to a new file, into a folder, or below s3://BUCKET/PREFIX; returns where it is.

    Raises: EvidenceExists, BucketUrlInvalid, BucketFailed, StorageFailed.
    """
    data, name = checkpoint.to_json().encode(), file_name(checkpoint)
    if is_bucket(address):
        bucket = Bucket(BucketLocation(address))
        if not bucket.put_new(name, data):
            raise EvidenceExists(file=f"{address.rstrip('/')}/{name}")
        return f"{address.rstrip('/')}/{name}"
    file = Path(address) / name if Path(address).is_dir() else Path(address)
    try:
        with file.open("xb") as handle:
            handle.write(data)
            handle.flush()
            os.fsync(handle.fileno())
        fsync_path(file.parent)
    except FileExistsError:
        raise EvidenceExists(file=str(file)) from None
    except OSError as error:
        raise as_calotype_error(error) from None
    return str(file)


def file_name(checkpoint: Checkpoint) -> str:
    """Name of the file of a checkpoint; names sort by the number of events."""
    return f"audit-{checkpoint.size:09}.checkpoint.json"


def copy_checkpoint(place: str, *, store: Store) -> Checkpoint | None:
    """Sign a checkpoint and write it to a second place, for a server that does so regularly.

    Returns None where nothing has happened since the last of these checkpoints: a server at rest adds no events.

    Raises: SecondPlaceInvalid, BucketFailed, StorageFailed, AuditKeyInvalid, WorkspaceReadOnly.
    """
    place = second_place(place, store)  # a share that is not mounted must not become a file
    with store.catalog.read() as conn:
        last = repository.events(conn, AuditFilter(), limit=1)
    if last and (last[0].verb, last[0].actor) == (CHECKPOINT_VERB, SERVER.id):
        return None
    signed = signing.sign_now(store).checkpoint
    with suppress(EvidenceExists):  # a server that was killed between these lines has written it already
        write(signed, place)
    signing.record(SERVER, signed, store=store)
    return signed
