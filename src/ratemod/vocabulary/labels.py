"""What a column, a level or a table is called on a page, as the vocabulary says it."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Literal

from ratemod.rules.options import strict
from ratemod.vocabulary.column import Level
from ratemod.vocabulary.spelling import same_level
from ratemod.vocabulary.table import known_names, tables, words

Lang = Literal["en", "zh"]


@strict
def column_label(name: str, lang: Lang) -> str | None:
    """Return the label of a declared column; of a field that tables call alike under another word, theirs.

    Examples
    --------
    >>> column_label("credit_code", "zh"), column_label("premium_fen", "en"), column_label("gap_yuan", "en")
    ('统一社会信用代码', 'Premium, fen', None)
    """
    if name in words():
        return words()[name].label(lang)
    noun = name.removesuffix("_fen").removesuffix("_yuan")
    own = [one.columns[name] for one in tables().values() if name in one.columns]
    same = [one for one in own if noun in words() and one.label_en.split(",")[0] == words()[noun].label_en]
    said = {one.label(lang) for one in (same or own)}
    return said.pop() if len(said) == 1 else None


@strict
def level_label(column: str, code: str, lang: Lang) -> str | None:
    """Return the label of a level of a column, or of what tables call so; None where it has no such level.

    Examples
    --------
    >>> level_label("sector", "other", "zh"), level_label("kind", "accrual", "zh"), level_label("sector", "x", "zh")
    ('其他行业', '计提', None)
    """
    found = _levels(column).get(code)
    return None if found is None else found.label(lang)


@functools.cache
def _levels(column: str) -> Mapping[str, Level]:
    declared = [level for one in tables().values() if column in one.columns for level in one.columns[column].levels]
    own = words()[column].levels if column in words() else ()
    return {level.code: level for level in (*known_names(column), *declared, *own)}


@strict
def table_label(name: str, lang: Lang) -> str:
    """Return the label of a declared table, or its name.

    Examples
    --------
    >>> table_label("policies", "zh")
    '保单'
    """
    return tables()[name].label(lang) if name in tables() else name


def meant(word: str, said: str) -> str:
    """Return the code that a text means among the known names of a column, or the text itself.

    Examples
    --------
    >>> meant("account", "应付账款"), meant("account", "6401")
    ('payable', '6401')
    """
    return _spellings(word).get(same_level(said), said)


@functools.cache
def _spellings(word: str) -> Mapping[str, str]:
    return {same_level(name): level.code for level in known_names(word) for name in level.names()}
