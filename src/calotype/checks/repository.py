"""Every catalog query of checks: runs and their findings."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from calotype.checks.engine import Continuation
from calotype.datasets.snapshot import Snapshot
from calotype.findings.model import CheckReport, CheckSummary, Finding, Gate, ObjectiveResult
from calotype.store.catalog import schema
from calotype.store.catalog.text_limits import escape_unstorable

_RUNS, _FINDINGS, _DATASETS = schema.check_runs, schema.findings, schema.datasets
_CHUNK = 5_000
_KEYS_PER_QUERY = 500
_AFTER = 1_000_000
"""First position of a run's own findings, after those that it took over."""
_MAX_DROPPED = 5_000
_WORST_FIRST = (
    sa.case((_FINDINGS.c.severity == "error", 0), (_FINDINGS.c.severity == "warning", 1), else_=2),
    _FINDINGS.c.position,
)


def add_run(
    conn: sa.Connection,
    report: CheckReport,
    state: Snapshot,
    *,
    branch: str,
    part: Continuation | None = None,
) -> None:
    """Insert a run with its findings; `branch` is empty where a tag or a commit was tested.

    For a run that continues an earlier one, `part` says which findings are copied inside the catalog.
    """
    conn.execute(
        _RUNS.insert().values(
            id=report.run_id,
            dataset_id=state.dataset.id,
            commit_id=report.commit_id,
            state_sha256=report.state_sha256,
            contract_sha256=report.contract_sha256,
            gates=[gate.to_dict() for gate in report.gates],
            checks=[summary.to_dict() for summary in report.checks],
            actor=report.actor,
            started_at_us=report.started_at_us,
            finished_at_us=report.finished_at_us,
            branch=branch,
            pins=state.pins,
            documents=state.documents,
            only=list(report.only) or None,
            earlier_run=report.earlier_run or None,
            objectives=[objective.to_dict() for objective in report.objectives],
        )
    )
    fresh = report.findings
    if part is not None and part.taken_over and not part.cut and len(part.dropped) <= _MAX_DROPPED:
        _take_over(conn, report.run_id, part)
        fresh = (*(f for f in report.findings if f.check not in part.taken_over), *part.fresh)
    for start in range(0, len(fresh), _CHUNK):
        rows = [
            _to_row(report.run_id, _AFTER + start + number, finding)
            for number, finding in enumerate(fresh[start : start + _CHUNK])
        ]
        conn.execute(_FINDINGS.insert(), rows)


def _take_over(conn: sa.Connection, run_id: str, part: Continuation) -> None:
    """Copy the earlier run's findings that still hold, within the database."""
    names = [column.name for column in _FINDINGS.columns if column.name not in ("check_run_id", "position")]
    order = sa.func.row_number().over(order_by=_FINDINGS.c.position)
    copied = sa.select(sa.literal(run_id), order, *(_FINDINGS.c[name] for name in names)).where(
        _FINDINGS.c.check_run_id == part.earlier_run, _FINDINGS.c.check_name.in_(sorted(part.taken_over))
    )
    if part.dropped:
        copied = copied.where(_FINDINGS.c.key.not_in(sorted(part.dropped)))
    conn.execute(_FINDINGS.insert().from_select(["check_run_id", "position", *names], copied))


def run(conn: sa.Connection, run_id: str) -> CheckReport | None:
    """A run by id, without its findings."""
    return _first(conn, _RUNS.c.id == run_id)


def newest(
    conn: sa.Connection,
    dataset_id: str,
    *,
    state_sha256: str | None,
    contract_sha256: str | None,
    branch: str | None = None,
    only: Sequence[str] = (),
) -> CheckReport | None:
    """The newest run on a dataset, on one state, contract, branch where given; without findings.

    A complete run, or one of the same selection of checks.
    """
    chosen = sa.or_(_RUNS.c.only.is_(None), sa.cast(_RUNS.c.only, sa.Text) == json.dumps(list(only)))
    wanted = [_RUNS.c.dataset_id == dataset_id, chosen if only else _RUNS.c.only.is_(None)]
    if branch is not None:
        wanted.append(_RUNS.c.branch == branch)
    if state_sha256 is not None:
        wanted.append(_RUNS.c.state_sha256 == state_sha256)
    if contract_sha256 is not None:
        wanted.append(_RUNS.c.contract_sha256 == contract_sha256)
    return _first(conn, sa.and_(*wanted))


def keys(conn: sa.Connection, run_id: str) -> set[str]:
    """The keys of all findings of a run."""
    return set(conn.execute(sa.select(_FINDINGS.c.key).where(_FINDINGS.c.check_run_id == run_id)).scalars())


