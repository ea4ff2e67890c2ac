"""Which header means which declared column: aliases, units beside the name, headers of two levels."""

from __future__ import annotations

import difflib
import functools
import re
import unicodedata
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any

from ratemod.errors import BookError, Problem, nearest, problem
from ratemod.reading.added import added
from ratemod.reading.units import Unit, plain, unit_beside, unit_within
from ratemod.vocabulary.column import Column
from ratemod.vocabulary.header_words import said_words
from ratemod.vocabulary.table import words as business_words

PERIOD = "policy_period"  # the first and the last day in one cell
CURRENCY = "currency"  # which money the amounts of a row are in
IMPLIED = (PERIOD, CURRENCY)  # columns that a list is read for though nobody asks: see `implied`
SET_ASIDE = ("-", "")  # what a header is mapped to that is known and not used
_CLOSED = ")]】>」"  # what a unit in brackets ends with
_ORDINAL = re.compile(r"^\s*(?:[\u2460-\u2473]|[(（]?\d{1,2}[.．、)）])\s*(?=\D)")  # 1. (2) 3、 ④ before a header
# What a header of days says of the hour, as folded: 保险止期（24时）, 止期（含当日）, End (inclusive).
_ENDS = re.compile(
    r"(?:截?至)?(?:当日|当天)?(?:(?:24|二十四|廿四)[时点]整?|2400(?:00)?|2359(?:59)?)[起止]?|"
    r"(?:包?含|有效)(?:当日|当天|止日|该日)|(?:当日|当天)有效|inclusive|included|stillcovered"
)
_BEGINS = re.compile(
    r"(?:截?至)?(?:当日|当天)?(?:(?:0|零)[时点]整?|0{1,2}00(?:00)?)[起止]?|不(?:包)?含(?:当日|当天|止日|该日)|exclusive|excluded|notcovered"
)
_CHINESE, _ENGLISH = r"([^A-Za-z]*[\u4e00-\u9fff][^A-Za-z]*)", r"([A-Za-z][^\u4e00-\u9fff]*)"
_BOTH = (re.compile(_CHINESE + _ENGLISH), re.compile(_ENGLISH + _CHINESE))
_ALIKE = 0.8  # how alike a header is written that is held to be meant


@dataclass(frozen=True, slots=True)
class HeaderWords:
    """What a user says of the headers of a list, beyond what its columns are called.

    Attributes
    ----------
    headers : mapping of header to column, by name or label, with a unit or not (``保额`` to ``每人限额（万元）``)
        A list without such a header is refused; ``-`` sets a header aside.
    aliases : the same of headers that a list may have or not, as a project file knows them; `headers` go before
    units : mapping of column, by name or label, to the unit of its bare numbers
        A list that states another unit is refused. Aliases and units of business words of other lists are let be.
    """

    headers: Mapping[str, str] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)

    def loose(self) -> HeaderWords:
        """Return the same for another list of the same origin, which need not have each of the headers."""
        return HeaderWords(aliases=laid_over(self.headers, self.aliases), units=self.units)

    def of(self, columns: Mapping[str, Column]) -> HeaderWords:
        """Return what of it concerns a table with some columns, which need not have each of the headers."""
        plainly = Lexicon(columns, spellings(columns))
        aliases = laid_over(self.headers, self.aliases)
        return HeaderWords(
            aliases={header: target for header, target in aliases.items() if meant(target, plainly) is not None},
            units={target: unit for target, unit in self.units.items() if meant(target, plainly)},
        )


HeaderMap = Mapping[str, str] | HeaderWords


@dataclass(frozen=True)
class Lexicon:
    """What headers may say.

    Attributes
    ----------
    columns : mapping of name to Column
    known : mapping of folded spelling to name
    given : mapping of folded header to name
        Headers that the user mapped, to a name, or to None where they are set aside.
    awaited : of these, the headers that a list must have, as the user wrote them
    units : mapping of name to the unit that the user says its bare numbers are in
    shuffled : mapping of characters in order to name
        For headers of two levels, whose words stand in another order than in one: 事故起数 over 一般.
    """

    columns: Mapping[str, Column]
    known: Mapping[str, str]
    given: Mapping[str, str | None] = field(default_factory=dict)
    awaited: tuple[str, ...] = ()
    units: Mapping[str, Unit] = field(default_factory=dict)
    shuffled: Mapping[str, str] = field(default_factory=dict)

    def maps(self, header: str, column: str) -> bool:
        """Return whether it is the user who says that a header means a column."""
        return any(self.given.get(said) == column for said in present([header]))

    @cached_property
    def longest(self) -> int:
        """How many characters the longest spelling has."""
        return max(map(len, self.known), default=0)


