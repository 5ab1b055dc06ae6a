"""A workspace is created once, stores media once, and commits transactions completely or not at all."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
import sqlalchemy as sa

from calotype.store import WorkspaceNotFound, create_workspace, open_workspace
from calotype.store.catalog import schema
from calotype.store.media.objects import MediaDamaged, MediaMissing
from calotype.store.store import WorkspaceExists


def test_a_workspace_is_created_once_and_found_from_a_subfolder(owner, tmp_path):
    create_workspace(owner, tmp_path / "ws").close()
    with pytest.raises(WorkspaceExists):
        create_workspace(owner, tmp_path / "ws")
    (tmp_path / "ws" / "a" / "b").mkdir(parents=True)
    opened = open_workspace(tmp_path / "ws" / "a" / "b", search_up=True)
    assert opened.root == (tmp_path / "ws").resolve()
    opened.close()
    with pytest.raises(WorkspaceNotFound):
        open_workspace(tmp_path / "ws" / "a")


def test_the_same_bytes_are_stored_once_by_any_number_of_writers(workspace):
    with ThreadPoolExecutor(8) as pool:
        hashes = {m.sha256 for m in pool.map(lambda _: workspace.media.put(b"x" * 100_000), range(32))}
    (sha256,) = hashes
    assert workspace.media.read(sha256, verify=True) == b"x" * 100_000
    files = [file for file in workspace.media.path(sha256).parent.rglob("*") if file.is_file()]
    assert files == [workspace.media.path(sha256)]


def test_missing_and_damaged_media_raise_different_errors(workspace):
    stored = workspace.media.put(b"abc")
    with pytest.raises(MediaMissing):
        workspace.media.read("0" * 64)
    file = workspace.media.path(stored.sha256)
    file.chmod(0o644)
    file.write_bytes(b"abd")
    with pytest.raises(MediaDamaged):
        workspace.media.read(stored.sha256, verify=True)


def test_a_failed_transaction_stores_neither_row_nor_event(workspace, owner):
    def events():
        with workspace.catalog.read() as conn:
            return conn.execute(sa.select(sa.func.count()).select_from(schema.audit)).scalar()

    before = events()
    with pytest.raises(RuntimeError), workspace.catalog.write(owner, "test.verb", subject="x") as tx:
        tx.conn.execute(schema.workspace.insert(), [{"key": "k", "value": "v"}])
        raise RuntimeError
    with workspace.catalog.read() as conn:
        assert conn.execute(sa.select(schema.workspace).where(schema.workspace.c.key == "k")).first() is None
    assert events() == before


def test_eight_writers_write_one_unbroken_chain(workspace, owner):
    def write(number):
        with workspace.catalog.write(owner, "test.verb", subject=str(number)) as tx:
            tx.details({"number": number})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(64)))
    with workspace.catalog.read() as conn:
        rows = conn.execute(sa.select(schema.audit).order_by(schema.audit.c.seq)).mappings().all()
    assert len(rows) == 65
    assert all(later["previous"] == earlier["hash"] for earlier, later in pairwise(rows))
