"""The editor of an assignment in a browser, as a person uses it: by mouse and keys."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page, expect


@dataclass
class Desk:
    """The editor of one assignment in a page."""

    page: Page
    url: str
    size_px: tuple[int, int] = (640, 480)

    @property
    def assignment(self) -> str:
        return self.page.url.rsplit("/", 1)[1]

    def ready(self) -> Desk:
        """Wait until the image is drawn and all is saved."""
        expect(self.page.locator(".stage").first).to_be_visible()
        fitted = """() => { const box = document.querySelector('.stage')?.getBoundingClientRect();
          const top = document.querySelector('.stage canvas[data-layer=top]');
          return box && top && Math.round(box.height) === Math.round(parseFloat(top.style.height)); }"""
        self.page.wait_for_function(fitted)
        return self.saved()

    def saved(self) -> Desk:
        expect(self.page.locator(".saved")).to_have_text(" All saved")
        return self

    def at(self, x_px: float, y_px: float) -> tuple[float, float]:
        """A place of the image in the window, while the image fits it."""
        box = self.page.locator(".stage").first.bounding_box()
        assert box is not None
        width_px, height_px = self.size_px
        scale = min((box["width"] - 32) / width_px, (box["height"] - 32) / height_px)
        left = box["x"] + (box["width"] - width_px * scale) / 2
        top = box["y"] + (box["height"] - height_px * scale) / 2
        return left + x_px * scale, top + y_px * scale

    def drag(self, *places: tuple[float, float]) -> None:
        self.page.mouse.move(*self.at(*places[0]))
        self.page.mouse.down()
        for place in places[1:]:
            self.page.mouse.move(*self.at(*place), steps=4)
        self.page.mouse.up()

    def click(self, *places: tuple[float, float]) -> None:
        for place in places:
            self.page.mouse.click(*self.at(*place))

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def choose(self, name: str) -> None:
        self.page.get_by_role("toolbar", name="Classes").get_by_role(
            "button", name=name, exact=False
        ).first.click()

    def work(self) -> dict[str, Any]:
        """What the server has."""
        answer = self.page.request.get(f"{self.url}api/v1/assignments/{self.assignment}")
        assert answer.ok, answer.text()
        return dict(json.loads(answer.text()))

    def drawn(self) -> dict[str, dict[str, Any]]:
        """Id -> annotation that was drawn by hand, as the server has it."""
        return {row["id"]: row for row in self.work()["annotations"] if row["origin"] == "drawn"}
