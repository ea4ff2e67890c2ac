"""What the yearly disclosure reads of each shared table: columns with the headers that people use for them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from ratemod.errors import text
from ratemod.vocabulary.codes.industry import SECTOR_LABELS_ZH, SECTORS
from ratemod.vocabulary.column import Column, Level

ALIASES = {
    "mining": ("非煤矿山", "煤矿", "矿山行业"),
    "hazardous_chemicals": ("危化品", "危化"),
    "transport": ("交通", "运输"),
    "construction": ("建筑", "施工"),
    "civil_explosives": ("民爆",),
    "metal_smelting": ("冶炼",),
    "fishery": ("渔业",),
}
SECTOR_LEVELS = tuple(
    Level(code, code.replace("_", " ").capitalize(), label, ALIASES.get(code, ()))
    for code, label in zip(SECTORS, SECTOR_LABELS_ZH, strict=True)
)
CAUSES = (
    "falls", "struck_by_object", "collapse", "lifting", "vehicle", "machinery", "electricity", "fire", "explosion",
    "poisoning", "drowning", "other",
)  # fmt: skip
CAUSE_LEVELS = tuple(Level(code, text(f"UI_cause_{code}", "en"), text(f"UI_cause_{code}", "zh")) for code in CAUSES)
ENTRY_LEVELS = (
    Level("accrual", "Accrual", "计提"),
    Level("release", "Release", "转回", ("冲回", "释放")),
    Level("payment", "Payment", "支付", ("使用", "支出")),
)
WIDEST = Decimal(10) ** 16


def _text(name: str, zh: str, *aliases: str, optional: bool = False) -> Column:
    return Column(name, "text", name.replace("_", " "), zh, aliases, optional=optional)


def _date(name: str, zh: str, *aliases: str, optional: bool = False) -> Column:
    return Column(name, "date", name.replace("_", " "), zh, aliases, optional=optional)


def _whole(name: str, zh: str, *aliases: str, unit: str = "count", optional: bool = True) -> Column:
    return Column(
        name, "number", name.replace("_", " "), zh, aliases, unit=unit, low=Decimal(0), high=WIDEST, optional=optional
    )


def _money(noun: str, zh: str, *aliases: str, negative: bool = False) -> tuple[Column, Column]:
    """Return an amount in fen and the same in yuan; a table has one of them."""
    low = -WIDEST if negative else Decimal(0)
    label = noun.replace("_", " ")
    return (
        Column(f"{noun}_fen", "number", f"{label} fen", f"{zh}（分）", (), low=low, high=WIDEST, optional=True),
        Column(
            f"{noun}_yuan", "number", label, zh, aliases, unit="yuan", decimals=2, low=low, high=WIDEST, optional=True
        ),
    )


POLICY_NO = _text("policy_no", "保单号", "保单号码", "保险单号")
FIRM = _text("credit_code", "统一社会信用代码", "社会信用代码", "信用代码")
INSURER = _text("insurer", "保险公司", "保险机构", "承保公司")
_LISTS: dict[str, tuple[Column, ...]] = {
    "policies": (
        POLICY_NO,
        FIRM,
        INSURER,
        _text("division_code", "行政区划代码", "区划代码", "地区"),
        Column("sector", "level", "Sector", "行业", ("行业领域", "所属行业"), SECTOR_LEVELS),
        _date("start_date", "保险起期", "起保日期", "起期"),
        _whole("heads", "投保人数", "参保人数", "被保险人数", unit="persons", optional=False),
        *_money("premium", "保费", "保险费", "保费收入"),
    ),
    "endorsements": (
        POLICY_NO,
        _date("effective_date", "批改生效日", "生效日期", optional=True),
        *_money("premium_change", "批改保费", "保费变化", negative=True),
    ),
    "claims": (
        _text("claim_no", "赔案号", "案件号", "报案号"),
        POLICY_NO,
        _date("event_date", "出险日期", "事故日期"),
        Column("cause", "level", "Cause", "事故原因", ("出险原因", "事故类别"), CAUSE_LEVELS),
        _whole("deaths", "死亡人数", unit="persons"),
        _whole("serious_injuries", "重伤人数", unit="persons"),
        *_money("paid", "已付赔款", "已决赔款"),
        *_money("case_reserve", "未决赔款", "未决准备金"),
    ),
    "payments": (
        _text("claim_no", "赔案号", "案件号", "报案号"),
        _date("payment_date", "支付日期", "付款日期"),
        *_money("amount", "金额", "支付金额"),
    ),
    "services": (
        POLICY_NO,
        INSURER,
        _date("planned_date", "计划日期", "约定日期", optional=True),
        _date("delivered_date", "服务日期", "完成日期", optional=True),
        *_money("cost", "费用", "服务费用"),
        _whole("score", "评分", "服务评分", unit="score"),
        _whole("hazards_found", "发现隐患数", "隐患数"),
    ),
    "ledger": (
        _date("date", "日期", "记账日期"),
        Column("kind", "level", "Kind", "类别", ("分录类别",), ENTRY_LEVELS),
        INSURER,
        POLICY_NO,
        *_money("amount", "金额", "发生额"),
    ),
}
DISCLOSED: Mapping[str, Mapping[str, Column]] = {
    noun: {column.name: column for column in columns} for noun, columns in _LISTS.items()
}
