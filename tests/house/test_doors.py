"""Every verb has all doors, or a reason for each that is missing (`scripts/doors.toml`)."""

from __future__ import annotations

import sys

import pytest
from tests.house.reading import REPO


@pytest.fixture(scope="module")
def doors():
    """The script that reads the doors from the code."""
    sys.path.insert(0, str(REPO / "scripts"))
    try:
        import doors
    finally:
        sys.path.remove(str(REPO / "scripts"))
    return doors


def test_every_missing_door_has_a_reason_that_still_holds(doors):
    assert doors.problems() == []


def test_the_doors_of_well_known_verbs_are_seen(doors):
    known = {verb.label: verb.doors for verb in doors.verbs()}
    assert len(known) > 60
    assert known["datasets.commit"]["Python"] == ["Dataset.commit"]
    assert known["datasets.commit"]["CLI"] == ["calotype commit"]
    assert known["datasets.commit"]["HTTP"] == ["POST /datasets/{dataset}/commits"]
    assert known["datasets.commit"]["Pipeline"] == ["commit"]
    assert known["contracts.set_contract"]["CLI"] == ["calotype contract set"]


def test_a_verb_without_doors_or_reason_is_a_problem(doors, monkeypatch):
    listed = doors.reasons()
    monkeypatch.setattr(doors, "reasons", lambda: {k: v for k, v in listed.items() if k[0] != "pipeline.run"})
    assert doors.problems() == ["pipeline.run: no HTTP door and no reason"]


def test_a_reason_for_a_door_that_exists_is_a_problem(doors, monkeypatch):
    listed = doors.reasons()
    monkeypatch.setattr(doors, "reasons", lambda: listed | {("datasets.commit", "CLI"): "no need"})
    assert doors.problems() == ["datasets.commit: outdated reason for CLI"]
