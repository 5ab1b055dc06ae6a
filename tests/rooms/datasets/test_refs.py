"""What can be written for a state of a dataset, and what it finds."""

from __future__ import annotations

import pytest
from tests.support.cities import ANA, Town
from tests.support.refusals import assert_refused

from calotype.datasets import refs


@pytest.fixture(scope="module")
def history(written) -> Town:
    """Commits one (s0), two (s1) and three (s2) on main, `fix` at two, tag `v1` at one, an edit (s3) on main."""
    town = Town(ANA, written, "history")
    town.commit("s0", message="one")
    town.do("tag", "v1")
    town.commit("s1", message="two")
    town.do("branch", "fix")
    town.commit("s2", message="three")
    town.do("branch", "team/night-2.0")
    town.add("s3")
    return town


@pytest.fixture(scope="module")
def commits(history) -> list[str]:
    """The ids of the three commits, oldest first."""
    return [commit.id for commit in history.do("log")][::-1]


@pytest.mark.parametrize(
    ("ref", "ids"),
    [
        ("", "0123"),
        ("main+", "0123"),
        ("main", "012"),
        ("fix", "01"),
        ("fix+", "01"),
        ("v1", "0"),
        ("main~", "01"),
        ("main~0", "012"),
        ("main~1", "01"),
        ("main~2", "0"),
        ("fix~1", "0"),
        ("~1", "01"),
        ("v1~0", "0"),
        ("team/night-2.0", "012"),
    ],
)
def test_a_ref_finds_its_state(history, ref, ids):
    assert history.ids(on=ref) == [f"s{digit}" for digit in ids]


@pytest.mark.parametrize("digits", [6, 12, 40, 64])
def test_a_commit_is_found_by_six_digits_and_more(history, digits, commits):
    first = commits[0]
    assert history.do("read", on=first[:digits]).commit_id == first


def test_a_commit_is_counted_back_from(history, commits):
    assert history.ids(on=f"{commits[2][:12]}~2") == ["s0"]


@pytest.mark.parametrize(
    ("ref", "at_commit"),
    [("main", 2), ("fix", 1), ("fix+", 1), ("v1", 0), ("", None), ("main+", None)],
)
def test_a_state_has_a_commit_unless_it_has_edits(history, ref, at_commit, commits):
    expected = None if at_commit is None else commits[at_commit]
    assert history.do("read", on=ref).commit_id == expected


@pytest.mark.parametrize(
    "ref",
    [
        "nowhere",
        "main~3",
        "main~x",
        "main~-1",
        "main~1~1",
        "main~²",
        "main~1.5",
        "main~" + "9" * 5_000,
        "v1+",
        "nowhere+",
        "abcde",
        "ABCDEF",
        "f" * 64,
        "x" * 500,
        "main ",
        "fix@main",
    ],
    ids=lambda ref: ascii(ref[:20]),
)
def test_a_ref_that_finds_nothing(history, ref):
    with pytest.raises(refs.RefNotFound) as caught:
        history.do("read", on=ref)
    assert_refused(caught, "ref-not-found", "history", repr(ref[:120]), fix="fix, main, team/night-2.0")


def test_the_hint_lists_branches_alone_where_a_branch_is_needed(history):
    with pytest.raises(refs.RefNotFound) as caught:
        history.do("commit", "x", on="nowhere")
    assert caught.value.remedy.endswith("fix, main, team/night-2.0")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("streets", ("streets", "")),
        ("streets@fix", ("streets", "fix")),
        ("streets@", ("streets", "")),
        ("streets@a@b", ("streets", "a@b")),
        ("@fix", ("", "fix")),
        ("", ("", "")),
    ],
)
def test_a_name_is_split_at_the_first_sign(text, parts):
    assert refs.split_name(text) == parts


@pytest.mark.parametrize("name", ["main", "release/1.0.0", "a.b-c_d", "0", "abcde", "g" * 64, "ABCDEF"])
def test_names_for_branches_and_tags(name):
    refs.check_ref_name(name)


@pytest.mark.parametrize(
    ("text", "branch"),
    [("", "main"), ("main", "main"), ("fix+", "fix"), ("v1", ""), ("nowhere", ""), ("main~1", "")],
)
def test_the_branch_that_a_text_names(history, text, branch):
    info = history.do("read").dataset
    with history.store.catalog.read() as conn:
        assert refs.branch_named(conn, info, text) == branch
