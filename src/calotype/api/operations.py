"""The methods of a workspace that run pipelines, read the audit log and repair data."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from calotype.api.context import Context
from calotype.govern import service as governing
from calotype.govern.model import AuditEvent
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

    def audit(self, subject: str | None = None, *, limit: int = 200) -> list[AuditEvent]:
        """Events of the audit log, newest first. Raises: NotPermitted."""
        return governing.audit(self._context.actor, store=self._context.store, subject=subject, limit=limit)

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
