"""Checks across rows of a book that does not fit into memory: keys that repeat, values that differ within a unit.

Keys in ascending order cannot repeat, which costs one comparison a row. Of others a 64-bit hash and a row number go to
a scratch file in 64 buckets by hash, so that equal keys share a bucket; a bucket at a time is sorted. Rows whose hash
repeats are only candidates: their keys are read again and compared as they are, so that no collision marks a row.
Memory: one bucket (24 bytes a row / 64), and the candidates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ratemod.plan.model import Check, Plan
from ratemod.rating.encode import Doubt, broken_check, identifiers
from ratemod.reading.arrow import filled_with, to_arrow, whole
from ratemod.reading.checks import ascending, differs_within, repeats
from ratemod.reading.chunks import Chunked
from ratemod.reading.convert import convert, words
from ratemod.reading.plain import plain
from ratemod.whole_file import scratch_folder

BITS = 6
RECORD = np.dtype([("hash", np.uint64), ("row", np.int64), ("value", np.uint64)])
MISSING = np.uint64(0xFFF8_0000_0000_0001)  # a NaN that no computation gives
P1, P2 = np.uint64(0x9E37_79B9_7F4A_7C15), np.uint64(0xD6E8_FEB8_6659_FD93)
Words = npt.NDArray[np.uint64]


@dataclass(frozen=True, eq=False, slots=True)
class Broken:
    """The rows that break one check, ascending."""

    check: Check
    rows: npt.NDArray[np.int64]

    def doubt(self, start: int, n: int) -> Doubt | None:
        """Return the doubt of rows `start` to ``start + n``, or None where there is none."""
        low, high = np.searchsorted(self.rows, [start, start + n])
        if low == high:
            return None
        which = np.zeros(n, dtype=np.int32)
        which[self.rows[low:high] - start] = 1
        return broken_check(self.check, which)


def broken(plan: Plan, chunks: Chunked, scratch: Path) -> tuple[Broken, ...]:
    """Return, for each check across rows, the rows that break it.

    Parameters
    ----------
    scratch : Path
        A folder with room for 24 bytes a row, used only where keys are not in ascending order.
    """
    unsorted = _unsorted(chunks, keys_of(plan, chunks))
    found = []
    for check in _usable(plan, chunks):
        if _key(check) in unsorted:
            rows = (
                _repeated(check, chunks, scratch)
                if check.kind == "unique"
                else _differing(check, plan, chunks, scratch)
            )
            if len(rows):
                found.append(Broken(check, rows))
    return tuple(found)


def _usable(plan: Plan, chunks: Chunked) -> list[Check]:
    names = set(chunks.names.values())
    return [check for check in plan.checks if check.of in names and (check.kind == "unique" or check.by in names)]


def _key(check: Check) -> str:
    return check.of if check.kind == "unique" else check.by


def keys_of(plan: Plan, chunks: Chunked) -> tuple[str, ...]:
    """Return the columns whose equal values checks look for: where they ascend, no check can find anything."""
    return tuple(sorted({_key(check) for check in _usable(plan, chunks)}))


@dataclass(frozen=True, eq=False, slots=True)
class Edges:
    """The first and the last key of a chunk in which keys ascend; None where they do not."""

    ends: tuple[pa.Array, pa.Array] | None

    @staticmethod
    def of(array: pa.Array) -> Edges:
        """Return the edges of a chunk's keys; copies, as a slice would hold the whole chunk."""
        return Edges(_ends(array) if ascending(array) else None)

    def before(self, other: Edges) -> bool:
        """Return whether keys ascend through this chunk and on into the next."""
        if self.ends is None or other.ends is None:
            return False
        return self.ends[1].type == other.ends[0].type and ascending(pa.concat_arrays([self.ends[1], other.ends[0]]))


def _ends(array: pa.Array) -> tuple[pa.Array, pa.Array]:
    return pa.concat_arrays([array[:1]]), pa.concat_arrays([array[-1:]])


def _unsorted(chunks: Chunked, keys: Sequence[str]) -> set[str]:
    """Return the key columns that do not ascend throughout."""
    open_ = set(keys)
    last: dict[str, Edges] = {}
    if not keys:
        return set()
    for table in chunks.only(keys).tables():
        for name in sorted(open_):
            edges = Edges.of(identifiers(table[name]))
            if edges.ends is None or (name in last and not last[name].before(edges)):
                open_.discard(name)
            last[name] = edges
        if not open_:
            break
    return set(keys) - open_


