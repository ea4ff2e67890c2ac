"""Files are whole or absent: written under a temporary name beside the target, flushed to disk, then renamed.

A reader of the final name sees the old file or the new one, never a part, whatever interrupts the writing.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ratemod.errors import BookError, Problem, problem

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
DENIED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path in the target's folder; rename it to the target when the block ends well.

    When the block fails, the temporary file is removed and the target is untouched. A process that is killed leaves
    at most a hidden ``.<name>.<process id>.part``.

    Raises
    ------
    BookError
        RM801 no such folder, RM802 may not write there, RM805 the disk is full, RM806 any other refusal by the
        system.
    """
    target = Path(os.path.realpath(path))
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        yield part
        _flush(part)
        os.replace(part, target)
        _flush_folder(target.parent)
    except OSError as error:
        raise BookError(write_problem(error, str(path))) from error
    finally:
        with suppress(OSError):
            part.unlink()


def write_problem(error: OSError, path: str) -> Problem:
    """Return what the system's refusal means for the one who asked for the file."""
    if error.errno in FULL:
        return problem("RM805", path=path)
    if error.errno in DENIED:
        return problem("RM802", path=path)
    if error.errno == errno.ENOENT:
        return problem("RM801", folder=str(Path(path).parent))
    return problem("RM806", path=path, why=error.strerror or str(error))


def _flush(part: Path) -> None:
    with open(part, "rb+") as file:
        os.fsync(file.fileno())


def _flush_folder(folder: Path) -> None:
    """Make the rename itself durable, where the system lets folders be opened."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
