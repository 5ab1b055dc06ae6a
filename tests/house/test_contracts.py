"""The import contracts of `pyproject.toml` hold, and the public names are few and real."""

from __future__ import annotations

import subprocess
import sys

from tests.house.reading import REPO

import calotype

RUN = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"


def test_the_import_contracts_hold():
    done = subprocess.run([sys.executable, "-c", RUN], cwd=REPO, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


def test_every_public_name_exists_once():
    names = list(getattr(calotype, "__all__", []))
    assert len(names) == len(set(names))
    assert [name for name in names if not hasattr(calotype, name)] == []
