"""The people of the demo: one account for each role, all of which sign in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import argon2
import pytest

from calotype.app import workspaces
from calotype.app.demo.people import PEOPLE, SERVICE, add_people
from calotype.datasets import service as datasets
from calotype.foundation.actor import ROLES, Actor
from calotype.people import secret, signing_in
from calotype.people.model import SignInRefused
from calotype.people.oversight import requests
from calotype.store import Store


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secret, "_hasher", argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture
def workspace(tmp_path: Path, owner: Actor) -> Iterator[Store]:
    """A workspace under the real rules, with the datasets of the demo."""
    store = workspaces.create(owner, tmp_path / "workspace")
    for name in ("digits", "streets"):
        datasets.create(owner, name, store=store)
    yield store
    store.close()


def signed_in(store: Store, email: str, password: str) -> Actor:
    """The actor of a new session."""
    admitted = signing_in.from_session(signing_in.sign_in(email, password, store=store), store=store)
    assert admitted is not None
    return admitted.actor


def test_there_is_somebody_of_each_role():
    assert sorted(person.role for person in (*PEOPLE, SERVICE)) == sorted(ROLES)


def test_each_signs_in_and_sees_what_their_role_shows(workspace: Store, owner: Actor):
    accounts = add_people(owner, workspace, "streets")
    seen = {
        person.role: [row.name for row in datasets.datasets(actor, store=workspace)]
        for person in PEOPLE
        for actor in [signed_in(workspace, person.email, accounts.password)]
    }
    everything = ["digits", "streets"]
    assert seen["owner"] == seen["auditor"] == seen["curator"] == everything
    assert seen["annotator"] == seen["ml-engineer"] == ["streets"]
    assert seen["vendor-annotator"] == []
    program = signing_in.from_token(accounts.token, store=workspace)
    assert program is not None
    assert [row.name for row in datasets.datasets(program.actor, store=workspace)] == ["streets"]


def test_a_second_start_gives_everyone_a_new_password(workspace: Store, owner: Actor):
    first, second = (add_people(owner, workspace, "streets") for _ in range(2))
    assert signed_in(workspace, PEOPLE[0].email, second.password).name == PEOPLE[0].email
    with pytest.raises(SignInRefused):
        signed_in(workspace, PEOPLE[0].email, first.password)
    assert first.token != second.token


def test_an_access_request_waits_for_the_owner(workspace: Store, owner: Actor):
    add_people(owner, workspace, "streets")
    ana = signed_in(workspace, "owner@demo.example", add_people(owner, workspace, "streets").password)
    (waiting,) = requests.access_requests(ana, store=workspace, everyone=True, state="open")
    assert (waiting.who, waiting.role, waiting.place) == (
        "annotator@demo.example",
        "reviewer",
        "team:street-vision",
    )
    assert waiting.may_answer and requests.answer_request(ana, waiting.id, True, store=workspace).grant_id
