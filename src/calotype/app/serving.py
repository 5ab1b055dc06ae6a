"""`calotype serve`: the workspace in the browser."""

from __future__ import annotations

import os
import socket
import webbrowser
from typing import Annotated, Any

import typer
import uvicorn

from calotype.app import server
from calotype.app.sessions import LOOPBACK, Keys
from calotype.foundation.errors import Conflict, Invalid
from calotype.foundation.terminal import Terminal, terminal
from calotype.store import Store


class PortTaken(Conflict):
    """Another program listens there."""

    code = "port-taken"
    what = "cannot listen on {host}:{port}: {detail}"
    fix = "choose another port with --port, or 0 for any free one"


class TokenNeeded(Invalid):
    """No token, and reachable from other machines."""

    code = "token-needed"
    what = "--no-token would open the workspace to everybody who can reach {host}"
    fix = "leave --no-token out, or listen on 127.0.0.1"


def serve(
    ctx: typer.Context,
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="Where to listen; 0 takes a free port.")
    ] = 8_080,
    host: Annotated[str, typer.Option(help="Which address to listen on.")] = "127.0.0.1",
    no_token: Annotated[bool, typer.Option("--no-token", help="Let everybody on this machine in.")] = False,
    open_browser: Annotated[bool, typer.Option("--open/--no-open", help="Open the browser.")] = False,
) -> None:
    """Serve the workspace: the app and its API. The link holds a token; keep it to yourself."""
    t = terminal(ctx)
    serve_store(t, t.store(), port=port, host=host, with_token=not no_token, open_browser=open_browser)


def serve_store(
    t: Terminal,
    store: Store,
    *,
    port: int,
    host: str = "127.0.0.1",
    with_token: bool = True,
    open_browser: bool = False,
) -> None:
    """Serve until interrupted. Raises: PortTaken, TokenNeeded."""
    if not with_token and host not in LOOPBACK:
        raise TokenNeeded(host=host)
    token = (os.environ.get("CALOTYPE_TOKEN") or server.new_token()) if with_token else None
    listening = _listen(host, port)
    port = listening.getsockname()[1]
    shown_host = f"[{host}]" if ":" in host else host
    url = f"http://{shown_host}:{port}/"
    link = f"{url}?token={token}" if token else url
    app = server.make(store, Keys(token, port), hosts=LOOPBACK if host in LOOPBACK else ())
    t.emit(
        {"url": url, "token": token, "link": link}, f"Calotype serves {store.root.name} at\n\n    {link}\n"
    )
    t.out.file.flush()
    t.say("Ctrl+C ends it.")
    if open_browser:
        webbrowser.open(link)
    config: dict[str, Any] = {"log_level": "warning", "access_log": False, "server_header": False}
    with listening:
        uvicorn.Server(uvicorn.Config(app, **config)).run(sockets=[listening])


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, proto, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        made = socket.socket(family, kind, proto)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        made.listen(1024)  # whoever reads the link at once waits, and is not refused
    except OSError as error:
        raise PortTaken(host=host, port=port, detail=error.strerror or str(error)) from None
    return made
