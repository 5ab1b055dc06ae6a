"""The verbs of this room: prove the workspace whole, mend it."""

from __future__ import annotations

from pathlib import Path

from calotype.foundation.actor import Actor, Permission
from calotype.foundation.progress import Progress, silent
from calotype.reliability import repairing, verifying
from calotype.reliability.model import Repaired, Verified
from calotype.reliability.sources import Source
from calotype.store import Store


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
    actor: Actor, *, store: Store, source: Path | None = None, dry_run: bool = True, deep: bool = False,
    progress: Progress = silent,
) -> Repaired:  # fmt: skip
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
    mended = repairing.mend_files(store, plan, place)
    with store.catalog.write(actor, "workspace.repair", subject="workspace") as tx:
        mended += repairing.mend_catalog(tx.conn, plan)
        kinds = sorted({mend.problem.kind for mend in plan if mend.can})
        tx.details({"mended": mended, "of": len(plan), "kinds": kinds})
    left = verifying.inspect(store, deep=deep, progress=progress)
    return Repaired(tuple(plan), done=True, mended=mended, left=left)
