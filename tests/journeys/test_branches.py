"""Two people label the same pictures on branches and bring their work together, by every door."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from tests.support.described import Described
from tests.support.images import folder_of_images
from tests.support.serving import served
from tests.support.streets import Streets, box

import calotype as ct
from calotype.app.cli import main
from calotype.app.wiring import create
from calotype.foundation.actor import Actor

PIPELINE = """
pipeline: more
dataset: streets
stages:
  - acquire: {from: pictures/}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A workspace where main and `fix` gave one box different scores, and `fix` added another box."""
    store = create(Actor.local(), tmp_path / "ws")
    streets = Streets(Actor.local(), store)
    streets.commit("streets@fix", boxes=[box(0, 0, score=0.25), box(9, 1)])
    streets.commit("streets", boxes=[box(0, 0, score=0.75)])
    store.close()
    return tmp_path / "ws"


def call(capsys: pytest.CaptureFixture[str], *words: str | Path) -> tuple[int, Any]:
    """Exit code and the JSON answer of one command."""
    with pytest.raises(SystemExit) as ended:
        main([*map(str, words), "--json"])
    out = capsys.readouterr().out.strip()
    return int(ended.value.code or 0), json.loads(out.splitlines()[-1]) if out else None


def test_at_the_command_line(folder, capsys):
    w = ("-w", folder)
    assert call(capsys, *w, "merge", "streets", "fix", "--preview")[1]["counts"]["conflicts"] == 1
    code, waits = call(capsys, *w, "merge", "streets", "fix")
    assert (code, waits["state"], waits["counts"]["open"]) == (1, "open", 1)
    (conflict,) = call(capsys, *w, "conflicts", "streets")[1]["items"]
    assert (conflict["fields"], conflict["ours"]["score"], conflict["theirs"]["score"]) == (
        ["score"],
        0.75,
        0.25,
    )
    code, refused = call(capsys, *w, "merge", "streets", "--land")
    assert (code, refused["error"]["code"]) == (4, "merge-conflicts-open")
    assert call(capsys, *w, "resolve", "streets", "--set", "score=0.5")[1] == {"settled": [1], "open": 0}
    code, landed = call(capsys, *w, "merge", "streets", "--land", "-m", "both looked at")
    assert (code, landed["state"]) == (0, "landed")
    assert call(capsys, *w, "count", "streets")[1]["annotations"] == 5
    (told,) = call(capsys, *w, "blame", "streets", "a9")[1]["items"]
    assert told["created"]["message"] == "edits"
    assert call(capsys, *w, "undo", "streets", landed["commit"])[0] == 0
    assert call(capsys, *w, "count", "streets")[1]["annotations"] == 4
    assert [one["state"] for one in call(capsys, *w, "merge", "streets", "--list")[1]["items"]] == [
        "landed"
    ] * 2
    assert call(capsys, *w, "protect", "streets", "main")[1]["protection"] == {"gates": True}
    code, refused = call(capsys, *w, "rollback", "streets", "main~1")
    assert (code, refused["error"]["code"]) == (4, "branch-protected")
    folder_of_images(folder.parent / "pictures", 2, suffix=".png")
    for command in (("add", "streets", folder.parent / "pictures"), ("split", "streets")):
        code, refused = call(capsys, *w, *command)
        assert (code, refused["error"]["code"]) == (4, "branch-protected"), command
    (folder.parent / "p.yaml").write_text(PIPELINE)
    code, refused = call(capsys, *w, "run", folder.parent / "p.yaml")
    assert code != 0
    assert "is protected" in json.dumps(refused)
    assert call(capsys, *w, "protect", "streets", "main", "--off")[1]["protection"] is None
    assert call(capsys, *w, "audit")[1]["intact"] is True


def test_in_python(folder):
    with ct.open(folder) as ws:
        streets = ws.dataset("streets")
        merge = streets.merge("fix")
        assert (merge.state, merge.commit) == ("open", None)
        assert [one.content.row_id for one in merge.conflicts()] == ["a0"]
        assert repr(merge.resolve("theirs").land()) == "Merge('fix' into 'main', landed)"
        assert streets.log()[0].id == merge.commit
        assert streets.blame("a9")[0].to_dict()["created"]["message"] == "edits"
        assert streets.undo(merge.commit).counts["annotations"] == {"put": 1, "removed": 1}
        streets.protect()
        with pytest.raises(ct.CalotypeError) as refused:
            streets.rollback("main~1")
        assert refused.value.code == "branch-protected"


@pytest.mark.slow
def test_over_http(folder):
    with served(folder) as server:
        headers = {"authorization": f"Bearer {server.token}"}
        with httpx.Client(
            base_url=f"{server.url}api/v1/datasets/streets", headers=headers, timeout=300
        ) as http:
            Described().watch(http)

            def say(method: str, path: str, **options: Any) -> Any:
                answer = http.request(method, path, **options)
                assert answer.status_code < 300, answer.text
                return answer.json()

            assert say("GET", "/merges/preview?source=fix")["counts"]["open"] == 1
            made = say("POST", "/merges", json={"source": "fix"})
            assert made["state"] == "open"
            place = f"/merges/{made['merge']}"
            assert say("GET", place)["items"][0]["fields"] == ["score"]
            assert http.post(f"{place}/landing", json={}).json()["code"] == "merge-conflicts-open"
            choice = {"how": {"score": "theirs"}, "which": [1]}
            assert say("POST", f"{place}/choices", json=choice) == {"settled": [1]}
            landed = say("POST", f"{place}/landing", json={"message": "done"})
            assert [one["state"] for one in say("GET", "/merges")["items"]] == ["landed"]
            assert say("GET", "/blame/a9")["items"][0]["changed"]["message"] == "edits"
            assert say("POST", "/undos", json={"commit": landed["commit"]})["state"] == "landed"
            assert http.delete(place).json()["code"] == "merge-closed"
            rules = {"rules": {"gates": True}}
            assert say("PUT", "/branches/main/protection", json=rules)["protection"] == {"gates": True}
