"""What a process does to a folder, in order: recorded with strace, read into operations."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CALLS = (
    "openat,open,creat,close,write,pwrite64,writev,pwritev,lseek,read,ftruncate,truncate,rename,renameat,renameat2,"
    "link,linkat,unlink,unlinkat,mkdir,mkdirat,rmdir,fsync,fdatasync,sync,syncfs,sendfile,copy_file_range,fallocate"
)
_LINE = re.compile(
    r"^(?P<pid>\d+) +(?P<call>\w+)\((?P<args>.*)\) += (?P<result>-?\d+)(?P<rest>.*)$", re.DOTALL
)
_UNFINISHED = re.compile(r"^(?P<pid>\d+) +(?P<head>.*) <unfinished \.\.\.>$", re.DOTALL)
_RESUMED = re.compile(r"^(?P<pid>\d+) +<\.\.\. \w+ resumed>(?P<tail>.*)$", re.DOTALL)
_ARGUMENT = re.compile(r'"(?:\\x[0-9a-f]{2})*"|[^,\[\]{}]*<[^>]*>|\[[^\]]*\]|[^,]+')

Op = tuple[Any, ...]
"""create, write, trunc, rename, link, unlink, mkdir, rmdir, copy, sync, ack, with paths below the folder."""


class Recorder:
    """Attaches strace to a process that waits; `ops` are its operations on the folder when it has ended."""

    def __init__(self, pid: int, log: Path) -> None:
        self._log = log
        words = [
            "strace",
            "-f",
            "-y",
            "-xx",
            "-s",
            "67108864",
            "-o",
            str(log),
            "-e",
            f"trace={CALLS}",
            "-p",
            str(pid),
        ]
        self._strace = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
        said = self._strace.stderr.readline() if self._strace.stderr is not None else ""
        self.attached = "attached" in said and "Operation not permitted" not in said

    def ops(self, root: Path) -> list[Op]:
        """After the process has ended."""
        self._strace.wait()
        reader = _Reader(str(root))
        with self._log.open(encoding="latin-1") as lines:
            return [op for line in _whole(lines) for op in reader.read(line)]


def _whole(lines: Iterator[str]) -> Iterator[str]:
    """Calls that another thread interrupted, put together where they ended."""
    begun: dict[str, str] = {}
    for raw in lines:
        line = raw.rstrip("\n")
        if match := _UNFINISHED.match(line):
            begun[match["pid"]] = match["head"]
        elif match := _RESUMED.match(line):
            yield f"{match['pid']} {begun.pop(match['pid'], '')}{match['tail']}"
        else:
            yield line


@dataclass
class _Reader:
    """From lines to operations; knows where each open file stands."""

    root: str
    at: dict[str, int] = field(default_factory=dict)
    append: set[str] = field(default_factory=set)
    size: dict[str, int] = field(default_factory=dict)

    def read(self, line: str) -> Iterator[Op]:
        match = _LINE.match(line)
        if match is None or match["result"].startswith("-"):
            return
        arguments = [one.strip() for one in _ARGUMENT.findall(match["args"])]
        does = getattr(self, f"_{match['call']}", None)
        if does is not None:
            yield from does(arguments, int(match["result"]), match["rest"])

    # ---- paths

    def _inside(self, path: str) -> str | None:
        return (
            path[len(self.root) + 1 :]
            if path.startswith(self.root + "/")
            else ""
            if path == self.root
            else None
        )

    def _of(self, argument: str) -> str | None:
        """The path below the folder of an open file."""
        return self._inside(_text(argument.partition("<")[2].rpartition(">")[0]))

    def _named(self, folder: str, name: str) -> str | None:
        """The path below the folder of a name relative to an open folder."""
        base = _text(folder.partition("<")[2].rpartition(">")[0])
        return self._inside(os.path.normpath(os.path.join(base, _text(name.strip('"')))))

    # ---- calls

    def _openat(self, a: list[str], _result: int, rest: str) -> Iterator[Op]:
        path, number = self._named(a[0], a[1]), f"{_result}"
        self.at[number] = 0
        self.append.discard(number)
        if "O_APPEND" in a[2]:
            self.append.add(number)
        if path is not None and "O_CREAT" in a[2]:
            yield ("create", path)
        if path is not None and "O_TRUNC" in a[2]:
            yield ("trunc", path, 0)

    def _write(self, a: list[str], result: int, _rest: str) -> Iterator[Op]:
        number, path = a[0].partition("<")[0], self._of(a[0])
        if _text(a[0].partition("<")[2]).startswith("pipe:["):
            with_json = _bytes(a[1])
            if with_json.startswith(b"{"):
                yield ("ack", json.loads(with_json))
        elif path is not None:
            at = None if number in self.append else self.at.get(number, 0)
            yield ("write", path, at, _bytes(a[1])[:result])
        self.at[number] = self.at.get(number, 0) + result

    def _pwrite64(self, a: list[str], result: int, _rest: str) -> Iterator[Op]:
        path = self._of(a[0])
        if path is not None:
            yield ("write", path, int(a[3]), _bytes(a[1])[:result])

    def _writev(self, a: list[str], result: int, _rest: str) -> Iterator[Op]:
        path = self._of(a[0])
        if path is not None:
            number = a[0].partition("<")[0]
            data = b"".join(_bytes(one) for one in re.findall(r'"(?:\\x[0-9a-f]{2})*"', ",".join(a[1:])))
            yield ("write", path, self.at.get(number, 0), data[:result])
            self.at[number] = self.at.get(number, 0) + result

    def _read(self, a: list[str], result: int, _rest: str) -> Iterator[Op]:
        number = a[0].partition("<")[0]
        self.at[number] = self.at.get(number, 0) + result
        return iter(())

    def _lseek(self, a: list[str], result: int, _rest: str) -> Iterator[Op]:
        self.at[a[0].partition("<")[0]] = result
        return iter(())

    def _ftruncate(self, a: list[str], _result: int, _rest: str) -> Iterator[Op]:
        path = self._of(a[0])
        if path is not None:
            yield ("trunc", path, int(a[1]))

    def _sendfile(self, a: list[str], result: int, _rest: str) -> Iterator[Op]:
        yield from self._copied(a[1], a[0], a[2], "NULL", result)

    def _copy_file_range(self, a: list[str], result: int, _rest: str) -> Iterator[Op]:
        yield from self._copied(a[0], a[2], a[1], a[3], result)

    def _copied(self, source: str, target: str, at: str, to: str, n: int) -> Iterator[Op]:
        path, number = self._of(target), target.partition("<")[0]
        digits = "".join(
            re.findall(r"\d+", at)[:1]
        )  # strace shows the offset before and after: [0] => [5000]
        start = int(digits) if digits else self.at.get(source.partition("<")[0], 0)
        if not digits:
            self.at[source.partition("<")[0]] = start + n
        origin = _text(source.partition("<")[2].rpartition(">")[0])
        begin = self.at.get(number, 0) if to == "NULL" else int(re.findall(r"\d+", to)[0])
        if path is not None and n:
            yield (
                "copy",
                path,
                begin,
                self._inside(origin) if self._inside(origin) is not None else Path(origin),
                start,
                n,
            )
        if to == "NULL":
            self.at[number] = begin + n

    def _rename(self, a: list[str], _result: int, _rest: str) -> Iterator[Op]:
        old, new = (self._inside(_text(one.strip('"'))) for one in a[:2])
        if old is not None and new is not None:
            yield ("rename", old, new)

    def _renameat(self, a: list[str], _result: int, _rest: str) -> Iterator[Op]:
        old, new = self._named(a[0], a[1]), self._named(a[2], a[3])
        if old is not None and new is not None:
            yield ("rename", old, new)

    _renameat2 = _renameat

    def _link(self, a: list[str], _result: int, _rest: str) -> Iterator[Op]:
        old, new = (self._inside(_text(one.strip('"'))) for one in a[:2])
        if old is not None and new is not None:
            yield ("link", old, new)

    def _linkat(self, a: list[str], _result: int, _rest: str) -> Iterator[Op]:
        old, new = self._named(a[0], a[1]), self._named(a[2], a[3])
        if old is not None and new is not None:
            yield ("link", old, new)

    def _unlink(self, a: list[str], _result: int, _rest: str) -> Iterator[Op]:
        path = self._inside(_text(a[0].strip('"')))
        if path is not None:
            yield ("unlink", path)

    _rmdir = _unlink

    def _unlinkat(self, a: list[str], _result: int, _rest: str) -> Iterator[Op]:
        path = self._named(a[0], a[1])
        if path is not None:
            yield ("unlink", path)

    def _mkdir(self, a: list[str], _result: int, _rest: str) -> Iterator[Op]:
        path = self._inside(_text(a[0].strip('"')))
        if path is not None:
            yield ("mkdir", path)

    def _mkdirat(self, a: list[str], _result: int, _rest: str) -> Iterator[Op]:
        path = self._named(a[0], a[1])
        if path is not None:
            yield ("mkdir", path)

    def _fsync(self, a: list[str], _result: int, _rest: str) -> Iterator[Op]:
        path = self._of(a[0])
        if path is not None:
            yield ("sync", path)

    _fdatasync = _fsync

    def _syncfs(self, a: list[str], _result: int, _rest: str) -> Iterator[Op]:
        if self._of(a[0]) is not None:
            yield ("sync_all",)


def _text(escaped: str) -> str:
    """A string of strace, with or without its hexadecimal form."""
    return re.sub(r"\\x([0-9a-f]{2})", lambda one: chr(int(one[1], 16)), escaped)


def _bytes(argument: str) -> bytes:
    return bytes.fromhex(argument.strip('"').replace("\\x", ""))
