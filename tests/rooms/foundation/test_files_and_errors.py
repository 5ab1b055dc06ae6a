"""Text files that a person names, and what the operating system refuses."""

from __future__ import annotations

import errno
import os

import pytest

from calotype.foundation.os_errors import PathExists, PathNotFound, StorageFailed, as_calotype_error
from calotype.foundation.text_files import TextFileInvalid, read_text


def test_utf8_text_is_read_without_its_byte_order_mark(tmp_path):
    file = tmp_path / "contract.yaml"
    file.write_bytes(b"\xef\xbb\xbfname: caf\xc3\xa9\n")
    assert read_text(file) == "name: café\n"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"name: a\nlabel: caf\xe9\n", "line 2 is not UTF-8"),
        ("name: a\n".encode("utf-16"), "its encoding is UTF-16"),
        (b"x" * 101, "larger than 100 bytes"),
    ],
)
def test_other_files_are_refused_with_the_reason(tmp_path, data, reason):
    file = tmp_path / "contract.yaml"
    file.write_bytes(data)
    with pytest.raises(TextFileInvalid, match=reason) as refused:
        read_text(file, max_bytes=100)
    assert "contract.yaml" in refused.value.message


def test_a_missing_file_a_folder_and_a_pipe_are_named(tmp_path):
    with pytest.raises(PathNotFound, match=r"gone\.yaml"):
        read_text(tmp_path / "gone.yaml")
    with pytest.raises(TextFileInvalid, match="folder"):
        read_text(tmp_path)
    os.mkfifo(tmp_path / "pipe.yaml")
    with pytest.raises(TextFileInvalid, match="pipe"):
        read_text(tmp_path / "pipe.yaml")


@pytest.mark.parametrize(
    ("number", "kind", "fix"),
    [
        (errno.ENOSPC, StorageFailed, "free disk space"),
        (errno.EACCES, StorageFailed, "grant access"),
        (errno.EROFS, StorageFailed, "can be written"),
        (errno.EIO, StorageFailed, "calotype verify"),
        (errno.ENAMETOOLONG, StorageFailed, "shorter name"),
        (errno.EMFILE, StorageFailed, "ulimit"),
        (errno.ENOENT, PathNotFound, "check the path"),
        (errno.EEXIST, PathExists, "another name"),
        (errno.EXDEV, StorageFailed, "check the disk"),
    ],
)
def test_each_reason_has_its_own_fix(number, kind, fix):
    error = as_calotype_error(OSError(number, os.strerror(number), "/some/file"))
    assert type(error) is kind and fix in error.remedy
    assert "/some/file" in str(error)
    assert ("free disk space" in error.remedy) == (number == errno.ENOSPC)
