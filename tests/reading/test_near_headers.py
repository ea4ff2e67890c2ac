"""A header that may mean an optional column which the list lacks stops it; one that is something else does not."""

from __future__ import annotations

import functools

import pandas as pd
import pytest

import ratemod as rm
from ratemod.errors import BookError
from ratemod.reading.header import HeaderWords
from ratemod.reading.read import read_book
from ratemod.reading.rows import is_needed

# column: headers of the same meaning, parted by commas
MEANT = """
expiring_premium_yuan: 去年度保费, 上一保险年度保费, 上年实缴保费, 去年保险费, 上期保险费(元)
expiring_premium_yuan: 保费（上年）, 上保单年度保费合计
expiring_premium_yuan: 往年保费, 续保前保费, 原保单保费, 上年总保费（万元）
expiring_premium_yuan: 前一年保费, Last year's premium, Prior premium, Previous annual premium
schedule_factor: 核保浮动系数, 核保因子, 核保人系数, 核保修正系数, 核保員調整係數, Underwriting factor
schedule_reason: 核保调整原因, 核保调整依据
certificate_expiry: 标准化证书到期日, 证书截止日期, 安标证书有效期, 证书失效日期, 证书有效期限, Certificate expires
staff: 员工人数, 职工, 在册职工, Employees
revenue_yuan: 主营业务收入, 年收入（万元）, Annual turnover
assets_yuan: 总资产
expected_losses_yuan: 预期损失
"""
OTHER = """
本年保费, 今年保费, 应收保费, 总保费, 含税保费, 保费, 净保费, 税额, 手续费比例, 费率, 费率浮动系数, 系数, 备注, 序号
联系人, 联系电话, 手机, 邮箱, 地址, 法人, 所属县区, 开户行, 银行账号, 业务员, 业务来源, 渠道, 归属机构, 出单机构
出单日期, 签单日期, 投保日期, 打印日期, 发票抬头, 纳税人识别号, 死亡限额, 医疗限额, 每次事故限额, 累计限额, 免赔
许可证号, 许可证有效期, 证书编号, 证书等级, 发证机关, 发证日期, 安全负责人, 特种作业人数, 女工人数, 车辆数, 主要产品
工艺, 事故经过, 上年事故起数, 上年赔款, 上年人数, 去年出险次数, 上年保单号, 赔付率, 核保人, 核保意见, 核保日期, 审核
复核, 调整日期, 优惠方案, 延期原因, 项目名称, 工程造价, 开工日期, 竣工日期, 营业执照号, 营业期限, 注册资本, 净资产
固定资产, 成立日期, 企业类型, 经济类型, 隶属关系, 行政级别, 隐患数量, 整改率, 培训次数, 演练次数, 服务次数, 预防费
2025年保费, 2024年保费, Premium, Premium due, Rate, Remark, No., Contact, Phone, Certificate number, Issued
Last visit, Last inspection date, Year, Total, Reason for visit, Underwriter, Net assets, Limit, Broker fee
"""
ROW = {
    "policy_no": "A1", "credit_code": "91220101MA0Y1AAA63", "business": "new", "start_date": "2026-03-01",
    "end_date": "2027-03-01", "sector": "mining", "size_class": "small", "heads": 62, "limit_yuan": 400000,
    "general_accidents": 0, "larger_accidents": 0, "major_accidents": 0, "claim_free_years": 3,
    "hazard_state": "none", "hazard_overdue_days": 0, "standardisation": "level_2",
    "integrity_grade": "A", "blacklisted": "no",
}  # fmt: skip


@functools.cache
def jilin() -> rm.Plan:
    return rm.load_plan("jilin-spli/2025-04")


def pairs() -> list[tuple[str, str]]:
    lines = [line.partition(": ") for line in MEANT.strip().splitlines()]
    return [(name, header) for name, _, found in lines for header in found.split(", ")]


@pytest.mark.parametrize(("column", "header"), pairs())
def test_the_words_of_a_column_that_is_not_filled_stop_the_list(column, header):
    with pytest.raises(BookError) as caught:
        read_book([{**ROW, header: "1"}], jilin().columns)
    (problem,) = caught.value.problems
    assert (problem.code, problem.args["header"], problem.args["column"]) == ("RM265", header, column)