@dataclass(frozen=True, slots=True)
class Header:
    """What the header row says.

    Attributes
    ----------
    columns : tuple of str or None
        Declared column of each cell, None for cells that mean none.
    texts : tuple of str
        The header of each cell as read, of all its levels.
    units : mapping of column to Unit
        Units that the header itself names.
    added : texts of the cells that this program added to a list that comes back
    """

    columns: tuple[str | None, ...]
    texts: tuple[str, ...]
    units: Mapping[str, Unit] = field(default_factory=dict)
    added: frozenset[str] = frozenset()

    @property
    def matches(self) -> int:
        """How many cells mean a declared column."""
        return sum(name is not None for name in self.columns)

    @property
    def names(self) -> frozenset[str]:
        """The declared columns it has; a period has both its days."""
        found = frozenset(name for name in self.columns if name)
        return found | {"start_date", "end_date"} if PERIOD in found else found

    def in_units_of(self, other: Header) -> bool:
        """Return whether another row of headers has every unit that this one names."""
        return all(name in other.units and other.units[name].size == unit.size for name, unit in self.units.items())

    @property
    def conversions(self) -> dict[str, Decimal]:
        """What bare numbers multiply by, by the header's own units."""
        return {name: unit.size for name, unit in self.units.items() if unit.size not in (None, 1)}


@functools.lru_cache(maxsize=8192, typed=True)
def fold(text: Hashable) -> str:
    """Return a header without what does not tell headers apart: width, case, script, spaces, line ends, marks."""
    return re.sub(r"[\s*:_\-]+", "", plain(text))


def spellings(columns: Mapping[str, Column]) -> dict[str, str]:
    """Return every folded spelling and the column it means."""
    return {fold(name): column.name for column in columns.values() for name in column.names()}


