"""The doors of this room: what they print, and with which exit code they end."""

from __future__ import annotations

import json

import pytest
from tests.support.images import folder_of_images

import calotype as ct
from calotype.app.cli import main
from calotype.reliability.commands import format_bytes


@pytest.fixture
def call(capsys):
    """Exit code and JSON answer of a command."""

    def run(*words):
        with pytest.raises(SystemExit) as ended:
            main([*map(str, words), "--json"])
        out = capsys.readouterr().out.strip()
        return int(ended.value.code or 0), json.loads(out.splitlines()[-1])

    return run


@pytest.fixture
def ws(tmp_path):
    """A workspace with one commit, as the command line names it."""
    folder_of_images(tmp_path / "in", 3)
    with ct.open(tmp_path / "ws") as made:
        shop = made.create("shop")
        shop.add_images(tmp_path / "in")
        shop.commit("three")
    return ("-w", tmp_path / "ws")


def test_from_a_loss_to_a_whole_workspace(call, ws, tmp_path):
    assert call(*ws, "backup", tmp_path / "b")[1]["ok"] is True
    for path in (ws[1] / ".calotype" / "media" / "sha256").rglob("?" * 64):
        path.unlink()
    code, found = call(*ws, "verify")
    assert (code, found["ok"], {one["kind"] for one in found["problems"]}) == (1, False, {"media-missing"})
    assert all(one["place"] and one["fix"] for one in found["problems"])
    code, shown = call(*ws, "repair", "--from", tmp_path / "b")
    assert (code, shown["done"], [one["can"] for one in shown["plan"]]) == (1, False, [True] * 3)
    code, done = call(*ws, "repair", "--from", tmp_path / "b", "--yes")
    assert (code, done["ok"], done["mended"]) == (0, True, 3)
    assert call(*ws, "verify", "--deep")[0] == 0


def test_backups_are_listed_drilled_and_restored(call, ws, tmp_path):
    _, made = call(*ws, "backup", tmp_path / "b")
    assert [one["id"] for one in call(*ws, "backup", "--list", tmp_path / "b")[1]["items"]] == [made["id"]]
    code, drilled = call(*ws, "backup", "--drill", tmp_path / "b")
    assert (code, drilled["ok"], drilled["verified"]["deep"]) == (0, True, True)
    code, restored = call("restore", tmp_path / "b", tmp_path / "again", "--at", made["id"][:16])
    assert (code, restored["verified"]["media"]) == (0, 3)
    assert call("-w", tmp_path / "again", "count", "shop")[1]["samples"] == 3
    assert call("restore", tmp_path / "b", tmp_path / "again")[0] == 4
    assert call("restore", tmp_path / "none", tmp_path / "other")[0] == 3


def test_gc_and_size_answer_in_numbers(call, ws):
    code, done = call(*ws, "gc", "--dry-run", "--grace", "2d")
    assert (code, done["dry_run"], done["grace_s"]) == (0, True, 172_800)
    assert call(*ws, "gc", "--grace", "soon")[0] == 2
    code, sizes = call(*ws, "size")
    assert (code, sizes["total_bytes"]) == (0, sum(sizes["parts"].values()))
    assert set(sizes["datasets"]) == {"shop"}


@pytest.mark.parametrize("words", [["verify"], ["repair"], ["gc"], ["size"]], ids=lambda words: words[0])
def test_a_person_is_shown_tables(capsys, ws, words):
    with pytest.raises(SystemExit) as ended:
        main([*map(str, ws), *words])
    out = capsys.readouterr().out
    assert int(ended.value.code or 0) == 0
    assert out.strip() and "{" not in out


def test_the_same_from_python(ws, tmp_path):
    with ct.open(ws[1]) as workspace:
        assert workspace.backup(tmp_path / "b").ok
        assert workspace.gc(grace="1h").dry_run is False
        assert workspace.size().datasets["shop"]["media"] > 0
        assert workspace.verify().ok


@pytest.mark.parametrize(
    ("n_bytes", "shown"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1_000, "1.0 kB"),
        (1_500_000, "1.5 MB"),
        (999_999, "1.0 MB"),
        (5 * 10**15, "5000.0 TB"),
    ],
)
def test_bytes_are_shown_for_a_person(n_bytes, shown):
    assert format_bytes(n_bytes) == shown
