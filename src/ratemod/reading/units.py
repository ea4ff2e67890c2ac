"""Units as lists write them: beside a header, in a row below it, in a line above or below the table.

A unit is obeyed where it is clear and refused where it is not; nothing that is written is passed over. What a unit
word multiplies by is said by `ratemod.reading.numbers.factors`; this file says where units stand and which column
they are about.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from ratemod.reading.numbers import factors
from ratemod.vocabulary.column import UNITS, Column
from ratemod.vocabulary.currency import FOREIGN, YUAN, other_money
from ratemod.vocabulary.measure import ANY
from ratemod.vocabulary.spelling import simplified

_AMOUNTS = ("yuan", "fen")
_BARE = frozenset({"人民币", "rmb", "cny"})  # a money, and no unit of it
_TENS = {"十": 10, "百": 100, "千": 1_000, "万": 10_000, "亿": 100_000_000}
_ENGLISH = {
    "thousand": 1_000,
    "thousands": 1_000,
    "000": 1_000,
    "'000": 1_000,
    "000s": 1_000,
    "'000s": 1_000,
    "1000": 1_000,
    "k": 1_000,
    "wan": 10_000,
    "w": 10_000,
    "tenthousand": 10_000,
    "tenthousands": 10_000,
    "10thousand": 10_000,
    "10k": 10_000,
    "10000": 10_000,
    "million": 1_000_000,
    "millions": 1_000_000,
    "mn": 1_000_000,
    "1000000": 1_000_000,
    "billion": 1_000_000_000,
    "billions": 1_000_000_000,
}
# What amounts are stated per, and the words by which a column says that it is per the same.
_FIRM = ("年", "年度", "每年", "户", "家", "单", "企业", "保单", "份", "year", "annum", "policy", "firm")
_PERSON = ("人", "每人", "名", "人年", "head", "person", "capita", "employee")
_ACCIDENT = ("次", "起", "事故", "每次", "次事故", "accident")
_PER: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(_FIRM, ()),
    **dict.fromkeys(
        _PERSON,
        ("每人", "人均", "每名", "每死亡", "perperson", "perhead", "perdeath", "limityuan", "eachperson", "percapita"),
    ),
    **dict.fromkeys(_ACCIDENT, ("每次", "事故", "peraccident", "eachaccident")),
    **dict.fromkeys(("月", "每月", "month"), ("每月", "月度", "月均", "monthly", "permonth")),
}
HINTS = frozenset(
    [
        "必填",
        "选填",
        "必填项",
        "选填项",
        "非必填",
        "可空",
        "单选",
        "多选",
        "下拉",
        "下拉选择",
        "文本",
        "数字",
        "数值",
        "日期",
        "整数",
        "小数",
        "required",
        "optional",
        "text",
        "number",
        "date",
        "yyyy-mm-dd",
        "yyyymmdd",
        "yyyy/mm/dd",
        "yyyy年mm月dd日",
        "年/月/日",
        "年月日",
        "年-月-日",
        "年",
        "月",
        "日",
        "是/否",
        "yes/no",
        "y/n",
        "示例",
        "格式",
        "填写",
        "大写",
        "小写",
    ]
)
_PRECISION = re.compile(r"(?:请?保留|精确到?)?(?:小数点后)?[0-9一二两三四]位(?:小数)?|精确[到至].{1,3}")
_OTHERS = "|".join(  # in lines of text: in Chinese, and by the codes of three letters
    rf"\b{name}\b" if name.isascii() else name for name in FOREIGN if not name.isascii() or len(name) == 3
)
_SPEAKING = tuple(name for name in FOREIGN if len(name) > 3 or not name.isalpha() or not name.isascii())
_SEPARATORS = re.compile(r"[,，、;；|()（）\[\]【】<>《》「」{}:：]+")
_MONEY = rf"(?:[十百千万亿]*(?:元|{_OTHERS})|[十百千万亿]+)"
_WORDS = sorted({word for unit in UNITS for word in factors(unit) if word} - {"t", "m", "h"}, key=len, reverse=True)
_ONE = rf"(?:人民币\s*)?(?:[十百千万亿]*(?:{'|'.join(map(re.escape, _WORDS))})|{_MONEY})(?:人民币)?(?:[/每][年人户家])?"
_UNITS_APART = re.compile(rf"[\s,、;和]+|/(?=(?:人民币)?{_MONEY})")
# Of bounded reach, so that a cell of any length is read in time that grows with its length alone.
_SAID = re.compile(
    rf"(?P<scope>[^\s:。;(（]{{0,40}}?)(?:均|都|皆|统一|一律){{0,3}}(?P<mark>:|为|是|以|按|\s|(?<=单位))\s*"
    rf"(?P<units>{_ONE}(?:[\s,、/;和]{{1,9}}{_ONE}){{0,30}})(?:为单位|计算|计|列示|填列|填写|表示)?(?=$|[\s。;,)\]】、])"
)
_ENGLISH_SAID = re.compile(
    r"\b(?:units?|currency|amounts?|figures|money|premiums?)\b[^:]{0,60}?(?::|\bin\b)\s*(?P<units>[^.;)]+)|"
    r"^\W*in (?P<more>(?:thousands?|millions?|10k|rmb|cny|yuan)[^.;)]*)"
)
_UNIT_NOUNS = re.compile(r"单位|金额|币种|货币|计价|计量|unit|currency|amount")
_MONEY_MULTIPLE = re.compile(
    rf"(?<![\d.十百千万亿一二两三四五六七八九几数])(?:[十百千万亿]+元|{_OTHERS})"
    r"(?!以上|以下|以内|级|素)"
)
# A line that speaks of units in words not understood is no line to pass over.
_NAMED = re.compile(
    r"(?:^|[\s,;。(\[【])(?:(?:计量|金额|货币|计价|数量|保费|本表|表中|统计)?单位|币种|货币|金额|units?|currency)\s*(?::|为|是|以|按)"
    r"\s*(?P<rest>[^\s,;。)\]】]+(?:\s+\d[^\s;]*)?)"
)
_UNIT_LINE = re.compile(
    r"^[(\[【*#\s]*(?:注|备注|说明)?[:\s]*(?:(?:计量|金额|货币|计价|数量|保费|统计|本表|表中|表内)*单位|币种|货币|units?\b|currency\b)"
)
_BODY = re.compile(r"(?:公司|厂|矿|局|院|集团|中心|部|所|站|处|社|店|队|委|会|办|行|校|府|政)(?:\(.*)?$")
_ENGLISH_MULTIPLE = re.compile(
    r"(?<![\d.])\s*(?:\b(?:thousands?|millions?|billions?|wan|10k)\b|'000|\b10,?000\b|(?<=元)/?k\b|\bw元)"
)
_ENGLISH_NOUNS = re.compile(r"\b(?:rmb|cny|yuan|currency|units?|amounts?|figures|premiums?|in)\b|¥|rmb|cny|w元")
_GENERAL = re.compile(
    r"单位|计量|货币|金额|币种|币|计价|本表|本页|表中|表内|表格|合同|以上|以下|上表|下表|上述|下列|各项|所有|全部|数据|均|注|除.*外|[第\d一二三四五六七八九十.]"
)


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit as written.

    Attributes
    ----------
    text : str
    size : Decimal or None
        What the numbers multiply by; None where it is written but not understood.
    """

    text: str
    size: Decimal | None


