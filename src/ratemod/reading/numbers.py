"""Numbers as people type them, read exactly or refused: 1,234.5  ３５  40万元  2.5‰  （120）."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal, InvalidOperation

# What may follow a number, and what it multiplies by, for each unit of a column.
_MONEY = {
    "": 1,
    "元": 1,
    "人民币元": 1,
    "千元": 1_000,
    "万": 10_000,
    "万元": 10_000,
    "百万元": 1_000_000,
    "亿": 100_000_000,
    "亿元": 100_000_000,
    "yuan": 1,
    "rmb": 1,
    "cny": 1,
}
_SHARE = {"": Decimal(1), "%": Decimal("0.01"), "‰": Decimal("0.001")}
_COUNTS = {
    "persons": ("人", "名", "persons", "people"),
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
_NUMBER = re.compile(
    r"^(?P<open>\()?\s*(?P<sign>[-+])?\s*[¥]?\s*"
    r"(?P<digits>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d*)?|\.\d+)(?P<power>e[-+]?\d{1,2})?"
    r"\s*(?P<unit>[^\d\s().,+-]*)\s*(?P<close>\))?$"
)


def factors(unit: str | None) -> dict[str, Decimal]:
    """Return the suffixes a column of this unit understands, and what each multiplies by.

    Examples
    --------
    >>> factors("yuan")["万元"]
    Decimal('10000')
    """
    if unit == "yuan":
        found: dict[str, Decimal] = {name: Decimal(size) for name, size in _MONEY.items()}
    elif unit in ("share", "factor"):
        found = dict(_SHARE)
    elif unit == "per_mille":
        found = {"": Decimal(1), "‰": Decimal(1), "%": Decimal(10)}
    else:
        found = {"": Decimal(1), **{name: Decimal(1) for name in _COUNTS.get(unit or "", ())}}
        if unit == "persons":
            found["万人"] = Decimal(10_000)
    return found


def parse_number(text: str, unit: str | None, hint: Decimal | None = None) -> Decimal | None:
    """Return the exact number a text means, or None when it could mean anything else.

    Parameters
    ----------
    text : str
    unit : str or None
        Unit of the column; it decides which suffixes are understood.
    hint : Decimal, optional
        What a bare number multiplies by, because the header said so (``限额(万元)``).

    Examples
    --------
    >>> parse_number("４０万元", "yuan"), parse_number("1,234.50", "yuan"), parse_number("1,23", "yuan")
    (Decimal('400000'), Decimal('1234.50'), None)
    """
    folded = unicodedata.normalize("NFKC", text).strip().casefold().replace("￥", "¥").replace("，", ",")
    match = _NUMBER.match(folded)
    if match is None or bool(match["open"]) != bool(match["close"]):
        return None
    known = factors(unit)
    if match["unit"] not in known:
        return None
    try:
        number = Decimal(match["digits"].replace(",", "") + (match["power"] or ""))
    except InvalidOperation:
        return None
    if match["sign"] == "-" or match["open"]:
        number = -number
    scale = hint if hint is not None and not match["unit"] else known[match["unit"]]
    return number * scale
