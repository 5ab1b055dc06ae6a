"""A data file that was not written whole is noticed before anything refers to it."""

from __future__ import annotations

import os

import pytest
from lance.fragment import write_fragments
from tests.support.images import draw, encode

from calotype.acquire import service as acquire
from calotype.datasets import service as datasets
from calotype.foundation.os_errors import StorageFailed
from calotype.reliability import service as reliability
from calotype.store.tables import tables


def test_a_file_that_lost_its_end_stops_the_edit(workspace, owner, tmp_path, monkeypatch):
    datasets.create(owner, "shop", store=workspace)
    image = tmp_path / "a.jpg"
    image.write_bytes(encode(draw(1)))

    def cutting(reader, uri, **options):
        fragments = write_fragments(reader, uri, **options)
        file = f"{uri}/data/{fragments[0].files[0].path}"
        os.truncate(file, os.path.getsize(file) - 100)  # as after an error that Lance does not report
        return fragments

    with monkeypatch.context() as patched:
        patched.setattr(tables, "write_fragments", cutting)
        with pytest.raises(StorageFailed, match="not written whole"):
            acquire.add(owner, "shop", [image], store=workspace)
    assert datasets.read(owner, "shop@main+", store=workspace).count()["samples"] == 0
    assert acquire.add(owner, "shop", [image], store=workspace).added == 1
    assert reliability.verify(owner, store=workspace, deep=True).problems == ()
