"""Backs up a workspace in a consistent state while others keep working.

Consistency depends on the order: lock out sweeps; copy the catalog; then for each table read its tags, its versions and
finally its other files. Files that a tag or version refers to are older than it, so a later listing contains them.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa

from calotype.foundation.clock import now_us
from calotype.foundation.errors import Conflict
from calotype.foundation.ids import sha256_json, uuid7
from calotype.foundation.progress import Progress
from calotype.reliability import catalog_copy as row_copy
from calotype.reliability import repository
from calotype.reliability.backups import contents
from calotype.reliability.backups.targets import Target
from calotype.reliability.garbage_collection.reachability import ReferencedMedia
from calotype.reliability.model import BackupFile, BackupResult, Manifest
from calotype.reliability.sweep_lock import SweepLock
from calotype.store import Store
from calotype.store.catalog import audit_chain, relocation
from calotype.store.catalog.catalog import Catalog
from calotype.store.catalog.engines import WRITE
from calotype.store.media.objects import Media, MediaDamaged, MediaMissing, object_name
from calotype.store.media.references import is_reference

_BY_CONTENT = ("_versions", "_refs")
"""Table folders in which a restore from an older backup can reuse a name for different content."""


class BackupOfAnotherWorkspace(Conflict):
    """The target holds backups of another workspace."""

    code = "backup-of-another-workspace"
    what = "{target} holds backups of workspace {found}, but this is workspace {got}"
    fix = "choose another folder or prefix for the backups of this workspace"


@dataclass
class Backup:
    """One run; a repeated run after an interruption copies only what is missing."""

    store: Store
    target: Target
    address: str
    progress: Progress
    id: str = field(default_factory=uuid7)
    files: list[BackupFile] = field(default_factory=list)
    copied: int = 0
    copied_bytes: int = 0
    _target_sizes: dict[str, int] = field(default_factory=dict)
    _previous_files: dict[tuple[str, int, int], BackupFile] = field(default_factory=dict)
    _scratch: Path = Path()
    """Temporary path for a file downloaded from a bucket."""

    def __post_init__(self) -> None:
        self._sweep_lock = SweepLock(self.store, self.id)

    def run(self) -> BackupResult:
        """Copy everything, write the manifest, then update `latest`."""
        at_us = now_us()
        with self._sweeps_paused(), tempfile.TemporaryDirectory(prefix="calotype-backup-") as folder:
            catalog_file, self._scratch = Path(folder) / "catalog.sqlite", Path(folder) / "spare"
            catalog_copy(self.store, catalog_file)
            engine = sa.create_engine(f"sqlite:///{catalog_file}", poolclass=sa.pool.NullPool)
            with engine.connect() as conn:
                facts = _catalog_facts(conn)
                pins = repository.all_pins(conn)
            self._read_target(str(facts["workspace_id"]))
            self._copy_file("catalog.sqlite", catalog_file, by_content=True)
            for table in sorted(pins):
                self._copy_table(table)
            missing = self._copy_media(pins)
            self.target.flush()
            manifest = self._write_manifest(at_us, facts, missing)
        return BackupResult(manifest, self.copied, self.copied_bytes)

    def _read_target(self, workspace_id: str) -> None:
        """Read what the target already contains. Raises: BackupOfAnotherWorkspace."""
        manifests = contents.list_backups(self.target)
        other_ids = [manifest.workspace_id for manifest in manifests if manifest.workspace_id != workspace_id]
        if other_ids:
            raise BackupOfAnotherWorkspace(target=self.address, found=other_ids[0], got=workspace_id)
        for prefix in ("media", "tables", "objects"):
            self._target_sizes |= self.target.sizes(prefix)
        for manifest in manifests[-1:]:
            self._previous_files = {
                (f.path, f.n_bytes, f.mtime_ns): f for f in contents.read_file_list(self.target, manifest)
            }

    def _copy_table(self, table: str) -> None:
        table_folder, tree = f"{table}.lance", self.store.tables.storage.tree
        for folder in ("_refs", "_versions"):
            for name in sorted(tree.sizes(f"{table_folder}/{folder}")):
                if name.endswith((".json", ".manifest")) and not name.endswith("latest_version_hint.json"):
                    self._copy_small_file(f"tables/{name}", tree.fetch(name, self._scratch))
        for name, size in sorted(tree.sizes(table_folder).items()):
            if name[len(table_folder) + 1 :].partition("/")[0] in _BY_CONTENT or self._reuse(
                f"tables/{name}", size, 0
            ):
                continue
            file = tree.fetch(name, self._scratch)
            if file is not None:
                self._copy_file(f"tables/{name}", file, by_content=False)
            self._sweep_lock.renew()
        self._sweep_lock.renew()

    def _copy_media(self, pins: dict[str, set[int]]) -> list[str]:
        """Copy the media that the catalog refers to. Returns the missing and damaged ones."""
        referenced = ReferencedMedia(self.store)
        referenced.add(pins, self.progress)
        keys = set().union(*referenced.by_dataset.values()) if referenced.by_dataset else set()
        stored_keys = sorted(key for key in keys if not is_reference(key))  # references are not stored here
        missing = []
        for index, sha256 in enumerate(stored_keys):
            if not self._copy_media_object(sha256):
                missing.append(sha256)
            if index % 200 == 0 or index + 1 == len(stored_keys):
                self.progress("copying media", index + 1, len(stored_keys))
                self._sweep_lock.renew()
        return missing

    def _copy_media_object(self, sha256: str) -> bool:
        """Copy one object. Returns False if it is missing or damaged."""
        stored, name = self.store.media.stored, f"media/sha256/{object_name(sha256)}"
        try:
            size = stored.n_bytes(sha256)
            if size is None:
                return False
            if self._target_sizes.get(name) != size:
                if isinstance(stored, Media):
                    path = stored.path(sha256)
                    if _sha256(path) != sha256:
                        return False
                    self._put(name, path, size)
                else:
                    self._put_bytes(name, stored.read(sha256, verify=True))
        except (FileNotFoundError, MediaMissing, MediaDamaged):
            return False
        self.files.append(BackupFile(name, size, sha256, name))
        return True

    def _reuse(self, path: str, n_bytes: int, mtime_ns: int) -> bool:
        """Reuse the file from the previous backup, without reading it. Returns whether that is possible."""
        previous = self._previous_files.get((path, n_bytes, mtime_ns))
        if previous is None or self._target_sizes.get(previous.object_name) != n_bytes:
            return False
        self.files.append(previous)
        return True

    def _mtime_ns(self, file: Path) -> int:
        """Modification time of a file; 0 for a bucket object, which is identified by name and size."""
        return 0 if file == self._scratch else file.stat().st_mtime_ns

    def _copy_file(self, path: str, file: Path, *, by_content: bool) -> None:
        """Copy one file of the catalog or a table; reads it only if it is new."""
        try:
            stat, changed_ns = file.stat(), self._mtime_ns(file)
            if self._reuse(path, stat.st_size, changed_ns):
                return
            sha256 = _sha256(file)
            name = f"objects/{sha256[:2]}/{sha256}" if by_content else path
            if self._target_sizes.get(name) != stat.st_size:
                self._put(name, file, stat.st_size)
        except FileNotFoundError:
            return  # a temporary file that its writer has renamed meanwhile
        self.files.append(BackupFile(path, stat.st_size, sha256, name, changed_ns))

    def _copy_small_file(self, path: str, file: Path | None) -> None:
        """Copy a version or tag file, which may be replaced at any time; reads it exactly once."""
        try:
            if file is None:
                return
            changed_ns, data = self._mtime_ns(file), file.read_bytes()
        except FileNotFoundError:
            return
        sha256 = hashlib.sha256(data).hexdigest()
        name = f"objects/{sha256[:2]}/{sha256}"
        if self._target_sizes.get(name) != len(data):
            self._put_bytes(name, data)
        self.files.append(BackupFile(path, len(data), sha256, name, changed_ns))

    def _put_bytes(self, name: str, data: bytes) -> None:
        self.target.put(name, data)
        self._target_sizes[name] = len(data)
        self.copied, self.copied_bytes = self.copied + 1, self.copied_bytes + len(data)

    def _put(self, name: str, file: Path, size: int) -> None:
        self.target.put_file(name, file)
        self._target_sizes[name] = size
        self.copied += 1
        self.copied_bytes += size

    def _write_manifest(self, at_us: int, facts: dict[str, str | int], missing: list[str]) -> Manifest:
        file_list = contents.pack_file_list(self.files)
        manifest = Manifest(
            id=self.id,
            at_us=at_us,
            workspace_id=str(facts["workspace_id"]),
            audit_head=str(facts["audit_head"]),
            audit_events=int(facts["audit_events"]),
            commits=int(facts["commits"]),
            commits_sha256=str(facts["commits_sha256"]),
            media=sum(1 for file in self.files if file.path.startswith("media/")),
            files=len(self.files),
            n_bytes=sum(file.n_bytes for file in self.files),
            list_sha256=hashlib.sha256(file_list).hexdigest(),
            missing_media=tuple(missing),
        )
        self.target.put(f"backups/{self.id}/files.jsonl.gz", file_list)
        self.target.flush()
        self.target.put(f"backups/{self.id}/manifest.json", json.dumps(manifest.to_dict(), indent=2).encode())
        self.target.put("latest", f"{self.id}\n".encode())
        self.target.flush()
        return manifest

    @contextmanager
    def _sweeps_paused(self) -> Iterator[None]:
        """Lock out sweeps during the block."""
        self._sweep_lock.renew()
        try:
            yield
        finally:
            self._sweep_lock.release()


def catalog_copy(store: Store, path: Path) -> None:
    """Copy the catalog to one SQLite file, consistently and while others write.

    Relocation rows are removed, because a restored workspace is in a folder.
    """
    if isinstance(store.catalog.location, Path):
        with closing(sqlite3.connect(store.catalog.location)) as live, closing(sqlite3.connect(path)) as copy:
            live.backup(copy)
    copied = Catalog(path)
    with closing(copied), copied.engine.connect() as plain:
        target = plain.execution_options(**{WRITE: True})
        with target.begin():
            if not isinstance(store.catalog.location, Path):
                with store.catalog.read() as conn:
                    row_copy.copy_rows(conn, target)
            relocation.clear_relocation(target)
    with closing(sqlite3.connect(path)) as copy:
        copy.execute("PRAGMA journal_mode=DELETE")


def _catalog_facts(conn: sa.Connection) -> dict[str, str | int]:
    """Facts that a restored catalog must match."""
    chain = audit_chain.walk(conn)
    commits = sorted(commit.id for commit in repository.commits(conn))
    return {
        "workspace_id": repository.workspace_id(conn),
        "audit_head": chain.head,
        "audit_events": chain.n_events,
        "commits": len(commits),
        "commits_sha256": sha256_json(commits),
    }


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
