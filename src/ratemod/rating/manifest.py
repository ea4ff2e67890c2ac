"""What stands beside an output: from which bytes, by which plan and program, which counts and sums; and its check."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from ratemod.errors import BookError, Problem, problem
from ratemod.plan.model import Plan
from ratemod.rating.output_file import Output
from ratemod.rating.tally import Tally, text_codes
from ratemod.rating.verdict import STATUS
from ratemod.reading.arrow import filled_with, whole
from ratemod.reading.chunks import Chunked, opened
from ratemod.whole_file import whole_file

FORMAT = 1


@dataclass(frozen=True, slots=True)
class InputFile:
    """One file that was read."""

    name: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """The facts of one run, as data that JSON holds."""

    facts: Mapping[str, Any]

    @staticmethod
    def of(
        plan: Plan,
        inputs: Sequence[InputFile],
        output: Output,
        name: str,
        total: Tally,
        steps: Sequence[str],
        by: Sequence[str],
        lang: str,
    ) -> Manifest:
        """Return the manifest of a finished output."""
        cells = ("priced", "unpriced", "premium_fen", "fund_fen")
        return Manifest(
            {
                "format": FORMAT,
                "plan": plan.id,
                "fingerprint": plan.fingerprint,
                "language": lang,
                "steps": list(steps),
                "versions": versions(),
                "inputs": [
                    {"name": item.name, "rows": item.rows, "bytes": item.bytes, "sha256": item.sha256}
                    for item in inputs
                ],
                "output": {"name": name, "bytes": output.bytes, "sha256": output.sha256, **output.others},
                "counts": total.counts,
                "premium_fen": total.premium_fen,
                "fund_fen": total.fund_fen if plan.fund else None,
                "insurers": {key[0]: dict(zip(cells, value)) for key, value in sorted(total.insurers.items())},
                "by": list(by),
                "groups": [[*key, *value] for key, value in sorted(total.groups.items())],
                "problems": [[*key, rows] for key, rows in sorted(total.problems.items())],
            }
        )

    @property
    def tally(self) -> Tally:
        """The tally that the facts were written from."""
        facts, width = self.facts, len(self.facts["by"])
        return Tally(
            tuple(facts["counts"][name] for name in STATUS),
            facts["premium_fen"],
            facts["fund_fen"] or 0,
            {(name,): tuple(cell.values()) for name, cell in facts["insurers"].items()},
            {tuple(row[:width]): tuple(row[width:]) for row in facts["groups"]},
            {(row[0], row[1], row[2]): row[3] for row in facts["problems"]},
        )


def versions() -> dict[str, str]:
    """Return the versions that the bytes of an output may depend on."""
    from ratemod import __version__

    return {"ratemod": __version__} | {name: metadata.version(name) for name in ("numpy", "pyarrow")}


def digest(path: Path) -> str:
    """Return the SHA-256 of a file.

    Raises
    ------
    BookError
        RM340 when it cannot be read.
    """
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise BookError(problem("RM340", file=str(path), why=error.strerror or str(error))) from None


def read_inputs(chunks: Chunked) -> tuple[InputFile, ...]:
    """Return name, rows, bytes and digest of every file that is read."""
    root = Path(chunks.source)
    return tuple(
        InputFile(
            part.path.name if part.path == root else part.path.relative_to(root).as_posix(),
            sum(part.rows),
            part.path.stat().st_size,
            digest(part.path),
        )
        for part in chunks.parts
    )


def manifest_path(target: Path) -> Path:
    """Return where the manifest of an output stands.

    Examples
    --------
    >>> manifest_path(Path("out/priced.parquet")).name
    'priced.parquet.manifest.json'
    """
    return target.with_name(f"{target.name}.manifest.json")


def write_manifest(manifest: Manifest, path: Path) -> None:
    """Write a manifest, whole or not at all."""
    with whole_file(path) as part:
        part.write_text(json.dumps(manifest.facts, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def verify(output: str | Path, source: str | Path | None = None, plan: Plan | None = None) -> Mapping[str, Any]:
    """Return the facts of a manifest that its output bears out.

    Parameters
    ----------
    output : path of the output
    source : path, optional
        The input, to be held to its digests too.
    plan : Plan, optional
        To be held to the fingerprint.

    Raises
    ------
    BookError
        RM345 there is no manifest that can be read; RM346 for everything in which it and the files differ.
    """
    path = Path(output)
    beside = manifest_path(path)
    try:
        facts = json.loads(beside.read_text(encoding="utf-8"))
        known = facts["output"]["sha256"], facts["counts"], facts["inputs"], facts["fingerprint"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BookError(problem("RM345", file=str(beside), why=str(error))) from None
    wrong: list[Problem] = []

    def hold(what: str, said: Any, found: Any) -> None:
        if said != found:
            wrong.append(problem("RM346", file=str(path), what=what, said=str(said), found=str(found)))

    hold("output sha256", known[0], digest(path))
    if other := facts["output"].get("refused"):
        hold("refused rows sha256", other["sha256"], digest(path.with_name(other["name"])))
    if not wrong and path.suffix.lower() == ".parquet":  # reads the whole output: no use where bytes are others
        for what, found in recount(path).items():
            hold(what, facts[what], found)
    if plan is not None:
        hold("fingerprint", known[3], plan.fingerprint)
    if source is not None:
        root = Path(source)
        for item in known[2]:
            file = root / item["name"] if root.is_dir() else root
            hold(f"input {item['name']} sha256", item["sha256"], digest(file))
    if wrong:
        raise BookError(wrong)
    return dict(facts)


def recount(path: Path) -> dict[str, Any]:
    """Return counts and sums of an output, a row group at a time."""
    counts, sums = np.zeros(len(STATUS), dtype=np.int64), {"premium_fen": 0, "fund_fen": 0}
    insurers: dict[str, dict[str, int]] = {}
    with opened(path) as file:
        names = file.schema_arrow.names
        wanted = [name for name in ("status", "premium_fen", "fund_fen", "insurer") if name in names]
        for at in range(file.num_row_groups):
            table = file.read_row_group(at, columns=wanted)
            status, said = text_codes(table["status"])
            place = np.array([STATUS.index(name) if name in STATUS else 0 for name in said])[status]
            counts += np.bincount(place, minlength=len(STATUS))
            fen = {name: _fen(table[name]) for name in sums if name in names}
            for name, values in fen.items():
                sums[name] += int(values.sum())
            if "insurer" in names:
                _by_insurer(insurers, table["insurer"], place < 2, fen)
    fund = sums["fund_fen"] if "fund_fen" in names else None
    said_counts = {"rows": int(counts.sum()), **dict(zip(STATUS, counts.tolist()))}
    ordered = dict(sorted(insurers.items()))
    return {"counts": said_counts, "premium_fen": sums["premium_fen"], "fund_fen": fund, "insurers": ordered}


def _fen(column: pa.ChunkedArray) -> np.ndarray[Any, np.dtype[np.int64]]:
    return filled_with(whole(column), 0)


def _by_insurer(
    insurers: dict[str, dict[str, int]],
    column: pa.ChunkedArray,
    priced: np.ndarray[Any, np.dtype[np.bool_]],
    fen: Mapping[str, np.ndarray[Any, np.dtype[np.int64]]],
) -> None:
    codes, names = text_codes(column)
    for at, name in enumerate(names):
        mine = codes == at
        if not mine.any():
            continue
        cell = insurers.setdefault(name, {"priced": 0, "unpriced": 0, "premium_fen": 0, "fund_fen": 0})
        cell["priced"] += int((mine & priced).sum())
        cell["unpriced"] += int((mine & ~priced).sum())
        for what, values in fen.items():
            cell[what] += int(values[mine].sum())
