"""The part of a workspace's handle that operates it: pipelines, audit, verification, backups, storage."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from calotype.api.handles import Hand
from calotype.govern import service as governing
from calotype.govern.model import AuditEvent
from calotype.pipeline import service as pipelines
from calotype.pipeline.runs import RunReport
from calotype.reliability import service as reliability
from calotype.reliability.model import BackedUp, Collected, Repaired, Sizes, Verified, seconds

AnyPath = str | PathLike[str]


class Operations:
    """Methods of `Workspace`."""

    _hand: Hand

    def run(self, pipeline: AnyPath) -> RunReport:
        """Run the pipeline in a YAML file; up-to-date stages are skipped.

        Raises: PipelineFileNotFound, PipelineInvalid, PipelineGateRed, and what its stages raise.
        """
        hand = self._hand
        loaded = pipelines.load(Path(pipeline))
        return pipelines.run(hand.actor, loaded, store=hand.store, ports=hand.ports, progress=hand.progress)

    def runs(self, dataset: str | None = None, *, limit: int = 200) -> list[RunReport]:
        """Pipeline runs with their stages, newest first."""
        return pipelines.runs(self._hand.actor, store=self._hand.store, dataset=dataset, limit=limit)

    def audit(self, subject: str | None = None, *, limit: int = 200) -> list[AuditEvent]:
        """Events of the audit log, newest first. Raises: NotPermitted."""
        return governing.audit(self._hand.actor, store=self._hand.store, subject=subject, limit=limit)

    def audit_problems(self) -> list[str]:
        """Breaks in the hash chain of the audit log; empty when it is intact. Raises: NotPermitted."""
        return governing.chain_problems(self._hand.actor, store=self._hand.store)

    def repair(self, *, source: AnyPath | None = None, dry_run: bool = True, deep: bool = False) -> Repaired:
        """Repair the damage that `verify` reports, with missing files from a backup or folder; a dry run only plans."""
        hand = self._hand
        folder = None if source is None else Path(source)
        return reliability.repair(
            hand.actor, store=hand.store, source=folder, dry_run=dry_run, deep=deep, progress=hand.progress
        )

    def verify(self, *, deep: bool = False) -> Verified:
        """Prove that every commit can be read and nothing is missing; `deep` hashes all media again."""
        return reliability.verify(
            self._hand.actor, store=self._hand.store, deep=deep, progress=self._hand.progress
        )

    def backup(self, target: AnyPath) -> BackedUp:
        """Copy the workspace as it is now to a folder or `s3://bucket/prefix`.

        Raises: BackupTargetUnusable, BackupOfAnotherWorkspace.
        """
        hand = self._hand
        return reliability.backup(hand.actor, str(target), store=hand.store, progress=hand.progress)

    def gc(self, *, grace: str = "14d", dry_run: bool = False) -> Collected:
        """Compact tables and remove what nothing has reached for the grace period. Raises: DurationInvalid."""
        hand = self._hand
        return reliability.gc(
            hand.actor, store=hand.store, grace_s=seconds(grace), dry_run=dry_run, progress=hand.progress
        )

    def size(self) -> Sizes:
        """How many bytes lie on the disk, and what for."""
        return reliability.size(self._hand.actor, store=self._hand.store, progress=self._hand.progress)
