"""Six lines of business as small plans within the format alone, made up, each held to arithmetic done by hand."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

import ratemod as rm
from tests.own_plan import plan_text

ROUND = '[[step]]\nname = "premium"\nop = "round"\nof = "{of}"\nunit = "0.01"\n'


def number(name, most, decimals=0, more=""):
    return f'[column.{name}]\nkind = "number"\ndecimals = {decimals}\nmin = 0\nmax = "{most}"\n{more}'


def made(tmp_path, body, **tables):
    place = tmp_path / "own" / "1"
    (place / "tables").mkdir(parents=True)
    (place / "plan.toml").write_text(plan_text(body), encoding="utf-8")
    for name, text in tables.items():
        (place / "tables" / f"{name}.csv").write_text(text, encoding="utf-8")
    assert not rm.check_plan(place).problems
    return rm.load_plan(place)


def fen(plan, rows, step="premium_fen"):
    frame = pd.DataFrame(rows)
    traced, bare = (rm.rate(frame, plan, lang="en", trace=trace) for trace in (True, False))
    assert traced.table["premium_fen"] == bare.table["premium_fen"]
    assert not [reason for reason in traced.table["reason"].to_pylist() if reason]
    return traced.table[step].to_pylist()


HOUSEHOLD = f"""
[column.location]
kind = "text"
[column.home]
kind = "text"
{number("building", "1e8")}{number("jewels", "1e7")}{number("boats", 9)}
[list.peril]
values = ["fire", "theft"]
[[step]]
name = "{{peril}}_rate"
over = "peril"
op = "lookup"
table = "rate"
by = {{ peril = {{ is = "{{peril}}" }} }}
[[step]]
name = "{{peril}}_premium"
over = "peril"
op = "product"
of = ["{{peril}}_rate", "building", "0.001"]
source = "s"
[[step]]
name = "house"
op = "sum"
of = ["{{peril}}_premium"]
[[step]]
name = "houses"
op = "rollup"
of = "house"
by = "home"
each = "location"
how = "sum"
[[step]]
name = "jewels_insured"
op = "rollup"
of = "jewels"
by = "home"
how = "sum"
[[step]]
name = "jewels_over"
op = "difference"
of = ["jewels_insured", 10000]
source = "s"
[[step]]
name = "jewels_charged"
op = "bound"
of = "jewels_over"
low = 0
[[step]]
name = "jewels_premium"
op = "product"
of = ["jewels_charged", "0.015"]
source = "s"
[[step]]
name = "most_boats"
op = "rollup"
of = "boats"
by = "home"
how = "max"
[[step]]
name = "boats_premium"
op = "product"
of = ["most_boats", "33.335"]
source = "s"
[[step]]
name = "total"
op = "sum"
of = ["houses", "jewels_premium", "boats_premium"]
[[step]]
name = "premium"
op = "share_out"
of = "total"
by = "home"
weights = "building"
"""


def test_a_household_of_perils_jewels_and_boats(tmp_path):
    plan = made(tmp_path, HOUSEHOLD, rate="peril,value,source\nfire,1.25,s\ntheft,0.75,s\n")
    one = {"home": "H1", "building": 400_000}
    rows = [
        {"policy_no": "1", "location": "A", "jewels": 8_000, "boats": 1, **one},
        {"policy_no": "2", "location": "A", "jewels": 7_000, "boats": 2, **one},  # the same house: it counts once
        {"policy_no": "3", "location": "B", "jewels": 0, "boats": 0, "home": "H1", "building": 100_000},
    ]
    # 2 per mille of 400,000 and 100,000: 1,000; 1.5 % of 15,000 less 10,000: 75; two boats: 66.67. In all 1,141.67.
    # By 4, 4 and 1 ninths: 50,740 8/9, 50,740 8/9 and 12,685 2/9 fen.
    assert fen(plan, rows) == [50_741, 50_741, 12_685]


MOTOR = f"""
{number("claims", 9)}{number("sum_insured", "1e6")}
[column.ladder]
kind = "level"
levels = ["M2", "M1", "0", "B1", "B2"]
[column.start]
kind = "date"
[column.end]
kind = "date"
[[step]]
name = "earned"
op = "classify"
table = "ladder"
levels = ["M2", "M1", "0", "B1", "B2"]
[[step]]
name = "standing"
op = "first_level"
of = ["earned", "ladder"]
when = {{ of = "claims", above = 0 }}
otherwise = "earned"
[[step]]
name = "factor"
op = "lookup"
table = "factor"
by = {{ ladder = "standing" }}
[[step]]
name = "anniversary"
op = "add_months"
of = "start"
months = 12
source = "s"
[[step]]
name = "year"
op = "days"
of = ["start", "anniversary"]
[[step]]
name = "days"
op = "days"
of = ["start", "end"]
inclusive = true
[[step]]
name = "annual"
op = "product"
of = ["sum_insured", "0.0011", "factor"]
source = "s"
[[step]]
name = "for_days"
op = "product"
of = ["annual", "days"]
[[step]]
name = "charged"
op = "ratio"
of = ["for_days", "year"]
"""
LADDER = (
    "claims,ladder,value,source\n0,M2,M1,s\n0,M1,0,s\n0,0,B1,s\n0,B1,B2,s\n0,B2,B2,s\n1,*,0,s\n*,*,M2,s\n1,M2,M2,s\n"
)


def test_motor_third_party_with_a_ladder_and_days(tmp_path):
    plan = made(
        tmp_path,
        MOTOR + ROUND.format(of="charged"),
        ladder=LADDER,
        factor="ladder,value,source\nM2,1.6,s\nM1,1.3,s\n0,1,s\nB1,0.9,s\nB2,0.8,s\n",
    )
    car = {"sum_insured": 500_000}
    whole, leap = (
        {"start": date(2026, 1, 1), "end": date(2026, 12, 31)},
        {"start": date(2027, 3, 1), "end": date(2027, 3, 31)},
    )
    rows = [
        {"policy_no": "1", "claims": 0, "ladder": "0", **whole, **car},  # up to B1: 550 x 0.9
        {"policy_no": "2", "claims": 1, "ladder": "B2", **whole, **car},  # down to 0: 550
        {
            "policy_no": "3",
            "claims": 1,
            "ladder": "M1",
            **whole,
            **car,
        },  # 0, but never better than it stood: M1, 550 x 1.3
        {
            "policy_no": "4",
            "claims": 3,
            "ladder": "B2",
            **leap,
            **car,
        },  # M2, 31 of 366 days: 550 x 1.6 x 31 / 366 = 74.535...
    ]
    assert fen(plan, rows) == [49_500, 55_000, 71_500, 7_454]


WORKERS = f"""
[column.policy]
kind = "text"
[column.class_code]
kind = "level"
levels = ["5606", "8810", "8742", "5183"]
{number("payroll", "1e9")}
[[step]]
name = "rate"
op = "lookup"
table = "rate"
[[step]]
name = "manual"
op = "product"
of = ["payroll", "rate", "0.01"]
source = "s"
[[step]]
name = "standard_exception"
op = "lookup"
table = "exception"
[[step]]
name = "counted"
op = "product"
of = ["payroll", "standard_exception"]
[[step]]
name = "place"
op = "rank"
of = "counted"
by = "policy"
[[step]]
name = "governing"
op = "take_level"
of = "class_code"
by = "policy"
rank = "place"
[[step]]
name = "minimum"
op = "lookup"
table = "minimum"
by = {{ class_code = "governing" }}
[[step]]
name = "all_manual"
op = "rollup"
of = "manual"
by = "policy"
how = "sum"
[[step]]
name = "discount"
op = "progressive"
table = "discount"
[[step]]
name = "discounted"
op = "difference"
of = ["all_manual", "discount"]
[[step]]
name = "with_constant"
op = "sum"
of = ["discounted", 250]
source = "s"
[[step]]
name = "least"
op = "bound"
of = "with_constant"
low = "minimum"
[[step]]
name = "whole"
op = "round"
of = "least"
unit = 1
[[step]]
name = "premium"
op = "share_out"
of = "whole"
by = "policy"
weights = "payroll"
"""


def test_workers_compensation_with_a_governing_class(tmp_path):
    codes = ("5606", "8810", "8742", "5183")

    def table(column, *values):
        rows = "".join(f"{code},{value},s\n" for code, value in zip(codes, values))
        return f"class_code,{column},source\n{rows}"

    discount = "all_manual_from,all_manual_below,value,source\n0,10000,0,s\n10000,200000,0.091,s\n200000,,0.113,s\n"
    plan = made(
        tmp_path,
        WORKERS,
        rate=table("value", "1.70", "0.25", "0.45", "4.20"),
        exception=table("value", 1, 0, 0, 1),  # clerks and salesmen never govern
        minimum=table("value", 800, 300, 400, 1500),
        discount=discount,
    )
    rows = [
        {"policy_no": "1", "policy": "A", "class_code": "8810", "payroll": 2_000_000},
        {"policy_no": "2", "policy": "A", "class_code": "5183", "payroll": 400_000},
        {"policy_no": "3", "policy": "A", "class_code": "5606", "payroll": 500_000},
        {"policy_no": "4", "policy": "B", "class_code": "8810", "payroll": 100_000},
        {"policy_no": "5", "policy": "B", "class_code": "5183", "payroll": 10_000},
    ]
    # A: 5,000 + 16,800 + 8,500 = 30,300; less 9.1 % of 20,300 (1,847.30); and 250: 28,702.70, 28,703.
    # By 20, 4 and 5 parts of 29: 19,795.172.., 3,959.034.., 4,948.793.. . B governed by 5183: 250 + 420 + 250 < 1,500.
    assert fen(plan, rows) == [1_979_517, 395_904, 494_879, 136_364, 13_636]


FIRE = f"""
{number("sum_insured", "1e9")}{number("value_at_risk", "1e9")}{number("distance", 100, 1)}{number("storeys", 60)}
[[step]]
name = "rate"
op = "interpolate"
table = "rate"
beyond = "flat"
[[step]]
name = "least_cover"
op = "product"
of = ["value_at_risk", "0.8"]
source = "s"
[[step]]
name = "share"
op = "ratio"
of = ["sum_insured", "least_cover"]
[[step]]
name = "insured_share"
op = "bound"
of = "share"
high = 1
[[step]]
name = "loading"
op = "choose"
source = "s"
cases = [
  {{ when = {{ of = "insured_share", below = "0.5" }}, then = "1.5" }},
  {{ when = {{ of = "insured_share", below = 1 }}, then = "1.2" }},
]
otherwise = 1
[[step]]
name = "charged"
op = "product"
of = ["sum_insured", "rate", "0.001", "loading"]
source = "s"
"""
FIRE_RATES = "distance_at,storeys_at,value,source\n" + "".join(
    f"{d},{s},{v},s\n" for d, s, v in ((0, 1, "0.8"), (0, 10, "1.7"), (10, 1, "1.2"), (10, 10, "3"))
)


def test_fire_between_distances_and_storeys_under_coinsurance(tmp_path):
    plan = made(tmp_path, FIRE + ROUND.format(of="charged"), rate=FIRE_RATES)
    risk = {"value_at_risk": 1_000_000, "distance": 2.5, "storeys": 4}
    rows = [
        # along distance 2.5: 0.9 at one storey, 2.025 at ten; a third of the way: 1.275 per mille
        {"policy_no": "1", "sum_insured": 800_000, **risk},
        {"policy_no": "2", "sum_insured": 799_999, **risk},  # a yuan under 80 %: loaded by a fifth
        {"policy_no": "3", "sum_insured": 100_000, **risk},
        {"policy_no": "4", "sum_insured": 800_000, **risk, "distance": 50, "storeys": 60},  # beyond: as the last
    ]
    assert fen(plan, rows) == [102_000, 122_400, 19_125, 240_000]


FARM = f"""
[unit.mu]
label_en = "mu"
label_zh = "亩"
{number("area", "1e6", 2, 'unit = "mu"' + chr(10))}
[column.crop]
kind = "level"
levels = ["wheat", "rice"]
[list.party]
values = ["centre", "province", "county", "farmer"]
[[step]]
name = "sum_insured"
op = "lookup"
table = "crop"
column = "sum"
[[step]]
name = "rate"
op = "lookup"
table = "crop"
column = "value"
[[step]]
name = "raw"
op = "product"
of = ["area", "sum_insured", "rate"]
[[step]]
name = "{{party}}_share"
over = "party"
op = "lookup"
table = "share"
by = {{ party = {{ is = "{{party}}" }} }}
{ROUND.format(of="raw")}
"""
PARTS = "".join(
    f'[[step]]\nname = "{name}"\nop = "part"\nof = "premium"\namong = ["{{party}}_share"]\nwhich = {at}\n'
    for at, name in enumerate(("centre", "province", "county", "farmer"), 1)
)


def test_agriculture_with_subsidies_shared_among_parties(tmp_path):
    plan = made(
        tmp_path,
        FARM + PARTS + '[table.share]\nunit = "share"\n[table.crop]\nvalues = ["sum"]\n',
        crop="crop,sum,value,source\nwheat,1000,0.041,s\nrice,1200,0.045,s\n",
        share="party,value,source\ncentre,45%,s\nprovince,25%,s\ncounty,10%,s\nfarmer,20%,s\n",
    )
    rows = [{"policy_no": "1", "area": 12.33, "crop": "wheat"}, {"policy_no": "2", "area": 0.01, "crop": "rice"}]
    assert fen(plan, rows) == [50_553, 54]  # 12.33 x 41 = 505.53; 0.01 x 54 = 0.54
    parts = [fen(plan, rows, name) for name in ("centre", "province", "county", "farmer")]
    # of 50,553: 22,748.85, 12,638.25, 5,055.3, 10,110.6; of 54: 24.3, 13.5, 5.4, 10.8 and two fen left
    wanted = [[227.49, 0.24], [126.38, 0.14], [50.55, 0.05], [101.11, 0.11]]
    assert parts == [pytest.approx(part) for part in wanted]


HULL = f"""
{number("built", 2100)}{number("value", "1e10")}{number("laid_up_days", 366)}
[column.start]
kind = "date"
[column.end]
kind = "date"
[[step]]
name = "year"
op = "date_part"
of = "start"
which = "year"
[[step]]
name = "age"
op = "difference"
of = ["year", "built"]
[[step]]
name = "rate"
op = "lookup"
table = "rate"
[[step]]
name = "gross"
op = "product"
of = ["value", "rate", "0.01"]
source = "s"
[[step]]
name = "spells"
op = "ratio"
of = ["laid_up_days", 30]
source = "s"
[[step]]
name = "whole_spells"
op = "round"
of = "spells"
unit = 1
mode = "down"
[[step]]
name = "months"
op = "months"
of = ["start", "end"]
inclusive = true
[[step]]
name = "returned_share"
op = "product"
of = ["whole_spells", "0.05"]
source = "s"
[[step]]
name = "capped_share"
op = "bound"
of = "returned_share"
high = "0.4"
source = "s"
[[step]]
name = "kept"
op = "difference"
of = [1, "capped_share"]
[[step]]
name = "annual"
op = "product"
of = ["gross", "kept"]
[[step]]
name = "by_months"
op = "product"
of = ["annual", "months"]
[[step]]
name = "charged"
op = "ratio"
of = ["by_months", 12]
source = "s"
[[rule]]
name = "old"
when = {{ of = "age", at_least = 25 }}
action = "refer"
message_en = "a survey is needed"
message_zh = "须检验"
source = "s"
"""


def test_a_marine_hull_by_age_with_returns_for_days_laid_up(tmp_path):
    rate = "age_from,age_below,value,source\n,0,none,s\n0,10,0.6,s\n10,20,0.9,s\n20,,1.5,s\n"
    plan = made(tmp_path, HULL + ROUND.format(of="charged"), rate=rate)
    year = {"start": date(2026, 7, 1), "end": date(2027, 6, 30), "value": 3_000_000}
    rows = [
        {"policy_no": "1", "built": 2017, "laid_up_days": 29, **year},  # nine years, no spell: 18,000
        {"policy_no": "2", "built": 2016, "laid_up_days": 95, **year},  # ten years, three spells: 27,000 x 0.85
        {"policy_no": "3", "built": 2000, "laid_up_days": 300, **year},  # ten spells, 40 % at most: 45,000 x 0.6
        {
            "policy_no": "4",
            "built": 2016,
            "laid_up_days": 0,
            **year,
            "end": date(2026, 9, 10),
        },  # three months: 27,000 / 4
    ]
    rated = rm.rate(pd.DataFrame(rows), plan, lang="en")
    assert rated.table["premium_fen"].to_pylist() == [1_800_000, 2_295_000, 2_700_000, 675_000]
    assert rated.table["status"].to_pylist() == ["rated", "rated", "referred", "rated"]


def test_no_case_of_a_choice_and_a_step_that_is_not_for_a_row_are_told_as_such(tmp_path):
    body = number("heads", 9) + (
        '[[step]]\nname = "load"\nop = "choose"\nsource = "s"\notherwise = "none"\n'
        'cases = [{ when = { of = "heads", below = 3 }, then = 2 },\n'
        '         { when = { of = "heads", equals = 3 }, then = 3 }]\n'
        '[[step]]\nname = "extra"\nop = "sum"\nof = "heads"\nwhen = { of = "heads", below = 3 }\notherwise = "none"\n'
        '[[step]]\nname = "raw"\nop = "product"\nof = ["load", "extra"]\n'
    )
    rated = rm.rate(
        pd.DataFrame({"policy_no": ["1", "2", "3"], "heads": [1, 3, 4]}),
        made(tmp_path, body + ROUND.format(of="raw")),
        lang="en",
    )
    assert rated.table["premium_fen"].to_pylist() == [200, None, None]
    assert rated.table["code"].to_pylist() == [None, "RM972", "RM973"]
    said = rated.table["reason"].to_pylist()
    assert "'extra', which it needs" in said[1] and "'load'" in said[2] and "case_" not in said[2]
