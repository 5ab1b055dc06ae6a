"""Changes to files that hold others or are no regular files: tar archives, Parquet shards, pipes, links and folders."""

from __future__ import annotations

import io
import json
import random
import tarfile
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from mutants import PATHS, Change, Files, broken_bytes, change_bytes, change_json, pick

_ODD_VALUES: tuple[Any, ...] = (
    *(
        None,
        "",
        "x",
        0,
        -1,
        2**63 - 1,
        2**70,
        1e308,
        float("nan"),
        float("inf"),
        b"",
        b"\xff\xd8\xff",
        [],
        {},
    ),
    *(
        [None],
        [[1.0]],
        [1e308] * 4,
        [float("nan")] * 4,
        {"bytes": b"x", "path": "../outside/a.png"},
        "n" * 5_000,
    ),
    *(
        {"bytes": None, "path": "/etc/hostname"},
        {"bytes": None, "path": "../outside/a.png"},
        "../outside/a.png",
        True,
    ),
    *({"bbox": [[1, 2, 3]], "category": [0]}, {"bbox": [[1, 2, 3, 4]], "category": [99]}, "\x00", "\u202e"),
)


class Special(bytes):
    """The content of a path that is no regular file: `what` says which."""

    what: str

    def __new__(cls, what: str) -> Special:
        made = super().__new__(cls, what.encode())
        made.what = what
        return made


def change_special(rng: random.Random, files: Files) -> None:
    """Put a pipe, a device, a link or a folder in the place of a file, or empty it."""
    if not files:
        return
    name = rng.choice(sorted(files))
    last = name.rpartition(b"/")[2].decode("utf-8", "surrogateescape")
    what = rng.choice(
        (
            *("pipe", "folder", "empty", "empty", f"link:{last}", "link:nothing", "link:/dev/zero", "link:."),
            *(
                "link:..",
                "link:../../outside/labels" + name[-5:].decode("utf-8", "replace"),
                "link:/etc/hostname",
            ),
            *("outside-file", "outside-file", "outside-folder", "long", "deep"),
        )
    )
    data = files.pop(name)
    if what == "empty":
        files[name] = b""
    elif what == "long":
        folder, _, _ = name.rpartition(b"/")
        files[(folder + b"/" if folder else b"") + b"n" * (255 - len(name[-5:])) + name[-5:]] = data
    elif what == "deep":
        files[b"d/" * 60 + name] = data
    elif what == "outside-folder" and b"/" in name:
        top = name.split(b"/")[0]
        for inner in [other for other in files if other.startswith(top + b"/")]:
            del files[inner]
        files[top] = Special("link:../outside")
    else:
        files[name] = Special(what if what != "outside-folder" else "outside-file")


def change_tar(rng: random.Random, files: Files) -> None:
    """Change a member of a tar archive, its name, its type or its header."""
    name = pick(rng, files, b".tar")
    if name is None:
        return
    try:
        with tarfile.open(fileobj=io.BytesIO(files[name])) as opened:
            members = [(m, opened.extractfile(m).read() if m.isreg() else b"") for m in opened]  # type: ignore[union-attr]
    except (tarfile.TarError, ValueError, OSError, AttributeError):
        change_bytes(rng, files)
        return
    if not members:
        return
    at = rng.randrange(len(members))
    member, data = members[at]
    what = rng.randrange(9)
    if what < 3:
        inner: Files = {member.name.encode("utf-8", "surrogateescape"): data}
        (change_json if member.name.endswith(".json") else change_bytes)(rng, inner)
        data = next(iter(inner.values()), b"")
    elif what == 3:
        member.name = rng.choice(
            [*(text.decode("utf-8", "replace") for text in PATHS), "", "x", "n" * 300 + ".png"]
        )
    elif what == 4:
        kinds = [
            tarfile.SYMTYPE,
            tarfile.LNKTYPE,
            tarfile.FIFOTYPE,
            tarfile.CHRTYPE,
            tarfile.DIRTYPE,
            b"\xff",
        ]
        member.type, member.linkname = (
            rng.choice(kinds),
            rng.choice(["/etc/hostname", "../outside/a.png", member.name]),
        )
        data = b""
    elif what == 5:
        members.append(members[rng.randrange(len(members))])
    elif what == 6:
        del members[at]
        files[name] = _tar(members)
        return
    elif what == 7:
        stem, _, _ = member.name.rpartition(".")
        member.name = stem + rng.choice([".json", ".cls", ".txt", ".JPG", ".a.b.png", "", "/"])
    else:
        whole = bytearray(_tar(members))
        start = rng.choice([0, 100, 124, 136, 148, 156, 157, 257, 345]) + 512 * rng.randrange(4)
        whole[start : start + 4] = rng.choice([b"\xff\xff\xff\xff", b"7777", b"    ", b"\x80\x00\x00\x7f"])
        files[name] = bytes(whole)
        return
    members[at] = (member, data)
    files[name] = _tar(members)


