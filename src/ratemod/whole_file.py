"""Results are whole or absent: one file, several that belong together, or a folder.

Everything is written under random names beside the targets, flushed to the disk, and only then renamed, in the order in
which the files were begun: what proves a set (its manifest) is begun last. A reader of the final names sees the old
result or the new one, whatever interrupts the writing; a crash between two renames leaves a set that its manifest
contradicts.

A temporary name is made, never found: it is created exclusively and held by a lock, so that two writers do not meet,
what a killed run left is told from what a living one writes, and nothing that was planted is written through.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from ratemod.errors import BookError, Problem, cause, problem

if sys.platform != "win32":
    import fcntl

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
DENIED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
SCRATCH = ".ratemod-"
EXCHANGE, AT_CWD = 2, -100  # renameat2(2): swap two names in one step


@dataclass(frozen=True, slots=True)
class Staged:
    """One target, the temporary name beside it, and the open handle whose lock says that its writer lives."""

    target: Path
    part: Path
    handle: int


@dataclass(frozen=True, slots=True)
class FileSet:
    """Files that appear together, begun by `new`."""

    staged: list[Staged] = field(default_factory=list)

    def new(self, path: str | Path) -> Path:
        """Return the temporary name of one more file of the set, which exists and is empty.

        Raises
        ------
        BookError
            RM390 when the target is there and is a pipe or a device, RM804 a folder; RM801, RM802, RM805, RM806.
        """
        with _told(path):
            target = Path(os.path.realpath(path))
            mode = _ordinary(target, str(path))
            sweep(target)
            one = _begun(target)
            self.staged.append(one)
            if mode is not None:
                os.fchmod(one.handle, mode)
        return one.part

    def commit(self) -> None:
        """Flush every file, then rename them all in the order in which they were begun."""
        for one in self.staged:
            with _told(one.target):
                os.fsync(one.handle)
        for one in self.staged:
            with _told(one.target):
                os.replace(one.part, one.target)
        for folder in {one.target.parent for one in self.staged}:
            _flush_folder(folder)

    def close(self) -> None:
        """Remove what was not renamed, and let the locks go."""
        for one in self.staged:
            with suppress(OSError):
                one.part.unlink()
            with suppress(OSError):
                os.close(one.handle)
        self.staged.clear()


@contextmanager
def file_set() -> Iterator[FileSet]:
    """Yield a set of files; all of them get their names when the block ends well, none when it fails.

    Raises
    ------
    BookError
        As `FileSet.new`; RM805 the disk is full, RM806 any other refusal by the system.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with file_set() as files:
    ...     written = [files.new(folder / name).write_text(name) for name in ("a", "b")]
    ...     sorted(path.name for path in folder.iterdir() if path.name in ("a", "b"))
    []
    >>> sorted(path.name for path in folder.iterdir())
    ['a', 'b']
    """
    files = FileSet()
    try:
        with _told_of(files):
            yield files
            files.commit()
    finally:
        files.close()


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path in the target's folder; rename it to the target when the block ends well.

    When the block fails, the temporary file is removed and the target is untouched. The rights of a file that is
    replaced are kept. What a killed process leaves, a hidden ``.<name>.<random>.part``, the next writer of the same
    target removes.

    Raises
    ------
    BookError
        RM390 the target is no ordinary file, RM801 no such folder, RM802 may not write there, RM805 the disk is full,
        RM806 any other refusal by the system.
    """
    with file_set() as files:
        yield files.new(path)


@contextmanager
def whole_folder(path: str | Path) -> Iterator[Path]:
    """Yield a new empty folder beside the target; it takes the target's name when the block ends well.

    A folder that stands there is exchanged for it in one step where the system can, so that the name is never missing;
    elsewhere the old one stands meanwhile as ``<name>-earlier``.

    Raises
    ------
    BookError
        As `whole_file`.
    """
    target = Path(os.path.realpath(path))
    with _told(path):
        sweep(target)
        part = target.with_name(f".{target.name}.{secrets.token_hex(8)}.part")
        part.mkdir()
        handle = os.open(part, os.O_RDONLY)
        _locked(handle)
    try:
        with _told(path):
            yield part
            _flush_tree(part)
            if target.exists():
                _exchange(part, target)
            else:
                os.replace(part, target)
            _flush_folder(target.parent)
    finally:
        shutil.rmtree(part, ignore_errors=True)
        with suppress(OSError):
            os.close(handle)


