"""The handle of annotation work on a dataset."""

from __future__ import annotations

import pytest
from tests.support.onnx_models import constant_model

import calotype as ct


@pytest.fixture
def model(tmp_path):
    """A classifier that says dog of every image, with its description."""
    (tmp_path / "m.yaml").write_text("name: pets\nclasses: [car, dog]\nlicence: CC0-1.0\n")
    return constant_model(tmp_path / "m.onnx", {"logits": [[0.0, 3.0]]})


@pytest.mark.usefixtures("only_here")
class TestPredict:
    def test_answers_what_was_written(self, shop, model):
        config = model.with_suffix(".yaml")
        answer = shop.annotate.predict(str(model), config=str(config))
        assert (answer.label_set, answer.images, answer.by_class) == ("model:pets", 24, {"dog": 24})
        assert (answer.licence, answer.replaced, answer.failed) == ("CC0-1.0", 0, ())
        assert shop.where().annotations(label_set="model:pets").num_rows == 24
        assert shop.annotate.predict(model, config=config).to_dict()["replaced"] == 24

    def test_takes_a_query_and_a_label_set(self, shop, model):
        first = shop.where().samples(columns=["name"])["name"][0].as_py()
        options = {"config": model.with_suffix(".yaml"), "label_set": "model:b"}
        answer = shop.annotate.predict(model, where=ct.field("name") == first, **options)
        assert (answer.label_set, answer.images) == ("model:b", 1)

    def test_goes_to_the_branch_of_the_handle(self, shop, model):
        branch = shop.branch("night")
        branch.annotate.predict(model, config=model.with_suffix(".yaml"))
        assert branch.where().annotations(label_set="model:pets").num_rows == 24
        assert shop.where().annotations(label_set="model:pets").num_rows == 0

    @pytest.mark.parametrize(
        ("options", "code"),
        [
            ({"label_set": "ground_truth"}, "predict-options-invalid"),
            ({"config": "missing.yaml"}, "path-not-found"),
            ({"config": None}, "model-description-invalid"),
            ({"where": "nothing = 1"}, "query-field-unknown"),
        ],
    )
    def test_a_promised_error_has_its_code(self, shop, model, options, code):
        with pytest.raises(ct.CalotypeError) as refused:
            shop.annotate.predict(model, **{"config": model.with_suffix(".yaml"), **options})
        assert refused.value.code == code
