"""The verbs of this room: prove the workspace whole, mend it, keep it small, carry it away and bring it back."""

from __future__ import annotations

from pathlib import Path

from calotype.foundation.actor import Actor, Permission
from calotype.foundation.clock import now_us
from calotype.foundation.progress import Progress, silent
from calotype.reliability import backups, compacting, repairing, restoring, sizing, verifying
from calotype.reliability.backing_up import Backup
from calotype.reliability.caches import trim
from calotype.reliability.model import (
    BackedUp,
    Collected,
    Manifest,
    Moved,
    Repaired,
    Restored,
    Sizes,
    Verified,
)
from calotype.reliability.moving import Move
from calotype.reliability.sources import Source
from calotype.reliability.sweeping import Sweep
from calotype.reliability.targets import target_at
from calotype.store import Store
from calotype.store.location import override_storage

GRACE_S = 14 * 24 * 3_600.0
"""Longer than any writer stages and any reader reads."""

_ROUNDS = 5

CACHE_BYTES = 5_000_000_000


def verify(actor: Actor, *, store: Store, deep: bool = False, progress: Progress = silent) -> Verified:
    """Prove that every commit, branch and tag can be read and says what it said, and that nothing they name is missing.

    Commit ids are computed again from what the commits say, audit events are chained again, the rows of every
    version are counted against the commit, all media and all files of releases are looked for.

    Args:
        deep: Read every column of every table, hash all media and all files of releases again.
    Raises: NotPermitted.
    """
    store.guard.require(actor, Permission.AUDIT_READ)
    return verifying.inspect(store, deep=deep, progress=progress)


def repair(
    actor: Actor,
    *,
    store: Store,
    source: Path | None = None,
    dry_run: bool = True,
    deep: bool = False,
    progress: Progress = silent,
) -> Repaired:
    """Mend what can be mended. Nothing that a commit or ref names is removed; the audit chain is never rewritten.

    Args:
        source: A backup, another workspace or a folder with the original images, to take lost bytes from.
        dry_run: Show the plan only.
        deep: Look for damage as `verify` does with `deep`.
    Raises: NotPermitted, SourceNotFound.
    """
    store.guard.require(actor, Permission.WORKSPACE_MAINTAIN)
    place = None if source is None else Source(source)
    found = verifying.inspect(store, deep=deep, progress=progress)
    plan = repairing.plan(store, found, place)
    if dry_run or not plan:
        return Repaired(tuple(plan), done=False)
    everything, mended = list(plan), 0
    for _ in range(_ROUNDS):  # a table that is back names media that nobody could look for before
        mended += repairing.mend_files(store, plan, place)
        with store.catalog.write(actor, "workspace.repair", subject="workspace") as tx:
            mended += repairing.mend_catalog(tx.conn, plan)
            kinds = sorted({mend.problem.kind for mend in plan if mend.can})
            tx.details({"mended": mended, "of": len(plan), "kinds": kinds})
        found = verifying.inspect(store, deep=deep, progress=progress)
        seen = {str(mend.problem) for mend in everything}
        plan = [mend for mend in repairing.plan(store, found, place) if str(mend.problem) not in seen]
        everything += plan
        if not any(mend.can for mend in plan):
            break
    return Repaired(tuple(everything), done=True, mended=mended, left=found)


def gc(
    actor: Actor,
    *,
    store: Store,
    grace_s: float = GRACE_S,
    dry_run: bool = False,
    always_compact: bool = False,
    cache_bytes: int = CACHE_BYTES,
    progress: Progress = silent,
) -> Collected:
    """Compact tables, then remove what nothing reaches and was marked so by a run at least a grace period ago.

    Safe beside writers and readers whose work takes less than the grace period. What every commit, branch, tag and
    release names stays; what the reflog named within the grace period stays too.

    Args:
        grace_s: Seconds; 0 only when no other process uses the workspace.
        always_compact: Compact whatever has more than one part; by default only where it is worth it.
        cache_bytes: Caches are trimmed to this size, the longest unused first.
    Raises: NotPermitted, TableDamaged (then nothing is removed).
    """
    store.guard.require(actor, Permission.WORKSPACE_MAINTAIN)
    compacted = [] if dry_run else compacting.compact(actor, store, always=always_compact, progress=progress)
    now = now_us()
    swept = Sweep(store, actor, now, now - round(max(0.0, grace_s) * 1_000_000), dry_run, progress).run()
    swept.append(trim(store, cache_bytes, dry_run=dry_run))
    done = Collected(dry_run, grace_s, tuple(compacted), tuple(swept))
    if not dry_run:
        with store.catalog.write(actor, "workspace.gc", subject="workspace") as tx:
            facts = {"grace_s": grace_s, "removed": done.removed, "freed_bytes": done.freed_bytes}
            tx.details({**facts, "compacted": len(compacted)})
    return done