def gates_since(
    conn: sa.Connection, dataset_id: str, *, branch: str, contract_sha256: str, since_us: int
) -> tuple[Gate, ...]:
    """The gates of all complete runs of a contract on a branch since then."""
    query = sa.select(_RUNS.c.gates).where(
        _RUNS.c.dataset_id == dataset_id,
        _RUNS.c.branch == branch,
        _RUNS.c.only.is_(None),
        _RUNS.c.contract_sha256 == contract_sha256,
        _RUNS.c.finished_at_us >= since_us,
    )
    return tuple(Gate.from_dict(value) for row in conn.execute(query).scalars() for value in row)


def tested_state(conn: sa.Connection, run_id: str) -> tuple[dict[str, Any], dict[str, str]] | None:
    """Pins and documents of the state that a run tested; None for a run of an older version."""
    query = sa.select(_RUNS.c.pins, _RUNS.c.documents).where(_RUNS.c.id == run_id)
    row = conn.execute(query).first()
    return None if row is None or row[0] is None else (dict(row[0]), dict(row[1]))


def findings(
    conn: sa.Connection, run_id: str, *, check: str, severity: str, offset: int, limit: int | None
) -> tuple[int, tuple[Finding, ...]]:
    """The number of findings of a run that match, and a page of them, worst first."""
    wanted = [_FINDINGS.c.check_run_id == run_id]
    if check:
        wanted.append(_FINDINGS.c.check_name == check)
    if severity:
        wanted.append(_FINDINGS.c.severity == severity)
    total = conn.execute(sa.select(sa.func.count()).select_from(_FINDINGS).where(*wanted)).scalar() or 0
    query = sa.select(_FINDINGS).where(*wanted).order_by(*_WORST_FIRST).offset(offset)
    rows = conn.execute(query if limit is None else query.limit(limit)).mappings()
    return int(total), tuple(_from_row(row) for row in rows)


def with_findings(conn: sa.Connection, run: CheckReport) -> CheckReport:
    """A run with all its findings, worst first."""
    _, kept = findings(conn, run.run_id, check="", severity="", offset=0, limit=None)
    return replace(run, findings=kept)


def of_samples(conn: sa.Connection, run_id: str, sample_ids: Collection[str]) -> tuple[Finding, ...]:
    """Findings of a run at these samples, worst first."""
    wanted = sorted(sample_ids)
    matching: list[Finding] = []
    for start in range(0, len(wanted), _KEYS_PER_QUERY):
        part = _FINDINGS.c.sample_id.in_(wanted[start : start + _KEYS_PER_QUERY])
        query = sa.select(_FINDINGS).where(_FINDINGS.c.check_run_id == run_id, part)
        matching += [_from_row(row) for row in conn.execute(query.order_by(*_WORST_FIRST)).mappings()]
    return tuple(matching)


def _first(conn: sa.Connection, wanted: Any) -> CheckReport | None:
    query = sa.select(_RUNS, _DATASETS.c.name.label("dataset")).join(
        _DATASETS, _DATASETS.c.id == _RUNS.c.dataset_id
    )
    newest_first = (_RUNS.c.finished_at_us.desc(), _RUNS.c.id.desc())
    row = conn.execute(query.where(wanted).order_by(*newest_first).limit(1)).mappings().first()
    if row is None:
        return None
    return CheckReport(
        run_id=row["id"],
        dataset=row["dataset"],
        commit_id=row["commit_id"],
        state_sha256=row["state_sha256"],
        contract_sha256=row["contract_sha256"],
        gates=tuple(Gate.from_dict(value) for value in row["gates"]),
        findings=(),
        checks=tuple(CheckSummary.from_dict(value) for value in row["checks"]),
        started_at_us=row["started_at_us"],
        finished_at_us=row["finished_at_us"],
        actor=row["actor"],
        only=tuple(row["only"] or ()),
        earlier_run=row["earlier_run"] or "",
        objectives=tuple(ObjectiveResult.from_dict(value) for value in row["objectives"] or ()),
    )


def _to_row(run_id: str, position: int, finding: Finding) -> dict[str, Any]:
    facts = {"facts": dict(finding.facts), "sample": finding.sample}
    about, reason = escape_unstorable(finding.about), escape_unstorable(finding.reason)
    return {
        "check_run_id": run_id,
        "position": position,
        "check_name": finding.check,
        "severity": finding.severity,
        "sample_id": finding.sample_id or None,
        "annotation_id": finding.annotation_id or None,
        "label_set": finding.label_set or None,
        "reason": reason,
        "facts": facts,
        "key": finding.key,
        "fault": finding.fault,
        "about": about,
    }


def _from_row(row: Mapping[str, Any] | sa.RowMapping) -> Finding:
    return Finding(
        check=row["check_name"],
        severity=row["severity"],
        reason=row["reason"],
        sample_id=row["sample_id"] or "",
        sample=row["facts"]["sample"],
        annotation_id=row["annotation_id"] or "",
        label_set=row["label_set"] or "",
        facts=row["facts"]["facts"],
        fault=row["fault"],
        about=row["about"],
        key=row["key"],
    )
