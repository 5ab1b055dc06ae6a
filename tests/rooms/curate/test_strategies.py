"""Selections of a dataset: which vectors they use, what they know, and the replay of labels."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import typer
from tests.support.shops import make_shop
from typer.core import TyperOption

from calotype.curate import service, vectors
from calotype.curate.commands import curate
from calotype.curate.model import SelectionSpec, SplitFieldUnknown, StrategyUnknown
from calotype.curate.routes import NewSelection
from calotype.datasets import service as datasets
from calotype.datasets.change import Change
from calotype.datasets.model import Annotation, Kind
from calotype.datasets.snapshot import LabelSetNotFound
from calotype.foundation.terminal import Terminal
from calotype.pipeline.model import Curate as Stage
from calotype.selection.select import FORMER_NAMES, NAMES
from calotype.selection.select import select as analysis_select

N = 60


@pytest.fixture
def shop(owner, workspace, tmp_path):
    """Dataset `shop` of 60 drawn pictures; the state."""
    make_shop(owner, workspace, tmp_path / "raw", n=N)
    return datasets.read(owner, "shop", store=workspace)


def own_vectors(seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((N, 8)).astype(np.float32) + 4 * np.eye(8, dtype=np.float32)[np.arange(N) % 2]


def classify(owner, workspace, state, rows, label_set="ground_truth", score=None):
    """Class car on the even ones of `rows`, dog on the odd ones, instead of all annotations there are."""
    old = state.annotations(columns=["ann_id"])["ann_id"].to_pylist() if label_set == "ground_truth" else []
    ids = state.ids()
    new = [
        Annotation(f"{at:031x}c", ids[at], Kind.CLASSIFICATION, at % 2, score=score if at > 3 else 0.5)
        for at in rows
    ]
    change = Change(put_annotations={label_set: new}, remove_annotations={"ground_truth": old} if old else {})
    datasets.apply(owner, "shop", change, store=workspace)


def picked(owner, workspace, n=6, **options):
    return service.select(owner, "shop", SelectionSpec(n, **options), store=workspace)


def test_without_vectors_the_weightless_ones_are_used_and_a_note_says_how_to_get_better_ones(
    owner, workspace, shop
):
    selection = picked(owner, workspace)
    assert (selection.by, selection.embedder) == ("clusters", "hog-colour-v2")
    assert any("calotype embed shop" in note for note in selection.notes)


def test_the_best_stored_vectors_are_used_and_named(owner, workspace, shop):
    for model in ("lite0-int8-v1", "hog-colour-v2"):
        vectors.put_vectors(owner, "shop", model, shop.ids(), own_vectors(), store=workspace)
    assert picked(owner, workspace).embedder == "lite0-int8-v1"
    vectors.put_vectors(owner, "shop", "dino", shop.ids(), own_vectors(1), store=workspace)
    assert picked(owner, workspace).embedder == "dino"
    assert picked(owner, workspace, embedder="lite0").embedder == "lite0-int8-v1"
    assert not any("calotype embed" in note for note in picked(owner, workspace).notes)


def test_the_old_name_of_diverse_is_accepted(owner, workspace, shop):
    old, new = (picked(owner, workspace, by=by) for by in ("diversity", "diverse"))
    assert (old.picks, old.by) == (new.picks, "diverse")
    with pytest.raises(StrategyUnknown):
        picked(owner, workspace, by="newest")


def test_labelled_samples_are_not_picked_while_there_are_others(owner, workspace, shop):
    classify(owner, workspace, shop, range(20))
    labelled = set(shop.ids()[:20])
    assert not labelled & set(picked(owner, workspace, n=30, by="coverage").sample_ids)
    assert any("labelled ones are picked too" in note for note in picked(owner, workspace, n=50).notes)


def test_predictions_of_a_label_set_say_what_is_uncertain(owner, workspace, shop):
    vectors.put_vectors(owner, "shop", "own", shop.ids(), own_vectors(), store=workspace)
    classify(owner, workspace, shop, [])
    classify(owner, workspace, shop, range(N), label_set="model:a", score=1.0)
    doubtful = set(shop.ids()[:4])
    selection = picked(owner, workspace, n=4, by="uncertain", predictions="model:a")
    assert set(selection.sample_ids) == doubtful
    with pytest.raises(LabelSetNotFound):
        picked(owner, workspace, by="uncertain", predictions="model:b")


def test_each_value_of_a_field_keeps_its_share(owner, workspace, shop):
    ids = shop.ids()
    half = [shop.sample(i) for i in ids[:30]]
    datasets.apply(
        owner, "shop", Change(put_samples=[replace(s, source="night") for s in half]), store=workspace
    )
    chosen = set(picked(owner, workspace, n=10, by="coverage", group="source").sample_ids)
    assert len(chosen & set(ids[:30])) == 5
    with pytest.raises(SplitFieldUnknown):
        picked(owner, workspace, group="weather")


def test_the_replay_of_labels_compares_strategies_with_random(owner, workspace, shop):
    vectors.put_vectors(owner, "shop", "own", shop.ids(), own_vectors(), store=workspace)
    classify(owner, workspace, shop, range(N))
    curve = service.simulate(owner, "shop", SelectionSpec(16), store=workspace)
    assert curve.budgets == (2, 4, 8, 16)
    assert set(curve.accuracy) == {"random", "clusters", "coverage", "typical", "diverse", "uncertain"}
    assert curve.accuracy["coverage"][-1] > 0.9
    columns, cells = curve.table()
    assert (columns[0], [row[0] for row in cells]) == ("labels", ["2", "4", "8", "16"])


def test_the_command_names_the_strategy_and_the_vectors_and_prints_notes(owner, workspace, shop, capsys):
    terminal = Terminal(actor=owner, opened=workspace)
    app = typer.Typer()
    app.command()(curate)
    command = typer.main.get_command(app)
    command.main(["shop", "6"], obj=terminal, standalone_mode=False)
    shown = " ".join(capsys.readouterr().err.split())
    assert "picked by clusters on hog-colour-v2" in shown
    assert "calotype embed shop --model lite0" in shown
    command.main(["shop", "6", "--by", "random"], obj=terminal, standalone_mode=False)
    shown = " ".join(capsys.readouterr().err.split())
    assert "picked by random" in shown
    assert "calotype embed" not in shown


def listed(text):
    """Words of a text that are names of strategies."""
    return {word.strip("`,.:|") for word in text.replace("(", " ").split()} & set(NAMES)


def test_every_door_lists_the_same_strategies():
    strategies = set(NAMES) - set(FORMER_NAMES)
    web = (
        Path(__file__).parents[3].joinpath("web/src/rooms/curate/components/strategies.ts").read_text("utf-8")
    )
    keys = set(re.findall(r"^  (\w+): \"", web, re.MULTILINE))
    app = typer.Typer()
    app.command()(curate)
    options = typer.main.get_command(app).params
    (by,) = [one for one in options if isinstance(one, TyperOption) and one.name == "by"]
    assert keys == strategies
    assert listed(by.help) == strategies
    assert listed(NewSelection.model_fields["by"].description) == strategies
    assert listed(analysis_select.__doc__) == strategies
    assert listed(Stage.model_fields["by"].description) == strategies
