"""Checkpoints prove what the audit trail held: nothing in it can be changed afterwards without being noticed."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import stat

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from calotype.datasets import service as datasets
from calotype.foundation.actor import Actor
from calotype.foundation.errors import NotPermitted
from calotype.foundation.hash_chain import event_hash
from calotype.govern import checkpoint as checkpoints
from calotype.govern import evidence, service
from calotype.govern.checkpoint import CheckpointInvalid
from calotype.govern.evidence import AuditExportInvalid
from calotype.govern.merkle import Tree
from calotype.govern.signing_key import AuditKeyInvalid

N_EVENTS = 40


@pytest.fixture
def trail(workspace, owner):
    """A workspace with some events."""
    for number in range(N_EVENTS):
        datasets.create(owner, f"shop-{number}", store=workspace)
    return workspace


@pytest.fixture
def kept(trail, owner, tmp_path):
    """A checkpoint in a file, after which the work went on."""
    file = tmp_path / "kept.json"
    file.write_text(service.sign_checkpoint(owner, store=trail).checkpoint.to_json(), encoding="utf-8")
    datasets.create(owner, "later", store=trail)
    return checkpoints.read(file)


@given(st.lists(st.binary(min_size=32, max_size=32), max_size=70))
@settings(deadline=None)
def test_the_root_is_that_of_the_definition(leaves):
    def defined(part):
        """RFC 6962, section 2.1, word by word."""
        if len(part) <= 1:
            return hashlib.sha256(b"\x00" + part[0]).digest() if part else hashlib.sha256().digest()
        split = 1 << ((len(part) - 1).bit_length() - 1)
        return hashlib.sha256(b"\x01" + defined(part[:split]) + defined(part[split:])).digest()

    tree = Tree()
    assert tree.root() == defined([])
    for number, leaf in enumerate(leaves, start=1):
        tree.append(leaf)
        assert tree.root() == defined(leaves[:number])


def test_the_root_is_that_of_published_vectors():
    """The test vectors of Certificate Transparency, which other logs are tested with."""
    leaves = [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ]
    tree = Tree()
    for leaf in leaves:
        tree.append(bytes.fromhex(leaf))
    assert tree.root().hex() == ("5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328")


def test_a_checkpoint_is_a_signed_note(kept, trail):
    note = json.loads(kept.to_json())["note"]
    text, _, signatures = note.partition("\n\n")
    origin, size, root, *_ = text.split("\n")
    assert origin.startswith("calotype-audit/")
    assert (int(size), len(base64.b64decode(root))) == (N_EVENTS + 1, 32)
    dash, name, named = signatures.strip().split(" ")
    assert (dash, name) == ("\u2014", origin)
    Ed25519PublicKey.from_public_bytes(kept.public_key).verify(
        base64.b64decode(named)[4:], (text + "\n").encode()
    )


def test_the_signing_key_is_for_its_owner_only_and_stays(kept, trail, owner):
    file = trail.folder / "keys" / "audit.pem"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert service.sign_checkpoint(owner, store=trail).checkpoint.key_id == kept.key_id
    file.write_text("-----BEGIN" + " PRIVATE KEY-----\nnot one\n")
    with pytest.raises(AuditKeyInvalid, match=r"audit\.pem"):
        service.sign_checkpoint(owner, store=trail)


def test_an_intact_trail_agrees_with_every_checkpoint(kept, trail, owner):
    service.sign_checkpoint(owner, store=trail)
    verification = service.verify_audit(owner, store=trail, kept=kept)
    assert verification.intact, verification.breaks
    assert (verification.first_bad, verification.confirmed) == (None, 3)
    assert service.verify_audit(owner, store=trail).confirmed == 2


def test_only_who_may_read_the_trail_can_sign_export_and_verify(trail):
    curator = Actor("x", "x", roles=("curator",))
    for verb in (service.sign_checkpoint, service.verify_audit, service.export_audit):
        with pytest.raises(NotPermitted):
            verb(curator, store=trail)


def _events(conn):
    return [dict(row) for row in conn.execute(sa.text("SELECT * FROM audit ORDER BY seq")).mappings()]


def _write(conn, events):
    conn.execute(sa.text("DELETE FROM audit"))
    names = ("seq", "at_us", "actor", "verb", "subject", "details", "previous", "hash")
    values = ", ".join(f":{name}" for name in names)
    for event in events:
        conn.execute(sa.text(f"INSERT INTO audit ({', '.join(names)}) VALUES ({values})"), event)


def _chain_again(events):
    """What somebody does who can write in the catalog, and knows how the chain is computed."""
    previous = "0" * 64
    for event in events:
        body = {name: event[name] for name in ("at_us", "actor", "verb", "subject")}
        body["details"] = json.loads(event["details"])
        event["previous"], event["hash"] = previous, event_hash(body, previous=previous)
        previous = event["hash"]


def _tamper(events, how, index, rng):
    """Change a list of events; returns the number of the first event that is no longer as it was."""
    if how == "edit":
        field = rng.choice(["actor", "verb", "subject", "at_us"])
        events[index][field] = 1 if field == "at_us" else "somebody else"
    elif how == "drop":
        del events[index]
    elif how == "reorder":
        other = index + 1
        first, second = events[index], events[other]
        first["seq"], second["seq"] = second["seq"], first["seq"]
        events[index], events[other] = second, first
    else:
        del events[index:]
    return index + 1


@pytest.mark.slow
@pytest.mark.parametrize("again", [False, True], ids=["", "chained-again"])
@pytest.mark.parametrize("how", ["edit", "drop", "reorder", "truncate"])
def test_tampering_is_noticed_and_the_first_bad_event_named(kept, trail, owner, how, again):
    """25 rounds each: 200 in all."""
    rng = random.Random(f"{how} {again}")
    engine = sa.create_engine(f"sqlite:///{trail.folder / 'catalog.sqlite'}")
    with engine.begin() as conn:
        sound = _events(conn)
    for _ in range(25):
        index = rng.randrange(1, kept.size - 1)
        with engine.begin() as conn:
            events = [dict(event) for event in sound]
            first_bad = _tamper(events, how, index, rng)
            if again:
                _chain_again(events)
            _write(conn, events)
        verification = service.verify_audit(owner, store=trail, kept=kept)
        assert not verification.intact
        assert verification.first_bad == first_bad, verification.breaks
    with engine.begin() as conn:
        _write(conn, sound)
    assert service.verify_audit(owner, store=trail, kept=kept).intact
    engine.dispose()


def test_events_cut_off_right_after_the_checkpoint_are_missed(kept, trail, owner):
    engine = sa.create_engine(f"sqlite:///{trail.folder / 'catalog.sqlite'}")
    with engine.begin() as conn:
        conn.execute(sa.text("DELETE FROM audit WHERE seq > :size"), {"size": kept.size})
    engine.dispose()
    verification = service.verify_audit(owner, store=trail, kept=kept)
    assert verification.first_bad == kept.size + 1
    assert "recorded this checkpoint is missing" in verification.breaks[0].problem


def test_a_checkpoint_signed_again_with_another_key_is_noticed(kept, trail, owner, tmp_path):
    other = checkpoints.sign(
        Ed25519PrivateKey.generate(),
        origin=kept.origin,
        size=kept.size,
        root=kept.root,
        at=kept.at,
        marks=kept.marks,
    )
    verification = service.verify_audit(owner, store=trail, kept=other)
    assert verification.first_bad == kept.size + 1
    assert "signed with a key that the log does not name" in verification.breaks[0].problem
    file = tmp_path / "other.json"
    file.write_text(other.to_json(), encoding="utf-8")
    with pytest.raises(CheckpointInvalid, match=other.key_id):
        checkpoints.read(file, signed_with=kept.key_id)


def test_a_trail_rewritten_and_signed_again_by_the_workspace_is_noticed(kept, trail, owner):
    """Whoever holds the folder holds the key, too; the checkpoint that was kept elsewhere still says what was."""
    engine = sa.create_engine(f"sqlite:///{trail.folder / 'catalog.sqlite'}")
    with engine.begin() as conn:
        events = [event for event in _events(conn) if event["verb"] != "audit.checkpoint"]
        events[6]["actor"] = "somebody else"
        _chain_again(events)
        _write(conn, events)
    service.sign_checkpoint(owner, store=trail)
    assert service.verify_audit(owner, store=trail).intact
    verification = service.verify_audit(owner, store=trail, kept=kept)
    assert verification.first_bad == 7
    engine.dispose()


@given(data=st.data())
@settings(deadline=None, max_examples=60)
def test_no_changed_checkpoint_file_is_accepted(data, tmp_path_factory):
    key = Ed25519PrivateKey.from_private_bytes(bytes(32))
    marks = bytes(range(24))
    signed = checkpoints.sign(
        key, origin="o", size=3, root=bytes(32), at="2027-01-31T00:00:00.000Z", marks=marks
    )
    document = json.loads(signed.to_json())
    name = data.draw(st.sampled_from(["note", "public_key", "marks"]))
    place = data.draw(st.integers(0, len(document[name]) - 1))
    letter = data.draw(st.sampled_from("AZaz09+/= \n"))
    changed = document[name][:place] + letter + document[name][place + 1 :]
    file = tmp_path_factory.mktemp("changed") / "checkpoint.json"
    file.write_text(json.dumps({**document, name: changed}), encoding="utf-8")
    try:
        accepted = checkpoints.read(file)
    except CheckpointInvalid:
        return
    assert accepted == signed  # the letter was the same, or stands where base64 has bits to spare


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        "{}",
        '{"format": "calotype-audit-checkpoint/1"}',
        "[" * 100_000,
        '{"format": 1, "note": {}}',
    ],
)
def test_what_is_no_checkpoint_is_refused(tmp_path, text):
    file = tmp_path / "x.json"
    file.write_text(text)
    with pytest.raises(CheckpointInvalid, match=r"x\.json"):
        checkpoints.read(file)


def test_an_export_is_verified_without_the_workspace(kept, trail, owner, tmp_path):
    file = tmp_path / "audit.jsonl"
    file.write_bytes(b"".join(service.export_audit(owner, store=trail)))
    verification = evidence.verify_export(file, kept)
    assert verification.intact, verification.breaks
    assert verification.n_events == N_EVENTS + 4
    lines = file.read_text(encoding="utf-8").splitlines()
    last = json.loads(lines[-1])
    assert (last["verb"], last["actor"]) == ("audit.export", owner.id)
    file.write_text("\n".join(line.replace("shop-5", "shop-6") for line in lines), encoding="utf-8")
    assert evidence.verify_export(file, kept).first_bad == 7
    file.write_text("\n".join([*lines[:3], "{}"]), encoding="utf-8")
    with pytest.raises(AuditExportInvalid, match="line 4"):
        evidence.verify_export(file)
