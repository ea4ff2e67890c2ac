"""Finished chunks of a run that may be stopped: kept beside the target, so that ``resume`` goes on behind them.

Each chunk is an Arrow file behind its digest, written under a temporary name and renamed, with its tally inside. A run
goes on only from parts of the very same run (`identity`); others are thrown away.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from ratemod.errors import BookError, problem
from ratemod.rating.tally import Tally
from ratemod.whole_file import abandoned, hold, whole_file

if TYPE_CHECKING:
    from collections.abc import Mapping

TALLY = b"ratemod.tally"
DIGEST = 32  # bytes of a SHA-256


@dataclass(frozen=True, slots=True)
class Parts:
    """The folder of finished chunks of one run."""

    folder: Path
    handle: int

    @staticmethod
    def open(target: Path, identity: Mapping[str, Any]) -> Parts:
        """Return the parts of this run, emptied when what is there belongs to another.

        Raises
        ------
        BookError
            RM394 another run is at work on them.
        """
        folder = folder_of(target)
        same = json.dumps(identity, ensure_ascii=False, sort_keys=True)
        mark = folder / "run"
        if folder.exists() and not abandoned(folder):
            raise BookError(problem("RM394", path=str(target)))
        if not mark.is_file() or mark.read_text(encoding="utf-8") != same:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            with whole_file(mark) as part:
                part.write_text(same, encoding="utf-8")
        return Parts(folder, hold(folder))

    def load(self, at: int) -> tuple[pa.Table, Tally] | None:
        """Return one finished chunk, or None."""
        path = self.folder / f"{at:06d}.arrow"
        if not path.is_file():
            return None
        try:
            content = memoryview(path.read_bytes())
        except OSError:
            return None
        if hashlib.sha256(content[DIGEST:]).digest() != content[:DIGEST]:  # damaged: done again
            return None
        table = pa.ipc.open_file(pa.py_buffer(content[DIGEST:])).read_all()
        return table.replace_schema_metadata(None), Tally.from_json(table.schema.metadata[TALLY].decode("utf-8"))

    def save(self, at: int, table: pa.Table, tally: Tally) -> None:
        """Keep one finished chunk, its digest before it."""
        marked = table.replace_schema_metadata({TALLY: tally.to_json().encode("utf-8")})
        options = pa.ipc.IpcWriteOptions(compression="lz4", unify_dictionaries=False)
        sink = pa.BufferOutputStream()
        with pa.ipc.new_file(sink, marked.schema, options=options) as writer:
            writer.write_table(marked)
        content = sink.getvalue()
        with whole_file(self.folder / f"{at:06d}.arrow") as part, open(part, "wb") as file:
            file.write(hashlib.sha256(content).digest())
            file.write(content)

    def remove(self) -> None:
        """Throw all parts away: the run is done."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def close(self) -> None:
        """Let them go, for a later run."""
        os.close(self.handle)


def folder_of(target: Path) -> Path:
    """Return where the parts of a run towards a target lie."""
    return target.with_name(f".{target.name}.parts")


def discard(target: Path) -> None:
    """Throw away the parts that a stopped run left, when another run begins anew; those of a living run stay."""
    folder = folder_of(target)
    if folder.is_dir() and not folder.is_symlink() and abandoned(folder):
        shutil.rmtree(folder, ignore_errors=True)
