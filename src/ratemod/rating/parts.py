"""Finished chunks of a run that may be stopped: kept beside the target, so that ``resume`` goes on behind them.

Each chunk is an Arrow file, written under a temporary name and renamed, with its tally inside. A run goes on only from
parts of the very same run: same input bytes, plan, versions, language and columns; others are thrown away.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from ratemod.rating.manifest import InputFile, versions
from ratemod.rating.tally import Tally
from ratemod.whole_file import whole_file

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ratemod.rating.across import Broken
    from ratemod.rating.pricer import Pricer

TALLY = b"ratemod.tally"


@dataclass(frozen=True, slots=True)
class Parts:
    """The folder of finished chunks of one run."""

    folder: Path

    @staticmethod
    def open(target: Path, inputs: Sequence[InputFile], pricer: Pricer, across: Sequence[Broken]) -> Parts:
        """Return the parts of this run, emptied when what is there belongs to another."""
        folder = target.with_name(f".{target.name}.parts")
        same = _identity(inputs, pricer, across)
        mark = folder / "run"
        if not mark.is_file() or mark.read_text(encoding="utf-8") != same:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            with whole_file(mark) as part:
                part.write_text(same, encoding="utf-8")
        return Parts(folder)

    def load(self, at: int) -> tuple[pa.Table, Tally] | None:
        """Return one finished chunk, or None."""
        path = self.folder / f"{at:06d}.arrow"
        if not path.is_file():
            return None
        try:
            with pa.OSFile(str(path)) as file:
                table = pa.ipc.open_file(file).read_all()
            said = table.schema.metadata[TALLY].decode("utf-8")
        except (pa.ArrowException, OSError, KeyError, TypeError):
            return None
        return table.replace_schema_metadata(None), Tally.from_json(said)

    def save(self, at: int, table: pa.Table, tally: Tally) -> None:
        """Keep one finished chunk."""
        marked = table.replace_schema_metadata({TALLY: tally.to_json().encode("utf-8")})
        options = pa.ipc.IpcWriteOptions(compression="lz4", unify_dictionaries=False)
        with (
            whole_file(self.folder / f"{at:06d}.arrow") as part,
            pa.OSFile(str(part), "wb") as file,
            pa.ipc.new_file(file, marked.schema, options=options) as writer,
        ):
            writer.write_table(marked)

    def remove(self) -> None:
        """Throw all parts away: the run is done."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _identity(inputs: Sequence[InputFile], pricer: Pricer, across: Sequence[Broken]) -> str:
    plan = pricer.program.plan
    marks = [[item.check.name, hashlib.sha256(item.rows.tobytes()).hexdigest()] for item in across]
    said: list[Any] = [
        [[item.name, item.sha256] for item in inputs],
        plan.id,
        versions(),
        pricer.lang,
        {name: str(kind) for name, kind in pricer.keys.items()},
        pricer.steps,
        pricer.by,
        marks,
    ]
    return json.dumps(said, ensure_ascii=False)
