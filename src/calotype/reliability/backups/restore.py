"""Restores a workspace from a backup, and runs restore drills."""

from __future__ import annotations

import os
import tempfile
import time
from contextlib import closing
from pathlib import Path

from calotype.foundation.actor import Actor
from calotype.foundation.durable import fsync_path
from calotype.foundation.errors import Conflict
from calotype.foundation.ids import sha256_json
from calotype.foundation.progress import Progress
from calotype.reliability import repository
from calotype.reliability.backups import contents
from calotype.reliability.backups.targets import Target
from calotype.reliability.model import BackupFile, Manifest, RestoreResult
from calotype.reliability.verification.verify import verify_workspace
from calotype.store import Store, open_workspace
from calotype.store.store import FOLDER


class RestoreTargetTaken(Conflict):
    """The folder already holds a workspace."""

    code = "restore-target-taken"
    what = "{folder} already holds a workspace"
    fix = "restore into a new folder; use `calotype repair --from BACKUP` to repair a workspace in place"


def restore_backup(
    actor: Actor,
    target: Target,
    address: str,
    into: Path,
    *,
    at: str | None,
    deep: bool,
    record: bool,
    progress: Progress,
) -> RestoreResult:
    """Copy a backup to a temporary folder, rename that into place, open and verify the workspace.

    An interrupted restore resumes. Raises: RestoreTargetTaken, BackupNotFound, BackupFileMissing.
    """
    began = time.perf_counter()
    manifest = contents.find_backup(target, address, at)
    home, aside = into / FOLDER, into / f"{FOLDER}.restoring-{manifest.id}"
    if home.exists():
        raise RestoreTargetTaken(folder=str(into))
    files = contents.read_file_list(target, manifest)
    for n_done, file in enumerate(files, start=1):
        _restore_file(target, file, aside / file.path)
        if n_done % 100 == 0 or n_done == len(files):
            progress("restoring", n_done, len(files))
    for folder, _, _ in os.walk(aside):
        fsync_path(Path(folder))
    aside.rename(home)
    fsync_path(into)
    store = open_workspace(into)
    with closing(store):
        verified = verify_workspace(store, deep=deep, progress=progress)
        differs = _differences(store, manifest)
        with store.catalog.bookkeeping() as conn:
            repository.forget_marks(conn)  # restart the grace period of everything marked
        if record:
            with store.catalog.write(actor, "workspace.restore", subject="workspace") as tx:
                tx.details({"backup": manifest.id, "at_us": manifest.at_us})
    return RestoreResult(manifest, into, verified, tuple(differs), round(time.perf_counter() - began, 3))


def run_drill(
    actor: Actor, target: Target, address: str, *, at: str | None, progress: Progress
) -> RestoreResult:
    """Restore to a temporary folder, verify deeply, compare with the manifest, and delete the folder."""
    with tempfile.TemporaryDirectory(prefix="calotype-drill-") as folder:
        return restore_backup(
            actor, target, address, Path(folder) / "drill", at=at, deep=True, record=False, progress=progress
        )


def _restore_file(target: Target, file: BackupFile, path: Path) -> None:
    """Copy one file, verified; skips it if an earlier run has already copied it."""
    if path.is_file() and path.stat().st_size == file.n_bytes:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name[:100]}.part")
    with temporary.open("wb") as out:
        for chunk in contents.read_chunks(target, file):
            out.write(chunk)
        out.flush()
        os.fsync(out.fileno())
    temporary.replace(path)


def _differences(store: Store, manifest: Manifest) -> list[str]:
    """Deviations of the restored catalog from the manifest."""
    with store.catalog.read() as conn:
        commits = sorted(commit.id for commit in repository.commits(conn))
        head = repository.audit_head(conn)
    differences = []
    if sha256_json(commits) != manifest.commits_sha256:
        differences.append(
            f"the ids of {len(commits)} commits differ from those of the {manifest.commits} commits in the backup"
        )
    if head != manifest.audit_head:
        differences.append("the newest audit event differs from the one in the backup")
    return differences
