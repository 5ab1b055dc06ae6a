"""What the house tests read: the tracked files, the source trees and our own scripts."""

from __future__ import annotations

import ast
import importlib.util
import subprocess
import sys
from functools import cache
from pathlib import Path
from types import ModuleType

REPO = Path(__file__).resolve().parents[2]
SRC = REPO / "src" / "calotype"


def tracked() -> list[Path]:
    """Files that git tracks and that are there; without git (an unpacked sdist) the source and test files."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=REPO, capture_output=True, check=False)
    if done.returncode:
        return sorted(path for top in ("src", "tests") for path in (REPO / top).rglob("*.py"))
    names = done.stdout.decode().split("\0")
    return sorted(path for path in (REPO / name for name in names if name) if path.is_file())


def sources() -> list[Path]:
    """Our Python files in the package."""
    return sorted(SRC.rglob("*.py"))


@cache
def tree_of(path: Path) -> ast.Module:
    """A Python file, parsed once in each process; only to be read."""
    return ast.parse(path.read_text("utf-8"))


def name_of(path: Path) -> str:
    """A file's name as shown in a message."""
    return path.relative_to(REPO).as_posix()


def script(name: str) -> ModuleType:
    """A file of `scripts/` (or `hatch_build`) as a module."""
    path = REPO / f"{name}.py" if name == "hatch_build" else REPO / "scripts" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"house_{name}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
