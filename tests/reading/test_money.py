"""Amounts in the money that they are read in, or refused: units, columns of currency, signs, numerals of any kind."""

from __future__ import annotations

from decimal import Decimal

import pyarrow as pa
import pytest
from openpyxl import Workbook

import ratemod as rm
from ratemod.errors import BookError
from ratemod.reading.convert import convert
from ratemod.reading.numbers import parse_number
from ratemod.reading.numerals import numeral, written
from ratemod.reading.read import read_table
from ratemod.vocabulary.column import Column
from ratemod.vocabulary.currency import YUAN, Currency
from tests.exhibits.test_currency import MONEY, PLAN

RINGGIT, DOLLAR = Currency("ringgit", "林吉特"), Currency("US dollar", "美元")


def columns(money=YUAN, unit="yuan"):
    amount = Column("amount", "number", "Amount", "保费", unit=unit, decimals=2 if unit == "yuan" else 0, money=money)
    return {"line": Column("line", "text", "Line", "序号"), "amount": amount}


def listed(tmp_path, *rows, name="list.xlsx"):
    if name.endswith("csv"):
        text = "".join(",".join(map(str, row)) + "\n" for row in rows)
        (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path / name
    book = Workbook()
    for row in rows:
        book.active.append(row)
    book.save(tmp_path / name)
    return tmp_path / name


def codes(call):
    with pytest.raises(BookError) as error:
        call()
    return [item.code for item in error.value.problems]


@pytest.mark.parametrize("name", ["list.xlsx", "list.csv"])
@pytest.mark.parametrize(
    ("money", "header", "above", "size"),
    [
        (RINGGIT, "保费（元）", None, None),
        (RINGGIT, "保费（万元）", None, None),
        (RINGGIT, "保费", "单位：元", None),
        (RINGGIT, "保费", "币种：人民币", None),
        (RINGGIT, "保费", "单位：美元", None),
        (RINGGIT, "保费（RM）", None, 1),
        (RINGGIT, "保费（万林吉特）", None, 10_000),
        (RINGGIT, "保费（万）", None, 10_000),
        (DOLLAR, "保费（美元）", None, 1),
        (DOLLAR, "保费(USD)", None, 1),
        (DOLLAR, "保费（元）", None, None),
        (YUAN, "保费（美元）", None, None),
        (YUAN, "保费（RM）", None, None),
        (YUAN, "保费", "币种：人民币", 1),
        (YUAN, "保费", "币种：人民币 单位：万元", 10_000),
    ],
)
def test_a_unit_of_other_money_is_refused_by_name(tmp_path, name, money, header, above, size):
    path = listed(tmp_path, *([[above, ""]] if above else []), ["序号", header], ["a", 5], name=name)
    if size is None:
        assert codes(lambda: read_table(path, columns(money))) == ["RM327"]
    else:
        assert read_table(path, columns(money)).conversions.get("amount", 1) == size


@pytest.mark.parametrize("name", ["list.xlsx", "list.csv"])
@pytest.mark.parametrize("header", ["币种", "货币", "Currency"])
@pytest.mark.parametrize(
    ("money", "said", "right"),
    [
        (YUAN, ["USD", ""], False),
        (YUAN, ["人民币", "美元"], False),
        (YUAN, ["人民币", "CNY", ""], True),
        (RINGGIT, ["CNY"], False),
        (RINGGIT, ["MYR", "林吉特"], True),
        (Currency("crown", "克朗"), ["克朗", "Crown"], True),
    ],
)
def test_a_column_of_currency_is_not_passed_over(tmp_path, name, header, money, said, right):
    path = listed(tmp_path, ["序号", "保费", header], *([str(at), 5, word] for at, word in enumerate(said)), name=name)
    if right:
        book = read_table(path, columns(money))
        assert header in book.table.column_names and "currency" not in book.table.column_names
    else:
        with pytest.raises(BookError) as error:
            read_table(path, columns(money))
        wrong = error.value.problems[0]
        assert wrong.code == "RM325" and wrong.row == said.index(wrong.args["value"]) + 2


@pytest.mark.parametrize(
    ("text", "unit", "number"),
    [
        ("¥1000", "fen", 100_000),
        ("1000元", "fen", 100_000),
        ("5万元", "fen", 5_000_000),
        ("5万", "fen", None),  # of yuan, or of fen
        ("1000", "fen", 1_000),
        ("1000分", "fen", 1_000),
        ("￥1,000.50", "yuan", "1000.50"),
        ("RMB 1,000", "yuan", 1_000),
        ("¥30", "persons", None),
        ("1万元整", "yuan", 10_000),
        ("10k", "yuan", 10_000),
        ("10W", "yuan", None),
        ("十万", "yuan", 100_000),
        ("壹拾万元", "yuan", 100_000),
        ("人民币壹拾万零伍佰元零伍分", "yuan", "100500.05"),
        ("叁仟贰佰元肆角整", "yuan", "3200.40"),
        ("一百二十人", "persons", 120),
        ("一百五", "persons", None),  # 105 or 150
        ("百分之五", "share", "0.05"),
        ("千分之二点五", "per_mille", "2.5"),
        ("5 percent", "percent", 5),
        ("2.5 per mille", "share", "0.0025"),
        ("五成", "share", None),
        ("5万美元", "yuan", None),
        ("约10万", "yuan", None),
        ("1.000,50", "yuan", None),
    ],
)
def test_a_number_is_read_where_it_is_clear(text, unit, number):
    assert parse_number(text, unit) == (None if number is None else Decimal(number))


def test_under_a_header_in_ten_thousands():
    size = Decimal(10_000)
    said = {"十": 100_000, "十万": 100_000, "拾万元": 100_000, "5元": 5, "¥5": None}
    assert {text: parse_number(text, "yuan", size) for text in said} == said


@pytest.mark.parametrize(
    ("money", "cell", "code"),
    [(YUAN, "5万美元", "RM326"), (RINGGIT, "1000元", "RM326"), (RINGGIT, "¥1000", "RM326"), (YUAN, "约十万", "RM203")],
)
def test_an_amount_that_is_none_is_refused_for_its_own_reason(money, cell, code):
    assert [item.code for item in convert(pa.array([cell]), columns(money)["amount"]).problems] == [code]


def test_every_number_reads_back_as_it_is_written():
    numbers = [*range(1_200), *(7 * 10**zeros + more for zeros in range(3, 12) for more in (0, 1, 10, 305, 4_020))]
    assert [numeral(written(one)) for one in numbers] == numbers


def test_a_plan_in_ringgit_reads_ringgit_and_nothing_else(tmp_path):
    folder = tmp_path / "own" / "1"
    folder.mkdir(parents=True)
    (folder / "plan.toml").write_text(PLAN, encoding="utf-8")
    assert MONEY in PLAN
    plan = rm.load_plan(folder)
    path = listed(tmp_path, ["line", "保额（元）"], ["1", 1000])
    assert "RM327" in codes(lambda: rm.rate(path, plan))
    path = listed(tmp_path, ["line", "保额（RM）", "币种"], ["1", 1000, "MYR"])
    assert rm.rate(path, plan).counts["rated"] == 1
