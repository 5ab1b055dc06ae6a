"""An owner and a vendor's annotator in two browsers, and a third person whose token was revoked, on one team server.

What the vendor was not given is nowhere: pages, lists, counts, search, palette, facets, images and thumbnails answer as
for something that never existed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlencode

import pytest
from playwright.sync_api import APIResponse, Browser, Page, expect
from tests.support.accounts import PASSWORD, become_owner, join, someone
from tests.support.every_route import example, operations
from tests.support.serving import served_to_team
from tests.support.stories import draw_raw

import calotype as ct

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ANA, TOM, DAN, VERA = "ana@example.org", "tom@example.org", "dan@example.org", "vera@vendor.example.org"
API = "api/v1"
GIVEN, HIDDEN, ABSENT = "dockyards", "nightfall", "neverwas1"
"""The dataset that the vendor is given, one that they are not, and one that never was; names of the same length."""


@dataclass(frozen=True)
class Team:
    """A served workspace, with what is needed to ask for what is hidden."""

    url: str
    sample: str
    link: str


@pytest.fixture(scope="module")
def team(tmp_path_factory) -> Iterator[Team]:
    """Two datasets with the same kind of content, released; the link of the first owner is not yet used."""
    folder = tmp_path_factory.mktemp("team")
    raw = draw_raw(folder)
    with ct.open(folder / "ws") as ws:
        for name in (GIVEN, HIDDEN):
            dataset = ws.create(name)
            dataset.add_images(raw / "images", licence="CC0-1.0")
            dataset.commit("all")
        hidden = ws.dataset(HIDDEN).where().snapshot()
        sample = sorted(hidden.ids())[0]
    with served_to_team(folder / "ws") as (url, link):
        yield Team(url, sample, link)


@pytest.fixture(scope="module")
def people(browser: Browser, team: Team) -> Iterator[tuple[Page, Page]]:
    """The pages of the owner and of the vendor, both signed in; the vendor has accepted and holds nothing yet."""
    expect.set_options(timeout=60_000)
    owner, vendor = someone(browser).new_page(), someone(browser).new_page()
    become_owner(owner, team.link, "Ana", ANA)
    expect(owner.get_by_role("link", name=HIDDEN).first).to_be_visible()
    join(owner, vendor, team.url, "Vera", VERA)
    yield owner, vendor
    owner.context.close()
    vendor.context.close()


def same_origin(team: Team) -> dict[str, str]:
    """What a browser sends with a request of a page."""
    return {"origin": team.url.rstrip("/")}


@contextmanager
def granted(owner: Page, team: Team, email: str, role: str, on: str) -> Iterator[None]:
    """A role that somebody holds meanwhile, granted and revoked with the session of the owner's browser."""
    origin = {"origin": team.url.rstrip("/")}
    body = {"who": email, "role": role, "on": on, "reason": "journey"}
    answer = owner.request.post(f"{team.url}{API}/grants", data=body, headers=origin)
    assert answer.ok, answer.text()
    try:
        yield
    finally:
        ended = owner.request.delete(f"{team.url}{API}/grants/{answer.json()['id']}", headers=origin)
        assert ended.ok, ended.text()


def same(hidden: APIResponse, absent: APIResponse) -> bool:
    """Whether two answers differ in the name that was asked for, and in the id of the request, only."""
    skipped = {"date", "x-request-id"}
    heads = [
        {name: value for name, value in answer.headers.items() if name not in skipped}
        for answer in (hidden, absent)
    ]
    return (
        hidden.status == absent.status
        and hidden.text().replace(HIDDEN, "?") == absent.text().replace(ABSENT, "?")
        and heads[0] == heads[1]
    )


def addresses(team: Team, media: str) -> Iterator[str]:
    """Every address of the API below a dataset that something can be read from, with `{dataset}` left open."""
    known = {"{media}": media, "{sample}": team.sample, "{id}": team.sample}
    for path, method, operation in operations():
        if method != "get" or not path.startswith("/api/v1/datasets/{dataset}"):
            continue
        filled = "/".join(
            known.get(part, part if part == "{dataset}" or "{" not in part else "1")
            for part in path.split("/")
        )
        needed = [
            one for one in operation.get("parameters", ()) if one["in"] == "query" and one.get("required")
        ]
        query = urlencode({one["name"]: example(one["schema"]) for one in needed})
        yield filled.lstrip("/") + (f"?{query}" if query else "")
    yield "api/v1/datasets/{dataset}/samples?where=name+%3D+'00.png'&limit=3"