def test_what_is_said_of_the_header_lets_the_list_pass():
    row = [{**ROW, "去年实缴保费": "66,000"}]
    with pytest.raises(BookError):
        read_book(row, jilin().columns)
    taken = read_book(row, jilin().columns, header_map=HeaderWords(headers={"去年实缴保费": "上年保费"}))
    aside = read_book(row, jilin().columns, header_map=HeaderWords(headers={"去年实缴保费": "-"}))
    assert taken.table["expiring_premium_yuan"].to_pylist() == ["66,000"]
    assert "expiring_premium_yuan" not in aside.table.column_names


def test_ordinary_headers_beside_a_list_never_stop_it():
    free = [column.name for column in jilin().columns.values() if not is_needed(column) and column.name not in ROW]
    assert "expiring_premium_yuan" in free and "schedule_factor" in free
    others = OTHER.strip().replace("\n", ", ").split(", ")
    book = read_book([{**ROW, **dict.fromkeys(others, "x")}], jilin().columns)
    assert {item.header for item in book.receipt.parts[0].unused} >= {"本年保费", "核保意见", "Net assets"}


@pytest.mark.parametrize("kind", ["frame", "csv", "xlsx"])
def test_a_column_that_is_there_and_blank_is_not_filled_either(kind, tmp_path):
    rows = pd.DataFrame(
        [{**ROW, "上年保费": "", "去年实缴保费": "66,000"}, {**ROW, "上年保费": "-", "去年实缴保费": ""}]
    )
    source = rows if kind == "frame" else tmp_path / f"list.{kind}"
    if kind == "csv":
        rows.to_csv(source, index=False)
    if kind == "xlsx":
        rows.to_excel(source, index=False)
    with pytest.raises(BookError) as caught:
        read_book(source, jilin().columns)
    (problem,) = caught.value.problems
    assert (problem.code, problem.args["header"]) == ("RM265", "去年实缴保费")
    assert problem.args["column"] == "expiring_premium_yuan"
    read_book(source, jilin().columns, header_map=HeaderWords(headers={"去年实缴保费": "-"}))


@pytest.mark.parametrize("kind", ["csv", "parquet", "folder"])
def test_a_list_read_in_chunks_stops_at_the_same(kind, tmp_path):
    """The column is blank and the header filled only when the last chunk is read; one word in it lets all pass."""

    def price(expiring, header):
        rows = pd.DataFrame(
            [
                {**ROW, "policy_no": f"A{at}", "上年保费": one, "去年实缴保费": other}
                for at, (one, other) in enumerate(zip(expiring, header))
            ]
        )
        place = tmp_path / (f"list.{kind}" if kind != "folder" else "lists")
        if kind == "csv":
            rows.to_csv(place, index=False)
        elif kind == "parquet":
            rows.to_parquet(place, index=False)
        else:
            for at, part in enumerate((rows[:3], rows[3:])):
                (place / f"part={at}").mkdir(parents=True, exist_ok=True)
                part.to_parquet(place / f"part={at}" / "list.parquet", index=False)
        run = rm.rate_folder if kind == "folder" else rm.rate_file
        return run(place, jilin(), tmp_path / ("out" if kind == "folder" else "out.parquet"), chunk=2)

    with pytest.raises(BookError) as caught:
        price(["", "-", "", "", ""], ["", "", "", "", "66,000"])
    (problem,) = caught.value.problems
    assert (problem.code, problem.args["header"]) == ("RM265", "去年实缴保费")
    assert problem.args["column"] == "expiring_premium_yuan" and problem.row == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lists" if kind == "folder" else f"list.{kind}"]
    assert price(["", "-", "", "", ""], [""] * 5).counts["rows"] == 5
    assert price(["", "-", "", "", "9"], ["66,000"] * 5).counts["rows"] == 5


def test_a_blank_column_beside_a_blank_header_or_a_filled_one_stops_nothing():
    read_book([{**ROW, "上年保费": "", "去年实缴保费": " "}], jilin().columns)
    read_book([{**ROW, "上年保费": "9"}, {**ROW, "上年保费": "", "去年实缴保费": "66,000"}], jilin().columns)
