"""Each verb of datasets: what it does, what it writes down, what it refuses."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.support.cities import ANA, GIL, STRANGER, sample
from tests.support.refusals import assert_refused

from calotype.datasets import refs, repository, service
from calotype.datasets.change import Change
from calotype.datasets.committing import MessageInvalid
from calotype.foundation.errors import NotPermitted


class TestCreate:
    """An empty dataset with a branch `main`."""

    def test_it_has_a_name_a_description_and_somebody_who_made_it(self, written):
        info = service.create(ANA, "create-1", store=written, description="streets")
        assert (info.name, info.description, info.created_by) == ("create-1", "streets", "ana")
        assert info in service.datasets(ANA, store=written)

    def test_it_begins_with_an_empty_main(self, town):
        (main,) = town.do("list_refs")
        assert (main.name, main.kind, main.commit_id, main.pins, main.protection) == (
            "main",
            "branch",
            None,
            {},
            None,
        )

    def test_it_is_written_down(self, town):
        assert town.events() == [("dataset.create", {})]

    @pytest.mark.parametrize("name", ["a", "A-1", "0", "a.b_c-d", "a" * 100])
    def test_names_of_letters_digits_and_three_marks(self, workspace, owner, name):
        assert service.create(owner, name, store=workspace).name == name

    @pytest.mark.parametrize(
        "name", ["", ".hidden", "-x", "_x", "a b", "a/b", "a@b", "é", "a\n", "a" * 101, "..", "a\0"]
    )
    def test_other_names_are_refused(self, written, name):
        with pytest.raises(refs.NameInvalid) as caught:
            service.create(ANA, name, store=written)
        assert_refused(caught, "name-invalid", repr(name[:120]), "dataset", fix="letter")

    def test_a_name_that_is_taken(self, town):
        with pytest.raises(refs.DatasetExists) as caught:
            town.do("create")
        assert_refused(caught, "dataset-exists", town.name, fix="another name")


class TestDatasets:
    """The list of those that the actor may see."""

    def test_they_come_by_name(self, workspace, owner):
        for name in ("b", "a", "C"):
            service.create(owner, name, store=workspace)
        assert [info.name for info in service.datasets(owner, store=workspace)] == ["C", "a", "b"]

    def test_nobody_sees_what_they_may_not_read(self, shared):
        assert [info.name for info in service.datasets(GIL, store=shared)] == ["city"]
        assert service.datasets(STRANGER, store=shared) == []


class TestRead:
    """A state by what a user writes; `test_refs` has the forms."""

    def test_an_empty_ref_is_the_working_state_of_main(self, town):
        town.add("s0")
        assert town.do("read").ids() == ["s0"]

    def test_a_dataset_that_is_not_there(self, written):
        with pytest.raises(refs.DatasetNotFound) as caught:
            service.read(ANA, "nowhere", store=written)
        assert_refused(caught, "dataset-not-found", "nowhere", fix="`calotype dataset create nowhere`")


class TestCommit:
    """The working state, frozen."""

    def test_it_holds_author_message_and_counts(self, town):
        commit = town.commit("s0", "s1", message="  first import \n")
        assert (commit.author, commit.message, commit.parents) == ("ana", "first import", ())
        assert commit.stats == {"samples": 2, "annotations": 0, "label_sets": {}}
        assert (commit.short, len(commit.id)) == (commit.id[:12], 64)

    def test_its_parent_is_the_commit_before(self, town):
        first = town.commit("s0")
        assert town.commit("s1").parents == (first.id,)

    def test_later_edits_leave_it_as_it_is(self, town):
        first = town.commit("s0")
        town.add("s1")
        assert town.ids(on=first.id) == ["s0"]

    def test_it_goes_to_the_branch_that_is_named(self, town):
        first = town.commit("s0")
        town.do("branch", "fix")
        fixed = town.commit("s1", on="fix")
        assert [commit.id for commit in town.do("log", on="fix")] == [fixed.id, first.id]
        assert [commit.id for commit in town.do("log")] == [first.id]

    def test_it_is_written_down(self, town):
        commit = town.commit("s0", message="first")
        assert town.events()[-1] == (
            "dataset.commit",
            {"commit": commit.id, "branch": "main", "message": "first"},
        )

    def test_nothing_new_is_no_commit(self, town):
        with pytest.raises(service.NothingToCommit) as caught:
            town.do("commit", "empty")
        assert_refused(caught, "nothing-to-commit", town.name, fix=f"`calotype log {town.name}`")
        town.commit("s0")
        with pytest.raises(service.NothingToCommit):
            town.do("commit", "again")

    @pytest.mark.parametrize("message", ["", " \n", "x" * 10_001], ids=["none", "blank", "long"])
    def test_a_message_of_one_to_ten_thousand_characters(self, town, message):
        town.add("s0")
        with pytest.raises(MessageInvalid) as caught:
            town.do("commit", message)
        assert_refused(caught, "message-invalid", "10000 characters", fix=f"`calotype commit {town.name} -m")

    def test_a_branch_that_is_not_there(self, town):
        with pytest.raises(refs.RefNotFound) as caught:
            town.do("commit", "x", on="nowhere")
        assert_refused(caught, "ref-not-found", town.name, "'nowhere'", fix="main")


class TestLog:
    """Commits that lead to a ref, newest first."""

    def test_they_come_newest_first(self, town):
        commits = [town.commit(f"s{number}").id for number in range(4)]
        assert [commit.id for commit in town.do("log")] == commits[::-1]

    def test_a_limit_keeps_the_newest(self, town):
        commits = [town.commit(f"s{number}").id for number in range(3)]
        assert [commit.id for commit in town.do("log", limit=2)] == [commits[2], commits[1]]

    def test_an_older_ref_shows_what_led_to_it(self, town):
        commits = [town.commit(f"s{number}").id for number in range(3)]
        assert [commit.id for commit in town.do("log", on="main~1")] == [commits[1], commits[0]]
        assert [commit.id for commit in town.do("log", on=commits[0])] == [commits[0]]

    def test_a_merge_shows_the_commits_of_both_sides(self, town):
        first = town.commit("s0")
        town.do("branch", "fix")
        theirs = town.commit("s1", on="fix")
        ours = town.commit("s2")
        merged = town.do("merge", "fix").merge_commit
        assert [commit.id for commit in town.do("log")] == [merged, ours.id, theirs.id, first.id]

    def test_a_dataset_without_commits_has_an_empty_log(self, town):
        assert town.do("log") == []
        assert town.do("log", on="main+") == []

    def test_a_ref_that_is_not_there(self, town):
        with pytest.raises(refs.RefNotFound):
            town.do("log", on="nowhere")


class TestDiff:
    """What differs between two states."""

    def test_samples_that_came_went_and_changed(self, town):
        town.commit("s0", "s1")
        changed = sample("s1", "s1.jpg", split="val")
        town.do("apply", Change(put_samples=[changed, sample("s2", "s2.jpg")], remove_samples=["s0"]))
        changes = town.do("diff", "main", "")
        assert (changes.samples.added, changes.samples.removed, changes.samples.changed) == (
            ("s2",),
            ("s0",),
            ("s1",),
        )
        assert (changes.touched_samples, str(changes)) == (3, "+0 -0 ~0 annotations; +1 -1 ~1 samples")

    def test_the_other_way_round_everything_is_reversed(self, town):
        town.commit("s0")
        town.commit("s1")
        assert town.do("diff", "main~1", "main").samples.added == ("s1",)
        assert town.do("diff", "main", "main~1").samples.removed == ("s1",)

    def test_equal_states_differ_in_nothing(self, town):
        town.commit("s0")
        assert town.do("diff", "main", "").is_empty

    def test_an_id_that_two_commits_begin_with_is_ambiguous(self, town):
        commits = [town.commit(f"s{number}") for number in range(2)]
        short = commits[0].id[:6]
        with town.store.catalog.bookkeeping() as conn:
            twin = short + "0" * 58
            repository.add_commit(conn, replace(commits[1], id=twin))
        with pytest.raises(refs.RefAmbiguous) as caught:
            town.do("diff", short, "")
        assert_refused(caught, "ref-ambiguous", town.name, short, fix="digits")

    def test_a_ref_that_is_not_there(self, town):
        town.commit("s0")
        with pytest.raises(refs.RefNotFound):
            town.do("diff", "main", "nowhere")


class TestUncommitted:
    """What the working state has beyond the newest commit."""

    def test_nothing_where_all_is_committed(self, town):
        assert town.do("uncommitted") is None
        town.commit("s0")
        assert town.do("uncommitted") is None

    def test_edits_before_the_first_commit(self, town):
        town.add("s0")
        assert town.do("uncommitted").samples.added == ("s0",)

    def test_edits_of_a_branch(self, town):
        town.commit("s0")
        town.do("branch", "fix")
        town.add("s1", on="fix")
        assert town.do("uncommitted", on="fix").samples.added == ("s1",)
        assert town.do("uncommitted") is None

    def test_a_new_text_is_an_edit_without_rows(self, town):
        town.commit("s0")
        town.do("apply", Change(contract="task: {}"))
        assert town.do("uncommitted").is_empty


class TestBranchAndTag:
    """Names for commits."""

    @pytest.mark.parametrize("verb", ["branch", "tag"])
    def test_it_names_the_newest_commit_of_main(self, town, verb):
        first = town.commit("s0")
        ref = town.do(verb, "v1")
        assert (ref.name, ref.kind, ref.commit_id) == ("v1", verb, first.id)
        assert town.events()[-1] == (f"dataset.{verb}", {"ref": "v1", "commit": first.id})

    def test_it_starts_at_an_older_commit(self, town):
        first = town.commit("s0")
        town.commit("s1")
        assert town.do("branch", "old", start="main~1").commit_id == first.id
        assert town.do("tag", "v0", at=first.short).commit_id == first.id

    def test_a_branch_moves_and_a_tag_stays(self, town):
        town.commit("s0")
        town.do("branch", "fix")
        town.do("tag", "v1")
        town.commit("s1", on="fix")
        assert (town.ids(on="fix"), town.ids(on="v1")) == (["s0", "s1"], ["s0"])

    def test_nobody_writes_on_a_tag(self, town):
        town.commit("s0")
        town.do("tag", "v1")
        with pytest.raises(refs.RefNotFound) as caught:
            town.add("s1", on="v1")
        assert_refused(caught, "ref-not-found", town.name, "'v1'", fix="main")

    @pytest.mark.parametrize("name", ["", "-x", "a b", "abcdef", "0" * 64, "a~1", "a+", "a@b", "x" * 101])
    def test_names_that_do_not_work_in_a_ref(self, town, name):
        town.commit("s0")
        with pytest.raises(refs.NameInvalid) as caught:
            town.do("branch", name)
        assert_refused(caught, "name-invalid", repr(name), "branch or tag", fix="letter")

    def test_a_name_that_is_taken_by_either(self, town):
        town.commit("s0")
        town.do("tag", "v1")
        with pytest.raises(refs.RefExists) as caught:
            town.do("branch", "v1")
        assert_refused(caught, "ref-exists", town.name, "'v1'", fix="another name")

    def test_a_dataset_without_a_commit_has_nothing_to_name(self, town):
        town.add("s0")
        with pytest.raises(refs.RefNotFound) as caught:
            town.do("tag", "v1")
        assert_refused(caught, "ref-not-found", town.name, fix=f"`calotype commit {town.name} -m MESSAGE`")


class TestListRefs:
    """Branches and tags."""

    def test_branches_come_first_each_by_name(self, town):
        town.commit("s0")
        for verb, name in (("tag", "v1"), ("branch", "zoo"), ("branch", "fix"), ("tag", "b1")):
            town.do(verb, name)
        assert [ref.name for ref in town.do("list_refs")] == ["fix", "main", "zoo", "b1", "v1"]


class TestRollback:
    """An older state again, as a new commit."""

    def test_the_branch_holds_the_older_rows_and_no_commit_is_lost(self, town):
        first = town.commit("s0", message="first")
        second = town.commit("s1")
        back = town.do("rollback", first.id)
        assert town.ids() == ["s0"]
        assert [commit.id for commit in town.do("log")] == [back.id, second.id, first.id]
        assert (back.message, back.stats) == (f"Roll back to {first.short}: first", first.stats)
        assert town.do("uncommitted") is None

    def test_edits_that_are_not_committed_stop_it_unless_they_are_discarded(self, town):
        town.commit("s0")
        town.add("s1")
        with pytest.raises(service.WorkingStateDirty) as caught:
            town.do("rollback", "main")
        assert_refused(caught, "working-state-dirty", "main", town.name, fix="--discard")
        town.do("rollback", "main", discard=True)
        assert town.ids() == ["s0"]
        assert town.events()[-1][1]["discarded"] is True

    def test_a_rollback_to_where_the_branch_is(self, town):
        town.commit("s0")
        with pytest.raises(service.NothingToCommit):
            town.do("rollback", "main")

    def test_a_rollback_to_what_is_not_there(self, town):
        town.commit("s0")
        with pytest.raises(refs.RefNotFound):
            town.do("rollback", "nowhere")


READS: list[tuple[str, tuple[object, ...]]] = [
    ("read", ()),
    ("log", ()),
    ("diff", ("main", "")),
    ("uncommitted", ()),
    ("list_refs", ()),
]
WRITES: list[tuple[str, tuple[object, ...]]] = [
    ("apply", (Change(remove_samples=["s0"]),)),
    ("commit", ("x",)),
    ("branch", ("b",)),
    ("tag", ("t",)),
    ("rollback", ("main",)),
]


@pytest.mark.parametrize(
    ("verb", "args"), READS + WRITES, ids=lambda value: value if isinstance(value, str) else ""
)
class TestPermissions:
    """Every verb asks first."""

    def test_a_stranger_may_nothing(self, shared, verb, args):
        with pytest.raises(NotPermitted) as caught:
            getattr(service, verb)(STRANGER, "city", *args, store=shared)
        assert_refused(caught, "not-permitted", "eve", "dataset.", "city", fix="owner")

    def test_a_reader_may_read(self, shared, verb, args):
        if (verb, args) in READS:
            getattr(service, verb)(GIL, "city", *args, store=shared)
        else:
            with pytest.raises(NotPermitted):
                getattr(service, verb)(GIL, "city", *args, store=shared)

    def test_a_dataset_that_is_not_there(self, written, verb, args):
        with pytest.raises(refs.DatasetNotFound):
            getattr(service, verb)(ANA, "nowhere", *args, store=written)


def test_a_reader_may_not_create(shared):
    with pytest.raises(NotPermitted):
        service.create(GIL, "new", store=shared)
