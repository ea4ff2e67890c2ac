"""Dirt as it comes in real lists, planted into a text copy of the renewals, with a key of what stands where."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ratemod.errors import ModelError, nearest, problem
from ratemod.synth import frame
from ratemod.synth.stream import stream
from ratemod.vocabulary.table import column
from ratemod.whole_file import file_set

# refuse: the row must come out unpriced; understand: it must be priced as if clean; skip: the row is no policy;
# either: a reader may do one or the other, but must not guess silently.
Outcome = Literal["refuse", "understand", "skip", "either"]
Row = dict[str, str]
SLICE = 65_536
FULL_WIDTH = str.maketrans("0123456789.", "０１２３４５６７８９．")
SECTOR_LABELS = {level.code: level.label_zh for level in column("sector").levels}


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of error: the column it sits in, what it does to the cell, what a reader must do with the row.

    `change` takes the clean row and returns the dirty cell.
    """

    column: str
    change: Callable[[Row], str]
    outcome: Outcome


def _to(value: str) -> Callable[[Row], str]:
    return lambda row: value


def _typo(word: str) -> str:
    """Return a word with its third letter doubled and its last one gone."""
    return word[:3] + word[2] + word[3:-1]


def _bad_check(code: str) -> str:
    """Return a credit code with another check character."""
    return code[:-1] + ("1" if code[-1] == "0" else "0")


def _serial(iso: str) -> str:
    """Return a date as Excel's serial day number."""
    return str(int((np.datetime64(iso, "D") - np.datetime64("1899-12-30", "D")).astype(np.int64)))


def _chinese(iso: str) -> str:
    """Return a date as it is written in Chinese, without leading zeros."""
    year, month, day = iso.split("-")
    return f"{year}年{int(month)}月{int(day)}日"


KINDS: dict[str, Kind] = {
    "unknown_sector": Kind("sector", lambda row: _typo(row["sector"]), "refuse"),
    "unknown_certificate_level": Kind("standardisation", _to("level_5"), "refuse"),
    "unknown_integrity_grade": Kind("integrity_grade", _to("E+"), "refuse"),
    "unclear_yes_no": Kind("blacklisted", _to("待定"), "refuse"),
    "missing_value": Kind("heads", _to(""), "refuse"),
    "words_in_number": Kind("heads", lambda row: f"约{row['heads']}余人", "refuse"),
    "negative_heads": Kind("heads", lambda row: f"-{row['heads']}", "refuse"),
    "zero_heads": Kind("heads", _to("0"), "refuse"),
    "fractional_heads": Kind("heads", lambda row: f"{row['heads']}.5", "refuse"),
    "wrong_check_character": Kind("credit_code", lambda row: _bad_check(row["credit_code"]), "refuse"),
    "duplicated_policy_no": Kind("policy_no", lambda row: row["policy_no"], "refuse"),
    "end_before_start": Kind("end_date", lambda row: str(np.datetime64(row["start_date"], "D") - 30), "refuse"),
    "impossible_date": Kind("start_date", lambda row: row["start_date"][:4] + "-02-30", "refuse"),
    "limit_under_minimum": Kind("limit_yuan", _to("50000"), "refuse"),
    "limits_differ_in_one_unit": Kind("limit_yuan", lambda row: str(int(row["limit_yuan"]) + 100_000), "refuse"),
    "negative_accidents": Kind("general_accidents", _to("-1"), "refuse"),
    "impossible_accidents": Kind("general_accidents", _to("99999"), "refuse"),
    "percent_in_count": Kind("hazard_overdue_days", _to("30%"), "refuse"),
    "spreadsheet_error": Kind("limit_yuan", _to("#N/A"), "refuse"),
    "thousands_separators": Kind("limit_yuan", lambda row: f"{int(row['limit_yuan']):,}", "understand"),
    "ten_thousands": Kind("limit_yuan", lambda row: f"{int(row['limit_yuan']) // 10_000}万元", "understand"),
    "full_width_digits": Kind("heads", lambda row: row["heads"].translate(FULL_WIDTH), "understand"),
    "blanks_around": Kind("sector", lambda row: f" {row['sector']}　", "understand"),
    "chinese_label": Kind("sector", lambda row: SECTOR_LABELS[row["sector"]], "understand"),
    "chinese_date": Kind("start_date", lambda row: _chinese(row["start_date"]), "understand"),
    "serial_date": Kind("start_date", lambda row: _serial(row["start_date"]), "either"),
    "blank_row": Kind("", _to(""), "skip"),
    "total_row": Kind("", _to("合计"), "skip"),
}


