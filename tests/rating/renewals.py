"""A believable renewal list for the Jilin example plan, with Chinese headers, as people send it."""

from __future__ import annotations

from typing import Any

import numpy as np

from ratemod.vocabulary.codes.credit_code import make

HEADERS = {
    "policy_no": "保单号",
    "credit_code": "统一社会信用代码",
    "name": "投保单位",
    "business": "业务类型",
    "start_date": "保险起期",
    "end_date": "保险止期",
    "sector": "行业",
    "size_class": "企业规模",
    "heads": "投保人数",
    "limit_yuan": "每人赔偿限额（万元）",
    "general_accidents": "近三年一般事故起数",
    "larger_accidents": "近三年较大事故起数",
    "major_accidents": "近三年重大及以上事故起数",
    "claim_free_years": "连续无赔款年数",
    "hazard_state": "重大事故隐患状态",
    "hazard_overdue_days": "隐患逾期天数",
    "standardisation": "安全生产标准化等级",
    "certificate_expiry": "标准化证书有效期至",
    "integrity_grade": "安全生产诚信等级",
    "blacklisted": "联合惩戒名单",
    "expiring_premium_yuan": "上年年保费",
    "schedule_factor": "核保调整系数",
    "schedule_reason": "核保调整理由",
}


def rows(n: int, seed: int) -> list[dict[str, Any]]:
    """Return n good rows as people type them."""
    rng = np.random.default_rng(seed)
    codes = make("91000000", np.arange(n) + 1)
    found = []
    for at in range(n):
        level = rng.choice(["未达标", "三级", "二级", "一级"], p=[0.5, 0.35, 0.12, 0.03])
        hazard = rng.choice(["无", "整改期内", "逾期未整改", "拒不整改", "已整改验收"], p=[0.9, 0.04, 0.03, 0.01, 0.02])
        heads = int(np.exp(rng.normal(3.3, 1.1))) + 1
        judged = rng.random() < 0.05
        found.append(
            {
                "policy_no": f"JL2026{at:06d}",
                "credit_code": str(codes[at]),
                "name": f"示例企业{at:05d}有限公司",
                "business": "续保",
                "start_date": f"2026-{at % 12 + 1:02d}-{at % 28 + 1:02d}",
                "end_date": f"2027-{at % 12 + 1:02d}-{at % 28 + 1:02d}",
                "sector": rng.choice(["矿山", "危险化学品", "交通运输", "建筑施工", "金属冶炼", "渔业生产"]),
                "size_class": rng.choice(["微型", "小型", "中型", "大型"], p=[0.4, 0.4, 0.15, 0.05]),
                "heads": heads,
                "limit_yuan": int(rng.choice([40, 50, 60, 80, 100])),
                "general_accidents": int(rng.random() < 0.04),
                "larger_accidents": 0,
                "major_accidents": 0,
                "claim_free_years": int(rng.integers(0, 6)),
                "hazard_state": hazard,
                "hazard_overdue_days": int(rng.integers(1, 200)) if hazard in ("逾期未整改", "拒不整改") else 0,
                "standardisation": level,
                "certificate_expiry": None if level == "未达标" else f"2027年{at % 12 + 1}月1日",
                "integrity_grade": rng.choice(["AA级", "A级", "B级", "C级", "失信"], p=[0.05, 0.3, 0.57, 0.06, 0.02]),
                "blacklisted": "否",
                "expiring_premium_yuan": f"{heads * 500 * rng.lognormal(0, 0.2):,.2f}",
                "schedule_factor": 0.95 if judged else None,
                "schedule_reason": "现场查勘" if judged else None,
            }
        )
    return found