class TestVendor:
    """What a vendor's annotator meets, before and after something was assigned."""

    def test_an_invited_person_without_a_grant_sees_nothing(self, team, people):
        _, vendor = people
        vendor.goto(team.url)
        expect(vendor.get_by_role("navigation", name="Main")).to_be_visible()
        expect(vendor.get_by_role("main")).to_be_visible()
        for name in (GIVEN, HIDDEN):
            expect(vendor.get_by_text(name)).to_have_count(0)
        assert vendor.request.get(f"{team.url}{API}/datasets").json()["items"] == []

    def test_of_a_dataset_only_the_assigned_images_are_there_and_only_while_the_grant_holds(
        self, team, people
    ):
        owner, vendor = people
        ids = owner.request.get(f"{team.url}{API}/datasets/{GIVEN}/sample-ids").json()["ids"]
        place = f"{team.url}{API}/datasets/{GIVEN}/batches"
        with granted(owner, team, VERA, "vendor-annotator", f"dataset:{GIVEN}"):
            batch = {"name": "vera", "ids": ids[:2], "to": [VERA], "review": 1.0}
            assert owner.request.post(place, data=batch, headers=same_origin(team)).ok
            taken = vendor.request.post(
                f"{team.url}{API}/assignments/next", data={}, headers=same_origin(team)
            )
            work = taken.json()["work"]
            assert work["sample"]["id"] in ids[:2]
            assert vendor.request.get(f"{team.url}{work['sample']['image'][1:]}").ok
            media = owner.request.get(f"{team.url}{API}/datasets/{GIVEN}/samples?limit=1").json()["items"][0]
            for path in (
                "",
                "/samples",
                f"/samples/{ids[0]}",
                f"/thumbs/{media['media']}",
                "/batches",
                "/log",
            ):
                assert vendor.request.get(f"{team.url}{API}/datasets/{GIVEN}{path}").status in (403, 404), (
                    path
                )
            assert vendor.request.get(f"{team.url}{API}/datasets").json()["items"] == []
        assert not vendor.request.get(f"{team.url}{work['sample']['image'][1:]}").ok
        answer = vendor.request.post(f"{team.url}{API}/assignments/next", data={}, headers=same_origin(team))
        assert answer.json()["work"] is None

    def test_every_address_of_another_dataset_answers_as_if_it_never_was(self, team, people):
        owner, vendor = people
        listed = owner.request.get(f"{team.url}{API}/datasets/{HIDDEN}/samples?limit=1")
        media = listed.json()["items"][0]["media"]
        assert owner.request.get(f"{team.url}{API}/datasets/{HIDDEN}/thumbs/{media}?size=256").ok
        leaks, asked = [], 0
        with granted(owner, team, VERA, "vendor-annotator", f"dataset:{GIVEN}"):
            for path in addresses(team, media):
                hidden, absent = (
                    vendor.request.get(team.url + path.replace("{dataset}", name))
                    for name in (HIDDEN, ABSENT)
                )
                asked += 1
                if hidden.ok or not same(hidden, absent):
                    leaks.append((path, hidden.status, hidden.text()[:200], absent.text()[:200]))
            for path in ("datasets", "runs", "runs/current", "tokens", "account/sessions"):
                assert HIDDEN not in vendor.request.get(f"{team.url}{API}/{path}").text(), path
            shown = vendor.request.get(f"{team.url}{API}/datasets").json()["items"]
            assert shown == []
        assert leaks == []
        assert asked > 25

    def test_pages_search_and_palette_show_nothing_of_it(self, team, people):
        owner, vendor = people
        with granted(owner, team, VERA, "vendor-annotator", f"dataset:{GIVEN}"):
            shown: dict[str, list[str]] = {HIDDEN: [], ABSENT: []}
            for name, texts in shown.items():
                for path in ("", "/samples", f"/samples/{team.sample}", "/findings", "/history", "/releases"):
                    vendor.goto(f"{team.url}d/{name}{path}")
                    expect(vendor.get_by_role("link", name="Ask for access").first).to_be_visible()
                    texts.append(vendor.get_by_role("main").inner_text().replace(name, "?"))
            assert shown[HIDDEN] == shown[ABSENT]
            vendor.goto(team.url)
            expect(vendor.get_by_role("navigation", name="Main")).to_be_visible()
            expect(vendor.get_by_text(HIDDEN)).to_have_count(0)
            vendor.keyboard.press("Control+k")
            palette = vendor.get_by_role("dialog", name="Commands")
            palette.get_by_role("combobox").fill(HIDDEN)
            expect(palette.get_by_text("No match")).to_be_visible()
            vendor.keyboard.press("Escape")

    def test_who_can_and_the_lists_of_people_are_refused_with_a_way_on(self, team, people):
        _, vendor = people
        for path in ("people", "audit", "access/review"):
            vendor.goto(f"{team.url}{path}")
            alert = vendor.get_by_role("alert").first
            expect(alert.get_by_role("link", name="Why can")).to_be_visible()
        alert.get_by_role("link", name="Why can").click()
        expect(
            vendor.get_by_role("heading", name="You may not see people and grants on workspace")
        ).to_be_visible()


