"""The verbs of a merge: what can be merged, how it is named, listed, resolved, landed and given up."""

from __future__ import annotations

import pytest

from calotype.datasets.change import Change


class TestMerge:
    """Commits of one ref come into a branch."""

    @pytest.mark.parametrize("form", ["branch", "tag", "id", "short id", "with the dataset"])
    def test_a_source_is_any_commit(self, forked, form):
        forked.put("s0", on="fix", split="train")
        head = forked.do("log", on="fix")[0]
        forked.do("tag", "v1", at="fix")
        source = {
            "branch": "fix",
            "tag": "v1",
            "id": head.id,
            "short id": head.short,
            "with the dataset": f"{forked.name}@fix",
        }[form]
        merged = forked.do("merge", source)
        assert (merged.state, merged.source, merged.source_commit) == ("landed", source, head.id)
        assert forked.splits() == {"s0": "train", "s1": ""}

    @pytest.mark.parametrize("named", ["by the name", "by into"])
    def test_the_target_is_the_branch_that_is_named(self, forked, named):
        forked.put("s0", split="val")
        merged = (
            forked.do("merge", "main", on="fix")
            if named == "by the name"
            else forked.do("merge", "main", into="fix")
        )
        assert merged.target == "fix"
        assert forked.splits(on="fix") == {"s0": "val", "s1": ""}

    def test_into_goes_before_the_branch_of_the_name(self, forked):
        forked.put("s0", split="val")
        forked.do("branch", "third", start=forked.first.id)
        assert forked.do("merge", "main", on="fix", into="third").target == "third"

    def test_its_facts(self, forked):
        forked.put("s0", on="fix", split="train")
        ours = forked.do("log")[0]
        merged = forked.do("merge", "fix")
        assert merged.counts == {
            "samples": {"put": 1, "removed": 0},
            "annotations": {"put": 0, "removed": 0},
            "conflicts": 0,
            "open": 0,
        }
        assert (merged.base_commit, merged.target_commit, merged.actor) == (
            forked.first.id,
            ours.id,
            "test:ana",
        )
        assert merged.finished_at_us >= merged.created_at_us

    @pytest.mark.parametrize(("message", "said"), [("", "Merge fix into main"), (" because \n", "because")])
    def test_its_commit_has_the_message(self, forked, message, said):
        forked.put("s0", on="fix", split="train")
        forked.do("merge", "fix", message=message)
        assert forked.do("log")[0].message == said

    def test_it_is_written_down(self, forked):
        forked.put("s0", on="fix", split="train")
        merged = forked.do("merge", "fix")
        assert forked.events()[-1] == (
            "dataset.merge",
            {
                "branch": "main",
                "merge": merged.id,
                "source": "fix",
                "commit": merged.merge_commit,
                "counts": merged.counts,
            },
        )

    def test_a_forward_merge_makes_a_commit_where_the_target_has_its_own(self, forked):
        forked.put("s0", on="fix", split="train")
        forked.put("s1", split="val")
        assert forked.do("merge", "fix", forward=True).state == "landed"
        assert len(forked.do("log")[0].parents) == 2

    @pytest.mark.parametrize(
        ("strategy", "splits"), [("ours", "val"), ("theirs", "train"), ("union", "val")], ids=str
    )
    def test_a_strategy_resolves_every_conflict(self, forked, strategy, splits):
        forked.conflict()
        merged = forked.do("merge", "fix", strategy=strategy)
        assert (merged.state, merged.counts["conflicts"], merged.counts["open"]) == ("landed", 2, 0)
        assert forked.splits()["s0"] == splits

    def test_the_same_edit_on_both_sides_is_no_conflict(self, forked):
        forked.put("s0", on="fix", split="train")
        forked.put("s0", split="train")
        assert forked.do("merge", "fix").counts["conflicts"] == 0

    def test_an_open_merge_leaves_the_target_as_it_is(self, shared_torn):
        assert shared_torn.splits()["s0"] == "val"
        assert shared_torn.do("uncommitted") is None


class TestPreview:
    """What a merge would do."""

    def test_it_counts_and_writes_nothing(self, forked):
        forked.conflict()
        n_events = len(forked.events())
        preview = forked.do("preview", "fix")
        assert (preview["conflicts"], preview["open"]) == (2, 2)
        assert (forked.do("merges"), len(forked.events())) == ([], n_events)

    def test_it_looks_at_the_branch_that_is_named(self, forked):
        forked.put("s0", split="val")
        assert forked.do("preview", "main", into="fix")["samples"] == {"put": 1, "removed": 0}


