"""The routes of a team server that set its cookie: signing in and out, and accepting an invitation."""

from __future__ import annotations

from typing import Annotated

from fastapi import Request, Response
from pydantic import BaseModel, Field

from calotype.app.account_keys import AccountKeys
from calotype.foundation.actor import Permission
from calotype.foundation.errors import Conflict
from calotype.foundation.http import Ask, action, room_routes
from calotype.people import answers, invitations, signing_in

routes = room_routes("sign-in")
Secret = Annotated[str, Field(max_length=200)]
Password = Annotated[str, Field(max_length=1_000)]


class AccountsOff(Conflict):
    """The server has one person, who opens it by its link."""

    code = "accounts-off"
    what = "this server has no accounts"
    fix = "open the link that `calotype serve` printed, or start it with --accounts"


class SignIn(BaseModel):
    """Address and password."""

    email: Secret
    password: Password


class Link(BaseModel):
    """The secret of an invitation."""

    secret: Secret


class Acceptance(BaseModel):
    """A password, chosen with an invitation."""

    secret: Secret
    password: Password
    name: Secret = ""
    email: Annotated[str, Field(max_length=200, description="The address of the first owner.")] = ""


@routes.post(
    "/sign-in",
    status_code=204,
    response_class=Response,
    **action(Permission.ACCOUNT_OWN, max_body_bytes=10_000),
)
def sign_in_with_password(ask: Ask, body: SignIn, request: Request) -> Response:
    """Sign in; the answer sets the cookie of the session."""
    keys = _keys(request)
    secret = signing_in.sign_in(body.email, body.password, store=ask.store, **_place(request))
    return _with_cookie(keys, secret)


@routes.post(
    "/sign-out", status_code=204, response_class=Response, **action(Permission.ACCOUNT_OWN, max_body_bytes=0)
)
def sign_out(ask: Ask, request: Request) -> Response:
    """End the session of this browser."""
    keys = _keys(request)
    signing_in.sign_out(keys.session_secret(request.headers), store=ask.store)
    response = Response(status_code=204)
    keys.drop_cookie(response)
    return response


@routes.post("/invitations/show", **action(Permission.ACCOUNT_OWN, max_body_bytes=10_000))
def show_invitation(ask: Ask, body: Link, request: Request) -> answers.Invitation:
    """Whom an invitation is for."""
    _keys(request)
    person = invitations.invited(body.secret, store=ask.store)
    email, name = ("", "") if person is None else (person.email, person.name)
    return answers.Invitation.of({"email": email, "name": name, "is_first_owner": person is None})


@routes.post(
    "/invitations/accept", status_code=204, response_class=Response,
    **action(Permission.ACCOUNT_OWN, max_body_bytes=10_000),
)  # fmt: skip
def accept_invitation(ask: Ask, body: Acceptance, request: Request) -> Response:
    """Choose a password and be signed in."""
    keys = _keys(request)
    person = invitations.accept_invitation(
        body.secret, store=ask.store, password=body.password, name=body.name, email=body.email
    )
    secret = signing_in.start_session(person, store=ask.store, **_place(request))
    return _with_cookie(keys, secret)


def _keys(request: Request) -> AccountKeys:
    """Raises: AccountsOff."""
    keys = request.app.state.keys
    if not keys.accounts:
        raise AccountsOff()
    accounts: AccountKeys = keys
    return accounts


def _with_cookie(keys: AccountKeys, secret: str) -> Response:
    response = Response(status_code=204)
    keys.set_cookie(response, secret)
    return response


def _place(request: Request) -> dict[str, str]:
    address = request.client.host if request.client else ""
    return {"browser": request.headers.get("user-agent", "")[:200], "address": address}
