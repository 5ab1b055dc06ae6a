"""What the verbs of versions refuse: the code, what it names, and the way out."""

from __future__ import annotations

import pytest
from tests.support.cities import ANA, GIL
from tests.support.refusals import assert_refused

from calotype.datasets import refs
from calotype.datasets.committing import MessageInvalid, WorkingStateDirty
from calotype.findings.gatekeeping import Verdict
from calotype.findings.model import Gate, GateState
from calotype.foundation.errors import NotPermitted
from calotype.versions import service as versions
from calotype.versions.blame import BlameTargetNotFound
from calotype.versions.merge_execution import (
    MergeBehind,
    MergeBlocked,
    MergeClosed,
    NothingToMerge,
    NothingToUndo,
)
from calotype.versions.model import MergeConflictsOpen, ResolutionInvalid
from calotype.versions.protection import ProtectionInvalid
from calotype.versions.service import ConflictNotFound, MergeNotFound

VERBS = {
    "merge": ("fix",),
    "undo": ("main",),
    "preview": ("fix",),
    "merges": (),
    "conflicts": (),
    "resolve": ("ours",),
    "land": (),
    "abandon": (),
    "protect": ("main",),
    "blame": ("s0",),
}
READS = {"preview", "merges", "conflicts", "blame"}


GREEN, RED = GateState.GREEN, GateState.RED


def gate(name, state, detail=""):
    return Gate(name, name, state, 1, 0, "findings", detail)


def gates(*listed):
    """A gatekeeper that says this of every state."""
    return lambda *_: Verdict(listed)


class TestEverybody:
    """Who may, and on what."""

    @pytest.mark.parametrize("verb", sorted(VERBS.keys() - READS))
    def test_a_reader_may_not_write(self, shared_torn, verb):
        with pytest.raises(NotPermitted) as caught:
            getattr(versions, verb)(GIL, shared_torn.name, *VERBS[verb], store=shared_torn.store)
        assert caught.value.code == "not-permitted"
        assert caught.value.message.startswith("gil does not have the permission ")
        assert f" on {shared_torn.name}; rule: " in caught.value.message

    def test_a_reader_may_read(self, shared_torn):
        for verb in sorted(READS):
            getattr(versions, verb)(GIL, shared_torn.name, *VERBS[verb], store=shared_torn.store)

    @pytest.mark.parametrize("verb", sorted(VERBS))
    def test_a_dataset_that_is_not_there(self, written, verb):
        with pytest.raises(refs.DatasetNotFound) as caught:
            getattr(versions, verb)(ANA, "nowhere", *VERBS[verb], store=written)
        assert caught.value.fields["name"] == "nowhere"

    @pytest.mark.parametrize(
        ("verb", "args", "options"),
        [
            ("merge", ("nowhere",), {}),
            ("merge", ("fix",), {"into": "nowhere"}),
            ("preview", ("nowhere",), {}),
            ("undo", ("nowhere",), {}),
            ("undo", ("main",), {"on": "nowhere"}),
            ("protect", ("nowhere",), {}),
            ("blame", ("s0",), {"on": "nowhere"}),
        ],
    )
    def test_a_ref_that_is_not_there(self, shared_fork, verb, args, options):
        with pytest.raises(refs.RefNotFound) as caught:
            shared_fork.do(verb, *args, **options)
        assert_refused(
            caught,
            "ref-not-found",
            shared_fork.name,
            "'nowhere'",
            fix="fix, main",
        )

    @pytest.mark.parametrize(("verb", "args"), [("merge", ("main",)), ("protect", ())])
    def test_a_tag_is_not_a_branch(self, forked, verb, args):
        forked.do("tag", "v1")
        with pytest.raises(refs.RefNotFound, match="'v1'"):
            if verb == "merge":
                forked.do("merge", "main", into="v1")
            else:
                forked.do("protect", "v1")


