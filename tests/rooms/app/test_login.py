"""`calotype login` and `logout` against a team server, and TLS."""

from __future__ import annotations

import datetime
import ipaddress
import json
import os
import stat
import sys
import threading

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.support.remote import serving_store, token_of

import calotype as ct
from calotype.api.remote import tokens as kept
from calotype.app import serving, workspaces
from calotype.app.cli import main
from calotype.foundation.actor import ACCOUNT
from calotype.people import device_sign_in, tokens
from calotype.people import service as people

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    """Tokens and images of no other test."""
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.delenv("CALOTYPE_API_TOKEN", raising=False)


@pytest.fixture
def store(tmp_path):
    """A workspace under the rules of `govern`."""
    opened = workspaces.create(ct.Actor.local(), tmp_path / "ws")
    yield opened
    opened.close()


@pytest.fixture
def url(store):
    """Its team server."""
    with serving_store(store, accounts=True) as address:
        yield address


def call(capsys, *words):
    """Exit code and JSON answer of a command."""
    with pytest.raises(SystemExit) as ended:
        main([*words, "--json"])
    out = capsys.readouterr().out.strip()
    return int(ended.value.code or 0), json.loads(out.splitlines()[-1]) if out else None


def test_a_person_lets_the_command_line_in(capsys, store, url, monkeypatch):
    local = ct.Actor.local()
    person, _ = people.add_person(local, "bo@example.org", "Bo", store=store, role="owner")
    bo = ct.Actor(f"{ACCOUNT}{person.id}", person.email)
    opened: list[str] = []

    def browser(page: str) -> bool:
        opened.append(page)
        code = page.rpartition("=")[2]
        threading.Timer(0.1, lambda: device_sign_in.answer_device(bo, code, allow=True, store=store)).start()
        return True

    monkeypatch.setattr("webbrowser.open", browser)
    monkeypatch.setattr(device_sign_in, "EVERY_S", 0)
    code, answer = call(capsys, "login", url)
    assert (code, answer["who"]) == (0, "bo@example.org")
    assert opened[0].startswith(f"{url}/device?code=")
    file = kept._file()
    assert stat.S_IMODE(os.stat(file).st_mode) == 0o600
    assert call(capsys, "-w", url, "dataset", "create", "shop")[0] == 0
    with ct.open(url) as ws:
        assert ws.datasets() == ["shop"]
    assert call(capsys, "logout", url)[1] == {"server": url, "had_token": True, "revoked": True}
    assert tokens.tokens(bo, store=store) == []
    assert call(capsys, "-w", url, "dataset", "list")[1]["error"]["code"] == "sign-in-needed"


def test_a_token_can_be_pasted(capsys, store, url, monkeypatch):
    token = token_of(store, "ci@x.org", "ml-engineer")
    monkeypatch.setattr(sys, "stdin", __import__("io").StringIO(token + "\n"))
    assert call(capsys, "login", url, "--token")[1]["who"] == "ci@x.org"
    assert call(capsys, "-w", url, "dataset", "list") == (0, {"items": []})


def test_a_wrong_token_is_not_kept(capsys, url, monkeypatch):
    monkeypatch.setattr(sys, "stdin", __import__("io").StringIO("wrong\n"))
    assert call(capsys, "login", url, "--token")[1]["error"]["code"] == "sign-in-needed"
    assert kept.read(url) == ""


def test_tokens_that_others_can_read_are_refused(url):
    kept.keep(url, "secret")
    os.chmod(kept._file(), 0o644)
    with pytest.raises(kept.TokenFileOpen):
        kept.read(url)


def certificate(folder):
    """A certificate of this machine that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "cert.pem").write_bytes(built.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(private)
    return folder / "cert.pem", folder / "key.pem"


def test_the_server_speaks_tls_and_clients_check_it(store, tmp_path, monkeypatch):
    tls = certificate(tmp_path)
    token = token_of(store, "ci@x.org", "owner")
    with serving_store(store, accounts=True, reached=serving.Reached(tls=tls)) as url:
        assert url.startswith("https://")
        with pytest.raises(ct.CalotypeError) as unknown:
            ct.open(url, token=token)
        assert unknown.value.code == "server-unreachable"
        monkeypatch.setenv("SSL_CERT_FILE", str(tls[0]))
        with ct.open(url, token=token) as ws:
            assert ws.datasets() == []


@pytest.mark.parametrize("pair", [("cert", None), (None, "key"), ("cert", "cert"), ("missing", "key")])
def test_half_a_certificate_is_refused(tmp_path, pair):
    certificate(tmp_path)
    paths = [None if name is None else tmp_path / f"{name}.pem" for name in pair]
    with pytest.raises(serving.TlsInvalid):
        serving.tls_of(*paths)


def test_forwarded_addresses_count_only_from_named_proxies(store):
    from calotype.api.remote.connection import Connection

    def asked_from(url: str) -> str:
        client = Connection(url)
        client._http().headers["x-forwarded-for"] = "203.0.113.9"
        begun = client.post("/device-sign-ins", {"device": "x", "scopes": ["read"]})
        client.close()
        bo = ct.Actor(f"{ACCOUNT}{person.id}", person.email)
        return device_sign_in.show_device(bo, begun["user_code"], store=store).address

    person, _ = people.add_person(ct.Actor.local(), "bo@example.org", "Bo", store=store, role="owner")
    with serving_store(store, accounts=True) as url:
        assert asked_from(url) == "127.0.0.1"
    with serving_store(store, accounts=True, reached=serving.Reached(proxies=("127.0.0.1",))) as url:
        assert asked_from(url) == "203.0.113.9"


@pytest.mark.parametrize("address", ["proxy.example.org", "*", "10.0.0.0/99", ""])
def test_proxies_are_named_by_address(address):
    with pytest.raises(serving.ProxyInvalid):
        serving.proxies_of([address])
