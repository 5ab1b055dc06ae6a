"""The verbs of this room: read the audit trail, prove the workspace whole."""

from __future__ import annotations

import pyarrow.compute as pc

from calotype.datasets import repository as datasets_repository
from calotype.datasets import rows
from calotype.datasets.commits import DatasetInfo, Pins
from calotype.foundation.actor import Actor, Permission
from calotype.foundation.progress import Progress, silent
from calotype.govern import repository
from calotype.govern.model import AuditEvent, Verified
from calotype.store import Store
from calotype.store.catalog import event_hash
from calotype.store.media import MediaDamaged, MediaMissing
from calotype.store.tables import TableDamaged


def audit(actor: Actor, *, store: Store, subject: str | None = None, limit: int = 200) -> list[AuditEvent]:
    """The newest audit events, of one dataset or of all. Raises: NotPermitted."""
    store.guard.require(actor, Permission.AUDIT_READ, dataset=subject or "workspace")
    with store.catalog.read() as conn:
        return repository.events(conn, subject=subject, limit=limit)


def chain_problems(actor: Actor, *, store: Store) -> list[str]:
    """Where the audit chain is broken: an event was changed, removed or put in. Raises: NotPermitted."""
    store.guard.require(actor, Permission.AUDIT_READ)
    return _chain(store)[1]


def verify(actor: Actor, *, store: Store, deep: bool = False, progress: Progress = silent) -> Verified:
    """Prove that every commit, branch and tag can be read and that all media they name are stored.

    Args:
        deep: Read all media again and compare their hashes.
    Raises: NotPermitted.
    """
    store.guard.require(actor, Permission.AUDIT_READ)
    n_events, problems = _chain(store)
    media: set[str] = set()
    pinned: set[tuple[str, str, int]] = set()
    with store.catalog.read() as conn:
        infos = datasets_repository.all_datasets(conn)
        states: list[tuple[DatasetInfo, str, Pins]] = []
        for info in infos:
            commits = datasets_repository.commits_of(conn, info.id)
            states += [(info, made.short, made.pins) for made in commits.values()]
            states += [(info, ref.name, ref.pins) for ref in datasets_repository.refs(conn, info.id)]
            problems += [
                f"{info.name}: {made.short} names its parent {parent[:12]}, which is not there"
                for made in commits.values()
                for parent in made.parents
                if parent not in commits
            ]
        n_commits = sum(len(datasets_repository.commits_of(conn, info.id)) for info in infos)
    for at, (info, label, pins) in enumerate(states):
        for table, version in pins.items():
            if (info.id, table, version) not in pinned:
                pinned.add((info.id, table, version))
                problems += _table_problems(store, info, label, table, version, media)
        progress("reading commits", at + 1, len(states))
    problems += _media_problems(store, sorted(media), deep=deep, progress=progress)
    return Verified(len(infos), n_commits, len(pinned), len(media), n_events, tuple(problems))


def _chain(store: Store) -> tuple[int, list[str]]:
    problems, previous, n_events = [], "0" * 64, 0
    with store.catalog.read() as conn:
        for event in repository.chain(conn):
            n_events += 1
            body = {name: getattr(event, name) for name in ("at_us", "actor", "verb", "subject")}
            body["details"] = dict(event.details)
            if event.previous != previous:
                problems.append(f"audit: event {event.seq} does not follow the one before it")
            if event_hash(body, previous=event.previous) != event.hash:
                problems.append(f"audit: event {event.seq} was changed after it was written")
            previous = event.hash
    return n_events, problems


def _table_problems(
    store: Store, info: DatasetInfo, label: str, table: str, version: int, media: set[str]
) -> list[str]:  # fmt: skip
    try:
        if table == rows.SAMPLES:
            read = store.tables.read(f"{info.id}/{table}", version)
            media.update(read["media_sha256"].to_pylist())
            key = "sample_id"
        else:
            read = store.tables.read(f"{info.id}/{table}", version)
            key = "ann_id"
    except TableDamaged as error:
        return [f"{info.name}@{label}: {error.message}"]
    except OSError as error:
        return [f"{info.name}@{label}: table {table} at version {version} cannot be read: {str(error)[:200]}"]
    twice = read.num_rows - pc.count_distinct(read[key]).as_py()
    return [f"{info.name}@{label}: {twice} rows of {table} have the id of another row"] if twice else []


def _media_problems(store: Store, media: list[str], *, deep: bool, progress: Progress) -> list[str]:
    problems = []
    for at, sha256 in enumerate(media):
        try:
            if deep:
                store.media.read(sha256, verify=True)
            elif not store.media.has(sha256):
                raise MediaMissing(sha256=sha256)
        except (MediaMissing, MediaDamaged) as error:
            problems.append(f"media: {error.message}")
        if at % 500 == 0 or at + 1 == len(media):
            progress("checking media", at + 1, len(media))
    return problems
