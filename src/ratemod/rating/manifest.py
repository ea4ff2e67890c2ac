"""What stands beside an output: from which bytes, by which plan and program, which counts and sums; and its check."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from ratemod.errors import BookError, PlanError, Problem, cause, problem
from ratemod.plan.model import Plan
from ratemod.rating.identity import digest_of, identity_in_memory
from ratemod.rating.output_file import Output
from ratemod.rating.summary import Cells
from ratemod.rating.tally import Tally, tally, text_codes
from ratemod.rating.verdict import STATUS
from ratemod.reading.arrow import filled_with, whole
from ratemod.reading.chunks import Chunked, opened
from ratemod.rules.json_file import read_json

if TYPE_CHECKING:
    from ratemod.rating.rated import Rated
    from ratemod.whole_file import FileSet

FORMAT = 2
CELL = ("priced", "unpriced", "premium_fen", "fund_fen")


@dataclass(frozen=True, slots=True)
class InputFile:
    """One file that was read."""

    name: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Written:
    """A finished output: its bytes, their digest, and further facts."""

    bytes: int
    sha256: str
    others: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Manifest:
    """The facts of one run, as data that JSON holds."""

    facts: Mapping[str, Any]

    @staticmethod
    def of(
        plan: Plan,
        inputs: Sequence[InputFile],
        output: Output | Written,
        name: str,
        total: Tally,
        identity: Mapping[str, Any],
    ) -> Manifest:
        """Return the manifest of a finished output, its own digest last."""
        facts = {
            "format": FORMAT,
            "plan": plan.id,
            "fingerprint": plan.fingerprint,
            "run": dict(identity),
            "inputs": [
                {"name": item.name, "rows": item.rows, "bytes": item.bytes, "sha256": item.sha256} for item in inputs
            ],
            "output": {"name": name, "bytes": output.bytes, "sha256": output.sha256, **output.others},
            "counts": total.counts,
            "decimals": plan.money.decimals,
            "premium_fen": total.premium_fen,
            "fund_fen": total.fund_fen if plan.fund else None,
            "insurers": {key[0]: dict(zip(CELL, value)) for key, value in sorted(total.insurers.items())},
            "by": list(identity["by"]),
            "groups": [[*key, *value] for key, value in sorted(total.groups.items())],
            "problems": [[*key, rows] for key, rows in sorted(total.problems.items())],
        }
        return Manifest(facts | {"sha256": digest_of(facts)})

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


def digest(path: Path) -> str:
    """Return the SHA-256 of a file.

    Raises
    ------
    BookError
        RM211 when there is none, RM340 when it cannot be read.
    """
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise BookError(_unread(path, error)) from None


def _unread(path: Path, error: OSError) -> Problem:
    if isinstance(error, FileNotFoundError):
        return problem("RM211", file=str(path))
    return problem("RM340", file=str(path), why=cause(error))


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


def file_inputs(source: str | Path | Sequence[Path], rows: int) -> tuple[InputFile, ...]:
    """Return name, bytes and digest of the files of a list of `rows` rows read as a whole, or of folders of them."""
    files = []
    for root in map(Path, [source] if isinstance(source, str | Path) else source):
        inside = sorted(path for path in root.rglob("*") if path.is_file()) if root.is_dir() else [root]
        files += [(root.name if path == root else path.relative_to(root).as_posix(), path) for path in inside]
    return tuple(
        InputFile(name, rows if at == 0 else 0, path.stat().st_size, digest(path))
        for at, (name, path) in enumerate(files)
    )


def write_set(
    rated: Rated,
    source: str | Path | Sequence[Path],
    files: FileSet,
    target: Path,
    part: Path,
    others: Mapping[str, Any] | None = None,
) -> None:
    """Add the manifest of a list that was priced as a whole to the set of its files.

    Parameters
    ----------
    rated, source : what was priced, and from which file, folder, or several of them
    files : the set; target, part : its main file, by its name and as it is written
    others : further facts of the output
    """
    inputs = file_inputs(source, rated.coding.n)
    identity = identity_in_memory(rated, inputs)
    output = Written(bytes=part.stat().st_size, sha256=digest(part), others=dict(others or {}))
    manifest = Manifest.of(rated.plan, inputs, output, target.name, tally(rated), identity)
    write_manifest(manifest, files.new(manifest_path(target)))


def manifest_path(target: Path) -> Path:
    """Return where the manifest of an output stands.

    Examples
    --------
    >>> manifest_path(Path("out/priced.parquet")).name
    'priced.parquet.manifest.json'
    """
    return target.with_name(f"{target.name}.manifest.json")


def write_manifest(manifest: Manifest, part: Path) -> None:
    """Write a manifest to a file of a set: the last, because it is what makes the set valid."""
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
        RM404 there is no manifest, RM345 it cannot be read; RM346 for everything in which it and the files differ.
    """
    path = Path(output)
    facts = read_manifest(path)
    wrong: list[Problem] = []

    def hold(what: str, said: Any, found: Any) -> None:
        if said != found:
            args: dict[str, Any] = {"what": what, "what_zh": _in_chinese(what), "said": str(said), "found": str(found)}
            wrong.append(problem("RM346", file=str(path), **args))

    hold("manifest sha256", facts.get("sha256"), digest_of({k: v for k, v in facts.items() if k != "sha256"}))
    hold("output bytes", facts["output"]["bytes"], _size(path))
    hold("output sha256", facts["output"]["sha256"], digest(path))
    if other := facts["output"].get("refused"):
        hold("refused rows sha256", other["sha256"], digest(path.with_name(other["name"])))
    if not facts["inputs"]:
        wrong.append(problem("RM395", file=str(manifest_path(path))))
    hold("rows read", sum(item["rows"] for item in facts["inputs"]), facts["counts"]["rows"])
    if facts["by"]:
        cells = [row[len(facts["by"]) :] for row in facts["groups"]]
        hold("rows of the groups", sum(cell[0] + cell[1] for cell in cells), facts["counts"]["rows"])
        hold("premium of the groups", sum(cell[2] for cell in cells), facts["premium_fen"])
    unpriced = sum(facts["counts"][name] for name in STATUS[2:])
    hold("reasons for rows without a premium", bool(facts["problems"]) or not unpriced, True)
    hold("inputs of the run", [[item["name"], item["sha256"]] for item in facts["inputs"]], facts["run"]["inputs"])
    for name in ("plan", "fingerprint"):
        hold(f"{name} of the run", facts[name], facts["run"][name])
    if not wrong and path.suffix.lower() == ".parquet":  # reads the whole output: no use where bytes are others
        for what, found in recount(path, facts["by"]).items():
            hold(what, facts[what], found)
    if plan is not None:
        hold("fingerprint", facts["fingerprint"], plan.fingerprint)
        hold("plan", facts["plan"], plan.id)
    if source is not None:
        root = Path(source)
        inputs = facts["inputs"]
        if not root.is_dir() and len(inputs) > 1:  # a list, and its corrections or others: the file is one of them
            inputs = [item for item in inputs if item["name"] == root.name]
            hold("input", bool(inputs), True)
        for item in inputs:
            file = root / item["name"] if root.is_dir() else root
            hold(f"input {item['name']} bytes", item["bytes"], _size(file))
            hold(f"input {item['name']} sha256", item["sha256"], digest(file))
    if wrong:
        raise BookError(wrong)
    return facts