@dataclass(frozen=True, slots=True)
class Statement:
    """A line that states the unit of several columns.

    Attributes
    ----------
    text : str
        The whole line.
    scope : str
        The columns it is about, as written; empty for all.
    words : tuple of str
        Its unit words; none where it names money but not clearly.
    """

    text: str
    scope: str
    words: tuple[str, ...]


def plain(text: object) -> str:
    """Return a text in one width, case and script, with its blanks."""
    said = simplified(unicodedata.normalize("NFKC", "" if text is None else str(text)).casefold())
    return re.sub(r"(?<=\d),(?=\d{3})", "", re.sub(r"人民币[\s/]+(?=[十百千万亿元])", "人民币", said)).strip()


def size_of(word: str, column: Column) -> Decimal | None:
    """Return what a unit word multiplies the numbers of a column by, None where it is no unit of the column.

    Examples
    --------
    >>> money = Column("premium", "number", unit="yuan")
    >>> size_of("百万元", money), size_of("美元", money)
    (Decimal('1000000'), None)
    """
    base, *per = re.split(r"/|每|\bper\b", word.strip())
    if any(not _is_per(item.strip(), column) for item in per):
        return None
    base = re.sub(r"\s+", "", base)
    if column.unit in _AMOUNTS and column.money == YUAN:
        base = base.replace("人民币", "") or "元"
    return _multiple(base, factors(column.measured, column.money), column.unit == "yuan")


