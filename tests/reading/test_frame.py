"""Every way in which people hold rows in memory gives the same book."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import ratemod as rm
from ratemod.errors import BookError
from ratemod.reading.frame import arrow_table
from tests.plan import small_plan

ROWS = {"policy_no": ["a", "b"], "sector": ["mining", "transport"], "heads": [10, 20], "limit_yuan": [400000, 500000]}
FRAME = pd.DataFrame(ROWS)


class Anything:
    def __str__(self) -> str:
        return "anything"


HELD = {
    "pandas": FRAME,
    "categoricals": FRAME.astype({"sector": "category", "policy_no": "category"}),
    "nullable": FRAME.astype({"heads": "Int64", "limit_yuan": "Float64", "sector": "string"}),
    "pandas on Arrow": FRAME.convert_dtypes(dtype_backend="pyarrow"),
    "decimals": FRAME.assign(limit_yuan=[Decimal("400000.00"), Decimal("5E5")]),
    "numbers and texts in one column": FRAME.assign(heads=pd.Series([10, "20"], dtype=object)),
    "objects of no kind": FRAME.assign(extra=[Anything(), None], nested=[{"a": 1}, [2]]),
    "Chinese headers and levels": FRAME.assign(sector=["矿山", "交通运输"]).rename(
        columns={"sector": "行业", "heads": "投保人数", "limit_yuan": "每人限额", "policy_no": "保单号"}
    ),
    "the key as index": FRAME.set_index("policy_no"),
    "polars": pl.DataFrame(ROWS),
    "polars lazily": pl.DataFrame(ROWS).lazy(),
    "polars enums": pl.DataFrame(ROWS).with_columns(pl.col("sector").cast(pl.Enum(["mining", "transport"]))),
    "Arrow": pa.table(ROWS),
    "Arrow in dictionaries": pa.table({**ROWS, "sector": pa.array(ROWS["sector"]).dictionary_encode()}),
    "a record batch": pa.table(ROWS).to_batches()[0],
    "columns in a dictionary": ROWS,
    "NumPy columns": {name: np.array(cells) for name, cells in ROWS.items()},
    "rows as dictionaries": FRAME.to_dict("records"),
    "records": FRAME.to_records(index=False),
}


@pytest.mark.parametrize("held", HELD)
def test_the_same_rows_give_the_same_premiums(tmp_path, held):
    plan = rm.load_plan(small_plan.write(tmp_path))
    rated = rm.rate(HELD[held], plan)
    assert rated.table["premium_fen"].to_pylist() == [1000000, 1200000]
    assert rated.explain("b").premium_fen == 1200000


def test_duckdb_relations_are_read(tmp_path):
    duckdb = pytest.importorskip("duckdb")
    frame = FRAME  # noqa: F841  read by name
    asked = "select * replace (sector::enum('mining', 'transport') as sector, heads::hugeint as heads) from frame"
    rated = rm.rate(duckdb.sql(asked), rm.load_plan(small_plan.write(tmp_path)))
    assert rated.table["premium_fen"].to_pylist() == [1000000, 1200000]


def test_one_policy_is_a_dictionary(tmp_path):
    plan = rm.load_plan(small_plan.write(tmp_path))
    assert rm.rate({name: cells[0] for name, cells in ROWS.items()}, plan).premium_fen == 1000000


def test_a_missing_key_of_a_row_is_an_empty_cell():
    assert arrow_table([{"a": 1}, {"b": "x"}]).to_pydict() == {"a": [1, None], "b": [None, "x"]}


def test_what_holds_no_rows_is_refused():
    for given in (5, "text".split, {"a": [1], "b": [1, 2]}, [1, 2], []):
        with pytest.raises(BookError, match="RM213"):
            arrow_table(given)
    with pytest.raises(BookError, match=r"RM226.*heads"):
        arrow_table(pd.concat([FRAME, FRAME[["heads"]]], axis=1))


def test_a_moment_is_the_day_where_it_was_written(tmp_path):
    from ratemod.reading.convert import convert
    from ratemod.vocabulary.column import Column

    day = pd.to_datetime(pd.Series(["2026-01-01", None])).dt.tz_localize("Asia/Shanghai")
    found = convert(arrow_table(pd.DataFrame({"day": day}))["day"], Column("day", "date", optional=True))
    assert found.values[0] == 20454 and not found.problems
