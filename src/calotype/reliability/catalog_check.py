"""The part of a verification that needs the catalog alone: chain, commits, documents, refs, imports."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from calotype.datasets.commits import Commit, Documents, Ref, commit_id
from calotype.reliability import repository
from calotype.reliability.model import Problem, Severity
from calotype.reliability.repository import ReleaseRow
from calotype.store.catalog import audit_chain
from calotype.store.catalog.audit_chain import ChainReport

_RESTORE = "bring the catalog back from a backup with `calotype restore`"


@dataclass(frozen=True, slots=True)
class Known:
    """The catalog as it was at one moment."""

    names: dict[str, str]
    commits: dict[str, Commit]
    refs: list[Ref]
    documents: dict[str, bool]
    releases: list[ReleaseRow]
    imports: list[tuple[str, str, str]]
    chain: ChainReport
    integrity: tuple[str, ...]

    def name(self, dataset_id: str) -> str:
        """The dataset's name, or its id where the dataset is gone."""
        return self.names.get(dataset_id, dataset_id)


def read(conn: sa.Connection) -> Known:
    """One consistent read of all that is checked."""
    return Known(
        names=repository.dataset_names(conn),
        commits={made.id: made for made in repository.commits(conn)},
        refs=repository.refs(conn),
        documents=repository.document_hashes(conn),
        releases=repository.releases(conn),
        imports=repository.imports(conn),
        chain=audit_chain.walk(conn),
        integrity=repository.integrity(conn),
    )


def problems(known: Known) -> list[Problem]:
    """What is wrong in the catalog itself."""
    found = [Problem("catalog-damaged", "catalog", said, _RESTORE) for said in known.integrity]
    found += [
        Problem(
            "audit-chain-broken",
            "audit",
            said,
            "compare with the audit of a backup; the chain is evidence and is never rewritten",
        )
        for said in known.chain.problems
    ]
    for made in known.commits.values():
        found += _of_commit(known, made)
    for ref in known.refs:
        found += _of_ref(known, ref)
    for dataset_id, import_id, source in known.imports:
        if dataset_id not in known.names:
            place = f"import {import_id[:12]} of {source}"
            found.append(Problem("dataset-gone", place, "its dataset is not in the catalog", _RESTORE))
    return found


def _of_commit(known: Known, made: Commit) -> list[Problem]:
    place = f"{known.name(made.dataset_id)}@{made.short}"
    found = []
    again = commit_id(
        dataset_id=made.dataset_id,
        parents=made.parents,
        author=made.author,
        message=made.message,
        created_at_us=made.created_at_us,
        pins=made.pins,
        documents=made.documents,
    )
    if again != made.id:
        said = f"the commit says something else than when it got its id (now {again[:12]})"
        found.append(Problem("commit-changed", place, said, _RESTORE))
    found += [
        Problem("parent-missing", place, f"its parent {parent[:12]} is not there", _RESTORE)
        for parent in made.parents
        if parent not in known.commits
    ]
    if made.dataset_id not in known.names:
        found.append(Problem("dataset-gone", place, "its dataset is not in the catalog", _RESTORE))
    return found + _of_documents(known, place, made.documents)


def _of_ref(known: Known, ref: Ref) -> list[Problem]:
    place = f"{known.name(ref.dataset_id)}@{ref.name}"
    facts = {"dataset_id": ref.dataset_id, "ref": ref.name, "kind": ref.kind}
    if ref.commit_id is not None and ref.commit_id not in known.commits:
        said = f"the {ref.kind} names commit {ref.commit_id[:12]}, which is not there"
        fix = "`calotype repair --yes` puts it back to the newest commit that its log names"
        return [Problem("ref-points-at-nothing", place, said, fix, facts=facts)]
    return _of_documents(known, place, ref.documents)


def _of_documents(known: Known, place: str, documents: Documents) -> list[Problem]:
    found = []
    for kind, sha256 in documents.items():
        if sha256 not in known.documents:
            found.append(
                Problem("document-missing", place, f"its {kind} {sha256[:12]} is not there", _RESTORE)
            )
        elif not known.documents[sha256]:
            said = f"the text of its {kind} does not match its hash {sha256[:12]}"
            found.append(Problem("document-changed", place, said, _RESTORE))
    return found


def lost_release_tags(known: Known) -> list[Problem]:
    """Releases whose tag is gone; their commit is still kept by the release itself."""
    tags = {(ref.dataset_id, ref.name) for ref in known.refs}
    return [
        Problem(
            "release-tag-missing",
            f"{known.name(one.dataset_id)} release {one.version}",
            "its tag is not there",
            "`calotype repair --yes` makes it again",
            Severity.UNTIDY,
            {
                "dataset_id": one.dataset_id,
                "ref": f"{repository.RELEASE_TAG}{one.version}",
                "commit": one.commit_id,
            },
        )
        for one in known.releases
        if (one.dataset_id, f"{repository.RELEASE_TAG}{one.version}") not in tags
    ]
