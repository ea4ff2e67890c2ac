"""Lists that few people look at: successions, payments, the ledger that is published, outputs that are verified."""

from __future__ import annotations

import re

import pandas as pd
import pyarrow as pa
import pytest

from ratemod.cli import main
from ratemod.errors import BookError
from ratemod.experience.mod_lists import read_exposure, successions_of
from ratemod.fund.catalogue import read_catalogue
from ratemod.fund.documents import read_papers
from ratemod.publication.data import read_disclosed

CODES = ["91350100M000100Y43", "91220101000001011A"]


@pytest.mark.parametrize("row", [[CODES[0], CODES[1], ""], ["", CODES[1], "0.5"], [CODES[0], " ", "0.5"]])
def test_a_succession_with_an_empty_cell_is_refused_at_its_row(row, tmp_path):
    """An empty share was no number, and took the whole record of both firms away."""
    sizes = {"expected_losses_yuan": [9.0, 9.0], "expected_primary_losses_yuan": [1, 1]}
    firms = read_exposure(pd.DataFrame({"credit_code": CODES, **sizes}), "2026-01-01")
    path = tmp_path / "list.csv"
    lines = ["原企业,承继企业,承继份额", f"{CODES[1]},{CODES[0]},0.25", ",".join(row)]
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(BookError) as caught:
        successions_of(path, firms)
    assert [(item.code, item.row) for item in caught.value.problems] == [("RM201", 3)]


def test_a_published_amount_that_is_empty_is_refused_and_counted():
    """Of accruals of 5,000 and an unknown amount the sum is not 5,000 in silence."""
    rows = {"记账日期": ["2025-01-01"] * 2, "分录类别": ["计提"] * 2, "保险公司": ["甲"] * 2, "保单号": ["P1", "P2"]}
    told = read_disclosed(pa.table({**rows, "金额": ["5000", ""]}), "ledger")
    assert told.amount("amount").tolist() == [500_000] and told.rows_in == 2
    assert [(item.code, item.row) for item in told.refused] == [("RM201", 2)]
    assert read_disclosed(pa.table({**rows, "金额": ["5000", "0"]}), "ledger").refused == ()


def test_payments_of_one_number_and_service_that_differ_do_not_count():
    """F1 is told twice, with 30 and 31 yuan: neither is known; F2 is one voucher for two services."""
    policies = pa.table({"保单号": ["P1"], "企业规模": ["小型"], "行政区划代码": ["220100"], "起保日期": ["2025-01-01"],
                         "终保日期": ["2026-01-01"]})  # fmt: skip
    services = pa.table({"服务编号": ["S1", "S2"], "保单号": ["P1"] * 2, "保险公司": ["甲"] * 2,
                         "服务类型": ["培训"] * 2, "服务机构": ["丙"] * 2, "计划日期": ["2025-03-01"] * 2,
                         "服务日期": ["2025-03-01"] * 2})  # fmt: skip
    payments = pa.table({"付款编号": ["F1", "F1", "F2", "F2"], "付款日期": ["2025-04-01"] * 4,
                         "保险公司": ["甲"] * 4,
                          "服务编号": ["S1", "S1", "S1", "S2"], "付款金额": [30, 31, 7, 8]})  # fmt: skip
    papers = read_papers(policies, services, payments, None, read_catalogue(), ("甲",), 20_500, {"P1": ("甲",)})
    assert papers.payments["amount_fen"].tolist() == [700, 800]
    assert "RM751" in [item.code for item in papers.refused]


def test_what_verify_says_in_chinese_is_chinese(tmp_path, capsys):
    def said(*words: str) -> str:
        assert main(["--lang", "zh", "verify", *words]) == 1
        text = capsys.readouterr().err.replace(str(tmp_path), "")
        return re.sub(r"RM\d+|\S*\.(parquet|csv|json|xlsx)|rate|Parquet|FILE|SHA-256|sha256|-o", "", text)

    book = tmp_path / "book.csv"
    book.write_text("x", encoding="utf-8")
    assert "文件不存在" in (gone := said(str(tmp_path / "no.parquet")))
    assert "没有清单" in (bare := said(str(book)))
    (tmp_path / "book.csv.manifest.json").write_text("{}", encoding="utf-8")
    assert "已损坏" in (torn := said(str(book)))
    assert not re.search("[A-Za-z]{3}", gone + bare + torn)


def test_a_value_that_an_option_refuses_is_told_in_chinese(capsys):
    assert main(["--lang", "zh", "mods", "a", "--exposure", "b", "--effective", "2026-13-01"]) == 2
    assert "argument" not in (said := capsys.readouterr().err) and "--effective：“2026-13-01”" in said
