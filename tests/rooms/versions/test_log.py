"""The log of one ref, and of all refs."""

from __future__ import annotations


def test_the_log_of_all_refs_has_the_commits_of_every_branch_and_tag(forked):
    forked.put("s0", on="fix", tags=("night",))
    forked.put("s1", tags=("rain",))
    assert [commit.message for commit in forked.do("log")] == ["s1 on main", "first"]
    everything = forked.do("log", all_refs=True)
    assert [commit.message for commit in everything] == ["s1 on main", "s0 on fix", "first"]
    assert [len(commit.parents) for commit in everything] == [1, 1, 0]
    assert forked.do("log", all_refs=True, limit=1) == everything[:1]
