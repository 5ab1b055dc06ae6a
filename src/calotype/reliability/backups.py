"""What a backup consists of, and the list of its files.

media/sha256/ab/<hex>             media, under their hash
tables/<dataset>/<table>.lance/…  table files with names of their own, never changed
objects/ab/<hex>                  the rest (catalog, versions and tags of tables), under the hash of its bytes
backups/<id>/files.jsonl.gz       path, bytes, hash and place of every file of one backup
backups/<id>/manifest.json        what it is; written last: a backup without one does not count
latest                            the id of the newest backup
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from calotype.foundation.errors import NotFound
from calotype.reliability.model import Manifest, Stored
from calotype.reliability.targets import BackupPartMissing, Target


class BackupNotFound(NotFound):
    """No such backup."""

    code = "backup-not-found"
    what = "{target} holds no backup {id}"
    fix = "it holds: {known}"


def packed(files: Sequence[Stored]) -> bytes:
    """The list of files; the same list gives the same bytes."""
    lines = (json.dumps([f.path, f.n_bytes, f.sha256, f.place, f.mtime_ns]) for f in files)
    return gzip.compress("\n".join(lines).encode(), mtime=0)


def list_of(target: Target, manifest: Manifest) -> list[Stored]:
    """The files of a backup. Raises: BackupPartMissing."""
    name = f"backups/{manifest.id}/files.jsonl.gz"
    data = b"".join(target.chunks(name))
    if hashlib.sha256(data).hexdigest() != manifest.list_sha256:
        raise BackupPartMissing(name=name)
    files = [Stored(*json.loads(line)) for line in gzip.decompress(data).decode().splitlines() if line]
    for path in (PurePosixPath(text) for file in files for text in (file.path, file.place)):
        if (
            path.is_absolute() or ".." in path.parts
        ):  # a list that somebody else wrote must not name other folders
            raise BackupPartMissing(name=name)
    return files


def all_in(target: Target) -> list[Manifest]:
    """The complete backups of a target, oldest first."""
    names = [name for name in target.sizes("backups") if name.endswith("/manifest.json")]
    found = [_read(target, name) for name in names]
    return sorted(found, key=lambda one: (one.at_us, one.id))


def one_of(target: Target, place: str, at: str | None) -> Manifest:
    """A backup by its id (or the first digits of it); the newest without one. Raises: BackupNotFound."""
    known = all_in(target)
    matches = [one for one in known if at is None or one.id.startswith(at)]
    if not matches or (at is not None and len(matches) > 1):
        listed = ", ".join(one.id for one in known[-20:]) or "none"
        raise BackupNotFound(target=place, id=at or "at all", known=listed)
    return matches[-1]


def _read(target: Target, name: str) -> Manifest:
    told = json.loads(b"".join(target.chunks(name)))
    fields = Manifest.__dataclass_fields__
    kept = {key: value for key, value in told.items() if key in fields}
    return Manifest(**{**kept, "missing_media": tuple(told.get("missing_media", ()))})


def pieces(target: Target, file: Stored) -> Iterator[bytes]:
    """The bytes of one file, checked at the end. Raises: BackupPartMissing."""
    digest, n_bytes = hashlib.sha256(), 0
    for chunk in target.chunks(file.place):
        digest.update(chunk)
        n_bytes += len(chunk)
        yield chunk
    if (digest.hexdigest(), n_bytes) != (file.sha256, file.n_bytes):
        raise BackupPartMissing(name=file.place)
