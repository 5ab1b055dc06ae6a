"""Copies of checkpoints in a second place are never overwritten, survive failures, and prove tampering."""

import subprocess
import sys
import threading

import pytest
import sqlalchemy as sa
from tests.support.serving import served_to_team

import calotype as ct
from calotype.app.audit_copies import copying
from calotype.datasets import service as datasets
from calotype.govern import checkpoint, copies, service, signing
from calotype.govern.copies import SERVER, SecondPlaceInvalid
from calotype.govern.model import CHECKPOINT_VERB
from calotype.store.catalog import schema
from calotype.store.files.bucket import Bucket, BucketFailed, BucketLocation


@pytest.fixture
def store(workspace, owner):
    datasets.create(owner, "streets", store=workspace)
    return workspace


def copied(place, store):
    signed = copies.copy_checkpoint(str(place), store=store)
    assert signed is not None
    return signed


def written(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_copy_is_written_only_where_something_happened_and_proves_tampering(store, tmp_path, owner):
    place = tmp_path / "elsewhere"
    place.mkdir()
    first = copied(place, store)
    assert copies.copy_checkpoint(str(place), store=store) is None
    datasets.create(owner, "harbours", store=store)
    second = copied(place, store)
    assert written(place) == [copies.file_name(first), copies.file_name(second)]
    last = service.audit(owner, store=store, limit=1)[0]
    assert (last.verb, last.actor) == (CHECKPOINT_VERB, SERVER.id)
    kept = checkpoint.read(place / copies.file_name(second), signed_with=second.key_id)
    assert service.verify_audit(owner, store=store, kept=kept).intact

    with store.catalog.engine.begin() as conn:  # not through the house: as somebody with the file would
        conn.execute(sa.update(schema.audit).where(schema.audit.c.seq == 2).values(subject="rivers"))
    verification = service.verify_audit(owner, store=store, kept=kept)
    assert (verification.intact, verification.first_bad) == (False, 2)


def test_a_copy_whose_server_was_killed_before_it_was_recorded_is_not_written_again(store, tmp_path):
    place = tmp_path / "elsewhere"
    place.mkdir()
    before = signing.sign_now(store).checkpoint
    copies.write(before, str(place))
    assert copied(place, store).size == before.size
    assert checkpoint.read(place / copies.file_name(before)).at == before.at


def test_a_place_that_is_not_apart_is_refused(store, tmp_path):
    for place in (store.root, store.root / "images", tmp_path / "nowhere"):
        (store.root / "images").mkdir(exist_ok=True)
        with pytest.raises(SecondPlaceInvalid):
            copies.second_place(str(place), store)
    with pytest.raises(ct.CalotypeError):
        copies.second_place("https://example.org/audit", store)


def test_a_copy_that_fails_is_reported_and_tried_again(store, owner, tmp_path):
    place, aside, said = tmp_path / "elsewhere", tmp_path / "unmounted", []
    place.mkdir()
    failed = threading.Event()

    def report(record):
        said.append(record)
        failed.set()

    with copying(store, str(place), every_s=0.05, report=report):
        place.rename(aside)
        datasets.create(owner, "harbours", store=store)
        assert failed.wait(60)
        aside.rename(place)
    assert len(written(place)) == 2
    assert said[0]["problem"] == "audit copy failed"
    assert said[0]["code"]


def test_a_bucket_gets_copies_and_keeps_what_is_there(store, bucket):
    at_bucket = Bucket(BucketLocation(bucket))
    signed = copies.copy_checkpoint(bucket, store=store)
    assert signed is not None
    name = copies.file_name(signed)
    assert at_bucket.get(name) == signed.to_json().encode()
    with pytest.raises(copies.EvidenceExists):
        copies.write(signed, bucket)


def test_a_bucket_that_does_not_answer_stops_the_start(store, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(BucketFailed), copying(store, "s3://audit/copies", every_s=60, report=print):
        pytest.fail("the server must not start")


def test_the_command_writes_into_a_bucket(store, bucket):
    store.close()
    command = [sys.executable, "-m", "calotype", "-w", store.root, "audit", "checkpoint", "--to", bucket]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert f"wrote {bucket}/audit-" in said


def test_a_server_writes_copies_while_it_runs_and_at_its_end(store, tmp_path):
    place = tmp_path / "elsewhere"
    place.mkdir()
    store.close()
    with served_to_team(store.root, "--audit-copies", str(place)):
        assert len(written(place)) == 1
        with ct.open(store.root) as ws:
            ws.create("rivers")
    assert len(written(place)) == 2
    with ct.open(store.root) as ws:
        assert ws.verify_audit(place / written(place)[-1]).intact
