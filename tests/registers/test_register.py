"""What registers look like when people keep them, and what is refused."""

from __future__ import annotations

import pyarrow as pa
import pytest

from ratemod.errors import BookError, catalogue
from ratemod.registers.columns import READ
from ratemod.registers.register import read_register
from ratemod.vocabulary.table import table

CSV = """隐患编号,统一社会信用代码,隐患等级,发现日期,通知日期,整改期限,整改日期,验收日期
H1,A,重大隐患,2024年1月5日,2024/1/6,2024-02-05,,
H2,B,重大,2024-01-05,2024-01-06,2024-02-05,2024-01-20,2024-01-04
H3,C,重大,2024-01-05,2024-01-06,2024-02-05,,
H3,C,重大,2024-01-05,2024-01-06,2024-03-05,,
H4,D,一般,2024-01-05,,,,
H4,D,一般,2024-01-05,,,,
H5,E,特大,2024-01-05,,,,
H6,,重大,2024-01-05,,,,
合计,,,,,,,
"""


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
def test_a_register_as_people_keep_it(tmp_path, encoding):
    path = tmp_path / "隐患.csv"
    path.write_text(CSV, encoding=encoding)
    told = read_register(path, "hazards")
    assert told.rows.tolist() == [2, 6]
    assert told.keys.to_pylist() == ["A", "D"]
    assert sorted(told.doubtful.to_pylist()) == ["B", "C", "E"]
    codes = {item.code: (item.row, item.count) for item in told.refused}
    assert codes["RM241"] == (4, 2)  # two due dates
    assert codes["RM242"] == (7, 1)  # the same row twice: one is kept
    assert codes["RM202"] == (8, 1)
    assert codes["RM201"] == (9, 1)
    assert codes["RM240"] == (3, 1)  # verified before found, and before rectified
    said = [item.line("zh") for item in told.refused if item.code == "RM240"]
    assert any("“验收日期”早于“发现日期”" in line for line in said)


@pytest.mark.parametrize(
    ("noun", "first", "second"),
    [
        (noun, *pair)
        for noun, (needed, more) in READ.items()
        for pair in table(noun).order
        if {*pair} <= {*needed, *more}
    ],
)
def test_every_wrong_order_is_refused_and_equal_days_are_not(noun, first, second):
    row = dict.fromkeys((*READ[noun][0], *READ[noun][1]))
    fill = {
        "credit_code": "A",
        "grade": "major",
        "found_date": "2024-01-02",
        "standardisation": "level_1",
        "issue_date": "2024-01-02",
        "expiry_date": "2024-01-02",
        "listed_date": "2024-01-02",
        "event_date": "2024-01-02",
        "deaths": "0",
        "serious_injuries": "0",
        "start_date": "2024-01-02",
        "end_date": "2024-01-02",
    }
    row |= {name: value for name, value in fill.items() if name in row}
    good = row | {first: "2024-01-02", second: "2024-01-02"}
    assert len(read_register(pa.Table.from_pylist([good]), noun)) == 1
    told = read_register(pa.Table.from_pylist([good | {second: "2024-01-01"}]), noun)
    assert len(told) == 0
    assert "RM240" in {item.code for item in told.refused}


def test_two_grades_from_one_day_contradict_each_other():
    rows = [("A", "2024-01-01", "B"), ("A", "2024-01-01", "AA"), ("B", "2024-01-01", "B"), ("B", "2024-01-01", "B")]
    table = pa.table(
        {
            name: [row[at] for row in rows]
            for at, name in enumerate(("credit_code", "effective_date", "integrity_grade"))
        }
    )
    told = read_register(table, "integrity")
    assert told.keys.to_pylist() == ["B", "B"]
    assert [(item.code, item.count) for item in told.refused] == [("RM243", 2)]
    assert told.doubtful.to_pylist() == ["A"]


def test_every_missing_column_is_named_at_once():
    with pytest.raises(BookError) as told:
        read_register(pa.table({"信用代码": ["A"], "死亡人数": [0]}), "claims")
    assert {item.args["name"] for item in told.value.problems} == {"event_date", "serious_injuries"}
    assert {item.code for item in told.value.problems} == {"RM950"}


def test_problems_of_registers_are_said_in_both_languages():
    for code in (f"RM{number}" for number in range(240, 260)):
        assert catalogue()[code]["en"] and catalogue()[code]["zh"]