def _tar(members: list[tuple[tarfile.TarInfo, bytes]]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as target:
        for member, data in members:
            member.size = len(data)
            target.addfile(member, io.BytesIO(data))
    return out.getvalue()


def change_parquet(rng: random.Random, files: Files) -> None:
    """Change a value, a type, a column, the rows or the schema of a Parquet file."""
    name = pick(rng, files, b".parquet")
    if name is None:
        return
    try:
        table = pq.read_table(io.BytesIO(files[name]))
    except (pa.ArrowException, OSError, ValueError):
        files[name] = broken_bytes(rng, files[name])
        return
    try:
        table = _changed(rng, table)
        out = io.BytesIO()
        pq.write_table(table, out, compression=rng.choice(["NONE", "SNAPPY"]))
        files[name] = out.getvalue()
    except (pa.ArrowException, OverflowError, TypeError, ValueError):
        files[name] = broken_bytes(rng, files[name])


def _changed(rng: random.Random, table: pa.Table) -> pa.Table:
    if not table.num_columns:
        return table
    at = rng.randrange(table.num_columns)
    column, field = table.column(at), table.schema.field(at)
    what = rng.randrange(9)
    if what == 0:
        return table.remove_column(at)
    if what == 1:
        return table.rename_columns(
            [
                rng.choice(["x", "", "image", "objects", "label"]) if i == at else n
                for i, n in enumerate(table.column_names)
            ]
        )
    if what == 2:
        return table.slice(0, 0)
    if what == 3:
        return table.append_column(field, column)
    if what == 4:
        return table.replace_schema_metadata(
            {b"huggingface": rng.choice([b"", b"{", b"[]", b'{"info": 1}', b"\xff"])}
        )
    rows = column.to_pylist()
    if rows and what < 8:
        row = rng.randrange(len(rows))
        rows[row] = _inner(rng, rows[row])
        try:
            return table.set_column(at, field, pa.array(rows, field.type))
        except (pa.ArrowException, OverflowError, TypeError, ValueError):
            pass
    value = rng.choice(_ODD_VALUES)
    return table.set_column(at, field.name, pa.array([value] * len(rows)))


def _inner(rng: random.Random, value: Any) -> Any:
    """A value with one of its parts replaced."""
    if isinstance(value, dict) and value and rng.random() < 0.8:
        key = rng.choice(sorted(value))
        return {**value, key: _inner(rng, value[key])}
    if isinstance(value, list) and value and rng.random() < 0.8:
        at = rng.randrange(len(value))
        return [*value[:at], _inner(rng, value[at]), *value[at + 1 :]] if rng.random() < 0.8 else value[1:]
    if isinstance(value, bytes) and rng.random() < 0.6:
        return broken_bytes(rng, value)
    return rng.choice(_ODD_VALUES)


def change_lines_of_json(rng: random.Random, files: Files) -> None:
    """One line of a JSONL file as a JSON file."""
    name = pick(rng, files, b".jsonl", b".ndjson")
    if name is None:
        return
    lines = files[name].splitlines()
    if not lines:
        return
    at = rng.randrange(len(lines))
    inner: Files = {b"x.json": lines[at]}
    if rng.random() < 0.9:
        change_json(rng, inner)
    else:
        inner[b"x.json"] = json.dumps(rng.choice(["x", None, [1], 1.5])).encode()
    lines[at] = inner[b"x.json"]
    files[name] = b"\n".join(lines) + b"\n"


CONTAINERS: tuple[Change, ...] = (change_tar, change_parquet)
