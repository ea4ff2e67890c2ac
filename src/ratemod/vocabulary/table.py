"""The shared tables, each a list of declared columns with what it requires, what names a row, and what it joins.

    amount in fen = amount in yuan · 100, exact; a list may give either, under one rule for every amount

Source: 吉应急规划财务联〔2020〕282号, III.2 asks enterprises, insurers, brokers and departments to share these data and
publishes no layout; names, units and keys are this project's own.
"""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from importlib import resources
from typing import Any

from ratemod.errors import BookError, nearest, problem
from ratemod.vocabulary.column import FLAG_LEVELS, Column, Level

WIDEST = Decimal(9 * 10**15)  # fen below 2^53: every one is a float64 of its own


@dataclass(frozen=True, slots=True)
class Table:
    """One table as it is exchanged.

    Attributes
    ----------
    name : str
    label_en, label_zh : str
    aliases : tuple of str
        Further names of its file or sheet.
    columns : mapping of name to Column
        Required ones first. An amount stands as two columns, ``premium_fen`` and ``premium_yuan``; a list has either.
    amounts : tuple of str
        The amounts, such as ``premium``.
    required : tuple of str
        Columns and amounts that a list to be exchanged has.
    open : tuple of str
        Those of them that a row may leave empty: what has not happened yet.
    keys : tuple of str
        Rows that agree in those of them that a list has are one thing told twice; without the first nothing is.
    order : pairs of date columns, of which the first never comes after the second
    once : (date column, value column), of which one enterprise has one value on one day; or empty
    joins : mapping of column to the table that its values stand in
    """

    name: str
    label_en: str
    label_zh: str
    aliases: tuple[str, ...]
    columns: Mapping[str, Column]
    amounts: tuple[str, ...]
    required: tuple[str, ...]
    open: tuple[str, ...]
    keys: tuple[str, ...]
    order: tuple[tuple[str, str], ...]
    once: tuple[str, ...]
    joins: Mapping[str, str]

    def names(self) -> tuple[str, ...]:
        """Return every name of a file or sheet that means this table."""
        return (self.name, self.label_en, self.label_zh, *self.aliases)

    def label(self, lang: str) -> str:
        """Return the label in a language."""
        return self.label_zh if lang == "zh" else self.label_en

    def fields(self) -> tuple[str, ...]:
        """Return what a row is made of: columns, each amount once by its noun."""
        return tuple(dict.fromkeys(self.noun(name) for name in self.columns))

    def noun(self, name: str) -> str:
        """Return the amount that a column gives, or the column itself."""
        stem = name.removesuffix("_fen").removesuffix("_yuan")
        return stem if stem in self.amounts else name

    def in_fen(self, field: str) -> str:
        """Return the column of a field: an amount in fen."""
        return f"{field}_fen" if field in self.amounts else field

    def read_as(self, name: str) -> tuple[Column, ...]:
        """Return the columns under which a list may give a column: an amount in fen or in yuan.

        Examples
        --------
        >>> [column.name for column in table("policies").read_as("premium_fen")]
        ['premium_fen', 'premium_yuan']
        """
        noun = self.noun(name)
        if noun in self.amounts:
            return self.columns[f"{noun}_fen"], self.columns[f"{noun}_yuan"]
        return (self.columns[name],)


def column(word: str, name: str | None = None) -> Column:
    """Return a declared column, under its own name or another.

    Raises
    ------
    BookError
        RM951 no such column.
    """
    if word not in words():
        raise BookError(problem("RM951", name=word, nearest=nearest(word, words())))
    return replace(words()[word], name=name or word)


def table(name: str) -> Table:
    """Return a declared table.

    Raises
    ------
    BookError
        RM952 no such table.
    """
    if name not in tables():
        raise BookError(problem("RM952", name=name, nearest=nearest(name, tables())))
    return tables()[name]


