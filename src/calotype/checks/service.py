"""The verbs of checks: test a dataset against its contract, read the findings of a run, compare runs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import partial

import sqlalchemy as sa

from calotype.checks import engine, gates, objectives, repository
from calotype.checks.suite import CheckContext
from calotype.checks.suite.registry import known_checks
from calotype.contracts.model import Contract
from calotype.contracts.service import contract_of, read_contract
from calotype.datasets import refs
from calotype.datasets import service as datasets
from calotype.datasets.commits import MAIN, Ref
from calotype.datasets.reading import open_ref
from calotype.datasets.snapshot import Snapshot
from calotype.findings import repository as findings_repository
from calotype.findings import service as tracking
from calotype.findings.comparison import Comparison
from calotype.findings.data_tests import RunsDataTests, with_data_tests, without_tests
from calotype.findings.exemptions import Exemptions, exemptions
from calotype.findings.lifecycle import StateChanges, TrackedFinding, retest
from calotype.findings.model import CheckReport, Finding, Gate, GateState
from calotype.foundation.actor import Actor, Permission
from calotype.foundation.clock import now_us
from calotype.foundation.ids import uuid7
from calotype.foundation.progress import Progress, silent
from calotype.foundation.verbs import verb
from calotype.store import Store


@verb
def check(
    actor: Actor,
    name_ref: str,
    *,
    store: Store,
    contract_text: str | None = None,
    only: Sequence[str] = (),
    whole: bool = False,
    tests: RunsDataTests | None = None,
    progress: Progress = silent,
) -> CheckReport:
    """Test a dataset (`name` or `name@ref`) against its contract and store the findings, unless nothing can be stored.

    Where an earlier run under the same contract is stored, checks that judge each sample by itself look only at what
    changed since; the result is that of a full run.

    Args:
        contract_text: A contract to test against instead of the dataset's own, as YAML.
        only: Names of checks or families; gates of other checks are left out, and the run does not count as the
            newest of its state.
        whole: Look at every sample, whatever an earlier run found.
        tests: Runs the data tests that the contract names. They are programs, so the caller decides where from.
    Raises: NotPermitted, DatasetNotFound, RefNotFound, ContractInvalid, CheckUnknown.
    """
    store.guard.require(actor, Permission.CHECK_RUN, dataset=_dataset_of(name_ref))
    snapshot = datasets.read(actor, name_ref, store=store)
    if contract_text is None:
        contract = contract_of(snapshot, known_checks())
    else:
        contract = read_contract(contract_text, known_checks())
    context = CheckContext(snapshot, contract, store, progress)
    branch = _branch_of(snapshot, store)
    earlier = None if whole else _earlier(snapshot, contract, store, branch, only)
    started = now_us()
    ran = engine.run(context, progress, only=only, earlier=earlier)
    report = replace(_report(snapshot, contract, ran, started, actor), only=tuple(only))
    report = _with_data_tests(report, contract, name_ref, tests, earlier)
    with store.catalog.read() as conn:
        known = findings_repository.affected(conn, snapshot.dataset.id, _keys(report), ran.part)
        last_event = findings_repository.last_event(conn, snapshot.dataset.id)
    exempt = exemptions(report.findings, known, report.finished_at_us, contract.waivers)
    report = _judged(report, context, ran, exempt, branch)
    if not store.catalog.read_only:
        _keep(actor, report, snapshot, known, last_event, store=store, branch=branch, part=ran.part)
    return report


def _judged(
    report: CheckReport, context: CheckContext, ran: engine.Ran, exempt: Exemptions, branch: str
) -> CheckReport:
    """The report with its gates and, after a full run, its objectives."""
    snapshot, store = context.snapshot, context.store
    old_keys = _old_keys(snapshot, context.contract, store, branch)
    judged = gates.evaluate(context, ran.tallies, partial=bool(report.only), exempt=exempt, old_keys=old_keys)
    report = replace(report, gates=(*report.gates, *judged))
    if report.only:
        return report
    earlier_gates = partial(_earlier_gates, report, snapshot.dataset.id, branch, store)
    return replace(report, objectives=objectives.evaluate(context, report, exempt, earlier_gates))


def _earlier_gates(
    report: CheckReport, dataset_id: str, branch: str, store: Store, since_us: int
) -> tuple[Gate, ...]:
    """The gates of earlier full runs of the same contract on a branch; a tag or an older commit has no history."""
    if not branch:
        return ()
    contract = report.contract_sha256
    with store.catalog.read() as conn:
        return repository.gates_since(
            conn, dataset_id, branch=branch, contract_sha256=contract, since_us=since_us
        )


def _with_data_tests(
    report: CheckReport,
    contract: Contract,
    name_ref: str,
    tests: RunsDataTests | None,
    earlier: engine.Earlier | None,
) -> CheckReport:
    """The report with the results of the team's own tests, where the contract names any."""
    if contract.data_tests is None or report.only:
        return report
    if tests is not None:
        return with_data_tests(report, tests(name_ref, contract.data_tests.paths))
    if earlier is not None and earlier.report.state_sha256 == report.state_sha256:
        return without_tests(report, earlier.report)
    return without_tests(report, None)


