"""rate(): any frame in, the same fen out; statuses, legal range, roll-ups, worksheets."""

from __future__ import annotations

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import ratemod as rm
from ratemod.plan.editions import load_folder
from tests.plan import small_plan
from tests.plan.small_plan import PLAN
from tests.rating import renewals

RULES = """
[[rule]]
name = "huge"
when = { of = "heads", above = 50000 }
action = "decline"
message_en = "too many heads"
message_zh = "人数过多"
source = "own"
[[rule]]
name = "many"
when = { of = "raw", above = 500000 }
action = "refer"
message_en = "large premium"
message_zh = "保费较大"
source = "own"
"""


@pytest.fixture(scope="module")
def jilin():
    return rm.load_plan("jilin-spli", at="2026-01-01")


@pytest.fixture(scope="module")
def frame():
    rows = renewals.rows(400, seed=3)
    found = pd.DataFrame(rows).rename(columns=renewals.HEADERS)
    return found.astype({"每人赔偿限额（万元）": float})


CONVERT = {
    "pandas": lambda frame: frame,
    "polars": pl.from_pandas,
    "polars lazy": lambda frame: pl.from_pandas(frame).lazy(),
    "arrow": pa.table,
    "duckdb": lambda frame: duckdb.sql("SELECT * FROM frame"),
    "categories": lambda frame: frame.astype({"行业": "category", "企业规模": "category"}),
}


@pytest.mark.parametrize("kind", CONVERT)
def test_any_frame_gives_the_same_fen(jilin, frame, kind):
    wanted = rm.rate(pa.table(frame), jilin, lang="en")
    found = rm.rate(CONVERT[kind](frame), jilin, lang="en")
    assert found.counts == wanted.counts and found.counts["refused"] == 0
    assert found.table["premium_fen"].equals(wanted.table["premium_fen"])
    assert found.table["reason"].to_pylist() == wanted.table["reason"].to_pylist()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_text_files_of_every_kind(jilin, frame, tmp_path, encoding, delimiter):
    path = tmp_path / "book.csv"
    frame.to_csv(path, index=False, encoding=encoding, sep=delimiter)
    found = rm.rate(str(path), jilin, lang="zh")
    assert found.table["premium_fen"].equals(rm.rate(frame, jilin).table["premium_fen"])


def test_parquet_and_round_trip_types(jilin, frame, tmp_path):
    import pyarrow.parquet as pq

    pq.write_table(pa.table(frame), tmp_path / "book.parquet")
    found = rm.rate(tmp_path / "book.parquet", jilin)
    assert found.table["premium_fen"].type == pa.int64()
    assert found.table["premium_fen"].equals(rm.rate(frame, jilin).table["premium_fen"])


def test_same_input_same_bytes_whatever_the_order_blocks_and_threads(jilin, frame):
    def digest(rated):
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, rated.table.schema) as writer:
            writer.write_table(rated.table)
        return sink.getvalue().to_pybytes()

    one = rm.rate(frame, jilin, lang="en")
    assert digest(one) == digest(rm.rate(frame, jilin, lang="en", threads=1, block=7))
    mixed = rm.rate(frame.sample(frac=1, random_state=1), jilin, lang="en").to_pandas().set_index("policy_no")
    straight = one.to_pandas().set_index("policy_no")
    assert (mixed.loc[straight.index, "premium_fen"] == straight["premium_fen"]).all()


def test_the_sum_of_the_summary_is_the_sum_of_the_book(jilin, frame):
    rated = rm.rate(frame, jilin)
    summary = rated.summary(["sector", "size_class"])
    assert summary["premium_fen"].sum() == rated.premium_fen == sum(rated.table["premium_fen"].to_pylist())
    assert summary["fund_fen"].sum() == rated.fund_fen
    assert summary["policies"].sum() + summary["unpriced"].sum() == 400
    with pytest.raises(rm.BookError):
        rated.summary(["sectr"])


