"""The story from pictures to a release, told over HTTP to a real server."""

from __future__ import annotations

import hashlib
import json

import httpx2 as httpx
import pytest
from tests.support.described import Described
from tests.support.serving import served

from calotype.app.cli import main
from calotype.app.wiring import create
from calotype.foundation.actor import Actor


@pytest.fixture
def http(tmp_path):
    create(Actor.local(), tmp_path / "ws").close()
    with served(tmp_path / "ws") as server:
        headers = {"authorization": f"Bearer {server.token}"}
        with httpx.Client(base_url=f"{server.url}api/v1", headers=headers, timeout=300) as client:
            yield Described().watch(client)


def say(answer):
    """The body of an answer that is no problem."""
    assert answer.status_code < 300, answer.text
    return answer.json()


@pytest.mark.slow
def test_from_pictures_to_a_release(http, raw, tmp_path, capsys):
    say(http.post("/datasets", json={"name": "shop", "description": "what the till sees"}))
    came = [
        say(http.put(f"/datasets/shop/images/{file.name}?licence=CC0-1.0", content=file.read_bytes()))
        for file in sorted((raw / "images").iterdir())
    ]
    assert {key: sum(one[key] for one in came) for key in ("added", "duplicates", "quarantined")} == {
        "added": 24,
        "duplicates": 1,
        "quarantined": 1,
    }
    labels = (raw / "instances.json").read_bytes()
    imported = say(http.post("/datasets/shop/imports?format=coco", content=labels))
    assert (imported["samples"], imported["annotations"], imported["skipped"]) == (24, 24, 0)
    again = say(http.post("/datasets/shop/imports?format=coco", content=labels))
    assert (again["added"], again["unchanged"]) == (0, 24)

    first = say(http.post("/datasets/shop/commits", json={"message": "first import"}))["commit"]
    overview = say(http.get("/datasets/shop"))
    assert (overview["samples"], overview["annotations"], overview["commit"]) == (24, 24, first)
    assert {c["name"]: c["annotations"] for c in overview["classes"]} == {"car": 12, "dog": 12}
    page = say(http.get("/datasets/shop/samples", params={"where": "class = car", "limit": 5}))
    assert (page["total"], len(page["items"])) == (12, 5)
    cell = page["items"][0]
    assert cell["annotations"][0]["bbox"] == [4, 5, 20, 10]
    one = say(http.get(f"/datasets/shop/samples/{cell['id']}", params={"where": "class = car"}))
    assert (one["licence"], one["position"]["index"], one["position"]["total"]) == ("CC0-1.0", 0, 12)
    picture = http.get(f"/datasets/shop/thumbs/{cell['media']}?size=64")
    assert picture.headers["content-type"] in ("image/jpeg", "image/png")

    assert say(http.get("/datasets/shop/checks"))["run"] is None
    report = say(http.post("/datasets/shop/checks"))
    assert {gate["state"] for gate in report["gates"]} == {"green"}
    found = say(http.get("/datasets/shop/findings", params={"run": report["run"]["id"]}))
    assert found["total"] == sum(report["run"]["counts"].values())

    asked = {"version": "1.0.0", "split": {"train": 0.5, "val": 0.25, "test": 0.25}, "formats": ["coco"]}
    released = say(http.post("/datasets/shop/releases", json=asked))
    assert sum(released["splits"].values()) == 24
    shown = say(http.get("/datasets/shop/releases/1.0.0"))
    assert "# shop 1.0.0" in shown["card"]["markdown"]
    for file in shown["files"]:
        got = http.get(f"/datasets/shop/releases/1.0.0/files/{file['path']}")
        assert hashlib.sha256(got.content).hexdigest() == file["sha256"], file["path"]
    assert (
        http.get("/datasets/shop/releases/1.0.0/files/..%2f..%2f..%2f.calotype%2fcatalog.sqlite").status_code
        == 404
    )

    log = say(http.get("/datasets/shop/log"))
    assert "release/1.0.0" in log["items"][0]["refs"]
    assert not log["dirty"]
    changes = say(http.get("/datasets/shop/diff", params={"a": first, "b": "release/1.0.0"}))
    assert (changes["samples"]["changed"], len(changes["items"])) == (24, 24)
    audit = say(http.get("/audit"))
    assert audit["intact"]
    assert "release.create" in {event["verb"] for event in audit["items"]}

    with pytest.raises(SystemExit) as ended:  # the command line sees the same workspace meanwhile
        main(["-w", str(tmp_path / "ws"), "count", "shop", "--json"])
    assert ended.value.code in (0, None)
    assert json.loads(capsys.readouterr().out)["annotations"] == 24


@pytest.mark.slow
def test_a_blocked_release_says_gate_and_fix(http):
    say(http.post("/datasets", json={"name": "empty"}))
    answer = http.post("/datasets/empty/releases", json={"version": "1.0.0"})
    assert (answer.status_code, answer.json()["code"]) == (409, "release-blocked")
    assert "samples" in answer.json()["detail"]
    assert answer.json()["fix"]


@pytest.mark.slow
def test_a_release_without_an_allowed_purpose_says_which_there_are(http):
    say(http.post("/datasets", json={"name": "empty"}))
    kept = say(
        http.put(
            "/datasets/empty/contract",
            content="privacy: {level: personal}\npurposes: [training]",
            headers={"content-type": "application/yaml"},
        )
    )
    assert [one.rpartition(": ")[2] for one in kept["warnings"]] == ["add privacy.retention_days"]
    assert say(http.get("/datasets/empty/contract"))["purposes"] == ["training"]
    for purpose, status, code in (("", 422, "purpose-missing"), ("ads", 409, "purpose-not-allowed")):
        answer = http.post("/datasets/empty/releases", json={"version": "1.0.0", "purpose": purpose})
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert "training" in answer.json()["fix"]
