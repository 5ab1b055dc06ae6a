"""Two-phase removal of what nothing reaches: marked when first found, removed by a later run after a grace period.

Everything is removed inside the catalog's write lock, after looking once more at what is pinned: nobody can publish in
between. What a writer has written and not yet published is young, or was touched, and is left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from calotype.foundation.actor import Actor
from calotype.foundation.clock import now_us
from calotype.foundation.progress import Progress
from calotype.reliability import repository
from calotype.reliability.model import Swept
from calotype.reliability.reachability import NamedMedia
from calotype.store import Store
from calotype.store.maintenance import table_files

_BATCH = 500


@dataclass
class Sweep:
    """One run. `before_us`: what was marked, written or touched at or after this instant is too young to go."""

    store: Store
    actor: Actor
    now_us: int
    before_us: int
    dry_run: bool
    progress: Progress

    def run(self) -> list[Swept]:
        """All kinds in order: what a removed commit held is marked in the same run. Raises: TableDamaged."""
        done = [self._kind("commit", self._commits(), self._remove_commits)]
        with self.store.catalog.read() as conn:
            pins = repository.all_pins(conn)
        named = NamedMedia(self.store)
        named.add(pins, self.progress)
        done.append(self._kind("version", self._versions(pins), self._remove_versions))
        done.append(self._kind("file", self._stray(pins), self._remove_files))
        done.append(self._kind("folder", self._folders(pins), self._remove_folders))
        loose = [sha256 for sha256, _ in stored_media(self.store) if sha256 not in named]
        done.append(self._kind("media", loose, lambda conn, names: self._remove_media(conn, names, named)))
        return done

    def _kind(
        self, kind: str, found: Collection[str], remove: Callable[[sa.Connection, list[str]], tuple[int, int]]
    ) -> Swept:
        """Mark what is new, forget marks of what is reachable again, remove what was marked long enough ago."""
        now = set(found)
        with self.store.catalog.read() as conn:
            marked = repository.marks(conn, kind)
        ripe = sorted(name for name in now if name in marked and marked[name] < self.before_us)
        new, again = now - marked.keys(), marked.keys() - now
        if self.dry_run:
            return Swept(kind, len(new), len(ripe), 0, 0)
        removed = freed = 0
        for at in range(0, len(ripe), _BATCH):
            with self.store.catalog.bookkeeping() as conn:
                if repository.is_held(conn, now_us()):  # a backup is copying what may have to go
                    break
                batch = ripe[at : at + _BATCH]
                gone, bytes_ = remove(conn, batch)
                repository.unmark(conn, kind, batch)
            removed, freed = removed + gone, freed + bytes_
            self.progress(f"removing {kind}s", min(at + _BATCH, len(ripe)), len(ripe))
        if new or again:
            with self.store.catalog.bookkeeping() as conn:
                there = repository.marks(conn, kind)
                repository.mark(conn, kind, sorted(new - there.keys()), self.now_us)
                repository.unmark(conn, kind, sorted(again))
        return Swept(kind, len(new), len(ripe), removed, freed)

    # ---- what nothing reaches

    def _commits(self) -> list[str]:
        with self.store.catalog.read() as conn:
            return repository.unreachable_commits(conn, since_us=self.before_us)

    def _versions(self, pins: Mapping[str, set[int]]) -> list[str]:
        """Lance versions that no pin is read from, as `<table>@<n>`."""
        found = []
        for table in pins:
            if not self.dry_run:
                with self.store.catalog.bookkeeping() as conn:
                    pinned_now = repository.all_pins(conn).get(table, set())
                    table_files.protect_versions(self.store.tables, table, self._held(table, pinned_now))
            held = self._held(table, pins[table])
            every = table_files.versions(self.store.tables, table)
            found += [f"{table}@{version}" for version in every[:-1] if version not in held]
        return found

    def _stray(self, pins: Mapping[str, set[int]]) -> list[str]:
        found: list[str] = []
        for table in pins:
            strays = table_files.stray_files(self.store.tables, table)
            found += [entry.name for entry in strays if entry.at_us < self.before_us]
        return found

    def _folders(self, pins: Mapping[str, set[int]]) -> list[str]:
        """Folders of datasets that the catalog does not know (any more), and of tables that nothing pins."""
        with self.store.catalog.read() as conn:
            names = repository.dataset_names(conn)
        newest: dict[str, int] = {}
        for entry in self.store.tables.storage.list_files():
            owner, _, inner = entry.name.partition("/")
            table = entry.name.partition(".lance/")[0]
            if owner not in names and inner:
                newest[owner] = max(newest.get(owner, 0), entry.at_us)
            elif table != entry.name and table not in pins:
                newest[f"{table}.lance"] = max(newest.get(f"{table}.lance", 0), entry.at_us)
        return sorted(name for name, at_us in newest.items() if at_us < self.before_us)

    # ---- removal, inside the write lock

    def _remove_commits(self, conn: sa.Connection, names: list[str]) -> tuple[int, int]:
        still = set(repository.unreachable_commits(conn, since_us=self.before_us))
        gone = [name for name in names if name in still]
        for commit_id in gone:
            made = repository.commit(conn, commit_id)
            if made is not None:
                for table in made.pins:
                    table_files.delete_tags(
                        self.store.tables, f"{made.dataset_id}/{table}", [f"c-{commit_id[:32]}"]
                    )
        repository.remove_commits(conn, gone)
        return len(gone), 0

    def _remove_versions(self, conn: sa.Connection, names: list[str]) -> tuple[int, int]:
        old: dict[str, list[int]] = {}
        for name in names:
            table, _, version = name.rpartition("@")
            old.setdefault(table, []).append(int(version))
        pins = repository.all_pins(conn)
        removed = freed = 0
        for table, versions in old.items():
            held = self._held(table, pins.get(table, set()))
            free = [version for version in versions if version not in held]
            table_files.protect_versions(self.store.tables, table, held)
            freed += table_files.remove_versions(self.store.tables, table, free)
            removed += len(free)
        return removed, freed

    def _remove_files(self, conn: sa.Connection, names: list[str]) -> tuple[int, int]:
        """Stray files, unless a version came to hold them."""
        mine = {name.partition(".lance/")[0] for name in names} & repository.all_pins(conn).keys()
        strays = {entry.name for table in mine for entry in table_files.stray_files(self.store.tables, table)}
        return self._removed(name for name in names if name in strays)

    def _remove_folders(self, conn: sa.Connection, names: list[str]) -> tuple[int, int]:
        """Whole tables, unless a dataset came to own them."""
        known = repository.dataset_names(conn).keys() | repository.all_pins(conn).keys()
        return self._removed(name for name in names if name.removesuffix(".lance") not in known)

    def _removed(self, names: Iterable[str]) -> tuple[int, int]:
        place = self.store.tables.storage
        removed = freed = 0
        for name in names:
            folder = name.rpartition("/")[0] if _is_file(name) else name
            found = [
                one for one in place.list_files(folder) if one.name == name or one.name.startswith(f"{name}/")
            ]
            if found and max(one.at_us for one in found) < self.before_us:
                freed += sum(one.n_bytes for one in found)
                place.remove(name)
                removed += 1
        return removed, freed

    def _remove_media(self, conn: sa.Connection, names: list[str], named: NamedMedia) -> tuple[int, int]:
        named.add(repository.all_pins(conn))
        gone, freed = [], 0
        for sha256 in names:
            if sha256 not in named:
                size = self.store.media.stored.remove(sha256, untouched_since_us=self.before_us)
                if size is not None:
                    gone.append(sha256)
                    freed += size
        repository.forget_measures(conn, gone)
        return len(gone), freed

    def _held(self, table: str, pins: Collection[int]) -> set[int]:
        """The Lance versions that pins are read from."""
        return {int(self.store.tables.at(table, pin).version) for pin in pins}


def stored_media(store: Store) -> Iterator[tuple[str, int]]:
    """Every stored object: its SHA-256 and its size in bytes."""
    for entry in store.media.stored.entries():
        if len(entry.sha256) == 64:  # a person may have put a file of another name there
            yield entry.sha256, entry.n_bytes


def _is_file(name: str) -> bool:
    return bool(name.partition(".lance/")[2])
