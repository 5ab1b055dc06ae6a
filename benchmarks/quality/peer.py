"""A peer's package in an environment of its own, made once by uv: arrays go in by a file and come back by a file.

Peers never enter Calotype's own environment: some have licences that we do not want there (cleanlab is AGPL).
"""

from __future__ import annotations

import hashlib
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

HOME = Path(os.environ.get("CALOTYPE_BENCH_ENVS", Path(tempfile.gettempdir()) / "calotype-bench-envs"))
PREAMBLE = "import sys, numpy as np\ngiven = dict(np.load(sys.argv[1], allow_pickle=False))\nanswer = {}\n"
ENDING = "\nnp.savez(sys.argv[2], **answer)\n"


def python_with(*requirements: str) -> Path:
    """The Python of an environment that holds these requirements; made on the first call."""
    name = hashlib.sha256("\n".join(requirements).encode()).hexdigest()[:12]
    home = HOME / name
    python = home / "bin" / "python"
    if not (home / "ready").exists():
        subprocess.run(["uv", "venv", "--quiet", "--clear", "--python", "3.11", str(home)], check=True)
        words = ["uv", "pip", "install", "--quiet", "--python", str(python), "numpy", *requirements]
        subprocess.run(words, check=True)
        (home / "ready").touch()
    return python


def ask(python: Path, code: str, **given: Any) -> tuple[dict[str, np.ndarray], float]:
    """Run `code` there: it reads arrays from `given` and puts arrays into `answer`. Returns those and its CPU seconds.

    The seconds include starting Python and importing; a script that wants less measures inside `code`.
    """
    with tempfile.TemporaryDirectory() as folder:
        question, reply = Path(folder) / "given.npz", Path(folder) / "answer.npz"
        np.savez(question, **given)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        words = [str(python), "-W", "ignore", "-c", PREAMBLE + code + ENDING, str(question), str(reply)]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        subprocess.run(
            words, check=True, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        with np.load(reply, allow_pickle=False) as answer:
            return {name: answer[name] for name in answer.files}, seconds


def data_folder(name: str = "") -> Path:
    """The folder of development data: `--data FOLDER`, or the environment's CALOTYPE_DATA."""
    words = sys.argv
    given = words[words.index("--data") + 1] if "--data" in words else os.environ.get("CALOTYPE_DATA", "")
    if not given or not (Path(given) / name).exists():
        sys.exit(
            f"give a folder that holds {name or 'the development data'}: --data FOLDER, or CALOTYPE_DATA"
        )
    return Path(given) / name
