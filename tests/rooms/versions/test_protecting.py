"""Undo of single commits, and branches that take merges only."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import pytest
from tests.support.streets import Streets, box

from calotype.datasets import refs, service
from calotype.findings.gatekeeping import Verdict
from calotype.findings.model import Gate, GateState
from calotype.foundation.actor import Actor, Guard
from calotype.foundation.errors import NotPermitted
from calotype.govern.rules import RoleRules
from calotype.versions import service as versions
from calotype.versions.approval import ApprovalMissing
from calotype.versions.merge_execution import MergeBehind, MergeBlocked, NothingToUndo
from calotype.versions.protection import ProtectionInvalid


@pytest.fixture
def streets(owner, workspace) -> Streets:
    return Streets(owner, workspace)


class TestUndo:
    """Undo takes back one commit and leaves what came later."""

    def test_an_older_commit_is_taken_back(self, streets):
        bad = streets.commit("streets", boxes=[box(0, 0, class_id=1)], gone=["s3"])
        later = streets.commit("streets", boxes=[box(1, 1, score=0.5)])
        made = streets.do("undo", bad.short)
        newest = streets.do("log")[0]
        assert (newest.id, newest.parents) == (made.merge_commit, (later.id,))
        assert newest.message == f"Undo {bad.short}: edits"
        assert (streets.boxes()["a0"].class_id, streets.boxes()["a1"].score) == (0, 0.5)
        assert "a3" in streets.boxes()
        with pytest.raises(NothingToUndo):
            streets.do("undo", bad.short)

    def test_what_later_commits_changed_too_waits_for_a_choice(self, streets):
        bad = streets.commit("streets", boxes=[box(0, 0, score=0.25)])
        streets.commit("streets", boxes=[box(0, 0, score=0.75)])
        made = streets.do("undo", bad.id)
        assert (made.is_open, made.source) == (True, f"undo:{bad.id}")
        streets.do("resolve", "theirs")
        streets.do("land")
        assert streets.boxes()["a0"].score is None

    def test_the_first_commit_can_be_taken_back(self, streets):
        streets.do("undo", streets.first.id)
        assert (streets.boxes(), streets.samples()) == ({}, {})


def gate(name, state):
    return Gate(name, name, state, 3, 0, "findings", "3 boxes outside")


class TestProtected:
    """A protected branch takes merges with green gates, and nothing else."""

    @pytest.fixture
    def asked(self) -> list[str]:
        return []

    @pytest.fixture
    def green(self, asked):
        return lambda _actor, name: asked.append(name) or Verdict((gate("geometry", GateState.GREEN),))

    def test_direct_ways_are_shut(self, streets):
        streets.do("protect", "main")
        with pytest.raises(refs.BranchProtected, match=r"protected against dataset\.edit"):
            streets.put("streets", boxes=[box(0, 0, score=0.5)])
        with pytest.raises(refs.BranchProtected):
            streets.do("undo", streets.first.id)
        with pytest.raises(refs.BranchProtected):
            streets.do("rollback", streets.first.id)
        streets.commit("streets@fix", boxes=[box(0, 0, score=0.5)])  # other branches are open

    def test_only_green_gates_open_it(self, streets, green, asked):
        theirs = streets.commit("streets@fix", boxes=[box(0, 0, score=0.5)])
        streets.do("protect", "main")
        red = Verdict((gate("geometry", GateState.RED), gate("licence", GateState.GREEN)))
        with pytest.raises(MergeBlocked, match=r"gate geometry \(3 boxes outside\)"):
            streets.do("merge", "fix", gatekeeper=lambda *_: red)
        with pytest.raises(MergeBlocked, match="not evaluated"):
            streets.do("merge", "fix")
        assert streets.do("merge", "fix", gatekeeper=green).state == "landed"
        assert asked == [f"streets@{theirs.id}"]
        assert streets.boxes()["a0"].score == 0.5

    def test_the_gates_have_to_speak_of_what_lands(self, streets, green):
        streets.commit("streets", boxes=[box(1, 1, score=0.5)])
        streets.commit("streets@fix", boxes=[box(0, 0, score=0.5)])
        streets.do("protect", "main")
        with pytest.raises(MergeBehind, match="has commits that fix lacks"):
            streets.do("merge", "fix", gatekeeper=green)
        streets.do("merge", "main", options=versions.MergeOptions(into="fix"))
        assert streets.do("merge", "fix", gatekeeper=green).state == "landed"

    def test_it_is_lifted_again(self, streets):
        streets.do("protect", "main")
        assert [ref.protection for ref in streets.do("list_refs")] == [None, {"gates": True}]
        streets.do("protect", "main", {})
        streets.commit("streets", boxes=[box(0, 0, score=0.5)])

    def test_edits_in_the_working_state_come_first(self, streets):
        streets.put("streets", boxes=[box(0, 0, score=0.5)])
        with pytest.raises(service.WorkingStateDirty):
            streets.do("protect", "main")

    def test_unknown_rules_are_refused(self, streets):
        with pytest.raises(ProtectionInvalid):
            streets.do("protect", "main", {"votes": 2})


class TestFourEyes:
    """A branch that asks for a second person takes what somebody else has approved."""

    BOTH: ClassVar[dict[str, bool]] = {"gates": True, "approval": True}

    @pytest.fixture
    def green(self):
        return lambda *_: Verdict((gate("geometry", GateState.GREEN),))

    @pytest.fixture
    def bo(self) -> Actor:
        return Actor("test:bo", "bo")

    def approve(self, streets, who, commit):
        return versions.approve(who, "streets", commit.id, store=streets.store, reason="looked at 3 samples")

    def test_a_merge_waits_for_somebody_else(self, streets, green, bo):
        theirs = streets.commit("streets@fix", boxes=[box(0, 0, score=0.5)])
        streets.do("protect", "main", self.BOTH)
        with pytest.raises(ApprovalMissing, match=f"nobody else approved commit {theirs.short}"):
            streets.do("merge", "fix", gatekeeper=green)
        approval = self.approve(streets, bo, theirs)
        assert self.approve(streets, bo, theirs) == approval
        assert versions.approvals(bo, "streets", "fix", store=streets.store) == [approval]
        assert streets.do("merge", "fix", gatekeeper=green).state == "landed"

    def test_the_yes_is_to_one_commit(self, streets, green, bo):
        self.approve(streets, bo, streets.commit("streets@fix", boxes=[box(0, 0, score=0.5)]))
        streets.commit("streets@fix", boxes=[box(1, 1, score=0.5)])
        streets.do("protect", "main", self.BOTH)
        with pytest.raises(ApprovalMissing):
            streets.do("merge", "fix", gatekeeper=green)

    def test_nobody_approves_their_own_commit(self, owner, workspace, bo):
        ruled = replace(workspace, guard=Guard(RoleRules()))
        streets = Streets(owner, ruled)
        commit = streets.commit("streets@fix", boxes=[box(0, 0, score=0.5)])
        with pytest.raises(NotPermitted) as refused:
            versions.approve(owner, "streets", commit.id, store=ruled)
        assert refused.value.fields["rule"] == "guard-four-eyes"
        assert versions.approve(bo, "streets", commit.id, store=ruled).actor == "bo"
        with pytest.raises(NotPermitted):
            versions.approve(Actor("test:x", "x", roles=("ml-engineer",)), "streets", commit.id, store=ruled)

    def test_whoever_made_a_part_of_it_does_not_count(self, streets, green, bo):
        streets.commit("streets@fix", boxes=[box(0, 0, score=0.5)])
        theirs = Streets.__new__(Streets)
        theirs.__dict__.update({**streets.__dict__, "owner": bo})
        last = theirs.commit("streets@fix", boxes=[box(1, 1, score=0.5)])
        assert last.author == "bo"
        streets.do("protect", "main", self.BOTH)
        self.approve(streets, Actor("test:ana", "ana"), last)
        with pytest.raises(ApprovalMissing, match="only ana, bo worked on it"):
            streets.do("merge", "fix", gatekeeper=green)
        self.approve(streets, Actor("test:chi", "chi"), last)
        assert streets.do("merge", "fix", gatekeeper=green).state == "landed"

    def test_red_gates_stop_what_was_approved(self, streets, bo):
        commit = streets.commit("streets@fix", boxes=[box(0, 0, score=0.5)])
        streets.do("protect", "main", self.BOTH)
        self.approve(streets, bo, commit)
        red = Verdict((gate("geometry", GateState.RED),))
        with pytest.raises(MergeBlocked):
            streets.do("merge", "fix", gatekeeper=lambda *_: red)

    def test_who_may_not_grant_roles_does_not_lift_the_rule(self, owner, workspace):
        ruled = replace(workspace, guard=Guard(RoleRules()))
        Streets(owner, ruled).do("protect", "main", self.BOTH)
        engineer = Actor("test:eve", "eve", roles=("data-engineer",))
        for rules in ({}, {"gates": True}):
            with pytest.raises(NotPermitted):
                versions.protect(engineer, "streets", "main", rules, store=ruled)
        assert versions.protect(owner, "streets", "main", {}, store=ruled).protection is None
