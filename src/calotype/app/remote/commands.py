"""`calotype login` and `logout`: the token of a server, allowed in the browser or pasted, kept on this machine."""

from __future__ import annotations

import getpass
import platform
import sys
import time
import webbrowser
from typing import Annotated, Any

import typer

from calotype.api.remote import tokens
from calotype.api.remote.connection import Connection, SignInNeeded, normal_address
from calotype.foundation.errors import External
from calotype.foundation.terminal import Terminal, terminal

Address = Annotated[
    str, typer.Argument(metavar="URL", help="Address of the server, https://NAME.", show_default=False)
]


class LoginTookTooLong(External):
    """Nobody answered in the browser."""

    code = "login-took-too-long"
    what = "nobody allowed the sign-in at {server} in time"
    fix = "run `calotype login {server}` again, or pass a token with --token"


def login(
    ctx: typer.Context,
    url: Address,
    scope: Annotated[
        str, typer.Option(help="What the token is for: read, write, release, audit, separated by commas.")
    ] = "read,write,release",
    token: Annotated[
        bool, typer.Option("--token", help="Ask for an API token that was made on the page Account.")
    ] = False,
    open_browser: Annotated[
        bool, typer.Option("--open/--no-open", help="Open the page in the browser of this machine.")
    ] = True,
) -> None:
    """Sign in to a server: allow it in the browser, or paste a token."""
    t = terminal(ctx)
    server = normal_address(url)
    secret = _pasted() if token else _allowed(t, server, scope, open_browser=open_browser)
    connection = Connection(server, secret)
    try:
        session = connection.get("/session")
    finally:
        connection.close()
    kept = tokens.keep(server, secret)
    who = str(session["actor"]["name"])
    t.emit(
        {"server": server, "who": who, "kept": kept},
        f"signed in to {server} as {who}; the token is in {kept}",
        next=f"calotype -w {server} dataset list",
    )


def logout(ctx: typer.Context, url: Address) -> None:
    """Forget the token of a server, and revoke it there."""
    t = terminal(ctx)
    server = normal_address(url)
    revoked = _revoked(server, tokens.read(server))
    had = tokens.forget(server)
    shown = f"signed out of {server}" if had else f"this machine had no token of {server}"
    t.emit({"server": server, "had_token": had, "revoked": revoked}, shown)


def _revoked(server: str, secret: str) -> bool:
    """Whether the server revoked the token; one that does not answer keeps it until its end."""
    if not secret:
        return False
    connection = Connection(server, secret)
    try:
        for item in connection.get("/tokens")["items"]:
            if secret.startswith(item["prefix"]):
                connection.delete(f"/tokens/{item['id']}")
                return True
    except (External, SignInNeeded):
        return False
    finally:
        connection.close()
    return False


def _pasted() -> str:
    if sys.stdin.isatty():
        return getpass.getpass("API token: ").strip()
    return sys.stdin.readline().strip()


def _allowed(t: Terminal, server: str, scope: str, *, open_browser: bool) -> str:
    """Ask the server, and wait until a person answers. Raises: DeviceSignInRefused, LoginTookTooLong."""
    connection = Connection(server)
    try:
        scopes = [one.strip() for one in scope.split(",") if one.strip()]
        begun: Any = connection.post("/device-sign-ins", {"device": _this_machine(), "scopes": scopes})
        page = f"{server}/device?code={begun['user_code']}"
        t.say(f"Open {page}\nand compare the code: {begun['user_code']}")
        if open_browser:
            webbrowser.open(page)
        deadline = time.monotonic() + 600
        while time.monotonic() < deadline:
            answer: Any = connection.post("/device-sign-ins/token", {"device_code": begun["device_code"]})
            if answer["token"]:
                return str(answer["token"])
            time.sleep(float(begun["every_s"]))
    finally:
        connection.close()
    raise LoginTookTooLong(server=server)


def _this_machine() -> str:
    """How a person knows this program in the browser."""
    return f"calotype of {getpass.getuser()} on {platform.node() or 'a machine'}"[:100]