def size(actor: Actor, *, store: Store, progress: Progress = silent) -> Sizes:
    """How many bytes lie on the disk and what for. Raises: NotPermitted, TableDamaged."""
    store.guard.require(actor, Permission.DATASET_READ)
    return sizing.measure(actor, store, progress=progress)


def backup(actor: Actor, target: str, *, store: Store, progress: Progress = silent) -> BackedUp:
    """Copy the workspace as it is at this moment to a folder or bucket; what is there already is not copied again.

    Safe beside writers and `gc`; running it again after an interruption goes on. Files of releases are not copied:
    `calotype releases --build` writes the same bytes again.

    Raises: NotPermitted, BackupTargetUnusable, BackupOfAnotherWorkspace, TableDamaged.
    """
    store.guard.require(actor, Permission.WORKSPACE_MAINTAIN)
    done = Backup(store, target_at(target), target, progress).run()
    with store.catalog.write(actor, "workspace.backup", subject="workspace") as tx:
        facts = {"backup": done.manifest.id, "files": done.manifest.files, "bytes": done.manifest.n_bytes}
        tx.details({**facts, "missing_media": len(done.manifest.missing_media)})
    return done


def move(
    actor: Actor, *, store: Store, catalog: str = "", bucket: str = "", progress: Progress = silent
) -> Moved:
    """Move the catalog to a database, media and tables to a bucket; what is not named stays where it is.

    Others may work meanwhile; towards the end they wait. Interrupted, the old place stays in charge, and running it
    again goes on. The copy is verified before it takes over. Old files stay. `store` is of no use afterwards.

    Args:
        catalog: `postgresql://user@host/database`; or `folder`: into the folder of the workspace.
        bucket: `s3://bucket/prefix`; or `folder`.
    Raises: NotPermitted, MoveTargetTaken, MoveCopyDiffers, MediaDamaged, BucketUnsafe, BucketFailed,
        CatalogUrlInvalid, CatalogUnreachable.
    """
    store.guard.require(actor, Permission.WORKSPACE_MAINTAIN)
    return Move(actor, store, override_storage(store.storage, catalog, bucket), progress).run()


def list_backups(actor: Actor, target: str, *, store: Store) -> list[Manifest]:
    """The complete backups of a folder or bucket, oldest first. Raises: NotPermitted, BackupTargetUnusable."""
    store.guard.require(actor, Permission.WORKSPACE_MAINTAIN)
    return backups.all_in(target_at(target))


def drill(
    actor: Actor, target: str, *, store: Store, at: str | None = None, progress: Progress = silent
) -> Restored:
    """Restore a backup into a temporary folder, verify every byte, compare it with what was saved, throw it away.

    Raises: NotPermitted, BackupNotFound, BackupPartMissing.
    """
    store.guard.require(actor, Permission.WORKSPACE_MAINTAIN)
    done = restoring.drill(actor, target_at(target), target, at=at, progress=progress)
    with store.catalog.write(actor, "workspace.drill", subject="workspace") as tx:
        tx.details({"backup": done.manifest.id, "ok": done.ok, "seconds": done.seconds})
    return done


def restore(
    actor: Actor,
    target: str,
    into: Path,
    *,
    at: str | None = None,
    deep: bool = False,
    progress: Progress = silent,
) -> Restored:
    """Make a workspace again from a backup, in a folder that holds none; it is there whole or not at all.

    There is no workspace yet whose guard could be asked: who can read the backup can restore it.

    Args:
        at: The id of a backup, or its first digits; the newest without one.
    Raises: BackupNotFound, BackupPartMissing, RestoreTargetTaken.
    """
    return restoring.restore(
        actor, target_at(target), target, into, at=at, deep=deep, record=True, progress=progress
    )
