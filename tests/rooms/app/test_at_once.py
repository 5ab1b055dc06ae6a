"""One person's requests that are answered at once are limited; others and later requests are not touched."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx2 as httpx
import pytest
from tests.support.teams import API, Team, running_team

from calotype.app import server
from calotype.app.account_keys import AccountKeys
from calotype.app.limits import AT_ONCE, Places


@pytest.fixture(scope="module")
def team(tmp_path_factory) -> Iterator[Team]:
    """A team server."""
    with running_team(tmp_path_factory.mktemp("team") / "workspace") as team:
        yield team


def test_a_place_is_free_again_when_its_request_ends():
    places = Places(2)
    with places.taking("ana") as first, places.taking("ana") as second, places.taking("ana") as third:
        assert (first, second, third) == (True, True, False)
        with places.taking("bo") as other:
            assert other
    with places.taking("ana") as again:
        assert again


def test_requests_beyond_the_limit_are_refused_and_say_when_to_come_again(team):
    ana = team.first()
    bo = team.join(ana, "bo@example.org")
    signed_in = [{"cookie": "; ".join(f"{k}={v}" for k, v in one.cookies.items())} for one in (ana, bo)]
    app = server.make(team.store, AccountKeys(team.store, 80), hosts={"testserver"}, at_once=2)

    async def ask() -> None:
        go_on = asyncio.Event()
        started = asyncio.Semaphore(0)

        async def slow_body() -> Any:
            started.release()
            await go_on.wait()
            yield b'{"name": "later"}'

        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
            headers = {**signed_in[0], "content-type": "application/json"}
            held = [
                asyncio.create_task(client.post(f"{API}/teams", content=slow_body(), headers=headers))
                for _ in range(2)
            ]
            for _ in held:  # a body is asked for when its request has its place
                await started.acquire()
            refused = await client.get(f"{API}/datasets", headers=signed_in[0])
            assert (refused.status_code, refused.json()["code"]) == (429, "too-many-at-once")
            assert refused.headers["retry-after"] == "1"
            assert (await client.get(f"{API}/datasets", headers=signed_in[1])).is_success
            assert (await client.get(f"{API}/health")).is_success
            go_on.set()
            await asyncio.gather(*held)
            assert (await client.get(f"{API}/datasets", headers=signed_in[0])).is_success

    asyncio.run(ask())


def test_the_limit_leaves_room_for_a_browser():
    assert AT_ONCE >= 12
