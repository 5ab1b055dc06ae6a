"""The tools that other tests stand on do what they say."""

from __future__ import annotations

import io
import json
import socket

import httpx2 as httpx
import pytest
from PIL import Image
from tests.support.described import Described
from tests.support.images import draw, encode, folder_of_images


def test_a_drawn_image_is_the_same_for_the_same_seed():
    assert draw(1).tobytes() == draw(1).tobytes() != draw(2).tobytes()


def test_orientation_is_written_beside_the_pixels():
    picture = Image.open(io.BytesIO(encode(draw(), orientation=6)))
    assert (picture.size, picture.getexif()[0x0112]) == ((96, 64), 6)


def test_a_folder_holds_different_images(tmp_path):
    assert len({path.read_bytes() for path in folder_of_images(tmp_path, 3)}) == 3


def test_a_workspace_is_ready(workspace):
    assert (workspace.folder / "catalog.sqlite").is_file()


def test_no_test_reaches_another_machine():
    with pytest.raises(UserWarning, match="tried to use"), socket.socket() as open_:
        open_.connect(("192.0.2.1", 80))  # pytest-socket warns before it refuses, and warnings are errors


@pytest.mark.browser
def test_the_browser_draws_a_page(page):
    page.set_content("<h1>Calotype</h1>")
    assert page.get_by_role("heading").inner_text() == "Calotype"


HEALTH = {"status": "ok", "version": "1", "accounts": False, "provider": ""}


def answer(status: int = 200, body: object = HEALTH, kind: str = "application/json", path: str = "health"):
    request = httpx.Request("GET", f"http://127.0.0.1/api/v1/{path}")
    return httpx.Response(status, content=json.dumps(body), headers={"content-type": kind}, request=request)


def test_an_answer_as_described_passes():
    described = Described()
    described.check(answer())
    described.check(answer(path="nowhere", body=[]))
    assert described.answered == {"health"}


@pytest.mark.parametrize(
    "wrong",
    [
        answer(body={**HEALTH, "more": 1}),
        answer(body={"status": "ok"}),
        answer(body={**HEALTH, "status": "fine"}),
        answer(body={**HEALTH, "version": None}),
        answer(status=201),
        answer(kind="text/plain"),
        answer(status=404, body={"detail": "nothing"}, kind="application/problem+json"),
    ],
    ids=[
        "more fields",
        "a field less",
        "another word",
        "null",
        "another status",
        "another type",
        "no problem",
    ],
)
def test_an_answer_that_is_not_as_described_fails(wrong):
    with pytest.raises(AssertionError, match="health"):
        Described().check(wrong)
