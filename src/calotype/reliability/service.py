"""Verify, repair, compact, move, back up and restore a workspace."""

from __future__ import annotations

from pathlib import Path

from calotype.foundation.actor import Actor, Permission
from calotype.foundation.clock import now_us
from calotype.foundation.progress import Progress, silent
from calotype.foundation.verbs import verb
from calotype.reliability import disk_usage, repository
from calotype.reliability.backups import contents
from calotype.reliability.backups.backup import Backup
from calotype.reliability.backups.restore import restore_backup, run_drill
from calotype.reliability.backups.targets import open_target
from calotype.reliability.garbage_collection import compaction
from calotype.reliability.garbage_collection.caches import trim
from calotype.reliability.garbage_collection.sweep import Sweep
from calotype.reliability.model import (
    BackupResult,
    DiskUsage,
    GcResult,
    Manifest,
    MoveResult,
    RepairResult,
    RestoreResult,
    VerifyResult,
)
from calotype.reliability.move import Move
from calotype.reliability.repair import plan_repair, repair_catalog, repair_files
from calotype.reliability.repair_source import RepairSource
from calotype.reliability.verification.verify import verify_workspace
from calotype.store import Store
from calotype.store.location import override_storage

GRACE_S = 14 * 24 * 3_600.0
"""Longer than any writer stages data and any reader reads."""

_ROUNDS = 5

CACHE_BYTES = 5_000_000_000


@verb
def verify(actor: Actor, *, store: Store, deep: bool = False, progress: Progress = silent) -> VerifyResult:
    """Check that every commit, branch and tag is readable and unchanged, and that nothing they refer to is missing.

    Recomputes commit ids and the audit chain, compares row counts of every version with the commit, and checks that
    all media and release files exist.

    Args:
        deep: Also read every column of every table, and hash all media and release files.
    Raises: NotPermitted.
    """
    store.guard.require(actor, Permission.AUDIT_READ)
    return verify_workspace(store, deep=deep, progress=progress)


@verb(here="it takes missing files from folders of that machine")
def repair(
    actor: Actor,
    *,
    store: Store,
    source: Path | None = None,
    dry_run: bool = True,
    deep: bool = False,
    progress: Progress = silent,
) -> RepairResult:
    """Repair what can be repaired. Never removes referenced data, never rewrites the audit chain.

    Args:
        source: A backup, another workspace or a folder with the original images, to restore lost bytes from.
        dry_run: Only return the plan.
        deep: Look for problems with `verify --deep`.
    Raises: NotPermitted, SourceNotFound.
    """
    store.guard.require(actor, Permission.WORKSPACE_MAINTAIN)
    repair_source = None if source is None else RepairSource(source)
    verified = verify_workspace(store, deep=deep, progress=progress)
    plan = plan_repair(store, verified, repair_source)
    if dry_run or not plan:
        return RepairResult(tuple(plan), done=False)
    all_steps, n_repaired = list(plan), 0
    for _ in range(_ROUNDS):  # a restored table may refer to media that could not be checked before
        n_repaired += repair_files(store, plan, repair_source)
        with store.catalog.write(actor, "workspace.repair", subject="workspace") as tx:
            n_repaired += repair_catalog(tx.conn, plan)
            kinds = sorted({step.problem.kind for step in plan if step.can})
            tx.details({"mended": n_repaired, "of": len(plan), "kinds": kinds})
        verified = verify_workspace(store, deep=deep, progress=progress)
        seen = {str(step.problem) for step in all_steps}
        plan = [step for step in plan_repair(store, verified, repair_source) if str(step.problem) not in seen]
        all_steps += plan
        if not any(step.can for step in plan):
            break
    return RepairResult(tuple(all_steps), done=True, n_repaired=n_repaired, left=verified)


@verb(here="it compacts tables and deletes data, and needs the machine to itself")
def gc(
    actor: Actor,
    *,
    store: Store,
    grace_s: float = GRACE_S,
    dry_run: bool = False,
    always_compact: bool = False,
    cache_bytes: int = CACHE_BYTES,
    progress: Progress = silent,
) -> GcResult:
    """Compact tables, then remove data that an earlier run marked as unreachable at least a grace period ago.

    Safe beside writers and readers that take less time than the grace period. Keeps everything that a commit, branch,
    tag or release refers to, and what the reflog referred to within the grace period. Edits that are older and not
    committed can no longer be undone one by one. Of a dataset under a hold nothing is removed.

    Args:
        grace_s: Grace period in seconds; 0 only if no other process uses the workspace.
        always_compact: Compact every table with more than one fragment; by default only if it is worthwhile.
        cache_bytes: Maximum size of the caches, in bytes; the least recently used files are removed.
    Raises: NotPermitted, TableDamaged (then nothing is removed).
    """
    store.guard.require(actor, Permission.WORKSPACE_MAINTAIN)
    compacted = [] if dry_run else compaction.compact(actor, store, always=always_compact, progress=progress)
    started_at_us = now_us()
    cutoff_us = started_at_us - round(max(0.0, grace_s) * 1_000_000)
    if not dry_run:
        with store.catalog.bookkeeping() as conn:
            repository.forget_edits(conn, cutoff_us)
    sweeps = Sweep(store, actor, started_at_us, cutoff_us, dry_run, progress).run()
    sweeps.append(trim(store, cache_bytes, dry_run=dry_run))
    result = GcResult(dry_run, grace_s, tuple(compacted), tuple(sweeps))
    if not dry_run:
        with store.catalog.write(actor, "workspace.gc", subject="workspace") as tx:
            facts = {"grace_s": grace_s, "removed": result.removed, "freed_bytes": result.freed_bytes}
            tx.details({**facts, "compacted": len(compacted)})
    return result