class TestMerges:
    """The list of merges and undos."""

    def test_the_newest_come_first(self, forked):
        merged = []
        for split in ("train", "val", "test"):
            forked.put("s0", on="fix", split=split)
            merged.append(forked.do("merge", "fix").id)
        assert [merge.id for merge in forked.do("merges")] == merged[::-1]

    def test_those_of_one_state(self, torn):
        torn.do("abandon")
        torn.do("merge", "fix", strategy="ours")
        assert [merge.state for merge in torn.do("merges")] == ["landed", "abandoned"]
        assert [merge.state for merge in torn.do("merges", state="abandoned")] == ["abandoned"]
        assert torn.do("merges", state="open") == []

    def test_a_merge_as_every_door_shows_it(self, shared_torn):
        (merge,) = shared_torn.do("merges")
        shown = merge.to_dict()
        assert (shown["source"], shown["into"], shown["state"], shown["commit"]) == (
            "fix",
            "main",
            "open",
            None,
        )
        assert shown["merge"] == merge.id


class TestConflicts:
    """What waits for a choice."""

    def test_they_show_all_three_sides(self, shared_torn):
        _, (first, second) = shared_torn.do("conflicts")
        assert (first.position, first.content.table, first.content.row_id, first.content.fields) == (
            1,
            "samples",
            "s0",
            ("split",),
        )
        assert [side["split"] for side in (first.content.base, first.content.ours, first.content.theirs)] == [
            "",
            "val",
            "train",
        ]
        assert (second.content.row_id, second.content.fields, second.state) == ("s1", ("licence",), "open")

    def test_a_merge_is_named_by_its_id_or_the_end_of_it(self, shared_torn):
        (merge,) = shared_torn.do("merges")
        for name in ("", merge.id, merge.id[-12:], merge.id[-6:]):
            assert shared_torn.do("conflicts", name)[0] == merge

    def test_a_conflict_as_every_door_shows_it(self, shared_torn):
        shown = shared_torn.do("conflicts")[1][0].to_dict()
        assert (shown["position"], shown["kind"], shown["id"], shown["fields"]) == (
            1,
            "fields",
            "s0",
            ["split"],
        )
        assert shown["theirs"]["split"] == "train"


class TestResolve:
    """Choices, kept until the merge lands."""

    @pytest.mark.parametrize(
        ("how", "split"),
        [
            ("ours", "val"),
            ("theirs", "train"),
            ("base", ""),
            ({"split": "test"}, "test"),
            ({"split": "ours"}, "val"),
        ],
        ids=["ours", "theirs", "base", "a value", "a side for a field"],
    )
    def test_a_choice_is_what_lands(self, torn, how, split):
        (resolved,) = torn.do("resolve", how, [1])
        assert (resolved.state, resolved.resolution, resolved.resolved_by) == ("resolved", how, "test:ana")
        torn.do("resolve", "ours")
        torn.do("land")
        assert torn.splits()["s0"] == split

    def test_a_later_choice_counts(self, torn):
        torn.do("resolve", "ours")
        torn.do("resolve", "theirs", [1])
        torn.do("land")
        assert torn.splits()["s0"] == "train"

    def test_all_leaves_alone_what_was_chosen(self, torn):
        torn.do("resolve", "theirs", [1])
        assert [conflict.position for conflict in torn.do("resolve", "ours")] == [2]

    def test_a_position_named_twice_counts_once(self, torn):
        assert [conflict.position for conflict in torn.do("resolve", "ours", [1, 1])] == [1]

    def test_review_keeps_it_waiting(self, torn):
        (waiting,) = torn.do("resolve", "review", [1])
        assert (waiting.state, waiting.resolution) == ("review", None)

    def test_it_is_written_down(self, torn):
        torn.do("resolve", "ours")
        verb, details = torn.events()[-1]
        assert (verb, details["n"], details["positions"], details["how"]) == (
            "dataset.merge.resolve",
            2,
            [1, 2],
            "ours",
        )


