"""A workspace moves between the folder, PostgreSQL and a bucket: all of it, past kills, and past others at work."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.support.counting import DATASET, counted, step
from tests.support.images import folder_of_images
from tests.support.servers import S3, Postgres

import calotype as ct
from calotype.acquire import service as acquire
from calotype.app import wiring
from calotype.datasets import service as datasets
from calotype.foundation.actor import Actor
from calotype.reliability import service as reliability
from calotype.reliability import sweep_lock
from calotype.reliability.move import Move, MoveTargetTaken
from calotype.store import Store
from calotype.store.catalog import audit_chain
from calotype.store.catalog.relocation import WorkspaceMoved

ANA = Actor(id="test:ana", name="ana")


@pytest.fixture
def team(postgres: Postgres, s3: S3, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """An empty database and an empty bucket, as arguments of `move`."""
    place = s3.fresh()
    monkeypatch.setenv("AWS_ENDPOINT_URL", place.endpoint)
    return {"catalog": postgres.fresh(), "bucket": place.url}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An embedded workspace with commits, branches, a merge and a tag."""
    folder_of_images(tmp_path / "one", 1)
    folder_of_images(tmp_path / "more", 8)
    wiring.create(ANA, tmp_path / "w").close()
    with ct.open(tmp_path / "w", actor=ANA) as ws:
        ds = ws.create(DATASET)
        ds.add_images(tmp_path / "one", licence="CC0-1.0")
        ds.commit("first")
        trial, wide = ds.branch("trial"), ds.branch("wide")
        trial.add_images(tmp_path / "more", licence="CC0-1.0")
        trial.commit("more")
        wide.merge("trial")
        ds.tag("before", "main")
    return tmp_path / "w"


def facts(folder: Path) -> dict[str, Any]:
    """What has to be the same before and after."""
    store = wiring.open_at(folder)
    try:
        found = reliability.verify(ANA, store=store, deep=True)
        assert (found.problems, found.untidy) == ((), ())
        log = [made.id for made in datasets.log(ANA, DATASET, store=store)]
        rows = {}
        for ref in ("main", "trial", "wide", "before"):
            snapshot = datasets.read(ANA, f"{DATASET}@{ref}", store=store)
            rows[ref] = snapshot.count()
        return {"log": log, "rows": rows, "media": len(list(store.media.stored.entries()))}
    finally:
        store.close()


def move(folder: Path, *, catalog: str = "", bucket: str = "") -> None:
    store = wiring.open_at(folder)
    try:
        reliability.move(ANA, store=store, catalog=catalog, bucket=bucket)
    finally:
        store.close()


def test_all_of_it_arrives_and_comes_back(folder: Path, team: dict[str, str]) -> None:
    before = facts(folder)
    move(folder, **team)
    store = wiring.open_at(folder)
    assert (store.storage.catalog, store.storage.media) == (team["catalog"], f"{team['bucket']}/media")
    assert step(ANA, store) == 1  # new rows get numbers behind those that were copied
    with store.catalog.read() as conn:
        assert audit_chain.walk(conn).problems == ()
    store.close()
    after = facts(folder)
    assert after["log"] == before["log"]
    assert after["rows"]["trial"] == before["rows"]["trial"]
    move(folder, catalog="folder", bucket="folder")
    store = wiring.open_at(folder)
    assert store.storage.embedded
    assert step(ANA, store) == 2
    store.close()
    assert facts(folder)["log"] == before["log"]


@pytest.mark.slow
@pytest.mark.parametrize("which", ["catalog", "bucket"])
def test_either_half_moves_alone(folder: Path, team: dict[str, str], which: str) -> None:
    before = facts(folder)
    move(folder, **{which: team[which]})
    assert facts(folder) == before
    move(folder, **team)
    assert facts(folder) == before


@pytest.mark.slow
@pytest.mark.parametrize("which", [("catalog",), ("bucket",), ("catalog", "bucket")])
def test_who_still_holds_the_old_place_cannot_write_there(
    folder: Path, team: dict[str, str], which: tuple[str, ...]
) -> None:
    held = wiring.open_at(folder)
    move(folder, **{name: team[name] for name in which})
    with pytest.raises(WorkspaceMoved):
        step(ANA, held)
    held.close()
    (folder / ".calotype" / "storage.json").unlink()  # as on a machine without the new address
    store = wiring.open_at(folder)
    assert step(ANA, store) == 1
    store.close()
    assert (folder / ".calotype" / "storage.json").is_file()


