"""Sessions end when they should, tokens reach as far as they say, and guessing is slow."""

from __future__ import annotations

import re
from contextlib import closing

import pytest
from argon2 import PasswordHasher
from hypothesis import given, settings
from hypothesis import strategies as st

from calotype.app import workspaces
from calotype.datasets import service as datasets
from calotype.foundation.actor import Actor, Permission
from calotype.foundation.clock import now_us
from calotype.foundation.errors import CalotypeError, NotPermitted
from calotype.people import invitations, service, signing_in, tokens
from calotype.people import secret as secrets_of
from calotype.people.secret import is_token, new_token
from calotype.store import Store

PASSWORD = "a lamp, a lens, a plate"


@pytest.fixture
def ana(workspace) -> Actor:
    """The first owner."""
    secret = invitations.first_owner_secret(workspace) or ""
    invitations.accept_invitation(
        secret, store=workspace, password=PASSWORD, name="Ana", email="ana@example.org"
    )
    return actor_of(workspace, signing_in.sign_in("ana@example.org", PASSWORD, store=workspace))


@pytest.fixture
def at(monkeypatch):
    """Moves the clock of sign-in and tokens by minutes."""

    def move(minutes: float) -> None:
        moment = now_us() + int(minutes * signing_in.MINUTE_US)
        for room in (signing_in, tokens):
            monkeypatch.setattr(room, "now_us", lambda: moment)

    return move


def actor_of(store: Store, secret: str) -> Actor:
    found = signing_in.from_session(secret, store=store)
    assert found is not None
    return found.actor


def known(found: signing_in.SignedIn | None) -> signing_in.SignedIn:
    """Whom a secret belongs to."""
    assert found is not None
    return found


def refused(code: str, verb, *arguments, **options) -> CalotypeError:
    with pytest.raises(CalotypeError) as caught:
        verb(*arguments, **options)
    assert caught.value.code == code
    return caught.value


def test_passwords_are_hashed_by_argon2id_as_its_authors_advise(monkeypatch):
    monkeypatch.setattr(secrets_of, "_hasher", PasswordHasher())
    hashed = secrets_of.hash_password(PASSWORD, email="a@example.org", name="A")
    matched = re.match(r"\$argon2id\$v=19\$m=(\d+),t=(\d+)", hashed)
    assert matched is not None
    memory, rounds = matched.groups()
    assert (int(memory) >= 19 * 1024, int(rounds) >= 2) == (True, True)
    assert secrets_of.password_matches(hashed, PASSWORD)
    assert not secrets_of.password_matches(hashed, PASSWORD + " ")
    assert not secrets_of.password_matches(None, PASSWORD)


@pytest.mark.parametrize("password", ["short", "x" * 201, "ana@example.org", "aaaaaaaaaaaaaaaa", ""])
def test_a_weak_password_is_refused_and_the_invitation_stays_good(workspace, password):
    secret = invitations.first_owner_secret(workspace) or ""
    person = {"name": "Ana", "email": "ana@example.org"}
    refused(
        "password-invalid",
        invitations.accept_invitation,
        secret,
        store=workspace,
        password=password,
        **person,
    )
    assert (
        invitations.accept_invitation(secret, store=workspace, password=PASSWORD, **person).state == "active"
    )


def test_a_wrong_address_and_a_wrong_password_are_refused_alike(workspace, ana):
    wrong = [refused("sign-in-refused", signing_in.sign_in, email, "wrong, wrong, wrong", store=workspace)
             for email in ("ana@example.org", "no@example.org", "no address", "")]  # fmt: skip
    assert len({str(error) for error in wrong}) == 1


def test_guessing_is_stopped_and_the_right_password_waits_too(workspace, ana, at):
    for _ in range(signing_in.TRIES_PER_ADDRESS):
        refused("sign-in-refused", signing_in.sign_in, "Ana@example.org", "wrong, wrong", store=workspace)
    error = refused("too-many-attempts", signing_in.sign_in, "ana@example.org", PASSWORD, store=workspace)
    assert 0 < error.fields["wait_s"] <= 900
    at(16)
    assert signing_in.sign_in("ana@example.org", PASSWORD, store=workspace)


def test_one_machine_cannot_guess_at_many_accounts(workspace, ana, monkeypatch):
    monkeypatch.setattr(signing_in, "TRIES_PER_MACHINE", 5)
    for number in range(5):
        email = f"p{number}@example.org"
        refused(
            "sign-in-refused", signing_in.sign_in, email, "wrong, wrong", store=workspace, address="192.0.2.7"
        )
    refused(
        "too-many-attempts", signing_in.sign_in, "x@example.org", "no", store=workspace, address="192.0.2.7"
    )
    assert signing_in.sign_in("ana@example.org", PASSWORD, store=workspace, address="192.0.2.8")


