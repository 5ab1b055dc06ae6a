"""A workspace is the same wherever its stores lie: the whole way of a dataset, many writers, and writers that die."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.support.counting import DATASET, counted, step
from tests.support.images import folder_of_images
from tests.support.servers import S3, Postgres

import calotype as ct
from calotype.app import wiring
from calotype.datasets import service as datasets
from calotype.foundation.actor import Actor
from calotype.reliability import service as reliability
from calotype.store import Store
from calotype.store.catalog import schema

ANA = Actor(id="test:ana", name="ana")
CONTRACT = "task: {name: shop, intent: the till tells cars from dogs, owner: ana}\nclasses: [car, dog]\n"
CONTRACT += "purposes: [training]\nobjectives: [{name: green, metric: gate_green_fraction, target: 1.0}]\n"


PLACES = [
    "sqlite-disk",
    pytest.param("sqlite-s3", marks=pytest.mark.slow),
    pytest.param("postgresql-disk", marks=pytest.mark.slow),
    "postgresql-s3",
]
"""The fast lane has each driver once."""


@pytest.fixture(params=PLACES)
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A new workspace."""
    catalog, bytes_on = request.param.split("-")
    url, bucket = "", ""
    if catalog == "postgresql":
        postgres: Postgres = request.getfixturevalue("postgres")
        url = postgres.fresh()
    if bytes_on == "s3":
        server: S3 = request.getfixturevalue("s3")
        place = server.fresh()
        bucket = place.url
        request.getfixturevalue("monkeypatch").setenv("AWS_ENDPOINT_URL", place.endpoint)
    wiring.create(ANA, tmp_path / "w", catalog=url, storage=bucket).close()
    return tmp_path / "w"


@contextmanager
def opened(folder: Path) -> Iterator[Store]:
    store = wiring.open_at(folder)
    try:
        yield store
    finally:
        store.close()


@pytest.fixture
def one_sample(folder: Path, tmp_path: Path) -> Path:
    """The workspace with a dataset of one image."""
    folder_of_images(tmp_path / "one", 1)
    with ct.open(folder, actor=ANA) as ws:
        ws.create(DATASET).add_images(tmp_path / "one")
    return folder


def count_now(folder: Path) -> int:
    with opened(folder) as store:
        return counted(datasets.read(ANA, DATASET, store=store))


def whole(folder: Path) -> None:
    """The audit chain is unbroken, and all that any version names is there."""
    with opened(folder) as store:
        assert reliability.verify(ANA, store=store, deep=True).problems == ()
        with store.catalog.read() as conn:
            rows = conn.execute(sa.select(schema.audit).order_by(schema.audit.c.seq)).mappings().all()
    assert all(later["previous"] == earlier["hash"] for earlier, later in pairwise(rows))