def unit_word(size: Decimal, column: Column, lang: str) -> str:
    """Return the word by which a header says what its numbers multiply by, or the number where there is none.

    Examples
    --------
    >>> money = Column("premium", "number", unit="yuan")
    >>> unit_word(Decimal(10_000), money, "zh"), unit_word(Decimal(10_000), money, "en")
    ('万元', '10000 yuan')
    """
    own = lang == "en"
    multiples = ("", "1000 ", "10000 ", "million ") if own else ("", *"十百千万", "十万", "百万", "千万", "亿")
    known = factors(column.measured, column.money).items()
    names = [(name, one) for name, one in known if name and (name in "%‰" or name.isascii() == own)]
    words = [of + name for name, one in names if one == 1 for of in multiples] + [name for name, _ in names]
    return next((word for word in words if size_of(word, column) == size), f"{size:f}")


def _is_per(word: str, column: Column) -> bool:
    if word not in _PER:
        return False
    named = "".join(re.sub(r"[\s_]+", "", plain(name)) for name in column.names())
    return not _PER[word] or any(sign in named for sign in _PER[word])


def _multiple(word: str, known: Mapping[str, Decimal], money: bool) -> Decimal | None:
    if word and word in known:
        return known[word]
    tens = re.match(r"[十百千万亿]+", word)
    if tens:
        rest = word[tens.end() :]
        if rest in known and (rest or money):
            size = Decimal(1)
            for sign in tens.group():
                size *= _TENS[sign]
            return size * known[rest]
        return None
    bare = re.sub(r"^in|of", "", word)
    for name, times in sorted(_ENGLISH.items(), key=lambda pair: -len(pair[0])):
        for rest in ([bare[len(name) :]] if bare.startswith(name) else []) + (
            [bare[: -len(name)]] if bare.endswith(name) else []
        ):
            if (rest or money) and rest in known:
                return times * known[rest]
    return None


def is_unit_like(word: str) -> bool:
    """Return whether a word is a unit of something, or of money of another country, or a multiple."""
    base = re.split(r"/|每", word)[0].replace("人民币", "")
    spoken = any(base.endswith(name) or base.startswith(name) for name in _SPEAKING)
    if spoken or base.lstrip("".join(_TENS)) in FOREIGN:
        return True
    if not base:
        return bool(word)
    return _multiple(base, _every_unit(), True) is not None or re.fullmatch(r"[十百千万亿]+\D{0,3}", base) is not None


@functools.cache
def _every_unit() -> Mapping[str, Decimal]:
    return {word: size for unit in UNITS for word, size in factors(unit).items()}


def unit_of_another(said: str, column: Column) -> str | None:
    """Return the unit beside a number's name if it counts other things, None if it is not clear or is other money.

    Examples
    --------
    >>> money = Column("premium", "number", unit="yuan")
    >>> unit_of_another("(百人)", money), unit_of_another("(万元/人)", money)
    ('百人', None)
    """
    words = _beside(said, column)
    base = words[0].lstrip("".join(_TENS)) if len(words) == 1 else ""
    money = column.unit in _AMOUNTS and other_money(said, column.money)
    return words[0] if base in _every_unit() and base and not money and size_of(words[0], column) is None else None


