"""Any shared table, any accepted headers and spellings of cells: every door gives one table, and the counts close."""

from __future__ import annotations

import csv
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from ratemod.errors import BookError
from ratemod.reading.book import Book
from ratemod.reading.convert import convert
from ratemod.reading.read import read_table
from ratemod.reading.rows import is_needed
from ratemod.vocabulary.column import Column
from ratemod.vocabulary.table import examples, tables

WIDE = str.maketrans({chr(sign): chr(sign + 0xFEE0) for sign in range(0x21, 0x7F)})
TRADITIONAL = str.maketrans("业险号单额规级万员经费产", "業險號單額規級萬員經費產")
DAYS = ("2026-03-01", "2026/3/1", "2026.3.1", "2026年3月1日", "20260301", "2026年03月01日")


def written(draw: Any, text: str) -> str:
    """One of the ways in which people write a word."""
    said = draw(st.sampled_from([text, text.upper(), text.title(), text.translate(WIDE), f" {text}　"]))
    return draw(st.sampled_from([said, said.translate(TRADITIONAL)]))


def cell(draw: Any, column: Column) -> tuple[str, Any]:
    """A cell that is acceptable, or at least judged alike everywhere: as text, and of its own type."""
    if column.kind == "date":
        return draw(st.sampled_from(DAYS)), date(2026, 3, 1)
    if column.kind == "number":
        number = draw(st.integers(1, 12_000_000))
        said = [str(number), f"{number:,}", f"{number:,}".translate(WIDE), f"{number}.0", f"+{number}"]
        return draw(st.sampled_from(said)), number
    said = word(draw, column)
    return said, said


def word(draw: Any, column: Column) -> str:
    if column.levels:
        return written(draw, draw(st.sampled_from(draw(st.sampled_from(column.levels)).names())))
    if column.kind == "flag":
        return draw(st.sampled_from(["是", "否", "yes", "No", "TRUE", "0"]))
    return draw(st.sampled_from([examples().get(column.name, "甲"), "a-1", " Ａ1 ", "乙公司"]))


@st.composite
def lists(draw: Any) -> tuple[dict[str, Column], list[str], list[list[tuple[str, Any]]]]:
    """Columns of one shared table, their headers as written, and rows."""
    declared = draw(st.sampled_from(sorted(tables().items())))[1].columns
    needed = [name for name, column in declared.items() if is_needed(column)]
    more = [name for name in declared if name not in needed]
    also = draw(st.lists(st.sampled_from(more), max_size=4, unique=True)) if more else []
    names = draw(st.permutations([*needed, *also]))
    headers = []
    for name in names:
        unit = draw(st.sampled_from(["", "（元）", "(万元)", "【千元】"])) if declared[name].unit == "yuan" else ""
        headers.append(written(draw, draw(st.sampled_from(declared[name].names()))) + unit)
    blank = st.sampled_from(["", "/", "—", " "])
    rows = [
        [
            (draw(blank), None)
            if declared[name].optional and draw(st.integers(0, 3)) == 0
            else cell(draw, declared[name])
            for name in names
        ]
        for _ in range(draw(st.integers(1, 4)))
    ]
    return dict(declared), headers, rows


def doors(folder: Path, headers: list[str], given: list[list[tuple[str, Any]]]) -> dict[str, Any]:
    """The list as a text, a workbook of texts and one of numbers and days, a frame, and a folder of texts."""
    rows = [[said for said, _ in row] for row in given]

    def text(path: Path, some: list[list[str]]) -> Path:
        with open(path, "w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([headers, *some])
        return path

    for name, cells in (("texts", rows), ("typed", [[value for _, value in row] for row in given])):
        book = Workbook()
        for row in [headers, *cells]:
            book.active.append(row)
        book.save(folder / f"{name}.xlsx")
    (folder / "both").mkdir()
    for at in range(len(rows)):
        text(folder / "both" / f"{at}.csv", rows[at : at + 1])
    frame = pa.table({header: [row[at] or None for row in rows] for at, header in enumerate(headers)})
    return {
        "text": text(folder / "list.csv", rows),
        "workbook": folder / "texts.xlsx",
        "typed": folder / "typed.xlsx",
        "frame": frame,
        "folder": folder / "both",
    }


def verdicts(book: Book, columns: dict[str, Column]) -> dict[str, Any]:
    """Every value as the engine takes it, and which cells are refused."""
    found = {}
    for name in columns:
        if name in book.table.column_names:
            coded = convert(book.table[name], columns[name], book.conversions.get(name))
            values = coded.values
            values = values.to_pylist() if isinstance(values, pa.Array) else np.asarray(values).tolist()
            wrong = [0] * len(values) if coded.problem_of is None else [int(item > 0) for item in coded.problem_of]
            found[name] = [(str(value), bad) for value, bad in zip(values, wrong)]
    return found


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(lists())
def test_every_door_gives_one_table(made):
    columns, headers, rows = made
    with tempfile.TemporaryDirectory() as folder:
        seen: dict[str, Any] = {}
        for name, source in doors(Path(folder), headers, rows).items():
            try:
                book = read_table(source, columns)
            except BookError as refusal:
                seen[name] = {item.code for item in refusal.problems}
                continue
            seen[name] = verdicts(book, columns)
            left = {what: count for what, count in book.receipt.left_out.items() if what != "blank"}
            heads = {"text": 1, "workbook": 1, "typed": 1, "folder": len(rows), "frame": 0}[name]
            assert book.receipt.records == book.table.num_rows
            assert book.receipt.records + sum(left.values()) == len(rows) + heads, (name, left)
        assert all(said == seen["text"] for said in seen.values()), seen