# What is held against a manifest, in Chinese; names of files and whatever else stand as they are.
_CHINESE = {
    "manifest": "清单",
    "output": "输出文件",
    "input": "名册",
    "bytes": "字节数",
    "sha256": "SHA-256校验值",
    "refused rows": "拒收行文件",
    "rows read": "读入行数",
    "rows of the groups": "分组行数",
    "premium of the groups": "分组保费",
    "reasons for rows without a premium": "未定价原因",
    "inputs of the run": "运行所读名册",
    "plan of the run": "运行所用方案",
    "fingerprint of the run": "运行所用方案指纹",
    "plan": "方案",
    "fingerprint": "方案指纹",
    "counts": "各状态行数",
    "groups": "分组",
    "premium_fen": "保费合计",
    "fund_fen": "预防费合计",
}


def _in_chinese(what: str) -> str:
    if what in _CHINESE:
        return _CHINESE[what]
    head, _, rest = what.partition(" ")
    name, _, last = rest.rpartition(" ")
    return "".join(_CHINESE.get(part, f"“{part}”") for part in (head, name, last) if part) if rest else what


def read_manifest(output: Path) -> dict[str, Any]:
    """Return the facts of the manifest beside an output.

    Raises
    ------
    BookError
        RM404 there is none, RM345 it is damaged or lacks what every manifest has, RM211 there is no output either.
    """
    beside = manifest_path(output)
    if not beside.exists():
        raise BookError(problem("RM404" if output.exists() else "RM211", file=str(output), name=beside.name))
    try:
        facts = read_json(beside)
        whole = _is_whole(facts)
    except (PlanError, OSError, ValueError, LookupError, TypeError, AttributeError):
        whole = False
    if not whole:
        raise BookError(problem("RM345", file=str(beside)))
    return dict(facts)