def test_a_session_ends_when_it_is_idle_and_at_last_anyway(workspace, ana, at):
    secret = signing_in.sign_in("ana@example.org", PASSWORD, store=workspace)
    at(12 * 60 + 1)
    assert signing_in.from_session(secret, store=workspace) is None
    secret, minutes = signing_in.sign_in("ana@example.org", PASSWORD, store=workspace), 12 * 60 + 1
    for _ in range(2 * 14 - 1):
        minutes += 11 * 60
        at(minutes)
        found = signing_in.from_session(secret, store=workspace)
        assert found is not None
        secret = found.new_secret or secret
    at(minutes + 14 * 24 * 60)
    assert signing_in.from_session(secret, store=workspace) is None


def test_the_secret_changes_with_use_and_the_one_before_ends(workspace, ana, at):
    first = signing_in.sign_in("ana@example.org", PASSWORD, store=workspace)
    at(61)
    second = known(signing_in.from_session(first, store=workspace)).new_secret
    assert second and second != first
    assert known(signing_in.from_session(first, store=workspace)).new_secret == ""
    at(63)
    assert signing_in.from_session(first, store=workspace) is None
    assert known(signing_in.from_session(second, store=workspace)).actor.id == ana.id


def test_disabling_ends_sessions_and_tokens_at_once(workspace, ana):
    _, invitation = service.add_person(ana, "bo@example.org", "Bo", store=workspace, role="curator")
    invitations.accept_invitation(invitation, store=workspace, password=PASSWORD)
    session = signing_in.sign_in("bo@example.org", PASSWORD, store=workspace)
    _, token = tokens.create_token(actor_of(workspace, session), "nightly", store=workspace)
    _, invitation = service.invite_again(ana, "bo@example.org", store=workspace)
    service.disable_person(ana, "bo@example.org", store=workspace)
    assert signing_in.from_session(session, store=workspace) is None
    assert signing_in.from_token(token, store=workspace) is None
    refused("sign-in-refused", signing_in.sign_in, "bo@example.org", PASSWORD, store=workspace)
    refused(
        "invitation-invalid", invitations.accept_invitation, invitation, store=workspace, password=PASSWORD
    )
    service.enable_person(ana, "bo@example.org", store=workspace)
    assert signing_in.from_session(session, store=workspace) is None
    assert signing_in.from_token(token, store=workspace) is None
    assert signing_in.sign_in("bo@example.org", PASSWORD, store=workspace)


def test_a_new_password_ends_the_other_sessions(workspace, ana):
    here, there = (signing_in.sign_in("ana@example.org", PASSWORD, store=workspace) for _ in range(2))
    this = known(signing_in.from_session(here, store=workspace)).session_id
    refused(
        "sign-in-refused", signing_in.change_password, ana, "wrong, wrong", "new, new, new 1", store=workspace
    )
    signing_in.change_password(ana, PASSWORD, "new, new, new 1", store=workspace, session_id=this)
    assert signing_in.from_session(there, store=workspace) is None
    assert [item.id for item in signing_in.sessions(ana, store=workspace, this=this)] == [this]
    refused("sign-in-refused", signing_in.sign_in, "ana@example.org", PASSWORD, store=workspace)


def test_sessions_are_ended_by_their_person_only(workspace, ana):
    _, invitation = service.add_person(ana, "bo@example.org", "Bo", store=workspace)
    invitations.accept_invitation(invitation, store=workspace, password=PASSWORD)
    bo = actor_of(workspace, signing_in.sign_in("bo@example.org", PASSWORD, store=workspace))
    (mine,) = signing_in.sessions(ana, store=workspace)
    refused("session-not-found", signing_in.end_session, bo, mine.id, store=workspace)
    signing_in.end_session(ana, mine.id, store=workspace)
    assert signing_in.sessions(ana, store=workspace) == []


