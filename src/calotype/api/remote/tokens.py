"""API tokens of servers on this machine: in the system's keyring, or in a file that only its owner can read.

The keyring is used where the package `keyring` is installed and has a store; `CALOTYPE_API_TOKEN` comes before both.
"""

from __future__ import annotations

import importlib
import json
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any

from calotype.foundation.errors import Invalid

VARIABLE = "CALOTYPE_API_TOKEN"
_SERVICE = "calotype"


class TokenFileOpen(Invalid):
    """Others can read the file with the tokens."""

    code = "token-file-open"
    what = "other users of this machine can read {path}, which holds API tokens"
    fix = "run `chmod 600 {path}`, then replace the tokens in it"


def read(server: str) -> str:
    """The token for a server; empty where none is known. Raises: TokenFileOpen."""
    given = os.environ.get(VARIABLE, "").strip()
    if given:
        return given
    keyring = _keyring()
    if keyring is not None:
        with suppress(Exception):  # a keyring that is locked, or whose service does not answer
            return str(keyring.get_password(_SERVICE, server) or "") or _in_file().get(server, "")
    return _in_file().get(server, "")


def keep(server: str, token: str) -> str:
    """Keep a token for a server; returns where, in words."""
    keyring = _keyring()
    if keyring is not None:
        with suppress(Exception):
            keyring.set_password(_SERVICE, server, token)
            return "the keyring of the system"
    _write({**_in_file(), server: token})
    return str(_file())


def forget(server: str) -> bool:
    """Remove the token of a server; returns whether there was one."""
    keyring, had = _keyring(), False
    if keyring is not None:
        with suppress(Exception):
            had = keyring.get_password(_SERVICE, server) is not None
            keyring.delete_password(_SERVICE, server)
    kept = _in_file()
    if server in kept:
        del kept[server]
        _write(kept)
        return True
    return had


def _file() -> Path:
    home = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(home) / "calotype" / "tokens.json"


def _in_file() -> dict[str, str]:
    """Raises: TokenFileOpen."""
    file = _file()
    try:
        mode = file.stat().st_mode
        text = file.read_text("utf-8")
    except FileNotFoundError:
        return {}
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise TokenFileOpen(path=str(file))
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return {str(name): str(token) for name, token in value.items()} if isinstance(value, dict) else {}


def _write(tokens: dict[str, str]) -> None:
    file = _file()
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    new = file.with_name(f"{file.name}.{os.getpid()}")
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
        json.dump(tokens, out, indent=1)
    os.replace(new, file)


def _keyring() -> Any:
    """The package `keyring`, if it is installed and has a store on this machine."""
    with suppress(Exception):  # not installed, or a system without one: the file is used
        keyring: Any = importlib.import_module("keyring")
        if keyring.get_keyring().priority > 0:
            return keyring
    return None
