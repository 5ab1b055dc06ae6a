"""Nothing in the repository names one machine, one package registry, or a secret; the pins agree."""

from __future__ import annotations

import json
import re

import pytest
from tests.house.reading import REPO, name_of, script, tracked

# Written in two halves so that this file passes its own test.
REGISTRIES = ("pypi" + ".org", "pythonhosted" + ".org", "npmjs" + ".org", "npmjs" + ".com", "debian" + ".org")
MACHINE = ("/wo" + "rk/", "/ro" + "ot/", "/tm" + "p/t/", "/tm" + "p/plan", "/ho" + "me/")
SECRETS = ("-----BEGIN " + "PRIVATE", "-----BEGIN RSA " + "PRIVATE", "AK" + "IA")
BINARY = {".png", ".jpg", ".jpeg", ".webp", ".ico", ".woff2", ".gif", ".zip", ".onnx", ".npy", ".bin"}
EMOJI = re.compile("[\U0001f300-\U0001faff\u2705\u274c\u26a0\u2728]")


def texts() -> list[tuple[str, str]]:
    """Name and text of every tracked text file."""
    files = [path for path in tracked() if path.suffix.lower() not in BINARY]
    return [(name_of(path), path.read_text("utf-8", errors="replace")) for path in files]


@pytest.mark.parametrize("words", [REGISTRIES, MACHINE, SECRETS], ids=["registry", "machine path", "secret"])
def test_no_file_names_a(words):
    found = [f"{name}: {word}" for name, text in texts() for word in words if word in text]
    assert found == []


def test_no_file_holds_an_emoji():
    assert [name for name, text in texts() if EMOJI.search(text)] == []


def test_no_lock_file_with_addresses_is_tracked():
    assert not any(
        path.name in {"uv.lock", "poetry.lock", "yarn.lock", "pnpm-lock.yaml"} for path in tracked()
    )
    for path in tracked():
        if path.name == "package-lock.json":
            packages = json.loads(path.read_text("utf-8"))["packages"]
            assert [name for name, entry in packages.items() if "resolved" in entry] == [], name_of(path)


def test_no_file_is_large():
    large = [
        f"{name_of(path)}: {path.stat().st_size} bytes"
        for path in tracked()
        if path.stat().st_size > 2_000_000
    ]
    assert large == []


def test_the_pins_in_both_places_are_equal():
    pins = script("pins")
    listed = pins.constraints((REPO / "constraints.txt").read_text("utf-8"))
    assert pins.mirrored((REPO / "pyproject.toml").read_text("utf-8")) == listed
    assert all(re.match(r"^[A-Za-z0-9._-]+==\S+( ; .+)?$", pin) for pin in listed)
