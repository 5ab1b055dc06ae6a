"""Checks that need only the catalog: audit chain, commits, documents, refs, imports."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from calotype.datasets.commits import Commit, Documents, Ref, commit_id
from calotype.reliability import repository
from calotype.reliability.model import Problem, Severity
from calotype.reliability.repository import ReleaseRow
from calotype.store.catalog import audit_chain
from calotype.store.catalog.audit_chain import ChainReport

_RESTORE = "restore the catalog from a backup with `calotype restore`"


@dataclass(frozen=True, slots=True)
class CatalogState:
    """A consistent snapshot of the catalog."""

    names: dict[str, str]
    commits: dict[str, Commit]
    refs: list[Ref]
    documents: dict[str, bool]
    releases: list[ReleaseRow]
    imports: list[tuple[str, str, str]]
    chain: ChainReport
    integrity: tuple[str, ...]

    def name(self, dataset_id: str) -> str:
        """The dataset's name, or its id if the dataset is missing."""
        return self.names.get(dataset_id, dataset_id)


def read_state(conn: sa.Connection) -> CatalogState:
    """Read everything to be checked in one transaction."""
    return CatalogState(
        names=repository.dataset_names(conn),
        commits={commit.id: commit for commit in repository.commits(conn)},
        refs=repository.refs(conn),
        documents=repository.document_hashes(conn),
        releases=repository.releases(conn),
        imports=repository.imports(conn),
        chain=audit_chain.walk(conn),
        integrity=repository.integrity(conn),
    )


def find_problems(catalog: CatalogState) -> list[Problem]:
    """Problems within the catalog."""
    problems = [Problem("catalog-damaged", "catalog", detail, _RESTORE) for detail in catalog.integrity]
    problems += [
        Problem(
            "audit-chain-broken",
            "audit",
            detail,
            "compare it with the audit trail of a backup; the chain is evidence and is never rewritten",
        )
        for detail in catalog.chain.problems
    ]
    for commit in catalog.commits.values():
        problems += _commit_problems(catalog, commit)
    for ref in catalog.refs:
        problems += _ref_problems(catalog, ref)
    for dataset_id, import_id, source in catalog.imports:
        if dataset_id not in catalog.names:
            place = f"import {import_id[:12]} of {source}"
            problems.append(Problem("dataset-gone", place, "its dataset is not in the catalog", _RESTORE))
    return problems


def _commit_problems(catalog: CatalogState, commit: Commit) -> list[Problem]:
    place = f"{catalog.name(commit.dataset_id)}@{commit.short}"
    problems = []
    recomputed_id = commit_id(
        dataset_id=commit.dataset_id,
        parents=commit.parents,
        author=commit.author,
        message=commit.message,
        created_at_us=commit.created_at_us,
        pins=commit.pins,
        documents=commit.documents,
    )
    if recomputed_id != commit.id:
        detail = f"the commit does not match its id (its content has the id {recomputed_id[:12]})"
        problems.append(Problem("commit-changed", place, detail, _RESTORE))
    problems += [
        Problem("parent-missing", place, f"its parent {parent[:12]} is missing", _RESTORE)
        for parent in commit.parents
        if parent not in catalog.commits
    ]
    if commit.dataset_id not in catalog.names:
        problems.append(Problem("dataset-gone", place, "its dataset is not in the catalog", _RESTORE))
    return problems + _document_problems(catalog, place, commit.documents)


def _ref_problems(catalog: CatalogState, ref: Ref) -> list[Problem]:
    place = f"{catalog.name(ref.dataset_id)}@{ref.name}"
    facts = {"dataset_id": ref.dataset_id, "ref": ref.name, "kind": ref.kind}
    if ref.commit_id is not None and ref.commit_id not in catalog.commits:
        detail = f"the {ref.kind} refers to commit {ref.commit_id[:12]}, which is missing"
        fix = "`calotype repair --yes` resets it to the newest commit in its log"
        return [Problem("ref-points-at-nothing", place, detail, fix, facts=facts)]
    return _document_problems(catalog, place, ref.documents)


def _document_problems(catalog: CatalogState, place: str, documents: Documents) -> list[Problem]:
    problems = []
    for kind, sha256 in documents.items():
        if sha256 not in catalog.documents:
            problems.append(
                Problem("document-missing", place, f"its {kind} {sha256[:12]} is missing", _RESTORE)
            )
        elif not catalog.documents[sha256]:
            detail = f"its {kind} does not match its hash {sha256[:12]}"
            problems.append(Problem("document-changed", place, detail, _RESTORE))
    return problems


def missing_release_tags(catalog: CatalogState) -> list[Problem]:
    """Releases without a tag; the release itself still protects their commit."""
    tags = {(ref.dataset_id, ref.name) for ref in catalog.refs}
    return [
        Problem(
            "release-tag-missing",
            f"{catalog.name(release.dataset_id)} release {release.version}",
            "its tag is missing",
            "`calotype repair --yes` recreates it",
            Severity.UNTIDY,
            {
                "dataset_id": release.dataset_id,
                "ref": f"{repository.RELEASE_TAG}{release.version}",
                "commit": release.commit_id,
            },
        )
        for release in catalog.releases
        if (release.dataset_id, f"{repository.RELEASE_TAG}{release.version}") not in tags
    ]
