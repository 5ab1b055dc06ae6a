"""The catalog's SQL tables. Each room queries them from its own repository module only.

Times are integer microseconds since 1970 UTC; ids have 32 hexadecimal digits; JSON holds plain values only.
"""

from __future__ import annotations

import sqlalchemy as sa

from calotype.catalog_tables import guideline_tables, merge_tables, people_tables, view_tables, work_tables

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _id() -> sa.Column[str]:
    return sa.Column("id", sa.String(64), primary_key=True)


def _dataset_id() -> sa.Column[str]:
    return sa.Column("dataset_id", sa.String(32), sa.ForeignKey("datasets.id"), nullable=False, index=True)


workspace = sa.Table(
    "workspace",
    metadata,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("value", sa.JSON, nullable=False),
)

datasets = sa.Table(
    "datasets",
    metadata,
    _id(),
    sa.Column("name", sa.String(200), nullable=False, unique=True),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("created_at_us", sa.BigInteger, nullable=False),
    sa.Column("created_by", sa.String(200), nullable=False),
)

documents = sa.Table(
    "documents",
    metadata,
    sa.Column("sha256", sa.String(64), primary_key=True),
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("body", sa.Text, nullable=False),
)
"""Small immutable documents that commits refer to by hash: ontology, metadata fields, contract."""

