"""The composition root: explicit lists of what belongs to what. Nothing is scanned."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from pathlib import Path
from typing import Any

from calotype.checks import service as checks
from calotype.curate import service as curate
from calotype.curate.model import fractions
from calotype.datasets.snapshot import Snapshot
from calotype.foundation.actor import Actor
from calotype.govern.rules import RoleRules
from calotype.release import service as release
from calotype.release.model import Gate, Gatekeeper, Verdict
from calotype.store import Store, create_workspace, open_workspace
from calotype.store.locating import storage_at

__all__ = ["create", "dataset_badges", "findings_of", "fractions", "gatekeeper", "open_at", "splitter"]


def create(actor: Actor, folder: Path, *, catalog: str = "", storage: str = "") -> Store:
    """Make a workspace under the rules of `govern`.

    Args:
        catalog: The address of a PostgreSQL database for the catalog, in place of a file in the folder.
        storage: A place in a bucket for media and tables (`s3://bucket/prefix`), in place of the folder.

    Raises: WorkspaceExists, CatalogUrlInvalid, BucketUrlInvalid, BucketUnsafe, BucketFailed, CatalogUnreachable.
    """
    return create_workspace(actor, folder, decider=RoleRules(), storage=storage_at(catalog, storage))


def open_at(folder: Path | None) -> Store:
    """Open the workspace in a folder; without one, the nearest from here upward.

    Raises: WorkspaceNotFound.
    """
    if folder is not None:
        return open_workspace(folder, decider=RoleRules())
    return open_workspace(Path.cwd(), decider=RoleRules(), search_up=True)


def gatekeeper(store: Store, on: str = "release") -> Gatekeeper:
    """The checks as the gatekeeper of releases, or of merges: only gates that block there count."""

    def verdict(actor: Actor, name_ref: str) -> Verdict:
        report = checks.check(actor, name_ref, store=store)
        names = [field.name for field in dataclasses.fields(Gate)]
        gates = tuple(
            Gate(**{name: getattr(gate, name) for name in names}) for gate in report.gates if on in gate.on
        )
        return Verdict(gates=gates, findings={check.name: check.n_findings for check in report.checks})

    return verdict


def dataset_badges(actor: Actor, name: str, *, store: Store) -> dict[str, Any]:
    """What a list of datasets tells of each: its releases and its gates."""
    made = release.releases(actor, name, store=store)
    gates = checks.gate_counts(actor, name, store=store)
    return {"releases": [one.version for one in made], "gates": gates}


def findings_of(
    actor: Actor, state: Snapshot, sample_ids: Collection[str], *, store: Store
) -> dict[str, list[dict[str, Any]]]:  # fmt: skip
    """What the newest run of the checks found at these samples."""
    found = checks.of_samples(actor, state.dataset.name, sample_ids, store=store)
    return {sample_id: [finding.to_dict() for finding in mine] for sample_id, mine in found.items()}


splitter = curate.split
"""Curate assigns the splits of a release."""
