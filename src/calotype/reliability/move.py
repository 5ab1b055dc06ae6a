"""Move a workspace to other storage: slow copies while others write, the final step inside the write lock.

The order ensures that after a kill exactly one of the two locations is authoritative: lock out sweeps; copy media and
table files; take the write lock; copy later changes and the catalog; verify the copy; mark the old catalog as moved;
write `storage.json`. A repeated run resumes and copies only what is missing.
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
from calotype.reliability import catalog_copy, repository
from calotype.reliability.garbage_collection.sweep import stored_media
from calotype.reliability.model import MoveResult
from calotype.reliability.sweep_lock import SweepLock
from calotype.reliability.verification.verify import verify_workspace
from calotype.store import Store
from calotype.store.catalog import relocation
from calotype.store.catalog.engines import WRITE, disable_idle_timeout
from calotype.store.files.file_tree import FileTree
from calotype.store.location import Storage
from calotype.store.maintenance.bucket_probe import probe
from calotype.store.store import reopen_store

_COPY_THREADS = 16
_BY_CONTENT = ("_versions", "_refs")
"""Table folders with small files that may be replaced under the same name."""
_SKIPPED = "latest_version_hint.json"


class MoveTargetTaken(Conflict):
    """The target location holds something else."""

    code = "move-target-taken"
    what = "the workspace cannot be moved to {place}: {detail}"
    fix = "choose an empty database and an empty prefix"


class MoveCopyDiffers(Conflict):
    """The copy differs from the workspace; the old location stays in use."""

    code = "move-copy-differs"
    what = "the copy differs from the workspace, which was not moved: {detail}"
    fix = "run `calotype verify --deep`, fix problems with `calotype repair`, then move again"


@dataclass
class Move:
    """One run of a move."""

    actor: Actor
    store: Store
    storage: Storage
    progress: Progress = silent
    id: str = field(default_factory=uuid7)
    copied: int = 0
    copied_bytes: int = 0

    def __post_init__(self) -> None:
        self._sweep_lock = SweepLock(self.store, self.id)

    def run(self) -> MoveResult:
        """Move the workspace, unless it is already there."""
        with self.store.catalog.read() as conn:
            self.storage = replace(self.storage, workspace=repository.workspace_id(conn))
        old = self.store.storage
        if replace(old, workspace=self.storage.workspace) == self.storage:
            return MoveResult(old, self.storage, 0, 0)
        if self._bytes_move and self.storage.tables:
            probe(self.storage.bucket(self.storage.tables))
        new = reopen_store(self.store, self.storage)
        with closing(new):
            self._check_target(new)
            with self._sweeps_paused():
                self._copy_media(new)
                self._copy_tables(new, last=False)
                with self.store.catalog.write(self.actor, "workspace.move", subject="workspace") as tx:
                    tx.details({"from": _addresses(old), "to": _addresses(self.storage)})
                with self.store.catalog.bookkeeping() as conn:
                    self._cut_over(new, conn)
            self.storage.save(self.store.folder)
        return MoveResult(old, self.storage, self.copied, self.copied_bytes)

    @property
    def _bytes_move(self) -> bool:
        old = self.store.storage
        return (old.media, old.tables) != (self.storage.media, self.storage.tables)

    @property
    def _catalog_moves(self) -> bool:
        return self.store.storage.catalog != self.storage.catalog

    def _cut_over(self, new: Store, conn: sa.Connection) -> None:
        """Final step, inside the write lock: nobody can commit, so the copy stays equal."""
        disable_idle_timeout(conn)
        self._sweep_lock.stop_renewing()
        self._copy_media(new)
        self._copy_tables(new, last=True)
        repository.unmark(conn, repository.HOLD, [self.id])
        relocation.clear_relocation(conn)
        if self._bytes_move:
            relocation.write_relocation(conn, relocation.DATA_MOVED_TO, _data_location(self.storage))
        if self._catalog_moves:
            self._copy_catalog(new, conn)
        self._verify_copy(new)
        if self._catalog_moves:
            relocation.write_relocation(
                conn, relocation.MOVED_TO, {"catalog": self.storage.catalog, **_data_location(self.storage)}
            )

    def _copy_media(self, new: Store) -> None:
        """Copy all stored media that the target lacks, and verify their hashes. Raises: MediaDamaged."""
        if not self._bytes_move:
            return
        source, target = self.store.media.stored, new.media.stored
        target_sizes = {entry.sha256: entry.n_bytes for entry in target.entries()}
        source_sizes = stored_media(self.store)
        missing = [(sha256, size) for sha256, size in source_sizes if target_sizes.get(sha256) != size]
        with target.batch() as batch:
            for n_done, (sha256, size) in enumerate(missing, start=1):
                batch.put(source.read(sha256, verify=True), sha256=sha256)
                self._count_copied(size)
                self.progress("copying media", n_done, len(missing))
                self._sweep_lock.renew()

    def _copy_tables(self, new: Store, *, last: bool) -> None:
        """Copy table files. The last pass also copies versions and tags, and deletes those that the source lacks."""
        if not self._bytes_move:
            return
        source, target = self.store.tables.storage.tree, new.tables.storage.tree
        if last:
            for table in self._pinned_tables():
                self.store.tables.storage.recover_head(
                    table
                )  # move versions damaged by a power failure out of the way
        source_sizes = {name: size for name, size in source.sizes().items() if not name.endswith(_SKIPPED)}
        target_sizes = target.sizes()
        mutable = {name for name in source_sizes if _is_small(name)}
        to_copy = [
            name
            for name in source_sizes
            if name not in mutable and target_sizes.get(name) != source_sizes[name]
        ]
        if last:
            for name in target_sizes:
                if _is_small(name) and name not in source_sizes:
                    target.remove(name)
            to_copy += sorted(mutable)
        for n_done, size in enumerate(_copy_files(source, target, to_copy, mutable), start=1):
            if size is not None:
                self._count_copied(size)
            self.progress("copying tables", n_done, len(to_copy))
            self._sweep_lock.renew()

    def _copy_catalog(self, new: Store, conn: sa.Connection) -> None:
        """Copy all rows in one transaction of the target database. Raises: MoveTargetTaken, MoveCopyDiffers."""
        with new.catalog.engine.connect() as plain:
            target = plain.execution_options(**{WRITE: True})
            with target.begin():
                self._check_catalog_target(target, conn)
                catalog_copy.drop_rows(target)
                catalog_copy.copy_rows(conn, target)
                if catalog_copy.count_rows(conn) != catalog_copy.count_rows(target):
                    raise MoveCopyDiffers(detail="a catalog table has a different number of rows")
                if _fingerprint(conn) != _fingerprint(target):
                    raise MoveCopyDiffers(detail="commits or audit trail differ")

    def _verify_copy(self, new: Store) -> None:
        verified = verify_workspace(new, deep=False, progress=self.progress)
        if verified.problems:
            first = verified.problems[0]
            raise MoveCopyDiffers(detail=f"{len(verified.problems)} problems, the first: {first.what}")

    def _check_target(self, new: Store) -> None:
        """Fail early on what would be refused inside the lock, and on tables of other workspaces in the bucket."""
        if self._catalog_moves:
            with self.store.catalog.read() as conn, new.catalog.read() as target:
                self._check_catalog_target(target, conn)
        if self._bytes_move:
            own = {name.partition("/")[0] for name in self.store.tables.storage.tree.sizes()}
            foreign = {name.partition("/")[0] for name in new.tables.storage.tree.sizes()} - own
            if foreign:
                detail = f"it contains tables of {len(foreign)} datasets that are not in this workspace"
                raise MoveTargetTaken(place=self.storage.tables or "the folder", detail=detail)

    def _check_catalog_target(self, target: sa.Connection, source: sa.Connection) -> None:
        """Refuse to overwrite a catalog unless it is empty or an earlier state of this one."""
        if not any(catalog_copy.count_rows(target).values()):
            return
        head = repository.audit_head(target)
        if not head or not repository.has_event(source, head):
            place = self.storage.catalog or "the folder"
            raise MoveTargetTaken(place=place, detail="the database holds another workspace or newer changes")

    def _pinned_tables(self) -> list[str]:
        with self.store.catalog.read() as conn:
            return sorted(repository.all_pins(conn))

    def _count_copied(self, n_bytes: int) -> None:
        self.copied += 1
        self.copied_bytes += n_bytes

    @contextmanager
    def _sweeps_paused(self) -> Iterator[None]:
        """Lock out sweeps during the block; on success the final step has already released the lock."""
        self._sweep_lock.renew()
        succeeded = False
        try:
            yield
            succeeded = True
        finally:
            if not succeeded:
                self._sweep_lock.release()


def _copy_files(
    source: FileTree, target: FileTree, names: Sequence[str], mutable: Collection[str]
) -> Iterator[int | None]:
    """Copy files in parallel. Yields the size in bytes of each; None if it is gone or already equal."""
    with (
        tempfile.TemporaryDirectory(prefix="calotype-move-") as folder,
        ThreadPoolExecutor(_COPY_THREADS) as pool,
    ):

        def carry(name: str) -> int | None:
            scratch = Path(folder) / uuid7()
            file = source.fetch(name, scratch)
            if file is None:
                return None
            existing = target.fetch(name, scratch.with_suffix(".there")) if name in mutable else None
            if existing is not None and filecmp.cmp(file, existing, shallow=False):
                return None
            target.put(name, file)
            size = file.stat().st_size
            scratch.unlink(missing_ok=True)
            return size

        yield from pool.map(carry, names)


def _is_small(name: str) -> bool:
    inner = name.partition(".lance/")[2]
    return inner.partition("/")[0] in _BY_CONTENT


def _data_location(storage: Storage) -> dict[str, str]:
    values = asdict(storage)
    return {key: values[key] for key in ("media", "tables", "endpoint", "region")}


def _addresses(storage: Storage) -> dict[str, str]:
    return {"catalog": storage.catalog, "media": storage.media, "tables": storage.tables}


def _fingerprint(conn: sa.Connection) -> tuple[str, str]:
    return repository.audit_head(conn), sha256_json(sorted(commit.id for commit in repository.commits(conn)))
