"""Letting a program in from the browser: once, in time, by a person, with no more than was shown."""

from __future__ import annotations

import pytest

from calotype.foundation.actor import ACCOUNT, Actor
from calotype.foundation.errors import CalotypeError
from calotype.people import device_sign_in, service, signing_in, tokens
from calotype.people.device_sign_in import DeviceCodeUnknown, DeviceSignInRefused
from calotype.people.model import AccountNeeded, ScopeUnknown, TooManyAttempts


@pytest.fixture
def bo(workspace, owner):
    """The actor of a person with an account."""
    person, _ = service.add_person(owner, "bo@example.org", "Bo", store=workspace, role="owner")
    return Actor(f"{ACCOUNT}{person.id}", person.email)


@pytest.fixture
def begun(workspace):
    """A program that waits."""
    return device_sign_in.begin("laptop", ["read", "write"], store=workspace, address="10.0.0.7")


def test_a_program_gets_the_token_of_whoever_lets_it_in_once(workspace, bo, begun):
    assert device_sign_in.take(begun.device_code, store=workspace) is None
    shown = device_sign_in.show_device(bo, begun.user_code.lower(), store=workspace)
    assert (shown.device, shown.address, shown.scopes) == ("laptop", "10.0.0.7", ("read", "write"))
    device_sign_in.answer_device(bo, begun.user_code, allow=True, store=workspace)
    token = device_sign_in.take(begun.device_code, store=workspace)
    signed_in = signing_in.from_token(token or "", store=workspace)
    assert signed_in is not None
    assert signed_in.actor.id == bo.id
    assert [(item.name, item.scopes) for item in tokens.tokens(bo, store=workspace)] == [
        ("laptop", ("read", "write"))
    ]
    with pytest.raises(DeviceSignInRefused):
        device_sign_in.take(begun.device_code, store=workspace)


def test_a_no_is_a_no(workspace, bo, begun):
    device_sign_in.answer_device(bo, begun.user_code, allow=False, store=workspace)
    with pytest.raises(DeviceSignInRefused):
        device_sign_in.take(begun.device_code, store=workspace)
    with pytest.raises(DeviceCodeUnknown):
        device_sign_in.answer_device(bo, begun.user_code, allow=True, store=workspace)


def test_the_time_is_over_after_ten_minutes(workspace, bo, begun, monkeypatch):
    monkeypatch.setattr(device_sign_in, "now_us", lambda: begun.until_us + 1)
    with pytest.raises(DeviceSignInRefused):
        device_sign_in.take(begun.device_code, store=workspace)
    with pytest.raises(DeviceCodeUnknown):
        device_sign_in.show_device(bo, begun.user_code, store=workspace)


def test_who_was_disabled_after_the_yes_lets_nothing_in(workspace, owner, bo, begun):
    service.add_person(owner, "ana@example.org", "Ana", store=workspace, role="owner")
    device_sign_in.answer_device(bo, begun.user_code, allow=True, store=workspace)
    service.disable_person(owner, "bo@example.org", store=workspace)
    with pytest.raises(CalotypeError):
        device_sign_in.take(begun.device_code, store=workspace)


def test_only_people_with_an_account_answer(workspace, owner, bo, begun):
    with pytest.raises(AccountNeeded):
        device_sign_in.answer_device(owner, begun.user_code, allow=True, store=workspace)


def test_codes_cannot_be_guessed(workspace, bo, begun):
    for _ in range(device_sign_in.WRONG_CODES):
        with pytest.raises(DeviceCodeUnknown):
            device_sign_in.show_device(bo, "AAAA-AAAA", store=workspace)
    with pytest.raises(TooManyAttempts):
        device_sign_in.show_device(bo, begun.user_code, store=workspace)


def test_one_address_asks_for_few_at_a_time(workspace):
    for _ in range(device_sign_in.MAX_WAITING_OF_ADDRESS):
        device_sign_in.begin("x", ["read"], store=workspace, address="10.0.0.8")
    with pytest.raises(TooManyAttempts):
        device_sign_in.begin("x", ["read"], store=workspace, address="10.0.0.8")
    device_sign_in.begin("x", ["read"], store=workspace, address="10.0.0.9")


def test_what_a_program_says_is_plain_text_and_its_scopes_are_known(workspace, bo):
    begun = device_sign_in.begin("la\nptop\x1b[2J" + "x" * 500, [], store=workspace)
    shown = device_sign_in.show_device(bo, begun.user_code, store=workspace)
    assert shown.device.startswith("laptop[2J")
    assert (len(shown.device), shown.scopes) == (100, ("read",))
    with pytest.raises(ScopeUnknown):
        device_sign_in.begin("x", ["everything"], store=workspace)
