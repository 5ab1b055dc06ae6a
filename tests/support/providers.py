"""Providers of identities that the tests start on this machine: two that others wrote, and one that answers wrongly."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx2 as httpx
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from fastapi.testclient import TestClient
from joserfc import jwt
from joserfc.jwk import RSAKey
from tests.support.servers import free_port

from calotype.app import server
from calotype.app.account_keys import AccountKeys
from calotype.app.oidc.provider import Provider
from calotype.app.oidc.settings import Settings
from calotype.people.identities import GroupRole
from calotype.store import Store

REPO = Path(__file__).resolve().parents[2]
NODE_PROVIDER = REPO / "web" / "node_modules" / "oidc-provider" / "lib" / "index.js"
API = "/api/v1"
CALLBACK = f"http://testserver{API}/oidc/callback"
TABLE = (GroupRole("labelling", "labelling-manager"), GroupRole("streets", "curator", "dataset:streets"))
CLIENT_ID = "calotype"
CLIENT_SECRET = "a secret of the client"
Claims = dict[str, Any]
BO = {"email": "bo@example.org", "email_verified": True, "name": "Bo Lind", "groups": ["labelling"]}


@dataclass
class MockProvider:
    """`oidc-provider-mock`: signs in whoever is named."""

    issuer: str

    def put(self, subject: str, claims: Claims) -> None:
        """Set what the provider says about a subject."""
        httpx.put(f"{self.issuer}/users/{subject}", json=claims).raise_for_status()

    def answer(self, url: str, subject: str) -> str:
        """Where the provider sends the browser of a subject back to."""
        answer = httpx.post(url, data={"sub": subject})
        assert answer.status_code == 302, answer.text
        return str(answer.headers["location"])


@contextmanager
def running_mock() -> Iterator[MockProvider]:
    """The provider in a process of its own."""
    port = free_port()
    command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        issuer = f"http://127.0.0.1:{port}"
        while True:
            try:
                httpx.get(f"{issuer}/jwks")
                break
            except httpx.TransportError:
                assert process.poll() is None
                time.sleep(0.05)
        yield MockProvider(issuer)
    finally:
        process.terminate()
        process.wait()


def node() -> str:
    """The program `node`; empty where it is absent."""
    return (shutil.which("node") or "") if NODE_PROVIDER.is_file() else ""


@dataclass
class NodeProvider:
    """`oidc-provider` of npm, which is certified: asks for name and consent in pages of its own."""

    issuer: str

    def answer(self, url: str, subject: str) -> str:
        """Where the provider sends the browser of a subject back to."""
        with httpx.Client() as browser:
            answer = browser.get(url)
            for _ in range(12):
                location = urljoin(str(answer.url), answer.headers.get("location", ""))
                if answer.is_redirect and not location.startswith(self.issuer):
                    return location
                if answer.is_redirect:
                    answer = browser.get(location)
                else:
                    prompt = re.search(r'name="prompt" value="(\w+)"', answer.text)
                    assert prompt is not None, answer.text
                    form = {"prompt": prompt.group(1), "login": subject, "password": "any"}
                    answer = browser.post(str(answer.url), data=form)
        raise AssertionError("the provider never sent the browser back")


@contextmanager
def running_node(redirect: str, accounts: dict[str, Claims]) -> Iterator[NodeProvider]:
    """The provider in a process of its own."""
    settings = {"module": str(NODE_PROVIDER), "redirect": redirect, "accounts": accounts}
    script = Path(__file__).with_name("oidc_provider.mjs")
    with subprocess.Popen(
        [node(), str(script), json.dumps(settings)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            issuer = process.stdout.readline().strip()
            while issuer and not issuer.startswith("http"):
                issuer = process.stdout.readline().strip()
            assert issuer
            yield NodeProvider(issuer)
        finally:
            process.terminate()


@dataclass
class HostileProvider:
    """A provider that answers as a test wants: each part of an answer can be replaced."""

    key: RSAKey
    issuer: str = ""
    claims: Claims = field(default_factory=dict)
    change: Callable[[Claims], None] = lambda claims: None
    sign: Callable[[HostileProvider, Claims], str] | None = None
    metadata: Claims = field(default_factory=dict)
    raw: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    codes: dict[str, tuple[str, str]] = field(default_factory=dict)

    def answer(self, url: str, subject: str) -> str:
        """Give a code, and where the browser is sent back to."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        assert (query["response_type"], query["code_challenge_method"]) == ("code", "S256")
        code = f"code-{len(self.codes)}-{subject}"
        self.codes[code] = (query["nonce"], query["code_challenge"])
        return f"{query['redirect_uri']}?code={code}&state={query['state']}"

    def token(self, form: dict[str, str]) -> tuple[int, Claims]:
        """The answer of the token endpoint; each code is good once, for whoever has its verifier."""
        nonce, challenge = self.codes.pop(form.get("code", ""), ("", ""))
        if not challenge or create_s256_code_challenge(form.get("code_verifier", "")) != challenge:
            return 400, {"error": "invalid_grant"}
        subject = form["code"].rpartition("-")[2]
        now = int(time.time())
        claims: Claims = {"iss": self.issuer, "aud": CLIENT_ID, "sub": subject, "nonce": nonce}
        claims |= {"iat": now, "exp": now + 300, **self.claims}
        self.change(claims)
        signed = (
            self.sign(self, claims)
            if self.sign
            else jwt.encode({"alg": "RS256", "kid": self.key.kid}, claims, self.key)
        )
        return 200, {"access_token": "access", "token_type": "Bearer", "id_token": signed}

    def described(self) -> Claims:
        """What the provider says about itself."""
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            **self.metadata,
        }


