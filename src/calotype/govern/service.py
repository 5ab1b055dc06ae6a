"""Governance verbs: read the audit trail, and verify that it is intact."""

from __future__ import annotations

from calotype.foundation.actor import WORKSPACE, Actor, Permission
from calotype.govern import repository
from calotype.govern.model import AuditEvent
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
