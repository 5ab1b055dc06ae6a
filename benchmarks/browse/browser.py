"""How the grid of a large dataset feels in a real browser: first images, the jump to the end, scrolling, memory.

    uv run benchmarks/browse/browser.py --samples 1000000 --folder FOLDER    # the workspace of run.py
    uv run benchmarks/browse/browser.py --samples 1000000 --folder FOLDER --seconds 60 --pages 3

Opens the grid in headless Chromium (without a graphics card: the processor draws). Prints the time from the request of
the page until every image in sight is decoded, without and with the browser's cache; the time from the key End until
the last image is decoded; the times between frames while a wheel turns, and on a page at rest (`still`: what the
machine does for any page); and the memory of all processes of the browser, where what they share counts once. The
browser is one window with one tab; each cold page has a fresh profile.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

import build
import run
from playwright.sync_api import Page, Playwright, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tests.support.browser import FLAGS, chromium

VIEW = {"width": 1440, "height": 900}
WHEEL_PX = 400
SEEN = """() => {
  const cells = [...document.querySelectorAll('[role="gridcell"]')].filter((cell) => {
    const box = cell.getBoundingClientRect();
    return box.top < innerHeight && box.bottom > 0;
  });
  const images = cells.map((cell) => cell.querySelector("img"));
  return cells.length > 0 && images.every((image) => image && image.complete && image.naturalWidth > 0);
}"""
WATCH = f"""() => {{
  const seen = {SEEN};
  const look = () => (seen() ? (window.seenAt = performance.now()) : requestAnimationFrame(look));
  addEventListener("DOMContentLoaded", () => requestAnimationFrame(look));
}}"""
RECORD = """() => {
  window.frames_ms = [];
  let before = performance.now();
  const next = (now) => {
    window.frames_ms.push(now - before);
    before = now;
    window.recording = requestAnimationFrame(next);
  };
  window.recording = requestAnimationFrame(next);
}"""
RECORDED = "() => { cancelAnimationFrame(window.recording); return window.frames_ms.slice(2); }"


def main() -> None:
    options = _options()
    with (
        run._workspace(options.folder, options.samples) as folder,
        run.served(folder, "--no-token") as server,
        sync_playwright() as tool,
    ):
        _warm_up(server)
        print(f"first images, cold: {_all(_first_images(tool, server.base) for _ in range(options.pages))}")
        with _window(tool) as (page, memory):
            before = memory()
            _open(page, server.base)
            print(f"first images, warm: {_all(_again(page) for _ in range(options.pages))}")
            print(f"still: {_frames(page, 5, turn=False)}")
            print(f"jump to the end: {_all(_jump(page, options.samples) for _ in range(options.pages))}")
            page.keyboard.press("Home")
            page.wait_for_function(SEEN)
            print(f"scrolling, {options.seconds} s: {_frames(page, options.seconds, turn=True)}")
            print(f"browser: {memory() / 1e6:.0f} MB, {before / 1e6:.0f} MB of it before the first page")
            heap = page.evaluate("performance.memory ? performance.memory.usedJSHeapSize : 0")
            elements = page.evaluate("document.querySelectorAll(`*`).length")
            print(f"script heap: {heap / 1e6:.0f} MB; elements: {elements}")
        print(f"server: {server.peak_rss / 1e6:.0f} MB at most")


def _warm_up(server: run.Server) -> None:
    dataset = f"/datasets/{build.DATASET}"
    server.get(f"{dataset}/samples", limit=100)
    run._wait_until_exact(server, dataset)


@contextmanager
def _window(tool: Playwright) -> Iterator[tuple[Page, Callable[[], int]]]:
    """The only tab of a new browser without a cache, and what asks for the browser's memory in bytes."""
    with TemporaryDirectory(prefix="calotype-browser-") as profile:
        context = tool.chromium.launch_persistent_context(
            profile, executable_path=chromium(), args=FLAGS, viewport=VIEW
        )
        yield context.pages[0], lambda: _memory_of(profile)
        context.close()


def _open(page: Page, base: str) -> float:
    """Milliseconds until all images in sight are there."""
    page.add_init_script(f"({WATCH})()")
    page.goto(f"{base}d/{quote(build.DATASET)}/samples")
    page.wait_for_function("() => window.seenAt > 0", timeout=120_000)
    return float(page.evaluate("window.seenAt"))


def _first_images(tool: Playwright, base: str) -> float:
    with _window(tool) as (page, _):
        return _open(page, base)


def _again(page: Page) -> float:
    page.reload()
    page.wait_for_function("() => window.seenAt > 0", timeout=120_000)
    return float(page.evaluate("window.seenAt"))


def _jump(page: Page, n: int) -> float:
    """Milliseconds from the key until the last sample's image is there, both by the clock of the page."""
    page.keyboard.press("Home")
    page.wait_for_selector("#cell-0")
    page.evaluate("window.pressed = 0")
    page.evaluate(
        f"""() => {{
          const press = () => {{ window.pressed = performance.now(); window.arrived = 0; }};
          addEventListener("keydown", press, {{ once: true, capture: true }});
          const isThere = () => window.pressed && document.querySelector("#cell-{n - 1}") && ({SEEN})();
          const look = () => (isThere() ? (window.arrived = performance.now()) : requestAnimationFrame(look));
          requestAnimationFrame(look);
        }}"""
    )
    page.keyboard.press("End")
    page.wait_for_function("() => window.arrived > 0", timeout=120_000)
    return float(page.evaluate("window.arrived - window.pressed"))


def _frames(page: Page, seconds: float, *, turn: bool) -> str:
    """The times between frames; with `turn`, while the wheel turns ten notches a second."""
    page.mouse.move(VIEW["width"] / 2, VIEW["height"] / 2)
    page.evaluate(RECORD)
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        if turn:
            page.mouse.wheel(0, WHEEL_PX)
        page.wait_for_timeout(100)
    times = sorted(page.evaluate(RECORDED))
    late = sum(frame > 50 for frame in times)
    p99 = times[int(0.99 * (len(times) - 1))]
    return (
        f"{1000 * len(times) / sum(times):.1f} frames a second, median {statistics.median(times):.1f} ms, "
        f"p99 {p99:.1f} ms, "
        f"longest {times[-1]:.1f} ms, {late} of {len(times)} over 50 ms"
    )


def _memory_of(profile: str) -> int:
    """Bytes of all processes of a browser; what several of them share counts once (PSS)."""
    parents: dict[int, int] = {}
    first = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(process.name)] = int(
                process.joinpath("stat").read_text().rpartition(")")[2].split()[1]
            )
            words = process.joinpath("cmdline").read_text().split("\0")
        except OSError:  # it has ended
            continue
        if f"--user-data-dir={profile}" in words and not any(word.startswith("--type=") for word in words):
            first = int(process.name)
    ours = {first}
    while more := {pid for pid, parent in parents.items() if parent in ours} - ours:
        ours |= more
    return sum(_pss_of(pid) for pid in ours)


def _pss_of(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:  # the process has ended
        return 0
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def _all(times: Iterable[float]) -> str:
    taken = sorted(times)
    return f"median {statistics.median(taken):.0f} ms, longest {taken[-1]:.0f} ms of {len(taken)}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, help="where the workspace is kept between runs")
    parser.add_argument("--seconds", type=float, default=60, help="seconds of scrolling")
    parser.add_argument(
        "--pages", type=int, default=5, help="how often a page is opened and the end jumped to"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
