"""Governance verbs: read and verify the audit trail; show and set the model of the organisation."""

from __future__ import annotations

from calotype.foundation.actor import WORKSPACE, Actor, Circumstances, Permission
from calotype.govern import matrix, repository
from calotype.govern.model import AuditEvent, Matrix, Organisation, check_model
from calotype.govern.organisation import forget_model
from calotype.store import Store
from calotype.store.catalog import audit_chain


def audit(actor: Actor, *, store: Store, subject: str | None = None, limit: int = 200) -> list[AuditEvent]:
    """Audit events of one dataset or of all, newest first. Raises: NotPermitted."""
    store.guard.require(actor, Permission.AUDIT_READ, dataset=subject or WORKSPACE)
    with store.catalog.read() as conn:
        return repository.events(conn, subject=subject, limit=limit)


def chain_problems(actor: Actor, *, store: Store) -> list[str]:
    """Breaks of the audit chain: changed, removed or inserted events. Raises: NotPermitted."""
    store.guard.require(actor, Permission.AUDIT_READ)
    with store.catalog.read() as conn:
        return list(audit_chain.walk(conn).problems)


def organisation(actor: Actor, *, store: Store) -> Organisation:
    """The model of the organisation, which everyone may know. Raises: NotPermitted."""
    store.guard.require(actor, Permission.ACCOUNT_OWN)
    with store.catalog.read() as conn:
        return Organisation(repository.organisation_model(conn))


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