def test_access_is_asked_for_answered_and_opens(team, people):
    owner, vendor = people
    vendor.goto(f"{team.url}d/{HIDDEN}")
    vendor.get_by_role("alert").first.get_by_role("link", name="Ask for access").click()
    form = vendor.get_by_role("dialog", name="Ask for access")
    expect(form.get_by_label("On", exact=True)).to_have_value(f"dataset:{HIDDEN}")
    form.get_by_label("Role").select_option("annotator")
    form.get_by_label("Reason").fill("the night batch")
    form.get_by_role("button", name="Ask").click()
    expect(vendor.get_by_role("row").filter(has_text="the night batch")).to_contain_text("open")

    owner.goto(team.url)
    expect(owner.get_by_title("1 request waiting for you")).to_be_visible()
    owner.goto(f"{team.url}access/requests")
    row = owner.get_by_role("row").filter(has_text="the night batch")
    row.get_by_label("Note on").fill("until spring")
    row.get_by_role("button", name="Yes").click()
    expect(owner.get_by_text(f"Vera is annotator on dataset:{HIDDEN} now.")).to_be_visible()

    vendor.reload()
    expect(vendor.get_by_role("row").filter(has_text="the night batch")).to_contain_text("until spring")
    vendor.goto(f"{team.url}d/{HIDDEN}/samples")
    expect(vendor.get_by_role("main").locator("canvas").first).to_be_visible()

    owner.get_by_role("button", name="Undo").click()
    expect(owner.get_by_text(f"Vera is annotator on dataset:{HIDDEN} now.")).to_have_count(0)
    assert vendor.request.get(f"{team.url}{API}/datasets/{HIDDEN}").status == 404


def test_a_third_person_with_a_revoked_token_is_refused_everything(browser, team, people):
    owner, _ = people
    third = someone(browser).new_page()
    join(owner, third, team.url, "Tom", TOM)
    origin = {"origin": team.url.rstrip("/")}
    created = third.request.post(f"{team.url}{API}/tokens", data={"name": "laptop"}, headers=origin).json()
    program = browser.new_context(extra_http_headers={"authorization": f"Bearer {created['token']}"})
    ask = program.request.get
    with granted(owner, team, TOM, "curator", f"dataset:{GIVEN}"):
        assert [row["name"] for row in ask(f"{team.url}{API}/datasets").json()["items"]] == [GIVEN]
        third.goto(f"{team.url}account")
        third.get_by_role("button", name="Revoke").click()
        expect(third.get_by_text("Revoked laptop")).to_be_visible()
        for path in ("datasets", f"datasets/{GIVEN}", f"datasets/{HIDDEN}", "session", "access/requests"):
            answer = ask(f"{team.url}{API}/{path}")
            assert (answer.status, answer.json()["code"]) == (401, "not-signed-in"), path
    program.close()
    third.context.close()


def test_who_is_signed_out_signs_in_and_comes_back_to_the_same_page(browser, team, people):
    again = someone(browser).new_page()
    again.goto(f"{team.url}access/requests")
    expect(again.get_by_text("Then you come back to /access/requests")).to_be_visible()
    again.get_by_label("Email").fill(VERA)
    again.get_by_label("Password").fill(PASSWORD)
    again.get_by_role("button", name="Sign in").click()
    expect(again.get_by_role("heading", name="My requests")).to_be_visible()
    assert again.url == f"{team.url}access/requests"
    again.context.close()


def test_disabling_a_person_ends_their_browser_at_the_next_request(browser, team, people):
    owner, _ = people
    fourth = someone(browser).new_page()
    join(owner, fourth, team.url, "Dan", DAN)
    owner.goto(f"{team.url}people?who={DAN}")
    owner.get_by_role("button", name="Disable").click()
    expect(owner.get_by_text("Dan is disabled")).to_be_visible()
    assert fourth.request.get(f"{team.url}{API}/session").status == 401
    fourth.reload()
    expect(fourth.get_by_role("heading", name="Sign in")).to_be_visible()
    fourth.context.close()


def test_the_timeline_of_a_person_is_a_link_away(team, people):
    owner, _ = people
    owner.goto(f"{team.url}people?who={VERA}")
    owner.get_by_role("link", name="Timeline").click()
    timeline = owner.get_by_role("region", name="Timeline")
    expect(timeline.get_by_role("heading", name="Vera")).to_be_visible()
    expect(timeline.get_by_role("link", name="person.sign-in")).to_be_visible()
