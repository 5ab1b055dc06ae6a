"""The raw figures as `versions.json`, and the page and curves made from them."""

from __future__ import annotations

import json
import re
import statistics
import subprocess
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from targets import CHECKS, RATIOS, TARGETS, WORDS, Ratio, Target

Figure = dict[str, Any]
CURVE = Path(__file__).resolve().parent / "curve.py"
MATPLOTLIB = "matplotlib==3.11.2"

HEAD = """\
# Versions, counts and exchange, measured

Made by `make bench-versions` from `versions.json`; do not edit. A figure is the median of its runs. Times are
`time.perf_counter` inside the process, memory is the high-water mark of the process that works (a database server or
a command that it starts is not in it). Every answer that has a number was compared with the one that the data maker
knows.

"""
READING = """\

## How to read this

- The data is drawn: 320 x 240 images of about 13 KB (1.5 KB in sets of other sizes than 50,000 and of photos),
  {boxes} boxes an image, 80 classes by Zipf's law, random vectors. The images are in the page cache.
- `plain` is not a product: json, Arrow, DuckDB and NumPy do the same work without versions, ids or checks: the floor.
- One run of the command takes the peers in turn, each in its own environment, with the settings of its own
  documentation. A figure of an earlier run stands until it is measured again; `versions.json` has the commit, the day
  and the load of each. Compare only what was measured under a like load.
- A peer without a reader of COCO (DataChain, Deep Lake) gets the file read by `json`, and keeps boxes and classes
  alone: no area, crowds, licences or other keys. Supervision and Datumaro hold objects in memory and keep nothing.
- Import leaves the pictures where they lie, as the peers do, and reads at most their headers. With the pictures stored,
  Calotype decodes, hashes and copies each of them.
- DVC's times are of its commands, so they hold its start (about a second). Its checkout puts files back; the older
  version of Calotype is opened where it lies, no file moves.
- The load is that at the start of a scenario. Where it is more than the cores and one, other work ran beside, and the
  seconds are too long.
"""


def keep(file: Path, machine: Figure, figures: list[Figure]) -> None:
    """Write new figures; older ones stay for what was not measured now."""
    old = json.loads(file.read_text())["figures"] if file.exists() else []
    renewed = {_key(figure) for figure in figures}
    file.parent.mkdir(parents=True, exist_ok=True)
    kept = [figure for figure in old if _key(figure) not in renewed]
    lines = ",\n".join(json.dumps(figure, sort_keys=True) for figure in kept + figures)
    file.write_text(f'{{"machine": {json.dumps(machine)},\n"figures": [\n{lines}\n]}}\n')


def _key(figure: Figure) -> tuple[str, str, str]:
    return figure["peer"], figure["set"], figure["scenario"]


def line(figure: Figure) -> str:
    """One figure in words, for the terminal."""
    start = f"{figure['set']:>14} {figure['peer']:<14} {figure['scenario']:<20}"
    if "seconds" not in figure:
        return f"{start} {figure.get('missing') or 'FAILED ' + figure.get('failed', '')}"
    wrong = (
        "" if figure.get("right", True) else f"  WRONG {figure.get('answer', '')} {figure.get('differs', '')}"
    )
    return f"{start} {seconds(figure['seconds']):>9} {figure.get('peak_mb', 0):>6} MB  load {figure.get('load')}{wrong}"


def seconds(value: float) -> str:
    """A time with two or three digits: `1.8 ms`, `0.25 s`, `67 s`."""
    if value < 0.1:
        return f"{value * 1000:.{2 if value < 0.001 else 1}f} ms"
    return f"{value:.{2 if value < 10 else 0}f} s"


def write(out: Path, pictures: Path, *, curves: bool = True) -> str:
    """Write the page and the curves; answers the page."""
    raw = json.loads((out / "versions.json").read_text())
    by_key: dict[tuple[str, str, str], list[Figure]] = {}
    for figure in raw["figures"]:
        by_key.setdefault(_key(figure), []).append(figure)
    table = Table(by_key, raw["machine"]["cores"])
    parts = [
        HEAD,
        _machine(raw),
        "## Targets\n",
        table.targets(),
        table.ratios(),
        "## Checks\n",
        table.checks(),
    ]
    for name in table.sets():
        parts += [f"## {name}\n", table.peers(name)]
    if curves and _curves(out / "versions.json", pictures / "scaling.svg"):
        parts.append(
            f"## Growth\n\n![Time against number of images]({_relative(out, pictures)}scaling.svg)\n"
        )
    parts.append(READING.format(boxes=6.52))
    text = "\n".join(part.rstrip("\n") + "\n" for part in parts)
    (out / "versions.md").write_text(text)
    return text


