"""Calls of the routes of guidelines and of edits, for the test that every answer is described."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

CLASSES = """
classes:
  vehicle:
    definition: It has four wheels.
    attributes: {occluded: {type: boolean, default: false, required: true}}
"""


def guide(say: Callable[..., Any]) -> None:
    """Set and migrate the ontology of `shop`, publish guidelines, read and acknowledge them, list stale labels."""
    place, kind = "/datasets/shop", {"content-type": "application/yaml"}
    set_ = say("PUT", f"{place}/ontology", content=CLASSES, headers=kind)
    assert [one["class"] for one in set_["classes"]] == ["vehicle"]
    cards = {card["name"]: card for card in say("GET", f"{place}/ontology")["classes"]}
    assert cards["vehicle"]["definition"] == "It has four wheels."
    first = say("POST", f"{place}/commits", json={"message": "classes"})["commit"]
    change = {"rename": {"vehicle": "auto"}, "fill_attributes": ["auto.occluded"]}
    planned = say("POST", f"{place}/ontology/migrations/plan", json=change)
    done = say("POST", f"{place}/ontology/migrations", json=change)
    assert done == {**planned, "applied": True} and done["written"] > 0
    assert say("GET", f"{place}/ontology/diff?a={first}")["classes"][0]["change"] == "changed"
    say("POST", f"{place}/edits/undo", json={})
    say("PUT", f"{place}/ontology", content=CLASSES.replace("It", "A car"), headers=kind)
    assert say("POST", f"{place}/guidelines", json={"text": "# Cars"})["state"] == "draft"
    assert say("POST", f"{place}/guidelines/published", json={})["version"] == 1
    sample = say("GET", f"{place}/samples?limit=1")["items"][0]["name"]
    text = f"---\nexamples: [{{sample: {sample}, bbox: [0, 0, 2.5, 2]}}]\n---\n# Cars, again"
    second = {"text": text, "touches": ["vehicle", "dog"], "changelog": "again"}
    assert say("POST", f"{place}/guidelines/published", json=second)["touches"][0]["class"] == "vehicle"
    assert len(say("GET", f"{place}/guidelines")["items"]) == 2
    assert say("GET", f"{place}/guideline")["examples"][0]["sample"] == sample
    assert say("GET", f"{place}/guideline/diff")["changelog"][0]["changelog"] == "again"
    assert not say("GET", f"{place}/guideline/reading")["acknowledged"]
    assert say("POST", f"{place}/guideline/reading", json={})["acknowledged"]
    stale = say("GET", f"{place}/stale-labels")
    assert stale["labels"] > 0 and stale["by_class"]["dog"]["labels"] > 0
    listed = say("GET", f"{place}/stale-labels/samples?classes=vehicle&classes=dog")
    assert listed["total"] == len(listed["ids"]) == stale["samples"]


def edit_and_undo(say: Callable[..., Any]) -> None:
    """Edit `shop`, undo it and do it again."""
    place = "/datasets/shop/edits"
    sample = say("GET", "/datasets/shop/samples?limit=1")["items"][0]["id"]
    add = {"do": "add", "sample": sample, "class": "car", "kind": "box", "bbox": [1, 1, 5.5, 5]}
    tag = {"do": "add-tags", "sample": sample, "tags": ["night"], "seen": {"split": ""}}
    edited = say("POST", place, json={"edits": [add, tag], "id": "request-1"})
    again = say("POST", place, json={"edits": [add, tag], "id": "request-1"})
    assert again == {**edited, "repeated": True}
    listed = say("GET", place)
    assert (listed["items"][0]["id"], listed["items"][0]["undone"]) == (edited["edit"], False)
    undone = say("POST", f"{place}/undo", json={"edit": edited["edit"]})
    assert (undone["to_redo"], undone["to_undo"]) == (1, listed["to_undo"] - 1)
    assert say("POST", f"{place}/redo", json={})["to_redo"] == 0
    say("POST", f"{place}/undo", json={})