class TestMerge:
    """A merge that cannot begin."""

    @pytest.mark.parametrize("source", ["fix", "main", "main~0"])
    def test_nothing_new(self, shared_fork, source):
        with pytest.raises(NothingToMerge) as caught:
            shared_fork.do("merge", source)
        assert_refused(
            caught,
            "nothing-to-merge",
            "main",
            shared_fork.name,
            source,
            fix=source,
        )

    def test_edits_of_the_source_that_are_not_committed_do_not_count(self, forked):
        forked.add("s2", on="fix")
        with pytest.raises(NothingToMerge):
            forked.do("merge", "fix")

    @pytest.mark.parametrize("verb", ["merge", "preview"])
    def test_edits_of_the_target_that_are_not_committed(self, forked, verb):
        forked.put("s0", on="fix", split="train")
        forked.add("s2")
        with pytest.raises(WorkingStateDirty) as caught:
            forked.do(verb, "fix")
        assert_refused(
            caught,
            "working-state-dirty",
            "main",
            forked.name,
            fix=f"`calotype commit {forked.name}@main -m MESSAGE`",
        )

    @pytest.mark.parametrize("verb", ["merge", "undo"])
    def test_an_unknown_strategy(self, shared_fork, verb):
        with pytest.raises(ResolutionInvalid) as caught:
            shared_fork.do(verb, "fix", strategy="mine")
        assert_refused(
            caught,
            "merge-resolution-invalid",
            "'mine'",
            fix="ours, theirs, union",
        )

    @pytest.mark.parametrize("verb", ["merge", "undo"])
    def test_a_message_that_is_too_long(self, forked, verb):
        forked.put("s0", on="fix", split="train")
        with pytest.raises(MessageInvalid):
            forked.do(verb, "fix" if verb == "merge" else "main", message="x" * 10_001)


class TestOpen:
    """A merge that waits."""

    def test_none_is_open(self, shared_fork):
        for verb, args in (("conflicts", ()), ("land", ()), ("abandon", ()), ("resolve", ("ours",))):
            with pytest.raises(MergeNotFound) as caught:
                shared_fork.do(verb, *args)
            assert_refused(
                caught,
                "merge-not-found",
                shared_fork.name,
                "0 are open",
                fix=f"`calotype merge {shared_fork.name} --list`",
            )

    def test_several_are_open(self, torn):
        torn.do("branch", "late", start=torn.first.id)
        torn.put("s0", on="late", split="test")
        torn.do("merge", "late")
        with pytest.raises(MergeNotFound, match="2 are open"):
            torn.do("land")

    @pytest.mark.parametrize("named", ["0" * 32, "0" * 12, "nonsense"])
    def test_no_merge_has_this_id(self, shared_torn, named):
        with pytest.raises(MergeNotFound, match=named):
            shared_torn.do("conflicts", named)

    def test_five_digits_of_an_id_are_too_few(self, shared_torn):
        (merge,) = shared_torn.do("merges")
        with pytest.raises(MergeNotFound):
            shared_torn.do("conflicts", merge.id[-5:])

    def test_a_merge_of_another_dataset(self, shared_torn, shared_fork):
        (merge,) = shared_torn.do("merges")
        with pytest.raises(MergeNotFound):
            shared_fork.do("abandon", merge.id)

    def test_conflicts_that_nobody_resolved(self, torn):
        torn.do("resolve", "ours", [2])
        with pytest.raises(MergeConflictsOpen) as caught:
            torn.do("land")
        error = caught.value
        assert (error.code, error.fields["n"], error.fields["places"]) == (
            "merge-conflicts-open",
            1,
            "#1 fields samples s0 (split)",
        )
        assert f"`calotype conflicts {torn.name} " in error.remedy

    @pytest.mark.parametrize("state", ["landed", "abandoned"])
    def test_a_merge_that_is_over(self, torn, state):
        (merge,) = torn.do("merges")
        torn.do("resolve", "ours")
        torn.do("land" if state == "landed" else "abandon")
        for verb, args in (("land", ()), ("abandon", ()), ("resolve", ("ours", "all"))):
            with pytest.raises(MergeClosed) as caught:
                torn.do(verb, *args, merge.id)
            assert_refused(
                caught,
                "merge-closed",
                merge.id[-12:],
                state,
                fix=f"`calotype merge {torn.name} fix`",
            )

    def test_edits_of_the_target_stop_the_landing(self, torn):
        torn.do("resolve", "ours")
        torn.add("s2")
        with pytest.raises(WorkingStateDirty):
            torn.do("land")
        torn.do("commit", "more")
        assert torn.do("land").state == "landed"


class TestResolve:
    """Choices that do not fit."""

    @pytest.mark.parametrize("which", [[9], [0], [-1], "contract", "nonsense"], ids=str)
    def test_no_such_conflict(self, shared_torn, which):
        with pytest.raises(ConflictNotFound) as caught:
            shared_torn.do("resolve", "ours", which)
        error = caught.value
        assert error.code == "merge-conflict-not-found"
        assert error.fields["got"] == (which if isinstance(which, str) else which[0])
        assert "`calotype conflicts`" in error.remedy

    def test_all_are_resolved(self, torn):
        torn.do("resolve", "ours")
        with pytest.raises(ConflictNotFound):
            torn.do("resolve", "theirs")

    @pytest.mark.parametrize(
        ("how", "fits"),
        [
            ("mine", "ours, theirs, union, base"),
            ({}, "split"),
            ({"licence": "ours"}, "split"),
            ({"split": 7}, "type"),
            ({"split": None, "name": "x"}, "split"),
        ],
        ids=str,
    )
    def test_a_choice_that_does_not_fit(self, shared_torn, how, fits):
        with pytest.raises(ResolutionInvalid) as caught:
            shared_torn.do("resolve", how, [1])
        assert caught.value.code == "merge-resolution-invalid"
        assert fits in caught.value.remedy
        assert [conflict.state for conflict in shared_torn.do("conflicts")[1]] == ["open", "open"]


