"""A small valid plan on disk, to break in one place at a time."""

from __future__ import annotations

from pathlib import Path

PLAN = '''
[plan]
scheme = "small"
edition = "1"
title_en = "Small"
title_zh = "小方案"
standing = "example"
status = "draft"
new_from = 2026-01-01
renewal_from = 2026-03-01
key = "policy_no"
premium = "premium"
fund = "fund"
warning_en = "Illustrative."
warning_zh = "示例。"

[source.own]
title = "Made for the tests"
confidence = "illustrative"

[constant.share]
value = "0.10"
source = "own"

[column.policy_no]
kind = "text"
aliases = ["保单号"]
[column.sector]
kind = "level"
label_zh = "行业"
levels = [{ code = "mining", label_zh = "矿山" }, { code = "transport", label_zh = "交通运输" }]
[column.heads]
kind = "number"
label_zh = "投保人数"
unit = "persons"
min = 1
max = 100000
[column.limit_yuan]
kind = "number"
label_zh = "每人限额"
unit = "yuan"
min = 1
max = 5000000

[[step]]
name = "rate"
op = "lookup"
table = "rate"
[[step]]
name = "scale"
op = "lookup"
table = "scale"
[[step]]
name = "float"
op = "bound"
of = "scale"
low = "0.8"
high = "1.2"
source = "own"
[[step]]
name = "raw"
op = "product"
of = ["rate", "limit_yuan", "heads", "float", "0.001"]
source = "own"
[[step]]
name = "premium"
op = "round"
of = "raw"
unit = "0.01"
headline = true
[[step]]
name = "fund_raw"
op = "product"
of = ["premium", "share"]
[[step]]
name = "fund"
op = "round"
of = "fund_raw"
unit = "0.01"
mode = "up"

[[legal]]
name = "float_range"
of = "float"
low = "0.7"
high = "1.3"
source = "own"
[[legal]]
name = "fund_floor"
of = "share"
low = "0.10"
source = "own"
'''
RATE = "sector,value,source\nmining,2.5,own\ntransport,1.2,own\n"
SCALE = "heads_from,heads_below,value,source\n,100,1,own\n100,1000,0.9,own\n1000,,0.75,own\n"
CASES = '''
[[case]]
name = "by hand"
source = "400000 × 2.5‰ × 10 × 1 = 10,000.00"
[case.inputs]
policy_no = "P1"
sector = "mining"
heads = 10
limit_yuan = 400000
[case.expect]
rate = "2.5"
premium = "10000.00"
fund = "1000.00"
[[case]]
name = "large firm meets the bound"
source = "400000 × 1.2‰ × 2000 × 0.8 = 768,000.00"
[case.inputs]
policy_no = "P2"
sector = "交通运输"
heads = 2000
limit_yuan = "40万元"
[case.expect]
scale = "0.75"
float = "0.80"
bounds = "float:low"
premium = "768000.00"
'''


def write(folder: Path, plan: str = PLAN, rate: str = RATE, scale: str = SCALE, cases: str = CASES) -> Path:
    """Write the plan and return the folder of its edition."""
    edition = folder / "small" / "1"
    (edition / "tables").mkdir(parents=True)
    (edition / "cases").mkdir()
    (edition / "plan.toml").write_text(plan, encoding="utf-8")
    (edition / "tables" / "rate.csv").write_text(rate, encoding="utf-8")
    (edition / "tables" / "scale.csv").write_text(scale, encoding="utf-8")
    (edition / "cases" / "cases.toml").write_text(cases, encoding="utf-8")
    return edition
