"""Copying a workspace as it was at one moment, while others go on working.

Order is what makes it consistent: hold the sweeps; copy the catalog; then, for each table, read its tags, list its
versions, and list its files last. Whatever a tag or version names was there before it, so it is in a later listing.
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
from calotype.reliability import backups, repository
from calotype.reliability.holding import Hold
from calotype.reliability.model import BackedUp, Manifest, Stored
from calotype.reliability.reachability import NamedMedia
from calotype.reliability.targets import Target
from calotype.store import Store
from calotype.store.catalog import audit_chain, relocation
from calotype.store.catalog.catalog import Catalog
from calotype.store.catalog.engines import WRITE
from calotype.store.maintenance import catalog_copy as row_copy
from calotype.store.media.objects import Media, MediaDamaged, MediaMissing, object_name
from calotype.store.media.references import is_reference

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
    _spare: Path = Path()
    """Where one file out of a bucket lies while it is copied."""

    def __post_init__(self) -> None:
        self._hold = Hold(self.store, self.id)

    def run(self) -> BackedUp:
        """Copy everything, then write the manifest, then move `latest`."""
        at_us = now_us()
        with self._held(), tempfile.TemporaryDirectory(prefix="calotype-backup-") as folder:
            copy, self._spare = Path(folder) / "catalog.sqlite", Path(folder) / "spare"
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
        home, tree = f"{table}.lance", self.store.tables.storage.tree
        for folder in ("_refs", "_versions"):
            for name in sorted(tree.sizes(f"{home}/{folder}")):
                if name.endswith((".json", ".manifest")) and not name.endswith("latest_version_hint.json"):
                    self._small(f"tables/{name}", tree.fetch(name, self._spare))
        for name, size in sorted(tree.sizes(home).items()):
            if name[len(home) + 1 :].partition("/")[0] in _BY_CONTENT or self._kept(
                f"tables/{name}", size, 0
            ):
                continue
            file = tree.fetch(name, self._spare)
            if file is not None:
                self._file(f"tables/{name}", file, by_content=False)
            self._hold.tell()
        self._hold.tell()

    def _media(self, pins: dict[str, set[int]]) -> list[str]:
        """Media that the copied catalog names; those that are gone or damaged are told of, the rest is saved."""
        named = NamedMedia(self.store)
        named.add(pins, self.progress)
        every = set().union(*named.by_dataset.values()) if named.by_dataset else set()
        wanted = sorted(key for key in every if not is_reference(key))  # the others never lay here
        missing = []
        for at, sha256 in enumerate(wanted):
            if not self._one_media(sha256):
                missing.append(sha256)
            if at % 200 == 0 or at + 1 == len(wanted):
                self.progress("copying media", at + 1, len(wanted))
                self._hold.tell()
        return missing

    def _one_media(self, sha256: str) -> bool:
        """Whether the bytes are there, whole, and saved."""
        stored, name = self.store.media.stored, f"media/sha256/{object_name(sha256)}"
        try:
            size = stored.n_bytes(sha256)
            if size is None:
                return False
            if self._there.get(name) != size:
                if isinstance(stored, Media):
                    path = stored.path(sha256)
                    if _sha256(path) != sha256:
                        return False
                    self._put(name, path, size)
                else:
                    self._put_bytes(name, stored.read(sha256, verify=True))
        except (FileNotFoundError, MediaMissing, MediaDamaged):
            return False
        self.files.append(Stored(name, size, sha256, name))
        return True

    def _kept(self, path: str, n_bytes: int, mtime_ns: int) -> bool:
        """Whether the backup before has this file, so that nobody has to read it."""
        seen = self._known.get((path, n_bytes, mtime_ns))
        if seen is None or self._there.get(seen.place) != n_bytes:
            return False
        self.files.append(seen)
        return True

    def _time(self, file: Path) -> int:
        """When a file was changed; 0 for one out of a bucket, whose files are told apart by name and size."""
        return 0 if file == self._spare else file.stat().st_mtime_ns

    def _file(self, path: str, file: Path, *, by_content: bool) -> None:
        """One file of the catalog or a table; read only when it is new."""
        try:
            stat, changed_ns = file.stat(), self._time(file)
            if self._kept(path, stat.st_size, changed_ns):
                return
            sha256 = _sha256(file)
            place = f"objects/{sha256[:2]}/{sha256}" if by_content else path
            if self._there.get(place) != stat.st_size:
                self._put(place, file, stat.st_size)
        except FileNotFoundError:
            return  # a temporary file of a writer that renamed it meanwhile
        self.files.append(Stored(path, stat.st_size, sha256, place, changed_ns))

    def _small(self, path: str, file: Path | None) -> None:
        """A version or a tag, which may be replaced at any moment: read once."""
        try:
            if file is None:
                return
            changed_ns, data = self._time(file), file.read_bytes()
        except FileNotFoundError:
            return
        sha256 = hashlib.sha256(data).hexdigest()
        place = f"objects/{sha256[:2]}/{sha256}"
        if self._there.get(place) != len(data):
            self._put_bytes(place, data)
        self.files.append(Stored(path, len(data), sha256, place, changed_ns))

    def _put_bytes(self, place: str, data: bytes) -> None:
        self.target.put(place, data)
        self._there[place] = len(data)
        self.copied, self.copied_bytes = self.copied + 1, self.copied_bytes + len(data)

    def _put(self, place: str, file: Path, size: int) -> None:
        self.target.put_file(place, file)
        self._there[place] = size
        self.copied += 1
        self.copied_bytes += size

    def _finish(self, at_us: int, about: dict[str, str | int], missing: list[str]) -> Manifest:
        listed = backups.packed(self.files)
        manifest = Manifest(
            id=self.id,
            at_us=at_us,
            workspace_id=str(about["workspace_id"]),
            audit_head=str(about["audit_head"]),
            audit_events=int(about["audit_events"]),
            commits=int(about["commits"]),
            commits_sha256=str(about["commits_sha256"]),
            media=sum(1 for file in self.files if file.path.startswith("media/")),
            files=len(self.files),
            n_bytes=sum(file.n_bytes for file in self.files),
            list_sha256=hashlib.sha256(listed).hexdigest(),
            missing_media=tuple(missing),
        )
        self.target.put(f"backups/{self.id}/files.jsonl.gz", listed)
        self.target.flush()
        self.target.put(f"backups/{self.id}/manifest.json", json.dumps(manifest.to_dict(), indent=2).encode())
        self.target.put("latest", f"{self.id}\n".encode())
        self.target.flush()
        return manifest

    @contextmanager
    def _held(self) -> Iterator[None]:
        """While this runs, sweeps remove nothing."""
        self._hold.tell()
        try:
            yield
        finally:
            self._hold.end()


def catalog_copy(store: Store, path: Path) -> None:
    """A consistent copy of the catalog as one SQLite file, made while others write.

    It does not say where a workspace was moved to: what is restored from it lies in a folder.
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


def _about(conn: sa.Connection) -> dict[str, str | int]:
    """What a restored catalog must say again."""
    chain = audit_chain.walk(conn)
    commits = sorted(made.id for made in repository.commits(conn))
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
