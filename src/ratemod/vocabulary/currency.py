"""What a plan's money is called; amounts are held in hundredths of it, whatever it is."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

# What lists call the money of the countries that they are likely to be from: each line is one money.
CALLED = (
    ("元", "人民币元", "人民币", "圆", "yuan", "rmb", "cny", "¥"),
    ("美元", "美金", "us dollar", "dollar", "dollars", "usd", "us$", "$"),
    ("港元", "港币", "港幣", "hong kong dollar", "hkd", "hk$"),
    ("澳门元", "macau pataca", "pataca", "mop"),
    ("新台币", "台币", "twd"),
    ("欧元", "euro", "euros", "eur", "€"),
    ("英镑", "pound", "pounds", "gbp", "£"),
    ("日元", "日圆", "jpy"),
    ("韩元", "krw"),
    ("澳元", "aud"),
    ("加元", "cad"),
    ("卢布", "rouble", "ruble"),
    ("林吉特", "马币", "ringgit", "myr", "rm"),
    ("新加坡元", "singapore dollar", "sgd", "s$"),
    ("泰铢", "baht", "thb"),
    ("越南盾", "dong", "vnd"),
    ("印尼盾", "rupiah", "idr"),
    ("卢比", "rupee", "rupees", "inr"),
    ("坚戈", "tenge", "kzt"),
    ("图格里克", "tugrik", "mnt"),
    ("外币", "foreign currency"),
)


@dataclass(frozen=True, slots=True)
class Currency:
    """The money of a plan as people read it.

    Examples
    --------
    >>> Currency("ringgit", "林吉特").name("zh"), YUAN.name("en")
    ('林吉特', 'yuan')
    """

    name_en: str
    name_zh: str

    def name(self, lang: str) -> str:
        """Return what the money is called in a language."""
        return self.name_zh if lang == "zh" else self.name_en

    def words(self) -> tuple[str, ...]:
        """Return what lists call it, in small letters: its names, and those that everybody knows it by.

        Examples
        --------
        >>> Currency("US dollar", "美元").words()[:3], Currency("crown", "克朗").words()
        (('us dollar', '美元', '美金'), ('crown', '克朗'))
        """
        own = {self.name_en.casefold(), self.name_zh.casefold()}
        known = [word for called in CALLED if own & set(called) for word in called]
        return tuple(dict.fromkeys((*sorted(own, reverse=True), *known))) if self != YUAN else CALLED[0]


YUAN = Currency("yuan", "元")
FOREIGN = tuple(word for called in CALLED[1:] for word in called)


def other_money(text: object, money: Currency) -> bool:
    """Return whether a text names money, and not this one.

    Examples
    --------
    >>> other_money("保额（万美元）", YUAN), other_money("元", YUAN), other_money("元", Currency("ringgit", "林吉特"))
    (True, False, True)
    """
    own = money.words()
    said = unicodedata.normalize("NFKC", str(text)).casefold()
    return any(word not in own for word in _ANY.findall(_without_names(said, own)))


def _without_names(said: str, own: Iterable[str]) -> str:
    """Return a text without the names of a money that nobody else has."""
    for word in own:
        if word not in _KNOWN:
            said = said.replace(word, " ")
    return said


_KNOWN = frozenset(word for called in CALLED for word in called)
_ANY = re.compile(
    "|".join(
        rf"(?<![a-z]){word}(?![a-z])" if word.isascii() and word.isalpha() else re.escape(word)
        for word in sorted(_KNOWN, key=len, reverse=True)
    )
)
