"""The terms of a release: the purposes that its contract allows, and privacy."""

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
    """A purpose without surrounding blanks; empty for none. Raises: PurposeInvalid."""
    purpose = (text or "").strip()
    if len(purpose) > MAX_PURPOSE or not all(c.isprintable() for c in purpose):
        raise PurposeInvalid(got=purpose[:80], most=MAX_PURPOSE)
    return purpose


def check_purpose(snapshot: Snapshot, version: str, purpose: str) -> None:
    """A contract that lists purposes requires one of them for each release; otherwise any purpose is allowed.

    Raises: ContractInvalid, PurposeMissing, PurposeNotAllowed.
    """
    contract = contract_of(snapshot)
    if not contract.purposes or purpose in contract.purposes:
        return
    dataset, allowed = snapshot.dataset.name, ", ".join(contract.purposes)
    fields = {"where": f"dataset {dataset}", "dataset": dataset, "version": version, "allowed": allowed}
    if not purpose:
        raise PurposeMissing(**fields)
    near = get_close_matches(purpose, contract.purposes, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise PurposeNotAllowed(got=purpose[:80], hint=hint, owner=contract.task.owner or "its owner", **fields)


def terms(snapshot: Snapshot, ids: Sequence[str], purpose: str, at_us: int) -> dict[str, Any]:
    """Purpose and privacy as the card states them, with warnings for what the contract leaves open or the data violate.

    Args:
        ids: The samples of the release.
        at_us: Time of the release in microseconds since 1970; the retention period ends then.
    """
    contract = contract_of(snapshot)
    privacy = contract.privacy
    return {
        "purpose": purpose,
        "purposes": list(contract.purposes),
        "privacy": {
            "level": privacy.level if snapshot.contract_text else "",
            "contains": list(privacy.contains),
            "retention_days": privacy.retention_days,
        },
        "warnings": [*advice(contract), *_retention_warnings(snapshot, ids, privacy.retention_days, at_us)],
    }


def _retention_warnings(snapshot: Snapshot, ids: Sequence[str], days: int | None, at_us: int) -> list[str]:
    """A warning for samples that were added longer ago than the contract allows."""
    if days is None:
        return []
    limit = at_us - timedelta(days=days) // timedelta(microseconds=1)
    added = snapshot.samples(ids=ids, columns=["created_at_us"])["created_at_us"]
    n = int(pc.sum(pc.less(added, limit)).as_py() or 0)
    subject = f"{n} sample was added" if n == 1 else f"{n} samples were added"
    return [f"{subject} more than {days} days ago, longer than privacy.retention_days allows"] if n else []