def _repeated(check: Check, chunks: Chunked, scratch: Path) -> npt.NDArray[np.int64]:
    own = chunks.only([check.of])

    def records() -> Iterator[npt.NDArray[Any]]:
        start = 0
        for table in own.tables():
            yield _records(identifiers(table[check.of]), start)
            start += table.num_rows

    def suspicious(bucket: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
        same = bucket["hash"][1:] == bucket["hash"][:-1]
        twice: npt.NDArray[np.bool_] = np.append(same, False) | np.append(False, same)
        return twice

    rows = _candidates(records(), suspicious, scratch)
    if not len(rows):
        return rows
    return rows[repeats(identifiers(_taken(own, rows)[check.of]))]


def _differing(check: Check, plan: Plan, chunks: Chunked, scratch: Path) -> npt.NDArray[np.int64]:
    own = chunks.only([check.of, check.by])

    def records() -> Iterator[npt.NDArray[Any]]:
        start = 0
        for table in own.tables():
            found = _records(identifiers(table[check.by]), start)
            found["value"] = _value_words(check, plan, own, table)[found["row"] - start]
            yield found
            start += table.num_rows

    def suspicious(bucket: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
        firsts = np.flatnonzero(np.append(True, bucket["hash"][1:] != bucket["hash"][:-1]))
        given = bucket["value"] != MISSING
        low = np.minimum.reduceat(np.where(given, bucket["value"], np.uint64(2**64 - 1)), firsts)
        high = np.maximum.reduceat(np.where(given, bucket["value"], np.uint64(0)), firsts)
        differ: npt.NDArray[np.bool_] = np.repeat(low < high, np.diff(np.append(firsts, len(bucket))))
        return differ

    rows = _candidates(records(), suspicious, scratch)
    if not len(rows):
        return rows
    taken = _taken(own, rows)
    return rows[differs_within(_values(check, plan, own, taken), identifiers(taken[check.by]))]


def _values(check: Check, plan: Plan, chunks: Chunked, table: pa.Table) -> Any:
    return values_of(check, plan, chunks.conversions, table[check.of])


def values_of(check: Check, plan: Plan, conversions: Mapping[str, Decimal], cells: pa.ChunkedArray) -> Any:
    """Return the values a check compares within a key: numbers and days as float64, texts as they are."""
    column = plan.columns[check.of]
    if column.kind == "text":
        return words(plain(cells).cells)
    values = convert(cells, column, conversions.get(check.of)).values
    if column.kind == "date":
        return np.where(values == -(2**31), np.nan, values)
    return values.astype(np.float64)


def _value_words(check: Check, plan: Plan, chunks: Chunked, table: pa.Table) -> Words:
    values = _values(check, plan, chunks, table)
    if not isinstance(values, np.ndarray):
        hashes, valid = text_words(values)
        return np.where(valid, hashes, MISSING)
    return np.where(np.isnan(values), MISSING, (values + 0.0).view(np.uint64))


def _records(keys: pa.ChunkedArray, start: int) -> npt.NDArray[Any]:
    """Return hash and row number of every key that is there."""
    words, valid = text_words(keys)
    rows = np.flatnonzero(valid)
    found = np.zeros(len(rows), dtype=RECORD)
    found["hash"], found["row"] = words[rows], rows + start
    return found


def _candidates(
    records: Iterator[npt.NDArray[Any]],
    suspicious: Callable[[npt.NDArray[Any]], npt.NDArray[np.bool_]],
    scratch: Path,
) -> npt.NDArray[np.int64]:
    """Return the rows of suspicious hashes, ascending: spread to buckets on disk, one bucket sorted at a time."""
    found = [np.zeros(0, dtype=np.int64)]
    with scratch_folder(scratch) as folder:
        files = [open(folder / f"{at:02d}", "w+b") for at in range(1 << BITS)]  # noqa: SIM115 - closed below
        try:
            for part in records:
                bucket = part["hash"] >> np.uint64(64 - BITS)
                order = np.argsort(bucket, kind="stable")
                ends = np.searchsorted(bucket[order], np.arange((1 << BITS) + 1))
                for at, file in enumerate(files):
                    file.write(part[order[ends[at] : ends[at + 1]]].tobytes())
            for file in files:
                file.seek(0)
                one = np.frombuffer(file.read(), dtype=RECORD)
                if len(one):
                    one = one[np.argsort(one["hash"], kind="stable")]
                    found.append(one["row"][suspicious(one)])
        finally:
            for file in files:
                file.close()
    return np.sort(np.concatenate(found))


def _taken(chunks: Chunked, rows: npt.NDArray[np.int64]) -> pa.Table:
    """Return chosen rows of the book, read anew."""
    found, start = [], 0
    for table in chunks.tables():
        low, high = np.searchsorted(rows, [start, start + table.num_rows])
        if low < high:
            found.append(table.take(to_arrow(rows[low:high] - start)))
        start += table.num_rows
    return pa.concat_tables(found, promote_options="permissive")


def text_words(column: pa.ChunkedArray | pa.Array) -> tuple[Words, npt.NDArray[np.bool_]]:
    """Return a 64-bit hash of every text, and whether there is one; equal values have equal hashes.

    Texts of one length are read as rows of 64-bit words, multiplied and shifted together.

    Examples
    --------
    >>> words, valid = text_words(pa.array(["a", "b", "a", None]))
    >>> bool(words[0] == words[2]), bool(words[0] == words[1]), valid.tolist()
    (True, False, [True, True, True, False])
    """
    array = whole(column) if isinstance(column, pa.ChunkedArray) else column
    array = array.cast(pa.string())
    n = len(array)
    valid = np.ones(n, dtype=bool)
    if array.null_count:
        valid = filled_with(array.is_valid().cast(pa.int8()), 0).astype(bool)
    ends = np.frombuffer(array.buffers()[1], dtype=np.int32, count=array.offset + n + 1)[array.offset :] if n else None
    words = np.zeros(n, dtype=np.uint64)
    if ends is None or array.buffers()[2] is None:
        return words, valid
    data = np.frombuffer(array.buffers()[2], dtype=np.uint8)
    lengths = np.diff(ends)
    for length in np.flatnonzero(np.bincount(lengths)).tolist():
        rows = np.flatnonzero(lengths == length)
        padded = np.zeros((len(rows), max(-(-length // 8), 1) * 8), dtype=np.uint8)
        if length:
            padded[:, :length] = data[ends[rows][:, None] + np.arange(length)]
        words[rows] = _mixed(padded.view(np.uint64), length)
    return words, valid


def _mixed(words: Words, length: int) -> Words:
    mixed = np.full(len(words), length + 1, dtype=np.uint64) * P2
    for at in range(words.shape[1]):
        mixed = (mixed ^ words[:, at]) * P1
        mixed ^= mixed >> np.uint64(32)
        mixed *= P2
        mixed ^= mixed >> np.uint64(29)
    return mixed