def test_a_token_reaches_as_far_as_its_scopes_and_datasets(workspace, owner, ana):
    for name in ("streets", "night"):
        datasets.create(owner, name, store=workspace)
    _, text = tokens.create_token(ana, "training", store=workspace, scopes=["read"], datasets=["streets"])
    program = known(signing_in.from_token(text, store=workspace)).actor
    allows = workspace.guard.allows
    assert allows(program, Permission.DATASET_READ, dataset="streets")
    assert not allows(program, Permission.DATASET_READ, dataset="night")
    assert not allows(program, Permission.DATASET_EDIT, dataset="streets")
    assert [item.name for item in datasets.datasets(program, store=workspace)] == ["streets"]
    with pytest.raises(NotPermitted):
        service.people(program, store=workspace)


def test_a_token_makes_no_token_and_changes_no_account(workspace, ana):
    _, text = tokens.create_token(ana, "all", store=workspace, scopes=list(tokens.SCOPES))
    program = known(signing_in.from_token(text, store=workspace)).actor
    (session,) = signing_in.sessions(ana, store=workspace)
    for attempt in (
        lambda: tokens.create_token(program, "more", store=workspace),
        lambda: signing_in.change_password(program, PASSWORD, "new, new, new 1", store=workspace),
        lambda: signing_in.end_session(program, session.id, store=workspace),
        lambda: service.grant_role(program, "ana@example.org", "owner", store=workspace),
    ):
        with pytest.raises(NotPermitted):
            attempt()


def test_a_token_does_not_outlive_its_end_nor_its_persons_rights(workspace, owner, ana, at):
    datasets.create(owner, "streets", store=workspace)
    bo, invitation = service.add_person(ana, "bo@example.org", "Bo", store=workspace)
    invitations.accept_invitation(invitation, store=workspace, password=PASSWORD)
    grant = service.grant_role(ana, bo.email, "curator", store=workspace, on="dataset:streets")
    person = actor_of(workspace, signing_in.sign_in(bo.email, PASSWORD, store=workspace))
    _, text = tokens.create_token(person, "t", store=workspace, scopes=["write"], days=1)
    allows = workspace.guard.allows
    assert allows(
        known(signing_in.from_token(text, store=workspace)).actor, Permission.DATASET_EDIT, dataset="streets"
    )
    service.revoke_grant(ana, grant.id, store=workspace)
    assert not allows(
        known(signing_in.from_token(text, store=workspace)).actor, Permission.DATASET_READ, dataset="streets"
    )
    at(24 * 60 + 1)
    assert signing_in.from_token(text, store=workspace) is None
    assert tokens.tokens(person, store=workspace) == []


def test_a_token_cannot_be_made_for_a_dataset_that_its_maker_does_not_see(workspace, owner, ana):
    datasets.create(owner, "secret", store=workspace)
    _, invitation = service.add_person(ana, "bo@example.org", "Bo", store=workspace)
    invitations.accept_invitation(invitation, store=workspace, password=PASSWORD)
    bo = actor_of(workspace, signing_in.sign_in("bo@example.org", PASSWORD, store=workspace))
    answers = {
        str(
            refused("grant-place-invalid", tokens.create_token, bo, "t", store=workspace, datasets=[name])
        ).replace(name, "?")
        for name in ("secret", "absent")
    }
    assert len(answers) == 1


def test_tokens_of_others_are_made_and_revoked_by_those_who_manage_people(workspace, ana):
    _, invitation = service.add_person(ana, "bo@example.org", "Bo", store=workspace)
    invitations.accept_invitation(invitation, store=workspace, password=PASSWORD)
    bo = actor_of(workspace, signing_in.sign_in("bo@example.org", PASSWORD, store=workspace))
    service.add_person(ana, "ci@example.org", "CI", store=workspace, kind="service", role="service")
    made, text = tokens.create_token(ana, "ci", store=workspace, scopes=["write"], for_email="ci@example.org")
    assert known(signing_in.from_token(text, store=workspace)).actor.kind == "service"
    refused("rights-too-high", tokens.create_token, ana, "x", store=workspace, for_email="bo@example.org")
    with pytest.raises(NotPermitted):
        tokens.create_token(bo, "x", store=workspace, for_email="ci@example.org")
    refused("token-not-found", tokens.revoke_token, bo, made.id, store=workspace)
    tokens.revoke_token(ana, made.id, store=workspace)
    assert signing_in.from_token(text, store=workspace) is None


def test_a_rotated_token_works_until_the_overlap_is_over(workspace, ana, at):
    first, old = tokens.create_token(ana, "nightly", store=workspace, scopes=["audit"], days=30)
    second, new = tokens.rotate_token(ana, "nightly", store=workspace, overlap_hours=2)
    assert (second.name, second.scopes, second.id != first.id, new != old) == (
        "nightly",
        ("audit",),
        True,
        True,
    )
    assert abs(second.until_us - first.until_us) < 60_000_000
    at(119)
    assert signing_in.from_token(old, store=workspace) and signing_in.from_token(new, store=workspace)
    at(121)
    assert signing_in.from_token(old, store=workspace) is None
    assert signing_in.from_token(new, store=workspace) is not None


