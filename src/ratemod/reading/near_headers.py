"""Headers that no column took, held against the columns that the list does not fill: which may be meant."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from ratemod.errors import BookError, Problem, nearest, problem
from ratemod.reading.added import added, is_result_file
from ratemod.reading.book import Book
from ratemod.reading.header import IMPLIED, Header, Lexicon, fold, near_column
from ratemod.reading.receipt import ReadPart, UnusedHeader, unused_said
from ratemod.reading.rows import near_needed
from ratemod.reading.unfilled import is_blank
from ratemod.vocabulary.column import Column
from ratemod.vocabulary.table import words as business_words

if TYPE_CHECKING:
    from ratemod.reading.chunks import Chunked

_BRACKETS = re.compile(r"([^(（\[【]+)[(（\[【]([^)）\]】]+)[)）\]】]")


def judged_headers(
    unused: Sequence[UnusedHeader], header: Header, words: Lexicon, file: str | None, sheet: str | None, row: int
) -> tuple[list[UnusedHeader], list[Problem]]:
    """Return headers not used with the column each comes nearest to, and the remark that lists them.

    Raises
    ------
    BookError
        RM265 for every header that is written like an optional column that the list does not fill, RM336 for every one
        that is a number's with what is no unit of it.
    """
    free = [name for name in words.columns if name not in header.names]
    optional = [name for name in free if name not in near_needed(words.columns)]
    spelled = {said: name for name in free for said in words.columns[name].names()}
    judged, wrong = [], []
    steps = is_result_file(header.texts)  # stand among the columns, which were judged when they were priced
    for item in unused:
        if not item.header:
            judged.append(UnusedHeader(item.header, item.place))
            continue
        if not (item.header in header.added or _set_aside(item.header, words)):
            wrong += _odd_unit(item.header, free, words.columns, file, sheet, row)
        near = near_column(item.header, free, words.columns)
        odd = bool(wrong) and wrong[-1].code == "RM336" and wrong[-1].args["header"] == item.header
        near = near if near in optional and not odd else None  # a list that lacks a needed column is refused for that
        known = item.header in header.added or steps or _set_aside(item.header, words)
        apart = known or (near and _other_word(item.header, words.columns[near]))
        if near is not None and not apart:
            wrong.append(_may_be_meant(item.header, words.columns[near], file, sheet, row))
        close = None if known else nearest(item.header, spelled)
        label = _label(words.columns[spelled[close]]) if close else ""
        judged.append(UnusedHeader(item.header, item.place, spelled[close] if close else None, label))
    if wrong:
        raise BookError(wrong)
    said = unused_said(judged, file, sheet, row)
    return judged, [] if said is None else [said]


def _odd_unit(
    header: str, free: Sequence[str], columns: Mapping[str, Column], file: str | None, sheet: str | None, row: int
) -> list[Problem]:
    """Return the problem of a header that is the name of a number with what is no unit of it in brackets."""
    said = _BRACKETS.fullmatch(header.strip())
    if said is None:
        return []
    known = {fold(name): one for one in free for name in columns[one].names() if columns[one].kind == "number"}
    name = known.get(fold(said[1]))
    if name is None:
        return []
    label = columns[name].label("zh")
    return [problem("RM336", file=file, sheet=sheet, row=row, header=header, column=name, label=label, unit=said[2])]


def held_against_blanks(book: Book, words: Lexicon) -> Book:
    """Return a table as it was read, where no header that it does not use may mean a column that is there and blank.

    Raises
    ------
    BookError
        RM265 for every such header, all at once: it has values where an optional column of the same words has none.
    """
    wrong = [
        item for part in book.receipt.parts for item in _meant(part, words, _near_filled(part, words), [book.table])
    ]
    if wrong:
        raise BookError(wrong)
    return book


def check_chunks_against_blanks(chunks: Chunked, words: Lexicon) -> None:
    """Refuse chunks as `held_against_blanks` does a table; a header and its near column are read as far as need be.

    Raises
    ------
    BookError
        RM265 as `held_against_blanks`; what reading the chunks raises.
    """
    (part,) = chunks.receipt().parts
    near = _near_filled(part, words)
    pairs = {item.header: item.column for item in part.used if item.column in near.values()}
    wrong = _meant(part, words, near, chunks.under({**pairs, **{header: header for header in near}}).tables())
    if wrong:
        raise BookError(wrong)


def _near_filled(part: ReadPart, words: Lexicon) -> dict[str, str]:
    """Return headers that a table does not use, each with the optional column it is nearest to among those it does."""
    texts = [*(used.header for used in part.used), *(other.header for other in part.unused)]
    if not part.unused or is_result_file(texts):
        return {}
    ours = {texts[at] for at in added(texts)}
    optional = sorted({item.column for item in part.used} & set(words.columns) - set(near_needed(words.columns)))
    found = {}
    for header in (item.header for item in part.unused if item.header and item.header not in ours):
        name = None if _set_aside(header, words) else near_column(header, optional, words.columns)
        if name is not None and not _other_word(header, words.columns[name]):
            found[header] = name
    return found


def _meant(part: ReadPart, words: Lexicon, near: Mapping[str, str], tables: Iterable[pa.Table]) -> list[Problem]:
    """Return RM265 for every header with values whose column has none in any of the tables, read only while open."""
    blank, filled = dict(near), set()
    rows = iter(tables)
    while blank and (table := next(rows, None)) is not None:
        blank = {header: name for header, name in blank.items() if is_blank(table, name, words.columns[name])}
        filled |= {header for header in blank if not is_blank(table, header)}
    return [
        _may_be_meant(header, words.columns[name], part.file, part.sheet, part.header_row)
        for header, name in blank.items()
        if header in filled
    ]


def _may_be_meant(header: str, column: Column, file: str | None, sheet: str | None, row: int) -> Problem:
    args: dict[str, Any] = {"header": header, "column": column.name, "label": _label(column)}
    return problem("RM265", file=file, sheet=sheet, row=row, **args)


def _label(column: Column) -> str:
    """Return the Chinese label of a column; one that a list is read for besides has that of its business word."""
    return (business_words().get(column.name, column) if column.name in IMPLIED else column).label("zh")


def _set_aside(header: str, words: Lexicon) -> bool:
    return fold(header) in words.given


def _other_word(header: str, column: Column) -> bool:
    """Return whether a header is the name of a business column that is not the one it is written like."""
    mine, said = set(map(fold, column.names())), fold(header)
    named = [set(map(fold, word.names())) for word in business_words().values()]
    return any(said in names and mine.isdisjoint(names) for names in named)
