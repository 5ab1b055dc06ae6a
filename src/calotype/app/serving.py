"""`calotype serve`: the workspace in the browser."""

from __future__ import annotations

import errno
import os
import socket
import webbrowser
from contextlib import ExitStack
from typing import Annotated, Any

import typer
import uvicorn

from calotype.app import connections, server
from calotype.app.sessions import LOOPBACK, AccessKeys
from calotype.foundation.errors import Conflict, Invalid
from calotype.foundation.terminal import Terminal, terminal
from calotype.store import Store
from calotype.store.tables.memory import share_freed_memory


class PortTaken(Conflict):
    """The port is in use."""

    code = "port-taken"
    what = "cannot listen on {host}:{port}: {detail}"
    fix = "choose another port with --port, or 0 for any free one"


class HostNotUsable(Invalid):
    """The host is not an address of this machine."""

    code = "host-not-usable"
    what = "cannot listen on the host {host!r}: {detail}"
    fix = "pass --host with an address of this machine, such as 127.0.0.1, or 0.0.0.0 for all of them"


class PortNotUsable(Invalid):
    """This user may not listen on the port, or there is no such port."""

    code = "port-not-usable"
    what = "cannot listen on port {port}: {detail}"
    fix = "choose a port from 1024 to 65535 with --port, or 0 for any free one"


class TokenNeeded(Invalid):
    """A server without a token that other machines can reach."""

    code = "token-needed"
    what = "--no-token would give everyone who can reach {host} access to the workspace"
    fix = "omit --no-token, or listen on 127.0.0.1"


def serve(
    ctx: typer.Context,
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="Port to listen on; 0 picks a free one.")
    ] = 8_080,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    no_token: Annotated[bool, typer.Option("--no-token", help="Serve without a token.")] = False,
    open_browser: Annotated[
        bool, typer.Option("--open/--no-open", help="Open the app in the browser.")
    ] = False,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Write nothing: requests that would change data are refused.")
    ] = False,
) -> None:
    """Serve the web app and the API of the workspace. The link contains a secret token."""
    t = terminal(ctx)
    if read_only:
        t.store().catalog.read_only = "the server was started with --read-only"
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
    """Serve until interrupted. Raises: HostNotUsable, PortNotUsable, PortTaken, TokenNeeded."""
    if not with_token and host not in LOOPBACK:
        raise TokenNeeded(host=host)
    token = (os.environ.get("CALOTYPE_TOKEN") or server.new_token()) if with_token else None
    listening = _listen(host, port)
    port = listening.getsockname()[1]
    shown_host = f"[{host}]" if ":" in host else host
    url = f"http://{shown_host}:{port}/"
    link = f"{url}?token={token}" if token else url
    app = server.make(store, AccessKeys(token, port), hosts=LOOPBACK if host in LOOPBACK else ())
    t.emit(
        {"url": url, "token": token, "link": link}, f"Calotype serves {store.root.name} at\n\n    {link}\n"
    )
    t.out.file.flush()
    if store.catalog.read_only:
        t.say(f"Nothing can be changed: {store.catalog.read_only}.")
    t.say("Press Ctrl+C to stop.")
    if open_browser:
        webbrowser.open(link)
    share_freed_memory()
    with listening:
        connections.Server(server_config(app)).run(sockets=[listening])


def server_config(app: Any) -> uvicorn.Config:
    """How the app is served: our own connections, no web sockets, no log of requests."""
    return uvicorn.Config(
        app,
        http=connections.Connection,
        ws="none",
        h11_max_incomplete_event_size=connections.MAX_HEAD_BYTES,
        log_level="warning",
        access_log=False,
        server_header=False,
    )


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises: HostNotUsable, PortNotUsable, PortTaken."""
    if not 0 <= port <= 65_535:
        raise PortNotUsable(port=port, detail="there is no such port")
    with ExitStack() as stack:
        try:
            family, kind, proto, _, address = _resolved(host, port)
            listening = stack.enter_context(socket.socket(family, kind, proto))
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
            listening.listen(1024)  # requests that arrive before the server is ready wait instead of failing
        except OSError as error:
            detail = error.strerror or str(error)
            if error.errno in _NOT_OURS:
                raise HostNotUsable(host=host, detail=detail) from None
            if error.errno in (errno.EACCES, errno.EPERM):
                raise PortNotUsable(port=port, detail=detail) from None
            raise PortTaken(host=host, port=port, detail=detail) from None
        stack.pop_all()
    return listening


def _resolved(host: str, port: int) -> Any:
    """The first address of a host. Raises: HostNotUsable."""
    try:
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, ValueError) as error:  # a name that is too long or has empty parts is a ValueError
        detail = error.strerror if isinstance(error, OSError) and error.strerror else "it is not a host name"
        raise HostNotUsable(host=host[:120], detail=detail) from None


_NOT_OURS = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EINVAL)
