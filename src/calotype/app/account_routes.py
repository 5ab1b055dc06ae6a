"""The routes of a team server that set its cookie: signing in and out, and accepting an invitation."""

from __future__ import annotations

from typing import Annotated

from fastapi import Request, Response
from pydantic import BaseModel, Field

from calotype.app.account_keys import AccountKeys
from calotype.foundation.actor import Permission
from calotype.foundation.clock import iso
from calotype.foundation.errors import Conflict
from calotype.foundation.http import Ask, action, room_routes
from calotype.people import answers, device_sign_in, invitations, signing_in

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


class Device(BaseModel):
    """A program on another machine, and the scopes it asks for."""

    device: Secret = Field(
        description="How the person can know the program, such as the name of its machine."
    )
    scopes: Annotated[list[Annotated[str, Field(max_length=40)]], Field(max_length=10)] = ["read"]


class DeviceCode(BaseModel):
    """The secret of a program that waits."""

    device_code: Secret


class UserCode(BaseModel):
    """The code that a program shows."""

    user_code: Annotated[str, Field(max_length=40)]


class DeviceAnswer(UserCode):
    """Whether to let the program in."""

    allow: bool


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


@routes.post("/device-sign-ins", status_code=201, **action(Permission.ACCOUNT_OWN, max_body_bytes=10_000))
def begin_device_sign_in(ask: Ask, body: Device, request: Request) -> answers.DeviceBegun:
    """A program asks to be let in by somebody who is signed in in a browser; needs nobody signed in."""
    _keys(request)
    address = _place(request)["address"]
    begun = device_sign_in.begin(body.device, body.scopes, store=ask.store, address=address)
    codes = {"device_code": begun.device_code, "user_code": begun.user_code}
    return answers.DeviceBegun.of({**codes, "expires_at": iso(begun.until_us), "every_s": begun.every_s})


@routes.post("/device-sign-ins/token", **action(Permission.ACCOUNT_OWN, max_body_bytes=10_000))
def take_device_token(ask: Ask, body: DeviceCode, request: Request) -> answers.DeviceToken:
    """The token of a program that was let in, once; null while nobody answered."""
    _keys(request)
    return answers.DeviceToken(token=device_sign_in.take(body.device_code, store=ask.store))


@routes.post("/device-sign-ins/show", **action(Permission.ACCOUNT_OWN, max_body_bytes=10_000))
def show_device_sign_in(ask: Ask, body: UserCode, request: Request) -> answers.DeviceSignIn:
    """Which program waits under a code."""
    _keys(request)
    waiting = device_sign_in.show_device(ask.actor, body.user_code, store=ask.store)
    times = {"created_at": iso(waiting.created_at_us), "expires_at": iso(waiting.until_us)}
    facts = {"device": waiting.device, "address": waiting.address, "scopes": list(waiting.scopes)}
    return answers.DeviceSignIn.of(facts | times)


@routes.post(
    "/device-sign-ins/answer",
    status_code=204,
    response_class=Response,
    **action(Permission.ACCOUNT_OWN, max_body_bytes=10_000),
)
def answer_device_sign_in(ask: Ask, body: DeviceAnswer, request: Request) -> Response:
    """Let the program in as oneself, or not."""
    _keys(request)
    device_sign_in.answer_device(ask.actor, body.user_code, allow=body.allow, store=ask.store)
    return Response(status_code=204)


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
