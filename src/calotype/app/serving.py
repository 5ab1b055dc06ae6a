"""`calotype serve`: the workspace in the browser."""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
import ssl
import webbrowser
from collections.abc import Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

import typer
import uvicorn

from calotype.app import audit_copies, connections, server
from calotype.app.account_keys import AccountKeys
from calotype.app.limits import AT_ONCE
from calotype.app.observing import write_line
from calotype.app.oidc.provider import Provider
from calotype.app.oidc.settings import read_settings
from calotype.app.serve_options import (
    Accounts,
    AuditCopies,
    AuditCopyHours,
    Host,
    Log,
    NoToken,
    OidcFile,
    OpenBrowser,
    PlainHttpOption,
    Port,
    Proxies,
    PublicUrl,
    ReadOnly,
    RequestsAtOnce,
    TlsCert,
    TlsKey,
)
from calotype.app.sessions import LOOPBACK, AccessKeys
from calotype.foundation.errors import Conflict, Invalid
from calotype.foundation.terminal import Terminal, terminal
from calotype.foundation.verbs import OnlyWhereTheDataIs
from calotype.people import invitations
from calotype.store import Store
from calotype.store.tables.memory import share_freed_memory

MIN_TOKEN_CHARS = 16


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


class PublicUrlInvalid(Invalid):
    """The public address of the server is not an address of the web."""

    code = "public-url-invalid"
    what = "{got!r} cannot be the public address of the server"
    fix = "write it as https://calotype.example.org, without a path"


class PlainHttp(Invalid):
    """Passwords would cross the network in the clear."""

    code = "plain-http"
    what = "people on other machines would send their passwords to {host} without encryption"
    fix = "put a proxy with TLS in front and pass --public-url https://NAME, or trust the network with --plain-http"


class TokenWeak(Invalid):
    """The token in the environment can be guessed."""

    code = "token-weak"
    what = (
        "the token in CALOTYPE_TOKEN can be guessed: it has fewer than {limit} characters, or repeats a few"
    )
    fix = "unset CALOTYPE_TOKEN to get a random token, or set one of 20 random characters or more"


class TokenNeeded(Invalid):
    """A server without a token that other machines can reach."""

    code = "token-needed"
    what = "--no-token would give everyone who can reach {host} access to the workspace"
    fix = "omit --no-token, or listen on 127.0.0.1"


class TlsInvalid(Invalid):
    """The certificate or its key cannot be used."""

    code = "tls-invalid"
    what = "the certificate {certificate} cannot be used: {detail}"
    fix = "pass --tls-cert with the certificate and its chain, and --tls-key with its key, both as PEM"


class ProxyInvalid(Invalid):
    """A proxy is named by its address."""

    code = "proxy-invalid"
    what = "{got!r} is not the address of a proxy"
    fix = "name it as 10.0.0.7 or 10.0.0.0/24"


@dataclass(frozen=True, slots=True)
class Reached:
    """How people reach the server.

    Args:
        public_url: The address that they open.
        plain_http: Whether a network without encryption is trusted.
        tls: Certificate and key.
        proxies: Addresses of proxies whose forwarded headers name the real client.
        oidc: Settings of a provider that people sign in with.
        at_once: Requests of one person that are answered at once.
        audit_copies: Where signed checkpoints of the audit trail are written, and the hours between two of them.
    """

    public_url: str = ""
    plain_http: bool = False
    tls: tuple[Path, Path] | None = None
    proxies: tuple[str, ...] = ()
    oidc: Path | None = None
    at_once: int = AT_ONCE
    audit_copies: tuple[str, float] = ("", 24.0)


def serve(
    ctx: typer.Context,
    port: Port = 8_080,
    host: Host = "127.0.0.1",
    no_token: NoToken = False,
    open_browser: OpenBrowser = False,
    read_only: ReadOnly = False,
    accounts: Accounts = False,
    public_url: PublicUrl = "",
    plain_http: PlainHttpOption = False,
    tls_cert: TlsCert = None,
    tls_key: TlsKey = None,
    proxy: Proxies = None,
    oidc: OidcFile = None,
    at_once: RequestsAtOnce = AT_ONCE,
    audit_copies: AuditCopies = "",
    audit_copy_hours: AuditCopyHours = 24.0,
    log: Log = False,
) -> None:
    """Serve the web app and the API of the workspace. The link contains a secret token."""
    t = terminal(ctx)
    if "://" in t.workspace:
        raise OnlyWhereTheDataIs(verb="calotype serve", why="the workspace is served already")
    tls, proxies = tls_of(tls_cert, tls_key), proxies_of(proxy or ())
    reached = Reached(public_url, plain_http, tls, proxies, oidc, at_once, (audit_copies, audit_copy_hours))
    if read_only:
        t.store().catalog.read_only = "the server was started with --read-only"
    if accounts:
        serve_team(t, t.store(), port=port, host=host, reached=reached, log=log)
    else:
        options = {"with_token": not no_token, "open_browser": open_browser, "log": log}
        serve_store(t, t.store(), port=port, host=host, reached=reached, **options)


def tls_of(certificate: Path | None, key: Path | None) -> tuple[Path, Path] | None:
    """Certificate and key, which are tried at once. Raises: TlsInvalid."""
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise TlsInvalid(certificate=certificate or "", detail="certificate and key belong together")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        detail = error.strerror or str(error) or type(error).__name__
        raise TlsInvalid(certificate=certificate, detail=detail) from None
    return certificate, key