def unit_beside(said: str, column: Column) -> tuple[Unit | None, tuple[str, ...]]:
    """Return the unit that stands beside a column's name, if any, and the words that are neither unit nor hint.

    Examples
    --------
    >>> money = Column("premium", "number", unit="yuan")
    >>> unit_beside("(单位:万元)", money), unit_beside("(不含税)", money)
    ((Unit(text='(单位:万元)', size=Decimal('10000')), ()), (None, ('不含税',)))
    """
    found: set[Decimal | None] = set()
    unknown: list[str] = []
    for word in _beside(said, column):
        size = size_of(word, column) if column.kind == "number" else None
        if size is not None:
            found.add(size)
        elif word in HINTS or _PRECISION.fullmatch(word):
            continue
        elif not is_unit_like(word):
            unknown.append(word)
        elif column.kind == "number":
            found.add(None)
    unit = Unit(said, next(iter(found)) if len(found) == 1 else None) if found else None
    return unit, tuple(unknown)


def _beside(said: str, column: Column) -> list[str]:
    """Return the words beside a column's name, without those that say that a unit follows."""
    return _words(re.sub(r"(?:计量|货币|金额)?单位|币种", ",", said), column)


def _words(said: str, column: Column) -> list[str]:
    """Return the words of a text; words with blanks between them are one where that is a unit: 10k yuan."""
    found = []
    for part in _SEPARATORS.split(said):
        one = re.sub(r"\s+", "", part).strip("/-_*.·")
        if one and (column.kind != "number" or size_of(one, column) is not None):
            found.append(one)
        elif one:
            found += [word.strip("/-_*.·") for word in part.split() if word.strip("/-_*.·")]
    return found


def unit_within(said: str, column: Column) -> Unit | None:
    """Return the unit that stands in the brackets or at the end of any header; other words are no matter."""
    whole = plain(said)
    spots = re.findall(r"[(\[【<「]([^)\]】>」]*)[)\]】>」]", whole) + re.findall(r"[/:\s_-]([^()/:\s_-]+)$", whole)
    found = [unit for spot in spots if (unit := unit_beside(spot, column)[0]) is not None]
    sizes = {unit.size for unit in found}
    return None if not found else found[0] if len(sizes) == 1 else Unit(said, None)


def is_unit_cell(cell: object, column: Column) -> bool:
    """Return whether a cell of a row below the header says a unit, or a hint how to fill the column in."""
    if not isinstance(cell, str) or re.search(r"\d", cell):
        return False
    said = plain(cell)
    return said in ("", "()") or not unit_beside(said, column)[1]


def statements(cells: Iterable[object]) -> list[Statement]:
    """Return what a line outside the table says about the units of columns.

    Examples
    --------
    >>> statements(["承保清单    单位：人、万元"])
    [Statement(text='承保清单    单位：人、万元', scope='', words=('人', '万元'))]
    """
    found: list[Statement] = []
    for cell in cells:
        if not isinstance(cell, str) or not cell.strip():
            continue
        said, mine = plain(cell), []
        for match in _ENGLISH_SAID.finditer(said):
            words = tuple(filter(None, re.split(r",| and ", (match["units"] or match["more"]).strip())))
            if words and all(is_unit_like(re.sub(r"\s+", "", word)) for word in words):
                mine.append(Statement(cell.strip(), "", tuple(re.sub(r"\s+", "", word) for word in words)))
        for match in () if mine else _SAID.finditer(said.replace("(", " ").replace(")", " ")):
            scope, words = match["scope"], tuple(filter(None, _UNITS_APART.split(match["units"])))
            general = not re.sub(r"[\W_]+", "", _GENERAL.sub("", scope))
            noun = _UNIT_NOUNS.search(scope) or (general and scope)
            bases = [word.replace("人民币", "").split("/")[0] for word in words]
            money = any(word in _BARE or re.fullmatch(_MONEY, base) for word, base in zip(words, bases))
            if not match["mark"].strip() and not money:
                continue
            if noun or (money and (match["mark"] != ":" or general or not scope.endswith("单位"))):
                mine.append(Statement(cell.strip(), "" if general else _scope(scope), words))
        if not mine and re.fullmatch(_ONE, said.strip("()[]【】 ")) and re.search("[十百千万亿元]", said):
            mine.append(Statement(cell.strip(), "", (said.strip("()[]【】 "),)))
        if not mine and _speaks_of_units(said):
            mine.append(Statement(cell.strip(), "", ()))
        found += mine
    return found


