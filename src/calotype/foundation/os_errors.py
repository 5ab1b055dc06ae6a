"""Errors of the operating system, as errors of Calotype: the real reason, and the fix that fits it."""

from __future__ import annotations

import errno

from calotype.foundation.errors import CalotypeError, Conflict, External, NotFound

_REASONS: dict[int, tuple[str, str]] = {
    errno.ENOSPC: ("the disk is full", "free disk space"),
    errno.EDQUOT: ("the disk quota is used up", "free disk space or raise the quota"),
    errno.EFBIG: ("the file would be larger than the file system allows", "use another file system"),
    errno.EACCES: ("access is denied", "grant access to it"),
    errno.EPERM: ("the operation is not permitted", "grant access to it"),
    errno.EROFS: ("the file system is read-only", "use a folder that can be written"),
    errno.EIO: ("the disk reported an error", "check the disk, and run `calotype verify`"),
    errno.EMFILE: ("too many files are open", "raise the limit (`ulimit -n`)"),
    errno.ENFILE: ("the system has too many open files", "close other programs"),
    errno.ENOMEM: ("memory is used up", "close other programs"),
    errno.ENAMETOOLONG: ("the name is too long", "use a shorter name or path"),
    errno.ENOTDIR: ("a part of the path is a file, not a folder", "check the path"),
    errno.EISDIR: ("it is a folder, not a file", "name a file"),
    errno.ELOOP: ("its symbolic links go in a circle", "correct the links"),
    errno.ESTALE: ("the network file system lost it", "check the mount"),
}
_DISK_FAILED = "LanceError(IO)"
_OTHER_FIX = "check the disk and the access rights"


class PathNotFound(NotFound):
    """A path without a file or folder."""

    code = "path-not-found"
    what = "{path} does not exist"
    fix = "check the path; relative paths start at the current folder"


class PathExists(Conflict):
    """A file that must be new already exists."""

    code = "path-exists"
    what = "{path} already exists"
    fix = "choose another name, or delete it first"


class StorageFailed(External):
    """The operating system refused to read or write; `detail` is the reason."""

    code = "storage-failed"
    what = "{detail}"
    fix = "{remedy_text}, then run the command again; what was finished before is kept"


def reason_and_fix(error: OSError) -> tuple[str, str]:
    """Why the operating system refused, and what to do about it; without the path."""
    return _REASONS.get(error.errno or 0, ((error.strerror or type(error).__name__).lower(), _OTHER_FIX))


def of_a_query(error: Exception) -> CalotypeError | None:
    """The error to show where the disk failed while a query read a Lance table; None for any other failure of it."""
    return as_calotype_error(OSError(errno.EIO, str(error))) if _DISK_FAILED in str(error) else None


def as_calotype_error(error: OSError) -> CalotypeError:
    """The error to show for an error of the operating system; it names the path."""
    path = str(error.filename or "")
    if path and isinstance(error, FileNotFoundError):
        return PathNotFound(path=path)
    if path and isinstance(error, FileExistsError):
        return PathExists(path=path)
    detail, remedy = reason_and_fix(error)
    return StorageFailed(where=path, detail=detail, remedy_text=remedy)