def test_a_rotation_ends_at_once_without_overlap_and_touches_no_token_of_others(workspace, owner, ana):
    _, old = tokens.create_token(ana, "nightly", store=workspace)
    tokens.rotate_token(ana, "nightly", store=workspace, overlap_hours=0)
    assert signing_in.from_token(old, store=workspace) is None
    service.add_person(owner, "bo@example.org", "Bo", store=workspace, role="curator")
    person = next(item for item in service.people(owner, store=workspace) if item.email == "bo@example.org")
    bo = actor_of(workspace, signing_in.start_session(person, store=workspace))
    refused("token-not-found", tokens.rotate_token, bo, "nightly", store=workspace)
    refused("not-permitted", tokens.rotate_token, bo, "nightly", store=workspace, for_email="ana@example.org")
    refused("end-invalid", tokens.rotate_token, ana, "nightly", store=workspace, overlap_hours=169)


@pytest.mark.parametrize(
    ("options", "code"),
    [({"days": 0}, "end-invalid"), ({"days": 366}, "end-invalid"), ({"scopes": ["all"]}, "scope-unknown")],
)
def test_a_token_needs_an_end_and_known_scopes(workspace, ana, options, code):
    refused(code, tokens.create_token, ana, "t", store=workspace, **options)


@settings(deadline=None)
@given(st.integers(0, 55), st.sampled_from("abcXYZ019-_"))
def test_a_mistyped_token_is_known_by_its_form(place, character):
    token = new_token()
    other = token[:place] + character + token[place + 1 :]
    assert is_token(token)
    assert is_token(other) == (other == token)


def test_secrets_are_stored_nowhere(workspace, ana, tmp_path):
    session = signing_in.sign_in("ana@example.org", PASSWORD, store=workspace)
    _, token = tokens.create_token(ana, "t", store=workspace)
    _, invitation = service.add_person(ana, "bo@example.org", "Bo", store=workspace)
    stored = b"".join(file.read_bytes() for file in workspace.folder.glob("catalog.sqlite*"))
    assert b"ana@example.org" in stored
    assert [text for text in (session, token, invitation, PASSWORD) if text.encode() in stored] == []


class TestRecent:
    """The catalog is read once a second for a secret, and again at once after this process wrote."""

    def test_a_second_request_reads_nothing_and_a_later_one_reads_again(
        self, workspace, ana, at, monkeypatch
    ):
        secret = signing_in.sign_in(ana.name, PASSWORD, store=workspace)
        first = signing_in.from_session(secret, store=workspace)
        reads: list[str] = []
        original = signing_in._from_session

        def counted(digest: str, store: Store) -> signing_in.SignedIn | None:
            reads.append(digest)
            return original(digest, store)

        monkeypatch.setattr(signing_in, "_from_session", counted)
        assert signing_in.from_session(secret, store=workspace) == first
        assert reads == []
        at(0.02)
        assert signing_in.from_session(secret, store=workspace) == first
        assert len(reads) == 1

    def test_what_this_process_revokes_ends_at_once(self, workspace, ana):
        bo, invitation = service.add_person(ana, "bo@example.org", "Bo", store=workspace, role="curator")
        invitations.accept_invitation(invitation, store=workspace, password=PASSWORD)
        secret = signing_in.sign_in(bo.email, PASSWORD, store=workspace)
        assert known(signing_in.from_session(secret, store=workspace)).actor.grants
        (grant,) = service.grants(ana, store=workspace, who=bo.email)
        service.revoke_grant(ana, grant.id, store=workspace)
        assert known(signing_in.from_session(secret, store=workspace)).actor.grants == ()
        service.disable_person(ana, bo.email, store=workspace)
        assert signing_in.from_session(secret, store=workspace) is None

    def test_what_another_process_revokes_ends_after_a_second(self, workspace, ana, at):
        secret = signing_in.sign_in(ana.name, PASSWORD, store=workspace)
        assert signing_in.from_session(secret, store=workspace) is not None
        with closing(workspaces.open_at(workspace.root)) as other:
            signing_in.sign_out(secret, store=other)
        at(0.02)
        assert signing_in.from_session(secret, store=workspace) is None
