"""Governance verbs: the audit trail (read, export, sign checkpoints, verify) and the model of the organisation."""

from __future__ import annotations

from collections.abc import Iterator

from calotype.contracts.classification import Classification, classification_of, set_classification
from calotype.datasets import refs
from calotype.foundation.actor import WORKSPACE, Actor, Circumstances, Permission
from calotype.foundation.ids import canonical_json
from calotype.foundation.verbs import verb
from calotype.govern import evidence, matrix, repository, signing
from calotype.govern.checkpoint import Checkpoint
from calotype.govern.evidence import Verification
from calotype.govern.model import (
    AuditEvent,
    AuditFilter,
    Changes,
    Matrix,
    Organisation,
    check_model,
)
from calotype.govern.organisation import forget_classified, forget_model
from calotype.govern.signing import Signed
from calotype.store import Store
from calotype.store.catalog import audit_chain


@verb
def audit(
    actor: Actor,
    *,
    store: Store,
    subject: str | None = None,
    limit: int = 200,
    wanted: AuditFilter | None = None,
) -> list[AuditEvent]:
    """Audit events, newest first: those of one dataset, those that a filter keeps, or all. Raises: NotPermitted."""
    wanted = wanted or AuditFilter(subject=subject)
    store.guard.require(actor, Permission.AUDIT_READ, dataset=wanted.subject or WORKSPACE)
    with store.catalog.read() as conn:
        return repository.events(conn, wanted, limit=limit)


@verb
def export_audit(actor: Actor, *, store: Store, wanted: AuditFilter | None = None) -> Iterator[bytes]:
    """The events that a filter keeps as JSON lines, oldest first. The export itself is recorded in the trail, first.

    Each line holds what the hash of its event is computed from, so that `calotype audit verify --events` can check a
    whole export without the workspace. Raises: NotPermitted.
    """
    wanted = wanted or AuditFilter()
    store.guard.require(actor, Permission.AUDIT_READ, dataset=wanted.subject or WORKSPACE)
    subject = wanted.subject or "workspace"
    store.catalog.record_reading(actor, "audit.export", subject=subject, details=wanted.to_dict())
    return _lines(store, wanted)


def _lines(store: Store, wanted: AuditFilter) -> Iterator[bytes]:
    with store.catalog.read() as conn:
        for event in repository.every_event(conn, wanted):
            yield canonical_json(event.to_evidence()).encode("utf-8", "surrogatepass") + b"\n"


@verb
def sign_checkpoint(actor: Actor, *, store: Store) -> Signed:
    """Sign what the audit trail holds now, and record in it that this was done.

    The result proves something only where the workspace cannot change it: write its `to_json()` to another machine.

    Raises: NotPermitted, AuditKeyInvalid, WorkspaceReadOnly, StorageFailed.
    """
    store.guard.require(actor, Permission.AUDIT_READ)
    signed = signing.sign_now(store)
    signing.record(actor, signed.checkpoint, store=store)
    return signed


@verb
def verify_audit(actor: Actor, *, store: Store, kept: Checkpoint | None = None) -> Verification:
    """Verify the chain of all events, the checkpoints that the trail holds, and one that was kept elsewhere.

    Raises: NotPermitted.
    """
    store.guard.require(actor, Permission.AUDIT_READ)
    with store.catalog.read() as conn:
        inside = repository.checkpoints(conn)
        return evidence.verify(audit_chain.links(conn), inside=inside, checkpoint=kept)


@verb
def chain_problems(actor: Actor, *, store: Store, dataset: str | None = None) -> list[str]:
    """Breaks of the audit chain of all events, for who may read them, or those of a dataset. Raises: NotPermitted."""
    store.guard.require(actor, Permission.AUDIT_READ, dataset=dataset or WORKSPACE)
    with store.catalog.read() as conn:
        return list(audit_chain.walk(conn).problems)


@verb
def organisation(actor: Actor, *, store: Store) -> Organisation:
    """The model of the organisation, which everyone may know. Raises: NotPermitted."""
    store.guard.require(actor, Permission.ACCOUNT_OWN)
    with store.catalog.read() as conn:
        return Organisation(repository.organisation_model(conn))


@verb
def set_organisation(actor: Actor, model: str, *, store: Store) -> Organisation:
    """Set the model of the organisation, which decides what roles allow; only owners do.

    Raises: NotPermitted, ModelUnknown.
    """
    store.guard.require(actor, Permission.GRANT_MANAGE, circumstances=Circumstances(governing=True))
    check_model(model)
    with store.catalog.write(actor, "organisation.set", subject="workspace") as tx:
        before = repository.organisation_model(tx.conn)
        repository.set_organisation_model(tx.conn, model)
        tx.details({"from": before, "to": model})
    forget_model(store)
    return Organisation(model)


@verb
def access_matrix(actor: Actor, *, store: Store, model: str = "", diff: str = "") -> Matrix:
    """What each role allows under a model, which everyone may know.

    Args:
        model: The model; by default that of the organisation.
        diff: Another model: only the decisions that differ under it.
    Raises: NotPermitted, ModelUnknown.
    """
    model = model or organisation(actor, store=store).model
    store.guard.require(actor, Permission.ACCOUNT_OWN)
    for name in (model, *([diff] if diff else [])):
        check_model(name)
    if diff:
        return Matrix(model, other=diff, differences=matrix.difference(model, diff))
    return Matrix(model, matrix.matrix(model))


@verb
def classification(actor: Actor, dataset: str, *, store: Store) -> Classification:
    """What kind of data a dataset holds: class, licence, purposes and hold. Raises: NotPermitted, DatasetNotFound."""
    store.guard.require(actor, Permission.DATASET_READ, dataset=dataset)
    with store.catalog.read() as conn:
        return classification_of(conn, refs.dataset(conn, dataset).id)


@verb
def classify(actor: Actor, dataset: str, changes: Changes, *, store: Store) -> Classification:
    """Say what kind of data a dataset holds, which the rules of access depend on. Owners and the head of DataOps may.

    Under a hold nobody makes the class less sensitive: release the hold first, which the audit trail records.

    Raises: NotPermitted, DatasetNotFound.
    """
    store.guard.require(actor, Permission.DATASET_CLASSIFY, dataset=dataset)
    with store.catalog.write(actor, "dataset.classify", subject=dataset[:200]) as tx:
        info = refs.dataset(tx.conn, dataset)
        before = classification_of(tx.conn, info.id)
        after = changes.applied_to(before)
        if after == before:
            tx.abandon()
            return before
        forget_classified(store)  # another process may have put it under a hold a moment ago
        lowered = Circumstances(lowers_class=after.is_lower_than(before))
        store.guard.require(actor, Permission.DATASET_CLASSIFY, dataset=dataset, circumstances=lowered)
        set_classification(tx.conn, info.id, after)
        tx.details({"from": before.to_dict(), "to": after.to_dict()})
    forget_classified(store)
    return after