def writer(folder: Path, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.support.counting", str(folder), *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ))


def test_the_whole_way_of_a_dataset(folder: Path, raw: Path, tmp_path: Path) -> None:
    with ct.open(folder, actor=ANA) as ws:
        ds = ws.create("shop")
        ds.set_contract(CONTRACT)
        added = ds.add_images(raw / "images", source="cam-07", licence="CC0-1.0")
        assert str(added) == "Import(added=24, duplicates=1, unchanged=0, quarantined=1)"
        assert ds.add_annotations(raw / "instances.json", format="coco").annotations == 24
        assert str(ds.add_images(raw / "images")).startswith("Import(added=0,")
        assert not ds.check().red
        first = ds.commit("first import")
        trial = ds.branch("trial")
        flip = {"name": "flip", "steps": [{"flip": {"axis": "horizontal"}}]}
        assert trial.where(ct.field("class") == "car").augment(flip).made == 12
        second = trial.commit("flipped")
        assert ds.diff(first, second).to_dict()["samples"] == {"added": 12, "removed": 0, "changed": 0}
        assert (ds.at("main").count()["samples"], ds.at("trial").count()["samples"]) == (24, 36)
        assert trial.at(trial.rollback(first)).count() == ds.at(first).count()
        assert ds.diff(first, "trial").is_empty
        assert ds.diff(second, "trial").to_dict()["samples"]["removed"] == 12
        shares = {"train": 0.5, "val": 0.25, "test": 0.25}
        rel = ds.release("1.0.0", split=shares, by="group", purpose="training")
        assert rel.card["samples"] == 24
        assert [one["state"] for one in rel.card["objectives"]] == ["met"]
        assert [row["severity"] for row in rel.card["standing"]["states"]] == ["error", "warning", "info"]
        assert rel.numpy("train")[0]["image"].shape == (3, 48, 64)
    with ct.open(folder, actor=ANA) as ws:
        ds = ws.dataset("shop")
        assert [one.message for one in ds.log()][-1] == "first import"
        assert ds.at(second).count()["samples"] == 36
        assert ds.at("release/1.0.0").export("coco", tmp_path / "out").annotations == 24
        assert len(list((tmp_path / "out").rglob("*.png"))) == 24
        assert [one.version for one in ds.releases()] == ["1.0.0"]
    whole(folder)


@pytest.mark.slow
def test_a_pipeline_does_what_is_missing_and_nothing_twice(folder: Path, raw: Path) -> None:
    (raw / "shop.yaml").write_text(
        "pipeline: shop\ndataset: shop\nstages:\n"
        "  - acquire: {from: images, licence: CC0-1.0}\n"
        "  - annotate: {from: instances.json, format: coco}\n"
        "  - curate: {split: {train: 0.5, val: 0.25, test: 0.25}}\n"
        "  - augment: {recipe: {name: turn, steps: [{flip: {axis: horizontal}}]}, splits: [train]}\n"
        "  - commit: {message: first}\n"
    )
    command = [sys.executable, "-m", "calotype", "-w", str(folder), "run", str(raw / "shop.yaml")]
    for _ in range(2):
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    with opened(folder) as store:
        assert len(datasets.log(ANA, "shop", store=store)) == 1
        assert datasets.read(ANA, "shop", store=store).count()["samples"] == 36
    whole(folder)


def test_threads_that_count_at_once_lose_nothing(one_sample: Path) -> None:
    with opened(one_sample) as store, ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: step(ANA, store), range(16)))
    assert sorted(made) == list(range(1, 17))
    assert count_now(one_sample) == 16
    whole(one_sample)


@pytest.mark.slow
def test_processes_that_count_at_once_lose_nothing(one_sample: Path) -> None:
    writers = [writer(one_sample, "6") for _ in range(3)]
    reported = [int(line) for one in writers for line in one.communicate(timeout=6000)[0].split()]
    assert [one.returncode for one in writers] == [0, 0, 0]
    assert sorted(reported) == list(range(1, 19))
    assert count_now(one_sample) == 18
    whole(one_sample)


@pytest.mark.slow
def test_what_a_writer_left_that_died_before_its_commit_is_part_of_nothing(one_sample: Path) -> None:
    dead = writer(one_sample, "2", "--die")
    reported, _ = dead.communicate(timeout=6000)
    assert (dead.returncode, reported.split()) == (-signal.SIGKILL, ["1"])
    assert count_now(one_sample) == 1
    whole(one_sample)
    with opened(one_sample) as store:
        assert step(ANA, store) == 2
        assert datasets.read(ANA, DATASET, store=store).count()["samples"] == 1
    whole(one_sample)


@pytest.mark.slow
def test_every_reported_number_is_stored_after_a_kill(one_sample: Path) -> None:
    killed = writer(one_sample, "1000")
    assert killed.stdout is not None
    reported = [int(killed.stdout.readline()) for _ in range(3)]
    killed.kill()
    reported += [int(line) for line in killed.communicate(timeout=600)[0].split()]
    assert reported == list(range(1, len(reported) + 1))
    found = count_now(one_sample)
    assert found in (reported[-1], reported[-1] + 1)  # killed after a commit, before printing
    with opened(one_sample) as store:
        assert step(ANA, store) == found + 1
    whole(one_sample)