def proxies_of(addresses: Sequence[str]) -> tuple[str, ...]:
    """Addresses of proxies. Raises: ProxyInvalid."""
    for address in addresses:
        try:
            ipaddress.ip_network(address, strict=False)
        except ValueError:
            raise ProxyInvalid(got=address[:100]) from None
    return tuple(addresses)


def serve_store(
    t: Terminal,
    store: Store,
    *,
    port: int,
    host: str = "127.0.0.1",
    reached: Reached = Reached(),
    with_token: bool = True,
    open_browser: bool = False,
    log: bool = False,
) -> None:
    """Serve until interrupted. Raises: HostNotUsable, PortNotUsable, PortTaken, TokenNeeded, TokenWeak."""
    if not with_token and host not in LOOPBACK:
        raise TokenNeeded(host=host)
    token = _token() if with_token else None
    listening = _listen(host, port)
    port, url = _address(listening, host, "https" if reached.tls else "http")
    link = f"{url}?token={token}" if token else url
    app = server.make(
        store,
        AccessKeys(token, port),
        hosts=LOOPBACK if host in LOOPBACK else (),
        log=write_line if log else None,
    )
    t.emit(
        {"url": url, "token": token, "link": link}, f"Calotype serves {store.root.name} at\n\n    {link}\n"
    )
    _run(t, store, app, listening, reached, open_browser=link if open_browser else "")


def serve_team(
    t: Terminal,
    store: Store,
    *,
    port: int,
    host: str = "127.0.0.1",
    reached: Reached = Reached(),
    log: bool = False,
) -> None:
    """Serve with accounts until interrupted; while there is no owner, the start prints a link to become one.

    Raises: HostNotUsable, PortNotUsable, PortTaken, PublicUrlInvalid, PlainHttp, OidcSettingsInvalid.
    """
    public = _public(reached.public_url)
    is_https = reached.tls is not None or (public is not None and public.scheme == "https")
    if host not in LOOPBACK and not reached.plain_http and not is_https:
        raise PlainHttp(host=host)
    listening = _listen(host, port)
    port, url = _address(listening, host, "https" if reached.tls else "http")
    hosts: frozenset[str] = LOOPBACK if host in LOOPBACK else frozenset()
    if public is not None:
        url = f"{public.scheme}://{public.netloc}/"
        hosts = LOOPBACK | {str(public.hostname)}
    oidc = reached.oidc
    provider = None if oidc is None else Provider(read_settings(oidc), f"{url}api/v1/oidc/callback")
    keys = AccountKeys(store, port, is_https, provider)
    app = server.make(store, keys, hosts=hosts, log=write_line if log else None, at_once=reached.at_once)
    place, hours = reached.audit_copies
    copying = partial(audit_copies.copying, every_s=hours * 3_600, report=write_line)
    with copying(store, place) if place else nullcontext():
        _welcome(t, store, url)
        _run(t, store, app, listening, reached)


def _welcome(t: Terminal, store: Store, url: str) -> None:
    """Print the address, and the link of the first owner while there is no owner."""
    secret = None if store.catalog.read_only else invitations.first_owner_secret(store)
    link = f"{url}invite#{secret}" if secret else None
    shown = f"Calotype serves {store.root.name} to its people at\n\n    {url}\n"
    if link:
        shown += f"\nBecome its first owner with this link, once, within a day:\n\n    {link}\n"
    t.emit({"url": url, "token": None, "link": link or url, "first_owner": link}, shown)
    t.say(
        "Whoever can write in the folder of the workspace can change everything: accounts guard this server only."
    )


def _public(url: str) -> SplitResult | None:
    """Raises: PublicUrlInvalid."""
    if not url:
        return None
    try:
        parts = urlsplit(url)
        is_plain = (
            parts.path in ("", "/") and not parts.query and not parts.fragment and "@" not in parts.netloc
        )
        if parts.scheme in ("http", "https") and parts.hostname and is_plain and parts.port != 0:
            return parts
    except ValueError:
        pass  # a port that is not a number
    raise PublicUrlInvalid(got=url[:200])


def _token() -> str:
    """The token of the link: that of the environment, or a random one. Raises: TokenWeak."""
    token = os.environ.get("CALOTYPE_TOKEN", "")
    if token and (len(token) < MIN_TOKEN_CHARS or len(set(token)) < MIN_TOKEN_CHARS // 2):
        raise TokenWeak(limit=MIN_TOKEN_CHARS)
    return token or server.new_token()


def _address(listening: socket.socket, host: str, scheme: str) -> tuple[int, str]:
    """The port that is listened on, and the address as shown."""
    port = int(listening.getsockname()[1])
    return port, f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}/"


def _run(
    t: Terminal, store: Store, app: Any, listening: socket.socket, reached: Reached, *, open_browser: str = ""
) -> None:
    t.out.file.flush()
    if store.catalog.read_only:
        t.say(f"Nothing can be changed: {store.catalog.read_only}.")
    t.say("Press Ctrl+C to stop.")
    if open_browser:
        webbrowser.open(open_browser)
    share_freed_memory()
    with listening:
        connections.Server(server_config(app, reached)).run(sockets=[listening])


def server_config(app: Any, reached: Reached = Reached()) -> uvicorn.Config:
    """How the app is served: our own connections, no web sockets, no log of requests."""
    certificate, key = reached.tls or (None, None)
    return uvicorn.Config(
        app,
        http=connections.Connection,
        ws="none",
        h11_max_incomplete_event_size=connections.MAX_HEAD_BYTES,
        log_level="warning",
        access_log=False,
        server_header=False,
        ssl_certfile=certificate,
        ssl_keyfile=key,
        proxy_headers=bool(reached.proxies),  # else anybody could claim to be another machine
        forwarded_allow_ips=list(reached.proxies),
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
