"""An open workspace with one small dataset: images with one box each, classes car and dog."""

from __future__ import annotations

import pytest

import calotype as ct


@pytest.fixture
def ws(tmp_path):
    """An open workspace."""
    with ct.open(tmp_path / "ws") as opened:
        yield opened


@pytest.fixture
def shop(ws, raw):
    """24 images of 64 x 48 pixels with their boxes, committed."""
    dataset = ws.create("shop", description="till camera")
    dataset.add_images(raw / "images", licence="CC0-1.0")
    dataset.add_annotations(raw / "instances.json")
    dataset.commit("import")
    return dataset
