"""An export names a label set that the dataset has."""

from __future__ import annotations

import pytest
from tests.support.cities import make_city
from tests.support.refusals import assert_refused

from calotype.datasets.snapshot import LabelSetNotFound
from calotype.release import service
from calotype.release.model import ExportSpec


def test_an_unknown_label_set(workspace, owner, tmp_path):
    make_city(owner, workspace)
    with pytest.raises(LabelSetNotFound) as refused:
        service.export(
            owner, "city", ExportSpec("coco", label_set="nobody"), tmp_path / "out", store=workspace
        )
    assert_refused(refused, "label-set-not-found", "city", "'nobody'", fix="ground_truth")
    assert not (tmp_path / "out").exists()