POINTS = ["_copy_media", "_copy_tables", "_cut_over", "_copy_catalog", "_verify_copy", "save"]


@pytest.mark.slow
@pytest.mark.parametrize("point", POINTS)
def test_killed_and_run_again(folder: Path, team: dict[str, str], point: str) -> None:
    before = facts(folder)
    code = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom calotype.app import wiring\n"
        "from calotype.foundation.actor import Actor\nfrom calotype.reliability import move, service\n"
        "from calotype.store.location import Storage\n"
        f"kind, name = (Storage, 'save') if {point!r} == 'save' else (move.Move, {point!r})\n"
        "real = getattr(kind, name)\n"
        "def die(self, *args, **named):\n"
        "    if name not in ('_last', 'save'):\n        real(self, *args, **named)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "setattr(kind, name, die)\n"
        "store = wiring.open_at(Path(sys.argv[1]))\n"
        "service.move(Actor(id='test:ana', name='ana'), store=store, catalog=sys.argv[2], bucket=sys.argv[3])\n"
    )
    words = [sys.executable, "-c", code, str(folder), team["catalog"], team["bucket"]]
    done = subprocess.run(words, env=dict(os.environ), capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert facts(folder) == before  # wherever it lies now
    move(folder, **team)
    store = wiring.open_at(folder)
    assert store.storage.catalog == team["catalog"]
    store.close()
    assert facts(folder) == before


@pytest.mark.slow
def test_work_that_others_do_meanwhile_is_not_lost(
    folder: Path, team: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    other = wiring.open_at(folder)
    real = Move._copy_tables

    def beside(self: Move, new: Store, *, last: bool) -> None:
        real(self, new, last=last)
        if not last:
            assert step(ANA, other) == 1

    monkeypatch.setattr(Move, "_copy_tables", beside)
    move(folder, **team)
    other.close()
    store = wiring.open_at(folder)
    assert store.storage.catalog == team["catalog"]
    assert counted(datasets.read(ANA, DATASET, store=store)) == 1
    assert step(ANA, store) == 2
    store.close()
    facts(folder)


def test_images_that_come_late_are_copied_though_the_last_phase_takes_long(
    folder: Path, team: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder_of_images(tmp_path / "late", 3, suffix=".png")
    other = wiring.open_at(folder)
    real = Move._copy_tables

    def beside(self: Move, new: Store, *, last: bool) -> None:
        real(self, new, last=last)
        if not last:
            acquire.add(ANA, DATASET, [tmp_path / "late"], store=other)

    monkeypatch.setattr(Move, "_copy_tables", beside)
    monkeypatch.setattr(sweep_lock, "_RENEW_US", -1)  # as if a minute went by between any two files
    monkeypatch.setattr("calotype.store.catalog.catalog.BUSY_TIMEOUT_S", 2.0)
    n = facts(folder)["media"]
    move(folder, **team)
    other.close()
    assert facts(folder)["media"] > n


def test_a_database_of_another_workspace_is_refused(
    folder: Path, team: dict[str, str], tmp_path: Path
) -> None:
    wiring.create(ANA, tmp_path / "other", catalog=team["catalog"]).close()
    with pytest.raises(MoveTargetTaken):
        move(folder, **team)
    assert facts(folder)["log"]


def test_a_stale_copy_of_the_folder_does_not_write_over_newer_work(
    folder: Path, team: dict[str, str]
) -> None:
    catalog = folder / ".calotype" / "catalog.sqlite"
    stale = catalog.read_bytes()
    move(folder, **team)
    store = wiring.open_at(folder)
    step(ANA, store)
    store.close()
    (folder / ".calotype" / "storage.json").unlink()
    for name in ("catalog.sqlite-wal", "catalog.sqlite-shm"):
        (catalog.parent / name).unlink(missing_ok=True)
    catalog.write_bytes(stale)
    with pytest.raises(MoveTargetTaken):
        move(folder, **team)