def _report(
    snapshot: Snapshot, contract: Contract, ran: engine.Ran, started_us: int, actor: Actor
) -> CheckReport:
    return CheckReport(
        run_id=uuid7(),
        dataset=snapshot.dataset.name,
        commit_id=snapshot.commit_id,
        state_sha256=snapshot.state_sha256,
        contract_sha256=contract.sha256,
        gates=(),
        findings=ran.findings,
        checks=tuple(ran.summaries),
        started_at_us=started_us,
        finished_at_us=now_us(),
        actor=actor.name,
        earlier_run=ran.part.earlier_run if ran.part is not None else "",
    )


def _keep(
    actor: Actor,
    report: CheckReport,
    snapshot: Snapshot,
    known: dict[str, TrackedFinding],
    last_event: int,
    *,
    store: Store,
    branch: str,
    part: engine.Continuation | None,
) -> None:
    """Store the run, and what it means for the lifecycles of findings, in one transaction.

    `known` are the lifecycles after event `last_event`; they are read again where somebody decided meanwhile.
    """
    dataset_id = snapshot.dataset.id
    with store.catalog.write(actor, "check.run", subject=snapshot.dataset.name) as tx:
        repository.add_run(tx.conn, report, snapshot, branch=branch, part=part)
        if branch:
            if findings_repository.last_event(tx.conn, dataset_id) != last_event:
                known = findings_repository.affected(tx.conn, dataset_id, _keys(report), part)
            findings_repository.save_changes(tx.conn, dataset_id, _retested(report, known, branch, part))
        tx.details(
            {"run": report.run_id, "state": report.state_sha256, "red": report.red, "counts": report.counts}
        )


def _keys(report: CheckReport) -> set[str]:
    return {finding.key for finding in report.findings}


def _retested(
    report: CheckReport, known: dict[str, TrackedFinding], branch: str, part: engine.Continuation | None
) -> StateChanges:
    """What the run means for lifecycles. Findings that were taken over unchanged already have theirs."""
    if part is None:
        return retest(report, known, branch=branch)
    fresh = {finding.key for finding in part.fresh}
    findings = tuple(
        f for f in report.findings if f.check not in part.taken_over or f.key in fresh or f.key in known
    )
    return retest(replace(report, findings=findings), known, branch=branch)


def _old_keys(snapshot: Snapshot, contract: Contract, store: Store, branch: str) -> set[str]:
    """Keys of the findings of the newest run on main, where a gate counts only what is new on another branch."""
    if branch == MAIN or all(spec.scope == "all" for spec in contract.gates):
        return set()
    with store.catalog.read() as conn:
        run = _newest(conn, snapshot.dataset.name, branch=MAIN)
        return repository.keys(conn, run.run_id) if run is not None else set()


@verb
def compare(actor: Actor, name: str, before: str, after: str, *, store: Store) -> Comparison:
    """Which findings are new, fixed and remaining from one ref of a dataset to another; both are tested if they
    were not. An empty ref is the working state.

    Raises: NotPermitted, DatasetNotFound, RefNotFound, ContractInvalid.
    """
    reports = []
    for ref in (before, after):
        where = f"{_dataset_of(name)}@{ref}" if ref else _dataset_of(name)
        reports.append(latest(actor, where, store=store) or check(actor, where, store=store))
    return Comparison.of(*reports)