class TestUndo:
    """Commits that cannot be taken back."""

    def test_nothing_of_it_is_left(self, forked):
        forked.put("s0", split="val")
        bad = forked.do("log")[0]
        forked.do("undo", bad.id)
        with pytest.raises(NothingToUndo) as caught:
            forked.do("undo", bad.id)
        assert_refused(
            caught,
            "nothing-to-undo",
            bad.short,
            "main",
            forked.name,
            fix=f"`calotype diff {forked.name} {bad.short}~1 {bad.short}`",
        )

    def test_edits_that_are_not_committed(self, forked):
        forked.add("s2")
        with pytest.raises(WorkingStateDirty):
            forked.do("undo", "main")


class TestProtected:
    """A protected branch."""

    @pytest.mark.parametrize(
        ("verb", "args", "named"),
        [
            ("commit", ("x",), "dataset.commit"),
            ("undo", ("main",), "dataset.undo"),
            ("rollback", ("main~0",), "dataset.rollback"),
        ],
    )
    def test_it_takes_no_direct_changes(self, forked, verb, args, named):
        forked.put("s0", split="val")
        forked.do("protect", "main")
        with pytest.raises(refs.BranchProtected) as caught:
            forked.do(verb, *args) if verb != "commit" else forked.add("s2")
        error = caught.value
        assert (error.code, error.fields["branch"]) == ("branch-protected", "main")
        assert error.fields["verb"] == ("dataset.edit" if verb == "commit" else named)
        assert f"`calotype merge {forked.name} NAME --into main`" in error.remedy

    def test_a_merge_with_a_red_gate(self, forked):
        forked.put("s0", on="fix", split="train")
        forked.do("protect", "main")
        keeper = gates(gate("samples", GREEN), gate("licence", RED, "1 missing"), gate("split", RED))
        with pytest.raises(MergeBlocked) as caught:
            forked.do("merge", "fix", gatekeeper=keeper)
        assert_refused(
            caught,
            "merge-blocked",
            "fix",
            "main",
            forked.name,
            "gate licence (1 missing); gate split",
            fix=f"`calotype check {forked.name}@fix`",
        )
        assert forked.splits()["s0"] == ""

    def test_a_merge_that_the_gates_say_nothing_of(self, forked):
        forked.put("s0", on="fix", split="train")
        forked.put("s1", split="val")
        forked.do("protect", "main")
        with pytest.raises(MergeBehind) as caught:
            forked.do("merge", "fix", gatekeeper=gates(gate("samples", GREEN)))
        assert caught.value.code == "merge-behind"
        assert f"`calotype merge {forked.name} main --into fix`" in caught.value.remedy

    @pytest.mark.parametrize(
        "rules",
        [
            {"votes": True},
            {"gates": False},
            {"gates": 1},
            {"gates": "yes"},
            {"approval": 2},
            {"gates": True, "approval": None},
        ],
        ids=str,
    )
    def test_unknown_rules(self, shared_fork, rules):
        with pytest.raises(ProtectionInvalid) as caught:
            shared_fork.do("protect", "main", rules)
        refused = {name: value for name, value in rules.items() if name != "gates" or value is not True}
        assert_refused(caught, "protection-invalid", repr(refused), fix='{"gates": true, "approval": true}')

    def test_edits_that_are_not_committed_come_first(self, forked):
        forked.add("s2")
        with pytest.raises(WorkingStateDirty):
            forked.do("protect", "main")


@pytest.mark.parametrize("target", ["s9", "", "S0", "s0.jp", "\\", "x' OR 'a'='a"])
def test_what_is_not_there_is_not_blamed(shared_fork, target):
    with pytest.raises(BlameTargetNotFound) as caught:
        shared_fork.do("blame", target)
    assert_refused(
        caught,
        "blame-target-not-found",
        shared_fork.name,
        repr(target),
        fix=f"`calotype samples {shared_fork.name}`",
    )
