"""Documents do not rot: generated pages are fresh, links lead somewhere, decision records are whole."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from tests.house.reading import REPO, name_of, tracked

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)(?: \"[^\"]*\")?\)")
CODE = re.compile(r"^```.*?^```|`[^`\n]*`", re.DOTALL | re.MULTILINE)
RECORDS = sorted((REPO / "docs" / "decisions").glob("[0-9]*.md"))
PARTS = ["## Context", "## Decision", "## Consequences", "## Not chosen", "## Enforced by"]


@pytest.mark.slow
def test_the_generated_reference_is_fresh():
    command = [sys.executable, str(REPO / "scripts" / "gen_docs.py"), "--check"]
    done = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", [p for p in tracked() if p.suffix == ".md"], ids=name_of)
def test_links_inside_the_repository_lead_somewhere(path):
    text = CODE.sub(" ", path.read_text("utf-8"))
    lost = []
    for target in LINK.findall(text):
        file, _, anchor = target.partition("#")
        if "://" in target or target.startswith("mailto:"):
            continue
        place = (path.parent / file).resolve() if file else path
        if not place.exists() or (
            anchor and place.suffix == ".md" and anchor not in _anchors(place.read_text("utf-8"))
        ):
            lost.append(target)
    assert lost == []


def _anchors(text: str) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_decision_records_are_numbered_without_gaps():
    assert [int(path.name[:4]) for path in RECORDS] == list(range(1, len(RECORDS) + 1))


@pytest.mark.parametrize("path", RECORDS, ids=name_of)
def test_a_decision_record_is_one_page_with_all_its_parts(path):
    lines = path.read_text("utf-8").splitlines()
    assert lines[0].startswith(f"# {path.name[:4]} ")
    assert re.match(r"^Status: \w.* \| Area: .+ \| Date: \d{4}-\d\d-\d\d$", lines[2])
    assert [line for line in lines if line.startswith("## ")] == PARTS
    assert len(lines) <= 70