@verb
def size(actor: Actor, *, store: Store, progress: Progress = silent) -> DiskUsage:
    """Disk usage in bytes, by purpose and dataset. Raises: NotPermitted, TableDamaged."""
    store.guard.require(actor, Permission.DATASET_READ)
    return disk_usage.measure(actor, store, progress=progress)


@verb(here="it writes to places that the server can reach")
def backup(actor: Actor, target: str, *, store: Store, progress: Progress = silent) -> BackupResult:
    """Copy the present state of the workspace to a folder or bucket, without files that are already there.

    Safe beside writers and `gc`; an interrupted backup resumes when repeated. Release files are not copied:
    `calotype releases --build` recreates them.

    Raises: NotPermitted, BackupTargetUnusable, BackupOfAnotherWorkspace, TableDamaged.
    """
    store.guard.require(actor, Permission.WORKSPACE_MAINTAIN)
    result = Backup(store, open_target(target), target, progress).run()
    with store.catalog.write(actor, "workspace.backup", subject="workspace") as tx:
        facts = {
            "backup": result.manifest.id,
            "files": result.manifest.files,
            "bytes": result.manifest.n_bytes,
        }
        tx.details({**facts, "missing_media": len(result.manifest.missing_media)})
    return result


@verb(here="it moves the workspace itself")
def move(
    actor: Actor, *, store: Store, catalog: str = "", bucket: str = "", progress: Progress = silent
) -> MoveResult:
    """Move the catalog to a database, media and tables to a bucket; empty arguments leave a part where it is.

    Others may work meanwhile; they wait during the final step. After an interruption the old location stays in use, and
    a repeated run resumes. The copy is verified before it is used. Old files are kept. Do not use `store` afterwards.

    Args:
        catalog: `postgresql://user@host/database`, or `folder` for the workspace folder.
        bucket: `s3://bucket/prefix`, or `folder`.
    Raises: NotPermitted, MoveTargetTaken, MoveCopyDiffers, MediaDamaged, BucketUnsafe, BucketFailed,
        CatalogUrlInvalid, CatalogUnreachable.
    """
    store.guard.require(actor, Permission.WORKSPACE_MAINTAIN)
    return Move(actor, store, override_storage(store.storage, catalog, bucket), progress).run()


@verb(here="it reads backups where the server can reach them")
def list_backups(actor: Actor, target: str, *, store: Store) -> list[Manifest]:
    """Complete backups in a folder or bucket, oldest first. Raises: NotPermitted, BackupTargetUnusable."""
    store.guard.require(actor, Permission.WORKSPACE_MAINTAIN)
    return contents.list_backups(open_target(target))


@verb(here="it reads backups where the server can reach them")
def drill(
    actor: Actor, target: str, *, store: Store, at: str | None = None, progress: Progress = silent
) -> RestoreResult:
    """Restore a backup to a temporary folder, verify every byte, compare it with the manifest, delete it.

    Raises: NotPermitted, BackupNotFound, BackupFileMissing.
    """
    store.guard.require(actor, Permission.WORKSPACE_MAINTAIN)
    result = run_drill(actor, open_target(target), target, at=at, progress=progress)
    with store.catalog.write(actor, "workspace.drill", subject="workspace") as tx:
        tx.details({"backup": result.manifest.id, "ok": result.ok, "seconds": result.seconds})
    return result


def restore(
    actor: Actor,
    target: str,
    into: Path,
    *,
    at: str | None = None,
    deep: bool = False,
    progress: Progress = silent,
) -> RestoreResult:
    """Restore a workspace from a backup into a folder without a workspace. It appears there complete or not at all.

    Needs no permission, because there is no workspace yet: whoever can read the backup can restore it.

    Args:
        at: The id of a backup or a unique prefix of it; the newest by default.
    Raises: BackupNotFound, BackupFileMissing, RestoreTargetTaken.
    """
    return restore_backup(
        actor, open_target(target), target, into, at=at, deep=deep, record=True, progress=progress
    )
