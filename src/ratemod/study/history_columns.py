"""What the tables of a history hold: columns with the headers that people use for them."""

from __future__ import annotations

from decimal import Decimal

from ratemod.vocabulary.column import Column


def _text(name: str, zh: str, *aliases: str, optional: bool = False) -> Column:
    return Column(name, "text", name.replace("_", " "), zh, aliases, optional=optional)


def _day(name: str, zh: str, *aliases: str, optional: bool = False) -> Column:
    return Column(name, "date", name.replace("_", " "), zh, aliases, optional=optional)


def _fen(name: str, zh: str, *aliases: str) -> Column:
    high = Decimal(10) ** 16
    return Column(name, "number", name.replace("_", " "), zh, aliases, unit="fen", low=-high, high=high, optional=True)


def _yuan(name: str, zh: str, *aliases: str) -> Column:
    high = Decimal(10) ** 14
    return Column(
        name,
        "number",
        name.replace("_", " "),
        zh,
        aliases,
        unit="yuan",
        decimals=2,
        low=-high,
        high=high,
        optional=True,
    )


def _declared(*columns: Column) -> dict[str, Column]:
    return {column.name: column for column in columns}


POLICY = _declared(
    _text("policy_no", "保单号", "保单号码", "保险单号"),
    _text("credit_code", "统一社会信用代码", "社会信用代码", "信用代码", optional=True),
    _day("start_date", "保险起期", "起期", "生效日期"),
    _day("end_date", "保险止期", "止期", "终止日期"),
    _fen("premium_fen", "保费（分）"),
    _yuan("premium_yuan", "保费", "保费收入", "实收保费"),
)
CHANGE = _declared(
    _text("policy_no", "保单号", "保单号码", "保险单号"),
    _day("effective_date", "批改生效日", "批改日期"),
    Column(
        "amount_after",
        "number",
        "amount after",
        "批改后数量",
        ("heads_after", "批改后人数"),
        unit="count",
        decimals=2,
        low=Decimal(0),
        high=Decimal(10) ** 12,
    ),
)
CLAIM = _declared(
    _text("claim_no", "赔案号", "立案号"),
    _text("event_no", "事故号", optional=True),
    _text("policy_no", "保单号", "保单号码", "保险单号"),
    _day("event_date", "出险日期", "事故日期"),
    _fen("paid_fen", "已决赔款（分）"),
    _fen("case_reserve_fen", "未决赔款（分）"),
    _yuan("paid_yuan", "已决赔款", "已付赔款"),
    _yuan("case_reserve_yuan", "未决赔款", "未决准备金"),
)
VALUATION = _declared(
    _text("claim_no", "赔案号", "立案号"),
    _day("valuation_date", "评估日", "评估日期"),
    _fen("paid_fen", "已决赔款（分）"),
    _fen("case_reserve_fen", "未决赔款（分）"),
    _yuan("paid_yuan", "已决赔款", "已付赔款"),
    _yuan("case_reserve_yuan", "未决赔款", "未决准备金"),
)

RATE_CHANGE = _declared(
    _day("effective_date", "生效日", "调整日期"),
    Column(
        "factor", "number", "factor", "费率调整系数", unit="factor", decimals=6, low=Decimal("0.01"), high=Decimal(100)
    ),
)
