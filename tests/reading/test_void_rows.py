"""A row that the list itself says is void is priced by no door: the list is refused until its user decides."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
import pytest

import ratemod as rm
from ratemod.cli import main
from ratemod.errors import BookError
from tests.own_plan import own_plan

PLAN = """[column.enterprise_name]
from = "enterprise_name"
optional = true
[column.heads]
label_en = "Insured heads"
label_zh = "投保人数"
unit = "persons"
kind = "number"
min = 0
max = 1000
[[step]]
name = "premium"
op = "round"
of = "heads"
unit = "0.01"
"""


@pytest.fixture
def plan(tmp_path: Path) -> rm.Plan:
    return own_plan(tmp_path, PLAN)


def rows(remark: Any, header: str = "备注", name: str = "甲") -> list[dict[str, Any]]:
    return [
        {"policy_no": "P1", "企业名称": name, "heads": 10, header: None},
        {"policy_no": "P2", "企业名称": "乙", "heads": 20, header: remark},
    ]


@pytest.mark.parametrize(
    "said", ["作废", "此行作废", "已作废。", "已退保，该单作废", "（作廢）", "Void", "VOIDED; see mail", "请删除"]
)
def test_the_list_is_refused_with_the_row_and_what_it_says(plan, said):
    with pytest.raises(BookError) as caught:
        rm.rate(rows(said), plan)
    (item,) = caught.value.problems
    assert (item.code, item.row, item.args["header"], item.args["text"]) == ("RM694", 2, "备注", said)
    assert '--columns "备注=-"' in item.line("zh")
    assert rm.rate(rm.read_book(rows(said), plan, header_map={"备注": "-"}), plan).table["premium_fen"].to_pylist() == [
        1000,
        2000,
    ]


@pytest.mark.parametrize("said", ["原保单作废，重新出单", "无", "avoid", "作废品回收企业", None])
def test_what_is_said_of_something_else_is_left_alone(plan, said):
    assert rm.rate(rows(said), plan).table["premium_fen"].to_pylist() == [1000, 2000]


def test_the_name_of_an_insured_may_say_so_too(plan):
    with pytest.raises(BookError, match=r"RM694.*企业名称"):
        rm.rate(rows(None, name="甲矿业（作废）"), plan)
    assert len(rm.rate(rows(None, name="废旧物资公司"), plan).table) == 2


@pytest.mark.parametrize("end", [".csv", ".parquet"])
def test_books_that_are_read_in_chunks_are_held_to_it_as_well(tmp_path, plan, capsys, end):
    table, place = pa.Table.from_pylist(rows("作废", "状态")), tmp_path / f"book{end}"
    pc.write_csv(table, place) if end == ".csv" else pq.write_table(table, place)
    call = [
        "rate",
        str(place),
        "--plan",
        str(plan.folder),
        "-o",
        str(tmp_path / "out.parquet"),
        "--lang",
        "en",
        "--no-project",
    ]
    assert main(call) == 1
    assert (
        f"RM694 {place}:{3 if end == '.csv' else 2} rows {3 if end == '.csv' else 2} are void"
        in capsys.readouterr().err
    )
    assert not (tmp_path / "out.parquet").exists()
    assert main([*call, "--columns", "状态=-"]) == 0