def test_fund_never_leaves_its_corridor_by_a_fen(jilin, frame):
    table = rm.rate(frame, jilin).table
    premium, fund = (np.array(table[name]) for name in ("premium_fen", "fund_fen"))
    assert (fund * 100 <= premium * 21).all()
    old = rm.load_plan("jilin-spli", at="2021-01-01")
    dates = frame.assign(**{"保险起期": "2021-01-01", "保险止期": "2022-01-01"})
    table = rm.rate(dates, old).table
    premium, fund = (np.array(table[name]) for name in ("premium_fen", "fund_fen"))
    assert (fund * 10 >= premium).all() and (fund * 10 < premium + 10).all()


def book(**columns):
    size = len(next(iter(columns.values())))
    base = {
        "policy_no": [f"P{at}" for at in range(size)],
        "sector": ["mining"] * size,
        "heads": [10] * size,
        "limit_yuan": [400000] * size,
    }
    return pd.DataFrame(base | columns)


def test_statuses_stay_apart(tmp_path):
    plan = load_folder(small_plan.write(tmp_path, plan=PLAN + RULES))
    rated = rm.rate(book(heads=[10, 60000, 1000, 0]), plan, lang="en")
    assert rated.table["status"].to_pylist() == ["rated", "declined", "referred", "refused"]
    premium = rated.table["premium_fen"].to_pylist()
    assert premium[1] is None and premium[3] is None and premium[0] and premium[2]
    assert rated.table["premium"].to_pylist()[1] is None, "a declined row shows no premium in its steps either"
    assert rated.counts == {"rows": 4, "rated": 1, "referred": 1, "refused": 1, "declined": 1}
    assert "large premium" in rated.table["notes"].to_pylist()[2]


def test_nothing_outside_the_legal_range_is_printed_unlabelled(tmp_path):
    legal = PLAN.replace('of = "float"\nlow = "0.7"\nhigh = "1.3"', 'of = "scale"\nlow = "0.8"\nhigh = "1.3"')
    plan = load_folder(small_plan.write(tmp_path / "a", plan=legal))
    rated = rm.rate(book(heads=[10, 2000]), plan, lang="en")
    assert rated.table["code"].to_pylist() == [None, "RM316"] and rated.counts["refused"] == 1
    excepted = legal.replace(
        'high = "1.3"\n',
        'high = "1.3"\nexception = { when = { of = "heads", above = 1500 }, '
        'label_en = "very large firms", label_zh = "特大企业", source = "own" }\n',
    )
    plan = load_folder(small_plan.write(tmp_path / "b", plan=excepted))
    rated = rm.rate(book(heads=[10, 1200, 2000]), plan, lang="en")
    assert rated.table["code"].to_pylist() == [None, "RM316", None]
    assert "very large firms" in rated.table["notes"].to_pylist()[2]
    outside = plan.replace({"tables.scale[..100].value": "5"})
    rated = rm.rate(book(heads=[10]), outside, lang="en")
    assert rated.table["code"].to_pylist() == ["RM316"], "an overlay cannot leave the range either"


ROLL = PLAN.replace(
    """[[step]]
name = "premium"
op = "round"
of = "raw"
unit = "0.01"
headline = true""",
    """[[step]]
name = "line"
op = "round"
of = "raw"
unit = "1"
[[step]]
name = "highest"
op = "rollup"
of = "rate"
by = "policy_no"
how = "max"
[[step]]
name = "policy_total"
op = "rollup"
of = "line"
by = "policy_no"
how = "sum"
[[step]]
name = "third"
op = "product"
of = ["policy_total", "highest", "0.37"]
source = "own"
[[step]]
name = "policy_premium"
op = "round"
of = "third"
unit = "0.01"
[[step]]
name = "premium"
op = "share_out"
of = "policy_premium"
by = "policy_no"
weights = "line"
headline = true""",
).replace('key = "policy_no"\n', "")


