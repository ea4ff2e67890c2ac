"""Rows that a list itself says are void: none of them is used in silence."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from ratemod.errors import BookError, Problem, problem
from ratemod.reading.book import Book
from ratemod.reading.header import SET_ASIDE, Lexicon, fold
from ratemod.reading.identifiers import texts_that_match
from ratemod.reading.plain import plain
from ratemod.reading.receipt import listed
from ratemod.reading.text_chunks import LINE

if TYPE_CHECKING:
    from ratemod.reading.chunks import Chunked

_SPEAKS = "(?i)作废|作廢|廢單|废单|删除|刪除|剔除|void"
_SIGNS = ("废", "廢", "删", "刪", "剔", "void", "Void", "VOID")  # of which one stands in every such text
_REMARKS = re.compile("备注|備註|附注|说明|說明|状态|狀態|标注|标记|处理|remark|note|comment|status|state", re.I)
_APART = re.compile(r"[\s,，;；.。!！:：、()（）\[\]【】]+")
_VOID = re.compile(
    r"(?:此|本|该|這|这)?(?:行|单|單|户|戶|条|條|笔|筆|保单|保單|记录|記錄)?(?:已|应|請|请)?"
    r"(?:作废|作廢|废单|廢單|删除|刪除|剔除|void|voided)(?:处理|處理)?",
    re.I,
)


def refuse_void_rows(book: Book, words: Lexicon) -> Book:
    """Return a table as it was read, where no text in a row says that the row is void.

    Levels, numbers and days are judged elsewhere; a header that the user sets aside says nothing.

    Raises
    ------
    BookError
        RM694 for every column with such rows, all at once.
    """
    wrong: list[Problem] = []
    for name in book.table.column_names:
        header = book.headers.get(name, name)
        if words.given.get(fold(header), header) in (None, *SET_ASIDE) or not _is_free(name, words):
            continue
        said = _void(book.table[name])
        if said:
            file, sheet, row = book.place(next(iter(said)))
            args: dict[str, Any] = {
                "header": header,
                "rows": listed(book.said(said)),
                "text": next(iter(said.values())),
            }
            wrong.append(problem("RM694", file=file, sheet=sheet, row=row, count=len(said), **args))
    if wrong:
        raise BookError(wrong)
    return book


def check_chunks_for_void_rows(chunks: Chunked, words: Lexicon) -> None:
    """Refuse chunks as `refuse_void_rows` does a table, by the columns of remarks that they do not use.

    Raises
    ------
    BookError
        RM694 as `refuse_void_rows`; what reading the chunks raises.
    """
    (part,) = chunks.receipt().parts
    remarks = {
        item.header: item.header
        for item in part.unused
        if _REMARKS.search(item.header) and fold(item.header) not in words.given
    }
    if not remarks:
        return
    before = 1
    for table in chunks.under(remarks).tables():
        lines = np.asarray(table[LINE].combine_chunks()) if LINE in table.column_names else None
        numbers = np.arange(before, before + table.num_rows) if lines is None else lines
        refuse_void_rows(Book(table.select(list(remarks)), numbers, part.file), words)
        before += table.num_rows


def _is_free(name: str, words: Lexicon) -> bool:
    return name not in words.columns or words.columns[name].kind == "text"


def _void(column: pa.ChunkedArray) -> Mapping[int, str]:
    """Return the rows whose text says that they are void, and the texts."""
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        return {}
    cells = plain(column).cells
    texts = cells.cast(pa.string()) if not pa.types.is_string(cells.type) else cells
    found = np.flatnonzero(texts_that_match(texts, _SPEAKS, _SIGNS))
    told = {int(at): texts[int(at)].as_py() for at in found}
    return {at: text for at, text in told.items() if any(_VOID.fullmatch(part) for part in _APART.split(text))}
