"""The methods of a workspace that run pipelines, read the audit log and repair data."""

from __future__ import annotations

from collections.abc import Iterator
from os import PathLike
from pathlib import Path

from calotype.api.context import Context
from calotype.govern import checkpoint as checkpoints
from calotype.govern import service as governing
from calotype.govern.checkpoint import Checkpoint
from calotype.govern.evidence import Verification
from calotype.govern.model import AuditEvent, AuditFilter
from calotype.maturity import service as assessing
from calotype.maturity.model import Maturity, MaturityOverview
from calotype.pipeline import service as pipelines
from calotype.pipeline.runs import RunReport
from calotype.reliability import service as reliability
from calotype.reliability.model import RepairResult

AnyPath = str | PathLike[str]


class OperationMethods:
    """The methods of a workspace that run pipelines, read the audit log and repair data."""

    _context: Context

    def run(self, pipeline: AnyPath) -> RunReport:
        """Run the pipeline in a YAML file; up-to-date stages are skipped.

        Raises: PipelineFileNotFound, PipelineInvalid, PipelineGateRed, and what its stages raise.
        """
        context = self._context
        loaded = pipelines.load(Path(pipeline))
        return pipelines.run(
            context.actor, loaded, store=context.store, ports=context.ports, progress=context.progress
        )

    def runs(self, dataset: str | None = None, *, limit: int = 200) -> list[RunReport]:
        """Pipeline runs with their stages, newest first."""
        return pipelines.runs(self._context.actor, store=self._context.store, dataset=dataset, limit=limit)

    def maturity(self, dataset: str, *, at: str = "") -> Maturity:
        """How far a dataset is on the hierarchy of needs, from evidence alone.

        Args:
            at: As of this time: a day (2027-01-31), a time (2027-01-31T08:00, UTC) or an age (12h, 7d, 4w).
        Raises: NotPermitted, DatasetNotFound, AuditTimeInvalid, MaturityTimeInvalid.
        """
        return assessing.maturity(self._context.actor, dataset, store=self._context.store, at=at)

    def maturity_overview(self, *, at: str = "") -> MaturityOverview:
        """The assessments of all datasets whose audit trail one may read, by name."""
        return assessing.maturity_overview(self._context.actor, store=self._context.store, at=at)

    def audit(
        self,
        subject: str | None = None,
        *,
        who: str = "",
        verb: str = "",
        since: str = "",
        until: str = "",
        limit: int = 200,
    ) -> list[AuditEvent]:
        """Events of the audit trail, newest first.

        Args:
            subject: Only events about this dataset.
            who: Only events of this person: address, name or id.
            verb: A verb such as `release.create`, or the first part of several, such as `release`.
            since, until: A day (2027-01-31), a time (2027-01-31T08:00, UTC) or an age (12h, 7d, 4w).

        Raises: NotPermitted, AuditTimeInvalid.
        """
        wanted = AuditFilter.of(subject=subject, who=who, verb=verb, since=since, until=until)
        return governing.audit(self._context.actor, store=self._context.store, wanted=wanted, limit=limit)

    def export_audit(
        self, subject: str | None = None, *, who: str = "", verb: str = "", since: str = "", until: str = ""
    ) -> Iterator[bytes]:
        """The events of the audit trail as JSON lines, oldest first; arguments as of `audit`.

        Raises: NotPermitted, AuditTimeInvalid.
        """
        wanted = AuditFilter.of(subject=subject, who=who, verb=verb, since=since, until=until)
        return governing.export_audit(self._context.actor, store=self._context.store, wanted=wanted)

    def sign_checkpoint(self) -> Checkpoint:
        """A signed statement of what the audit trail holds; write its `to_json()` to another machine.

        Raises: NotPermitted, AuditKeyInvalid, WorkspaceReadOnly, StorageFailed.
        """
        return governing.sign_checkpoint(self._context.actor, store=self._context.store).checkpoint

    def verify_audit(self, checkpoint: AnyPath | None = None) -> Verification:
        """Verify the audit trail, also against a checkpoint file that was kept elsewhere.

        Raises: NotPermitted, CheckpointInvalid, PathNotFound, StorageFailed.
        """
        kept = None if checkpoint is None else checkpoints.read(Path(checkpoint))
        return governing.verify_audit(self._context.actor, store=self._context.store, kept=kept)

    def audit_problems(self) -> list[str]:
        """Breaks in the hash chain of the audit log; empty when it is intact. Raises: NotPermitted."""
        return governing.chain_problems(self._context.actor, store=self._context.store)

    def repair(
        self, *, source: AnyPath | None = None, dry_run: bool = True, deep: bool = False
    ) -> RepairResult:
        """Repair the damage that `verify` reports, with missing files from a backup or folder; a dry run only plans."""
        context = self._context
        folder = None if source is None else Path(source)
        return reliability.repair(
            context.actor,
            store=context.store,
            source=folder,
            dry_run=dry_run,
            deep=deep,
            progress=context.progress,
        )
