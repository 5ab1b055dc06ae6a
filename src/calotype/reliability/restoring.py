"""From a backup to a workspace again, every file checked on its way; and the drill that proves it can be done."""

from __future__ import annotations

import os
import tempfile
import time
from contextlib import closing
from pathlib import Path

from calotype.foundation.actor import Actor
from calotype.foundation.errors import Conflict
from calotype.foundation.ids import sha256_json
from calotype.foundation.progress import Progress
from calotype.reliability import backups, repository, verifying
from calotype.reliability.model import Manifest, Restored, Stored
from calotype.reliability.targets import Target
from calotype.store import Store, open_workspace
from calotype.store.files.durable import fsync_path
from calotype.store.store import FOLDER


class RestoreTargetTaken(Conflict):
    """There is something already."""

    code = "restore-target-taken"
    what = "{folder} already holds a workspace"
    fix = "restore into a new folder; `calotype repair --from BACKUP` mends a workspace in place"


def restore(
    actor: Actor,
    target: Target,
    place: str,
    into: Path,
    *,
    at: str | None,
    deep: bool,
    record: bool,
    progress: Progress,
) -> Restored:
    """Copy a backup out, rename it into place whole, open it, verify it.

    Interrupted, it goes on where it was. Raises: RestoreTargetTaken, BackupNotFound, BackupPartMissing.
    """
    began = time.perf_counter()
    manifest = backups.one_of(target, place, at)
    home, aside = into / FOLDER, into / f"{FOLDER}.restoring-{manifest.id}"
    if home.exists():
        raise RestoreTargetTaken(folder=str(into))
    files = backups.list_of(target, manifest)
    for done, file in enumerate(files, start=1):
        _bring(target, file, aside / file.path)
        if done % 100 == 0 or done == len(files):
            progress("restoring", done, len(files))
    for folder, _, _ in os.walk(aside):
        fsync_path(Path(folder))
    aside.rename(home)
    fsync_path(into)
    store = open_workspace(into)
    with closing(store):
        found = verifying.inspect(store, deep=deep, progress=progress)
        differs = _differences(store, manifest)
        with store.catalog.bookkeeping() as conn:
            repository.forget_marks(conn)  # what was marked long ago has its grace period again
        if record:
            with store.catalog.write(actor, "workspace.restore", subject="workspace") as tx:
                tx.details({"backup": manifest.id, "at_us": manifest.at_us})
    return Restored(manifest, into, found, tuple(differs), round(time.perf_counter() - began, 3))


def drill(actor: Actor, target: Target, place: str, *, at: str | None, progress: Progress) -> Restored:
    """Restore into a temporary folder, verify it deeply, compare it with the manifest, and throw it away."""
    with tempfile.TemporaryDirectory(prefix="calotype-drill-") as folder:
        return restore(
            actor, target, place, Path(folder) / "drill", at=at, deep=True, record=False, progress=progress
        )


def _bring(target: Target, file: Stored, path: Path) -> None:
    """One file; one that is there in the right size was brought whole by an earlier run."""
    if path.is_file() and path.stat().st_size == file.n_bytes:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name[:100]}.part")
    with temporary.open("wb") as out:
        for chunk in backups.pieces(target, file):
            out.write(chunk)
        out.flush()
        os.fsync(out.fileno())
    temporary.replace(path)


def _differences(store: Store, manifest: Manifest) -> list[str]:
    """What the restored catalog says otherwise than the manifest."""
    with store.catalog.read() as conn:
        commits = sorted(made.id for made in repository.commits(conn))
        head = repository.audit_head(conn)
    found = []
    if sha256_json(commits) != manifest.commits_sha256:
        found.append(
            f"the ids of {len(commits)} commits are not those of the {manifest.commits} that were saved"
        )
    if head != manifest.audit_head:
        found.append("the newest audit event is not the one that was saved")
    return found
