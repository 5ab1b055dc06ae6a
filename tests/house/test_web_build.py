"""The build hook makes the pages once, and does nothing where there is nothing to do."""

from __future__ import annotations

import pytest
from tests.house.reading import script

pytest.importorskip("hatchling")
hook = script("hatch_build")


@pytest.fixture
def checkout(tmp_path):
    root = tmp_path / "checkout"
    web = root / "web"
    (web / "src").mkdir(parents=True)
    (web / "package-lock.json").write_text("{}")
    (web / "src" / "main.tsx").write_text("export {};")
    return root


@pytest.fixture
def npm_lines(monkeypatch, checkout):
    """What npm was asked; its build leaves a page as the real one does."""
    asked = []

    def npm(args, *, cwd):
        asked.append(args[0])
        static = cwd.parent / "src" / "calotype" / "app" / "static"
        if args[0] == "run":
            static.mkdir(parents=True, exist_ok=True)
            (static / "index.html").write_text("<!doctype html>")

    monkeypatch.setattr(hook, "npm", npm)
    monkeypatch.delenv("CALOTYPE_BUILD_WEB", raising=False)
    return asked


def test_pages_are_built_once(checkout, npm_lines):
    assert [hook.build_web(checkout), hook.build_web(checkout)] == [True, False]
    assert npm_lines == ["ci", "run"]


def test_a_changed_source_makes_the_pages_stale(checkout, npm_lines):
    hook.build_web(checkout)
    (checkout / "web" / "src" / "main.tsx").write_text("export const a = 1;")
    assert hook.build_web(checkout)


@pytest.mark.parametrize("name", ["src/main.test.tsx", "node_modules/a.js", "README.md"])
def test_a_file_outside_the_pages_leaves_them_fresh(checkout, npm_lines, name):
    hook.build_web(checkout)
    (checkout / "web" / name).parent.mkdir(exist_ok=True)
    (checkout / "web" / name).write_text("changed")
    assert not hook.build_web(checkout)


def test_without_web_sources_nothing_is_built(tmp_path, npm_lines):
    assert not hook.build_web(tmp_path)
    assert npm_lines == []


def test_the_build_can_be_switched_off(checkout, npm_lines, monkeypatch):
    monkeypatch.setenv("CALOTYPE_BUILD_WEB", "0")
    assert not hook.build_web(checkout)
    assert npm_lines == []