def is_unit_line(cell: object) -> bool:
    """Return whether a cell begins with the word for unit or currency: a line about the table, no header over a part.

    Examples
    --------
    >>> is_unit_line("（金额单位：万元）"), is_unit_line("金额（单位：万元）")
    (True, False)
    """
    return isinstance(cell, str) and _UNIT_LINE.match(plain(cell)) is not None


def _speaks_of_units(said: str) -> bool:
    """Return whether a line names a unit of money, or has a word for units, and it is not clear what it means."""
    if _MONEY_MULTIPLE.search(said) and _UNIT_NOUNS.search(said):
        return True
    if _ENGLISH_MULTIPLE.search(said) and _ENGLISH_NOUNS.search(said):
        return True
    rest = [match["rest"] for match in _NAMED.finditer(said)]
    return any(len(one) <= 12 and not _BODY.search(one) and not _is_plain_money(one) for one in rest)


def _is_plain_money(word: str) -> bool:
    return size_of(word, Column("amount", "number", unit="yuan")) == 1 or word in ("rmb", "cny", "人民币")


def _scope(scope: str) -> str:
    return re.sub(r"(?:计量|货币|金额)?单位$|金额$|均$", "", re.sub(r"^(?:注|说明)[:：]?", "", scope)) or scope


def stated(
    statements_: Sequence[Statement], columns: Sequence[Column]
) -> tuple[dict[str, Unit], list[tuple[str, Statement]]]:
    """Return the unit of every column that lines state, and the columns for which they are not clear.

    Parameters
    ----------
    columns : the number columns that have no unit of their own
    """
    units: dict[str, Unit] = {}
    unclear: list[tuple[str, Statement]] = []
    for said in statements_:
        scopes = [part for part in re.split(r"[、,和及与]", said.scope) if part]
        about = [column for column in columns if not scopes or _is_about(scopes, column)]
        if scopes and not about and any(_is_multiple_of_money(word) for word in said.words):
            unclear += [(column.name, said) for column in columns if column.unit in _AMOUNTS]
        for column in about:
            words = [word for word in said.words if column.unit == "yuan" or not re.fullmatch("[十百千万亿]+", word)]
            sizes = {size for word in words if word not in _BARE and (size := size_of(word, column)) is not None}
            odd = column.unit in _AMOUNTS and (
                not said.words
                or any(_is_other_money(word, column) for word in said.words)
                or (column.unit == "fen" and bool(sizes - {1}))  # its name says fen
            )
            before = units.get(column.name)
            which = not scopes and column.measure == ANY and bool(sizes - {1}) and len(about) > 1  # money, or another
            if len(sizes) > 1 or odd or which or (before and sizes and before.size not in sizes):
                unclear.append((column.name, said))
            elif sizes:
                units[column.name] = Unit(said.text, sizes.pop())
    return units, unclear


def _is_about(scopes: Sequence[str], column: Column) -> bool:
    named = [re.sub(r"[\s_]+", "", plain(name)) for name in column.names()]
    return any(scope in name or name in scope for scope in scopes for name in named)


def _is_multiple_of_money(word: str) -> bool:
    size = size_of(word, Column("amount", "number", unit="yuan"))
    return (size is None and _is_foreign(word)) or (size is not None and size != 1)


def _is_foreign(word: str) -> bool:
    return other_money(re.split(r"/|每", word)[0], YUAN)


def _is_other_money(word: str, column: Column) -> bool:
    """Return whether a word is money, but not the money of this column."""
    return size_of(word, column) is None and (
        re.split(r"/|每", word)[0].endswith("元") or other_money(word, column.money)
    )
