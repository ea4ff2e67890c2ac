"""From the tables of a workbook to columns: which are read, which rows are records, which unit holds where."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import zip_longest
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from ratemod.errors import LANGUAGES, BookError, Problem, problem
from ratemod.errors import text as words_of
from ratemod.reading.arrow import filled_strings, to_arrow
from ratemod.reading.blocks import Block, blocks, check_upright, merged_cells
from ratemod.reading.book import Book, remarked
from ratemod.reading.examples import EXPLAINED, example_rows
from ratemod.reading.grid import Grid, letter
from ratemod.reading.header import Header, Lexicon, checked, lost_headers
from ratemod.reading.near_headers import judged_headers
from ratemod.reading.receipt import LeftOut, ReadPart, Receipt, UnusedHeader, UsedHeader, listed
from ratemod.reading.rows import fate, is_blank, judge_of, near_needed
from ratemod.reading.units import Statement, Unit, stated, statements, unit_of_another
from ratemod.vocabulary.column import Column
from ratemod.vocabulary.currency import other_money

ALL_SHEETS = ("all", "全部")
_ROWS_AT_ONCE = 2048
_EPOCH_1904 = datetime(1904, 1, 1)
_FOOTNOTES = ("注", "备注", "说明", "以上", "note", "remark")


def read_grids(grids: Sequence[Grid], words: Lexicon, sheet: Sequence[str] = ()) -> list[Book]:
    """Return every table of a workbook that is the list asked for, and say on the first what else was found.

    Raises
    ------
    BookError
        RM214 no such sheet, RM268 only hidden sheets fit, RM269 several tables hold the same rows; those of a table.
    """
    file = grids[0].file if grids else ""
    grids = [grid for grid in grids if not _explains(grid)]
    asked = _asked(grids, sheet, file)
    found = {id(grid): blocks(grid, words) for grid in grids}
    open_ = [block for grid in asked for block in found[id(grid)] if sheet or not grid.hidden]
    needed = set(near_needed(words.columns))
    filled = [block for block in open_ if _has_rows(block)]
    whole = [block for block in filled if needed <= block.names]
    if not whole:
        hidden = [grid.sheet for grid in grids for block in found[id(grid)] if grid.hidden and needed <= block.names]
        if hidden and not sheet:
            raise BookError(problem("RM268", file=file, sheets=", ".join(dict.fromkeys(map(str, hidden)))))
        whole = _nearest(filled or open_)
    if not needed or not needed <= frozenset().union(*(block.names for block in whole)):
        for grid in asked:
            check_upright(grid, open_, words)
    if not whole:
        checked(Header((), ()), words.columns, file, asked[0].sheet if len(asked) == 1 else None, 1)
    loose = [item for grid in grids if not grid.hidden and not found[id(grid)] for item in _loose_statements(grid)]
    books = []
    problems: list[Problem] = []
    for block in whole:
        try:
            books.append(_block_book(block, found[id(block.grid)], words, loose))
        except BookError as error:
            problems += error.problems
    if problems:
        raise BookError(problems)
    books = [book for book in books if book.table.num_rows]
    if not books:
        raise BookError(problem("RM225", file=file, sheet=whole[0].grid.sheet))
    _refuse_copies(books, words)
    left = [item for grid in grids for item in _not_read(grid, found[id(grid)], whole, needed, words)]
    books[0] = remarked(books[0], left)
    return books


def _asked(grids: Sequence[Grid], sheet: Sequence[str], file: str) -> list[Grid]:
    names = [grid.sheet for grid in grids]
    if not sheet or any(name in ALL_SHEETS and name not in names for name in sheet):
        return list(grids)
    lost = [name for name in sheet if name not in names]
    if lost:
        raise BookError([problem("RM214", file=file, sheet=name, sheets=", ".join(map(str, names))) for name in lost])
    return [grid for grid in grids if grid.sheet in sheet]


def _has_rows(block: Block) -> bool:
    rows = block.grid.rows
    return any(
        any(not is_blank(cell) for cell in rows[at][block.left : block.right])
        for at in range(block.first, block.end)
        if at not in block.repeats
    )


def _nearest(found: Sequence[Block]) -> list[Block]:
    """Return the tables with most headers where none has all that are needed."""
    most = max((len(block.names) for block in found), default=0)
    best = next((block for block in found if len(block.names) == most), None)
    return [block for block in found if best is not None and block.names == best.names]


def _not_read(
    grid: Grid, found: Sequence[Block], read: Sequence[Block], needed: set[str], words: Lexicon
) -> list[Problem]:
    """Return a remark for every table, and every sheet without one, that was not read."""
    said = []
    for block in found:
        if any(block is other for other in read) or not _has_rows(block):
            continue
        lacking = [words.columns[name] for name in words.columns if name in needed - block.names]
        args: dict[str, Any] = {
            "first": grid.lines[block.at],
            "last": grid.lines[block.end - 1],
            "why_en": "lacks " + ", ".join(column.name for column in lacking[:4]) if lacking else _why(grid)[0],
            "why_zh": "缺少" + "、".join(column.label("zh") for column in lacking[:4]) if lacking else _why(grid)[1],
        }
        said.append(problem("RM274", file=grid.file, sheet=grid.sheet, row=grid.lines[block.at], **args))
    if not found and any(not is_blank(cell) for row in grid.rows for cell in row):
        args = {"first": 1, "last": grid.lines[-1], "why_en": "lacks such headers", "why_zh": "缺少此类表头"}
        said.append(problem("RM274", file=grid.file, sheet=grid.sheet, **args))
    return said


def _explains(grid: Grid) -> bool:
    """Return whether a sheet is the one on which a template explains its columns."""
    first = [cell for row in grid.rows[:1] for cell in row if not is_blank(cell)]
    return any(first == [words_of(code, lang) for code in EXPLAINED] for lang in LANGUAGES)


def _why(grid: Grid) -> tuple[str, str]:
    """Return in both languages why a sheet that has all headers is not read."""
    return ("the sheet is hidden", "工作表已隐藏") if grid.hidden else ("was not asked for", "未指定读取")


def _loose_statements(grid: Grid) -> list[Statement]:
    """Return what a sheet without a table says about units."""
    return [item for row in grid.rows[:100] for item in statements(row)]


def _refuse_copies(books: Sequence[Book], words: Lexicon) -> None:
    """Raise where two tables hold the same rows: a copy of a sheet, not a second list."""
    seen: list[tuple[Book, set[tuple[str, ...]]]] = []
    for book in books if len(books) > 1 else ():
        names = [name for name in words.columns if name in book.table.column_names]
        rows = set(zip(*(map(str, book.table[name].to_pylist()) for name in names)))
        for other, known in seen:
            same = len(rows & known)
            if same and same * 2 >= min(len(rows), len(known)):
                both = [f"{one.sheet}:{one.receipt.parts[0].header_row}" for one in (other, book)]
                raise BookError(problem("RM269", file=book.file, places=", ".join(both)))
        seen.append((book, rows))


@dataclass(frozen=True, slots=True)
class _Kept:
    """Rows of a block that are records, and what the others said."""

    rows: list[int]
    left_out: LeftOut
    said: list[tuple[int, Statement]]


def _kept(block: Block, words: Lexicon) -> _Kept:
    grid, judge = block.grid, judge_of(block.header, words)
    rows, lines, needed = grid.rows, grid.lines, judge.needed
    whole = block.left == 0
    kept, left_out, said = [], LeftOut(), []
    pick = itemgetter(*needed, needed[0]) if needed else None
    least = max(needed, default=0) + 1
    banners = _banners(block)
    for at in range(block.first, block.end):
        if at in block.repeats:
            left_out.add("header", lines[at])
            continue
        row = rows[at] if whole else rows[at][block.left : block.right]
        if pick is not None and len(row) >= least:
            cells = pick(row)
            if None not in cells and "" not in cells:
                kept.append(at)
                continue
        if whole and len(row) > block.right:
            row = row[: block.right]
        what, text = fate(row, judge)
        if what == "record" and at in banners:
            filled = [cell for cell in row if not is_blank(cell)]
            what, text = ("line", str(filled[0])) if len(filled) == 1 else (what, text)
        if what == "record":
            kept.append(at)
            continue
        left_out.add(what, lines[at], text)
        if what != "blank":
            said += [(at, item) for item in statements(row)]
    return _Kept(kept, left_out, said)


def _banners(block: Block) -> set[int]:
    """Return the rows of a table that one cell, merged across, covers for the most part."""
    width = block.right - block.left
    return {merge.top for merge in merged_cells(block) if 2 * (merge.right - merge.left + 1) > max(width, 2)}


def _without_examples(block: Block, kept: _Kept, found: list[pa.Array]) -> tuple[_Kept, list[pa.Array]]:
    """Return the rows and columns without the example of a template, which is counted."""
    named = [place for place, text in enumerate(block.header.texts, block.left) if text]
    examples = example_rows([found[place] for place in named], len(kept.rows))
    if not examples.any():
        return kept, found
    for at in np.flatnonzero(examples).tolist():
        kept.left_out.add("example", block.grid.lines[kept.rows[at]])
    stay = np.flatnonzero(~examples)
    rows = [kept.rows[at] for at in stay.tolist()]
    return replace(kept, rows=rows), [column.take(to_arrow(stay)) for column in found]


def _block_book(block: Block, siblings: Sequence[Block], words: Lexicon, loose: Sequence[Statement]) -> Book:
    grid, columns = block.grid, words.columns
    header = checked(block.header, columns, grid.file, grid.sheet, grid.lines[block.at])
    _fill_merged(block)
    kept = _kept(block, words)
    units, unit_remarks = _units(block, siblings, kept, words, loose)
    arrays: dict[str, pa.Array] = {}
    used: list[UsedHeader] = []
    unused: list[UnusedHeader] = []
    _mark_merged_across(block, kept.rows, columns)
    days = {name for name, column in columns.items() if column.kind == "date" and grid.facts.serials_1904}
    days_1904 = {place for place, name in enumerate(header.columns, block.left) if name in days}
    found = _column_arrays([grid.rows[at] for at in kept.rows], block.right, days_1904)
    kept, found = _without_examples(block, kept, found)
    remarks = [
        *unit_remarks,
        *kept.left_out.remarks(grid.file, grid.sheet, grid.lines[kept.rows[-1]] if kept.rows else 0),
        *_sheet_remarks(block, kept.rows),
    ]
    for place, (name, text) in enumerate(zip(header.columns, header.texts), block.left):
        if not (name or text) and all(map(is_blank, found[place].to_pylist())):
            continue
        label = name or text or f"column {place + 1}"
        while label in arrays:
            label += "'"
        arrays[label] = found[place]
        if name:
            unit = units.get(name)
            used.append(UsedHeader(text, name, letter(place), unit.text if unit else "", _size(unit)))
        else:
            unused.append(UnusedHeader(text, letter(place)))
    lines = np.array([grid.lines[at] for at in kept.rows], dtype=np.int64)
    unused, said = judged_headers(unused, header, words, grid.file, grid.sheet, grid.lines[block.at])
    part = ReadPart(
        file=grid.file,
        sheet=grid.sheet,
        header_row=grid.lines[block.at],
        first_row=int(lines[0]) if len(lines) else 0,
        last_row=int(lines[-1]) if len(lines) else 0,
        used=tuple(used),
        unused=tuple(unused),
        records=len(lines),
        left_out={**kept.left_out.counts, **above(block, siblings)},
    )
    sizes = {name: unit.size for name, unit in units.items() if unit.size is not None and unit.size != 1}
    headers = {name: text for name, text in zip(header.columns, header.texts) if name}
    receipt = Receipt((part,), (*said, *remarks))
    return Book(pa.table(arrays), lines, grid.file, grid.sheet, sizes, headers, receipt)


def above(block: Block, siblings: Sequence[Block]) -> dict[str, int]:
    """Return how many rows that are not blank stand above the first table of a sheet, and in the header of each."""
    rows = block.grid.rows
    first = min(siblings, key=lambda other: (other.top, other.left))
    title = sum(not all(map(is_blank, row)) for row in rows[: block.top]) if block is first else 0
    head = sum(not all(map(is_blank, row)) for row in rows[block.top : block.first])
    return {"title": title, "head": head} if title else {"head": head}


def frame_receipt(header: Header, words: Lexicon, file: str | None, records: int) -> tuple[Receipt, dict[str, Decimal]]:
    """Return the receipt of a table whose every row is a record, and what its bare numbers multiply by.

    Raises
    ------
    BookError
        RM224 a mapped header that is not there, RM264 units that are not clear, RM265 a header like an unfilled column,
        RM334 priced rows without most of what they were priced from.
    """
    lost = lost_headers(words, header.texts, file)
    needed = near_needed(words.columns)
    lacking = [words.columns[name] for name in needed if name not in header.names]
    if header.added and 2 * len(lacking) > len(needed):
        told: dict[str, Any] = {"columns": listed([one.name for one in lacking]), "count": len(lacking)}
        lost.append(problem("RM334", file=file, columns_zh=listed([one.label("zh") for one in lacking]), **told))
    if lost:
        raise BookError(lost)
    units, _ = settled({}, (), header, words, file, None)
    used = [
        UsedHeader(text, name, str(at), units[name].text if name in units else "", _size(units.get(name)))
        for at, (name, text) in enumerate(zip(header.columns, header.texts), 1)
        if name
    ]
    spare = [
        UnusedHeader(text, str(at)) for at, (name, text) in enumerate(zip(header.columns, header.texts), 1) if not name
    ]
    unused, said = judged_headers(spare, header, words, file, None, 1)
    part = ReadPart(
        file=file,
        sheet=None,
        header_row=1,
        first_row=1,
        last_row=records,
        used=tuple(used),
        unused=tuple(unused),
        records=records,
    )
    sizes = {name: unit.size for name, unit in units.items() if unit.size not in (None, 1)}
    return Receipt((part,), tuple(said)), sizes


def _size(unit: Unit | None) -> Decimal:
    return unit.size if unit is not None and unit.size is not None else Decimal(1)


def _day_1904(cell: Any) -> Any:
    if isinstance(cell, int | float) and not isinstance(cell, bool) and 1 <= cell < 110_000 and cell == int(cell):
        return _EPOCH_1904 + timedelta(days=int(cell))
    return cell


def _fill_merged(block: Block) -> None:
    """Give every row of a cell merged downwards its value: it is shown for all of them."""
    rows = block.grid.rows
    for merge in merged_cells(block):
        if merge.bottom == merge.top or merge.top >= len(rows):
            continue
        value = rows[merge.top][merge.left] if merge.left < len(rows[merge.top]) else ""
        for at in range(merge.top + 1, min(merge.bottom + 1, block.end, len(rows))):
            row = rows[at]
            if merge.left < len(row) and is_blank(row[merge.left]):
                block.grid.put(at, merge.left, value)


def _mark_merged_across(block: Block, kept: Sequence[int], columns: Mapping[str, Column]) -> None:
    """Mark the cells of records that are merged away into a cell to their left: they are not blank."""
    records = set(kept)
    for merge in merged_cells(block):
        for at in range(merge.top, merge.bottom + 1) if merge.right > merge.left else ():
            row: Any = block.grid.rows[at] if at in records else ()
            for place in range(merge.left + 1, min(merge.right + 1, block.right, len(row))):
                name = block.header.columns[place - block.left]
                if name and columns[name].kind != "text" and is_blank(row[place]):
                    block.grid.put(at, place, f"⇐{letter(merge.left)}{block.grid.lines[merge.top]}")


def _units(
    block: Block, siblings: Sequence[Block], kept: _Kept, words: Lexicon, loose: Sequence[Statement]
) -> tuple[dict[str, Unit], list[Problem]]:
    """Return the unit of every column, from its header or from lines outside the table.

    Raises
    ------
    BookError
        RM264 for every unit that is written and not clear, RM412 another one than the user says.
    """
    grid, columns = block.grid, words.columns
    numbers = [columns[name] for name in sorted(block.names) if columns[name].kind == "number"]
    free = [column for column in numbers if column.name not in block.header.units]
    others = [other for other in siblings if other is not block and other.top != block.top]
    begin = max((other.at + 1 for other in others if other.at < block.top), default=0)
    last = kept.rows[-1] if kept.rows else block.first
    follows = min((other.top for other in others if other.top > block.top), default=None)
    above = [item for at in range(begin, block.top) for item in _title(grid, at, others)]
    above += _over_others(block)
    above += statements([grid.sheet, Path(grid.file).stem, *grid.facts.margins])
    if begin:  # what stands over the first table of the sheet holds for the others too, unless they say otherwise
        first = min(other.top for other in siblings)
        above = above or [item for at in range(first) for item in statements(grid.rows[at])]
    below = [
        item
        for at, item in kept.said
        if follows is None or at < last or item.text.lower().lstrip("(（").startswith(_FOOTNOTES)
    ]
    units, unclear = stated([*above, *below], free)
    for (at, place), said in grid.facts.comments.items():  # a remark on a header is about its column alone
        if block.top <= at < block.first and block.left <= place < block.right:
            name = block.header.columns[place - block.left]
            mine, odd = stated(statements([said]), [column for column in free if column.name == name])
            units, unclear = {**units, **mine}, [*unclear, *odd]
    if not units and not unclear:
        spoken, odd = stated(loose, free)
        unclear = odd + [(name, _statement(loose, unit)) for name, unit in spoken.items() if unit.size != 1]
    return settled(units, unclear, block.header, words, grid.file, grid.sheet)


def _over_others(block: Block) -> list[Statement]:
    """Return the units in cells between the titles and the header that the column below did not take for its own."""
    found = []
    for at in range(block.top, block.at):
        cells = block.grid.rows[at][block.left : block.right]
        for cell, name in zip(cells, block.header.columns):
            found += [] if name in block.header.units else statements([cell])
    return found


def _title(grid: Grid, at: int, others: Sequence[Block]) -> list[Statement]:
    """Return what a row above the header says, unless it is a record of a table before."""
    cells = [cell for cell in grid.rows[at] if not is_blank(cell)]
    return statements(cells) if len(cells) <= 4 or not others else []


def _statement(said: Sequence[Statement], unit: Unit) -> Statement:
    return next((item for item in said if item.text == unit.text), Statement(unit.text, "", ()))


def settled(
    units: Mapping[str, Unit],
    unclear: Sequence[tuple[str, Statement]],
    header: Header,
    words: Lexicon,
    file: str | None,
    sheet: str | None,
) -> tuple[dict[str, Unit], list[Problem]]:
    """Return the units of columns and the remarks on lines obeyed.

    Raises
    ------
    BookError
        RM264 for all that are not clear, RM336 for those of another measure, RM412 for those that are not what the user
        says.
    """
    columns = words.columns
    own, wrong = _own_units(header, words, file, sheet)
    given = {name: unit for name, unit in words.units.items() if name in header.names}
    odd: dict[str, list[str]] = {}
    for name, said in unclear:
        if name not in given:
            odd.setdefault(said.text, []).append(name)
    for name, unit in own.items():
        if unit.size is None:
            odd.setdefault(unit.text, []).append(name)
    wrong += [_unclear(text, [columns[name] for name in names], file, sheet) for text, names in odd.items()]
    if wrong:
        raise BookError(wrong)
    written = {**units, **own}
    apart = [
        problem("RM412", file=file, sheet=sheet, column=name, label=columns[name].label("zh"), unit=unit.text,
                other=written[name].text)
        for name, unit in given.items()
        if name in written and written[name].size != unit.size
    ]  # fmt: skip
    if apart:
        raise BookError(apart)
    lines = dict.fromkeys(unit.text for unit in units.values() if unit.size != 1)
    return {**units, **own, **given}, [problem("RM233", file=file, sheet=sheet, text=text) for text in lines]


def _own_units(
    header: Header, words: Lexicon, file: str | None, sheet: str | None
) -> tuple[dict[str, Unit], list[Problem]]:
    """Return the units in headers, and RM336 for each of another measure unless the user says what the header means."""
    own, wrong = dict(header.units), []
    for name, unit in header.units.items():
        column, text = words.columns[name], header.texts[header.columns.index(name)]
        word = unit_of_another(unit.text, column)
        if word is None:
            continue
        del own[name]
        if not words.maps(text, name):
            about: dict[str, Any] = {"header": text, "column": name, "label": column.label("zh"), "unit": word}
            wrong.append(problem("RM336", file=file, sheet=sheet, **about))
    return own, wrong


def _unclear(text: str, columns: Sequence[Column], file: str | None, sheet: str | None) -> Problem:
    """Return the problem of a unit that is not clear for some columns, or is other money than theirs."""
    about: dict[str, Any] = {
        "text": text,
        "columns": ", ".join(column.name for column in columns),
        "columns_zh": "、".join(column.label("zh") for column in columns),
    }
    money = columns[0].money
    if columns[0].unit in ("yuan", "fen") and other_money(text, money):
        return problem("RM327", file=file, sheet=sheet, money_en=money.name_en, money_zh=money.name_zh, **about)
    return problem("RM264", file=file, sheet=sheet, **about)


def _sheet_remarks(block: Block, kept: Sequence[int]) -> list[Problem]:
    """Return what should be known of rows and cells that are not as they look."""
    grid, facts = block.grid, block.grid.facts
    said = []
    for rows, en, zh in (
        (
            facts.hidden_rows,
            "hidden by a filter" if facts.filtered else "hidden",
            "被筛选隐藏" if facts.filtered else "隐藏",
        ),
        (facts.struck_rows, "struck out", "带删除线"),
    ):
        touched = [grid.lines[at] for at in kept if at in rows] if rows else []
        if touched:
            args: dict[str, Any] = {"rows": listed(touched), "kind_en": en, "kind_zh": zh}
            said.append(problem("RM275", file=grid.file, sheet=grid.sheet, row=touched[0], count=len(touched), **args))
    merged = [merge for merge in merged_cells(block) if merge.bottom > merge.top]
    if merged:
        cells = listed([f"{letter(merge.left)}{grid.lines[merge.top]}" for merge in merged])
        said.append(problem("RM278", file=grid.file, sheet=grid.sheet, count=len(merged), cells=cells))
    records = set(kept)
    odd = [
        f"{letter(place)}{grid.lines[at]} {text}"
        for (at, place), text in facts.unreadable.items()
        if at in records and block.left <= place < block.right
    ]
    if odd:
        said.append(problem("RM279", file=grid.file, sheet=grid.sheet, count=len(odd), cells=listed(odd, 6)))
    names = block.header.columns
    hidden = [
        block.header.texts[place - block.left]
        for place in sorted(facts.hidden_columns)
        if block.left <= place < block.right and names[place - block.left]
    ]
    if hidden:
        args = {"rows": listed(hidden), "kind_en": "hidden (columns)", "kind_zh": "隐藏列"}
        said.append(problem("RM275", file=grid.file, sheet=grid.sheet, count=len(hidden), **args))
    return said


def _column_arrays(rows: Sequence[Sequence[Any]], width: int, days_1904: Collection[int]) -> list[pa.Array]:
    """Return the first columns of rows, each of one type; few rows at a time, to stay in the processor's cache."""
    parts: list[list[pa.Array]] = [[] for _ in range(width)]
    for at in range(0, len(rows), _ROWS_AT_ONCE):
        some = rows[at : at + _ROWS_AT_ONCE]
        columns = list(zip_longest(*some))
        for place, part in enumerate(parts):
            cells: Sequence[Any] = columns[place] if place < len(columns) else [None] * len(some)
            part.append(column_array(list(map(_day_1904, cells)) if place in days_1904 else cells))
    arrays = []
    for place, found in enumerate(parts):
        kinds = {array.type for array in found if array.null_count < len(array)} or {pa.string()}
        if len(kinds) == 1:
            (kind,) = kinds
            same = [array if array.type == kind else pa.nulls(len(array), kind) for array in found]
            arrays.append(pa.concat_arrays(same) if same else column_array([]))
            continue
        cells = [row[place] if place < len(row) else None for row in rows]
        arrays.append(column_array(list(map(_day_1904, cells)) if place in days_1904 else cells))
    return arrays


