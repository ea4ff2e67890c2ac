"""The columns of every register, with the headers that people give them, and the order of its dates."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from ratemod.vocabulary.codes.accident import GRADE_LABELS_ZH, GRADES
from ratemod.vocabulary.column import FLAG_LEVELS, Column, Level

HAZARD_GRADES = (Level("general", "General", "一般", ("一般隐患",)), Level("major", "Major", "重大", ("重大隐患",)))
STANDARDS = (
    Level("none", "None", "未达标", ("无",)),
    Level("level_3", "Level 3", "三级", ("三级达标",)),
    Level("level_2", "Level 2", "二级", ("二级达标",)),
    Level("level_1", "Level 1", "一级", ("一级达标",)),
)
INTEGRITY = (
    Level("AA", "AA", "AA级"),
    Level("A", "A", "A级"),
    Level("B", "B", "B级"),
    Level("C", "C", "C级"),
    Level("dishonest", "Dishonest", "失信", ("D级",)),
)
ACCIDENTS = tuple(Level(code, code.capitalize(), zh) for code, zh in zip(GRADES, GRADE_LABELS_ZH))


def _text(name: str, en: str, zh: str, *aliases: str, optional: bool = False) -> Column:
    return Column(name, "text", en, zh, aliases, optional=optional)


def _date(name: str, en: str, zh: str, *aliases: str, optional: bool = True) -> Column:
    return Column(name, "date", en, zh, aliases, optional=optional)


def _count(name: str, en: str, zh: str, *aliases: str, unit: str = "count", optional: bool = True) -> Column:
    most = Decimal(10) ** 15
    return Column(name, "number", en, zh, aliases, unit=unit, low=Decimal(0), high=most, optional=optional)


def _level(name: str, en: str, zh: str, levels: tuple[Level, ...], *aliases: str, optional: bool = False) -> Column:
    return Column(name, "level", en, zh, aliases, levels, optional=optional)


FIRM = _text("credit_code", "Unified social credit code", "统一社会信用代码", "社会信用代码", "信用代码")
START = _date("start_date", "Start", "保险起期", "起保日期", "起期", optional=False)
END = _date("end_date", "End (not covered)", "保险止期", "终保日期", "止期", optional=False)

_LISTS: dict[str, tuple[Column, ...]] = {
    "hazards": (
        _text("hazard_id", "Hazard number", "隐患编号", "隐患号", optional=True),
        FIRM,
        _level("grade", "Hazard grade", "隐患等级", HAZARD_GRADES, "隐患级别"),
        _date("found_date", "Found", "发现日期", "排查日期", optional=False),
        _date("notified_date", "Notified in writing", "书面通知日期", "通知日期"),
        _date("due_date", "Due", "整改期限", "整改截止日期", "限期整改日期"),
        _date("extension_granted_date", "Extension granted", "批准延期日期", "延期批准日期"),
        _date("extended_due_date", "Due after extension", "延期后整改期限", "延期至"),
        _date("rectified_date", "Rectified", "整改完成日期", "整改日期"),
        _date("verified_date", "Verified", "验收日期", "复查验收日期", "销号日期"),
        _date("refused_date", "Refused to rectify", "拒不整改认定日期", "拒绝整改日期"),
    ),
    "certificates": (
        _text("certificate_no", "Certificate number", "证书编号", "证书号", optional=True),
        FIRM,
        _level("standardisation", "Safety standardisation", "安全生产标准化等级", STANDARDS, "标准化等级"),
        _text("standard", "Standard", "评定标准", "标准", optional=True),
        _date("issue_date", "Issued", "发证日期", "颁发日期", optional=False),
        _date("expiry_date", "Expiry (no credit from this day)", "有效期至", "证书有效期", optional=False),
        _date("withdrawn_date", "Withdrawn", "撤销日期"),
    ),
    "integrity": (
        FIRM,
        _date("effective_date", "In force from", "生效日期", "评定日期", optional=False),
        _level("integrity_grade", "Integrity grade", "安全生产诚信等级", INTEGRITY, "诚信等级"),
    ),
    "blacklist": (
        FIRM,
        _date("listed_date", "Listed", "列入日期", optional=False),
        _date("removed_date", "Removed", "移出日期"),
    ),
    "claims": (
        _text("claim_no", "Claim number", "赔案号", "案件号", "报案号", optional=True),
        _text("event_no", "Accident number", "事故编号", "事故号", optional=True),
        FIRM,
        _date("event_date", "Accident", "出险日期", "事故日期", optional=False),
        _date("report_date", "Reported", "报案日期"),
        _count("deaths", "Deaths", "死亡人数", unit="persons", optional=False),
        _count("serious_injuries", "Serious injuries", "重伤人数", unit="persons", optional=False),
        _count("direct_loss_yuan", "Direct loss", "直接经济损失", unit="yuan"),
        _level("accident_grade", "Accident grade", "事故等级", ACCIDENTS, optional=True),
        Column(
            "main_responsibility",
            "flag",
            "Main responsibility",
            "负主要责任",
            ("主要责任",),
            FLAG_LEVELS,
            optional=True,
        ),
        _count("paid_fen", "Paid, fen", "已付赔款（分）"),
        _count("case_reserve_fen", "Case reserve, fen", "未决赔款（分）"),
    ),
    "policies": (
        _text("policy_no", "Policy number", "保单号", "保单号码", optional=True),
        FIRM,
        START,
        END,
        _date("cancelled_date", "Cancelled", "退保日期"),
        _count("premium_fen", "Premium, fen", "保费（分）"),
        _count("heads", "Insured heads", "投保人数", "参保人数", unit="persons"),
        _count("limit_yuan", "Limit per person", "每人赔偿限额", "每人限额", unit="yuan"),
    ),
    "endorsements": (
        _text("policy_no", "Policy number", "保单号", "保单号码"),
        FIRM,
        _date("effective_date", "In force from", "生效日期", optional=False),
        _count("heads_after", "Heads after the change", "变更后人数", unit="persons", optional=False),
    ),
    "enterprises": (
        FIRM,
        _text("name", "Enterprise", "企业名称", "单位名称", optional=True),
        _text("division_code", "Division", "行政区划代码", "区划代码"),
        _text("sector", "Sector", "行业", "行业领域", "所属行业"),
        _text("size_class", "Size class", "企业规模", "规模", optional=True),
        _count("staff", "Staff", "从业人员", "从业人数", "职工人数", unit="persons", optional=False),
        _date("closed_date", "Closed", "关闭日期", "注销日期"),
    ),
}
REGISTERS: Mapping[str, Mapping[str, Column]] = {
    noun: {column.name: column for column in columns} for noun, columns in _LISTS.items()
}
# What names a row of its own; two rows of one name that differ contradict each other.
IDENTITY = {"hazards": "hazard_id", "certificates": "certificate_no", "claims": "claim_no"}
# One enterprise cannot have two of these on one day.
ONE_A_DAY = {"integrity": ("effective_date", "integrity_grade"), "certificates": ("issue_date", "standardisation")}
# The first never comes after the second.
IN_ORDER: Mapping[str, tuple[tuple[str, str], ...]] = {
    "hazards": (
        ("found_date", "notified_date"),
        ("notified_date", "due_date"),
        ("found_date", "due_date"),
        ("due_date", "extended_due_date"),
        ("notified_date", "extension_granted_date"),
        ("found_date", "rectified_date"),
        ("found_date", "verified_date"),
        ("rectified_date", "verified_date"),
        ("notified_date", "refused_date"),
        ("found_date", "refused_date"),
    ),
    "certificates": (("issue_date", "expiry_date"), ("issue_date", "withdrawn_date")),
    "blacklist": (("listed_date", "removed_date"),),
    "claims": (("event_date", "report_date"),),
    "policies": (("start_date", "end_date"), ("start_date", "cancelled_date")),
}
