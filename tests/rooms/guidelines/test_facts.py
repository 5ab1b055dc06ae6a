"""How classes are shown, and which attributes an annotation lacks."""

from __future__ import annotations

import re

import pytest
from tests.house.reading import REPO

from calotype.foundation.ids import sha256_json
from calotype.guidelines import facts
from calotype.vision.ontology import Attribute, Class, ClassInvalid, Ontology

CAR = Class(
    0,
    "car",
    attributes=(
        Attribute("occluded", "boolean", required=True, default=False),
        Attribute("colour", "choice", choices=("red", "blue")),
        Attribute("doors", "number"),
    ),
)


def test_the_hash_of_an_ontology_without_new_fields_stays():
    ontology = Ontology().add("car").add("person", supercategory="living", keypoints=("nose",))
    known = {
        "classes": [
            {"id": 0, "name": "car"},
            {"id": 1, "name": "person", "supercategory": "living", "keypoints": ["nose"]},
        ],
        "closed": False,
        "next_id": 2,
    }
    assert ontology.to_json() == known
    assert sha256_json(ontology.to_json()) == sha256_json(known)


def test_an_ontology_with_all_fields_comes_back_from_json():
    child = Class(
        3,
        "van",
        definition="a box on wheels",
        colour="#ff0000",
        key="v",
        tools=("box",),
        parent=0,
        retired=True,
        split_into=(0,),
    )
    ontology = Ontology((CAR, child))
    assert Ontology.from_json(ontology.to_json()) == ontology


@pytest.mark.parametrize(
    "wrong",
    [
        {"colour": "red"},
        {"key": "ab"},
        {"parent": 1},
        {"definition": "x" * 10_001},
        {"attributes": (Attribute("a", "choice"),)},
        {"attributes": (Attribute("a", "text", choices=("b",)),)},
        {"attributes": (Attribute("a", "colour"),)},
        {"attributes": (Attribute("a"), Attribute("a"))},
        {"attributes": (Attribute("a", "number", default="many"),)},
    ],
)
def test_a_class_with_wrong_values_is_refused(wrong):
    with pytest.raises(ClassInvalid):
        Class(1, "car", **wrong)


def test_cards_have_stable_colours_and_free_keys():
    ontology = Ontology(
        (CAR, Class(1, "bus", key="1", colour="#123456", parent=0), Class(2, "old", retired=True))
    )
    cards = facts.class_cards(ontology)
    assert [card["key"] for card in cards] == ["2", "1", ""]
    assert [card["colour"] for card in cards] == ["#e69f00", "#123456", "#00c08b"]
    assert [card["parent"] for card in cards] == ["", "car", ""]
    assert cards[0]["attributes"][1] == {
        "name": "colour",
        "type": "choice",
        "required": False,
        "default": None,
        "choices": ["red", "blue"],
    }
    assert "keypoints" not in cards[0]["tools"]
    assert "box" in cards[0]["tools"]


def test_the_palette_is_that_of_the_app():
    text = (REPO / "web" / "src" / "canvas" / "colours.ts").read_text("utf-8")
    assert tuple(re.findall(r'"(#[0-9a-f]{6})"', text)) == facts.PALETTE


@pytest.mark.parametrize(
    ("attributes", "missing"),
    [
        ({}, ["occluded"]),
        ({"occluded": "yes"}, ["occluded"]),
        ({"occluded": True, "colour": "green"}, ["colour"]),
        ({"occluded": True, "doors": True}, ["doors"]),
        ({"occluded": False, "colour": "red", "doors": 4, "other": []}, []),
    ],
)
def test_missing_attributes(attributes, missing):
    assert facts.missing_attributes(CAR, attributes) == missing