def test_lines_roll_up_and_share_out_to_the_fen(tmp_path):
    plan = load_folder(small_plan.write(tmp_path, plan=ROLL, cases=""))
    frame = book(
        policy_no=["A", "B", "A", "B", "A"],
        sector=["mining", "transport", "transport", "transport", "mining"],
        heads=[7, 11, 13, 17, 19],
    )
    rated = rm.rate(frame, plan, lang="en").to_pandas()
    for _, lines in rated.groupby("policy_no"):
        total = lines["line"].sum()
        highest = lines["rate"].max()
        assert (lines["policy_total"] == total).all() and (lines["highest"] == highest).all()
        assert lines["premium_fen"].sum() == round(total * highest * 0.37 * 100)
    mixed = rm.rate(frame.iloc[::-1], plan, lang="en").to_pandas().iloc[::-1]
    assert mixed["premium_fen"].tolist() == rated["premium_fen"].tolist()


def test_a_policy_with_an_unpriced_line_is_refused_whole(tmp_path):
    plan = load_folder(small_plan.write(tmp_path, plan=ROLL, cases=""))
    rated = rm.rate(book(policy_no=["A", "A", "B"], heads=[7, 0, 9]), plan, lang="en")
    assert rated.table["code"].to_pylist() == ["RM315", "RM204", None]


def test_the_worksheet_ends_in_the_premium_and_names_its_cells(jilin, frame):
    rated = rm.rate(frame, jilin, lang="zh")
    for at in range(0, 400, 37):
        sheet = rated.explain(at)
        last = {line.name: line for line in sheet.lines}
        assert int(last["premium"].value * 100) == sheet.premium_fen == rated.table["premium_fen"][at].as_py()
        assert last["base_rate"].cell.startswith("tables.base_rate[") and last["base_rate"].source
        bounds = {f"{line.name}:{line.bound}" for line in sheet.lines if line.bound}
        assert bounds == set(filter(None, (rated.table["bounds"][at].as_py() or "").split(";")))
        assert sheet.text("zh") and sheet.text("en") and len(sheet.frame()) == len(sheet.lines)


def test_explain_suggests_a_near_key(jilin, frame):
    with pytest.raises(rm.BookError) as error:
        rm.rate(frame, jilin).explain("JL202600001")
    assert error.value.problems[0].args["nearest"].startswith("JL2026")


def test_a_missing_column_is_named_with_the_header_that_comes_near(jilin, frame):
    with pytest.raises(rm.BookError) as error:
        rm.rate(frame.rename(columns={"投保人数": "投保人员数", "行业": "门类"}), jilin)
    told = {item.args["column"]: item.args["nearest"] for item in error.value.problems}
    assert told["heads"] == "投保人员数" and all(item.code == "RM301" for item in error.value.problems)


def test_sector_and_size_are_derived_where_the_book_lacks_them(jilin, frame):
    derived = frame.drop(columns=["行业", "企业规模"]).assign(
        **{"行业代码": "0610", "从业人员": 350, "营业收入": "3000万元"}
    )
    rated = rm.rate(derived, jilin, lang="zh")
    assert set(rated.table["sector"].to_pylist()) == {"mining"} and set(rated.table["size_class"].to_pylist()) == {
        "medium"
    }
    lost = derived.assign(**{"行业代码": ["9999"] + ["0610"] * 399})
    refused = rm.rate(lost, jilin, lang="zh").refused
    assert refused["code"].to_pylist() == ["RM208"]


def test_checks_across_rows(jilin, frame):
    twice = pd.concat([frame, frame.iloc[[5]].assign(**{"每人赔偿限额（万元）": 77.0})], ignore_index=True)
    refused = rm.rate(twice, jilin, lang="zh").refused
    assert refused.num_rows == 2
    assert all("保单号重复" in reason and "限额不一致" in reason for reason in refused["reason"].to_pylist())


def test_only_the_steps_asked_for_are_kept(jilin, frame):
    every = rm.rate(frame, jilin)
    few = rm.rate(frame, jilin, trace=("total_float",))
    assert few.table["total_float"].equals(every.table["total_float"]) and "base_rate" not in few.table.column_names
    assert few.table["premium_fen"].equals(every.table["premium_fen"])
    headline = rm.rate(frame, jilin, trace=False).table.column_names
    assert "base_rate" in headline and "ballast" not in headline
    with pytest.raises(rm.BookError) as error:
        rm.rate(frame, jilin, trace=("total_flaot",))
    assert error.value.problems[0].args["nearest"] == "total_float"
