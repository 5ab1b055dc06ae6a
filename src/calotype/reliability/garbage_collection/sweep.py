"""Two-phase removal of unreachable data: one run marks it, a later run removes it after a grace period.

Removal takes place inside the catalog's write lock, after checking the pins again, so nobody can publish meanwhile.
Data that a writer has not published yet is recent or was touched, and is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from calotype.contracts.classification import held_datasets
from calotype.foundation.actor import Actor
from calotype.foundation.clock import now_us
from calotype.foundation.progress import Progress
from calotype.reliability import repository
from calotype.reliability.garbage_collection.reachability import ReferencedMedia
from calotype.reliability.model import SweepResult
from calotype.store import Store
from calotype.store.maintenance import table_files

_BATCH = 500


@dataclass
class Sweep:
    """One run. Data marked, written or touched at or after `cutoff_us` is kept."""

    store: Store
    actor: Actor
    now_us: int
    cutoff_us: int
    dry_run: bool
    progress: Progress

    def run(self) -> list[SweepResult]:
        """Sweep all kinds in order: data of a removed commit is marked in the same run. Raises: TableDamaged."""
        results = [self._sweep_kind("commit", self._unreachable_commits(), self._remove_commits)]
        with self.store.catalog.read() as conn:
            pins = repository.all_pins(conn)
        referenced = ReferencedMedia(self.store)
        referenced.add(pins, self.progress)
        results.append(self._sweep_kind("version", self._unpinned_versions(pins), self._remove_versions))
        results.append(self._sweep_kind("file", self._unreferenced_files(pins), self._remove_files))
        results.append(self._sweep_kind("folder", self._unowned_folders(pins), self._remove_folders))
        unreferenced = [sha256 for sha256, _ in stored_media(self.store) if sha256 not in referenced]
        results.append(
            self._sweep_kind(
                "media", unreferenced, lambda conn, names: self._remove_media(conn, names, referenced)
            )
        )
        return results

    def _sweep_kind(
        self,
        kind: str,
        unreachable: Collection[str],
        remove: Callable[[sa.Connection, list[str]], tuple[int, int]],
    ) -> SweepResult:
        """Mark new names, unmark reachable ones, and remove those marked before the cutoff."""
        current = set(unreachable)
        with self.store.catalog.read() as conn:
            marked = repository.marks(conn, kind)
        removable = sorted(name for name in current if name in marked and marked[name] < self.cutoff_us)
        new, reachable = current - marked.keys(), marked.keys() - current
        if self.dry_run:
            return SweepResult(kind, len(new), len(removable), 0, 0)
        removed = freed = 0
        for start in range(0, len(removable), _BATCH):
            with self.store.catalog.bookkeeping() as conn:
                if repository.sweeps_locked(conn, now_us()):  # a running copy may need this data
                    break
                batch = removable[start : start + _BATCH]
                n_removed, n_bytes = remove(conn, batch)
                repository.unmark(conn, kind, batch)
            removed, freed = removed + n_removed, freed + n_bytes
            self.progress(f"removing {kind}s", min(start + _BATCH, len(removable)), len(removable))
        if new or reachable:
            with self.store.catalog.bookkeeping() as conn:
                present = repository.marks(conn, kind)
                repository.mark(conn, kind, sorted(new - present.keys()), self.now_us)
                repository.unmark(conn, kind, sorted(reachable))
        return SweepResult(kind, len(new), len(removable), removed, freed)

    # ---- unreachable data

    def _unreachable_commits(self) -> list[str]:
        with self.store.catalog.read() as conn:
            return repository.unreachable_commits(conn, since_us=self.cutoff_us)

    def _unpinned_versions(self, pins: Mapping[str, set[int]]) -> list[str]:
        """Lance versions that no pin is read from, as `<table>@<n>`."""
        unpinned = []
        for table in self._without_hold(pins):
            if not self.dry_run:
                with self.store.catalog.bookkeeping() as conn:
                    pinned_now = repository.all_pins(conn).get(table, set())
                    table_files.protect_versions(
                        self.store.tables, table, self._versions_in_use(table, pinned_now)
                    )
            in_use = self._versions_in_use(table, pins[table])
            versions = table_files.versions(self.store.tables, table)
            unpinned += [f"{table}@{version}" for version in versions[:-1] if version not in in_use]
        return unpinned

    def _unreferenced_files(self, pins: Mapping[str, set[int]]) -> list[str]:
        old_files: list[str] = []
        for table in self._without_hold(pins):
            strays = table_files.stray_files(self.store.tables, table)
            old_files += [entry.name for entry in strays if entry.at_us < self.cutoff_us]
        return old_files

    def _unowned_folders(self, pins: Mapping[str, set[int]]) -> list[str]:
        """Folders of unknown datasets, and of tables that nothing pins."""
        with self.store.catalog.read() as conn:
            names, held = repository.dataset_names(conn), held_datasets(conn)
        newest: dict[str, int] = {}
        for entry in self.store.tables.storage.list_files():
            owner, _, inner = entry.name.partition("/")
            table = entry.name.partition(".lance/")[0]
            if owner not in names and inner:
                newest[owner] = max(newest.get(owner, 0), entry.at_us)
            elif table != entry.name and table not in pins and owner not in held:
                newest[f"{table}.lance"] = max(newest.get(f"{table}.lance", 0), entry.at_us)
        return sorted(name for name, at_us in newest.items() if at_us < self.cutoff_us)

    def _without_hold(self, tables: Iterable[str]) -> list[str]:
        """The tables of datasets of which things may be deleted."""
        with self.store.catalog.read() as conn:
            held = held_datasets(conn)
        return [table for table in tables if table.partition("/")[0] not in held]

    # ---- removal, inside the write lock

    def _remove_commits(self, conn: sa.Connection, names: list[str]) -> tuple[int, int]:
        unreachable = set(repository.unreachable_commits(conn, since_us=self.cutoff_us))
        removed = [name for name in names if name in unreachable]
        for commit_id in removed:
            commit = repository.commit(conn, commit_id)
            if commit is not None:
                for table in commit.pins:
                    table_files.delete_tags(
                        self.store.tables, f"{commit.dataset_id}/{table}", [f"c-{commit_id[:32]}"]
                    )
        repository.remove_commits(conn, removed)
        return len(removed), 0

    def _remove_versions(self, conn: sa.Connection, names: list[str]) -> tuple[int, int]:
        old: dict[str, list[int]] = {}
        for name in names:
            table, _, version = name.rpartition("@")
            old.setdefault(table, []).append(int(version))
        pins = repository.all_pins(conn)
        removed = freed = 0
        for table, versions in old.items():
            in_use = self._versions_in_use(table, pins.get(table, set()))
            unused = [version for version in versions if version not in in_use]
            table_files.protect_versions(self.store.tables, table, in_use)
            freed += table_files.remove_versions(self.store.tables, table, unused)
            removed += len(unused)
        return removed, freed

    def _remove_files(self, conn: sa.Connection, names: list[str]) -> tuple[int, int]:
        """Remove stray files, unless a version refers to them by now."""
        tables = {name.partition(".lance/")[0] for name in names} & repository.all_pins(conn).keys()
        strays = {
            entry.name for table in tables for entry in table_files.stray_files(self.store.tables, table)
        }
        return self._remove_paths(name for name in names if name in strays)

    def _remove_folders(self, conn: sa.Connection, names: list[str]) -> tuple[int, int]:
        """Remove whole tables, unless a dataset owns them by now."""
        known = repository.dataset_names(conn).keys() | repository.all_pins(conn).keys()
        return self._remove_paths(name for name in names if name.removesuffix(".lance") not in known)

    def _remove_paths(self, names: Iterable[str]) -> tuple[int, int]:
        storage = self.store.tables.storage
        removed = freed = 0
        for name in names:
            folder = name.rpartition("/")[0] if _is_file(name) else name
            entries = [
                entry
                for entry in storage.list_files(folder)
                if entry.name == name or entry.name.startswith(f"{name}/")
            ]
            if entries and max(entry.at_us for entry in entries) < self.cutoff_us:
                freed += sum(entry.n_bytes for entry in entries)
                storage.remove(name)
                removed += 1
        return removed, freed

    def _remove_media(
        self, conn: sa.Connection, names: list[str], referenced: ReferencedMedia
    ) -> tuple[int, int]:
        referenced.add(repository.all_pins(conn))
        removed, freed = [], 0
        for sha256 in names:
            if sha256 not in referenced:
                size = self.store.media.stored.remove(sha256, untouched_since_us=self.cutoff_us)
                if size is not None:
                    removed.append(sha256)
                    freed += size
        repository.forget_measures(conn, removed)
        return len(removed), freed

    def _versions_in_use(self, table: str, pins: Collection[int]) -> set[int]:
        """The Lance versions that the pins are read from."""
        return {int(self.store.tables.at(table, pin).version) for pin in pins}


def stored_media(store: Store) -> Iterator[tuple[str, int]]:
    """SHA-256 and size in bytes of every stored object."""
    for entry in store.media.stored.entries():
        if len(entry.sha256) == 64:  # skip files that do not belong to Calotype
            yield entry.sha256, entry.n_bytes


def _is_file(name: str) -> bool:
    return bool(name.partition(".lance/")[2])