def pick(name: str, needed: Sequence[str], more: Sequence[str] = ()) -> dict[str, Column]:
    """Return columns of a table as a method asks for them; an amount as ``premium`` gives both its columns, optional.

    Examples
    --------
    >>> {name: one.optional for name, one in pick("valuations", ["claim_no"], ["paid"]).items()}
    {'claim_no': False, 'paid_fen': True, 'paid_yuan': True}
    """
    declared = table(name)
    found: dict[str, Column] = {}
    for field in (*needed, *more):
        both = declared.read_as(declared.in_fen(field))
        found |= {one.name: replace(one, optional=field not in needed or len(both) > 1) for one in both}
    return found


@functools.cache
def words() -> Mapping[str, Column]:
    """Return every declared column by its word; an amount stands as it is given in yuan."""
    return {word: _column(word, given) for word, given in _load("columns").items()}


@functools.cache
def amounts() -> frozenset[str]:
    """Return the words that are amounts of money."""
    return frozenset(word for word, given in _load("columns").items() if given["kind"] == "money")


@functools.cache
def known_names(word: str) -> tuple[Level, ...]:
    """Return the known values of a text that may also hold others, such as an account."""
    given = _load("columns").get(word, {})
    return _levels(given) if given.get("kind") == "text" else ()


@functools.cache
def examples() -> Mapping[str, str]:
    """Return word -> the value that a template shows."""
    return {word: given["example"] for word, given in _load("columns").items() if "example" in given}


@functools.cache
def tables() -> Mapping[str, Table]:
    """Return every declared table by its name."""
    return {name: _table(name, given) for name, given in _load("tables").items()}


def _load(name: str) -> dict[str, Any]:
    text = (resources.files("ratemod") / "vocabulary" / f"{name}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def _levels(given: Mapping[str, Any]) -> tuple[Level, ...]:
    return tuple(Level(code, en, zh, tuple(more)) for code, (en, zh, *more) in given.get("levels", {}).items())


def _column(word: str, given: Mapping[str, Any]) -> Column:
    kind, money = given["kind"], given["kind"] == "money"
    numeric = money or kind == "number"
    high = Decimal(given["high"]) if "high" in given else WIDEST
    if money:
        high = high / 100
    low = -high if given.get("signed") else Decimal(given.get("low", 0))
    return Column(
        name=word,
        kind="number" if money else kind,
        label_en=given["en"],
        label_zh=given["zh"],
        aliases=tuple(given.get("aliases", ())),
        levels=FLAG_LEVELS if kind == "flag" else _levels(given) if kind == "level" else (),
        unit="yuan" if money else given.get("unit", "count") if numeric else None,
        decimals=2 if money else given.get("decimals", 0),
        low=low if numeric else None,
        high=high if numeric else None,
        identity=given.get("identity"),
    )


def _in_units(word: str, noun: str) -> tuple[Column, Column]:
    """Return an amount as it is given in fen and in yuan."""
    yuan = replace(words()[word], name=f"{noun}_yuan", optional=True)
    said = (yuan.label_zh, *yuan.aliases)
    fen = replace(
        yuan,
        name=f"{noun}_fen",
        label_en=f"{yuan.label_en}, fen",
        label_zh=f"{yuan.label_zh}（分）",
        aliases=(*(f"{name}（分）" for name in said[1:]), *(f"{name}分" for name in said), f"{yuan.label_en} (fen)"),
        unit="fen",
        decimals=0,
        low=None if yuan.low is None else yuan.low * 100,
        high=WIDEST,
    )
    return fen, yuan


def _table(name: str, given: Mapping[str, Any]) -> Table:
    required, renamed = tuple(given["required"]), given.get("as", {})
    columns: dict[str, Column] = {}
    money = []
    for field in (*required, *given.get("optional", ())):
        word = renamed.get(field, field)
        if word in amounts():
            money.append(field)
            columns |= {one.name: one for one in _in_units(word, field)}
        else:
            columns[field] = replace(column(word, field), optional=field not in required)
    return Table(
        name=name,
        label_en=given["en"],
        label_zh=given["zh"],
        aliases=tuple(given.get("aliases", ())),
        columns=columns,
        amounts=tuple(money),
        required=required,
        open=tuple(given.get("open", ())),
        keys=tuple(given.get("keys", ())),
        order=tuple((first, second) for first, second in given.get("order", ())),
        once=tuple(given.get("once", ())),
        joins=given.get("joins", {}),
    )
