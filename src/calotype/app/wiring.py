"""The composition root: explicit lists of what belongs to what. Nothing is scanned."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from calotype.app.workspaces import create, open_at
from calotype.checks import service as checks
from calotype.checks.data_tests import DataTest, RunsDataTests
from calotype.checks.suite.registry import known_checks
from calotype.contracts import service as contracts
from calotype.curate import service as curate
from calotype.curate.model import fractions
from calotype.datasets.snapshot import Snapshot
from calotype.findings import summary
from calotype.findings.gatekeeping import Gatekeeper, Verdict
from calotype.foundation.actor import Actor
from calotype.foundation.errors import Invalid
from calotype.release import service as release
from calotype.store import Store

__all__ = [
    "create",
    "data_tests",
    "dataset_badges",
    "findings_of",
    "fractions",
    "gatekeeper",
    "known_checks",
    "open_at",
    "splitter",
]


def gatekeeper(store: Store, on: str = "release") -> Gatekeeper:
    """The checks as the gatekeeper of releases, or of merges: only gates that block there count."""

    def verdict(actor: Actor, name_ref: str) -> Verdict:
        report = checks.check(actor, name_ref, store=store)
        gates = tuple(gate for gate in report.gates if on in gate.on)
        findings = {check.name: check.n_findings for check in report.checks}
        if on != "release":
            return Verdict(gates, findings)
        asked, _ = contracts.contract(actor, name_ref, known_checks(), store=store)
        known = summary.summarise(actor, name_ref, report, asked.waivers, store=store)
        measured = tuple(objective.to_dict() for objective in report.objectives)
        return Verdict(gates, findings, objectives=measured, standing=known.to_dict())

    return verdict


def data_tests(store: Store, root: Path) -> RunsDataTests:
    """pytest in a process of its own, on tests below a folder that the caller trusts: tests are programs.

    Raises (when called): DataTestsFailed.
    """

    def run(name_ref: str, paths: Sequence[str]) -> list[DataTest]:
        with tempfile.TemporaryDirectory() as folder:
            results = Path(folder) / "results.json"
            words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(root)]
            words += ["--calotype-workspace", str(store.root), "--calotype-dataset", name_ref]
            words += ["--calotype-results", str(results), "--", *paths]
            done = subprocess.run(words, cwd=root, capture_output=True, text=True, timeout=3_600, check=False)
            if not results.is_file() or done.returncode not in (0, 1):
                raise DataTestsFailed(
                    detail=(done.stdout + done.stderr).strip()[-800:] or f"exit {done.returncode}"
                )
            made = json.loads(results.read_text(encoding="utf-8"))
        return [DataTest(**{**one, "faults": tuple(one["faults"])}) for one in made]

    return run


class DataTestsFailed(Invalid):
    """Data tests that could not be run."""

    code = "data-tests-failed"
    what = "the data tests did not run: {detail}"
    fix = "run them by hand: `pytest --calotype-dataset NAME PATHS`"


def dataset_badges(actor: Actor, name: str, *, store: Store) -> dict[str, Any]:
    """What a list of datasets tells of each: its releases and its gates."""
    made = release.releases(actor, name, store=store)
    gates = checks.gate_counts(actor, name, store=store)
    return {"releases": [one.version for one in made], "gates": gates}


def findings_of(
    actor: Actor, state: Snapshot, sample_ids: Collection[str], *, store: Store
) -> dict[str, list[dict[str, Any]]]:
    """What the newest run of the checks found at these samples."""
    found = checks.of_samples(actor, state.dataset.name, sample_ids, store=store)
    return {sample_id: [finding.to_dict() for finding in mine] for sample_id, mine in found.items()}


splitter = curate.split
"""Curate assigns the splits of a release."""
