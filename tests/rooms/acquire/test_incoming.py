"""Uploads: pieces that follow on each other, names that stay inside, and whose they are."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calotype.acquire import incoming
from calotype.acquire.model import (
    UploadInvalid,
    UploadNotFound,
    UploadOutOfStep,
    UploadsFull,
    UploadTooLarge,
)
from calotype.datasets import service as datasets
from calotype.foundation.actor import Actor
from calotype.foundation.errors import NotPermitted
from calotype.foundation.os_errors import StorageFailed
from calotype.foundation.verbs.values import CallInvalid
from calotype.store import create_workspace


@pytest.fixture
def shop(owner, workspace):
    """A dataset to send files for."""
    datasets.create(owner, "shop", store=workspace)


shop_is_there = pytest.mark.usefixtures("shop")


@shop_is_there
def test_pieces_follow_on_each_other(workspace, owner):
    actor = owner
    files = [("a/b.txt", 3), ("empty", 0), ("c", 4), ("d/also-empty", 0)]
    upload = incoming.open_upload(actor, "shop", "here", files, store=workspace)
    for offset, data in ((1, b"x"), (0, b"12345678")):
        with pytest.raises(UploadOutOfStep):
            incoming.append_upload(actor, "shop", upload.id, offset, data, store=workspace)
    incoming.append_upload(actor, "shop", upload.id, 0, b"12", store=workspace)
    incoming.append_upload(actor, "shop", upload.id, 2, b"3456", store=workspace)
    done = incoming.append_upload(actor, "shop", upload.id, 6, b"7", store=workspace)
    assert done == replace(upload, received_bytes=7, total_bytes=7)
    root = workspace.folder / "uploads" / upload.id / "files"
    found = {
        file.relative_to(root).as_posix(): file.read_text() for file in root.rglob("*") if file.is_file()
    }
    assert found == {"a/b.txt": "123", "empty": "", "c": "4567", "d/also-empty": ""}


@shop_is_there
@pytest.mark.parametrize(
    "name", ["../x", "/x", "a//b", "a/./b", "a/../b", "", "a\\b", "a\nb", "x" * 300, "/".join("a" * 80)]
)
def test_names_stay_inside(workspace, owner, name):
    with pytest.raises(UploadInvalid):
        incoming.open_upload(owner, "shop", "here", [(name, 1)], store=workspace)


@shop_is_there
def test_a_file_that_is_also_a_folder_is_refused(workspace, owner):
    upload = incoming.open_upload(owner, "shop", "here", [("a", 1), ("a/b", 1)], store=workspace)
    with pytest.raises(UploadInvalid):
        incoming.append_upload(owner, "shop", upload.id, 0, b"xy", store=workspace)


@shop_is_there
def test_uploads_belong_to_whoever_began_them(workspace, owner):
    upload = incoming.open_upload(owner, "shop", "here", [("a", 1)], store=workspace)
    other = Actor("test:other", "other")
    with pytest.raises(UploadNotFound):
        incoming.append_upload(other, "shop", upload.id, 0, b"x", store=workspace)
    with pytest.raises(UploadNotFound):
        incoming.discard_upload(other, "shop", upload.id, store=workspace)


@given(
    st.lists(st.binary(max_size=9), min_size=1, max_size=6),
    st.lists(st.integers(1, 7), min_size=1, max_size=30),
)
def test_any_pieces_of_any_files_arrive_as_they_were(tmp_path_factory, contents, sizes):
    actor = Actor("test:ana", "ana")
    store = create_workspace(actor, tmp_path_factory.mktemp("ws"))
    datasets.create(actor, "shop", store=store)
    files = [(f"f{number}", len(data)) for number, data in enumerate(contents)]
    stream, at, turn = b"".join(contents), 0, 0
    upload = incoming.open_upload(actor, "shop", "o", files, store=store)
    while at < len(stream):
        piece = stream[at : at + sizes[turn % len(sizes)]]
        upload = incoming.append_upload(actor, "shop", upload.id, at, piece, store=store)
        at, turn = at + len(piece), turn + 1
        assert incoming.open_upload(actor, "shop", "o", files, store=store).received_bytes == at
    root = store.folder / "uploads" / upload.id / "files"
    assert [(root / name).read_bytes() for name, _ in files] == contents
    store.close()


@shop_is_there
def test_another_list_of_files_begins_again_under_the_same_id(workspace, owner):
    first = incoming.open_upload(owner, "shop", "o", [("a", 2)], store=workspace)
    incoming.append_upload(owner, "shop", first.id, 0, b"xy", store=workspace)
    second = incoming.open_upload(owner, "shop", "o", [("b", 3)], store=workspace)
    assert (second.id, second.received_bytes, second.total_bytes) == (first.id, 0, 3)
    assert not (workspace.folder / "uploads" / first.id / "files" / "a").exists()


@shop_is_there
def test_few_are_open_at_once_and_old_ones_go(workspace, owner):
    for number in range(incoming.MAX_OPEN):
        upload = incoming.open_upload(owner, "shop", f"o{number}", [("a", 1)], store=workspace)
    with pytest.raises(UploadsFull):
        incoming.open_upload(owner, "shop", "one more", [("a", 1)], store=workspace)
    old = workspace.folder / "uploads" / upload.id
    long_ago = time.time() - incoming.KEPT_S - 10
    os.utime(old, (long_ago, long_ago))
    incoming.open_upload(owner, "shop", "one more", [("a", 1)], store=workspace)
    assert not old.exists()


@shop_is_there
@pytest.mark.parametrize("files", [[], [("a", -1)], [("a", 1), ("a", 1)]])
def test_lists_that_make_no_sense_are_refused(workspace, owner, files):
    with pytest.raises(UploadInvalid):
        incoming.open_upload(owner, "shop", "o", files, store=workspace)


@shop_is_there
def test_what_is_too_large_is_refused_before_it_comes(workspace, owner, monkeypatch):
    with pytest.raises(UploadTooLarge):
        incoming.open_upload(owner, "shop", "o", [("a", incoming.MAX_BYTES + 1)], store=workspace)
    usage = SimpleNamespace(free=incoming.RESERVE_BYTES)
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    with pytest.raises(StorageFailed):
        incoming.open_upload(owner, "shop", "o", [("a", 1)], store=workspace)


@shop_is_there
def test_whoever_may_not_edit_sends_nothing(workspace):
    guest = Actor("test:guest", "guest", roles=())
    with pytest.raises(NotPermitted):
        incoming.open_upload(guest, "shop", "o", [("a", 1)], store=workspace)
    assert not (workspace.folder / "uploads").exists()


@shop_is_there
def test_paths_of_calls_are_files_of_whole_uploads(workspace, owner):
    path = incoming.hooks(owner, workspace)[Path]
    upload = incoming.open_upload(owner, "shop", "o", [("a/b", 1)], store=workspace)
    with pytest.raises(UploadOutOfStep):
        path({"upload": upload.id, "path": "a"})
    incoming.append_upload(owner, "shop", upload.id, 0, b"x", store=workspace)
    assert (path({"upload": upload.id, "path": "a"}) / "b").read_bytes() == b"x"
    for bad in (
        {"upload": upload.id, "path": "../x"},
        {"upload": upload.id},
        "a",
        {"upload": upload.id, "path": 1},
    ):
        with pytest.raises(CallInvalid):
            path(bad)
    incoming.discard_upload(owner, "shop", upload.id, store=workspace)
    with pytest.raises(UploadNotFound):
        path({"upload": upload.id, "path": "a"})