class TestLandAndAbandon:
    """An open merge ends."""

    def test_it_lands_as_the_merge_that_it_was(self, torn):
        (merge,) = torn.do("merges")
        torn.do("resolve", "theirs")
        landed = torn.do("land", merge.id[-6:], message="looked at")
        assert (landed.id, landed.state) == (merge.id, "landed")
        assert (torn.do("log")[0].message, torn.do("log")[0].id) == ("looked at", landed.merge_commit)

    def test_without_a_message_it_gets_one(self, torn):
        torn.do("resolve", "theirs")
        torn.do("land")
        assert torn.do("log")[0].message == "Merge fix into main"

    def test_given_up_it_can_be_merged_again(self, torn):
        given_up = torn.do("abandon")
        assert given_up.finished_at_us is not None
        assert torn.events()[-1] == ("dataset.merge.abandon", {"merge": given_up.id})
        assert torn.do("merge", "fix", strategy="theirs").state == "landed"

    def test_two_open_merges_are_named_one_by_one(self, torn):
        torn.do("branch", "late", start=torn.first.id)
        torn.put("s0", on="late", split="test")
        second = torn.do("merge", "late")
        assert len(torn.do("merges", state="open")) == 2
        assert torn.do("abandon", second.id).state == "abandoned"
        assert [merge.source for merge in torn.do("merges", state="open")] == ["fix"]


class TestUndo:
    """One commit is taken back."""

    def test_rows_that_it_added_changed_and_removed(self, forked):
        forked.add("s2")
        forked.do("apply", Change(remove_samples=["s1"]))
        forked.put("s0", split="val")
        undone = forked.do("undo", "main")
        assert (undone.state, undone.source) == ("landed", f"undo:{forked.do('log')[1].id}")
        assert forked.splits() == {"s0": "", "s1": ""}

    def test_its_message(self, forked):
        forked.put("s0", split="val")
        forked.do("undo", "main", message="by mistake")
        assert forked.do("log")[0].message == "by mistake"

    def test_on_another_branch(self, forked):
        forked.put("s0", on="fix", split="val")
        assert forked.do("undo", "fix", on="fix").target == "fix"
        assert forked.splits(on="fix")["s0"] == ""

    def test_an_undo_is_undone(self, forked):
        forked.put("s0", split="val")
        undone = forked.do("undo", "main")
        forked.do("undo", undone.merge_commit)
        assert forked.splits()["s0"] == "val"

    @pytest.mark.parametrize(("strategy", "split"), [("ours", "test"), ("theirs", "")])
    def test_a_strategy_resolves_what_later_commits_changed_too(self, forked, strategy, split):
        forked.put("s0", split="val")
        bad = forked.do("log")[0].id
        forked.put("s0", split="test")
        forked.put("s1", split="val")
        if strategy == "theirs":
            forked.do("undo", bad, strategy=strategy)
        else:
            assert forked.do("undo", bad).is_open
            forked.do("resolve", strategy)
        assert forked.splits()["s0"] == split


class TestProtect:
    """A branch that takes merges only."""

    def test_its_rules_are_listed_and_written_down(self, forked):
        ref = forked.do("protect", "fix")
        assert (ref.name, ref.protection) == ("fix", {"gates": True})
        assert forked.events()[-1] == ("dataset.protect", {"branch": "fix", "rules": {"gates": True}})
        assert {ref.name: ref.protection for ref in forked.do("list_refs")} == {
            "fix": {"gates": True},
            "main": None,
        }

    def test_it_is_lifted_by_empty_rules(self, forked):
        forked.do("protect", "fix")
        assert forked.do("protect", "fix", {}).protection is None
        forked.put("s0", on="fix", split="val")

    def test_reading_branching_and_tagging_stay_open(self, forked):
        forked.do("protect", "main")
        assert forked.ids() == ["s0", "s1"]
        assert forked.do("branch", "more").commit_id == forked.do("tag", "v1").commit_id == forked.first.id


class TestBlame:
    """Who made a row what it is."""

    def test_a_sample_by_its_id_and_by_its_name(self, forked):
        forked.put("s0", split="val")
        for target in ("s0", "s0.jpg"):
            (found,) = forked.do("blame", target)
            assert (found.id, found.created.commit.id) == ("s0", forked.first.id)
            assert found.changed.commit.message == "s0 on main"

    def test_at_a_ref(self, forked):
        forked.put("s0", split="val")
        (found,) = forked.do("blame", "s0", on="fix")
        assert found.changed.commit.id == forked.first.id
