"""An environment for each peer, made by uv and kept beside the data; its package versions, told with the figures."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

from peers_table import Peer

ROOT = Path(__file__).resolve().parents[2]


class CannotInstall(Exception):
    """An environment that could not be made; the message is the installer's last words."""


def python_of(peer: Peer, folder: Path) -> Path:
    """The Python to run a peer with. Raises: CannotInstall."""
    if not peer.requirements:
        return Path(sys.executable)
    wanted = "\n".join((*peer.requirements, *peer.overrides))
    home = folder / f"{peer.name}-{hashlib.sha256(wanted.encode()).hexdigest()[:8]}"
    python = home / "bin" / "python"
    if (home / "ready").exists():
        return python
    shutil.rmtree(home, ignore_errors=True)
    home.parent.mkdir(parents=True, exist_ok=True)
    _call(folder, "uv", "venv", "--quiet", "--python", "3.11", str(home))
    words = ["uv", "pip", "install", "--quiet", "--python", str(python)]
    if peer.overrides:
        (home / "overrides.txt").write_text("\n".join(peer.overrides))
        words += ["--override", str(home / "overrides.txt")]
    _call(folder, *words, *peer.requirements)
    (home / "ready").touch()
    return python


def version_of(peer: Peer, python: Path) -> str:
    """The version of the peer's package in its environment; of the checkout's own, the one in `pyproject.toml`."""
    if peer.name == "plain":
        names = ["duckdb", "pyarrow", "numpy"]
        return ", ".join(f"{name} {_version(python, name)}" for name in names)
    return _version(python, peer.package)


def commit() -> str:
    """The commit of the checkout, with `+` when files differ from it."""
    words = ["git", "-C", str(ROOT)]
    head = subprocess.run(
        [*words, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, check=False
    )
    dirty = subprocess.run(
        [*words, "status", "--porcelain", "src"], capture_output=True, text=True, check=False
    )
    return head.stdout.strip() + ("+" if dirty.stdout.strip() else "") if head.returncode == 0 else "unknown"


def _version(python: Path, package: str) -> str:
    code = f"import importlib.metadata as m; print(m.version({package!r}))"
    found = subprocess.run([str(python), "-c", code], capture_output=True, text=True, check=False)
    return found.stdout.strip() or "unknown"


def _call(folder: Path, *words: str) -> None:
    """Run uv in a folder outside the checkout, whose own pins it would take into the peer's environment."""
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotInstall(re.sub(r"(https?:/)?(/[\w.@+~:-]+)+/?", "", " ".join(done.stderr.split()))[-300:])
