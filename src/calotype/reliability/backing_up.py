"""Copying a workspace as it was at one moment, while others go on working.

Order is what makes it consistent: hold the sweeps; copy the catalog; then, for each table, read its tags, list its
versions, and list its files last. Whatever a tag or version names was there before it, so it is in a later listing.
"""

from __future__ import annotations

import hashlib
import json
import os
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
from calotype.reliability import backups, repository
from calotype.reliability.model import BackedUp, Manifest, Stored
from calotype.reliability.reachability import NamedMedia
from calotype.reliability.targets import Target
from calotype.store import Store, audit_chain
from calotype.store.references import is_reference

_EVERY_US = 60 * 1_000_000
_BY_CONTENT = ("_versions", "_refs")
"""Table folders whose file names come again with other content, after a restore from an older backup."""


class BackupOfAnotherWorkspace(Conflict):
    """The target belongs to another workspace."""

    code = "backup-of-another-workspace"
    what = "{target} holds backups of workspace {found}, this is {got}"
    fix = "name another folder or prefix for the backups of this workspace"


@dataclass
class Backup:
    """One run; running it again after an interruption copies what is not there yet."""

    store: Store
    target: Target
    place: str
    progress: Progress
    id: str = field(default_factory=uuid7)
    files: list[Stored] = field(default_factory=list)
    copied: int = 0
    copied_bytes: int = 0
    _there: dict[str, int] = field(default_factory=dict)
    _known: dict[tuple[str, int, int], Stored] = field(default_factory=dict)
    _told_us: int = 0

    def run(self) -> BackedUp:
        """Copy everything, then write the manifest, then move `latest`."""
        at_us = now_us()
        with self._held(), tempfile.TemporaryDirectory(prefix="calotype-backup-") as folder:
            copy = Path(folder) / "catalog.sqlite"
            catalog_copy(self.store, copy)
            engine = sa.create_engine(f"sqlite:///{copy}", poolclass=sa.pool.NullPool)
            with engine.connect() as conn:
                about = _about(conn)
                pins = repository.all_pins(conn)
            self._look(str(about["workspace_id"]))
            self._file("catalog.sqlite", copy, by_content=True)
            for table in sorted(pins):
                self._table(table)
            missing = self._media(pins)
            self.target.flush()
            manifest = self._finish(at_us, about, missing)
        return BackedUp(manifest, self.copied, self.copied_bytes)

    def _look(self, workspace_id: str) -> None:
        """What the target has already, and whether it is ours. Raises: BackupOfAnotherWorkspace."""
        before = backups.all_in(self.target)
        other = [one.workspace_id for one in before if one.workspace_id != workspace_id]
        if other:
            raise BackupOfAnotherWorkspace(target=self.place, found=other[0], got=workspace_id)
        for prefix in ("media", "tables", "objects"):
            self._there |= self.target.sizes(prefix)
        for one in before[-1:]:
            self._known = {(f.path, f.n_bytes, f.mtime_ns): f for f in backups.list_of(self.target, one)}

    def _table(self, table: str) -> None:
        home = self.store.tables.folder(table)
        for name in ("_refs", "_versions"):
            for path in _files(home / name):
                if path.suffix in (".json", ".manifest") and path.name != "latest_version_hint.json":
                    self._small(path)
        for path in _files(home):
            if path.relative_to(home).parts[0] not in _BY_CONTENT:
                self._file(self._name(path), path, by_content=False)
        self._tell()

    def _media(self, pins: dict[str, set[int]]) -> list[str]:
        """Media that the copied catalog names; those that are gone or damaged are told of, the rest is saved."""
        named = NamedMedia(self.store)
        named.add(pins, self.progress)
        every = set().union(*named.by_dataset.values()) if named.by_dataset else set()
        wanted = sorted(key for key in every if not is_reference(key))  # the others never lay here
        missing = []
        for at, sha256 in enumerate(wanted):
            path = self.store.media.path(sha256)
            name = self._name(path)
            try:
                size = path.stat().st_size
                if self._there.get(name) != size:
                    if _sha256(path) != sha256:
                        raise FileNotFoundError
                    self._put(name, path, size)
                self.files.append(Stored(name, size, sha256, name))
            except FileNotFoundError:
                missing.append(sha256)
            if at % 200 == 0 or at + 1 == len(wanted):
                self.progress("copying media", at + 1, len(wanted))
                self._tell()
        return missing

    def _file(self, path: str, file: Path, *, by_content: bool) -> None:
        """One file of the catalog or a table; read only when it is new."""
        try:
            stat = file.stat()
            seen = self._known.get((path, stat.st_size, stat.st_mtime_ns))
            if seen is not None and self._there.get(seen.place) == stat.st_size:
                self.files.append(seen)
                return
            sha256 = _sha256(file)
            place = f"objects/{sha256[:2]}/{sha256}" if by_content else path
            if self._there.get(place) != stat.st_size:
                self._put(place, file, stat.st_size)
        except FileNotFoundError:
            return  # a temporary file of a writer that renamed it meanwhile
        self.files.append(Stored(path, stat.st_size, sha256, place, stat.st_mtime_ns))

    def _small(self, path: Path) -> None:
        """A version or a tag, which may be replaced at any moment: read once."""
        try:
            stat, data = path.stat(), path.read_bytes()
        except FileNotFoundError:
            return
        sha256 = hashlib.sha256(data).hexdigest()
        place = f"objects/{sha256[:2]}/{sha256}"
        if self._there.get(place) != len(data):
            self.target.put(place, data)
            self._there[place] = len(data)
            self.copied, self.copied_bytes = self.copied + 1, self.copied_bytes + len(data)
        self.files.append(Stored(self._name(path), len(data), sha256, place, stat.st_mtime_ns))

    def _put(self, place: str, file: Path, size: int) -> None:
        self.target.put_file(place, file)
        self._there[place] = size
        self.copied += 1
        self.copied_bytes += size

    def _finish(self, at_us: int, about: dict[str, str | int], missing: list[str]) -> Manifest:
        listed = backups.packed(self.files)
        manifest = Manifest(
            id=self.id, at_us=at_us, workspace_id=str(about["workspace_id"]),
            audit_head=str(about["audit_head"]), audit_events=int(about["audit_events"]),
            commits=int(about["commits"]), commits_sha256=str(about["commits_sha256"]),
            media=sum(1 for file in self.files if file.path.startswith("media/")), files=len(self.files),
            n_bytes=sum(file.n_bytes for file in self.files), list_sha256=hashlib.sha256(listed).hexdigest(),
            missing_media=tuple(missing),
        )  # fmt: skip
        self.target.put(f"backups/{self.id}/files.jsonl.gz", listed)
        self.target.flush()
        self.target.put(f"backups/{self.id}/manifest.json", json.dumps(manifest.to_dict(), indent=2).encode())
        self.target.put("latest", f"{self.id}\n".encode())
        self.target.flush()
        return manifest

    def _name(self, path: Path) -> str:
        return path.relative_to(self.store.folder).as_posix()

    @contextmanager
    def _held(self) -> Iterator[None]:
        """While this runs, sweeps remove nothing."""
        self._tell()
        try:
            yield
        finally:
            with self.store.catalog.bookkeeping() as conn:
                repository.unmark(conn, repository.HOLD, [self.id])

    def _tell(self) -> None:
        now = now_us()
        if now - self._told_us > _EVERY_US:
            with self.store.catalog.bookkeeping() as conn:
                repository.unmark(conn, repository.HOLD, [self.id])
                repository.mark(conn, repository.HOLD, [self.id], now)
            self._told_us = now


def catalog_copy(store: Store, path: Path) -> None:
    """A consistent copy of the catalog as one SQLite file, made while others write."""
    with closing(sqlite3.connect(store.catalog.place)) as live, closing(sqlite3.connect(path)) as copy:
        live.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")


def _about(conn: sa.Connection) -> dict[str, str | int]:
    """What a restored catalog must say again."""
    chain = audit_chain.walk(conn)
    commits = sorted(made.id for made in repository.commits(conn))
    return {
        "workspace_id": repository.workspace_id(conn), "audit_head": chain.head, "audit_events": chain.n_events,
        "commits": len(commits), "commits_sha256": sha256_json(commits),
    }  # fmt: skip


def _files(folder: Path) -> list[Path]:
    found = []
    for root, _, names in os.walk(folder):
        found += [Path(root) / name for name in names if not name.startswith(".")]
    return sorted(found)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
