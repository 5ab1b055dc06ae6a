"""Moving a workspace to other storage: everything that takes long beside writers, the rest inside the write lock.

In this order, so that a kill at any point leaves the old place or the new one in charge, never both or neither: hold
the sweeps; copy media and table files; take the write lock; copy what changed since, and the catalog; verify the copy;
mark the old catalog as left; write `storage.json`. Running it again goes on, and copies only what is not there.
"""

from __future__ import annotations

import filecmp
import tempfile
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import sqlalchemy as sa

from calotype.foundation.actor import Actor
from calotype.foundation.errors import Conflict
from calotype.foundation.ids import sha256_json, uuid7
from calotype.foundation.progress import Progress, silent
from calotype.reliability import repository, verifying
from calotype.reliability.holding import Hold
from calotype.reliability.model import Moved
from calotype.reliability.sweeping import stored_media
from calotype.store import Store
from calotype.store.catalog import relocation
from calotype.store.catalog.engines import WRITE, disable_idle_timeout
from calotype.store.files.file_tree import FileTree
from calotype.store.location import Storage
from calotype.store.maintenance import catalog_copy
from calotype.store.maintenance.bucket_probe import probe
from calotype.store.store import reopen_store

_AT_ONCE = 16
_BY_CONTENT = ("_versions", "_refs")
"""Folders of a table whose files may be replaced under the same name; they are small."""
_LEFT_OUT = "latest_version_hint.json"


class MoveTargetTaken(Conflict):
    """Something else lies where the workspace shall go."""

    code = "move-target-taken"
    what = "the workspace cannot be moved to {place}: {detail}"
    fix = "name an empty database and an empty prefix"


class MoveCopyDiffers(Conflict):
    """The copy does not hold what the workspace holds; the old place stays in charge."""

    code = "move-copy-differs"
    what = "the copy is not the same as the workspace, which stays where it is: {detail}"
    fix = "run `calotype verify --deep` and mend what it finds with `calotype repair`, then move again"


