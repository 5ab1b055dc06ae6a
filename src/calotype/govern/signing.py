"""Signing what the audit trail holds now."""

from __future__ import annotations

from dataclasses import dataclass

from calotype.foundation import hash_chain
from calotype.foundation.actor import Actor
from calotype.foundation.clock import iso, now_us
from calotype.govern import checkpoint, evidence, repository
from calotype.govern.checkpoint import MARK_BYTES, Checkpoint
from calotype.govern.merkle import Tree
from calotype.govern.model import CHECKPOINT_VERB
from calotype.govern.signing_key import signing_key
from calotype.store import Store
from calotype.store.catalog import audit_chain


@dataclass(frozen=True, slots=True)
class Signed:
    """A new checkpoint, and what was already wrong with the chain when it was signed."""

    checkpoint: Checkpoint
    problems: tuple[str, ...]


def sign_now(store: Store) -> Signed:
    """A checkpoint of all events, which the trail does not yet know. Raises: AuditKeyInvalid, StorageFailed."""
    tree, marks, problems, before = Tree(), bytearray(), list[str](), None
    with store.catalog.read() as conn:
        origin = repository.origin(conn)
        for link in audit_chain.links(conn):
            problems += [broken.problem for broken in hash_chain.breaks(link, before)]
            leaf = evidence.leaf_of(link)
            tree.append(leaf)
            marks += leaf[:MARK_BYTES].ljust(MARK_BYTES, b"\0")
            before = link
    signed = checkpoint.sign(
        signing_key(store),
        origin=origin,
        size=tree.size,
        root=tree.root(),
        at=iso(now_us()),
        marks=bytes(marks),
    )
    return Signed(signed, tuple(problems))


def record(actor: Actor, signed: Checkpoint, *, store: Store) -> None:
    """Record in the trail that a checkpoint was signed. Raises: WorkspaceReadOnly."""
    with store.catalog.write(actor, CHECKPOINT_VERB, subject="workspace") as tx:
        tx.details(signed.to_details())