def _branch_of(snapshot: Snapshot, store: Store) -> str:
    """The branch whose newest or working state this is; empty for a tag or an older commit."""
    with store.catalog.read() as conn:
        return refs.branch_named(conn, snapshot.dataset, snapshot.ref)


def _earlier(
    snapshot: Snapshot, contract: Contract, store: Store, branch: str, only: Sequence[str]
) -> engine.Earlier | None:
    """The newest run that this one can continue: same contract, same ontology, at least the same checks."""
    with store.catalog.read() as conn:
        run = repository.newest(
            conn,
            snapshot.dataset.id,
            state_sha256=None,
            contract_sha256=contract.sha256,
            branch=branch or None,
            only=only,
        )
        if run is None:
            return None
        state = repository.tested_state(conn, run.run_id)
        if state is None or state[1].get("ontology") != snapshot.documents.get("ontology"):
            return None
        ref = Ref(snapshot.dataset.id, "", "commit", run.commit_id, state[0], state[1], 0)
        before = open_ref(conn, store, snapshot.dataset, ref, name="")
        return engine.Earlier(repository.with_findings(conn, run), before)


@verb
def latest(actor: Actor, name_ref: str, *, store: Store, any_state: bool = False) -> CheckReport | None:
    """The newest run on this state under its own contract, with its findings; None if it was never tested.

    With `any_state`, the newest run on the dataset, whatever has changed since.

    Raises: NotPermitted, DatasetNotFound, RefNotFound, ContractInvalid.
    """
    store.guard.require(actor, Permission.DATASET_READ, dataset=_dataset_of(name_ref))
    snapshot = datasets.read(actor, name_ref, store=store)
    state = None if any_state else snapshot.state_sha256
    contract = None if any_state else contract_of(snapshot, known_checks()).sha256
    with store.catalog.read() as conn:
        run = repository.newest(conn, snapshot.dataset.id, state_sha256=state, contract_sha256=contract)
        return None if run is None else repository.with_findings(conn, run)


def of_samples(
    actor: Actor, name: str, sample_ids: Collection[str], *, store: Store
) -> dict[str, list[Finding]]:
    """Findings of the newest run at these samples, worst first; samples without findings are absent.

    Raises: NotPermitted, DatasetNotFound.
    """
    dataset = _dataset_of(name)
    store.guard.require(actor, Permission.DATASET_READ, dataset=dataset)
    with store.catalog.read() as conn:
        run = _newest(conn, dataset)
        matching = repository.of_samples(conn, run.run_id, sample_ids) if run else ()
    by_sample: dict[str, list[Finding]] = {}
    for finding in matching:
        by_sample.setdefault(finding.sample_id, []).append(finding)
    return by_sample


def gate_counts(actor: Actor, name: str, *, store: Store) -> dict[str, int] | None:
    """Number of gates that are green, red and missing in the newest run on a dataset; None if it was never tested.

    Raises: NotPermitted, DatasetNotFound.
    """
    store.guard.require(actor, Permission.DATASET_READ, dataset=_dataset_of(name))
    with store.catalog.read() as conn:
        run = _newest(conn, _dataset_of(name))
    if run is None:
        return None
    return {str(state): sum(gate.state is state for gate in run.gates) for state in GateState}


def open_findings(actor: Actor, name: str, *, store: Store) -> dict[str, int] | None:
    """Number of findings of the newest run that still count for gates, by severity; None if it was never tested.

    Raises: NotPermitted, DatasetNotFound.
    """
    store.guard.require(actor, Permission.DATASET_READ, dataset=_dataset_of(name))
    with store.catalog.read() as conn:
        run = _newest(conn, _dataset_of(name))
    if run is None:
        return None
    return tracking.open_by_severity(actor, name, run.run_id, run.counts, store=store)


def _newest(conn: sa.Connection, dataset: str, branch: str | None = None) -> CheckReport | None:
    info = refs.dataset(conn, dataset)
    return repository.newest(conn, info.id, state_sha256=None, contract_sha256=None, branch=branch)


def _dataset_of(name_ref: str) -> str:
    return name_ref.partition("@")[0]