@dataclass
class Move:
    """One run."""

    actor: Actor
    store: Store
    storage: Storage
    progress: Progress = silent
    id: str = field(default_factory=uuid7)
    copied: int = 0
    copied_bytes: int = 0

    def __post_init__(self) -> None:
        self._hold = Hold(self.store, self.id)

    def run(self) -> Moved:
        """Move, or find that there is nothing to move."""
        with self.store.catalog.read() as conn:
            self.storage = replace(self.storage, workspace=repository.workspace_id(conn))
        old = self.store.storage
        if replace(old, workspace=self.storage.workspace) == self.storage:
            return Moved(old, self.storage, 0, 0)
        if self._bytes_move and self.storage.tables:
            probe(self.storage.bucket(self.storage.tables))
        new = reopen_store(self.store, self.storage)
        with closing(new):
            self._refuse_taken(new)
            with self._held():
                self._media(new)
                self._tables(new, last=False)
                with self.store.catalog.write(self.actor, "workspace.move", subject="workspace") as tx:
                    tx.details({"from": _shown(old), "to": _shown(self.storage)})
                with self.store.catalog.bookkeeping() as conn:
                    self._last(new, conn)
            self.storage.save(self.store.folder)
        return Moved(old, self.storage, self.copied, self.copied_bytes)

    @property
    def _bytes_move(self) -> bool:
        old = self.store.storage
        return (old.media, old.tables) != (self.storage.media, self.storage.tables)

    @property
    def _catalog_moves(self) -> bool:
        return self.store.storage.catalog != self.storage.catalog

    def _last(self, new: Store, conn: sa.Connection) -> None:
        """Inside the write lock: nobody can commit, so what is equal now stays equal."""
        disable_idle_timeout(conn)
        self._hold.rest()
        self._media(new)
        self._tables(new, last=True)
        repository.unmark(conn, repository.HOLD, [self.id])
        relocation.clear_relocation(conn)
        if self._bytes_move:
            relocation.write_relocation(conn, relocation.DATA_MOVED_TO, _bytes_at(self.storage))
        if self._catalog_moves:
            self._catalog(new, conn)
        self._check(new)
        if self._catalog_moves:
            relocation.write_relocation(
                conn, relocation.MOVED_TO, {"catalog": self.storage.catalog, **_bytes_at(self.storage)}
            )

    def _media(self, new: Store) -> None:
        """Every stored image that the other place lacks, its hash checked on the way. Raises: MediaDamaged."""
        if not self._bytes_move:
            return
        source, target = self.store.media.stored, new.media.stored
        there = {entry.sha256: entry.n_bytes for entry in target.entries()}
        ours = stored_media(self.store)
        lacking = [(sha256, size) for sha256, size in ours if there.get(sha256) != size]
        with target.batch() as batch:
            for at, (sha256, size) in enumerate(lacking, start=1):
                batch.put(source.read(sha256, verify=True), sha256=sha256)
                self._count(size)
                self.progress("copying media", at, len(lacking))
                self._hold.tell()

    def _tables(self, new: Store, *, last: bool) -> None:
        """Table files; the last time also versions and tags, which then are exactly those of the source."""
        if not self._bytes_move:
            return
        source, target = self.store.tables.storage.tree, new.tables.storage.tree
        if last:
            for table in self._pinned():
                self.store.tables.storage.recover_head(
                    table
                )  # versions that a power cut tore go out of the way
        wanted = {name: size for name, size in source.sizes().items() if not name.endswith(_LEFT_OUT)}
        there = target.sizes()
        small = {name for name in wanted if _is_small(name)}
        lacking = [name for name in wanted if name not in small and there.get(name) != wanted[name]]
        if last:
            for name in there:
                if _is_small(name) and name not in wanted:
                    target.remove(name)
            lacking += sorted(small)
        for at, size in enumerate(_carried(source, target, lacking, small), start=1):
            if size is not None:
                self._count(size)
            self.progress("copying tables", at, len(lacking))
            self._hold.tell()

    def _catalog(self, new: Store, conn: sa.Connection) -> None:
        """All rows, in one transaction of the other database. Raises: MoveTargetTaken, MoveCopyDiffers."""
        with new.catalog.engine.connect() as plain:
            target = plain.execution_options(**{WRITE: True})
            with target.begin():
                self._refuse_other_rows(target, conn)
                catalog_copy.drop_rows(target)
                catalog_copy.copy_rows(conn, target)
                if catalog_copy.count_rows(conn) != catalog_copy.count_rows(target):
                    raise MoveCopyDiffers(detail="a table of the catalog has another number of rows")
                if _told(conn) != _told(target):
                    raise MoveCopyDiffers(detail="commits or audit trail are not the same")

    def _check(self, new: Store) -> None:
        found = verifying.inspect(new, deep=False, progress=self.progress)
        if found.problems:
            first = found.problems[0]
            raise MoveCopyDiffers(detail=f"{len(found.problems)} problems, the first: {first.what}")

    def _refuse_taken(self, new: Store) -> None:
        """Refuse early what would be refused inside the lock, and what other workspaces have in the bucket."""
        if self._catalog_moves:
            with self.store.catalog.read() as conn, new.catalog.read() as target:
                self._refuse_other_rows(target, conn)
        if self._bytes_move:
            ours = {name.partition("/")[0] for name in self.store.tables.storage.tree.sizes()}
            foreign = {name.partition("/")[0] for name in new.tables.storage.tree.sizes()} - ours
            if foreign:
                said = f"tables of {len(foreign)} datasets lie there that this workspace does not have"
                raise MoveTargetTaken(place=self.storage.tables or "the folder", detail=said)

    def _refuse_other_rows(self, target: sa.Connection, source: sa.Connection) -> None:
        """A catalog may be written over when it is empty, or an earlier state of this one: nothing in it is new."""
        if not any(catalog_copy.count_rows(target).values()):
            return
        head = repository.audit_head(target)
        if not head or not repository.has_event(source, head):
            place = self.storage.catalog or "the folder"
            raise MoveTargetTaken(place=place, detail="the database holds another workspace or newer work")

    def _pinned(self) -> list[str]:
        with self.store.catalog.read() as conn:
            return sorted(repository.all_pins(conn))

    def _count(self, n_bytes: int) -> None:
        self.copied += 1
        self.copied_bytes += n_bytes

    @contextmanager
    def _held(self) -> Iterator[None]:
        """While this runs, sweeps remove nothing; the last phase lets go together with all else that it writes."""
        self._hold.tell()
        done = False
        try:
            yield
            done = True
        finally:
            if not done:
                self._hold.end()


def _carried(
    source: FileTree, target: FileTree, names: Sequence[str], small: Collection[str]
) -> Iterator[int | None]:
    """Copy files, several at once. Gives the bytes of each; None where it is gone, or was the same already."""
    with (
        tempfile.TemporaryDirectory(prefix="calotype-move-") as folder,
        ThreadPoolExecutor(_AT_ONCE) as pool,
    ):

        def carry(name: str) -> int | None:
            spare = Path(folder) / uuid7()
            file = source.fetch(name, spare)
            if file is None:
                return None
            beside = target.fetch(name, spare.with_suffix(".there")) if name in small else None
            if beside is not None and filecmp.cmp(file, beside, shallow=False):
                return None
            target.put(name, file)
            size = file.stat().st_size
            spare.unlink(missing_ok=True)
            return size

        yield from pool.map(carry, names)


def _is_small(name: str) -> bool:
    inner = name.partition(".lance/")[2]
    return inner.partition("/")[0] in _BY_CONTENT


def _bytes_at(storage: Storage) -> dict[str, str]:
    values = asdict(storage)
    return {key: values[key] for key in ("media", "tables", "endpoint", "region")}


def _shown(storage: Storage) -> dict[str, str]:
    return {"catalog": storage.catalog, "media": storage.media, "tables": storage.tables}


def _told(conn: sa.Connection) -> tuple[str, str]:
    return repository.audit_head(conn), sha256_json(sorted(made.id for made in repository.commits(conn)))
