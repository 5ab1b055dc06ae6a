"""The people of the demo: one for each role, so that a newcomer can look through each pair of eyes."""

from __future__ import annotations

import secrets
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from calotype.foundation.actor import Actor
from calotype.people import invitations, service, tokens
from calotype.people.model import PersonExists, PersonNotFound, TeamExists
from calotype.people.oversight import requests
from calotype.store import Store

TEAM = "street-vision"
HOST = "demo.example"


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """Somebody of the demo, and where their role holds: `workspace`, `team` or `dataset`."""

    name: str
    role: str
    on: str

    @property
    def email(self) -> str:
        """Address of the account."""
        return f"{self.role}@{HOST}"


PEOPLE = (
    DemoPerson("Olga Brandt", "owner", "workspace"),
    DemoPerson("Henrik Sato", "head-of-dataops", "workspace"),
    DemoPerson("Dara Okafor", "data-engineer", "workspace"),
    DemoPerson("Carmen Ruiz", "curator", "workspace"),
    DemoPerson("Lena Novak", "labelling-manager", "workspace"),
    DemoPerson("Amir Haddad", "annotator", "team"),
    DemoPerson("Rosa Lindqvist", "reviewer", "team"),
    DemoPerson("Mei Tanaka", "ml-engineer", "team"),
    DemoPerson("Ada Kowalski", "auditor", "workspace"),
    DemoPerson("Victor Silva", "vendor-annotator", "dataset"),
)
WISH = "To review with Rosa while the night images come in"
"""Why the annotator asks for one more role, which the owner finds waiting."""
SERVICE = DemoPerson("nightly training", "service", "dataset")


@dataclass(frozen=True, slots=True)
class DemoAccounts:
    """The accounts of the demo: their common password and the API token of the service, both new at every start.

    `dataset` is the one that the team owns, and that vendor and service work on.
    """

    dataset: str
    password: str
    token: str

    def place(self, person: DemoPerson) -> str:
        """Where the role of a person holds, as `calotype grant` names it."""
        return {"team": f"team:{TEAM}", "dataset": f"dataset:{self.dataset}"}.get(person.on, person.on)

    def to_dict(self) -> dict[str, Any]:
        """As `--json` prints it."""
        people = [
            {"name": person.name, "email": person.email, "role": person.role, "on": self.place(person)}
            for person in (*PEOPLE, SERVICE)
        ]
        return {"people": people, "password": self.password, "token": self.token}


def add_people(actor: Actor, store: Store, dataset: str) -> DemoAccounts:
    """Create the accounts with a new random password, or give it to those that exist already.

    Raises: NotPermitted, GrantPlaceInvalid.
    """
    accounts = DemoAccounts(dataset, secrets.token_urlsafe(12), _service_token(actor, store, dataset))
    _ensure_team(actor, store, dataset)
    for person in PEOPLE:
        secret = _invitation(actor, person, store, accounts)
        invitations.accept_invitation(secret, store=store, password=accounts.password, name=person.name)
    return accounts


def _service_token(actor: Actor, store: Store, dataset: str) -> str:
    with suppress(PersonExists):
        service.add_person(actor, SERVICE.email, SERVICE.name, store=store, kind="service")
        place = f"dataset:{dataset}"
        service.grant_role(actor, SERVICE.email, SERVICE.role, on=place, reason="demo", store=store)
    return tokens.create_token(
        actor, "demo", store=store, scopes=["read"], datasets=[dataset], days=7, for_email=SERVICE.email
    )[1]


def _ensure_team(actor: Actor, store: Store, dataset: str) -> None:
    with suppress(TeamExists):
        service.add_team(actor, TEAM, store=store)
        service.own_datasets(actor, TEAM, [dataset], store=store)


def _invitation(actor: Actor, person: DemoPerson, store: Store, accounts: DemoAccounts) -> str:
    """The secret of an invitation; the account and its role are created if they do not exist."""
    try:
        return service.invite_again(actor, person.email, store=store)[1]
    except PersonNotFound:
        _, secret = service.add_person(actor, person.email, person.name, store=store)
    if person.on == "team":
        service.add_member(actor, TEAM, person.email, role=person.role, store=store)
        if person.role == "annotator":
            place = accounts.place(person)
            requests.ask_for_access(
                actor, "reviewer", on=place, reason=WISH, for_email=person.email, store=store
            )
    else:
        place = accounts.place(person)
        service.grant_role(actor, person.email, person.role, on=place, reason="demo", store=store)
    return secret
