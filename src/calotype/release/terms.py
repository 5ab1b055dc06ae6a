"""The terms of a release: what its contract allows the data to be used for, and how personal they are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from difflib import get_close_matches
from typing import Any

import pyarrow.compute as pc

from calotype.contracts.advice import advice
from calotype.contracts.model import DEFAULT, Contract
from calotype.contracts.text import parse
from calotype.datasets.snapshot import Snapshot
from calotype.release.model import PurposeInvalid, PurposeMissing, PurposeNotAllowed

MAX_PURPOSE = 500


def contract_of(snapshot: Snapshot) -> Contract:
    """The contract in force. Raises: ContractInvalid."""
    return parse(snapshot.contract_text) if snapshot.contract_text else DEFAULT


def clean_purpose(text: str | None) -> str:
    """A purpose without blanks around it; empty for none. Raises: PurposeInvalid."""
    purpose = (text or "").strip()
    if len(purpose) > MAX_PURPOSE or not all(c.isprintable() for c in purpose):
        raise PurposeInvalid(got=purpose[:80], most=MAX_PURPOSE)
    return purpose


def check_purpose(snapshot: Snapshot, version: str, purpose: str) -> None:
    """A contract that lists purposes asks every release for one of them; one that lists none asks for nothing.

    Raises: ContractInvalid, PurposeMissing, PurposeNotAllowed.
    """
    asked = contract_of(snapshot)
    if not asked.purposes or purpose in asked.purposes:
        return
    dataset, allowed = snapshot.dataset.name, ", ".join(asked.purposes)
    told = {"where": f"dataset {dataset}", "dataset": dataset, "version": version, "allowed": allowed}
    if not purpose:
        raise PurposeMissing(**told)
    near = get_close_matches(purpose, asked.purposes, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise PurposeNotAllowed(got=purpose[:80], hint=hint, owner=asked.task.owner or "its owner", **told)


def terms(snapshot: Snapshot, ids: Sequence[str], purpose: str, at_us: int) -> dict[str, Any]:
    """What a card says of purpose and privacy, with a warning for what the contract leaves open or the data break.

    Args:
        ids: The samples of the release.
        at_us: When the release is made, in microseconds since 1970; retention is counted back from then.
    """
    asked = contract_of(snapshot)
    privacy = asked.privacy
    return {
        "purpose": purpose,
        "purposes": list(asked.purposes),
        "privacy": {
            "level": privacy.level if snapshot.contract_text else "",
            "contains": list(privacy.contains),
            "retention_days": privacy.retention_days,
        },
        "warnings": [*advice(asked), *_kept_too_long(snapshot, ids, privacy.retention_days, at_us)],
    }


def _kept_too_long(snapshot: Snapshot, ids: Sequence[str], days: int | None, at_us: int) -> list[str]:
    """Samples that are there for longer than the contract says; the day they were added counts."""
    if days is None:
        return []
    limit = at_us - timedelta(days=days) // timedelta(microseconds=1)
    added = snapshot.samples(ids=ids, columns=["created_at_us"])["created_at_us"]
    n = int(pc.sum(pc.less(added, limit)).as_py() or 0)
    said = f"{n} sample was added" if n == 1 else f"{n} samples were added"
    return [f"{said} more than {days} days ago, longer than privacy.retention_days allows"] if n else []
