"""The routes of labelling, called by two people and a manager over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from fastapi.testclient import TestClient
from starlette.datastructures import Headers
from starlette.responses import Response

from calotype.app import server
from calotype.app.sessions import Admitted
from calotype.foundation.actor import Actor
from calotype.store import Store

API = "/api/v1"


class NamedKeys:
    """Lets in whoever a header names, as somebody who works on this machine."""

    accounts = False
    provider_name = ""
    public_paths: frozenset[str] = frozenset()

    def admit(self, headers: Headers) -> Admitted | None:
        name = headers.get("x-who", "")
        return Admitted(Actor(f"local:{name}", name)) if name else None

    def admit_link(self, token: str, response: Response) -> None:
        raise AssertionError("no links here")

    def set_cookie(self, response: Response, secret: str) -> None:
        raise AssertionError("no cookies here")


def ask_the_routes_of_labelling(store: Store, watch: Callable[[Any], None]) -> None:
    """Open a batch of the dataset `shop`, label, ask, review, send back, merge, land and close."""
    app = server.make(store, NamedKeys(), hosts={"testserver"})
    with TestClient(app) as http:
        watch(http)
        asked = _Asked(http)
        _label(asked)
        _review(asked)
        _manage(asked)


class _Asked:
    def __init__(self, http: TestClient) -> None:
        self.http = http

    def __call__(self, who: str, method: str, path: str, body: Any = None) -> Any:
        answer = self.http.request(method, API + path, headers={"x-who": who}, json=body)
        assert answer.is_success, answer.text
        kind = answer.headers.get("content-type", "")
        return answer.json() if kind == "application/json" else answer.content


def _label(say: _Asked) -> None:
    batch = {"name": "one", "where": "class = car", "overlap": 2, "review": 1.0, "to": ["bo", "chi"]}
    assert say("mia", "POST", "/datasets/shop/batches", batch)["progress"]["samples"] > 4
    assert say("dee", "POST", "/assignments/next", {})["work"] is None
    for _ in range(4):
        for who in ("bo", "chi"):
            work = say(who, "POST", "/assignments/next", {"dataset": "shop", "batch": "one"})["work"]
            place = f"/assignments/{work['assignment']}"
            add = {"do": "add", "id": uuid4().hex, "annotation": uuid4().hex, "class": "car", "kind": "box"}
            added = say(who, "POST", f"{place}/operations", {"operations": [{**add, "bbox": [1, 1, 5, 5.5]}]})
            assert added["annotations"][0]["row"]["origin"] == "drawn"
            assert say(who, "POST", f"{place}/operations", {"operations": [{**add, "bbox": [1, 1, 5, 5.5]}]})[
                "repeated"
            ]
            coming = say(who, "GET", place)["ahead"][0]
            assert coming["image"].endswith(f"{place}/next-image?sample={coming['id']}")
            assert say(who, "GET", f"{place}/image?size=64")
            assert say(who, "GET", f"{place}/next-image?sample={coming['id']}")
            say(who, "POST", f"{place}/submit", {"id": uuid4().hex, "active_ms": 900})
    assert [event["verb"] for event in say(who, "GET", f"{place}/events")["items"]] == [
        "begin",
        "add",
        "submit",
    ]
    work = say("bo", "POST", "/assignments/next", {})["work"]
    place = f"/assignments/{work['assignment']}"
    asked = say("bo", "POST", f"{place}/ask", {"text": "car?", "place": [3, 4.5], "class": "car"})
    assert say("mia", "GET", "/datasets/shop/questions")["items"][0]["id"] == asked["id"]
    assert say("mia", "POST", f"/threads/{asked['id']}/answers", {"text": "yes"})["state"] == "resolved"
    kept = {"ruling": "a car", "reason": "it has windows", "question": asked["id"], "region": [1, 2, 3.5, 4]}
    assert say("mia", "POST", "/datasets/shop/precedents", kept)["question"] == "car?"
    assert say("mia", "GET", "/datasets/shop/precedents?class=car")["items"][0]["ruling"] == "a car"
    say("bo", "POST", f"{place}/release", {"reason": "lunch"})
    again = say("bo", "POST", "/assignments/next", {})["work"]["assignment"]
    say("bo", "POST", f"/assignments/{again}/skip", {"reason": "dark"})
    assert say("bo", "GET", "/assignments")["figures"]["skipped"] == 1


def _review(say: _Asked) -> None:
    waiting = say("rae", "GET", "/datasets/shop/reviews?batch=one")["items"]
    assert [one["agreement"] for one in waiting] == [1.0] * 4
    taken = say("rae", "POST", "/assignments/next", {"kind": "review"})["work"]
    assert len(taken["others"]) == 2
    say("rae", "POST", f"/assignments/{taken['assignment']}/review", {"verdict": "accept", "id": uuid4().hex})
    names = [one["sample"] for one in waiting if one["sample"] != taken["sample"]["id"]]
    place = "/datasets/shop/reviews"
    assert say("rae", "POST", f"{place}/accept", {"samples": names[:1], "agreement": 0.9})["items"]
    assert say("rae", "POST", f"{place}/merge", {"samples": names[1:2]})["items"]
    assert say("rae", "POST", f"{place}/send-back", {"samples": names[2:3], "remark": {"note": "look"}})[
        "items"
    ]
    held = say("bo", "GET", "/assignments")
    assert held["open"][0]["state"] == "sent-back"
    assert say("bo", "GET", f"/assignments/{held['open'][0]['assignment']}")["remarks"]


def _manage(say: _Asked) -> None:
    place = "/datasets/shop/batches/one"
    assert say("mia", "POST", f"{place}/extend", {"due": "2999-01-31", "priority": 3})["priority"] == 3
    assert say("mia", "POST", f"{place}/pause")["state"] == "paused"
    assert say("mia", "POST", f"{place}/resume")["state"] == "open"
    assert say("mia", "POST", f"{place}/land")["samples"] == 3
    assert say("mia", "GET", place)["progress"]["landed"] == 3
    assert say("mia", "GET", "/datasets/shop/batches")["items"][0]["name"] == "one"
    figures = say("mia", "GET", f"{place}/figures")
    assert [one["person"] for one in figures["people"]] == ["bo", "chi"]
    assert figures["people"][0]["reviewed"] == 3
    assert say("mia", "POST", f"{place}/close")["batch"]["state"] == "closed"
