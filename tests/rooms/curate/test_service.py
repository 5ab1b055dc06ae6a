"""Splits without leakage, picks with reasons."""

from __future__ import annotations

import pytest
from tests.support.shops import make_shop

from calotype.curate import service
from calotype.curate.model import FractionsInvalid, SelectionSpec, SplitSpec, fractions
from calotype.datasets import service as datasets

SHARES = {"train": 0.5, "val": 0.25, "test": 0.25}


def test_every_sample_gets_a_split_and_both_classes_are_in_each(workspace, owner, tmp_path):
    make_shop(owner, workspace, tmp_path / "raw")
    service.split(owner, "shop", SplitSpec(SHARES), store=workspace)
    state = datasets.read(owner, "shop", store=workspace)
    counts = {name: state.count(f"split = {name}")["samples"] for name in SHARES}
    assert counts == {"train": 12, "val": 6, "test": 6}
    assert all(state.by_class(f"split = {name}")["car"] for name in SHARES)


def test_the_same_seed_gives_the_same_split(workspace, owner, tmp_path):
    make_shop(owner, workspace, tmp_path / "raw")
    service.split(owner, "shop", SplitSpec(SHARES, seed=3), store=workspace)
    first = datasets.read(owner, "shop", store=workspace).samples(columns=["name", "split"])
    service.split(owner, "shop", SplitSpec(SHARES, seed=3, keep_existing=False), store=workspace)
    assert datasets.read(owner, "shop", store=workspace).samples(columns=["name", "split"]).equals(first)


@pytest.mark.parametrize("by", ["random", "diversity"])
def test_each_pick_carries_its_reason(workspace, owner, tmp_path, by):
    make_shop(owner, workspace, tmp_path / "raw")
    picked = service.select(owner, "shop", SelectionSpec(5, by=by, seed=1), store=workspace)
    assert len({pick.sample_id for pick in picked.picks}) == 5
    assert all(pick.reason for pick in picked.picks)


@pytest.mark.parametrize("text", ["train", "train=x", "train=.5,val=.1"])
def test_shares_that_do_not_add_up_are_refused(workspace, owner, tmp_path, text):
    make_shop(owner, workspace, tmp_path / "raw", n=4)
    with pytest.raises(FractionsInvalid):
        service.split(owner, "shop", SplitSpec(fractions(text)), store=workspace)
