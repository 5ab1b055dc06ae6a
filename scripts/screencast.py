"""The loop find -> fix -> re-test -> release as a screen cast of terminal commands, really run.

    uv run scripts/screencast.py docs/images/find-fix-release.cast    # asciinema's format, version 2: `asciinema
    play FILE`

Draws a few street scenes with faults planted in them, then types the commands of a data engineer. The times are
those of the run.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

N_STREETS = 24
COMMANDS = (
    "calotype init shop",
    "cd shop",
    "calotype dataset create crossings",
    "calotype import crossings ../streets/instances.json --images ../streets/images --licence CC0-1.0",
    "calotype contract set crossings ../contract.yaml",
    "calotype check crossings",
    "calotype findings crossings --check box-bounds",
    "calotype fix crossings --all --check box-bounds",
    "calotype fix crossings --all --check degenerate-shapes",
    "calotype fix crossings --all --check exact-duplicates",
    "calotype check crossings",
    'calotype commit crossings -m "boxes mended, copies removed"',
    "calotype release crossings 1.0.0",
    "calotype findings crossings --state closed",
)
CONTRACT = """\
task: {name: street-users, kind: detection, owner: ana}
gates:
  - {check: readable, severity: error}
  - {check: box-bounds, max_findings: 0}
  - {check: degenerate-shapes, max_findings: 0}
  - {check: exact-duplicates, max_findings: 0}
"""


@dataclass
class Cast:
    """What was typed and printed, and when."""

    began: float = field(default_factory=time.perf_counter)
    events: list[tuple[float, str, str]] = field(default_factory=list)
    exits: dict[str, list[int]] = field(default_factory=dict)

    def say(self, text: str) -> None:
        """Add output at this moment."""
        self.events.append((round(time.perf_counter() - self.began, 4), "o", text.replace("\n", "\r\n")))

    def text(self) -> str:
        """The file."""
        head = {"version": 2, "width": 132, "height": 40, "title": "find, fix, test again, release"}
        return "\n".join([json.dumps(head), *(json.dumps(event) for event in self.events), ""])

    @property
    def took_s(self) -> float:
        """Seconds from the first command to the last answer."""
        return self.events[-1][0]


def play(folder: Path) -> Cast:
    """Run the commands in a folder that is made ready for them."""
    from calotype.demo.faults import FaultPlan
    from calotype.demo.streets import scenes as streets

    faults = FaultPlan(exact_duplicate=2, degenerate_box=2, box_outside=3, blur=1)
    streets.write(folder / "streets", n=N_STREETS, seed=11, faults=faults, workers=1)
    (folder / "contract.yaml").write_text(CONTRACT, encoding="utf-8")
    environment = {**os.environ, "COLUMNS": "132", "NO_COLOR": "1", "PYTHONIOENCODING": "utf-8"}
    cast, place = Cast(), folder
    for command in COMMANDS:
        cast.say(f"$ {command}\n")
        if command.startswith("cd "):
            place = place / command[3:]
            continue
        words = command.replace("calotype", f"{sys.executable} -m calotype", 1)
        done = subprocess.run(
            words,
            shell=True,
            cwd=place,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        cast.exits.setdefault(command, []).append(done.returncode)
        cast.say(done.stdout + done.stderr)
    return cast


def main() -> None:
    """Write the cast, and say how long the loop took."""
    with tempfile.TemporaryDirectory() as folder:
        cast = play(Path(folder))
    out = Path(sys.argv[1])
    out.write_text(cast.text(), encoding="utf-8")
    print(f"{out}: {len(COMMANDS)} commands in {cast.took_s:.1f} s")


if __name__ == "__main__":
    main()
