"""Who may export, and what the audit trail keeps of it."""

from __future__ import annotations

import pytest
from tests.support.recipes import dataset

from calotype.foundation.actor import Actor
from calotype.foundation.errors import NotPermitted
from calotype.govern import service as govern
from calotype.govern.model import AuditFilter
from calotype.release import service
from calotype.release.model import ExportSpec


@pytest.fixture(autouse=True)
def streets(owner, workspace):
    """Three samples with boxes."""
    dataset(owner, workspace)


def test_an_export_is_recorded_with_what_it_wrote_and_nothing_else(owner, workspace):
    facts = {"format": "coco", "samples": 3, "path": "C:/ana/secret"}
    service.record_export(owner, "streets", facts, store=workspace)
    (event,) = govern.audit(owner, store=workspace, wanted=AuditFilter.of(verb="release.export"))
    assert (event.subject, event.details["samples"]) == ("streets", 3)
    assert "path" not in event.details


def test_whoever_may_not_export_writes_no_file_and_no_record(owner, workspace, tmp_path):
    guest = Actor("test:guest", "guest", roles=())
    for refused in (
        lambda: service.may_export(guest, "streets", store=workspace),
        lambda: service.record_export(guest, "streets", {}, store=workspace),
        lambda: service.export(guest, "streets", ExportSpec("coco"), tmp_path / "out", store=workspace),
    ):
        with pytest.raises(NotPermitted):
            refused()
    assert not (tmp_path / "out").exists()
    assert govern.audit(owner, store=workspace, wanted=AuditFilter.of(verb="release.export")) == []
