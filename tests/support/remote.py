"""A server in a thread of this process, for clients of remote workspaces; a wire that breaks; people with tokens."""

from __future__ import annotations

import random
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from calotype.app import connections, server, serving
from calotype.app.account_keys import AccountKeys
from calotype.app.sessions import AccessKeys
from calotype.foundation.actor import Actor
from calotype.people import service as people
from calotype.people import tokens
from calotype.store import Store

DIRECTLY = serving.Reached()
TOKEN = "a-token-of-the-tests"


@contextmanager
def serving_store(
    store: Store, *, accounts: bool = False, reached: serving.Reached = DIRECTLY
) -> Iterator[str]:
    """The address of a server of an open workspace; without accounts, `TOKEN` lets in."""
    listening = serving._listen("127.0.0.1", 0)
    port = int(listening.getsockname()[1])
    keys: Any = AccountKeys(store, port) if accounts else AccessKeys(TOKEN, port)
    running = connections.Server(serving.server_config(server.make(store, keys), reached))
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    while not running.started:
        time.sleep(0.01)
    try:
        yield f"{'https' if reached.tls else 'http'}://127.0.0.1:{port}"
    finally:
        running.should_exit = True
        thread.join(60)
        listening.close()


def token_of(
    store: Store, email: str, role: str, *, on: str = "workspace", scopes: tuple[str, ...] = ("read",)
) -> str:
    """A service account with a role, and a token of it."""
    local = Actor("local:test", "test")
    people.add_person(local, email, email.partition("@")[0], store=store, kind="service")
    people.grant_role(local, email, role, store=store, on=on)
    return tokens.create_token(local, email, store=store, scopes=scopes, for_email=email)[1]


@dataclass
class Wire:
    """Passes bytes on to a server, and breaks connections to it after some bytes.

    Args:
        cuts: After how many bytes from a client each of the next connections breaks; later ones hold.
    """

    target: str
    cuts: list[int] = field(default_factory=list)
    n_broken: int = 0

    @contextmanager
    def open(self) -> Iterator[str]:
        """The address to use."""
        listening = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, args=(listening,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            listening.close()

    def _accept(self, listening: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = listening.accept()
                threading.Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def _pass_on(self, client: socket.socket) -> None:
        parts = urlsplit(self.target)
        with socket.create_connection((str(parts.hostname), int(parts.port or 80))) as upstream, client:
            threading.Thread(target=self._copy, args=(upstream, client), daemon=True).start()
            left = self.cuts.pop(0) if self.cuts else None
            with suppress(OSError):
                while data := client.recv(65_536):
                    if left is not None and len(data) > left:
                        upstream.sendall(data[:left])
                        self.n_broken += 1
                        return
                    upstream.sendall(data)
                    left = None if left is None else left - len(data)

    def _copy(self, upstream: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while data := upstream.recv(65_536):
                client.sendall(data)
            client.shutdown(socket.SHUT_WR)


def random_cuts(n: int, most: int, seed: int) -> list[int]:
    """Where connections break."""
    rng = random.Random(seed)
    return [rng.randrange(most) for _ in range(n)]
