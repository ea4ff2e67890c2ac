"""Which rows under a header are records, and what the others are: blanks, totals, titles, sections, footers."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ratemod.reading.header import Header, Lexicon, fold
from ratemod.reading.units import plain, statements
from ratemod.vocabulary.column import Column

TOTALS = frozenset(
    {
        "合计",
        "总计",
        "汇总",
        "小计",
        "共计",
        "累计",
        "总和",
        "total",
        "subtotal",
        "sum",
        "grandtotal",
        "totals",
        "average",
    }
    | {"平均", "均值", "平均值", "上年同期", "去年同期", "同比", "环比", "同比增长", "环比增长", "增减"}
    | {"承前页", "承上页", "接前页", "接上页", "上页结转", "过次页", "转次页", "转下页"}
)
_TOTAL = re.compile(
    r"^共\d+[户家人条笔单份行个辆]$|"
    r"^(?:本页|本表|当页|本年|本月|本期|本季|全部|全省|全市|各类|以上|其中)?(?:合计|总计|小计|共计|累计|总和|(?:grand|sub)?total|sum)"
    r"(?:$|[:(（\d/].{0,30}$|共?\d.{0,20}$)|^.{1,20}(?:合计|小计|总计|subtotal)(?:[:(（].{0,20})?$"
)
_OF_GROUP = re.compile(
    r"\S\s+(?:汇总|计数|平均值|求和|total|count|average|sum)$"
)  # as spreadsheets call their subtotals
_FOOTER = re.compile(
    r"(制表|填表|填报|审核|复核|经办|负责人|联系人|备注|说明|注|附注|打印|盖章|公章)[^:：]{0,8}[:：]|"
    r"(notes?|prepared by|remarks?|printed|page)\b|第\s*\d+\s*页|共\s*\d+\s*页",
    re.I,
)
_SECTION = re.compile(
    r"^[(（]?(?:[一二三四五六七八九十]{1,3}|[ivxⅰⅱⅲⅳⅴ]{1,4}|\d{1,2}|[a-z])(?:[、.．):：]|$)|^(?:part|section)\b", re.I
)


@dataclass(frozen=True, eq=False, slots=True)
class Judge:
    """What a row is held against.

    Attributes
    ----------
    width : int
        Columns with a header.
    needed : tuple of int
        Places of the columns that no record can do without.
    figures : tuple of int
        Places of numbers and days.
    sections : frozenset of str
        Folded labels that a line above a group of records may consist of.
    codes : frozenset of int
        Places of identifiers, and the first where nobody reads it (序号): where words alone are no record.
    read : tuple of int
        Places of the columns that are read: a row with nothing in any of them, such as one with its number alone, is no
        record.
    """

    width: int
    needed: tuple[int, ...]
    figures: tuple[int, ...]
    sections: frozenset[str]
    codes: frozenset[int] = frozenset()
    read: tuple[int, ...] = ()


def judge_of(header: Header, words: Lexicon) -> Judge:
    """Return what the rows under a header are held against."""
    columns = words.columns
    needed = tuple(at for at, name in enumerate(header.columns) if name and is_needed(columns[name]))
    figures = tuple(at for at, name in enumerate(header.columns) if name and columns[name].kind in ("number", "date"))
    known = {name for name, column in columns.items() if column.identity not in (None, "name")}
    codes = frozenset(at for at, name in enumerate(header.columns) if (name in known if name else at == 0))
    labels = {fold(said) for column in columns.values() for level in column.levels for said in level.names()}
    read = tuple(at for at, name in enumerate(header.columns) if name)
    return Judge(sum(text != "" for text in header.texts), needed, figures, frozenset(labels), codes, read)


def is_needed(column: Column) -> bool:
    """Return whether a record must have a column."""
    return not column.optional and column.default is None and not column.derive


def is_blank(cell: Any) -> bool:
    """Return whether a cell holds nothing that can be seen."""
    return cell is None or (isinstance(cell, str) and not cell.strip("\ufeff\u200b \t\r\n\xa0\u3000"))


def fate(cells: Sequence[Any], judge: Judge) -> tuple[str, str]:
    """Return what becomes of a row, ``record``, ``blank``, ``total`` or ``line``, and the text that it is known by.

    A row with every needed cell filled is a record, whatever it is called.
    """
    filled = [cell for cell in cells if not is_blank(cell)]
    if not filled:
        return "blank", ""
    missing = [at for at in judge.needed if at >= len(cells) or is_blank(cells[at])]
    if judge.needed and not missing:
        return "record", ""
    said = next((str(cell) for cell in filled[:3] if is_total(cell)), None)
    if said is not None and (judge.needed or len(filled) < judge.width or str(filled[0]) == said):
        return "total", said
    few = len(filled) <= 2 and judge.width > 3
    texts = [cell for cell in filled if isinstance(cell, str)]
    whole = " ".join(f"{cell:.0f}" if isinstance(cell, float) and cell.is_integer() else str(cell) for cell in filled)
    if all(at >= len(cells) or is_blank(cells[at]) for at in judge.read):
        return "line", whole
    if few and is_footer(filled[0]):
        return "line", whole
    if len(filled) <= 4 < judge.width and texts and all(re.match(r"^\D{2,10}[:：]", text) for text in texts):
        return "line", whole
    if few and len(texts) == len(filled) and statements(texts):
        return "line", whole
    if len(filled) == 1 and judge.width > 3 and texts:
        at = next(place for place, cell in enumerate(cells) if not is_blank(cell))
        if _LINE.search("".join(texts[0].split())) or _is_section(texts[0], judge):
            return "line", whole
        if at in judge.codes and _words_alone(texts[0]):
            return "line", whole
    return "record", ""


_LINE = re.compile(  # a cell alone in its row: a seal, a day of signature, a title that goes on, a whole sentence
    r"^[(（]?(?:公章|盖章|签章|签字|印章|加盖.{0,6}章)[)）]?$|^\d{4}年\d{1,2}月(?:\d{1,2}日)?$|[(（]续[表页一二三四五\d]{0,3}[)）]$|"
    r"^(?=.{12})[^\d]*[\u4e00-\u9fff][^\d]*[，。；！？].*$"
)


def is_total(cell: Any) -> bool:
    """Return whether a row that begins with this cell is a total, if it is no full record.

    Examples
    --------
    >>> is_total("合 计"), is_total("矿山小计"), is_total("总计：6家"), is_total("合计科技有限公司")
    (True, True, True, False)
    """
    if not isinstance(cell, str) or len(cell) > 60:
        return False
    said = unicodedata.normalize("NFKC", cell).casefold().strip()
    first = "".join(said.split())
    return first.rstrip(":") in TOTALS or bool(_TOTAL.match(first) or _OF_GROUP.search(said))


def is_sum(name: str) -> bool:
    """Return whether a level or a firm of this name is the sum of others; "average" may be a grade.

    Examples
    --------
    >>> is_sum("矿山小计"), is_sum("Total"), is_sum("Average")
    (True, True, False)
    """
    return is_total(name) and fold(name) not in ("average", "平均", "均值", "平均值", "增减")


def _words_alone(text: str) -> bool:
    """Return whether a text in Chinese has no digit: the name of a branch or a trade, and no code of anything."""
    return re.search(r"[\u4e00-\u9fff]", text) is not None and not any(char.isdigit() for char in text)


def is_footer(cell: Any) -> bool:
    """Return whether a row with little but this cell is a footer."""
    return isinstance(cell, str) and _FOOTER.match(cell.strip().lstrip("(（")) is not None


def _is_section(text: str, judge: Judge) -> bool:
    said = plain(text)
    return _SECTION.match(said) is not None or fold(said).strip("[]()") in judge.sections or len(said) > 60


def near_needed(columns: Mapping[str, Column]) -> list[str]:
    """Return the columns that no list of this kind can do without."""
    return [name for name, column in columns.items() if is_needed(column)]
