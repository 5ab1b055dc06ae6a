"""The composition root: explicit lists of what belongs to what. Nothing is scanned."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from calotype.checks import service as checks
from calotype.curate import service as curate
from calotype.curate.model import fractions
from calotype.foundation.actor import Actor
from calotype.govern.rules import RoleRules
from calotype.release.model import Gate, Gatekeeper, Verdict
from calotype.store import Store, create_workspace, open_workspace

__all__ = ["create", "fractions", "gatekeeper", "open_at", "splitter"]


def create(actor: Actor, folder: Path) -> Store:
    """Make a workspace under the rules of `govern`."""
    return create_workspace(actor, folder, decider=RoleRules())


def open_at(folder: Path | None) -> Store:
    """Open the workspace in a folder; without one, the nearest from here upward.

    Raises: WorkspaceNotFound.
    """
    if folder is not None:
        return open_workspace(folder, decider=RoleRules())
    return open_workspace(Path.cwd(), decider=RoleRules(), search_up=True)


def gatekeeper(store: Store) -> Gatekeeper:
    """The checks as the gatekeeper of releases."""

    def verdict(actor: Actor, name_ref: str) -> Verdict:
        report = checks.check(actor, name_ref, store=store)
        names = [field.name for field in dataclasses.fields(Gate)]
        gates = tuple(Gate(**{name: getattr(gate, name) for name in names}) for gate in report.gates)
        return Verdict(gates=gates, findings={check.name: check.n_findings for check in report.checks})

    return verdict


splitter = curate.split
"""Curate assigns the splits of a release."""
