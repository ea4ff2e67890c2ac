"""Amounts of yuan in Chinese capitals, as cheques, policies and quotes write them so that no digit can be added.

Rule: 正确填写票据和结算凭证的基本规定 (People's Bank of China, 支付结算办法, annex 1): 整 after yuan or jiao, 零 for
zeros between digits once however many there are, none for zeros at the end of a group of four.
"""

from __future__ import annotations

DIGITS = "零壹贰叁肆伍陆柒捌玖"
PLACES = ("", "拾", "佰", "仟")
UNITS = ((10**8, "亿"), (10**4, "万"))


def capitals(fen: int) -> str:
    """Return an amount in capitals.

    Parameters
    ----------
    fen : int
        Amount, fen; a negative one begins with 负.

    Returns
    -------
    str

    Examples
    --------
    >>> capitals(10_203_405), capitals(10_000_000_000), capitals(140_950)
    ('壹拾万贰仟零叁拾肆元零伍分', '壹亿元整', '壹仟肆佰零玖元伍角整')
    """
    if fen < 0:
        return "负" + capitals(-fen)
    yuan, cents = divmod(fen, 100)
    jiao, last = divmod(cents, 10)
    said = f"{_whole(yuan)}元" if yuan else ""
    if not cents:
        return (said or "零元") + "整"
    if jiao:
        said += f"{DIGITS[jiao]}角"
    elif yuan:
        said += "零"
    return said + (f"{DIGITS[last]}分" if last else "整")


def _whole(yuan: int) -> str:
    """Return a number in capitals: so many 亿, so many 万, and what is below; 零 where a place between is empty."""
    for unit, name in UNITS:
        if yuan >= unit:
            high, low = divmod(yuan, unit)
            between = "零" if 0 < low < unit // 10 else ""
            return _whole(high) + name + between + (_whole(low) if low else "")
    return _four(yuan)


def _four(group: int) -> str:
    """Return a number below 10,000 in capitals, without zeros at either end."""
    said, gap = "", False
    for place in (3, 2, 1, 0):
        digit = group // 10**place % 10
        if digit:
            said += ("零" if said and gap else "") + DIGITS[digit] + PLACES[place]
        gap = not digit
    return said