@contextmanager
def scratch_folder(folder: Path) -> Iterator[Path]:
    """Yield an empty folder for a run; what a killed run left of one, the next writer here removes."""
    part = folder / f"{SCRATCH}{secrets.token_hex(8)}.part"
    part.mkdir()
    handle = hold(part)
    try:
        yield part
    finally:
        shutil.rmtree(part, ignore_errors=True)
        os.close(handle)


def sweep(target: Path) -> tuple[str, ...]:
    """Remove what killed writers of this target left beside it, and return its names; a living writer's stays."""
    if sys.platform == "win32" or not target.parent.is_dir():  # no locks, so nobody knows whose they are
        return ()
    gone = []
    with os.scandir(target.parent) as entries:
        ours = (f".{target.name}.", SCRATCH)
        left = [entry for entry in entries if entry.name.startswith(ours) and entry.name.endswith(".part")]
    for entry in left:
        path = Path(entry.path)
        if not entry.is_symlink() and abandoned(path):
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
            gone.append(entry.name)
    return tuple(sorted(gone))


def abandoned(path: Path) -> bool:
    """Return whether a file or folder is held by no living writer."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        kind = os.fstat(handle).st_mode
        return (stat.S_ISREG(kind) or stat.S_ISDIR(kind)) and _locked(handle)
    finally:
        os.close(handle)


def hold(path: Path) -> int:
    """Return an open handle of a file or folder whose lock says that its writer lives; close it to let go."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    _locked(handle)
    return handle


def write_problem(error: OSError, path: str) -> Problem:
    """Return what the system's refusal means for the one who asked for the file."""
    if error.errno in FULL:
        return problem("RM805", path=path)
    if error.errno in DENIED:
        return problem("RM802", path=path)
    if error.errno == errno.ENOENT:
        return problem("RM801", folder=str(Path(path).parent))
    return problem("RM806", path=path, why=cause(error))


def refuse_special(path: Path, shown: str) -> None:
    """Refuse a target that is there and is no ordinary file.

    Raises
    ------
    BookError
        RM390; RM804 for a folder.
    """
    _ordinary(Path(os.path.realpath(path)), shown)


def _ordinary(target: Path, shown: str) -> int | None:
    """Return the rights of an ordinary file that stands there, None where nothing does; refuse all else."""
    try:
        found = os.stat(target)
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(found.st_mode):
        raise BookError(problem("RM804", path=shown))
    if not stat.S_ISREG(found.st_mode):
        raise BookError(problem("RM390", path=shown))
    return stat.S_IMODE(found.st_mode)


def _begun(target: Path) -> Staged:
    """Return a new empty file beside the target, locked by us before anyone could take it for a leftover."""
    while True:
        part = target.with_name(f".{target.name}.{secrets.token_hex(8)}.part")
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
        handle = os.open(part, flags, 0o666)
        if _locked(handle) and part.exists() and os.fstat(handle).st_ino == part.stat().st_ino:
            return Staged(target, part, handle)
        os.close(handle)


def _locked(handle: int) -> bool:
    if sys.platform == "win32":
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in (errno.EWOULDBLOCK, errno.EACCES)  # a disk without locks: as if ours
    return True


@contextmanager
def _told(path: str | Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise BookError(write_problem(error, str(path))) from error


@contextmanager
def _told_of(files: FileSet) -> Iterator[None]:
    """Say what the system refuses of the file that was begun last."""
    try:
        yield
    except OSError as error:
        path = str(files.staged[-1].target) if files.staged else ""
        raise BookError(write_problem(error, path)) from error


def _exchange(new: Path, old: Path) -> None:
    """Give two folders each other's names."""
    import ctypes

    try:
        swap = ctypes.CDLL(None, use_errno=True).renameat2
        if swap(AT_CWD, os.fsencode(new), AT_CWD, os.fsencode(old), EXCHANGE) == 0:
            return
    except (AttributeError, OSError):
        pass
    earlier = old.with_name(f"{old.name}-earlier")
    shutil.rmtree(earlier, ignore_errors=True)
    os.replace(old, earlier)
    os.replace(new, old)
    shutil.rmtree(earlier, ignore_errors=True)


def _flush_tree(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        if path.is_file():
            with open(path, "rb+") as file:
                os.fsync(file.fileno())
        else:
            _flush_folder(path)


def _flush_folder(folder: Path) -> None:
    """Make a rename durable, where the system lets folders be opened."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