@dataclass(frozen=True, slots=True)
class Planted:
    """One planted error.

    Attributes
    ----------
    line : int
        1-based line of the file, the header being line 1.
    kind, column : str
        One of `KINDS`, and where it sits.
    original, planted : str
        The clean and the dirty cell.
    outcome : "refuse", "understand", "skip" or "either"
    partner_line : int
        The other line that the same error makes wrong (a repeated number, a second limit), else 0.
    """

    line: int
    kind: str
    column: str
    original: str
    planted: str
    outcome: Outcome
    partner_line: int = 0


def messy(
    renewals: frame.Table, errors: int, seed: int, kinds: Sequence[str] = tuple(KINDS)
) -> tuple[list[str], list[list[str]], list[Planted]]:
    """Return the renewals as text with planted errors: header, rows, key.

    The kinds take turns; rows with errors are never neighbours, so that errors do not touch each other.

    Parameters
    ----------
    renewals : pyarrow.Table, as `Province.renewals`
    errors : int, at most half the rows
    seed : int >= 0
    kinds : names of `KINDS` to use

    Raises
    ------
    ModelError
        RM904 when there are too few rows, RM907 on an unknown kind.
    """
    key: list[Planted] = []
    rows = list(_rows(renewals, _places(renewals.num_rows, errors, seed, kinds), key))
    return list(renewals.column_names), rows, key


def write(renewals: frame.Table, errors: int, seed: int, folder: Path) -> None:
    """Write ``renewals_messy.csv`` (UTF-8 with a byte order mark, as Excel saves it) and ``mess_key.csv``.

    Raises
    ------
    ModelError
        RM904 when there are too few rows.
    """
    where = _places(renewals.num_rows, errors, seed, tuple(KINDS))
    key: list[Planted] = []
    target, answer = folder / "renewals_messy.csv", folder / "mess_key.csv"
    with file_set() as files:
        with open(files.new(target), "w", encoding="utf-8-sig", newline="") as file:
            csv.writer(file).writerows([renewals.column_names])
            csv.writer(file).writerows(_rows(renewals, where, key))
        with open(files.new(answer), "w", encoding="utf-8", newline="") as file:
            names = Planted.__slots__
            csv.writer(file).writerows([names, *([getattr(item, name) for name in names] for item in key)])


def _places(rows: int, errors: int, seed: int, kinds: Sequence[str]) -> dict[int, str]:
    """Return the kind of error of each row that gets one."""
    unknown = [problem("RM907", value=name, nearest=nearest(name, KINDS)) for name in kinds if name not in KINDS]
    if unknown:
        raise ModelError(unknown)
    if not 0 <= errors <= rows // 2:
        raise ModelError(problem("RM904", value=errors, rows=rows, most=rows // 2))
    chosen = np.sort(stream(seed, 0, "mess").choice(rows // 2, errors, replace=False)) * 2 + 1
    return {int(row): kinds[turn % len(kinds)] for turn, row in enumerate(chosen)}


def _rows(renewals: frame.Table, where: dict[int, str], key: list[Planted]) -> Iterator[list[str]]:
    """Yield the rows with their errors and fill the key; text is made slice by slice."""
    line, before = 1, Row()
    for start in range(0, renewals.num_rows, SLICE):
        part = renewals.slice(start, SLICE)
        columns = [_words(part.column(name)) for name in part.column_names]
        for offset, cells in enumerate(zip(*columns, strict=True)):
            row = dict(zip(renewals.column_names, cells, strict=True))
            dirty = [row]
            if start + offset in where:
                dirty = _soiled(row, before, where[start + offset], line + 1, key)
            for one in dirty:
                line += 1
                yield list(one.values())
            before = row


def _words(column: Any) -> list[str]:
    """Return a column as text, empty where null."""
    import pyarrow as pa

    return [word or "" for word in column.cast(pa.string()).to_pylist()]


def _soiled(row: Row, before: Row, name: str, line: int, key: list[Planted]) -> list[Row]:
    """Return the rows that stand in place of a clean one, and note in the key what was planted."""
    kind = KINDS[name]
    if kind.outcome == "skip":
        extra = dict.fromkeys(row, "")
        if name == "total_row":
            extra |= {"policy_no": "合计", "heads": "99999"}
        key.append(Planted(line, name, "", "", extra["policy_no"], "skip"))
        return [extra, row]
    value = before["policy_no"] if name == "duplicated_policy_no" else kind.change(row)
    if name == "limits_differ_in_one_unit":
        second = row | {"policy_no": row["policy_no"] + "B", kind.column: value}
        key.append(Planted(line + 1, name, kind.column, row[kind.column], value, "refuse", line))
        return [row, second]
    partner = line - 1 if name == "duplicated_policy_no" else 0
    key.append(Planted(line, name, kind.column, row[kind.column], value, kind.outcome, partner))
    return [row | {kind.column: value}]
