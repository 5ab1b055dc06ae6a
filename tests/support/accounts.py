"""People in browsers of their own: how the first becomes the owner, and how the others join."""

from __future__ import annotations

from playwright.sync_api import Browser, BrowserContext, Page, expect

PASSWORD = "a lamp, a lens, a plate"


def someone(browser: Browser) -> BrowserContext:
    """A browser profile of somebody's own."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(120_000)
    return context


def become_owner(page: Page, link: str, name: str, email: str) -> None:
    """Use the link that the first start prints."""
    page.goto(link)
    page.get_by_label("Email").fill(email)
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Become the owner").click()


def join(owner: Page, guest: Page, url: str, name: str, email: str) -> None:
    """The owner invites somebody in the app, who accepts in their own browser."""
    owner.goto(f"{url}people")
    owner.get_by_role("button", name="Add a person").click()
    form = owner.get_by_role("dialog", name="Add a person")
    form.get_by_label("Name").fill(name)
    form.get_by_label("Email").fill(email)
    form.get_by_role("button", name="Add").click()
    link = form.get_by_label(f"Invitation for {name}").input_value()
    form.get_by_role("button", name="Done").click()
    guest.goto(link)
    guest.get_by_label("Password").fill(PASSWORD)
    guest.get_by_role("button", name="Choose the password and sign in").click()
    expect(guest.get_by_role("navigation", name="Main")).to_be_visible()
