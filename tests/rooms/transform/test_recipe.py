"""A recipe says what is wrong with it, and its hash says what it does."""

from __future__ import annotations

import pytest

from calotype.transform.recipe import RecipeInvalid, parse
from calotype.vision.keypoints import mirror_order

YAML = """
name: streets-night
steps:
  - letterbox: {width: 640, height: 640, fill: 114}
  - crop: {random: {min_scale: 0.7, ratio: [0.9, 1.1]}}
  - flip: {axis: horizontal, p: 0.5}
  - rotate: {degrees: [-10, 10]}
  - colour: {brightness: [0.8, 1.2], hue: 10}
  - greyscale
  - blur: {sigma_px: [0, 1.5]}
  - noise: {sigma: 4}
  - jpeg: {quality: [40, 90]}
  - format: png
copies: 2
seed: 7
keep: {min_visible: 0.4}
"""
FLIP = {"flip": {"axis": "horizontal"}}


def test_every_operation_can_be_written_in_yaml():
    recipe = parse(YAML)
    assert [word for word, _ in recipe.steps] == [
        "letterbox",
        "crop",
        "flip",
        "rotate",
        "colour",
        "greyscale",
        "blur",
        "noise",
        "jpeg",
        "format",
    ]
    assert (recipe.copies, recipe.seed, recipe.keep.min_visible) == (2, 7, 0.4)
    assert recipe.random_steps == (
        "2 (crop)",
        "3 (flip)",
        "4 (rotate)",
        "5 (colour)",
        "7 (blur)",
        "8 (noise)",
        "9 (jpeg)",
    )


def test_a_recipe_survives_its_own_form():
    recipe = parse(YAML)
    assert parse(recipe.to_dict()) == recipe
    assert parse(recipe.to_dict()).sha256 == recipe.sha256


def test_equal_recipes_have_equal_hashes_however_written():
    one = parse({"name": "r", "steps": [{"rotate": {"degrees": 10}}]})
    two = parse("steps: [{rotate: {degrees: [10, 10.0], p: 1}}]\nname: r\nseed: 0")
    assert one.sha256 == two.sha256
    assert one.label == f"r@{one.sha256[:12]}"


@pytest.mark.parametrize(
    "change, same",
    [
        ({"copies": 5}, True),
        ({"seed": 8}, False),
        ({"keep": {"min_visible": 0.5}}, False),
        ({"name": "other"}, False),
    ],
    ids=["copies", "seed", "keep", "name"],
)
def test_the_hash_covers_what_one_copy_depends_on(change, same):
    base = parse(YAML).to_dict()
    assert (parse({**base, **change}).sha256 == parse(base).sha256) is same


def step(value):
    return {"name": "r", "steps": [value]}


@pytest.mark.parametrize(
    "value, where, said, fix",
    [
        ({"steps": [FLIP]}, "name", "missing or not valid", "1 to 64"),
        ({"name": "../x", "steps": [FLIP]}, "name", "missing or not valid", "1 to 64"),
        ({"name": "r"}, "steps", "not a list", "flip"),
        ({"name": "r", "steps": []}, "steps", "not a list", "flip"),
        ({"name": "r", "steps": [FLIP], "copeis": 2}, "copeis", "unknown key", "did you mean copies?"),
        (step({"flop": {}}), "steps[1]", "'flop'", "did you mean flip?"),
        ({"name": "r", "steps": [FLIP, {"color": {}}]}, "steps[2]", "step 2", "did you mean colour?"),
        (step({"rotate": {"degree": 5}}), "steps[1].rotate", "degree", "degrees"),
        (step({"rotate": {"degrees": [9, 3]}}), "steps[1].rotate.degrees", "starts above", ""),
        (step({"rotate": {"degrees": "x"}}), "steps[1].rotate.degrees", "degrees", ""),
        (step({"rotate": {"degrees": float("nan")}}), "steps[1].rotate.degrees", "finite", ""),
        (step({"crop": {"x": 1, "y": 1}}), "steps[1].crop", "give x, y, w and h", "random"),
        (step({"crop": {"random": {"min_scal": 1}}}), "steps[1].crop", "min_scal", "did you mean min_scale?"),
        (step({"resize": {"width": 16384, "height": 16384}}), "steps[1].resize", "megapixels", ""),
        (step({"resize": {"width": 0}}), "steps[1].resize.width", "greater", ""),
        (step({"letterbox": {"width": 9}}), "steps[1].letterbox.height", "lacks 'height'", ""),
        ({"name": "r", "steps": [FLIP], "copies": 2}, "copies", "identical", "copies: 1"),
        ({"name": "r", "steps": [FLIP], "copies": True}, "copies", "integer", ""),
        ({"name": "r", "steps": [FLIP], "keep": {"min_visible": 2}}, "keep.min_visible", "less than", ""),
        ("name: [", "recipe line", "YAML", "quotes"),
        ("just text", "recipe line 1", "not a mapping", "steps"),
        ("a: &a [*a, *a]", "recipe line 1", "alias", ""),
        ("name: r\nsteps:\n  - flip: {axis: up}\n", "recipe line 3, steps[1].flip.axis", "step 1", ""),
        ("name: r\nname: s\n", "recipe line 2", "repeated", ""),
    ],
)
def test_an_invalid_recipe_names_the_step_the_field_and_the_fix(value, where, said, fix):
    with pytest.raises(RecipeInvalid) as caught:
        parse(value)
    assert where in caught.value.where
    assert said in caught.value.message
    assert fix in caught.value.remedy
    assert caught.value.remedy


@pytest.mark.parametrize(
    "names, order",
    [
        (["nose", "left_eye", "right_eye"], (0, 2, 1)),
        (["eye_l", "eye_r"], (1, 0)),
        (["LShoulder", "RShoulder", "Neck"], (1, 0, 2)),
        (["Left ear", "Right ear"], (1, 0)),
        (["leftHand", "rightHand"], (1, 0)),
        (["top", "bottom"], None),
        (["left_eye", "nose"], None),
        (["bright", "bleft"], (1, 0)),
        ([], None),
    ],
)
def test_keypoints_pair_up_by_name(names, order):
    assert mirror_order(names) == order
