"""An open workspace with one small dataset: images with one box each, classes car and dog.

Everything is tested twice: on a folder, and on a server of one.
"""

from __future__ import annotations

import pytest
from tests.support.remote import TOKEN, serving_store

import calotype as ct
from calotype.app import workspaces


@pytest.fixture(params=["folder", pytest.param("server", marks=pytest.mark.slow)])
def ws(request, tmp_path, monkeypatch):
    """An open workspace."""
    if request.param == "folder":
        with ct.open(tmp_path / "ws") as opened:
            yield opened
        return
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    store = workspaces.create(ct.Actor.local(), tmp_path / "ws")
    with serving_store(store) as url, ct.open(url, token=TOKEN) as opened:
        yield opened
    store.close()


@pytest.fixture
def only_here(request):
    """For verbs that run only where the data is: on a server they are refused, which `test_remote` tests."""
    kinds = request.node.callspec.params.values() if hasattr(request.node, "callspec") else ()
    if "server" in kinds:
        pytest.skip("runs only on the machine of the workspace")


@pytest.fixture
def shop(ws, raw):
    """24 images of 64 x 48 pixels with their boxes, committed."""
    dataset = ws.create("shop", description="till camera")
    dataset.add_images(raw / "images", licence="CC0-1.0")
    dataset.add_annotations(raw / "instances.json")
    dataset.commit("import")
    return dataset
