"""What a browser fetches before the app shows its first page stays small."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest
from tests.house.reading import REPO

STATIC = REPO / "src" / "calotype" / "app" / "static"
LOADED = re.compile(r"<(?:script|link)\b[^>]*?\b(?:src|href)=\"/([^\"]+)\"")
IMPORTED = re.compile(r"(?:\bfrom|\bimport)\s*[\"'](\./[^\"']+)[\"']")
MAX_BYTES = 350_000


def first_load(static: Path) -> dict[str, int]:
    """Name -> size in gzip of the page, the files that it names, and the modules that those import at once."""
    waiting = ["index.html", *LOADED.findall((static / "index.html").read_text("utf-8"))]
    sizes: dict[str, int] = {}
    while waiting:
        name = waiting.pop()
        if name in sizes:
            continue
        content = (static / name).read_bytes()
        sizes[name] = len(gzip.compress(content, 6))
        if name.endswith(".js"):
            near = Path(name).parent
            waiting += [(near / module).as_posix() for module in IMPORTED.findall(content.decode("utf-8"))]
    return sizes


@pytest.mark.skipif(not (STATIC / "index.html").is_file(), reason="the pages are not built here")
def test_the_first_load_is_under_350_kb():
    sizes = first_load(STATIC)
    assert any(name.endswith(".js") for name in sizes) and any(name.endswith(".css") for name in sizes)
    assert sum(sizes.values()) < MAX_BYTES, sizes


def test_modules_that_are_imported_at_once_count_and_others_do_not(tmp_path):
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text('<script type="module" src="/assets/a.js"></script>')
    (tmp_path / "assets" / "a.js").write_text(
        'import{x}from"./b.js";import"./c.js";const l=()=>import("./d.js")'
    )
    for name in "bcd":
        (tmp_path / "assets" / f"{name}.js").write_text("export const x = 1")
    assert sorted(first_load(tmp_path)) == ["assets/a.js", "assets/b.js", "assets/c.js", "index.html"]
