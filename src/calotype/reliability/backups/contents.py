"""The layout of a backup, and the list of its files.

media/sha256/ab/<hex>             media, under their hash
tables/<dataset>/<table>.lance/…  immutable, uniquely named table files
objects/ab/<hex>                  everything else (catalog, versions and tags of tables), by content hash
backups/<id>/files.jsonl.gz       path, size, hash and object name of every file of one backup
backups/<id>/manifest.json        description; written last, so a backup without one is incomplete
latest                            the id of the newest backup
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from calotype.foundation.errors import NotFound
from calotype.reliability.backups.targets import BackupFileMissing, Target
from calotype.reliability.model import BackupFile, Manifest


class BackupNotFound(NotFound):
    """There is no such backup."""

    code = "backup-not-found"
    what = "{target} has no backup {id}"
    fix = "available backups: {known}"


def pack_file_list(files: Sequence[BackupFile]) -> bytes:
    """Serialise a list of files deterministically."""
    lines = (json.dumps([f.path, f.n_bytes, f.sha256, f.object_name, f.mtime_ns]) for f in files)
    return gzip.compress("\n".join(lines).encode(), mtime=0)


def read_file_list(target: Target, manifest: Manifest) -> list[BackupFile]:
    """The files of a backup. Raises: BackupFileMissing."""
    name = f"backups/{manifest.id}/files.jsonl.gz"
    data = b"".join(target.chunks(name))
    if hashlib.sha256(data).hexdigest() != manifest.list_sha256:
        raise BackupFileMissing(name=name)
    files = [BackupFile(*json.loads(line)) for line in gzip.decompress(data).decode().splitlines() if line]
    for path in (PurePosixPath(text) for file in files for text in (file.path, file.object_name)):
        if (
            path.is_absolute() or ".." in path.parts
        ):  # never follow paths out of the workspace, whoever wrote the list
            raise BackupFileMissing(name=name)
    return files


def list_backups(target: Target) -> list[Manifest]:
    """Complete backups in a target, oldest first."""
    names = [name for name in target.sizes("backups") if name.endswith("/manifest.json")]
    manifests = [_read_manifest(target, name) for name in names]
    return sorted(manifests, key=lambda manifest: (manifest.at_us, manifest.id))


def find_backup(target: Target, address: str, backup_id: str | None) -> Manifest:
    """A backup by id or unique prefix; the newest by default. Raises: BackupNotFound."""
    known = list_backups(target)
    matches = [manifest for manifest in known if backup_id is None or manifest.id.startswith(backup_id)]
    if not matches or (backup_id is not None and len(matches) > 1):
        ids = ", ".join(manifest.id for manifest in known[-20:]) or "none"
        raise BackupNotFound(target=address, id=backup_id or "at all", known=ids)
    return matches[-1]


def _read_manifest(target: Target, name: str) -> Manifest:
    document = json.loads(b"".join(target.chunks(name)))
    fields = Manifest.__dataclass_fields__
    known_fields = {key: value for key, value in document.items() if key in fields}
    return Manifest(**{**known_fields, "missing_media": tuple(document.get("missing_media", ()))})


def read_chunks(target: Target, file: BackupFile) -> Iterator[bytes]:
    """The bytes of one file, verified at the end. Raises: BackupFileMissing."""
    digest, n_bytes = hashlib.sha256(), 0
    for chunk in target.chunks(file.object_name):
        digest.update(chunk)
        n_bytes += len(chunk)
        yield chunk
    if (digest.hexdigest(), n_bytes) != (file.sha256, file.n_bytes):
        raise BackupFileMissing(name=file.object_name)
