"""Numbers as people type them, read exactly or refused: 1,234.5  ３５  40万元  40万/人  2.5‰  （120）  100（万元）."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal, InvalidOperation

# What a unit is called after a number, and how many of the column's own unit it is.
_NAMES: dict[str, tuple[str, ...]] = {
    "yuan": ("元", "人民币元", "人民币", "圆", "yuan", "rmb", "cny"),
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
_ZEROS = {"十": 1, "拾": 1, "百": 2, "佰": 2, "千": 3, "仟": 3, "万": 4, "萬": 4, "亿": 8, "億": 8}
_NO_DIGIT = ("<super>", "<sub>", "<fraction>", "<circle>", "<compat> 0028")  # 10³ is no 103, ⑴ no (1)
_NUMBER = re.compile(
    r"(?P<open>\()?\s*(?P<sign>[-+])?\s*[¥]?\s*"
    r"(?P<digits>[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?|[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?P<power>e[-+]?[0-9]{1,3})?"
    r"\s*(?P<unit>\([^\d\s().,+-]+\)|[^\d\s().,+-]*)\s*(?P<close>\))?"
)


def factors(unit: str | None) -> dict[str, Decimal]:
    """Return the suffixes a column of this unit understands, and what each multiplies by.

    Any of them, but ``%`` and ``‰``, may stand behind 十 百 千 万 亿 and their products (see `scale`).

    Examples
    --------
    >>> factors("yuan")["万元"]
    Decimal('10000')
    """
    if unit in _SHARES:
        return dict(_SHARES[unit])
    names = ("", *_NAMES.get(unit or "", ()))
    sizes = ("", "千", "万", "百万", "亿") if unit == "yuan" else ("", "万") if unit == "persons" else ("",)
    found = {name: Decimal(1) for name in names}
    found |= {size + name: Decimal(10) ** sum(_ZEROS[char] for char in size) for size in sizes for name in names}
    return found


def scale(suffix: str, unit: str | None) -> Decimal | None:
    """Return what a suffix multiplies by in a column of this unit, or None where it means nothing there.

    Examples
    --------
    >>> scale("十万元", "yuan"), scale("百人", "persons"), scale("美元", "yuan")
    (Decimal('100000'), Decimal('100'), None)
    """
    if unit in _SHARES:
        return _SHARES[unit].get(suffix)
    rest = suffix.lstrip("".join(_ZEROS))
    size = suffix[: len(suffix) - len(rest)]
    if rest not in ("", *_NAMES.get(unit or "", ())) or (size and unit not in _NAMES):
        return None
    zeros = [_ZEROS[char] for char in size]
    if zeros != sorted(zeros) or len(set(zeros)) < len(zeros):  # 十万, 百万, 万亿; not 万十
        return None
    return Decimal(10) ** sum(zeros)


def parse_number(text: str, unit: str | None, hint: Decimal | None = None, each: bool = False) -> Decimal | None:
    """Return the exact number a text means, or None when it could mean anything else.

    Parameters
    ----------
    text : str
    unit : str or None
        Unit of the column; it decides which suffixes are understood.
    hint : Decimal, optional
        What a bare number multiplies by, because the header said so (``限额(万元)``).
    each : bool
        The column is an amount for each person, so that ``/人`` says nothing new.

    Examples
    --------
    >>> parse_number("４０万元", "yuan"), parse_number("1,234.50", "yuan"), parse_number("1,23", "yuan")
    (Decimal('400000'), Decimal('1234.50'), None)
    >>> parse_number("10³", "persons"), parse_number("40万/人", "yuan", each=True), parse_number("100（万元）", "yuan")
    (None, Decimal('400000'), Decimal('1000000'))
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
    match = _NUMBER.fullmatch(plain)
    if match is None or bool(match["open"]) != bool(match["close"]):
        return None
    suffix = match["unit"].strip("()")
    times = hint if hint is not None and not suffix else scale(suffix, unit)
    if times is None:
        return None
    try:
        number = Decimal(match["digits"].replace(",", "") + (match["power"] or ""))
    except InvalidOperation:
        return None
    return (-number if match["sign"] == "-" or match["open"] else number) * times