def laid_over(
    said: Mapping[str, str], other: Mapping[str, str], known: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return what is said of headers or columns, and what another says of those that it does not name.

    Parameters
    ----------
    known : spellings of columns, where it is said of columns: a column may go by its name or its label

    Examples
    --------
    >>> laid_over({"今年 人数": "heads"}, {"今年人数": "-", "月份": "-"})
    {'月份': '-', '今年 人数': 'heads'}
    >>> laid_over({"heads": "人"}, {"投保人数": "百人"}, {"投保人数": "heads", "heads": "heads"})
    {'heads': '人'}
    """
    known = known or {}
    mine = {known.get(fold(name), fold(name)) for name in said}
    return {name: value for name, value in other.items() if known.get(fold(name), fold(name)) not in mine} | {**said}


def named(target: str, words: Lexicon) -> tuple[str | None, Unit | None]:
    """Return the column that a user names, by name or label, and the unit beside it."""
    name, unit = (target, None) if target in words.columns else _beside(fold(target), words)
    hour = name is not None and words.columns[name].kind == "date" and fold(target) not in words.known
    return (None, None) if hour else (name, unit)


def meant(target: str, words: Lexicon) -> str | None:
    """Return the column that a user maps a header to, "" where it is set aside, None where there is no such column."""
    return "" if target in SET_ASIDE else named(target, words)[0]


def lexicon(columns: Mapping[str, Column], header_map: HeaderMap | None = None) -> Lexicon:
    """Return what headers may say, with those that the user mapped.

    Raises
    ------
    BookError
        RM223 for every header that is mapped to no column, RM410 a unit of no column, RM411 a unit that its column does
        not have, RM412 two units for one column, RM413 one header mapped to two.
    """
    said = header_map if isinstance(header_map, HeaderWords) else HeaderWords(headers=header_map or {})
    known = spellings(columns)
    labels = [spelled for column in columns.values() for spelled in column.names()]
    plainly = Lexicon(columns, known)
    elsewhere = spellings({name: word for name, word in business_words().items() if name not in columns})
    given: dict[str, str | None] = {}
    units: list[tuple[str, Unit]] = []
    wrong: list[Problem] = []

    targets: dict[str, tuple[str, str]] = {}
    for mapping in (said.aliases, said.headers):
        own: dict[str, tuple[str, str]] = {}
        for header, target in mapping.items():
            _, before = own.setdefault(fold(header), (header, target))
            if before != target:
                wrong.append(problem("RM413", key=header, one=before, other=target))
        targets |= own
    for header, target in targets.values():
        name, unit = (None, None) if target in SET_ASIDE else named(target, plainly)
        if name is None and target not in SET_ASIDE:
            if header not in said.headers and fold(re.sub(r"[(（].*$", "", target)) in elsewhere:
                continue
            wrong.append(problem("RM223", header=header, column=target, nearest=nearest(target, labels)))
        units += [(name, Unit(unit.text.strip("()[]【】"), unit.size))] if name and unit else []
        given[fold(header)] = name
    for target, word in said.units.items():
        name, _ = named(target, plainly)
        if name is None and fold(target) in elsewhere:
            continue
        if name is None:
            wrong.append(problem("RM410", column=target, unit=word, nearest=nearest(target, labels)))
            continue
        unit, _ = unit_beside(f"({plain(word)})", columns[name])
        units.append((name, Unit(word, unit.size if unit else None)))
    for name, unit in units:
        others = [other.text for found, other in units if found == name and other.size != unit.size]
        args: dict[str, Any] = {"column": name, "label": columns[name].label("zh"), "unit": unit.text}
        if unit.size is None:
            wrong.append(problem("RM411", **args))
        elif others and unit.text < min(others):
            wrong.append(problem("RM412", other=", ".join(others), **args))
    if wrong:
        raise BookError(wrong)
    known = {**known, **{header: name for header, name in given.items() if name}}
    letters: dict[str, str | None] = {}
    for spelled, name in known.items():
        key = "".join(sorted(set(spelled)))
        letters[key] = name if letters.get(key, name) == name else None
    return Lexicon(
        columns=columns,
        known=known,
        given=given,
        awaited=tuple(said.headers),
        units=dict(units),
        shuffled={key: name for key, name in letters.items() if name and len(key) > 3},
    )


def meaning(own: object, group: object, words: Lexicon) -> tuple[str | None, Unit | None]:
    """Return the column that a header means under the header above it, and the unit it names.

    Parameters
    ----------
    group : the header of the level above, blank where there is none
    """
    mine, above = fold(own), fold(group)
    bare = re.sub(r"[(\[【][^)\]】]*[)\]】]", "", above)
    for said in (mine, above + mine, f"{above}/{mine}"):
        if mine and said in words.given:
            return _mapped(words.given[said], f"{own}", group, words)
    if mine and bare:
        one, _ = _read(own, words)
        letters = "".join(sorted(set(bare + re.sub(r"[(\[【][^)\]】]*[)\]】]", "", mine))))
        joined = words.known.get(bare + mine) or words.known.get(mine + bare) or words.shuffled.get(letters)
        name = joined or one
        return (None, None) if name is None else _mapped(name, own, group, words)
    return _read(own if mine else group, words)


def _mapped(name: str | None, own: object, group: object, words: Lexicon) -> tuple[str | None, Unit | None]:
    if name is None:
        return None, None
    column = words.columns[name]
    unit = unit_within(str(own), column) or _read(own, words)[1] or unit_within(str(group or ""), column)
    return name, unit if column.kind == "number" else None


def _read(header: object, words: Lexicon) -> tuple[str | None, Unit | None]:
    """Return what a header means as it stands, or where it says the same in Chinese and in English."""
    found = _beside(fold(header), words)
    text = unicodedata.normalize("NFKC", str(header))
    both = next(filter(None, (said.fullmatch(text) for said in _BOTH)), None) if found[0] is None else None
    if both is None:
        return found
    (one, unit), (other, same) = (_beside(fold(part.strip(" ./|()\n")), words) for part in both.groups())
    clear = one == other and (unit is None or same is None or unit.size == same.size)
    return (one, unit or same) if clear else (None, None)


def _beside(said: str, words: Lexicon) -> tuple[str | None, Unit | None]:
    """Return the column whose name stands in a folded header with nothing else but units and hints."""
    if said in words.known:
        column = words.columns[words.known[said]]
        return column.name, unit_within(said, column) if column.kind == "number" and said[-1] in _CLOSED else None
    for end in range(min(len(said) - 1, words.longest), 0, -1):
        for name, rest in ((words.known.get(said[:end]), said[end:]), (words.known.get(said[-end:]), said[:-end])):
            if name is None or (rest == said[:-end] and rest[-1] not in ")]】"):
                continue
            column = words.columns[name]
            if column.kind == "date" and hour_of(rest):
                return name, None
            if (
                rest[0] not in "([【<《「/,、"
                and (column.kind != "number" or len(rest) < 2)
                and rest not in ("元", "万")
            ):
                continue
            unit, unknown = unit_beside(rest, column)
            if not unknown:
                return name, unit
    return None, None


def hour_of(rest: str) -> str | None:
    """Return the hour that the rest of a folded header of days says, ``24时`` or ``零时``; None where it is another."""
    said = rest.strip("()[]【】<>,.、;")
    return "24时" if _ENDS.fullmatch(said) else "零时" if _BEGINS.fullmatch(said) else None


def match(texts: Sequence[object], words: Lexicon, groups: Sequence[object] | None = None) -> Header:
    """Match one row of headers; `groups` are the headers of the level above."""
    above = groups or [""] * len(texts)
    numbered = sum(isinstance(text, str) and _ORDINAL.match(text) is not None for text in texts) > 1
    found: list[tuple[str | None, Unit | None]] = []
    for own, group in zip(texts, above):
        if numbered and isinstance(own, str) and fold(own) not in words.given:
            own = _ORDINAL.sub("", own)
        known = own is None or isinstance(own, str | int | float)
        found.append(meaning("" if own is None else own, group, words) if known else (None, None))
    names = [name for name, _ in found]
    ours = added(texts) if None in names else frozenset[int]()  # a list that comes back has headers of no column
    names = [None if at in ours and str(texts[at]) not in words.columns else name for at, name in enumerate(names)]
    chosen = {words.given.get(fold(text)) for text in texts} - {None}
    for at, (name, text) in enumerate(zip(names, texts)):  # what the user mapped goes before what is written alike
        if name in chosen and fold(text) not in words.given:
            names[at] = None
    units = {name: unit for name, (_, unit) in zip(names, found) if name is not None and unit is not None}
    said = tuple(_both(own, group) for own, group in zip(texts, above))
    return Header(tuple(names), said, units, frozenset(said[at] for at in ours))


def _both(own: object, group: object) -> str:
    mine, above = ("" if text is None else str(text).strip() for text in (own, group))
    return f"{above}/{mine}" if mine and above else mine or above


def checked(header: Header, columns: Mapping[str, Column], file: str | None, sheet: str | None, row: int) -> Header:
    """Return the header, or raise every problem of it at once: RM221 no header, RM222 two headers for one column."""
    problems: list[Problem] = []
    for name in sorted({name for name in header.columns if name and header.columns.count(name) > 1}):
        both = " / ".join(text for text, column in zip(header.texts, header.columns) if column == name)
        problems.append(problem("RM222", file=file, sheet=sheet, row=row, column=name, headers=both))
    if header.matches == 0:
        asked = [column for name, column in columns.items() if name != CURRENCY][:6]
        wanted, wanted_zh = (", ".join(column.label(lang) for column in asked) for lang in ("en", "zh"))
        problems.append(problem("RM221", file=file, sheet=sheet, wanted=wanted, wanted_zh=wanted_zh))
    if problems:
        raise BookError(problems)
    return header


def lost_headers(words: Lexicon, texts: Sequence[str], file: str | None) -> list[Problem]:
    """Return a problem for every header that the user mapped and no table has: RM224."""
    found = present(texts)
    return [
        problem("RM224", file=file, header=header, nearest=nearest(header, texts))
        for header in words.awaited
        if fold(header) not in found
    ]


def present(texts: Sequence[str]) -> set[str]:
    """Return the folded headers by which a user may call those of a table: in one level or both, with units or not."""
    found = {fold(part) for text in texts for part in (text, *text.split("/"))}
    return found | {fold(re.sub(r"[(\[【（].*$", "", text)) for text in texts}


# Headers and names meet again whenever a list of the same make is read under the same plan.
_PAIRS = 1 << 14


def near_column(text: str, names: Sequence[str], columns: Mapping[str, Column]) -> str | None:
    """Return which of some columns a header says in other words, or is written so much alike, that it may be meant."""
    bare = re.sub(r"[(（\[【×].*$|[*xX]\s*[0-9].*$", "", text)
    said = {said_words(bare), said_words(text)} - {frozenset()}
    best: tuple[float, str] | None = None
    for name in names:
        for spelled in columns[name].names():
            same = 1.0 if said_words(spelled) in said else 0.0
            ratio = max(same, _alike(fold(bare), fold(spelled)), _shorter(bare, spelled))
            if ratio >= _ALIKE and (best is None or ratio > best[0]):
                best = (ratio, name)
    return best[1] if best else None


@functools.lru_cache(maxsize=_PAIRS)
def _shorter(text: str, spelled: str) -> float:
    """Return how much of a name in English a header of at least two words says that has no word beside it, else 0."""
    mine, whole = (set(re.findall(r"[a-z]+", width_folded(said))) for said in (text, spelled))
    plainly = text.isascii() and len(mine) >= 2 and mine < whole
    return _ALIKE if plainly and 2 * len(mine) > len(whole) else 0.0


@functools.lru_cache(maxsize=_PAIRS)
def _alike(one: str, other: str) -> float:
    """Return how alike two headers are written, 0 to 1; what differs in digits is another column."""
    if re.sub(r"\D", "", one) != re.sub(r"\D", "", other) or min(len(one), len(other)) < 3:
        return 0.0
    matcher = difflib.SequenceMatcher(None, one, other, autojunk=False)
    ratio = matcher.ratio()
    if one.isascii() and other.isascii():  # a word for another word is no slip of the pen
        longest = max(
            (max(i2 - i1, j2 - j1) for tag, i1, i2, j1, j2 in matcher.get_opcodes() if tag != "equal"), default=0
        )
        return ratio if longest <= 1 else 0.0
    return ratio


def width_folded(text: str) -> str:
    """Return a text in one width and case, without blanks around it."""
    return unicodedata.normalize("NFKC", text).strip().casefold()
