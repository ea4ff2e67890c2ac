"""Numbers in Chinese characters, 十万 and 壹拾万, read where they are written as the rules of writing them ask.

A numeral is read, written out again by the rules, and taken only where both agree: 一百零五 is 105; 一百五 may be 105
or 150, and is none.

Source: 中国人民银行《支付结算办法》附件一《正确填写票据和结算凭证的基本规定》 (capital numerals of amounts of money).
"""

from __future__ import annotations

import re

_CAPITALS = str.maketrans("壹贰貳叁參肆伍陆陸柒捌玖拾佰仟萬億两兩〇", "一二二三三四五六六七八九十百千万亿二二零")
_DIGITS = "零一二三四五六七八九"
_SIZES = {"十": 10, "百": 100, "千": 1_000}
SIGNS = frozenset(f"{_DIGITS}十百千万亿壹贰貳叁參肆伍陆陸柒捌玖拾佰仟萬億两兩〇廿卅")


def numeral(text: str) -> int | None:
    """Return the whole number below a million million that a Chinese numeral means, None where it is none.

    Examples
    --------
    >>> numeral("壹拾万零伍佰"), numeral("十万"), numeral("一百五"), numeral("百")
    (100500, 100000, None, None)
    """
    said = text.translate(_CAPITALS).replace("廿", "二十").replace("卅", "三十")
    said = re.sub("(?<=[百零])十", "一十", re.sub("^一十", "十", said))
    total = section = digit = 0
    for sign in said:
        if sign in _DIGITS:
            digit = _DIGITS.index(sign)
        elif sign in _SIZES:
            section += (digit or 1) * _SIZES[sign]
            digit = 0
        elif sign == "万":
            total, section, digit = total + (section + digit) * 10_000, 0, 0
        elif sign == "亿":
            total, section, digit = (total + section + digit) * 100_000_000, 0, 0
        else:
            return None
    found = total + section + digit
    return found if said and found < 10**12 and written(found) == said else None


def written(number: int) -> str:
    """Return a whole number below a million million as a Chinese numeral.

    Examples
    --------
    >>> written(100_500), written(30_010_000), written(0)
    ('十万零五百', '三千零一万', '零')
    """
    groups = [(number // 10**zeros % 10_000, unit) for zeros, unit in ((8, "亿"), (4, "万"), (0, ""))]
    said, gap = "", False
    for group, unit in groups:
        if not group:
            gap = gap or said != ""
            continue
        said += ("零" if said and (gap or group < 1_000) else "") + _section(group) + unit
        gap = False
    return re.sub("^一十", "十", said) or "零"


def _section(group: int) -> str:
    said, gap = "", False
    for size, sign in ((1_000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = group // size % 10
        if digit:
            said += ("零" if gap else "") + _DIGITS[digit] + sign
            gap = False
        elif said:
            gap = True
    return said
