"""Resolves dataset names with refs (`name`, `name@ref`) as written by users.

name           the working state of main: everything added and imported so far
name@branch    the newest commit of the branch
name@branch+   the branch with its uncommitted edits
name@tag, name@1f3a9c...   a tag; a commit by the first 6 or more digits of its id
name@main~2    two commits before the newest commit of main
"""

from __future__ import annotations

import re
from contextlib import AbstractContextManager
from dataclasses import replace

import sqlalchemy as sa

from calotype.datasets import repository
from calotype.datasets.commits import MAIN, Commit, DatasetInfo, Ref
from calotype.foundation.errors import AlreadyExists, Conflict, Invalid, NotFound
from calotype.store import Store

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._\-]{0,99}")
_REF = re.compile(r"[A-Za-z0-9][A-Za-z0-9._\-/]{0,99}")
_STEPS = re.compile(r"[0-9]{0,9}")
_COMMIT = re.compile(r"[0-9a-f]{6,64}")


class NameInvalid(Invalid):
    """A name with characters that do not work in URLs and paths."""

    code = "name-invalid"
    what = "{got!r} is not a valid name for a {thing}"
    fix = "use up to 100 letters, digits, `.`, `_` and `-`, beginning with a letter or digit"


class DatasetNotFound(NotFound):
    """No dataset of this name."""

    code = "dataset-not-found"
    what = "no dataset {name!r} in this workspace"
    fix = "create it with `calotype dataset create {name}`, or list datasets with `calotype dataset list`"


class DatasetExists(AlreadyExists):
    """A dataset of this name already exists."""

    code = "dataset-exists"
    what = "dataset {name!r} already exists"
    fix = "use it, or choose another name"


class RefNotFound(NotFound):
    """No branch, tag or commit of this name."""

    code = "ref-not-found"
    what = "{dataset} has no branch, tag or commit {ref!r}"
    fix = "{hint}"


class RefAmbiguous(Conflict):
    """Several commit ids begin with these digits."""

    code = "ref-ambiguous"
    what = "several commits of {dataset} begin with {ref!r}"
    fix = "give more digits of the commit id"


class RefExists(AlreadyExists):
    """A branch or tag of this name already exists."""

    code = "ref-exists"
    what = "{dataset} already has a branch or tag {ref!r}"
    fix = "choose another name"


class BranchProtected(Conflict):
    """The branch accepts only merges."""

    code = "branch-protected"
    what = "branch {branch} of {dataset} is protected against {verb}"
    fix = (
        "work on another branch (`calotype branch {dataset} NAME`, then {dataset}@NAME) and merge it with "
        "`calotype merge {dataset} NAME --into {branch}`"
    )


_MERGE_VERBS = frozenset({"dataset.merge", "dataset.merge.land"})


def require_open(dataset: str, ref: Ref, verb: str) -> None:
    """Allow only merges on a protected branch. Raises: BranchProtected."""
    if ref.protection and verb not in _MERGE_VERBS:
        raise BranchProtected(dataset=dataset, branch=ref.name, verb=verb)


def split_name(text: str) -> tuple[str, str]:
    """Split `name@ref` into name and ref; an empty ref is the working state of main."""
    name, _, ref = text.partition("@")
    return name, ref


def turn(store: Store, name: str) -> AbstractContextManager[bool]:
    """Queue with the other writers of a branch (`name` or `name@branch`), whose work would otherwise be in vain."""
    dataset_name, branch = split_name(name)
    return store.catalog.turns.taking(f"branch/{dataset_name}@{branch.removesuffix('+') or MAIN}")


def check_dataset_name(name: str) -> None:
    """Raises: NameInvalid."""
    if not _NAME.fullmatch(name):
        raise NameInvalid(got=name[:120], thing="dataset")


def check_ref_name(name: str) -> None:
    """Check the name of a branch or tag; it must not look like a commit id. Raises: NameInvalid."""
    if not _REF.fullmatch(name) or _COMMIT.fullmatch(name):
        raise NameInvalid(got=name[:120], thing="branch or tag")


def dataset(conn: sa.Connection, name: str) -> DatasetInfo:
    """Raises: DatasetNotFound."""
    info = repository.dataset_by_name(conn, name)
    if info is None:
        raise DatasetNotFound(name=name[:120])
    return info


def branch(conn: sa.Connection, info: DatasetInfo, name: str) -> Ref:
    """The branch of this name, or main if it is empty. Raises: RefNotFound."""
    ref = repository.ref(conn, info.id, name.removesuffix("+") or MAIN)
    if ref is None or ref.kind != "branch":
        raise _not_found(conn, info, name, only="branch")
    return ref


def branch_named(conn: sa.Connection, info: DatasetInfo, text: str) -> str:
    """The name of the branch if `text` is `branch` or `branch+`; empty for any other ref."""
    ref = repository.ref(conn, info.id, text.removesuffix("+") or MAIN)
    return ref.name if ref is not None and ref.kind == "branch" else ""


def resolve(conn: sa.Connection, info: DatasetInfo, text: str) -> Ref:
    """Resolve a ref. `commit_id` of the result is None for a working state with uncommitted edits.

    Raises: RefNotFound, RefAmbiguous.
    """
    if text == "" or text.endswith("+"):
        working = branch(conn, info, text)
        head = None if working.commit_id is None else repository.commit(conn, working.commit_id)
        clean = head is not None and (head.pins, head.documents) == (working.pins, working.documents)
        return working if clean else replace(working, commit_id=None)
    commit = commit_at(conn, info, text)
    name, kind = text, "commit"
    return Ref(info.id, name, kind, commit.id, commit.pins, commit.documents, 0)


def commit_at(conn: sa.Connection, info: DatasetInfo, text: str) -> Commit:
    """The commit that a branch, tag, id or `ref~n` names. Raises: RefNotFound, RefAmbiguous."""
    base, tilde, steps = text.partition("~")
    commit = _named_commit(conn, info, base or MAIN)
    if tilde:
        if not _STEPS.fullmatch(steps):
            raise _not_found(conn, info, text)
        for _ in range(int(steps or 1)):
            if not commit.parents:
                raise _not_found(conn, info, text)
            parent = repository.commit(conn, commit.parents[0])
            if parent is None:
                raise _not_found(conn, info, text)
            commit = parent
    return commit


def _named_commit(conn: sa.Connection, info: DatasetInfo, text: str) -> Commit:
    ref = repository.ref(conn, info.id, text)
    if ref is not None and ref.commit_id is not None:
        commit = repository.commit(conn, ref.commit_id)
        if commit is not None:
            return commit
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
        hint = f"{text} has no commits yet: create one with `calotype commit {info.name} -m MESSAGE`"
    else:
        hint = "existing refs: " + (", ".join(ref.name for ref in refs[:20]) or "none")
    return RefNotFound(dataset=info.name, ref=text[:120], hint=hint)
