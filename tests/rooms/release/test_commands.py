"""The command line of releases: what it prints, and with which exit code it ends."""

from __future__ import annotations

import shutil

import pytest
from tests.support.images import folder_of_images

import calotype as ct
from calotype.app.cli import main


@pytest.fixture
def call(capsys):
    """Exit code and words of a command."""

    def run(*words):
        with pytest.raises(SystemExit) as ended:
            main([str(word) for word in words])
        told = capsys.readouterr()
        return int(ended.value.code or 0), told.out + told.err

    return run


@pytest.fixture
def ws(tmp_path):
    """A workspace with one release, as the command line names it."""
    folder_of_images(tmp_path / "in", 3)
    with ct.open(tmp_path / "ws") as made:
        shop = made.create("shop")
        shop.add_images(tmp_path / "in")
        shop.commit("three")
        shop.release("1.0.0")
    return ("-w", tmp_path / "ws")


def test_releases_are_listed_and_one_is_shown(call, ws):
    code, listed = call(*ws, "releases", "shop")
    assert (code, "1.0.0" in listed, "4 green" in listed) == (0, True, True)
    code, card = call(*ws, "releases", "shop", "1.0.0")
    assert (code, card.startswith("# shop 1.0.0")) == (0, True)


def test_a_plan_shows_what_a_release_would_hold(call, ws, tmp_path):
    code, said = call(*ws, "release", "shop", "1.0.1", "--plan")
    assert (code, "nothing differs from release 1.0.0" in said) == (0, True)
    folder_of_images(tmp_path / "more", 5, seed=7)
    call(*ws, "add", "shop", tmp_path / "more")
    code, said = call(*ws, "release", "shop", "1.0.1", "--plan")
    assert (code, "changes since 1.0.0: +0 -0 ~0 annotations; +5" in said) == (0, True)
    assert call(*ws, "releases", "shop")[1].count("1.0.1") == 0
    code, said = call(*ws, "release", "shop", "1.0.1", "--committed")
    assert (code, "release-uncommitted" in said) == (4, True)
    code, said = call(*ws, "release", "shop", "1.0.1")
    assert (code, "includes uncommitted changes" in said) == (0, True)


def test_files_that_were_lost_are_written_again(call, ws):
    shutil.rmtree(ws[1] / "releases" / "shop" / "1.0.0")
    _, said = call(*ws, "verify", "--json")
    assert "calotype releases shop 1.0.0 --build" in said
    code, said = call(*ws, "releases", "shop", "1.0.0", "--build")
    assert (code, "identical to the files of the release" in said) == (0, True)
    assert (ws[1] / "releases" / "shop" / "1.0.0" / "card.json").is_file()


def test_a_version_that_is_not_there_names_those_that_are(call, ws):
    code, said = call(*ws, "releases", "shop", "2.0.0")
    assert (code, "use one of: 1.0.0" in said) == (3, True)


def test_a_release_names_its_folder_its_splits_and_its_exports(call, ws):
    code, told = call(*ws, "release", "shop", "1.1.0", "--split", "train=.67,val=.33")
    lines = [line.split() for line in told.splitlines() if line.strip()]
    assert code == 0
    assert lines[1][0] == "in"
    assert lines[1][1].endswith("releases/shop/1.1.0")
    assert ["train", "2"] in lines
    assert ["coco", "3", "0"] in lines


def test_a_rehearsed_export_says_so_and_lists_losses_or_none(call, ws, tmp_path):
    code, told = call(*ws, "export", "shop", "-f", "coco", "--out", tmp_path / "out", "--dry-run")
    assert (code, told.splitlines()[0][:21]) == (0, "dry run: would write ")
    assert "3 samples, 0 annotations" in told
    assert not (tmp_path / "out").exists()