@contextmanager
def running_hostile(key: RSAKey) -> Iterator[HostileProvider]:
    """The provider in threads of this process."""
    provider = HostileProvider(key)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.startswith("/.well-known"):
                self._say(200, provider.described())
            else:
                self._say(200, {"keys": [provider.key.as_dict(private=False)]})

        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers["content-length"])).decode()
            self._say(*provider.token({name: values[0] for name, values in parse_qs(text).items()}))

        def _say(self, status: int, body: Claims) -> None:
            provider.asked.append(self.path)
            status, headers, content = provider.raw.get(self.path, (status, {}, json.dumps(body).encode()))
            self.send_response(status)
            for name, value in {"content-length": str(len(content)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_arguments: Any) -> None:
            """Write nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.issuer = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def signed_with_public_key(provider: HostileProvider, claims: Claims) -> str:
    """HS256, with the public key of the provider as the secret (CVE-2022-29217, CVE-2024-37568)."""
    return forged(claims, "HS256", provider.key.as_pem(private=False))


def forged(claims: Claims, algorithm: str, secret: bytes) -> str:
    """A token written without any library's care."""

    def part(value: bytes) -> str:
        return base64.urlsafe_b64encode(value).rstrip(b"=").decode()

    head = part(json.dumps({"alg": algorithm, "kid": "k1", "typ": "JWT"}).encode())
    body = f"{head}.{part(json.dumps(claims).encode())}"
    digest = hmac.digest(secret, body.encode(), hashlib.sha256) if secret else b""
    return f"{body}.{part(digest)}"


def ask_the_routes_of_a_provider(workspace: Store, watch: Callable[[TestClient], Any]) -> None:
    """The routes of a sign-in through a provider, in a browser that is watched."""
    with running_hostile(RSAKey.generate_key(2048)) as provider:
        settings = Settings(provider.issuer, CLIENT_ID, "Example")
        keys = AccountKeys(workspace, 80, provider=Provider(settings, CALLBACK))
        app = server.make(workspace, keys, hosts={"testserver"})
        with TestClient(app, follow_redirects=False) as browser:
            watch(browser)
            assert browser.get(f"{API}/health").json()["provider"] == "Example"
            assert browser.get(f"{API}/oidc/start").headers["location"].startswith(provider.issuer)
            assert browser.get(f"{API}/oidc/callback?code=x").headers["location"] == "/?refused=state"
