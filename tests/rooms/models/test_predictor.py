"""Detectors and classifiers that are ONNX files: every style of output gives the boxes that are known to be in it."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import TensorProto
from tests.support.onnx_models import COLOURS, colour_detector, constant_model, ultralytics_metadata

from calotype.models.description import parse
from calotype.models.model import ModelDescriptionInvalid
from calotype.models.predictor import Predictor, predictor

NAMES = ["cat", "dog"]
IMAGE = np.zeros((32, 64, 3), np.uint8)
"""64 x 32 px: in an input of 64 x 64, a letterbox begins at row 16."""
EXPECTED = [("dog", 0.75, [10, 4, 30, 24]), ("cat", 0.5, [40, 0, 64, 16])]
"""What the models below say of it, where the box of the cat reaches beyond the image."""
XYXY = [[10, 20, 30, 40], [40, 10, 70, 32], [11, 20, 31, 40], [0, 0, 5, 5]]
"""Pixels of the input; the third is the dog again, the fourth is in the bar of the letterbox."""
SCORES = [[0, 0.75], [0.5, 0], [0, 0.7], [0.9, 0]]


def centred(boxes):
    boxes = np.asarray(boxes, float)
    return np.concatenate([(boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]], axis=1)


def said(model, text="", *, image=IMAGE, classes=True):
    """Class, score and box of each prediction for one image."""
    names = f"classes: {NAMES}\n" if classes else ""
    runner = Predictor(model, parse(names + text, file="m.yaml"))
    return of(runner, image)


def of(runner, image):
    framing = runner.framing((image.shape[1], image.shape[0]))
    only = runner.predict([runner.tensor(image, framing)], [framing])[0]
    rows = zip(only.classes, only.scores, only.boxes_xyxy_px, strict=True)
    return [(runner.classes[at], round(float(s), 4), np.round(box, 4).tolist()) for at, s, box in rows]


def refusal(call, *args, **options):
    with pytest.raises(ModelDescriptionInvalid) as refused:
        call(*args, **options)
    return refused.value


class TestStyles:
    def test_yolo_v8(self, tmp_path):
        output = np.concatenate([centred(XYXY), SCORES], axis=1).T[None]
        output = np.concatenate([output, np.zeros((1, 6, 4))], axis=2)
        model = constant_model(tmp_path / "m.onnx", {"output0": output})
        assert said(model) == EXPECTED

    def test_yolo_v5_with_objectness(self, tmp_path):
        objectness = np.full((4, 1), 0.5)
        rows = np.concatenate([centred(XYXY), objectness, np.multiply(SCORES, 2)], axis=1)
        rows[3, 5:] = 0
        model = constant_model(tmp_path / "m.onnx", {"output0": rows[None]})
        assert said(model, "output: {activation: none}") == EXPECTED

    def test_end_to_end_is_not_suppressed_again(self, tmp_path):
        rows = [[*box, max(s), int(np.argmax(s))] for box, s in zip(XYXY, SCORES, strict=True)]
        model = constant_model(tmp_path / "m.onnx", {"output0": [rows]})
        assert said(model) == [EXPECTED[0], ("dog", 0.7, [11, 4, 31, 24]), EXPECTED[1]]
        assert said(model, "iou: 0.5") == EXPECTED

    def test_yolo_v8_with_masks_gives_the_boxes(self, tmp_path):
        output = np.concatenate([centred(XYXY), SCORES, np.full((4, 32), 9)], axis=1).T[None]
        output = np.concatenate([output, np.zeros((1, 38, 60))], axis=2)
        outputs = {"output0": output, "output1": np.zeros((1, 32, 16, 16))}
        assert said(constant_model(tmp_path / "m.onnx", outputs)) == EXPECTED

    def test_ssd_with_scores_by_class_and_background(self, tmp_path):
        scores = np.concatenate([np.full((4, 1), 0.1), SCORES], axis=1)
        outputs = {"scores": scores[None], "boxes": np.array(XYXY)[None] / 64}
        model = constant_model(tmp_path / "m.onnx", outputs)
        assert said(model, "input: {resize: letterbox}") == EXPECTED

    def test_ssd_stretches_unless_it_is_described(self, tmp_path):
        outputs = {"scores": [[[0.1, 0, 0.75]]], "boxes": [[[0.25, 0.5, 0.5, 1.0]]]}
        assert said(constant_model(tmp_path / "m.onnx", outputs)) == [("dog", 0.75, [16, 16, 32, 32])]

    def test_a_detector_of_tensorflow(self, tmp_path):
        outputs = {
            "detection_boxes": [[[0.0, 0.25, 0.5, 0.5], [0, 0, 1, 1]]],
            "detection_classes": [[2.0, 1.0]],
            "detection_multiclass_scores": [[[0.1, 0.2, 0.7], [0.1, 0.2, 0.7]]],
            "detection_scores": [[0.8, 0.7]],
            "num_detections": [1.0],
            "raw_detection_boxes": [[[0.0, 0, 0, 0], [0, 0, 0, 0]]],
        }
        model = constant_model(tmp_path / "m.onnx", outputs, shape=(1, 64, 64, 3), type=TensorProto.UINT8)
        assert said(model, "first_class: 1") == [("dog", 0.8, [16, 0, 32, 16])]

    def test_a_detector_of_torchvision_takes_one_image_of_any_size(self, tmp_path):
        outputs = {
            "boxes": [[4.0, 2, 20, 30], [0, 0, 3, 3]],
            "labels": np.array([2, 1]),
            "scores": [0.9, 0.1],
        }
        model = constant_model(tmp_path / "m.onnx", outputs, shape=(3, "height", "width"))
        text = "classes: {1: person, 2: bicycle}"
        assert said(model, text, classes=False) == [("bicycle", 0.9, [4, 2, 20, 30])]

    @pytest.mark.parametrize(
        ("values", "text", "score"),
        [
            ([0.0, np.log(3.0)], "", 0.75),
            ([0.25, 0.75], "", 0.75),
            ([0.0, np.log(3.0)], "output: {activation: sigmoid}", 0.75),
            ([0.5, 0.75], "output: {activation: none}", 0.75),
        ],
        ids=["logits", "probabilities", "sigmoid", "independent"],
    )
    def test_a_classifier(self, tmp_path, values, text, score):
        model = constant_model(tmp_path / "m.onnx", {"logits": [values]})
        assert said(model, text) == [("dog", score, [0, 0, 0, 0])]

    def test_a_classifier_gives_the_best_classes_above_a_score(self, tmp_path):
        model = constant_model(tmp_path / "m.onnx", {"logits": [[0.2, 0.7, 0.1]]})
        text = "classes: [a, b, c]\ntop_k: 3\nmin_score: 0.15"
        assert [row[:2] for row in said(model, text, classes=False)] == [("b", 0.7), ("a", 0.2)]

    def test_outputs_are_named_or_numbered_by_the_description(self, tmp_path):
        outputs = {"u": [[[0.1, 0, 0.75]]], "v": [[[0.0, 0, 0, 0]]], "w": [[[0.25, 0.5, 0.5, 1.0]]]}
        model = constant_model(tmp_path / "m.onnx", outputs)
        expected = [("dog", 0.75, [16, 16, 32, 32])]
        assert said(model, "output: {style: ssd, boxes: w, scores: 0}") == expected
        assert refusal(said, model, "output: {style: ssd, boxes: x}").where == "m.yaml line 2, output.boxes"


class TestInput:
    def draw(self, size_wh, boxes):
        image = np.full((size_wh[1], size_wh[0], 3), 20, np.uint8)
        for colour, (x1, y1, x2, y2) in boxes.items():
            image[y1:y2, x1:x2] = COLOURS[colour]
        return image

    @pytest.mark.parametrize("size_wh", [(96, 96), (192, 96), (60, 96), (48, 24), (960, 480)])
    @pytest.mark.parametrize("text", ["", "input: {resize: stretch}", "input: {pad_at: end, pad: 0}"])
    def test_boxes_are_in_pixels_of_the_image(self, tmp_path, size_wh, text):
        model = colour_detector(tmp_path / "m.onnx", metadata=ultralytics_metadata(dict(enumerate(COLOURS))))
        width, height = size_wh
        places = {
            "green": (width // 2, 0, width, height // 3),
            "blue": (width // 6, height // 2, width // 3, height),
        }
        text = f"min_score: 0.5\n{text}"  # the grey of the bars is 114 / 255
        answer = said(model, text, image=self.draw(size_wh, places), classes=False)
        assert {row[0] for row in answer} == {"green", "blue"}
        for name, score, box in answer:
            pixel = max(width, height) / 96
            assert score > 0.9
            assert np.abs(np.subtract(box, places[name])).max() <= 1.01 * max(1.0, pixel)

    def test_an_image_of_the_size_of_the_input_is_exact(self, tmp_path):
        model = colour_detector(tmp_path / "m.onnx", metadata=ultralytics_metadata(dict(enumerate(COLOURS))))
        places = {"red": (5, 6, 17, 40), "blue": (50, 50, 96, 96)}
        answer = said(model, image=self.draw((96, 96), places), classes=False)
        assert {row[0]: row[2] for row in answer} == {name: list(box) for name, box in places.items()}

    def test_the_order_of_colours_is_that_of_the_description(self, tmp_path):
        model = colour_detector(tmp_path / "m.onnx", metadata=ultralytics_metadata(dict(enumerate(COLOURS))))
        image = self.draw((96, 96), {"red": (5, 6, 17, 40)})
        assert [row[0] for row in said(model, image=image, classes=False)] == ["red"]
        text = "input: {colour: BGR}"
        assert [row[0] for row in said(model, text, image=image, classes=False)] == ["blue"]

    @pytest.mark.parametrize("batch", [1, 3, "n"])
    def test_images_are_run_together_as_the_model_allows(self, tmp_path, batch):
        names = ultralytics_metadata(dict(enumerate(COLOURS)))
        runner = predictor(colour_detector(tmp_path / "m.onnx", batch=batch, metadata=names))
        images = [self.draw((96, 96), {"red": (5, 6, 17, 40 + at)}) for at in range(10)]
        framings = [runner.framing((96, 96)) for _ in images]
        answers = runner.predict(
            [runner.tensor(i, f) for i, f in zip(images, framings, strict=True)], framings
        )
        assert [each.boxes_xyxy_px[0, 3] for each in answers] == [40 + at for at in range(10)]

    def test_values_are_scaled_as_described(self, tmp_path):
        model = constant_model(tmp_path / "m.onnx", {"logits": [[0.0, 1.0]]}, shape=(1, 3, 8, 8))
        text = f"classes: {NAMES}\ninput: {{divide_by: 2, mean: [10, 20, 30], std: [1, 2, 4]}}"
        runner = Predictor(model, parse(text))
        pixels = np.full((8, 8, 3), 100, np.uint8)
        values = runner.tensor(pixels, runner.framing((8, 8)))
        assert values.shape == (3, 8, 8)
        assert np.allclose(values[:, 0, 0], [40, 15, 5])

    def test_a_model_of_grey_images_gets_the_luma(self, tmp_path):
        model = constant_model(tmp_path / "m.onnx", {"logits": [[0.0, 1.0]]}, shape=(1, 1, 8, 8))
        runner = Predictor(model, parse(f"classes: {NAMES}\ninput: {{mean: 0, std: 1}}"))
        red = np.zeros((8, 8, 3), np.uint8)
        red[..., 0] = 255
        assert np.allclose(runner.tensor(red, runner.framing((8, 8))), 0.299)

    def test_a_size_that_is_not_fixed_comes_from_metadata_or_description(self, tmp_path):
        names = ultralytics_metadata(dict(enumerate(COLOURS)), size=128)
        known = predictor(colour_detector(tmp_path / "a.onnx", size=None, metadata=names))
        assert known.framing((10, 10)).input_wh == (128, 128)
        plain = colour_detector(tmp_path / "b.onnx", size=None)
        text = "classes: [red, green, blue]\n"
        described = Predictor(plain, parse(text + "input: {size: [64, 32]}"))
        assert described.framing((10, 10)).input_wh == (64, 32)
        assert refusal(Predictor, plain, parse(text)).where == "b.onnx, input.size".replace(
            "b.onnx", "description line 1"
        )

    def test_a_side_that_is_fixed_cannot_be_described_otherwise(self, tmp_path):
        model = constant_model(tmp_path / "m.onnx", {"logits": [[0.0, 1.0]]}, shape=(1, 3, 48, "width"))
        assert refusal(said, model, "input: {size: [320, 64]}").remedy == "write `size: [WIDTH, 48]`"
        assert said(model, "input: {size: [320, 48]}")


class TestClasses:
    def model(self, tmp_path):
        rows = np.concatenate([centred(XYXY[:2]), SCORES[:2]], axis=1).T[None]
        return constant_model(tmp_path / "m.onnx", {"output0": np.pad(rows, ((0, 0), (0, 0), (0, 9)))})

    def test_are_mapped_to_those_of_the_ontology(self, tmp_path):
        answer = said(self.model(tmp_path), "class_map: {dog: animal}")
        assert [row[0] for row in answer] == ["animal", "cat"]

    def test_are_dropped(self, tmp_path):
        assert [row[0] for row in said(self.model(tmp_path), "class_map: {dog: null}")] == ["cat"]
        text = "class_map: {dog: animal}\nothers: drop"
        runner = Predictor(self.model(tmp_path), parse(f"classes: {NAMES}\n{text}"))
        assert runner.classes == ("animal",)
        assert [row[0] for row in of(runner, IMAGE)] == ["animal"]

    def test_that_become_one_suppress_each_other(self, tmp_path):
        rows = [[20, 20, 8, 8, 0.9, 0.0], [20, 20, 8, 8, 0.0, 0.8]]
        model = constant_model(
            tmp_path / "m.onnx", {"o": np.pad(np.array(rows).T[None], ((0, 0), (0, 0), (0, 9)))}
        )
        assert len(said(model)) == 2
        assert len(said(model, "class_map: {dog: animal, cat: animal}")) == 1

    def test_come_from_a_file_beside_the_description(self, tmp_path):
        model = self.model(tmp_path)
        (tmp_path / "names.txt").write_text("kitten\n\npuppy\n")
        (tmp_path / "m.yaml").write_text("classes: names.txt\n")
        assert predictor(model, tmp_path / "m.yaml").classes == ("kitten", "puppy")
        (tmp_path / "m.yaml").write_text("classes: ../names.txt\n")
        assert "outside the folder" in str(refusal(predictor, model, tmp_path / "m.yaml"))
        (tmp_path / "m.yaml").write_text("classes: /etc/passwd\n")
        assert "outside the folder" in str(refusal(predictor, model, tmp_path / "m.yaml"))

    def test_a_map_may_name_some_of_them(self, tmp_path):
        answer = said(self.model(tmp_path), "classes: {1: dog}", classes=False)
        assert [row[0] for row in answer] == ["dog"]


WRONG = [
    ("task: classification", "task", "look like detection"),
    ("input: {size: 32}", "input.size", "[1, 3, 64, 64]"),
    ("input: {layout: NHWC}", "input.layout", "[1, 3, 64, 64]"),
    ("input: {colour: grey}", "input.colour", "[1, 3, 64, 64]"),
    ("output: {style: yolo-v5}", "classes", "the model has 6 classes"),
    ("output: {style: end-to-end}", "output.style", "end-to-end has 6 columns"),
    ("output: {box_format: xyxy}", "output.box_format", "end before they begin"),
    ("output: {normalised: true}", "output.normalised", "pixels"),
    ("class_map: {doog: x}", "class_map", "no class 'doog'"),
    ("class_map: {dog: null, cat: null}", "class_map", "no class of the model is left"),
    (f"sha256: {'a' * 64}", "sha256", "the file has the SHA-256"),
    ("sha256: x", "sha256", ""),
    ("min_score: 2", "min_score", "less than or equal to 1"),
    ("input: {sizes: 3}", "input.sizes", "did you mean 'size'"),
    ("input: {size: [9, 9, 9]}", "input.size", ""),
    ("output: {boxes: {a: 1}}", "output.boxes", ""),
    ("class_map: &x {dog: a}", "", "alias or an anchor"),
    ("first_class: true", "first_class", ""),
    ("name: a/b", "name", ""),
]


@pytest.mark.parametrize(("text", "key", "detail"), WRONG, ids=[row[0][:40] for row in WRONG])
def test_a_wrong_description_is_refused_with_its_key_and_what_the_model_has(tmp_path, text, key, detail):
    output = np.zeros((1, 6, 11))
    output[0, :, :4] = np.concatenate([centred(XYXY), SCORES], axis=1).T
    model = constant_model(tmp_path / "m.onnx", {"output0": output})
    error = refusal(said, model, text)
    line = 1 if key == "classes" else 2
    assert error.where == (f"m.yaml line {line}, {key}" if key else "m.yaml line 2")
    assert detail in error.message
    assert error.remedy


def test_classes_that_do_not_fit_are_counted(tmp_path):
    model = constant_model(tmp_path / "m.onnx", {"output0": np.zeros((1, 9, 100))})
    assert "2 names are given (numbers up to 1), the model has 5 classes" in refusal(said, model).message
    nameless = refusal(said, model, classes=False)
    assert "the model has 5 classes and does not name them" in nameless.message


def test_one_class_with_six_columns_is_ambiguous(tmp_path):
    model = constant_model(tmp_path / "m.onnx", {"output0": np.zeros((1, 300, 6))})
    assert refusal(said, model, "classes: [cat]", classes=False).where == "m.yaml line 1, output.style"
    assert said(model, "classes: [cat]\noutput: {style: yolo-v5}", classes=False) == []


def test_probabilities_that_do_not_add_up_ask_for_their_kind(tmp_path):
    model = constant_model(tmp_path / "m.onnx", {"logits": [[0.9, 0.8]]})
    assert "do not add up to 1" in refusal(said, model).message


def test_a_class_without_a_name_is_refused(tmp_path):
    outputs = {"boxes": [[[0.0, 0, 1, 1]]], "scores": [[0.9]], "labels": np.array([[2]])}
    error = refusal(said, constant_model(tmp_path / "m.onnx", outputs))
    assert "the model gives the class 2; names are given for 0 to 1" in error.message


def test_scores_that_are_not_numbers_are_refused(tmp_path):
    outputs = {"boxes": [[[0.0, 0, 1, 1]]], "scores": [[np.nan]], "labels": np.array([[1]])}
    assert "not from 0 to 1" in refusal(said, constant_model(tmp_path / "m.onnx", outputs)).message


@pytest.mark.parametrize("task", ["obb"])
def test_models_for_other_things_are_refused(tmp_path, task):
    names = ultralytics_metadata({0: "cat", 1: "dog"}, task=task)
    model = constant_model(tmp_path / "m.onnx", {"output0": np.zeros((1, 7, 100))}, metadata=names)
    assert "rotated boxes" in refusal(predictor, model).message
