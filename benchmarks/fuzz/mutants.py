"""Mutants: a small valid set of files, and one to three changes to it that a seed decides.

A set is a mapping of relative paths (bytes) to contents. Changes know the structure of what they change; some also hit
the bytes, the encoding or the names of files.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from typing import Any

Files = dict[bytes, bytes]
Change = Callable[[random.Random, Files], None]

_HUGE = "9" * 400
NUMBERS = (
    *(
        "0",
        "-0",
        "1",
        "-1",
        "0.5",
        "1.5",
        "1e400",
        "-1e400",
        "1e308",
        "1e-400",
        "NaN",
        "Infinity",
        "-Infinity",
    ),
    *("2147483647", "2147483648", "9223372036854775807", "9223372036854775808", "-9223372036854775809"),
    *("18446744073709551616", "1e18", "1" * 300, _HUGE, "-" + _HUGE, "1" * 5_000),
)
TEXTS = (
    *(
        '""',
        '"x"',
        '"\\ud800"',
        '"a\\udfffb"',
        '"\\u0000"',
        '"a\\u0000b"',
        '"\\u202e"',
        '"\\ufeff"',
        '"\\u001b[31m"',
    ),
    *(
        '"²"',
        '"１"',
        '"../a.png"',
        '"a.png"',
        '"' + "n" * 300 + '"',
        '"' + "n" * 5_000 + '"',
        '"=1+1"',
        '"{0}{x}"',
    ),
)
PATHS = (
    *(
        b"../outside/a.png",
        b"../../outside/a.png",
        b"../outside/labels.txt",
        b"/etc/hostname",
        b"/proc/self/environ",
    ),
    *(
        b"..\\outside\\a.png",
        b"file:///etc/hostname",
        b"~/x.png",
        b"C:\\x.png",
        b".",
        b"..",
        b"/",
        b"a.png/",
        b"//a.png",
    ),
)
"""Names that lead out of the folder, or nowhere."""
_OTHERS = ("null", "true", "false", "[]", "{}", "[[]]", "[null]", '{"a": 1}', "[1, 2]", '{"a": {"b": NaN}}')
_DEEP = tuple("[" * n + "]" * n for n in (60, 400, 990, 3_000))
VALUES = (*NUMBERS, *TEXTS, *(json.dumps(path.decode()) for path in PATHS), *_OTHERS, *_DEEP)
_MARK = "\x01{}\x01"
_WORD = re.compile(rb"[^\s:,\[\]{}<>]+")
_YAML_TOKENS = (
    *(
        b"!!python/object/apply:os.system [x]",
        b"!!bool x",
        b"!!timestamp x",
        b"!!int x",
        b"!!set {a}",
        b"!!binary x",
    ),
    *(
        b"&a [1]",
        b"*a",
        b"<<",
        b"2001-99-99",
        b"0o99",
        b"1:99:99",
        b"? x",
        b"- - -",
        b"|",
        b">",
        b"%",
        b"@",
        b"\t",
    ),
    *(
        b"yes",
        b"~",
        b".nan",
        b".inf",
        b"-.inf",
        b"0x" + b"f" * 5_000,
        b"\xc2\xb2",
        b"[[[[",
        b"{{",
        b"'",
        b'"',
        b"# x",
    ),
    *(
        b"[" * 50 + b"]" * 50,
        b"{a: " * 30 + b"b" + b"}" * 30,
        b"9" * 400,
        b"1e400",
        b"-1",
        b"0",
        b"1.5",
        b"[]",
        b"{}",
    ),
)
_XML_TOKENS = (
    *(
        b"NaN",
        b"inf",
        b"1e400",
        b"-1",
        b"",
        b" ",
        b"9" * 400,
        b"1_0",
        "１".encode(),
        b"n" * 5_000,
        b"&lt;",
        b"&#0;",
    ),
    *(
        b"&#xD800;",
        b"&x;",
        b"<!-- x -->",
        b"<![CDATA[x]]>",
        b"<a/>",
        b"<a>" * 2_000 + b"</a>" * 2_000,
        b"\x00",
        b"\xff",
    ),
)
_ROW_TOKENS = (
    *(
        b"nan",
        b"inf",
        b"-inf",
        b"1e400",
        b"-1",
        b"1_0",
        "１".encode(),
        "²".encode(),
        b"x",
        b"",
        b"0x1",
        b"9" * 400,
    ),
    *(
        b"1.0005",
        b"0",
        b"1",
        b"2",
        b"0.5",
        b"1e-320",
        b"\x00",
        b"\xff",
        b"-0",
        b"1e18",
        b"\x1c",
        "\u2028".encode(),
    ),
)
ENCODINGS = ("utf-16", "utf-16-le", "utf-32", "latin-1", "utf-7", "cp1252")


def mutate(files: Files, changes: list[tuple[Change, int]]) -> Files:
    """The files after some changes, each with a seed of its own."""
    changed = dict(files)
    for change, seed in changes:
        change(random.Random(seed), changed)
    return changed


def pick(rng: random.Random, files: Files, *suffixes: bytes) -> bytes | None:
    """The name of one of the files with these extensions."""
    names = sorted(name for name in files if name.endswith(suffixes))
    return rng.choice(names) if names else None


def change_json(rng: random.Random, files: Files) -> None:
    """Replace, delete, repeat, rename or nest one value of a JSON file."""
    name = pick(rng, files, b".json", b".jsonld")
    if name is None:
        return
    try:
        value = json.loads(files[name])
    except (ValueError, RecursionError):
        change_bytes(rng, files)
        return
    raw: list[str] = []
    places = list(_places(value))
    if not places:
        return
    holder, key = rng.choice(places)
    what = rng.randrange(10)
    if what < 6:
        holder[key] = _raw(raw, rng.choice(VALUES))
    elif what == 6:
        del holder[key]
    elif what == 7 and isinstance(holder, dict):
        holder[rng.choice(["x", "", "id", "\ud800", "bbox", "name", "n" * 300])] = holder.pop(key)
    elif what == 8 and isinstance(holder, dict):
        once = json.dumps(str(key)) + ": 1"
        holder[key] = _raw(raw, f"{json.dumps(holder[key])}, {once}")
    elif isinstance(holder, list):
        holder.insert(rng.randrange(len(holder) + 1), holder[key])
    else:
        holder["attributes"] = {"k": _raw(raw, rng.choice(VALUES))}
    text = json.dumps(value)
    for at, token in enumerate(raw):
        text = text.replace(json.dumps(_MARK.format(at)), token)
    files[name] = text.encode("utf-8", "surrogatepass")


def _raw(raw: list[str], token: str) -> str:
    raw.append(token)
    return _MARK.format(len(raw) - 1)


def _places(value: Any) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    keys = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        found.append((value, key))
        found += _places(value[key])
    return found


def change_words(
    rng: random.Random, files: Files, suffixes: tuple[bytes, ...], tokens: tuple[bytes, ...]
) -> None:
    """Replace, delete, repeat or move a word or a line of a text."""
    name = pick(rng, files, *suffixes)
    if name is None:
        return
    data = files[name]
    what = rng.randrange(8)
    lines = data.splitlines(keepends=True)
    if what < 4:
        words = list(_WORD.finditer(data))
        if words:
            word = rng.choice(words)
            files[name] = data[: word.start()] + rng.choice(tokens) + data[word.end() :]
        return
    if not lines:
        return
    at = rng.randrange(len(lines))
    if what == 4:
        del lines[at]
    elif what == 5:
        lines.insert(at, rng.choice(lines))
    elif what == 6:
        lines[at] = rng.choice([b" ", b"    ", b"\t"]) + lines[at]
    else:
        lines[at] = lines[at].rstrip(b"\r\n") + b" " + rng.choice(tokens) + b"\n"
    files[name] = b"".join(lines)


def change_yaml(rng: random.Random, files: Files) -> None:
    """A word or line of a YAML."""
    change_words(rng, files, (b".yaml", b".yml"), _YAML_TOKENS)


def change_rows(rng: random.Random, files: Files) -> None:
    """A number or row of a label file."""
    change_words(rng, files, (b".txt",), (*_ROW_TOKENS, *PATHS))


def change_settings(rng: random.Random, files: Files) -> None:
    """A word or line of a list of names or of settings."""
    change_words(
        rng, files, (b".ini", b".data", b".names", b"labelmap.txt", b"train.txt"), (*_ROW_TOKENS, *PATHS)
    )


def change_cells(rng: random.Random, files: Files) -> None:
    """A cell or row of a CSV file."""
    change_words(rng, files, (b".csv",), (*_ROW_TOKENS, *PATHS, b'"', b'""', b",", b'"a\nb"', b"n" * 200_000))


def change_attributes(rng: random.Random, files: Files) -> None:
    """The value of an attribute of an XML element, or the attribute itself."""
    name = pick(rng, files, b".xml")
    found = list(re.finditer(rb' (\w+)="([^"]*)"', files[name])) if name else []
    if name is None or not found:
        return
    one, data = rng.choice(found), files[name]
    tokens = (
        *_XML_TOKENS[:12],
        *PATHS,
        *(text.encode() for text in NUMBERS),
        b"1,2;3",
        b"1,2;nan,3",
        b"1;" * 9_000,
    )
    new = rng.choice([b"", one.group() * 2, *(b' %s="%s"' % (one[1], rng.choice(tokens)) for _ in range(8))])
    files[name] = data[: one.start()] + new + data[one.end() :]


def change_xml(rng: random.Random, files: Files) -> None:
    """A word, tag or line of an XML file."""
    if rng.random() < 0.7:
        change_words(rng, files, (b".xml",), _XML_TOKENS)
        return
    name = pick(rng, files, b".xml")
    if name is None:
        return
    data = files[name]
    tags = list(re.finditer(rb"<(\w+)>.*?</\1>", data, re.DOTALL))
    if tags:
        tag, other = rng.choice(tags), rng.choice(tags)
        new = rng.choice(
            [b"", tag.group() * 2, other.group(), tag.group().upper(), b"<x>" + tag.group() + b"</x>"]
        )
        files[name] = data[: tag.start()] + new + data[tag.end() :]


def change_bytes(rng: random.Random, files: Files) -> None:
    """Truncate, flip, insert, delete or recode the bytes of any file."""
    names = sorted(files)
    if not names:
        return
    name = rng.choice(names)
    files[name] = broken_bytes(rng, files[name])


def broken_bytes(rng: random.Random, data: bytes) -> bytes:
    """Bytes after one change that knows no structure."""
    if not data:
        return bytes(rng.randrange(256) for _ in range(rng.randrange(20)))
    at, what = rng.randrange(len(data)), rng.randrange(9)
    if what == 0:
        return data[:at]
    if what < 4:
        changed = bytearray(data)
        for _ in range(rng.choice([1, 1, 2, 8])):
            changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
        return bytes(changed)
    if what == 4:
        return (
            data[:at]
            + bytes(rng.choice([0, 255, 10, 0x80, rng.randrange(256)]) for _ in range(3))
            + data[at:]
        )
    if what == 5:
        return data[:at] + data[at + rng.randrange(1, 20) :]
    if what == 6:
        return b"\xef\xbb\xbf" + data
    if what == 7:
        return data.decode("utf-8", "replace").encode(rng.choice(ENCODINGS), "replace")
    return data + data[at:]


def change_names(rng: random.Random, files: Files) -> None:
    """Move a file to a strange name, or remove it."""
    if not files:
        return
    name = rng.choice(sorted(files))
    folder, _, last = name.rpartition(b"/")
    stem, _, suffix = last.rpartition(b".")
    odd = (
        *(
            b"n" * 240,
            b"caf\xe9",
            "\u202ex".encode(),
            "e\u0301".encode(),
            b"a\nb",
            b"-x",
            b" x ",
            b"x.",
            b"CON",
            b"%s{0}",
        ),
        *(
            b"\x1b[31m",
            b"a'b\"c",
            b"=1+1",
            b"\xff\xfe",
            "²".encode(),
            b"images",
            b"labels",
            b"train",
            b".hidden",
        ),
    )
    data = files.pop(name)
    what = rng.randrange(4)
    if what == 0:
        return
    if what == 1:
        files[(folder + b"/" if folder else b"") + rng.choice(odd) + b"." + suffix] = data
    elif what == 2:
        files[rng.choice(odd) + b"/" + last] = data
    else:
        files[
            (folder + b"/" if folder else b"") + stem + b"." + rng.choice([b"PNG", b"jpeg", b"txt", b"json"])
        ] = data
