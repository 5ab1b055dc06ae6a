"""The file of `--oidc`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.providers import CLIENT_SECRET, TABLE

from calotype.app.oidc.settings import OidcSettingsInvalid, read_settings

FILE = """
issuer = "https://login.example.org/realms/vision"
client_id = "calotype"
name = "Example"
client_secret_file = "secret"
also = ["https://keys.example.org"]
[[groups]]
group = "labelling"
role = "labelling-manager"
[[groups]]
group = "streets"
role = "curator"
on = "dataset:streets"
"""


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str], Path]:
    """A function that writes settings beside a secret."""
    secret = tmp_path / "secret"
    secret.write_text(f"{CLIENT_SECRET}\n")
    secret.chmod(0o600)

    def write(text: str) -> Path:
        path = tmp_path / "oidc.toml"
        path.write_text(text)
        path.chmod(0o600)
        return path

    return write


def test_settings_come_from_a_file_and_their_secret_from_another_or_the_environment(written, monkeypatch):
    settings = read_settings(written(FILE))
    assert (settings.client_secret, settings.groups) == (CLIENT_SECRET, TABLE)
    assert settings.origins == {"https://login.example.org:443", "https://keys.example.org:443"}
    assert CLIENT_SECRET not in repr(settings)
    monkeypatch.setenv("OF_THE_TEST", "another")
    text = FILE.replace('client_secret_file = "secret"', 'client_secret_env = "OF_THE_TEST"')
    assert replace(settings, client_secret="another") == read_settings(written(text))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("https://login", "http://login"),
        ('"calotype"', '""'),
        ('"calotype"', "1"),
        ("labelling-manager", "king"),
        ("dataset:streets", "streets"),
        ('name = "Example"', 'algorithms = ["HS256"]'),
        ('name = "Example"', 'algorithms = ["none"]'),
        ('name = "Example"', "algorithms = []"),
        ('name = "Example"', 'client_secret = "x"'),
        ('name = "Example"', 'scopes = "openid"'),
        ("https://keys", "http://keys"),
        ('group = "streets"', 'group = ""'),
        ('"secret"', '"absent"'),
        ("[[groups]]", "[[groups"),
    ],
)
def test_settings_that_would_let_the_wrong_people_in_are_refused(written, old, new):
    with pytest.raises(OidcSettingsInvalid) as caught:
        read_settings(written(FILE.replace(old, new)))
    assert CLIENT_SECRET not in str(caught.value)


@pytest.mark.parametrize(("name", "mode"), [("oidc.toml", 0o620), ("oidc.toml", 0o602), ("secret", 0o640)])
def test_files_that_others_of_this_machine_could_change_or_read_are_refused(written, name, mode):
    path = written(FILE)
    (path.parent / name).chmod(mode)
    with pytest.raises(OidcSettingsInvalid):
        read_settings(path)
