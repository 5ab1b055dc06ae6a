"""From what a user writes (`name`, `name@ref`) to a state of a dataset.

name           the working state of main: everything added and imported so far
name@branch    the newest commit of the branch
name@branch+   the branch with its edits that are not committed yet
name@tag, name@1f3a9c...   a tag; a commit by at least 6 digits of its id
name@main~2    two commits before the newest
"""

from __future__ import annotations

import re
from dataclasses import replace

import sqlalchemy as sa

from calotype.datasets import repository
from calotype.datasets.commits import MAIN, Commit, DatasetInfo, Ref
from calotype.foundation.errors import AlreadyExists, Conflict, Invalid, NotFound

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._\-]{0,99}")
_REF = re.compile(r"[A-Za-z0-9][A-Za-z0-9._\-/]{0,99}")
_STEPS = re.compile(r"[0-9]{0,9}")
_COMMIT = re.compile(r"[0-9a-f]{6,64}")


class NameInvalid(Invalid):
    """A name with characters that would not work in addresses and paths."""

    code = "name-invalid"
    what = "{got!r} is not a name for a {thing}"
    fix = "use letters, digits, `.`, `_` and `-`, at most 100, beginning with a letter or digit"


class DatasetNotFound(NotFound):
    """No dataset of this name."""

    code = "dataset-not-found"
    what = "no dataset {name!r} in this workspace"
    fix = "make it with `calotype dataset create {name}`, or list them with `calotype dataset list`"


class DatasetExists(AlreadyExists):
    """The name is taken."""

    code = "dataset-exists"
    what = "there is a dataset {name!r} already"
    fix = "use it, or choose another name"


class RefNotFound(NotFound):
    """No branch, tag or commit of this name."""

    code = "ref-not-found"
    what = "{dataset} has no branch, tag or commit {ref!r}"
    fix = "{hint}"


class RefAmbiguous(Conflict):
    """Several commits begin so."""

    code = "ref-ambiguous"
    what = "several commits of {dataset} begin with {ref!r}"
    fix = "give more digits of the commit id"


class RefExists(AlreadyExists):
    """The branch or tag is there."""

    code = "ref-exists"
    what = "{dataset} has a branch or tag {ref!r} already"
    fix = "choose another name"


class BranchProtected(Conflict):
    """The branch takes merges only."""

    code = "branch-protected"
    what = "branch {branch} of {dataset} is protected: {verb} may not change it"
    fix = (
        "work on a branch (`calotype branch {dataset} NAME`, then {dataset}@NAME) and bring it in with "
        "`calotype merge {dataset} NAME --into {branch}`"
    )


_LANDING = frozenset({"dataset.merge", "dataset.merge.land"})


def require_open(dataset: str, ref: Ref, verb: str) -> None:
    """Refuse every verb but a merge on a protected branch. Raises: BranchProtected."""
    if ref.protection and verb not in _LANDING:
        raise BranchProtected(dataset=dataset, branch=ref.name, verb=verb)


def split_name(text: str) -> tuple[str, str]:
    """`name@ref` as (name, ref); the ref is empty for the working state of main."""
    name, _, ref = text.partition("@")
    return name, ref


def check_dataset_name(name: str) -> None:
    """Raises: NameInvalid."""
    if not _NAME.fullmatch(name):
        raise NameInvalid(got=name[:120], thing="dataset")


def check_ref_name(name: str) -> None:
    """A branch or tag name; one that looks like a commit id is refused. Raises: NameInvalid."""
    if not _REF.fullmatch(name) or _COMMIT.fullmatch(name):
        raise NameInvalid(got=name[:120], thing="branch or tag")


def dataset(conn: sa.Connection, name: str) -> DatasetInfo:
    """Raises: DatasetNotFound."""
    info = repository.dataset_by_name(conn, name)
    if info is None:
        raise DatasetNotFound(name=name[:120])
    return info


def branch(conn: sa.Connection, info: DatasetInfo, name: str) -> Ref:
    """A branch to write on; empty means main. Raises: RefNotFound."""
    found = repository.ref(conn, info.id, name.removesuffix("+") or MAIN)
    if found is None or found.kind != "branch":
        raise _not_found(conn, info, name, only="branch")
    return found


def branch_named(conn: sa.Connection, info: DatasetInfo, text: str) -> str:
    """The branch that a ref text names, by its newest commit or its working state; empty for anything else."""
    found = repository.ref(conn, info.id, text.removesuffix("+") or MAIN)
    return found.name if found is not None and found.kind == "branch" else ""


def resolve(conn: sa.Connection, info: DatasetInfo, text: str) -> Ref:
    """What `text` names: a ref whose pins are to be read; `commit_id` is None where they are not committed.

    Raises: RefNotFound, RefAmbiguous.
    """
    if text == "" or text.endswith("+"):
        working = branch(conn, info, text)
        head = None if working.commit_id is None else repository.commit(conn, working.commit_id)
        clean = head is not None and (head.pins, head.documents) == (working.pins, working.documents)
        return working if clean else replace(working, commit_id=None)
    found = commit_at(conn, info, text)
    name, kind = text, "commit"
    return Ref(info.id, name, kind, found.id, found.pins, found.documents, 0)


def commit_at(conn: sa.Connection, info: DatasetInfo, text: str) -> Commit:
    """The commit that a branch, tag, id or `ref~n` names. Raises: RefNotFound, RefAmbiguous."""
    base, tilde, steps = text.partition("~")
    found = _named_commit(conn, info, base or MAIN)
    if tilde:
        if not _STEPS.fullmatch(steps):
            raise _not_found(conn, info, text)
        for _ in range(int(steps or 1)):
            if not found.parents:
                raise _not_found(conn, info, text)
            parent = repository.commit(conn, found.parents[0])
            if parent is None:
                raise _not_found(conn, info, text)
            found = parent
    return found


def _named_commit(conn: sa.Connection, info: DatasetInfo, text: str) -> Commit:
    ref = repository.ref(conn, info.id, text)
    if ref is not None and ref.commit_id is not None:
        found = repository.commit(conn, ref.commit_id)
        if found is not None:
            return found
    if ref is None and _COMMIT.fullmatch(text):
        matches = repository.commits_starting_with(conn, info.id, text)
        if len(matches) > 1:
            raise RefAmbiguous(dataset=info.name, ref=text)
        if matches:
            return matches[0]
    raise _not_found(conn, info, text)


def _not_found(conn: sa.Connection, info: DatasetInfo, text: str, *, only: str = "") -> RefNotFound:
    refs = [ref for ref in repository.refs(conn, info.id) if not only or ref.kind == only]
    if any(ref.name == text and ref.commit_id is None for ref in refs):
        hint = f"{text} has no commit yet: make one with `calotype commit {info.name} -m MESSAGE`"
    else:
        hint = "it has: " + (", ".join(ref.name for ref in refs[:20]) or "none")
    return RefNotFound(dataset=info.name, ref=text[:120], hint=hint)