def _relative(out: Path, pictures: Path) -> str:
    return "" if out == pictures else f"../{pictures.name}/"


def _machine(raw: Figure) -> str:
    machine, figures = raw["machine"], raw["figures"]
    versions = sorted(
        {f"{f['peer']} {f['version']}" for f in figures if f.get("version") and f["peer"] != "calotype"}
    )
    commits = sorted({f["commit"] for f in figures if f["peer"] == "calotype" and "commit" in f})
    days = sorted({f["at"][:10] for f in figures if "at" in f})
    loads = [f["load"] for f in figures if "load" in f]
    return (
        f"{machine['cores']} cores ({machine['processor']}), {machine['memory_gib']} GiB, {machine['system']}, "
        f"Python {machine['python']}. Calotype at {', '.join(commits)}; {'; '.join(versions)}. "
        f"Measured {days[0]}{' to ' + days[-1] if days[-1] != days[0] else ''}, "
        f"load {min(loads, default=0)} to {max(loads, default=0)}.\n"
    )


class Table:
    """Medians of the figures, as tables in Markdown."""

    def __init__(self, by_key: dict[tuple[str, str, str], list[Figure]], cores: int) -> None:
        self.by_key = by_key
        self.cores = cores

    def sets(self) -> list[str]:
        """Sets with figures, files first, then labels by size."""
        names = {name for _peer, name, _scenario in self.by_key}
        return sorted(names, key=lambda name: (name.partition("-")[0] != "coco", int(name.partition("-")[2])))

    def median(self, peer: str, name: str, scenario: str, key: str = "seconds") -> float | None:
        """The median over rounds; None where nothing was measured."""
        found = [f[key] for f in self.by_key.get((peer, name, scenario), []) if f.get(key) is not None]
        return statistics.median(found) if found else None

    def targets(self) -> str:
        """Each target, the figure, and whether it is met."""
        rows = [(t.set, t.words, _show(t.key)(t.most), *self._target(t)) for t in TARGETS]
        return _markdown(("set", "what", "at most", "measured", "", "spread, load, cause"), rows)

    def ratios(self) -> str:
        """Each peer's time through ours, and whether it is what was wanted."""
        rows = [(r.set, r.words, r.peer, f"{r.least:.4g}", *self._beside(r)) for r in RATIOS]
        return _markdown(("set", "what", "beside", "times as fast, at least", "measured", "", "cause"), rows)

    def _beside(self, ratio: Ratio) -> tuple[str, str, str]:
        ours = self.median("calotype", ratio.set, ratio.scenario)
        theirs = self.median(ratio.peer, ratio.set, ratio.theirs or ratio.scenario)
        if ours is None or theirs is None:
            where = "calotype" if ours is None else ratio.peer
            return self._reason(self.by_key.get((where, ratio.set, ratio.scenario), [])), "not measured", ""
        value = theirs / ours
        shown = f"{value:.0f}" if value >= 10 else f"{value:.2g}"
        told = f"{shown} ({seconds(theirs)} : {seconds(ours)})"
        return (told, "met", "") if value >= ratio.least else (told, "**missed**", ratio.cause)

    def _target(self, target: Target) -> tuple[str, str, str]:
        where = ("calotype", target.set, target.scenario)
        value = self.median(*where, target.key)
        if value is None:
            return self._reason(self.by_key.get(where, [])), "not measured", ""
        each = [f[target.key] for f in self.by_key[where] if target.key in f]
        show = _show(target.key)
        load = max(f.get("load", 0) for f in self.by_key[where])
        spread = f"{show(min(each))} to {show(max(each))}, {len(each)} runs" if len(each) > 1 else "1 run"
        spread += f", load {load}"
        busy = [
            f["processor_s"] for f in self.by_key[where] if "processor_s" in f and "first_seconds" not in f
        ]
        if busy and target.key == "seconds":
            spread += f", processor with preparation {seconds(statistics.median(busy))}"
        if value <= target.most:
            return show(value), "met", spread
        beside = "other work ran beside" if load > self.cores + 1 and target.key == "seconds" else ""
        return show(value), "**missed**", "; ".join(word for word in (spread, beside, target.cause) if word)

    def checks(self) -> str:
        """What is right or wrong."""
        rows = []
        for peer, name, scenario in sorted(self.by_key):
            for figure in self.by_key[peer, name, scenario][-1:]:
                if scenario in CHECKS:
                    differs = ", ".join(f"{key} {n}" for key, n in figure.get("differs", {}).items())
                    states = {True: "holds", False: "**does not hold**", None: self._reason([figure])}
                    state = states[figure.get("right")]
                    rows.append((name, CHECKS[scenario], state, differs))
                elif figure.get("right") is False:
                    what = f"{peer}: {WORDS.get(scenario, scenario)}"
                    rows.append((name, what, "**wrong answer**", str(figure.get("answer"))))
        return _markdown(("set", "what", "", "values that differ, by key"), rows)

    def peers(self, name: str) -> str:
        """One set: scenarios down, peers across, and how many times longer than Calotype the quickest product takes."""
        mine = [key for key in self.by_key if key[1] == name]
        peers = [
            p
            for p in dict.fromkeys(["calotype", *sorted(k[0] for k in mine), "plain"])
            if any(k[0] == p for k in mine)
        ]
        peers.sort(key=lambda p: (p != "calotype", p == "plain"))
        rows = []
        for scenario in WORDS:
            if any(key[2] == scenario for key in mine):
                cells = [self._cell(peer, name, scenario) for peer in peers]
                rows.append((WORDS[scenario], *cells, self._ratio(peers, name, scenario)))
        return _markdown(("", *peers, "best product / calotype"), rows) + self._problems(mine)

    def _cell(self, peer: str, name: str, scenario: str) -> str:
        value = self.median(peer, name, scenario)
        figures = self.by_key.get((peer, name, scenario), [])
        if value is None:
            words = next((f["failed"] for f in figures if "failed" in f), "")
            cut = re.fullmatch(r"cut off after (\d+) s", words)
            return f"> {cut[1]} s" if cut else "failed" if words else "-"
        memory = self.median(peer, name, scenario, "peak_mb")
        heavy = (
            scenario in ("import", "import-copy", "predictions", "predictions-columns") and memory is not None
        )
        wrong = "" if all(f.get("right", True) for f in figures) else " (wrong)"
        return seconds(value) + (f", {memory:,.0f} MB" if heavy else "") + wrong

    def _ratio(self, peers: list[str], name: str, scenario: str) -> str:
        ours = self.median("calotype", name, scenario)
        others = [self.median(p, name, scenario) for p in peers if p not in ("calotype", "plain")]
        known = [value for value in others if value is not None]
        if ours is None or not known:
            return ""
        ratio = min(known) / ours
        return f"{ratio:,.{0 if ratio >= 10 else 1 if ratio >= 1 else 2}f}"

    def _problems(self, keys: Iterable[tuple[str, str, str]]) -> str:
        """Under a table: how often each was run, what is missing or failed, and notes."""
        told = []
        for key in keys:
            figures = self.by_key[key]
            if not any("seconds" in f for f in figures):
                told.append(f"- {key[0]}, {WORDS.get(key[2], key[2])}: {self._reason(figures)}")
            elif key[2] != "diff":
                notes = sorted({f["note"] for f in figures if "note" in f})
                told += [f"- {key[0]}, {WORDS.get(key[2], key[2])}: {note}" for note in notes]
        runs: dict[str, set[int]] = {}
        for key in keys:
            runs.setdefault(key[0], set()).add(len(self.by_key[key]))
        often = ", ".join(
            f"{p} {'/'.join(map(str, sorted(n)))} ({self._load(p, keys)})" for p, n in runs.items()
        )
        return f"\nRuns (load meanwhile): {often}.\n" + (
            "\n" + "\n".join(sorted(told)) + "\n" if told else ""
        )

    def _load(self, peer: str, keys: Iterable[tuple[str, str, str]]) -> str:
        loads = [f["load"] for key in keys if key[0] == peer for f in self.by_key[key] if "load" in f]
        return f"{min(loads):.1f} to {max(loads):.1f}" if loads else "-"

    @staticmethod
    def _reason(figures: list[Figure]) -> str:
        for figure in figures:
            if "missing" in figure or "failed" in figure:
                words = str(figure.get("missing") or "failed: " + str(figure.get("failed")))
                return words.replace("|", "/").replace("<", "(").replace(">", ")")
        return "-"


def _show(key: str) -> Callable[[float], str]:
    return (lambda value: f"{value:,.0f} MB") if key == "peak_mb" else seconds


def _markdown(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines) + "\n"


def _curves(figures: Path, picture: Path) -> bool:
    picture.parent.mkdir(parents=True, exist_ok=True)
    words = [
        "uv",
        "run",
        "--quiet",
        "--no-project",
        "--with",
        MATPLOTLIB,
        str(CURVE),
        str(figures),
        str(picture),
    ]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        print("no curves:", " ".join(done.stderr.split())[-200:])
    return picture.exists()