def _is_whole(facts: Any) -> bool:
    """Return whether data holds all that a manifest holds, each of its kind; of what is none, this or an exception."""
    output, inputs, groups, problems = facts["output"], facts["inputs"], facts["groups"], facts["problems"]
    others = [output["refused"]] if output.get("refused") else []
    width, cells = len(facts["by"]), [tuple(cell[name] for name in CELL) for cell in facts["insurers"].values()]
    names = [output["name"], *(item["name"] for item in [*inputs, *others])]
    texts = [*(item["sha256"] for item in [output, *inputs, *others]), *facts["by"], *names]
    run = facts["run"]
    texts += [facts["plan"], facts["fingerprint"], run["plan"], run["fingerprint"]]
    texts += [said for row in problems for said in row[:3]] + [said for row in groups for said in row[:width]]
    numbers = [output["bytes"], facts["premium_fen"], facts["fund_fen"] or 0, facts["decimals"]]
    numbers += [count for item in inputs for count in (item["rows"], item["bytes"])]
    numbers += [facts["counts"][name] for name in ("rows", *STATUS)] + [row[3] for row in problems]
    numbers += [number for row in [*(group[width:] for group in groups), *cells] for number in row]
    return (
        facts["format"] == FORMAT
        and isinstance(run["inputs"], list)
        and all(isinstance(text, str) for text in texts)
        and all(type(number) is int for number in numbers)
        and all(len(row) == width + len(CELL) for row in groups)
        and all(len(row) == 4 for row in problems)
        and all(_is_inside(name) for name in names)
        and 0 <= facts["decimals"] < 10
        and bool(digest_of(facts))  # a text that no file can hold has no digest
    )


def _is_inside(name: str) -> bool:
    """Return whether a name is that of a file in or below a folder."""
    path = PurePosixPath(name)
    return bool(path.parts) and not path.is_absolute() and ".." not in path.parts and "\0" not in name


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise BookError(_unread(path, error)) from None


def recount(path: Path, by: Sequence[str] = ()) -> dict[str, Any]:
    """Return counts, sums, groups and plan of an output, a row group at a time.

    Groups are recounted where the output holds all columns that they are summed by.
    """
    counts, sums = np.zeros(len(STATUS), dtype=np.int64), {"premium_fen": 0, "fund_fen": 0}
    insurers: Cells = {}
    groups: Cells = {}
    plans: set[str] = set()
    with opened(path) as file:
        names = file.schema_arrow.names
        wanted = [name for name in ("status", "plan", "premium_fen", "fund_fen", "insurer", *by) if name in names]
        grouped = bool(by) and all(name in names for name in by)
        for at in range(file.num_row_groups):
            table = file.read_row_group(at, columns=wanted)
            status, said = text_codes(table["status"])
            place = np.array([STATUS.index(name) if name in STATUS else 0 for name in said])[status]
            counts += np.bincount(place, minlength=len(STATUS))
            fen = {name: filled_with(whole(table[name]), 0) for name in sums if name in names}
            for name, values in fen.items():
                sums[name] += int(values.sum())
            if "plan" in names:
                plans.update(name for code, name in enumerate(text_codes(table["plan"])[1]) if name)
            if "insurer" in names:
                _add_cells(insurers, [table["insurer"]], place < 2, fen)
            if grouped:
                _add_cells(groups, [table[name] for name in by], place < 2, fen)
    found: dict[str, Any] = {
        "counts": {"rows": int(counts.sum()), **dict(zip(STATUS, counts.tolist()))},
        "premium_fen": sums["premium_fen"],
        "fund_fen": sums["fund_fen"] if "fund_fen" in names else None,
        "insurers": {key[0]: dict(zip(CELL, value)) for key, value in sorted(insurers.items())},
    }
    if grouped:
        found["groups"] = [[*key, *value] for key, value in sorted(groups.items())]
    if len(plans) == 1:
        found["plan"] = plans.pop()
    return found


def _add_cells(
    cells: Cells,
    columns: Sequence[pa.ChunkedArray],
    priced: np.ndarray[Any, np.dtype[np.bool_]],
    fen: Mapping[str, np.ndarray[Any, np.dtype[np.int64]]],
) -> None:
    """Add rows, priced and not, and their fen, by the texts of some columns."""
    coded = [text_codes(column) for column in columns]
    key = np.zeros(len(priced), dtype=np.int64)
    for codes, names in coded:
        key = key * len(names) + codes
    shape = [len(names) for _, names in coded]
    for at in np.unique(key).tolist():
        mine = key == at
        name = tuple(names[int(place)] for (_, names), place in zip(coded, np.unravel_index(at, shape)))
        own = (
            int((mine & priced).sum()),
            int((mine & ~priced).sum()),
            *(int(fen[what][mine].sum()) if what in fen else 0 for what in ("premium_fen", "fund_fen")),
        )
        before = cells.get(name, (0, 0, 0, 0))
        cells[name] = tuple(a + b for a, b in zip(before, own))  # type: ignore[assignment]