def column_array(cells: Sequence[Any]) -> pa.Array:
    """Return cells as numbers where all are, as days where all are, else as text."""
    kinds = set(map(type, cells))
    if kinds == {float}:
        numbers = np.array(cells, np.float64)
        return to_arrow(numbers, numbers == numbers)
    if kinds == {str}:
        return filled_strings(cells)
    text = str in kinds and any(cell and type(cell) is str for cell in cells)
    given = kinds - ({type(None)} if text else {type(None), str})
    if given and given <= {float, int}:
        blank = float("nan")
        numbers = np.array([blank if cell is None or cell == "" else cell for cell in cells], np.float64)
        return to_arrow(numbers, numbers == numbers)
    if given == {date}:
        first = date(1970, 1, 1)
        ordinals = map(date.toordinal, cells if given == kinds else [cell or first for cell in cells])
        days = np.fromiter(ordinals, np.int64, len(cells)) - first.toordinal()
        present = None if given == kinds else np.fromiter(map(bool, cells), bool, len(cells))
        return to_arrow(days * 86_400_000_000, present).view(pa.timestamp("us"))
    if given and given <= {date, datetime}:
        moments = np.array([_moment(cell) if cell else None for cell in cells], "datetime64[us]")
        return to_arrow(moments.view(np.int64), ~np.isnat(moments)).view(pa.timestamp("us"))
    return filled_strings([cell or "" for cell in cells] if given <= {str} else [shown(cell) or "" for cell in cells])


def _moment(cell: date) -> datetime:
    return cell if isinstance(cell, datetime) else datetime(cell.year, cell.month, cell.day)


def shown(cell: Any) -> str | None:
    """Return one cell of a mixed column as text."""
    if cell is None or cell == "":
        return None
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float):
        return f"{cell:.0f}" if abs(cell) < 1e15 and cell == int(cell) else repr(cell)
    if isinstance(cell, datetime) and (cell.hour, cell.minute, cell.second) == (0, 0, 0):
        return cell.date().isoformat()
    return str(cell)
