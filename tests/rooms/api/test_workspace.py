"""The handle on a workspace."""

from __future__ import annotations

import socket

import pytest

import calotype as ct


def test_a_new_folder_becomes_a_workspace(tmp_path):
    with ct.open(tmp_path / "new") as ws:
        assert ws.path == tmp_path / "new"
        assert repr(ws) == f"Workspace({str(tmp_path / 'new')!r})"
        assert ws.datasets() == []
    assert (tmp_path / "new" / ".calotype").is_dir()


def test_a_closed_workspace_can_be_opened_again(tmp_path):
    ws = ct.open(tmp_path / "ws")
    ws.create("shop")
    ws.close()
    with ct.open(tmp_path / "ws") as again:
        assert again.datasets() == ["shop"]


def test_the_actor_is_recorded_as_the_author(tmp_path, raw):
    with ct.open(tmp_path / "ws", actor=ct.Actor("test:bo", "bo")) as ws:
        dataset = ws.create("shop")
        dataset.add_images(raw / "images")
        assert dataset.commit("images").author == "bo"


@pytest.mark.parametrize(
    ("name", "code"),
    [("shop", "dataset-exists"), ("no/slash", "name-invalid")],
    ids=["exists", "invalid"],
)
def test_a_name_that_cannot_be_used_is_refused(shop, ws, name, code):
    with pytest.raises(ct.CalotypeError) as refused:
        ws.create(name)
    assert refused.value.code == code


def test_a_contract_file_is_set_at_creation_and_must_exist(ws, tmp_path):
    (tmp_path / "c.yaml").write_text("task: {name: till, owner: ana}\nclasses: [car]\n")
    created = ws.create("shop", contract=tmp_path / "c.yaml")
    assert "task: {name: till" in created.where().snapshot().contract_text
    with pytest.raises(ct.CalotypeError) as refused:
        ws.create("other", contract=tmp_path / "missing.yaml")
    assert refused.value.code == "path-not-found"
    assert ws.datasets() == ["shop"]


def test_progress_is_reported_to_the_callback_of_telling(ws, raw):
    calls = []
    told = ct.telling(ws, lambda what, done, total: calls.append((what, done, total)))
    told.create("shop").add_images(raw / "images")
    assert calls
    assert all(done <= total or total == 0 for _, done, total in calls)
    calls.clear()
    ws.dataset("shop").add_images(raw / "images")
    assert calls == []


def test_a_backup_holds_the_workspace(shop, ws, tmp_path, only_here):
    backed_up = ws.backup(tmp_path / "backup")
    assert backed_up.ok
    assert backed_up.copied_files > 24
    assert ws.backup(tmp_path / "backup").copied_files < backed_up.copied_files
    with ct.open(tmp_path / "other") as other, pytest.raises(ct.CalotypeError) as refused:
        other.backup(tmp_path / "backup")
    assert refused.value.code == "backup-of-another-workspace"


def test_size_counts_the_bytes_of_the_dataset(shop, ws):
    size = ws.size()
    assert size.total_bytes > 24 * 1_000
    assert set(size.datasets) == {"shop"}


def test_a_dry_run_of_gc_deletes_nothing(shop, ws, only_here):
    before = ws.size().total_bytes
    assert ws.gc(grace="0s", dry_run=True).dry_run
    assert ws.size().total_bytes >= before
    with pytest.raises(ct.CalotypeError) as refused:
        ws.gc(grace="soon")
    assert refused.value.code == "duration-invalid"


def test_verify_reports_a_missing_image(shop, ws, only_here):
    assert ws.verify().ok
    digest = next(iter(shop.where())).media_sha256
    next((ws.path / ".calotype").rglob(f"*{digest[4:]}*")).unlink()
    assert not ws.verify().ok


def test_serving_on_a_port_in_use_is_refused(ws, only_here):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(ct.CalotypeError) as refused:
            ws.serve(taken.getsockname()[1], open_browser=False)
    assert refused.value.code == "port-taken"