commits = sa.Table(
    "commits",
    metadata,
    _id(),
    _dataset_id(),
    sa.Column("parents", sa.JSON, nullable=False),
    sa.Column("author", sa.String(200), nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("created_at_us", sa.BigInteger, nullable=False),
    sa.Column("pins", sa.JSON, nullable=False),
    sa.Column("documents", sa.JSON, nullable=False),
    sa.Column("stats", sa.JSON, nullable=False),
)

refs = sa.Table(
    "refs",
    metadata,
    sa.Column("dataset_id", sa.String(32), sa.ForeignKey("datasets.id"), primary_key=True),
    sa.Column("name", sa.String(200), primary_key=True),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("commit_id", sa.String(64), sa.ForeignKey("commits.id"), nullable=True),
    sa.Column("pins", sa.JSON, nullable=False),
    sa.Column("documents", sa.JSON, nullable=False),
    sa.Column("sequence", sa.Integer, nullable=False),
    sa.Column("protection", sa.JSON, nullable=True),
)
"""Branches and tags. A branch also has a working state: the pins and documents of uncommitted edits.
`protection` says how changes may reach a protected branch; null if it is not protected."""

reflog = sa.Table(
    "reflog",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    _dataset_id(),
    sa.Column("ref", sa.String(200), nullable=False),
    sa.Column("old_commit", sa.String(64), nullable=True),
    sa.Column("new_commit", sa.String(64), nullable=True),
    sa.Column("actor", sa.String(200), nullable=False),
    sa.Column("verb", sa.String(64), nullable=False),
    sa.Column("at_us", sa.BigInteger, nullable=False),
)

edits = sa.Table(
    "edits",
    metadata,
    _id(),
    _dataset_id(),
    sa.Column("branch", sa.String(200), nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("verb", sa.String(64), nullable=False),
    sa.Column("details", sa.JSON, nullable=False),
    sa.Column("counts", sa.JSON, nullable=False),
    sa.Column("before", sa.JSON, nullable=False),
    sa.Column("after", sa.JSON, nullable=False),
    sa.Column("undone", sa.Boolean, nullable=False),
    sa.Column("actor_id", sa.String(200), nullable=False),
    sa.Column("actor", sa.String(200), nullable=False),
    sa.Column("at_us", sa.BigInteger, nullable=False),
)
"""The journal: edits of a branch since its last commit, in order. `before` and `after` hold the pins and documents of
the working state, which `gc` keeps within its grace period; an undone edit can be redone until a new one comes."""

edit_requests = sa.Table(
    "edit_requests",
    metadata,
    sa.Column("dataset_id", sa.String(32), sa.ForeignKey("datasets.id"), primary_key=True),
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("answer", sa.JSON, nullable=False),
    sa.Column("at_us", sa.BigInteger, nullable=False, index=True),
)
"""Answers to requests to edit, by the id that the client gave: a repeated request gets the same answer."""

saved_views, of_people = view_tables.saved_views(metadata), people_tables.people_tables(metadata)

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("at_us", sa.BigInteger, nullable=False),
    sa.Column("actor", sa.String(200), nullable=False),
    sa.Column("verb", sa.String(64), nullable=False, index=True),
    sa.Column("subject", sa.String(400), nullable=False),
    sa.Column("details", sa.JSON, nullable=False),
    sa.Column("previous", sa.String(64), nullable=False),
    sa.Column("hash", sa.String(64), nullable=False),
)

imports = sa.Table(
    "imports",
    metadata,
    _id(),
    _dataset_id(),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("source", sa.String(400), nullable=False),
    sa.Column("format", sa.String(32), nullable=False),
    sa.Column("label_set", sa.String(200), nullable=False),
    sa.Column("counts", sa.JSON, nullable=False),
    sa.Column("losses", sa.JSON, nullable=False),
    sa.Column("actor", sa.String(200), nullable=False),
    sa.Column("started_at_us", sa.BigInteger, nullable=False),
    sa.Column("finished_at_us", sa.BigInteger, nullable=True),
)

quarantine = sa.Table(
    "quarantine",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    _dataset_id(),
    sa.Column("import_id", sa.String(32), nullable=False, index=True),
    sa.Column("what", sa.String(32), nullable=False),
    sa.Column("place", sa.Text, nullable=False),
    sa.Column("code", sa.String(64), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("item", sa.JSON, nullable=False),
    sa.Column("at_us", sa.BigInteger, nullable=False),
)
"""Files and annotations rejected during an import, with the reason."""

jobs = sa.Table(
    "jobs",
    metadata,
    _id(),
    sa.Column("key", sa.String(64), nullable=False, unique=True),
    sa.Column("kind", sa.String(64), nullable=False),
    sa.Column("run_id", sa.String(32), nullable=False, index=True),
    sa.Column("payload", sa.JSON, nullable=False),
    sa.Column("state", sa.String(16), nullable=False, index=True),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("worker", sa.String(64), nullable=True),
    sa.Column("lease_until_us", sa.BigInteger, nullable=False),
    sa.Column("result", sa.JSON, nullable=True),
    sa.Column("error", sa.JSON, nullable=True),
    sa.Column("created_at_us", sa.BigInteger, nullable=False),
    sa.Column("started_at_us", sa.BigInteger, nullable=True),
    sa.Column("finished_at_us", sa.BigInteger, nullable=True),
)

runs = sa.Table(
    "runs",
    metadata,
    _id(),
    _dataset_id(),
    sa.Column("pipeline", sa.String(200), nullable=False),
    sa.Column("pipeline_sha256", sa.String(64), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("actor", sa.String(200), nullable=False),
    sa.Column("started_at_us", sa.BigInteger, nullable=False),
    sa.Column("finished_at_us", sa.BigInteger, nullable=True),
    sa.Column("error", sa.JSON, nullable=True),
)

run_stages = sa.Table(
    "run_stages",
    metadata,
    sa.Column("run_id", sa.String(32), sa.ForeignKey("runs.id"), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("inputs", sa.JSON, nullable=False),
    sa.Column("outputs", sa.JSON, nullable=False),
    sa.Column("started_at_us", sa.BigInteger, nullable=True),
    sa.Column("finished_at_us", sa.BigInteger, nullable=True),
)

check_runs = sa.Table(
    "check_runs",
    metadata,
    _id(),
    _dataset_id(),
    sa.Column("commit_id", sa.String(64), nullable=True),
    sa.Column("state_sha256", sa.String(64), nullable=False, index=True),
    sa.Column("contract_sha256", sa.String(64), nullable=False),
    sa.Column("gates", sa.JSON, nullable=False),
    sa.Column("checks", sa.JSON, nullable=False),
    sa.Column("actor", sa.String(200), nullable=False),
    sa.Column("started_at_us", sa.BigInteger, nullable=False),
    sa.Column("finished_at_us", sa.BigInteger, nullable=False),
    sa.Column("branch", sa.String(200), nullable=False, server_default=""),
    sa.Column("pins", sa.JSON(none_as_null=True), nullable=True),
    sa.Column("documents", sa.JSON(none_as_null=True), nullable=True),
    sa.Column("only", sa.JSON(none_as_null=True), nullable=True),
    sa.Column("earlier_run", sa.String(64), nullable=True),
    sa.Column("objectives", sa.JSON(none_as_null=True), nullable=True),
)
"""Check runs. `branch` is empty if a tag or a commit was checked; `only` lists the selected checks if not all ran.
`pins` and `documents` reopen the checked state, so that a later run can build on this one. `objectives` is null in
runs of versions that did not measure any."""

findings = sa.Table(
    "findings",
    metadata,
    sa.Column("check_run_id", sa.String(64), sa.ForeignKey("check_runs.id"), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("check_name", sa.String(64), nullable=False, index=True),
    sa.Column("severity", sa.String(16), nullable=False),
    sa.Column("sample_id", sa.String(32), nullable=True, index=True),
    sa.Column("annotation_id", sa.String(32), nullable=True),
    sa.Column("label_set", sa.String(200), nullable=True),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("facts", sa.JSON, nullable=False),
    sa.Column("key", sa.String(32), nullable=False, server_default="", index=True),
    sa.Column("fault", sa.String(64), nullable=False, server_default=""),
    sa.Column("about", sa.Text, nullable=False, server_default=""),
)
"""Findings of one run. The same fault at the same place has the same `key` in every run."""

finding_states = sa.Table(
    "finding_states",
    metadata,
    sa.Column("dataset_id", sa.String(32), sa.ForeignKey("datasets.id"), primary_key=True),
    sa.Column("key", sa.String(32), primary_key=True),
    sa.Column("branch", sa.String(200), nullable=False),
    sa.Column("check_name", sa.String(64), nullable=False, index=True),
    sa.Column("sample_id", sa.String(32), nullable=True, index=True),
    sa.Column("finding", sa.JSON, nullable=False),
    sa.Column("state", sa.String(16), nullable=False, index=True),
    sa.Column("assignee", sa.String(200), nullable=False),
    sa.Column("verdict", sa.String(16), nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("until_us", sa.BigInteger, nullable=True),
    sa.Column("first_run", sa.String(64), nullable=False),
    sa.Column("last_run", sa.String(64), nullable=False),
    sa.Column("n_returns", sa.Integer, nullable=False),
    sa.Column("opened_at_us", sa.BigInteger, nullable=False),
    sa.Column("changed_at_us", sa.BigInteger, nullable=False),
)
"""Current state of each finding of a dataset: open, assigned, fixed, rejected, accepted, closed. `branch` is where a
re-test closes it; `finding` is its latest content."""

finding_events = sa.Table(
    "finding_events",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    _dataset_id(),
    sa.Column("key", sa.String(32), nullable=False, index=True),
    sa.Column("verb", sa.String(32), nullable=False),
    sa.Column("old_state", sa.String(16), nullable=False),
    sa.Column("new_state", sa.String(16), nullable=False),
    sa.Column("actor", sa.String(200), nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("run_id", sa.String(64), nullable=True),
    sa.Column("at_us", sa.BigInteger, nullable=False),
)
"""History of findings in chronological order; append-only."""

finding_fixes = sa.Table(
    "finding_fixes",
    metadata,
    _id(),
    _dataset_id(),
    sa.Column("branch", sa.String(200), nullable=False),
    sa.Column("keys", sa.JSON, nullable=False),
    sa.Column("before", sa.LargeBinary, nullable=False),
    sa.Column("after", sa.LargeBinary, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("actor", sa.String(200), nullable=False),
    sa.Column("at_us", sa.BigInteger, nullable=False),
    sa.Column("undone_at_us", sa.BigInteger, nullable=True),
)
"""Fixes (applied, undone) with the rows before and after; decisions (decided, undone) with the states before."""

releases = sa.Table(
    "releases",
    metadata,
    sa.Column("dataset_id", sa.String(32), sa.ForeignKey("datasets.id"), primary_key=True),
    sa.Column("version", sa.String(64), primary_key=True),
    sa.Column("commit_id", sa.String(64), sa.ForeignKey("commits.id"), nullable=False),
    sa.Column("spec", sa.JSON, nullable=False),
    sa.Column("card", sa.JSON, nullable=False),
    sa.Column("files", sa.JSON, nullable=False),
    sa.Column("created_at_us", sa.BigInteger, nullable=False),
    sa.Column("actor", sa.String(200), nullable=False),
)

measures = sa.Table(
    "measures",
    metadata,
    sa.Column("media_sha256", sa.String(64), primary_key=True),
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("value", sa.LargeBinary, nullable=False),
)
"""Values computed from the pixels of a media object (hashes, sharpness, descriptors); a disposable cache."""

merges, merge_conflicts, commit_approvals = merge_tables.merge_tables(metadata)
of_work, of_guidelines = work_tables.work_tables(metadata), guideline_tables.guideline_tables(metadata)

media_references = sa.Table(
    "media_references",
    metadata,
    sa.Column("media_key", sa.String(64), primary_key=True),
    sa.Column("uri", sa.Text, nullable=False),
    sa.Column("n_bytes", sa.BigInteger, nullable=False),
    sa.Column("etag", sa.String(200), nullable=False),
    sa.Column("sha256", sa.String(64), nullable=True, index=True),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("checked_at_us", sa.BigInteger, nullable=True),
)
"""Media registered in place. `media_key` comes from address, size and etag. States: present, changed, missing."""

sweeps = sa.Table(
    "sweeps",
    metadata,
    sa.Column("kind", sa.String(16), primary_key=True),
    sa.Column("name", sa.String(500), primary_key=True),
    sa.Column("marked_at_us", sa.BigInteger, nullable=False),
)
"""Things that a sweep found unreachable, and when; removed if still unreachable after the grace period."""
