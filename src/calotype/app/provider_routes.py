"""The two routes of a sign-in through a provider: to it, and back."""

from __future__ import annotations

import time
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Query, Request, Response
from fastapi.responses import RedirectResponse

from calotype.app.account_keys import AccountKeys
from calotype.app.oidc.fetching import ProviderFailed
from calotype.app.oidc.flow import LIMIT_S, Flow
from calotype.app.oidc.provider import Provider
from calotype.foundation.actor import Permission
from calotype.foundation.errors import Conflict
from calotype.foundation.http import Ask, action, room_routes
from calotype.people import identities
from calotype.people.identities import IdentityRefused
from calotype.people.model import SignInRefused, TooManyAttempts
from calotype.store import Store

routes = room_routes("sign-in")


def _returned(meaning: str) -> Any:
    return Query(max_length=4_000, description=meaning)


Code = Annotated[str, _returned("The code that the provider gives for its tokens.")]
State = Annotated[str, _returned("What this server sent along, unchanged.")]
Issuer = Annotated[str, _returned("The provider that answers (RFC 9207); some leave it out.")]
Error = Annotated[str, _returned("Why the provider did not identify anybody; empty where it did.")]
_REDIRECT: dict[str, Any] = {
    "status_code": 303,
    "response_class": RedirectResponse,
    **action(Permission.ACCOUNT_OWN, max_body_bytes=0),
}


class ProviderNotSet(Conflict):
    """The server was started without a provider of identities."""

    code = "provider-not-set"
    what = "people cannot sign in through a provider here"
    fix = "sign in with address and password, or start the server with --accounts --oidc FILE"


@routes.get("/oidc/start", **_REDIRECT)
def start_provider_sign_in(request: Request) -> Response:
    """Send the browser to the provider, with a cookie that only this browser has."""
    keys, provider = _provider(request)
    flow = Flow.begin(int(time.time()))
    response = RedirectResponse(provider.address(flow), status_code=303)
    keys.set_flow_cookie(response, flow.secret, LIMIT_S)
    return response


@routes.get("/oidc/callback", **_REDIRECT)
def finish_provider_sign_in(
    ask: Ask,
    request: Request,
    code: Code = "",
    state: State = "",
    iss: Issuer = "",
    error: Error = "",
) -> Response:
    """Where the provider sends the browser back to: signs in, or says on the sign-in page why not."""
    keys, provider = _provider(request)
    address = request.client.host if request.client else ""
    try:
        identities.check_attempts(address, store=ask.store)
        flow = _checked_flow(keys, request, state, ask.store)
        if error or not code:
            raise IdentityRefused(reason="declined")
        identity = provider.identify(flow, code, iss)
        secret = identities.sign_in_identified(
            identity,
            provider.settings.groups,
            store=ask.store,
            browser=request.headers.get("user-agent", "")[:200],
            address=address,
        )
    except (IdentityRefused, SignInRefused) as refusal:
        identities.note_refusal(address, store=ask.store)
        response = _back(str(refusal.fields.get("reason", "account")))
    except TooManyAttempts:
        response = _back("attempts")
    except ProviderFailed:
        response = _back("provider")
    else:
        response = RedirectResponse("/", status_code=303)
        keys.set_cookie(response, secret)
    keys.set_flow_cookie(response, "", 0)
    return response


def _checked_flow(keys: AccountKeys, request: Request, state: str, store: Store) -> Flow:
    """The sign-in that this browser has begun, whose answer comes for the first time. Raises: IdentityRefused."""
    flow = Flow.of_answer(keys.flow_secret(request.headers), state, int(time.time()))
    if flow is None:
        raise IdentityRefused(reason="state")
    identities.use_state(state, store=store)
    return flow


def _back(reason: str) -> Response:
    return RedirectResponse(f"/?{urlencode({'refused': reason})}", status_code=303)


def _provider(request: Request) -> tuple[AccountKeys, Provider]:
    """Raises: ProviderNotSet."""
    keys = request.app.state.keys
    if not isinstance(keys, AccountKeys) or keys.provider is None:
        raise ProviderNotSet()
    return keys, keys.provider
