"""Numbers as people type them, read exactly or refused: 1,234.5  ３５  40万元  40万/人  2.5‰  （120）  100（万元）."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal, InvalidOperation

from ratemod.reading.numerals import SIGNS, numeral
from ratemod.vocabulary.currency import YUAN, Currency
from ratemod.vocabulary.measure import Measure

# What a unit is called after a number, and how many of the column's own unit it is.
_NAMES: dict[str, tuple[str, ...]] = {
    "persons": ("人", "名", "位", "人次", "persons", "people"),
    "days": ("天", "日", "days", "day"),
    "months": ("个月", "月", "months"),
    "years": ("年", "years", "year"),
    "count": ("起", "次", "个", "件", "宗"),
    "vehicles": ("辆", "台"),
    "square_metres": ("平方米", "㎡", "m2"),
    "metres": ("米", "m"),
    "tonnes": ("吨", "t"),
    "hours": ("小时", "h"),
}
_SHARES = {
    "share": {"": Decimal(1), "%": Decimal("0.01"), "‰": Decimal("0.001")},
    "factor": {"": Decimal(1), "%": Decimal("0.01"), "‰": Decimal("0.001")},
    "percent": {"": Decimal(1), "%": Decimal(1), "‰": Decimal("0.1")},
    "per_mille": {"": Decimal(1), "‰": Decimal(1), "%": Decimal(10)},
}
_COINS = {"角": Decimal("0.1"), "分": Decimal("0.01"), "fen": Decimal("0.01")}  # of a yuan
_LETTERS = {"k": 3}  # of money and of people: 10k; what 1w or 1m is, is not clear
_ZEROS = {"十": 1, "拾": 1, "百": 2, "佰": 2, "千": 3, "仟": 3, "万": 4, "萬": 4, "亿": 8, "億": 8}
_NO_DIGIT = ("<super>", "<sub>", "<fraction>", "<circle>", "<compat> 0028")  # 10³ is no 103, ⑴ no (1)
_NUMBER = re.compile(
    r"(?P<open>\()?\s*(?P<sign>[-+])?\s*(?P<money>[¥$€£])?\s*"
    r"(?P<digits>[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?|[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?P<power>e[-+]?[0-9]{1,3})?"
    r"\s*(?P<unit>\([^\d\s().,+-]+\)|[^\d\s().,+-]*)\s*(?P<close>\))?"
)


def _names(unit: str | None, money: Currency) -> tuple[str, ...]:
    """Return what a number of a unit may be followed by."""
    return money.words() if unit == "yuan" else ("分", "fen") if unit == "fen" else _NAMES.get(unit or "", ())


def factors(unit: str | Measure | None, money: Currency = YUAN) -> dict[str, Decimal]:
    """Return the suffixes a column of this unit understands, and what each multiplies by.

    Any of them, but ``%`` and ``‰``, may stand behind 十 百 千 万 亿 and their products (see `scale`).

    Examples
    --------
    >>> factors("yuan")["万元"]
    Decimal('10000')
    """
    if isinstance(unit, Measure):
        return unit.sizes()
    if unit in _SHARES:
        return dict(_SHARES[unit])
    if unit == "fen":
        amounts = {name: 100 * size for name, size in factors("yuan", money).items() if name.lstrip("千百万亿")}
        return {"": Decimal(1), **dict.fromkeys(_names(unit, money), Decimal(1)), **amounts}
    names = ("", *_names(unit, money))
    sizes = ("", "千", "万", "百万", "亿") if unit == "yuan" else ("", "万") if unit == "persons" else ("",)
    found = {name: Decimal(1) for name in names} | (_COINS if unit == "yuan" and money == YUAN else {})
    found |= {size + name: Decimal(10) ** sum(_ZEROS[char] for char in size) for size in sizes for name in names}
    return found


def scale(suffix: str, unit: str | Measure | None, money: Currency = YUAN) -> Decimal | None:
    """Return what a suffix multiplies by in a column of this unit, or None where it means nothing there.

    Examples
    --------
    >>> scale("十万元", "yuan"), scale("百人", "persons"), scale("美元", "yuan")
    (Decimal('100000'), Decimal('100'), None)
    >>> scale("元", "fen"), scale("万", "fen"), scale("k", "yuan")
    (Decimal('100'), None, Decimal('1000'))
    """
    if isinstance(unit, Measure):
        return unit.sizes().get(suffix)
    if unit in _SHARES:
        return _SHARES[unit].get(suffix)
    if unit == "yuan" and money == YUAN and suffix in _COINS:
        return _COINS[suffix]
    rest = suffix.lstrip("".join(_ZEROS))
    size = suffix[: len(suffix) - len(rest)]
    if unit == "fen" and rest in money.words():
        whole = scale(suffix, "yuan", money)
        return None if whole is None else 100 * whole
    if unit in ("yuan", "persons") and suffix[:1] in _LETTERS and suffix[1:] in ("", *_names(unit, money)):
        return Decimal(10) ** _LETTERS[suffix[0]]
    if rest not in ("", *_names(unit, money)) or (size and unit != "yuan" and unit not in _NAMES):
        return None
    zeros = [_ZEROS[char] for char in size]
    if zeros != sorted(zeros) or len(set(zeros)) < len(zeros):  # 十万, 百万, 万亿; not 万十
        return None
    return Decimal(10) ** sum(zeros)


def parse_number(
    text: str, unit: str | Measure | None, hint: Decimal | None = None, each: bool = False, money: Currency = YUAN
) -> Decimal | None:
    """Return the exact number a text means, or None when it could mean anything else.

    Parameters
    ----------
    text : str
    unit : str, Measure or None
        Unit of the column; it decides which suffixes are understood.
    hint : Decimal, optional
        What a bare number multiplies by, because the header said so (``限额(万元)``).
    each : bool
        The column is an amount for each person, so that ``/人`` says nothing new.
    money : Currency
        What an amount is in.

    Examples
    --------
    >>> parse_number("４０万元", "yuan"), parse_number("1,234.50", "yuan"), parse_number("1,23", "yuan")
    (Decimal('400000'), Decimal('1234.50'), None)
    >>> parse_number("10³", "persons"), parse_number("40万/人", "yuan", each=True), parse_number("100（万元）", "yuan")
    (None, Decimal('400000'), Decimal('1000000'))
    >>> parse_number("¥1000", "fen"), parse_number("壹拾万元整", "yuan"), parse_number("百分之五", "share")
    (Decimal('100000'), Decimal('100000'), Decimal('0.05'))
    """
    if not text.isascii():
        text = text.replace("m²", "㎡")
        if any(unicodedata.decomposition(char).startswith(_NO_DIGIT) for char in text):
            return None
        text = unicodedata.normalize("NFKC", text).replace("￥", "¥").replace("，", ",").replace("−", "-")
    plain = text.strip().casefold()
    if each:
        plain = re.sub(r"(/\s*(人|person|head)|每人|per (person|head))\s*$", "", plain)
        plain = re.sub(r"^每人", "", plain).strip()
    plain = _share(plain) if unit in _SHARES else re.sub(r"(?<=[元圆])[整正]$", "", plain)
    before = re.match(r"(人民币|[a-z]{2,3}\$?)\s*(?=[-+.\d])", plain) if unit in ("yuan", "fen") else None
    named = before[1] if before and before[1] in money.words() else ""
    match = _NUMBER.fullmatch(plain[before.end() :] if before and named else plain)
    if match is None:
        return _spelled(plain, unit, hint, money)
    if bool(match["open"]) != bool(match["close"]):
        return None
    suffix = match["unit"].strip("()")
    sign = match["money"] or named
    if sign and not suffix.lstrip("".join(_ZEROS)):
        if hint is not None and hint != 1 and not suffix:
            return None  # ¥5 under 万元: five yuan, or five of what the header says
        suffix += sign
    times = hint if hint is not None and not suffix else scale(suffix, unit, money)
    if times is None:
        return None
    try:
        number = Decimal(match["digits"].replace(",", "") + (match["power"] or ""))
    except InvalidOperation:
        return None
    return (-number if match["sign"] == "-" or match["open"] else number) * times


def _share(said: str) -> str:
    """Return a share with its sign behind it, however it is said: 百分之五, 5 percent, 2.5 per mille."""
    parts = re.fullmatch(r"([百千])分之(.+)", said)
    if parts is None:
        return re.sub(r"\s*per ?mille?$", "‰", re.sub(r"\s*(?:per ?cent|pct)$", "%", said))
    whole, point, places = parts[2].partition("点")
    number = numeral(whole)
    digits = "".join(str(numeral(place)) for place in places)
    spelled = parts[2] if number is None else f"{number}{'.' if point else ''}{digits}"
    return spelled + ("%" if parts[1] == "百" else "‰")


def _spelled(said: str, unit: str | Measure | None, hint: Decimal | None, money: Currency) -> Decimal | None:
    """Return the number that Chinese characters mean, with 角 and 分 behind the yuan, None where they mean none."""
    if isinstance(unit, Measure) or unit in _SHARES or unit not in ("yuan", "fen", *_NAMES):
        return None
    said = re.sub("^人民币", "", said) if unit in ("yuan", "fen") and money == YUAN else said
    coins = re.fullmatch(r"(.+[元圆])(?:([^零元圆角分])角)?(?:零?([^零元圆角分])分)?[整正]?", said)
    least = Decimal(0)
    if coins and (coins[2] or coins[3]):
        found = [numeral(sign) if sign else 0 for sign in coins.group(2, 3)]
        if None in found or money != YUAN or unit not in ("yuan", "fen"):
            return None
        said, least = coins[1], Decimal(10 * (found[0] or 0) + (found[1] or 0)) / 100
    rest = said.lstrip("".join(SIGNS))
    number = numeral(said[: len(said) - len(rest)])
    if number is None:
        return None
    sized = rest or not set(said) & set("万萬亿億")  # 十万 says its own size, whatever the header says
    times = hint if hint is not None and not rest and sized else scale(rest, unit, money)
    return None if times is None else (number + least) * times
