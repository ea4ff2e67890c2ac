"""What a plan's money is: its name, its sign and its smallest unit, in which amounts are held as whole numbers."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from ratemod.errors import ModelError, problem
from ratemod.rules.number import shifted

MOST_HELD = 10**15  # smallest units beyond which no amount is believable, and float64 no longer holds each of them

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
    """The money of a plan, and how its amounts are read.

    Attributes
    ----------
    symbol : str
        Stands before an amount; nothing where it is empty.
    decimals : int
        Of the smallest unit: 2 of yuan (fen), 0 of yen, 3 of dinars.

    Examples
    --------
    >>> Currency("ringgit", "林吉特").name("zh"), YUAN.shown(123456789), YUAN.said(-5)
    ('林吉特', '1,234,567.89', '-0.05')
    >>> Currency("yen", "日元", "¥", 0).said(2500), Currency("dinar", "第纳尔", "KD", 3).said(-2500)
    ('¥2,500', '-KD 2.500')
    """

    name_en: str
    name_zh: str
    symbol: str = ""
    decimals: int = 2

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
        own = [word.casefold() for word in (self.name_en, self.name_zh, self.symbol) if word]
        known = [word for called in CALLED if not set(own).isdisjoint(called) for word in called]
        return tuple(dict.fromkeys((*own, *known))) if self != YUAN else CALLED[0]

    @property
    def before(self) -> str:
        """What stands before an amount: the sign, apart from the figures where it ends in a letter."""
        return self.symbol + " " * self.symbol[-1:].isalpha()

    @property
    def per_unit(self) -> int:
        """How many smallest units one unit has: 100 of yuan."""
        return int(10**self.decimals)

    @property
    def smallest(self) -> Decimal:
        """The smallest unit: 0.01 of yuan."""
        return shifted(Decimal(1), -self.decimals)

    @property
    def most(self) -> int:
        """The largest amount that is held, in whole units."""
        return MOST_HELD // self.per_unit

    def amount(self, count: int) -> Decimal:
        """Return a number of smallest units as an exact amount."""
        return shifted(Decimal(int(count)), -self.decimals)

    def count(self, amount: Fraction) -> int:
        """Return an exact amount of whole smallest units as their number."""
        return int(amount * self.per_unit)

    def shown(self, count: int) -> str:
        """Return a number of smallest units as an amount with thousands separators."""
        return f"{self.amount(count):,.{self.decimals}f}"

    def said(self, count: int) -> str:
        """Return the same with the sign of the money before it."""
        return f"{'-' if count < 0 else ''}{self.before}{self.shown(abs(count))}"

    def named(self, count: int, lang: str = "en") -> str:
        """Return the same with the name of the money after it."""
        return f"{self.said(count)} {self.name(lang)}"

    def moved(self, count: int) -> str:
        """Return a change with its sign: +1,234.56."""
        return ("+" if count >= 0 else "") + self.shown(count)

    def need_hundredths(self) -> None:
        """Raise ModelError RM430 where amounts are not held in hundredths, as shared tables state them."""
        if self.decimals != YUAN.decimals:
            told = problem("RM430", decimals=self.decimals, money=self.name_en, money_zh=self.name_zh)
            raise ModelError(told)

    @property
    def excel(self) -> str:
        """The number format of amounts in a workbook."""
        before = f'"{self.before}"' if self.symbol else ""
        return f"{before}#,##0{'.' if self.decimals else ''}{'0' * self.decimals}"


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
