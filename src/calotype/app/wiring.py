"""The composition root: which room provides what another one requires. Every connection is explicit."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from calotype.app.workspaces import create, open_at
from calotype.browse import images
from calotype.checks import service as checks
from calotype.checks.suite.registry import known_checks
from calotype.contracts import service as contracts
from calotype.curate import embedding_map
from calotype.curate import service as curate
from calotype.curate.model import SplitSpec, fractions
from calotype.datasets.snapshot import Snapshot
from calotype.findings import summary
from calotype.findings.data_tests import DataTest, RunsDataTests
from calotype.findings.gatekeeping import Gatekeeper, Verdict
from calotype.findings.worklist import query_fields
from calotype.foundation.actor import LOCAL, Actor
from calotype.foundation.clock import now_us
from calotype.foundation.errors import Invalid
from calotype.labelling import service as labelling
from calotype.people import holdings
from calotype.people import repository as people
from calotype.release import service as release
from calotype.release.model import ReleaseSpec
from calotype.store import Store

__all__ = [
    "acting_as",
    "create",
    "data_tests",
    "dataset_badges",
    "findings_of",
    "fractions",
    "gatekeeper",
    "known_checks",
    "open_annotations",
    "open_at",
    "rendered",
    "splitter",
    "within",
]


def gatekeeper(store: Store, on: str = "release") -> Gatekeeper:
    """The gatekeeper of releases or merges: runs the checks and judges by the gates that block there."""

    def verdict(actor: Actor, name_ref: str) -> Verdict:
        report = checks.check(actor, name_ref, store=store)
        gates = tuple(gate for gate in report.gates if on in gate.on)
        findings = {check.name: check.n_findings for check in report.checks}
        if on != "release":
            return Verdict(gates, findings)
        contract, _ = contracts.contract(actor, name_ref, known_checks(), store=store)
        before = release.releases(actor, name_ref, store=store)
        states = summary.summarise(
            actor,
            name_ref,
            report,
            contract.waivers,
            store=store,
            since_us=before[0].created_at_us if before else 0,
        )
        objectives = tuple(objective.to_dict() for objective in report.objectives)
        left_out = labelling.left_out(actor, name_ref.partition("@")[0], store=store)
        return Verdict(
            gates, findings, objectives=objectives, standing=states.to_dict(), left_out=tuple(left_out)
        )

    return verdict


def data_tests(store: Store, root: Path) -> RunsDataTests:
    """Run data tests with pytest in a subprocess. Tests are code, so the caller must trust the folder `root`.

    Raises (when called): DataTestsFailed.
    """

    def run(name_ref: str, paths: Sequence[str]) -> list[DataTest]:
        with tempfile.TemporaryDirectory() as folder:
            results = Path(folder) / "results.json"
            command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(root)]
            command += ["--calotype-workspace", str(store.root), "--calotype-dataset", name_ref]
            command += ["--calotype-results", str(results), "--", *paths]
            process = subprocess.run(
                command, cwd=root, capture_output=True, text=True, timeout=3_600, check=False
            )
            if not results.is_file() or process.returncode not in (0, 1):
                output = (process.stdout + process.stderr).strip()[-800:]
                raise DataTestsFailed(detail=output or f"exit code {process.returncode}")
            outcomes = json.loads(results.read_text(encoding="utf-8"))
        return [DataTest(**{**outcome, "faults": tuple(outcome["faults"])}) for outcome in outcomes]

    return run


class DataTestsFailed(Invalid):
    """The data tests could not be run."""

    code = "data-tests-failed"
    what = "the data tests did not run: {detail}"
    fix = "run them directly: `pytest --calotype-dataset NAME PATHS`"


def dataset_badges(actor: Actor, name: str, *, store: Store) -> dict[str, Any]:
    """Releases, gates and open findings of a dataset, for lists of datasets."""
    releases = release.releases(actor, name, store=store)
    gates = checks.gate_counts(actor, name, store=store)
    open_findings = checks.open_findings(actor, name, store=store)
    return {"releases": [item.version for item in releases], "gates": gates, "open": open_findings}


def findings_of(
    actor: Actor, state: Snapshot, sample_ids: Collection[str], *, store: Store
) -> dict[str, list[dict[str, Any]]]:
    """Findings of the latest check run for these samples."""
    findings = checks.of_samples(actor, state.dataset.name, sample_ids, store=store)
    return {sample_id: [item.to_dict() for item in items] for sample_id, items in findings.items()}


def open_annotations(state: Snapshot, sample_ids: Collection[str], *, store: Store) -> set[str]:
    """Ids of the annotations of these samples that have an open finding."""
    return query_fields.open_annotations(store, state, sample_ids)


def splitter(actor: Actor, name: str, spec: ReleaseSpec, *, store: Store) -> object:
    """Assign the splits that a release asks for."""
    split = SplitSpec(spec.split or {}, by=spec.by, seed=spec.seed, where=spec.where or None, pool=spec.pool)
    return curate.split(actor, name, split, store=store)


def within(state: Snapshot, lasso: str, *, store: Store) -> pa.Array:
    """Ids of the samples inside a polygon on an embedding map."""
    model, corners = embedding_map.parse_lasso(lasso)
    return embedding_map.map_of(state, model, store=store).within(corners)


class NobodyElse(Invalid):
    """Only the owner of a local folder can act as somebody else."""

    code = "nobody-else"
    what = "{actor} cannot act as {who!r}: {why}"
    fix = "sign in as that person with `calotype login`"


def acting_as(actor: Actor, who: str, *, store: Store) -> Actor:
    """Somebody by name, in a folder on this machine: its owner can do anything there, also in the name of others.

    With accounts, the person with what they hold; without, anybody by any name.

    Raises: NobodyElse, PersonNotFound.
    """
    is_here: Any = isinstance(store, Store)
    if not (is_here and actor.id.startswith(LOCAL)):
        raise NobodyElse(actor=actor.name, who=who[:80], why="the workspace is on a server")
    with store.catalog.read() as conn:
        if not people.all_people(conn):
            if not (0 < len(who) <= 100 and who.isprintable()):
                raise NobodyElse(actor=actor.name, who=who[:80], why="that is not a name")
            return actor if who in ("me", actor.name) else Actor(f"{LOCAL}{who}", who)
        person = people.person(conn, who)
        return holdings.actor_with(person, holdings.holdings(conn, now_us())[person.id])


def rendered(dataset: str, media: str, *, store: Store, size_px: int = 0) -> Any:
    """A future of an image and its MIME type, for a caller that has checked the right to see it."""
    return images.shared.rendered(dataset, media, store=store, size_px=size_px)
